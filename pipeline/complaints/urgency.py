"""A complaint's text to the reason why it cannot wait, "" for most."""

from __future__ import annotations

import re

# Most urgent first. One word too many sends an ordinary question to the emergency seat, so each pattern
# needs the harm itself, not only its topic.
_REASONS: dict[str, tuple[str, ...]] = {
    "life and safety": (
        r"life[- ](?:threatening|critical|support)|\bambulance|emergency room|\bventilator|\bdialysis\b",
        r"\bpatients? (?:is|are|can|cannot|waiting|in)\b|\binsulin\b|\binjur(?:y|ed|ies)\b",
        r"gas leak|electric(?:al)? shock|(?:caught|on) fire|\bcarbon monoxide\b|\bsuicid|\bkill myself\b",
        r"\b(?:call(?:ed|ing)?|dial(?:l?ed)?) (?:911|999|112|120)\b",
        r"危及生命|生命危险|人命|病人|患者|急救|抢救|救护车|呼吸机|透析|胰岛素|受伤|自杀|轻生",
        r"着火|起火|冒烟|煤气泄漏|燃气泄漏|触电|漏电",
    ),
    "security": (
        r"\bhack(?:ed|er|ers)\b|\bphishing\b|\bransomware\b|data (?:breach|leak)",
        r"account (?:was |is |has been |got )?(?:taken over|compromised|stolen)",
        r"(?:someone|somebody) (?:else )?(?:has |is |was )?(?:logged|signed|access|us(?:ed|ing)|changed)"
        r"[^.]{0,30}\b(?:my|our) (?:account|card|password)",
        r"see(?:ing)? (?:another|other|someone else'?s?) (?:customer|user|people|person|data|order|account)",
        r"盗刷|被盗号|[账帐][号户]被盗|数据泄露|信息泄露|泄露了我|黑客|勒索",
        r"看到(?:别人|其他人)的|钓鱼(?:网站|邮件|短信)",
    ),
    "business blocked": (
        r"\b(?:business|production|operations?|factory|warehouse|hospital|clinic|office"
        r"|(?:all|whole|entire) (?:our )?(?:sites?|stores?|shops?|branch(?:es)?|company|team))\b"
        r"[^.!?]{0,25}\b(?:down|dead|stopped|offline|blocked|halted|standstill|paraly[sz]ed|closed)\b",
        r"\b(?:nobody|no one|none of (?:us|our \w+)|every(?:one|body)"
        r"|(?:whole|entire|all) (?:of )?(?:our |the )?(?:company|team|staff|office|employees|users))\b"
        r"[^.!?]{0,20}\b(?:can(?:not|'?t)?\b[^.!?]{0,12}\b(?:log|sign|work|pay|order|open|use|access|ship)"
        r"|affected|blocked|locked out)",
        r"\bcan(?:not|'t) (?:operate|trade|ship|run payroll|take (?:any )?(?:orders|payments|cards))\b",
        r"业务(?:中断|停摆|瘫痪|全停|停了)|停产|停工|无法营业|营业不了|收不了[款钱]|全线崩溃|发不了工资",
        r"(?:全部|所有|整个|全)(?:门店|网点|用户|员工|医院|工厂|公司|商城|人都?)"
        r".{0,8}(?:不能|无法|用不了|登不|登录不|瘫痪|停|打不开)",
        r"生产线.{0,6}停",
    ),
    "money": (
        r"\blos(?:ing|t) (?:us )?(?:money|sales|orders|thousands|millions|customers|[$€£¥]?\d[\d.,]*)",
        r"\ball (?:of )?(?:my|our) (?:money|savings|funds) (?:is|are|has|have|was|were)\b[^.!?]{0,12}"
        r"\b(?:gone|disappeared|vanished|stolen)",
        r"钱(?:全|都)?(?:没了|不见了|不翼而飞)|损失.{0,6}(?:万|元|块|客户|订单)|付了[款钱].{0,8}没有?(?:订单|到账|收到)",
    ),
    "legal": (
        r"\b(?:my|our) (?:lawyer|attorney|solicitor)|\blegal action\b|\bclass action\b",
        r"\bsu(?:e|ing) (?:you|your)\b|\btake you to court\b",
        r"\b(?:regulator|ombudsman|gdpr|data protection (?:authority|officer)|trading standards)\b",
        r"\b(?:tax|filing|court|legal|statutory) deadline\b",
        r"律师|起诉|告你们|法院|法律途径|12315|消费者协会|消协|工信部|银保监|监管(?:部门|机构)",
        r"(?:报税|申报)截止",
    ),
}
_PATTERNS = [(reason, re.compile("|".join(patterns), re.IGNORECASE)) for reason, patterns in _REASONS.items()]


def urgent(text: str) -> str:
    """Return the reason and the words that gave it, "" where the complaint can take its turn.

    >>> urgent("All our stores are down and we cannot take payments")
    'business blocked: "All our stores are down"'
    >>> urgent("How do I change my address?")
    ''
    """
    for reason, pattern in _PATTERNS:
        found = pattern.search(text)
        if found is not None:
            return f'{reason}: "{found[0][:60]}"'
    return ""
