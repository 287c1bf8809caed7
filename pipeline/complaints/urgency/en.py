"""What makes an English complaint urgent, in the spelling of folded texts."""

from __future__ import annotations

_ALL = r"(?:all|whole|entire|every|each)(?: (?:of|our|the|my|\d+))*"
_PLACE = (
    r"(?:business|production|operations?|factory|plant|warehouse|hospital|clinic|offices?"
    r"|sites?|stores?|shops?"
    r"|branch(?:es)?|compan(?:y|ies)|restaurants?|hotels?|assembly lines?|lines?|tills?"
    r"|registers?|terminals?"
    r"|checkouts?|school|pharmac(?:y|ies)|call cent(?:er|re)|teams?|departments?|fleet)"
)
_STOPPED = (
    r"(?:down|dead|stopped|offline|blocked|halted|standstill|stand still|paraly[sz]ed"
    r"|closed|shut|idle|frozen"
    r"|stuck|locked out|out of action|stranded|unable to (?:work|sell|trade|ship|operate))"
)
_PERSON = (
    r"(?:my|our|the|a|his|her) (?:\w+ ){0,2}(?:baby|child|kid|son|daughter|wife|husband"
    r"|mother|father|mom|mum"
    r"|dad|grand(?:mother|father|ma|pa)|parents?|patients?|colleague|coworker|employee"
    r"|worker|driver|customer"
    r"|neighbou?r|guest|passenger|toddler|infant)"
)
_PROPERTY = (
    r"(?:my|our|his|her|their) (?:\w+ ){0,2}(?:accounts?|cards?|passwords?|systems?|servers?"
    r"|computers?|e-?mail|data|wallet|profile|phone number|identity|network|website|site"
    r"|shop|store)"
)

REASONS: dict[str, tuple[str, ...]] = {
    "life and safety": (
        r"life[- ](?:threatening|critical|support)|\bambulance|emergency room|\bventilator"
        r"|\bdialysis\b",
        r"\bpatients? (?:is|are|can|cannot|waiting|in|will|who)\b|\binsulin\b|\b(?:oxygen"
        r"|pacemaker|defibrillator)\b",
        r"\binjur(?:y|ed|ies|ing)\b|\bbleeding\b(?! edge)|\bunconscious\b|\bpassed out\b|\bcollapsed\b"
        r"|\boverdose",
        r"gas leak|smell(?:s|ing|ed)? (?:of )?gas\b|leaking gas|electric(?:al)? shock|electrocut"
        r"|carbon monoxide",
        r"(?:caught|(?:is|are|was|were|house|room|kitchen|battery|device|charger) on) fire"
        r"|\bburst into flames"
        r"|\bin flames\b|\bset (?:itself|the \w+) on fire|\bcatch(?:es|ing)? fire",
        r"\b(?:sparks?|smoke|flames?|smoking)\b[^.!?]{0,25}\b(?:from|out of|coming|device"
        r"|charger|battery|outlet|oven)\b"
        r"|\bexplod(?:ed|es|ing)\b|\bexplosion\b|\bsuicid|\bkill (?:myself|himself|herself)\b"
        r"|\bend my (?:own )?life\b|\bwant(?:ed)? to die\b|(?:hurt|harm)(?:ing)? (?:myself"
        r"|himself|herself)\b"
        r"|\bself[- ]harm",
        r"\b(?:call(?:ed|ing)|dial(?:l?ed|l?ing)|reach(?:ing)?|through to) (?:911|999|112"
        r"|120|emergency services)\b",
        r"\bdanger (?:to|of) (?:life|death|lives)|\b(?:people|someone|somebody|we|i|he|she"
        r"|they) (?:could|will|might|may"
        r"|is going to|are going to|almost|nearly) (?:have )?(?:die|died|be killed|get killed"
        r"|get hurt|be hurt)\b",
        r"\blives? (?:is|are) (?:at (?:risk|stake)|in danger)|\bin (?:mortal|immediate|grave) danger\b",
        r"\b(?:can'?t|cannot|can not|struggling to|unable to|not|difficulty) breath(?:e|ing)\b"
        r"|\bstopped breathing\b|\bchok(?:ed|ing)\b|\banaphyla|\ballergic (?:reaction|shock)"
        r"|\bseizures?\b"
        r"|\bheart attack\b|\bchest pains?\b|\bstroke symptoms|\bhaving a stroke\b",
        r"\bpoison(?:ed|ing)\b|\btoxic (?:gas|fumes?)|\bhospitali[sz]ed\b|\b(?:in|to) (?:the )?(?:icu"
        r"|intensive care|a&e)\b"
        r"|\b(?:taken|rushed|brought) to (?:the )?(?:hospital|er)\b",
        r"\b(?:electric|severe|second|third)[- ](?:\w+[- ])?burns?\b|\bburn(?:ed|t) (?:my"
        r"|his|her|our|their) (?:\w+ )?"
        r"(?:hands?|face|arms?|fingers?|skin|legs?|daughter|son|child|baby|house)\b",
        r"\b(?:trapped|stuck) (?:in(?:side)?|under) (?:the |an? |your )?(?:elevator|lift|car"
        r"|vehicle|room|building|train|cabin)",
        rf"\b{_PERSON} (?:\w+ ){{0,3}}(?:is|was|were|are|got|nearly"
        rf"|almost|has|had|been) (?:\w+ ){{0,2}}"
        r"(?:hurt|injured|bleeding|dying|died|burn(?:ed|t)|shocked|choking|poisoned|missing"
        r"|unconscious|in danger|trapped)\b",
        r"\bbrakes? (?:\w+ ){0,2}(?:fail(?:ed|s|ing)?|not work|stopped work|don'?t work|gave out)"
        r"|\bswallow(?:ed|ing) (?:a |an |the |some )?(?:batter|pill|magnet|button|piece|bleach"
        r"|chemical|glass|detergent|coin)"
        r"|\bdomestic violence\b|\b(?:threatened|threatening|threatens|trying) to kill\b|\bstalk(?:ed"
        r"|er|ing) me\b"
        r"|\b(?:assaulted|attacked|raped|stabbed) (?:me|by)\b|\bwas (?:assaulted|raped|stabbed)\b",
        r"\b(?:medication|medicine|prescription|blood supply|heart monitor|fall alarm|panic button"
        r"|fire alarm"
        r"|emergency (?:call|button|line|number|exit|stop))s?\b[^.!?]{0,40}\b(?:not|never"
        r"|fail|can'?t|cannot|doesn'?t"
        r"|didn'?t|won'?t|wrong|dead|down|out|broken|stopped|locked|blocked)",
    ),
    "security": (
        r"\bhack(?:ed|er|ers)\b(?! together)|\bransomware\b|\b(?:data|security|privacy) (?:breach"
        r"|leak)|\bdata leaked\b"
        r"|\bmalware\b|\bphished\b|\b(?:received|got|getting|sent|fell for|clicked|gave|entered)\b[^.!?]{0,"
        r"40}\bphishing\b"
        r"|\bphishing (?:site|page|e?-?mails?|link|attack)s?\b[^.!?]{0,30}\b(?:your|our|company"
        r"|gave|entered)",
        rf"\b{_PROPERTY} (?:\w+ ){{0,2}}(?:was|were|is|are|has been|have been|got|being) (?:\w+ )?"
        r"(?:taken over|compromised|hijacked|breached|cloned|leaked|infected|encrypted|exposed"
        r"|stolen by|broken into)",
        r"\b(?:account|identity|password|credentials|data) (?:was |is |has been |have been "
        r"|were |got |being )?"
        r"(?:taken over|hijacked|compromised|stolen|leaked|exposed)\b|\bidentity theft\b|\baccount takeover"
        r"\b"
        r"|\bstole (?:my|our) (?:identity|password|data|credentials|account)\b|\b(?:api|private) keys? (?:\w"
        r"+ ){0,2}(?:leaked|exposed|stolen)",
        r"\b(?:someone|somebody|a stranger|strangers|an unknown (?:person|device)|unknown people"
        r"|an? (?:attacker|intruder|thief"
        r"|criminal|scammer)s?|thieves|scammers|attackers)(?: else)? (?:\w+ ){0,3}(?:logg"
        r"|sign|access|us(?:ed|ing)|chang"
        r"|got into|broke|read|control|impersonat|emptied|drain|transfer)[^.!?]{0,30}"
        r"\b(?:my|our|us|me)\b",
        r"\b(?:see|seeing|saw|shows?|showing|showed|view(?:ing)?|access|accessing|download"
        r"|read|reading|given|got|sent)"
        r"[^.!?]{0,25}\b(?:another|other|someone else'?s?|somebody else'?s?|a stranger'?s"
        r"|strangers'?)"
        r" (?:customer|user|people|person|client|patient|account|order|data|invoice|name|detail"
        r"|address|record|medical)",
        r"\b(?:my|our|customers?'?|personal|private|medical|card|confidential) (?:\w+ ){0,2}(?:data"
        r"|details|information|records"
        r"|numbers?|addresses|files|documents|photos|invoices)[^.!?]{0,20}\b(?:publicly|public"
        r"|visible to (?:every|other|any)|leaked"
        r"|exposed|on the (?:dark ?web|internet)|online for)",
        r"\b(?:log(?:ged)?[- ]?ins?|logins?|sign[- ]?ins?) (?:\w+ ){0,2}from (?:\w+ ){0,4}(?:i"
        r"|we) (?:never|don'?t|didn'?t|have never|am not)"
        r"|\bunauthori[sz]ed (?:access|login|logins|person|user|entry)|\bsim[- ]?swap|\bsomeone else'?s (?:"
        r"account|order history)\b"
        r"|\b(?:without|no) password\b[^.!?]{0,20}\b(?:any|every)(?:one|body)\b|\b(?:any|every)(?:one"
        r"|body) can (?:see|read|access|log)"
        r"|\bsql injection\b|\b(?:critical |serious |security )vulnerability\b|\bbackdoor\b"
        r"|\bblackmail|\bextort",
        r"\b(?:password|e-?mail|phone)(?: number| address)? (?:was|has been|were|got) changed\b[^.!?]{0,30}"
        r"\b(?:not|wasn'?t|without|didn'?t|never|by someone)|\bfraudulent (?:login|access"
        r"|account|orders?)\b",
    ),
    "business blocked": (
        rf"\b{_PLACE}\b[^.!?,]{{0,25}}\b{_STOPPED}\b(?! (?:at|on sunday))",
        rf"\b{_ALL} (?:\w+ )?(?:{_PLACE}|employees|staff|users"
        rf"|customers|agents|workers|people|systems?)\b[^.!?]{{0,25}}"
        rf"\b(?:{_STOPPED}|can'?t|cannot|can not|unable|affected)\b",
        rf"\b{_STOPPED}\b (?:at |in |across )?{_ALL} (?:{_PLACE}|employees|staff|users|customers)\b",
        r"\b(?:nobody|no one|none of (?:us|our \w+|the \w+)|every(?:one|body)|not a single (?:employee"
        r"|user|customer|person)"
        r"|\d{2,}[\d,]* (?:employees|people|users|staff|customers|workers|agents))\b"
        r"[^.!?]{0,30}\b(?:can(?:not|'?t)?\b[^.!?]{0,12}\b(?:log|sign|work|pay|order|open"
        r"|use|access|ship|get|book|check|do|print|reach|buy)"
        r"|affected|blocked|locked out|unable|idle|sitting|waiting|stuck|is able)",
        r"\b(?:we|business|company|shop|store|clinic|hospital|restaurant)\b[^.!?]{0,15}\b(?:can(?:not"
        r"|'?t| not)|are unable to|is unable to|couldn'?t)"
        r" (?:\w+ )?(?:operate|trade|ship|do business|run payroll|pay (?:our|the|any) (?:staff"
        r"|employees|workers|people|salaries|suppliers)"
        r"|take (?:any |new )?(?:orders|payments|cards|bookings)|accept (?:any )?(?:orders"
        r"|payments|cards)|process (?:any |a single )?(?:orders?|payments?|payroll)"
        r"|sell|serve (?:any |our )?(?:customers|guests)|invoice|work at all|open (?:our|the) (?:shop"
        r"|store|doors)|dispatch|deliver to|continue)",
        r"\b(?:work|business|production|operations?|trading|sales|deliver(?:y|ies)|shipping"
        r"|shipments|payroll|trucks|lorries|everything)"
        r" (?:\w+ ){0,4}(?:stopped|halted|stands still|at a standstill|is standing still|came to a halt"
        r"|come to a (?:halt|complete stop|stop)"
        r"|ground to a halt|grinding to a halt|suspended|paralysed|paralyzed|at a halt)",
        r"\b(?:complete|total|full|company[- ]wide|nationwide|major) (?:outage|standstill"
        r"|shutdown|blackout)\b"
        r"|\b(?:production|prod|live) (?:\w+ )?(?:system|environment|server|database|cluster"
        r"|line|site)s? (?:\w+ ){0,3}"
        r"(?:down|offline|dead|crashed|unreachable|gone|stopped|not respond)|\bproduction (?:is "
        r"|went )?down\b"
        r"|\b(?:entire|whole|our) (?:\w+ ){0,2}(?:system|network|platform|website|webshop"
        r"|point of sale|pos|erp|database|server)s?"
        r" (?:is|are|has been|went|have been|has) (?:\w+ ){0,2}(?:down|offline|dead|crashed"
        r"|unreachable|out|wiped|deleted)",
        r"\b(?:we have had to|we had to|had to|forced to|have to) (?:\w+ )?(?:close (?:the"
        r"|our|all)|shut (?:the|our|down|all)|send (?:\w+ ){0,3}home|turn (?:\w+ )?(?:customers"
        r"|people|patients) away|stop (?:production|selling|work))",
    ),
    "money": (
        r"\b(?:losing|lost|loses|loss of|costs? us|costing us|cost us|bleeding) (?:us )?(?:\w+ ){0,2}(?:mon"
        r"ey|sales|orders|thousands|millions|hundreds"
        r"|customers|revenue|turnover|income|savings|(?:eur|usd|gbp|rmb|euros?|dollars?) ?\d"
        r"|[$€£¥]\s?\d[\d.,]*|\d[\d.,]*k? ?(?:euros?|dollars?|pounds|usd|eur|gbp|rmb|yuan"
        r"|a minute|an hour|per))",
        r"\b(?:all|everything|entire|whole|life)(?: of)? ?(?:my|our) (?:money|savings|funds"
        r"|balance|deposit|pension|salary)"
        r"[^.!?]{0,30}\b(?:gone|disappeared|vanished|stolen|missing|wiped|zero|lost)",
        r"\b(?:savings|pension|life savings|money) (?:\w+ ){0,6}(?:was stolen|were stolen"
        r"|has been stolen|have been stolen|got stolen|wiped out)\b",
        r"\b(?:emptied|drained|cleaned out|wiped out|looted|cleared out) (?:\w+ ){0,2}(?:accounts?"
        r"|savings|wallet|balance|card)\b"
        r"|\b(?:account|savings|wallet|balance)(?: \w+)? (?:was|has been|is|got|were|have been"
        r"|being) (?:\w+ )?(?:emptied|drained|cleaned out|wiped|looted)",
        r"\b(?:charged|debited|billed|deducted|withdrew|withdrawn|taken|took|overcharged)\b[^.!?]{0,25}\b(?"
        r":(?:\d{2,}|ten|twelve|fifteen|twenty|thirty|fifty|hundred|dozens of) times|repeatedly"
        r"|over and over|again and again|every (?:minute|hour|few minutes))",
        r"\b(?:charged|debited|withdrew|stole|stolen|withdrawn|missing|deducted)\b[^.!?]{0,25}"
        r"(?:[$€£¥]\s?(?:\d{1,3}[,.]\d{3}|\d{4,}|\d+ ?k\b)|(?:\d{1,3}[,.]\d{3}|\d{4,}|\d+ ?k) ?(?:euros?"
        r"|dollars?|pounds|usd|eur|gbp|rmb|yuan|[$€£¥]))",
        r"(?:[$€£¥]\s?(?:\d{1,3}[,.]\d{3}|\d{4,}|\d+ ?k\b)|\b(?:\d{1,3}[,.]\d{3}|\d{4,}|\d+ ?k) ?(?:euros?"
        r"|dollars?|pounds|usd|eur|gbp|rmb|yuan|[$€£¥]))"
        r"[^.!?]{0,40}\b(?:gone|missing|disappeared|vanished|stolen|without my|wrong account"
        r"|never arrived|lost|never (?:ordered|authori[sz]ed|approved))",
        r"\b(?:wrong|someone else'?s|a stranger'?s) (?:bank )?account\b[^.!?]{0,20}\b(?:salary"
        r"|salaries|wages|payroll|money|payment|funds)"
        r"|\b(?:salary|salaries|wages|payroll)\b[^.!?]{0,40}\b(?:wrong account|not (?:been )?paid"
        r"|unpaid|not arrive|missing|gone|can'?t be paid|twice)"
        r"|\b(?:rent|mortgage)\b[^.!?]{0,30}\b(?:bounced|evict)|\bevict(?:ed|ion)\b|\bgo(?:ing)? bankrupt\b"
        r"|\bbankruptcy\b|\binsolven|\bscammed\b|\bdefrauded\b"
        r"|\b(?:huge|massive|enormous|heavy|serious|severe|big|large) (?:financial )?loss(?:es)?\b"
        r"|\bfinancial(?:ly)? (?:ruin|loss|damage)",
        r"\b(?:someone|somebody|thie(?:f|ves)|scammers?|fraudsters?|criminals?|strangers?|they(?:'ve| have)?)"
        r" (?:\w+ ){0,3}(?:took|taken|stole|withdr[ae]w\w*|moved|cashed|spen[dt]\w*|transferred)\b"
        r"[^.!?]{0,25}\b(?:money|savings|cash|funds|pension|everything|the lot)\b",
        r"\b(?:can'?t|cannot|unable to|couldn'?t|can no longer) (?:even )?(?:pay (?:\w+ ){0,2}(?:rent"
        r"|mortgage|wages"
        r"|suppliers|drivers)|(?:buy|afford) (?:\w+ )?(?:food|milk|groceries|diesel)|feed (?:my|the"
        r"|our|them))\b",
        r"\b(?:conned|swindled)\b|\bfell for (?:a|the|some) (?:scam|fraud|fake)|\b(?:was"
        r"|been) a (?:scam|fraud)\b"
        r"|\b(?:stop|freeze|block)\b[^.!?]{0,30}\bmoney is (?:leaving|going)",
        r"(?:[$€£¥] ?|\b)(?:\d{1,3}[,.]\d{3}|\d{4,}|\d+ ?(?:k|grand|thousand))\b(?: ?(?:euros?"
        r"|dollars?|pounds|usd|eur|gbp))?"
        r"(?: \w+){0,3} (?:went out|left (?:my|our)|(?:was|were|been|has been) (?:taken|moved|cashed"
        r"|spent)|overdrawn)\b",
    ),
    "legal": (
        r"\b(?:my|our) (?:lawyers?|attorneys?|solicitors?|legal (?:team|counsel|department))\b"
        r"|\blegal (?:action|proceedings|steps)\b|\bclass action\b|\blawsuit\b",
        r"\bsu(?:e|ing) (?:you|your|the company|this company)\b|\b(?:take|taking|see) you (?:to"
        r"|in) court\b|\b(?:go|going) to court\b|\bpress(?:ing)? charges\b"
        r"|\bcourt (?:order|hearing|date|summons|case)\b|\bsubpoena\b|\binjunction\b|\bcease and desist\b",
        r"\b(?:regulator|ombudsman|gdpr|ccpa|data protection (?:authority|officer|act)|trading standards"
        r"|supervisory authority"
        r"|financial conduct authority|attorney general)\b|\bconsumer protection (?:agency"
        r"|authority)",
        r"\b(?:tax|vat|filing|court|legal|statutory|regulatory|compliance|contractual|visa"
        r"|tender|reporting|customs|audit|appeal|submission|bid)"
        r" (?:\w+ ){0,2}(?:deadline|due date|submission|return|filing|declaration)s?\b[^.!?]{0,50}\b(?:toda"
        r"y|tonight|tomorrow|midnight|hours?|noon|this (?:evening|afternoon)|penalt|fined?"
        r"|friday|monday|miss|expires?|ends?|is due|can'?t|cannot)",
        r"\b(?:deadline|due|expires?|must (?:file|submit|be (?:filed|submitted))|have to (?:file"
        r"|submit)|need to (?:file|submit))\b[^.!?]{0,60}\b(?:tax|vat|court|regulator|authorit(?:y"
        r"|ies)|tax office|irs|hmrc|legally|by law|tribunal|tender|penalt)",
        r"\b(?:tax|filing|court|legal|statutory|regulatory) deadline\b|\b(?:legal|statutory"
        r"|contractual) (?:obligation|duty|notice period) [^.!?]{0,30}\b(?:today|tomorrow"
        r"|midnight|hours)"
        r"|\b(?:face|facing|get|be|pay|receive) (?:\w+ )?(?:fined|a fine|penalt(?:y|ies)|contractual penalt"
        r"ies)\b|\bbreach of contract\b|\breport(?:ing)? (?:this |it |you )to the (?:police"
        r"|authorities)\b",
    ),
}

# Harm and whom or what it befalls, near each other in one sentence, in either order.
NEAR: dict[str, tuple[tuple[str, str, int], ...]] = {
    "life and safety": (
        (
            r"\b(?:baby|child|kids?|son|daughter|wife|husband|mother|father|mum|mom|dad|grandm\w+"
            r"|grandp\w+|grandfather|toddler|infant|elderly|resident|worker|colleague|driver|passenger"
            r"|nurse|doctor|pregnant|diabetic|neighbou?r)\b",
            r"\b(?:hurt|burn(?:ed|t|s)|bleed\w*|choke\w*|dying|die|died|faint\w*|blood|breathe"
            r"|hospital|shock(?:ed)?|trapped|stuck in|locked in|freez\w+|danger|emergency|unconscious"
            r"|medication|medicine|oxygen|fever|unresponsive|ambulance|overheat\w*|fell)\b",
            60,
        ),
    ),
    "security": (
        (
            r"\b(?:account|password|e-?mail|phone number|login|profile|data|server|admin\w*|devices?"
            r"|identity|records?|documents?|orders?|messages|passport|credentials|backups?|files"
            r"|photos)\b",
            r"\b(?:stranger|strangers|unknown (?:person|people|device|number)|another (?:customer"
            r"|person|user|client|company)|other (?:customers|users|clients|companies)|third part(?:y"
            r"|ies)|attackers?|intruders?|thie(?:f|ves)|criminals?|ex[- ](?:husband|wife|boyfriend"
            r"|girlfriend|employee)|leak\w*|expos\w+|breach\w*|compromis\w+|hijack\w*|stolen|encrypted"
            r"|dark ?web|impersonat\w+|publicly)\b",
            50,
        ),
    ),
    "business blocked": (
        (
            r"\b(?:tills?|registers?|pos|payments? terminals?|checkouts?|shops?|stores?|branch(?:es)?"
            r"|warehouses?|factory|plant|production|assembly|office|company|business|clinic|hospital"
            r"|pharmacy|restaurant|staff|employees|workers|team|trucks|drivers|customers|guests"
            r"|nobody|no one|everyone|webshop|erp|payroll|invoic\w+|machines|reception|call cent(?:er"
            r"|re)|online shop|operations|we)\b",
            r"\b(?:down|dead|stopped|standstill|offline|idle|halt\w*|paraly\w+|closed|shut|locked out"
            r"|blocked|frozen|stuck|nothing works|sent (?:\w+ )?home|turn(?:ing|ed)? (?:\w+ )?away"
            r"|queu\w+ (?:out|around)|waiting outside|sitting around|can'?t (?:work|sell|ship"
            r"|trade|operate|open|log in|take|process|serve|invoice|print|access|bill|deliver"
            r"|produce|pay|check|do)|cannot (?:work|sell|ship|trade|operate|open|log in|take|process"
            r"|serve|invoice|print|access|bill|deliver|produce|pay|check|do)|unable to (?:work"
            r"|sell|ship|trade|operate|open|log|take|process|serve|invoice|access|bill|deliver"
            r"|produce|pay))\b",
            45,
        ),
    ),
    "money": (
        (
            r"(?:[$€£¥]\s?\d[\d.,]*(?:\d\d\b|k\b)|\d[\d.,]*\s?(?:k\b|grand|thousand|million)"
            r"|\d[\d.,]*\d\d\s?(?"
            r":euros?|dollars?|pounds|usd|eur|gbp|[$€£])|thousands|hundreds of (?:euros|dollars"
            r"|pounds))",
            r"\b(?:gone|missing|vanish\w*|disappear\w*|stolen|stole|lost|losing|lose|wrong|twice"
            r"|three times|double|never (?:arrived|received|showed|reached|came)|not (?:arrived"
            r"|received|refunded)|without my|unauthori[sz]ed|drained|overcharged|fraud\w*|scam\w*"
            r"|every (?:hour|minute|day)|an hour|per hour|a minute|a day)\b",
            60,
        ),
        (
            r"\b(?:savings|salary|wages|paycheck|payroll|pension|rent|deposit|life savings|our money"
            r"|funds|mortgage)\b",
            r"\b(?:gone|missing|vanish\w*|disappear\w*|stolen|stole|emptied|drain\w*|wiped|wrong account"
            r"|stranger|never arrived|not arrived|twice|lost)\b",
            40,
        ),
    ),
    "legal": (
        (
            r"\b(?:deadline|due|expires?|by (?:midnight|noon|tonight|tomorrow|today|friday|monday"
            r"|5|close of business|end of (?:the )?day)|until (?:midnight|noon|tonight|tomorrow"
            r"|friday)|tonight|midnight|today|tomorrow|in \w+ (?:hours?|minutes)|within \w+ (?:hours"
            r"|days))\b",
            r"\b(?:tax\w*|vat|court|tribunal|filing|file|legal\w*|law|statutory|regulat\w+|authorit(?:y"
            r"|ies)|compliance|tender|bid|customs|audit\w*|appeal|licen[cs]e|contract|notary|judge"
            r"|lawyer|penalt\w+|fine[ds]?|permit|immigration|patent|notice period|payroll tax"
            r"|annual (?:accounts|report)|evidence|hearing)\b",
            60,
        ),
    ),
}

# More of it, in the looser words of somebody in a hurry.
MORE: dict[str, str] = {
    "life and safety": r"\b(?:no|out of) (?:more )?(?:insulin|oxygen)\b|\bput (?:out the|"
    r"the) fire\b|\bnever stops? smoking|\b(?:house|flat|kitchen|home) is (?:\w+ )?burning"
    r"|\bfire (?:is not out|started)|\bnot waking up|"
    r"\b(?:trapped|locked in|stranded)\b[^.!?]{0,40}\b(?:elevator|lift|car|inside|snow"
    r"|dark|help)|\b(?:heater|charger|battery|oven|boiler|device|scooter|bike|toaster"
    r"|kettle|cable|router|plug|socket|stove|phone|laptop|e-?bike|vehicle|machine)\b[^.!?]{0,40}\b(?:fi"
    r"re|flames?|smok\w+|spark\w*|explo\w+|melt(?:ed|ing|s)|burn(?:ing|ed|t)|shock)\b"
    r"|\b(?:smoke|burning smell|smells? (?:of|like) (?:gas|smoke|burning)|smell(?:s|ed"
    r"|ing)? burning)\b|\bgas\b[^.!?]{0,20}\b(?:leak\w*|smell\w*|hiss\w*|escap\w+)|\b(?:carbon monoxide"
    r"|co) (?:alarm|detector)\b[^.!?]{0,30}\b(?:went|going|beep|silent|fail|never|off)"
    r"|\bwants? to (?:jump|end it)|\b(?:don'?t|do not) want to (?:live|be alive|go on)"
    r"|\bsteering (?:lock|fail|stop)\w*|\bambulances?\b|\b(?:is|are|was) going to (?:die"
    r"|kill)|\bsomeone (?:will|could|might|is going to|may) (?:die|get (?:hurt|killed))"
    r"|\b(?:surgery|operating (?:room|theatre)|icu|hospital ward|ward|surgeons?|paramedics?"
    r"|emergency department)\b|\bblood (?:bank|sugar|pressure|supply|transfusion)\b|\bepipen"
    r"|\binhaler\b|\b(?:exposed|live) wires?\b|\bin danger\b|\bwrong (?:dose|dosage|medication"
    r"|medicine)\b|\b(?:tried|trying|going|want\w*) to (?:hurt|kill|harm)\b",
    "security": r"\bimpersonat\w+|\bi (?:didn'?t|never|did not) (?:log|sign|request|change|make|do"
    r"|authori[sz]e|approve)\w*\b[^.!?]{0,30}\b(?:login|code|change|password|reset|device)\b"
    r"|\blogged (?:in|me out)\b[^.!?]{0,40}\b(?:from|russia|china|abroad|another (?:country"
    r"|city)|unknown)|\b(?:spyware|trojan|keylogger|virus)\b|\bransom\b|\bcan see (?:\w+ ){0,3}(?:other"
    r"|everyone'?s|someone|somebody|another|strangers|all)|\bfake (?:website|site|e-?mail"
    r"|invoice|call|page|login|app|support)",
    "money": r"\b(?:charged|debited|billed|deducted|paid|withdrawn) (?:\w+ ){0,5}(?:three|four"
    r"|five|six|seven|eight|nine|ten|eleven|twelve|\d{1,3}) times\b|\b(?:losing|lost|lose"
    r"|costs? us|costing us) (?:\w+ ){0,4}(?:sales|orders|revenue|customers|money|contracts?"
    r"|deals?)\b|\b(?:double|duplicate) (?:charge|payment|debit|billing|transfer)s?\b[^.!?]{0,40}\d{3}",
}

# Blanked before anything is looked for: sayings, and things that only bear the name of harm.
QUIET: tuple[str, ...] = (
    r"\bdying (?:to|for)\b|\b(?:battery|phone|laptop|screen|link|app|tablet|mouse|headphones?"
    r"|controller|watch) (?:just )?(?:has |is )?(?:died|dying|dead)",
    r"\bkill(?:s|ed|ing)? (?:the|this|your|my|an?) (?:app|process|task|tab|job|session"
    r"|time|mood|vibe)|\bkilling (?:me|it)\b|\bkiller\b",
    r"\bemergency contacts?\b|\bemergency (?:fund|kit|page template)|\bfire (?:tv|stick"
    r"|tablet|sale|fox|wall)|\b(?:on fire|fire) (?:today|lately|emoji)|\byou'?re (?:\w+ )?on fire"
    r"|\bfireplace",
    r"\bhack(?:s|ed|athon)?\b together|\blife ?hacks?\b|\bhackathon\b|\bnear(?:ly)? (?:had"
    r"|gave me) a heart attack|\bheart attack when i saw the price",
    r"\b(?:almost|nearly) (?:had|gave me|died|choked)\b[^.!?]{0,20}\b(?:laugh|price|bill)\w*"
    r"|\bdied (?:of )?laugh\w*|\bbored to death|\bto death\b",
    r"\bcollapsed? (?:menu|section|panel|sidebar|row|list|view|comments?|thread)s?|\bexploded view"
    r"|\b(?:sidebar|menu|panel|section) collapsed",
    r"\bbleeding (?:edge|into the)|\bin the long run|\bpassword[- ]stealing|\bchok(?:e"
    r"|ed|ing) on (?:the )?(?:large|big) (?:file|upload)s?",
    r"\b(?:opening|business|office|store|shop) hours\b|\bcourt (?:shoes|bookings?)|\btennis court"
    r"|\bno (?:need|rush|hurry)\b[^.!?]{0,20}|\bswallow(?:ed|s)? my (?:coins?|card|comment"
    r"|text)",
    r"\b(?:insulin|oxygen|patient|injury|fire|gas|lawyer|legal|gdpr|security|hacker|poison"
    r"|overdose|suicide)[- ](?:themed|squad|game|movie|film|song|series|book|plan|policy"
    r"|form|template|page|settings?|notice|level|tank in game)",
)

# Before a find, these say that it did not happen, or only might.
NOT: tuple[str, ...] = (
    r"\b(?:not|no|never|without|isn'?t|wasn'?t|aren'?t|weren'?t|hasn'?t|haven'?t|nobody (?:is"
    r"|was|got)|no one (?:is|was|got)|nothing)\s+(?:(?:been|being|yet|get|any|a|an|the"
    r"|in|be|at)\s+){0,2}$",
    r"\b(?:what if|what happens (?:if|when)|in case|if|suppose|should|how (?:do|can|would"
    r"|should) (?:i|we|you) (?:\w+ )?(?:protect|prevent|avoid|stop|report|know if)|how (?:safe"
    r"|likely)|(?:stop|block|keep) (?:someone|somebody|anyone)|(?:stop|block)|protect(?:ion"
    r"|ed|s)? (?:\w+ )?(?:against|from)|prevent|avoid(?:ing)?|worried about|insurance (?:for"
    r"|against))\b[^.!?;]{0,40}$",
)

# Small words that tell the language.
WORDS = (
    "the a an is are was my our your we i you it and to "
    "of in have has can't cannot not this that for on with all someone from"
)
