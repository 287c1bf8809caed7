"""What a customer reads of a complaint: public words only, in the language it was written in."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.types import Case, Progress

_EN: Mapping[Progress, str] = {
    Progress.RECEIVED: "We have your message and will answer you.",
    Progress.LOOKED_AT: "We are looking at it.",
    Progress.CAUSE_KNOWN: "We know the cause and are working on it.",
    Progress.WAITING: "We asked you something and go on when we have your answer.",
    Progress.FIXED: "It should work again. Please tell us whether it does.",
    Progress.CLOSED: "This is closed. You can open it again for a week.",
}
_ZH: Mapping[Progress, str] = {
    Progress.RECEIVED: "我们已收到您的反馈，会尽快答复您。",
    Progress.LOOKED_AT: "我们正在处理。",
    Progress.CAUSE_KNOWN: "原因已找到，我们正在修复。",
    Progress.WAITING: "我们有问题想向您确认，收到您的答复后会继续处理。",
    Progress.FIXED: "问题应已解决，请确认是否恢复正常。",
    Progress.CLOSED: "已关闭。一周内您可以重新打开。",
}
ASK = {
    "en": "Did we help? Yes or no, and 1 (badly) to 5 (very well).",
    "zh": "我们帮到您了吗？请回答是或否，并打分：1（很差）到 5（很好）。",
}


def public(case: Case) -> str:
    """Return how far it is, in a sentence for its customer."""
    return (_ZH if _chinese(case) else _EN)[case.progress]


def question(case: Case) -> str:
    """Return what is asked at the end."""
    return ASK["zh" if _chinese(case) else "en"]


def _chinese(case: Case) -> bool:
    return case.lang.lower().startswith("zh")
