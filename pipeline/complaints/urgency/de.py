"""What makes a German complaint urgent, in the spelling of folded texts."""

from __future__ import annotations

_PLACE = (
    r"(?:betrieb|geschaft|filialen?|laden|laeden|shops?|produktion|werk|fabrik|lager|krankenhaus"
    r"|klinik|praxis|buro|standorte?|kassen?|fertigung|system|server|plattform|firma|unternehmen"
    r"|hotel|restaurant|apotheke|anlage|linie|band|versand|logistik|onlineshop|webshop"
    r"|team|abteilung|belegschaft|mitarbeiter|kunden|nutzer|kollegen)"
)
_STOPPED = (
    r"(?:steht still|stehen still|steht|stehen|stillgelegt|lahmgelegt|ausgefallen|ausfall"
    r"|gestoppt|blockiert|geschlossen|down|offline|lahm|gesperrt|unterbrochen|ausgesperrt"
    r"|handlungsunfahig|(?:kann|konnen) (?:\w+ ){0,4}(?:nicht|nichts|kein\w*))"
)

REASONS: dict[str, tuple[str, ...]] = {
    "life and safety": (
        r"lebensgefahr|lebensbedroh|lebenswichtig|lebensnotwendig|lebenserhalt|gefahr fur leib"
        r"|menschenleben|leben (?:\w+ ){0,3}(?:in gefahr|auf dem spiel)|\bnotarzt|krankenwagen"
        r"|rettungswagen|notaufnahme|\bnotruf|intensivstation|beatmung|\bdialyse|\binsulin\b"
        r"|sauerstoff(?:gerat|versorgung|flasche)|herzschrittmacher|\bpatient(?:en|in|innen)?\b"
        r"|\bverletzt|\bverletzung|\bblutet|bewusstlos|ohnmacht|zusammengebrochen|uberdosis",
        r"gasleck|gasgeruch|riecht (?:\w+ )?nach gas|gas (?:tritt|stromt) aus|kohlenmonoxid"
        r"|stromschlag|stromschlage|feuer gefangen|\bbrennt\b(?! (?:mir|uns) (?:unter|auf))"
        r"|\bbrand\b|in flammen|rauch(?:t|entwicklung)|\brauch (?:kommt|steigt|tritt)|\bqualm"
        r"|funken|explodier|explosion|abgebrannt|in brand",
        r"suizid|selbstmord|umbringen|nicht mehr leben|das leben nehmen|selbst (?:zu )?verletz"
        r"|\bsterben\b(?! vor)|\bstirbt\b|gestorben|(?:keine|kaum|schwer|bekommt keine) luft"
        r"|nicht (?:mehr )?atmen|atemnot|erstick|allergische\w* (?:reaktion|schock)|herzinfarkt"
        r"|schlaganfall|brustschmerz|krampfanfall|vergift|verbrenn(?:ung|t sich)|verbrannt"
        r"|verbruht|verschluckt|bremsen? (?:\w+ ){0,3}(?:versag|ausgefallen|nicht)|(?:eingeschlossen"
        r"|gefangen|steck\w*|festsitz\w*|eingeklemmt)[^.!?]{0,20}(?:aufzug|fahrstuhl|auto"
        r"|lift)|(?:aufzug|fahrstuhl|lift)[^.!?]{0,25}(?:eingeschlossen|gefangen|stecken|fest)"
        r"|hausliche gewalt|\bbedroht mich|morddroh",
        r"\b(?:112|110|feuerwehr)\b|(?:notfall|panik|hausnotruf|rauchmelder|brandmelde)\w*(?:knopf"
        r"|taste|system|anlage)?\b[^.!?]{0,30}\b(?:nicht|defekt|kaputt|tot|ausgefallen)|\bmedikament\w*[^.!"
        r"?]{0,40}\b(?:nicht|kein|falsch|fehl|dringend)|(?:kind|tochter|sohn|baby|mutter|vater"
        r"|oma|opa|mann|frau) (?:\w+ ){0,4}(?:verletzt|verbrannt|in gefahr|vermisst|im krankenhaus"
        r"|ins krankenhaus|blutet|bewusstlos)|ins krankenhaus",
    ),
    "security": (
        r"\bgehackt|\bhacker|\bgehackte|ransomware|verschlusselungstrojaner|trojaner|\bphishing"
        r"|datenleck|datenpanne|datendiebstahl|datenschutzverletzung|identitatsdiebstahl|identitat (?:\w+ )"
        r"?(?:gestohlen|missbraucht)|schadsoftware|\bmalware|erpress|sicherheitslucke|sicherheitsvorfall"
        r"|cyberangriff|kontoubernahme",
        r"(?:konto|account|zugang|karte|passwort|server|system|rechner|daten|zugangsdaten"
        r"|postfach|email|e-mail|website|kundendaten|profil) (?:\w+ ){0,4}(?:ubernommen|kompromittiert"
        r"|gestohlen|geklaut|entwendet|geleakt|offentlich|im netz|einsehbar|infiziert|verschlusselt"
        r"|gekapert|missbraucht|abgegriffen)",
        r"(?:jemand|fremde?r?|unbekannte?r?|dritte|betruger|ein angreifer|kriminelle|diebe) (?:\w+ ){0,5}(?"
        r":mein|meine|meinem|meinen|meiner|unser|unsere|unserem|mich|uns)\w*\b[^.!?]{0,40}(?:eingelogg"
        r"|angemeld|zugriff|zugegriffen|benutz|nutzt|verwend|geander|eingekauft|bestell|ubernommen"
        r"|abgehoben|uberwiesen|leer|gestohlen|genutzt|geklaut|drin)|(?:jemand|fremde|unbekannte) (?:\w+ )?"
        r"(?:hat|haben|nutzt|benutzt|ist) (?:\w+ ){0,3}(?:zugriff|zugang|eingelogg)",
        r"(?:daten|rechnung(?:en)?|bestellung(?:en)?|konto|adressen?|namen|akten?) (?:\w+ ){0,3}(?:anderer"
        r"|fremder|eines anderen|von anderen|anderen) (?:kunden?|nutzer|personen|leute|patienten"
        r"|menschen)?|(?:sehe|sieht|sehen|angezeigt|bekomme|erhalten)[^.!?]{0,25}\b(?:fremde"
        r"|anderer|anderen?)\b[^.!?]{0,12}(?:daten|konto|rechnung|bestell|kund|adress)|unbefugt"
        r"|unberechtigter zugriff|nicht autorisiert\w* (?:zugriff|anmeldung|login)|(?:anmeldung"
        r"|login|zugriff)\w* (?:\w+ ){0,5}(?:nicht von mir|unbekannt)|(?:jeder|alle) (?:kann"
        r"|konnen) (?:\w+ ){0,4}(?:sehen|zugreifen|einsehen)|passwort (?:\w+ ){0,3}geandert[^.!?]{0,20}(?:n"
        r"icht|ohne)",
    ),
    "business blocked": (
        rf"\b(?:ganze[rsn]?|gesamte[rsn]?|komplette[rsn]?|alle"
        rf"|samtliche|unser\w*|die|der|das|keine?r?|jede[rs]?) (?:\w+ ){{0,2}}\w*{_PLACE}\b"
        rf"[^.!?,]{{0,25}}\b{_STOPPED}",
        r"\bniemand (?:\w+ ){0,5}(?:arbeiten|einloggen|anmelden|bestellen|bezahlen|zugreifen"
        r"|kassieren|nutzen|kaufen|rein|verkaufen)|\bniemand kann\b|\bkeiner (?:\w+ ){0,4}(?:kann"
        r"|kommt|arbeiten|einloggen|anmelden)|wir konnen (?:\w+ ){0,5}(?:nicht|nichts|keine?n?) (?:\w+ ){0,"
        r"5}(?:arbeiten|verkaufen|kassieren|liefern|versenden|produzieren|offnen|bezahlen"
        r"|auszahlen|annehmen|zahlen|uberweisen|bearbeiten|behandeln|buchen|bestellungen|zahlungen"
        r"|kunden|gehalter|lohne|verschicken|ausliefern|abrechnen|weiterarbeiten|abwickeln)"
        r"|konnen nicht (?:mehr )?(?:arbeiten|verkaufen|kassieren|liefern|versenden|produzieren"
        r"|offnen)",
        r"(?:produktions|betriebs)(?:ausfall|stillstand|unterbrechung)|(?:totalausfall|komplettausfall"
        r"|stillstand|betriebsstopp)|(?:geschaft|betrieb|produktion|arbeit|alles|versand) (?:\w+ ){0,3}(?:s"
        r"teht still|liegt lahm|ruht|eingestellt|zum erliegen|lahmgelegt|stillgelegt|steht)\b"
        r"|mussten? (?:\w+ ){0,4}(?:schliessen|nach hause schicken|einstellen|wegschicken"
        r"|stoppen|anhalten)|\d{2,} (?:mitarbeiter\w*|kollegen|leute|nutzer|kunden|personen)\b[^.!?]{0,30}\b"
        r"(?:nicht|kein|sitzen|warten|stehen|untatig|ausgesperrt)",
    ),
    "money": (
        r"(?:verlier\w+|verloren|verlust\w*|entgeh\w+|entgangen\w*|kostet uns|kosten uns|umsatz(?:ausfall"
        r"|einbuss\w*|verlust)|einnahmeausfall)[^.!?]{0,30}(?:geld|umsatz|umsatze|tausend\w*"
        r"|million\w*|kunden|auftrage|einnahmen|euro|€|eur\b|\d{3,}|stunde|minute|ersparnisse)"
        r"|(?:geld|umsatz|euro|€|kunden|tausende|auftrage|ersparnisse) (?:\w+ ){0,3}(?:verlier"
        r"|verloren|verlust)\w*|umsatzausfall|(?:finanzieller|hoher|riesiger|enormer|grosser) (?:schaden"
        r"|verlust)|hohe verluste",
        r"(?:geld|ersparnis\w*|guthaben|gehalt|rente|kontostand|erspart\w*|vermogen) (?:\w+ ){0,6}(?:weg\b"
        r"|verschwunden|gestohlen|leer|null|abgebucht worden|spurlos|futsch)|konto (?:\w+ ){0,5}(?:leergera"
        r"umt|leer geraumt|geplundert|ausgeraumt|abgeraumt|leer\b)|leergeraumt|\bbetrogen\b"
        r"|\bbetrug\b|\babgezockt",
        r"(?:abgebucht|belastet|eingezogen|berechnet|uberwiesen|abgehoben|abgezogen|transferiert)[^.!?]{0,3"
        r"0}(?:\d{2,} ?mal\b|(?:zehn|zwanzig|dreissig|funfzig|hundert)mal|immer wieder|\d{1,3}\.\d{3}"
        r"|\d{4,})|(?:\d{2,} ?mal|(?:zehn|zwanzig|dreissig|funfzig|hundert)mal|immer wieder"
        r"|(?:\d{1,3}\.\d{3}|\d{4,}) ?(?:euro|€|eur))[^.!?]{0,40}(?:abgebucht|belastet|eingezogen"
        r"|weg\b|verschwunden|fehlen|falsche|ohne meine|abgehoben|uberwiesen|gestohlen)|falsches konto"
        r"|(?:gehalt|gehalter|lohn|lohne)\b[^.!?]{0,30}\b(?:nicht|kein|doppelt|falsch)|\b(?:pleite"
        r"|insolven\w*|bankrott|konkurs|ruinier\w*|zwangsraumung|wohnung gekundigt)\b",
        r"\b(?:jemand|unbekannte\w*|betruger\w*|diebe|gauner|fremde\w*|kriminelle|sie haben"
        r"|die haben)\b[^.!?]{0,30}"
        r"\b(?:geld|konto|ersparnisse|karte|alles|kasse)\b[^.!?]{0,25}\b(?:genommen|geholt|abgehoben|geklaut"
        r"|uberwiesen|ausgegeben|entwendet)",
        r"\b(?:kann|konnen|konnte) (?:\w+ ){0,4}(?:miete|lohne|lieferanten|raten|essen|lebensmittel|fahrer)\b"
        r"[^.!?]{0,20}\b(?:nicht|keine?n?|mehr)\b|\b(?:kann|konnen) (?:\w+ ){0,3}(?:keine (?:miete"
        r"|lohne|rechnung\w*)"
        r"|kein essen)\b|\b(?:abzocker|betruger\w*|betrogen|reingelegt|hereingefallen|reingefallen)\b",
        r"\b(?:\d{1,3}[.,]\d{3}|\d{4,}|\d+ ?(?:tausend|mille))\b(?: ?(?:euro|eur"
        r"|€))?[^.!?]{0,30}\b(?:weg|fort|futsch"
        r"|geklaut|minus|im minus|nie angekommen|an betruger|an fremde)\b|\bkonto\b[^.!?]{0,20}\bim minus\b",
    ),
    "legal": (
        r"(?:rechts)?anwalt\b|anwaltin\b|\banwalte|rechtsanwalt|verklag|\bklage\b|\bgericht(?:lich\w*"
        r"|s\w*)?\b|vor gericht|rechtliche (?:schritte|konsequenzen)|rechtsweg|\bstaatsanwalt"
        r"|strafanzeige|\banzeige (?:erstatt|bei der)|\babmahnung|einstweilige|datenschutzbehorde"
        r"|datenschutzbeauftragt|dsgvo|\bbafin\b|bundesnetzagentur|verbraucherzentrale|verbraucherschutz"
        r"|aufsichtsbehorde|ombudsmann|schlichtungsstelle|vertragsstrafe|schadensersatz|vertragsbruch",
        r"(?:frist|abgabetermin|stichtag|ablauf\w*|lauft (?:\w+ )?ab|abgeben|einreichen|abgabe"
        r"|fallig)[^.!?]{0,50}(?:steuer|finanzamt|gericht|behorde|gesetzlich|ausschreibung"
        r"|elster|umsatzsteuer|bussgeld|visum|widerspruch|heute|mitternacht|morgen|stunden)"
        r"|(?:steuer\w*|finanzamt|gericht|behorde|gesetzliche?r?|ausschreibung|elster|umsatzsteuer\w*"
        r"|widerspruch\w*|visum|angebots\w*|melde\w*)[^.!?]{0,50}(?:frist|heute|morgen|mitternacht"
        r"|lauft ab|endet|stunden|strafe|bussgeld|stichtag)|\bbussgeld|\bgesetzliche frist"
        r"|\bgeldstrafe",
    ),
}

# Harm and whom or what it befalls, near each other in one sentence, in either order.
NEAR: dict[str, tuple[tuple[str, str, int], ...]] = {}

# More of it, in the looser words of somebody in a hurry.
MORE: dict[str, str] = {
    "life and safety": r"\bfeuer nicht (?:loschen|aus)|\bhort nicht auf zu (?:brennen|"
    r"rauchen|qualmen)|\bohne (?:insulin|sauerstoff)\b|"
    r"\b(?:akku|ladegerat|gerat|ofen|heizung|e-?bike|roller|handy|steckdose|kabel|auto"
    r"|herd|maschine|netzteil|boiler|therme|toaster|batterie)\b[^.!?]{0,45}\b(?:feuer"
    r"|qualmt?\w*|raucht?\w*|funken\w*|explo\w+|brenn\w+|gebrannt|geschmolzen|schmort\w*"
    r"|verschmort|stromschlag|flammen)\b|\bqualmt\b|\bverschmort|\bgas\b[^.!?]{0,25}\b(?:riech\w*"
    r"|austritt|leck|stromt|geruch)\b|\b(?:kind|kinder|tochter|sohn|baby|mutter|vater"
    r"|oma|opa|mann|frau|schwanger\w*|nachbar\w*|kollegin?|mitarbeiter\w*|fahrer\w*|bewohner\w*"
    r"|senior\w*|person\w*|jemand)\b[^.!?]{0,60}\b(?:verletz\w*|blut\w*|gefahr|krankenhaus"
    r"|luft|atm\w+|ohnmacht|eingeschlossen|eingeklemmt|bewusstlos|verbrann\w*|verbruh\w*"
    r"|stromschlag|medikament\w*|insulin|notarzt|erstick\w*|stirbt|sterben|umgekippt|zusammengebrochen"
    r"|lebensgefahr\w*)\b|\b(?:eingeschlossen|eingeklemmt|festgesteckt)\b|\b(?:op-saal"
    r"|operation\w*|operationssaal|rettungsdienst|rettungskrafte|sanitater|notdienst)\b"
    r"|falsche (?:dosis|dosierung|medikamente?)|\blenkung\b[^.!?]{0,20}(?:blockiert|ausgefallen)"
    r"|\blebens\w+",
    "security": r"\b(?:konto|passwort|account|e-?mail\w*|\w*daten|karte|profil|server|bestellung\w*"
    r"|zugang\w*|identitat|unterlagen|ausweis|akten?|dokumente|rechnung\w*)\b[^.!?]{0,50}\b(?:jemand"
    r"|fremde\w*|unbekannt\w*|andere[rnm]? (?:kund\w+|person\w*|nutzer\w*|leute\w*)|geleakt"
    r"|gestohlen|offentlich|darknet|nicht von mir|ohne mein\w*|verschlusselt|ubernommen"
    r"|dritte\w*|missbrauch\w*|im internet|ex-\w+)\b|\b(?:jemand|fremde\w*|unbekannt\w*"
    r"|andere[rnm]? (?:kund\w+|person\w*|nutzer\w*)|dritte\w*)\b[^.!?]{0,50}\b(?:mein\w* (?:konto"
    r"|passwort|account|profil|daten|karte|namen|identitat)|unser\w* (?:system\w*|server"
    r"|konto|daten)|kundendaten|einloggt?|eingeloggt|angemeldet)\b|\bin meinem namen\b"
    r"|\bdas war ich nicht\b|\bwar nicht ich\b|\blosegeld|\bgefalschte?\w* (?:mail|e-mail"
    r"|website|webseite|seite|rechnung|sms)|gibt sich als",
    "business blocked": r"\b(?:kassen?\w*|filialen?|laden|lager|produktion\w*|werk|band|fabrik|praxis|klinik"
    r"|krankenhaus|apotheke|restaurant|hotel|mitarbeiter\w*|belegschaft|kollegen|lkws?"
    r"|fahrer|kunden|niemand|keiner|system|shop|webshop|onlineshop|versand|firma|betrieb"
    r"|geschaft|buchhaltung|lohnabrechnung|warenwirtschaft|erp|wir)\b[^.!?]{0,50}\b(?:steht"
    r"|stehen|still|ausgefallen|tot|lahm\w*|down|offline|geschlossen|gesperrt|nach hause"
    r"|schlange\w*|warten|ausgesperrt|nichts (?:mehr )?(?:geht|verkauf\w+|mach\w+|kassier\w+"
    r"|ausliefern|versend\w+)|geht nichts|(?:nicht|nichts|keine?n?|keinerlei)(?: \w+){0,3} (?:arbeiten"
    r"|verkaufen|kassieren|liefern|ausliefern|versenden|produzieren|offnen|bezahlen|annehmen"
    r"|einloggen|anmelden|bearbeiten|abrechnen|bedienen|behandeln|ausstellen|buchen|zahlen"
    r"|drucken|nutzen|auszahlen))\b|\bnichts geht mehr\b|\bgeht gar nichts\b",
    "money": r"(?:\d[\d.,]*\d\d\s?(?:tausend|euro|€|eur)|€\s?\d[\d.,]*|tausende?|gehalt|lohn|ersparnisse"
    r"|miete|rente|kaution|guthaben|geld|umsatz|kontostand|konto)[^.!?]{0,60}\b(?:weg"
    r"|verschwunden|gestohlen|verlor\w+|verlier\w+|falsche\w*|doppelt|zweimal|dreimal"
    r"|\w+mal|nicht (?:angekommen|eingegangen|da|gutgeschrieben)|nie (?:angekommen|eingegangen)"
    r"|ohne mein\w*|leer\w*|null|pro (?:stunde|minute|tag)|jede (?:stunde|minute)|betrog\w+"
    r"|betrug|unberechtigt|fehlen|fehlt)\b|\b(?:verlieren|verloren|gestohlen|abgebucht"
    r"|abgezogen|uberwiesen|kostet uns|entgehen|betrogen)\b[^.!?]{0,50}(?:\d[\d.,]*\d\d\s?(?:tausend"
    r"|euro|€|eur)|tausende?|ersparnisse|umsatz|gehalt|auftrage|kunden)",
    "legal": r"\b(?:heute|morgen|mitternacht|frist\w*|lauft\b[^.!?]{0,20}\bab|stunden|stichtag"
    r"|freitag|montag|abend|verstreicht|abgelaufen)\b[^.!?]{0,60}\b(?:steuer\w*|finanzamt"
    r"|gericht\w*|gesetzlich\w*|ausschreibung\w*|umsatzsteuer\w*|visum|bussgeld|widerspruch\w*"
    r"|behorde\w*|vertrag\w*|notar\w*|wirtschaftspruf\w*|zoll\w*|strafe|aufsicht\w*|klage\w*"
    r"|anwalt\w*|bafin|kundigung\w*)\b|\b(?:steuer\w*|finanzamt|gericht\w*|gesetzlich\w*"
    r"|ausschreibung\w*|umsatzsteuer\w*|visum|bussgeld|widerspruch\w*|behorde\w*|notar\w*"
    r"|wirtschaftspruf\w*|zoll\w*|aufsicht\w*|bafin|kundigungsfrist)\b[^.!?]{0,60}\b(?:heute"
    r"|morgen|mitternacht|frist\w*|lauft|stunden|stichtag|freitag|montag|abend|verstreicht)\b",
}

QUIET: tuple[str, ...] = (
    r"notfallkontakt\w*|sterbe (?:fast )?vor|todlich gelangweilt|totgelacht|todmude|(?:akku"
    r"|handy|laptop|batterie) (?:\w+ )?(?:ist )?(?:tot|gestorben|stirbt)|(?:app|prozess"
    r"|task) (?:\w+ )?(?:killen|abschiessen|beenden)|feuerwerk|fire ?tv|feuer und flamme"
    r"|brennt mir (?:unter|auf)|brandneu\w*|brand new|rauchfrei|hackfleisch|hackathon"
    r"|mordshunger|bombenstimmung|patientenverfugung|funkenflug im spiel|gericht(?:e)? (?:auf der"
    r"|aus der) (?:karte|speisekarte)|leibgericht|lieblingsgericht|anzeige (?:im|auf dem) (?:display"
    r"|bildschirm)|lastschrift anzeige",
)
NOT: tuple[str, ...] = (
    r"\b(?:nicht|kein|keine|keinen|keiner|nie|niemals|ohne|niemand (?:wurde|ist)|weder)\s+(?:(?:ein"
    r"|eine|der|die|das|mehr|wurde|ist) ){0,2}$",
    r"\b(?:was (?:passiert|ware),? (?:wenn|falls)|wenn|falls|im fall\w*|sollte|wie (?:kann"
    r"|schutze|vermeide|verhindere)|schutz (?:vor|gegen)|schutzen|vor|verhindern|vermeiden"
    r"|versicherung gegen)\b[^.!?;]{0,35}$",
)

# Small words that tell the language.
WORDS = (
    "der die das den dem ein eine ist sind mein meine unser unsere unserem wir ich nicht "
    "und zu im in mit von auf es hat haben bei seit sich kann kein keine niemand alle"
)
