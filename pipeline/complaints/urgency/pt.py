"""What makes a Portuguese complaint urgent, in the spelling of folded texts."""

from __future__ import annotations

REASONS: dict[str, tuple[str, ...]] = {
    "life and safety": (
        r"perigo de (?:vida|morte)|risco de (?:vida|morte)|\bambulancia|pronto[- ]socorro"
        r"|\bventilador pulmonar|\bdialise|\binsulina|\boxigenio|\bferid[oa]s?\b|sangrando"
        r"|inconsciente|vazamento de gas|cheiro de gas|choque eletrico|pegou fogo|pegando fogo"
        r"|incendi|explodiu|explosao|\bsuicid|me matar|nao (?:consegue|consigo) respirar|\binfarto"
        r"|envenenad|internad[oa]\b",
    ),
    "security": (
        r"\bhacke|ransomware|\bphishing|vazamento de dados|dados (?:\w+ ){0,2}(?:vazad|expost"
        r"|roubad)|(?:conta|cartao|senha) (?:\w+ ){0,3}(?:invadid|clonad|roubad|comprometid)"
        r"|alguem (?:\w+ ){0,3}(?:acess|us|entr|troc)\w+ (?:\w+ ){0,3}minha|invadiram|roubo de identidade",
    ),
    "business blocked": (
        r"ninguem (?:\w+ )?(?:consegue|pode)|(?:toda|todas|todos|nossas?|nossos?) (?:\w+ ){0,3}(?:lojas?"
        r"|empresa|fabrica|producao|caixas|funcionarios|hospital|sistema)\b[^.!?]{0,25}(?:parad"
        r"|fora do ar|bloquead|nao )|nao conseguimos (?:trabalhar|vender|operar|faturar|enviar"
        r"|receber)|(?:producao|fabrica|operacao) (?:\w+ )?parad",
    ),
    "money": (
        r"(?:perdendo|perdemos|prejuizo de) (?:\w+ ){0,2}(?:dinheiro|vendas|milhares|milhoes"
        r"|clientes|r?\$?\s?\d)|(?:meu|todo o|nosso) (?:\w+ )?(?:dinheiro|saldo|salario)\b[^.!?]{0,15}(?:su"
        r"miu|desapareceu|roubad)|esvaziaram|\bgolpe\b",
    ),
    "legal": (
        r"\badvogad|\bprocessar (?:voces|a empresa|voce)|\bprocon\b|acao judicial|na justica"
        r"|\btribunal|\blgpd\b|\banatel\b|prazo (?:legal|fiscal|judicial)|banco central",
    ),
}
NEAR: dict[str, tuple[tuple[str, str, int], ...]] = {}
MORE: dict[str, str] = {}
QUIET: tuple[str, ...] = (
    r"contatos? de emergencia|morr(?:er|endo) de (?:rir|fome|vontade)|bateria (?:\w+ )?morreu",
)
NOT: tuple[str, ...] = (r"\b(?:nao|sem|nunca|se|caso|como (?:evitar|proteger))\s+(?:\w+ ){0,2}$",)

# Small words that tell the language.
WORDS = (
    "o os as um uma e minha meu nosso nossa nossos nao de do "
    "da em que por com para se estamos nos na no todas todos ninguem"
)
