"""Harm that a text says did not happen, one pattern a language, in the spelling of folded texts.

A "not" with at most a few small words between it and the harm: "nobody was hurt" is one, "nobody helps, we
are hurt" is none. A lack of what one needs to live, "no oxygen", is harm itself and stands in the lexicons;
so do fires that do not go out.
"""

from __future__ import annotations


def _listed(no: str, small: str, most: int, harm: str, joint: str) -> str:
    """Return "not", small words and harm, and more of it listed after."""
    some = rf"(?:(?:{small})[ ']){{0,{most}}}"
    return rf"\b(?:{no})[ ']{some}(?:{harm})(?:,? ?\b(?:{joint})[ ']{some}(?:{harm}))*"


# A noun may be the first half of another thing: a fire exit, an emergency number.
_ALONE = r"(?=$|[^a-z ]| (?:and|or|but|nor|here|at|in|on|yet|just|only|because|so|anywhere|involved)\b)"
# Nor is what was hurt a little, or closed for good, denied.
_HOW = r"(?! (?:bad|serious|severe|only|just)\w*)\b"
EN = _listed(
    r"not|no|never|neither|without|nobody|no one|none|nothing|(?:is|was|are|were|has|have|had|do|does"
    r"|did|wo"
    r"|would)n'?t",
    r"an?|any|the|been|being|be|is|was|are|were|got|get|gets|has|have|had|ever|yet|in|at|to|really"
    r"|actually|going"
    r"|need|want|here|there|my|our|your|of|it|do|does|did|us|signs?|danger of|visible",
    5,
    rf"(?:(?:on )?fires?|flames|smoke|gas|gas (?:leaks?|smell)|emergency|danger|injur(?:y|ies)|casualties"
    rf"|explosions?|fraud|lawyers?|legal action|victims?){_ALONE}"
    r"|(?:burn(?:s|ed|t|ing)?|smok(?:es?|ed|ing)|explod(?:es?|ed|ing)|c(?:atch(?:es|ing)?"
    r"|aught) (?:on )?fire"
    r"|hurt|injured|harmed|wounded|bleeding|dead|died|killed|smell(?:s|ed|ing)? (?:of |like )?(?:any )?"
    r"(?:gas|smoke|burning)|leak(?:s|ed|ing)?|hacked|compromised|breached|stolen|stole|robbed|scammed"
    r"|sue|suing"
    r"|los(?:t|e|ing) (?:any )?money|closed|affected|trapped|poisoned)" + _HOW,
    r"or|nor|and|and no|no",
)  # fmt: skip

_OVER = r"(?! (?:nur|mehr|bloss|auf|los|aus|schwer|schlimm)\b)"
DE = (
    r"\b(?:brenn(?:t|en)|brannten?|rauch(?:t|en|te)|qualm(?:t|en|te)|explodier(?:t|en|te)|funkt"
    r"|steh(?:t|en) still"
    r"|riecht)\b(?: (?:es|hier|bei uns|bei mir|ja|aber|auch|gar|uberhaupt|da|also|noch)){0,2} nicht(?:s)?"
    rf"{_OVER}(?: nach (?:gas|rauch|feuer|verbrannt\w*|qualm))?"
    r"|\bsteh(?:t|en) nicht still|\bqualmt nichts|\bnichts (?:passiert|verbrannt|gebrannt|explodiert"
    r"|brennt|qualmt)"
    r"|\b(?:nicht|niemand\w{0,2}|keiner|nie)(?: (?:ist|war|wurde|worden|hat sich|sich|dabei|hier|in|ein"
    r"|von))"
    r"{0,3} (?:verletzt|gehackt|gestohlen|geklaut|gebrannt|verbrannt|explodiert|verschwunden|weg"
    r"|geschlossen|geleakt"
    rf"|betroffen|gefahr|gestorben|tot|klagen|verklagen|beklaut|betrogen|brennen|nach gas)\b{_OVER}"
    r"|\b(?:kein(?:e[nrms]?)?|ohne|weder)(?: (?:gefahr fur|einzige[rns]?|offene[sn]?))? (?:feuer|brand"
    r"|rauch|qualm"
    r"|flammen?|verletzten?|gas|gasgeruch|gasleck|gefahr|lebensgefahr|notfall|explosion|anwalt|hacker"
    r"|opfer|brandgeruch"
    r")\b(?:(?:,| und| oder|, noch| noch)(?: kein\w{0,2})? (?:feuer|brand|rauch|qualm|flammen?|gas|opfer))*"
)  # fmt: skip

ES = _listed(
    r"no|nadie|nunca|sin|ningun[oa]?|nada|tampoco|ni",
    r"hay|hubo|habia|ha|han|he|has|fue|fueron|es|era|esta|estaba|estan|sido|un|una|el|la|los|las|me|se"
    r"|nos|le"
    r"|necesito|quiero|voy|vamos|a|de|ningun|ninguna?|salido|salio|resulto|resultado|quedo|huele|sale"
    r"|siquiera"
    r"|estuvo|nadie|veo|en",
    4,
    r"(?:fuego|incendios?|humo|llamas|gas|fuga de gas|herid[oa]s?|lesionad[oa]s?|muert[oa]s?|victimas"
    r"|explosion"
    r"|peligro|emergencia|abogados?|demandar\w*|denunciar\w*|quem(?:a|an|ado|ada|o)|incendiado|ardiendo"
    r"|arde|explot"
    r"(?:a|o|ado)|hackead[oa]|hackearon|robado|robad[oa]s?|robaron|estafad[oa]|cerrad[oa]s?"
    r"|afectad[oa]s?)\b"
    r"(?! (?:solo|grave)\w*)",
    r"ni|y|o",
)  # fmt: skip

_FR_HARM = (
    r"(?:feu|incendies?|fumee|flammes|gaz|fuite de gaz|blesses?|blessees?|morts?|victimes?|explosion"
    r"|danger|urgence"
    r"|avocat|brule[rs]?|pris feu|explose[rs]?|pirate[res]*|vole[res]*|arnaque[rs]?|ferme[res]*"
    r"|porter? plainte"
    r"|touche[res]*|intoxique[res]*|en feu)\b(?! (?:seulement|rouge|vert|grave|arriere|avant)\w*)"
)
FR = (
    _listed(
        r"pas|jamais|aucune?|sans|ni|point",
        r"de|d|du|des|le|la|les|l|un|une|a|ete|en|encore|eu|prendre|sent|senti|mon|ma|odeur",
        3,
        _FR_HARM,
        r"ni|et|ou|pas",
    )
    + r"|\b(?:personne|rien)(?: (?:ici|chez nous))? n(?:e |')(?:est |a |etait |sera |s'est )?(?:ete |en )?"
    + _FR_HARM
    + r"|\bn(?:e |')(?:brule(?:nt)?|fume(?:nt)?|explose(?:nt)?|sent(?:ent)?) pas(?! (?:que|seulement))"
    r"(?: (?:le |du |la )?(?:gaz|brule|fumee))?"
)

PT = _listed(
    r"nao|ninguem|nunca|sem|nada|nenhum\w?",
    r"ha|houve|foi|esta|ficou|se|um|uma|o|a|pegando|pegou|saiu|me|tem|cheiro|de",
    3,
    r"(?:fogo|incendio|fumaca|gas|ferid[oa]s?|machucad[oa]s?|mort[oa]s?|perigo|explodiu|hackead[oa]"
    r"|roubad[oa])\b",
    r"nem|e|ou",
)

ZH = (
    r"(?:从来没有?|从没有?|并没有?|根本没有?|没有?|并未|尚未|未|无|从不|并不|不会|不是|不)"
    r"(?:任何|发生|出现|闻到|看到|看见|有|人员?|谁|什么|被|真的|想|要|再|找|因此|因为|造成|存在){0,3}"
    r"(?:着火|起火|失火|火灾|冒烟|冒火|爆炸|自燃|漏电|触电|漏气|泄[漏露]|(?:煤气|燃气)(?:味|泄漏)?|受伤|伤亡"
    r"|流血|中毒|生命危险|危险|被盗|盗刷|被?盗|被?骗|被黑|被入侵|起诉|律师|停业|停产|停工|丢|瘫痪|被困|烧)"
    r"(?!不|的时候)(?:[也和或、,](?:没有?|无|不)?(?:着火|起火|冒烟|爆炸|漏电|受伤))*"
    r"|不(?:需要|用|必)(?:叫|打)?(?:救护车|急救|律师|报警)"
)

JA = (
    r"(?:火事|火災|けが人?|怪我人?|負傷者|危険|緊急)(?:は|では|じゃ)?(?:ない|なく|ありません|いません|なかった)"
    r"|(?:燃えて|爆発して|ハッキングされて|盗まれて)(?:は)?い(?:ない|ません|なかった)|発火していません"
)
