"""A mail that a company sent to thousands, and what they answer to it: no trouble that arises by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b

from pipeline.complaints.words import plain

LONG = 40  # characters of a quoted line that tells one mail from another
LINES = 20  # of one mail that are remembered
MAX_LINES = 5_000  # of all mails, the one unheard of longest goes; 100 B each
MANY = 2  # customers who quote the same line: it was sent to more than one
MAX_VOICES = 100  # counted of a line

# What only mails to many end with. Without it the shared line may be a desk's own "we have your ticket".
_FOOTER = re.compile(
    r"unsubscribe|opt[- ]out|newsletter|manage (?:your )?(?:e-?mail )?preferences|abmelden|abbestellen"
    r"|d[ée]sabonner|d[ée]sinscri|darse de baja|cancelar (?:la )?suscripci|cancelar (?:a )?inscri"
    r"|descadastrar|退订|退訂|取消订阅|配信停止|إلغاء الاشتراك",
    re.IGNORECASE,
)
_MARK = re.compile(r"^[\s>|＞]+")


@dataclass(slots=True)
class Mails:
    """Who quoted which line of mails to many. Owned by ComplaintState."""

    lines: dict[int, set[int]] = field(default_factory=dict)  # digest of a line -> voices, oldest line first

    def answered(self, text: str, own: str, voice: int) -> str:
        """Return why a text counts towards no surge, "" where it does; `own` is what its writer says in it.

        The first to answer a mail cannot be told from others; all further ones are.
        """
        if len(text) < len(own) + LONG or not _FOOTER.search(text):
            return ""
        said = plain(own)
        quoted = [line for raw in text.splitlines() if len(line := plain(_MARK.sub("", raw))) >= LONG]
        shared = ""
        for line in [line for line in quoted if line not in said][:LINES]:
            digest = int.from_bytes(blake2b(line.encode(), digest_size=7).digest(), "big")
            voices = self.lines.pop(digest, set())
            if voice in voices or len(voices) < MAX_VOICES:
                voices.add(voice)
            self.lines[digest] = voices
            shared = shared or (line if len(voices) >= MANY else "")
        while len(self.lines) > MAX_LINES:
            del self.lines[next(iter(self.lines))]
        return f'an answer to a mail that was sent to many: "{shared[:80]}"' if shared else ""
