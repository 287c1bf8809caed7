"""What makes a French complaint urgent, in the spelling of folded texts."""

from __future__ import annotations

_PLACE = (
    r"(?:magasins?|boutiques?|entreprise|societe|usine|entrepot|hopital|clinique|bureaux?"
    r"|agences?|production|restaurants?|caisses?|systeme|plateforme|serveurs?|reseau|sites?"
    r"|activite|chaine|ligne|hotel|pharmacie|atelier|cabinet|equipes?|employes|salaries"
    r"|personnel|clients|utilisateurs|collaborateurs|collegues|commerce|service)"
)
_STOPPED = (
    r"(?:(?:est|sont|a|ont)(?: ete)? (?:\w+ ){0,2}(?:arrete\w*|l'arret|paralyse\w*|bloque\w*"
    r"|ferme\w*|hors service|en panne|tombe\w*|down|interrompu\w*|coupe\w*|immobilise\w*)"
    r"|a l'arret|paralyse\w*|a l'arret|hors service|(?:ne |n')\w* ?(?:peut|peuvent|fonctionne\w*"
    r"|arrive\w*|a acces|ont acces) (?:plus|pas|rien))"
)

REASONS: dict[str, tuple[str, ...]] = {
    "life and safety": (
        r"danger de mort|en danger\b|vies? (?:\w+ ){0,2}(?:en danger|en jeu|menacee?s?)|risque (?:vital"
        r"|de mort)|pronostic vital|\bambulance|\burgences\b|\bsamu\b|\bpompiers\b|respirateur"
        r"|\bdialyse|\binsuline|\boxygene\b|pacemaker|stimulateur cardiaque|\bpatient(?:e"
        r"|s|es)?\b|\bblesse(?:e|s|es)?\b|\bblessure|\bsaigne|hemorragie|inconscient|\bevanoui"
        r"|s'est effondre|overdose|surdose|\bhospitalis|a l'hopital\b|\breanimation\b",
        r"fuite de gaz|(?:odeur|sent) (?:\w+ )?(?:de |le )gaz|monoxyde|\belectrocut|(?:choc"
        r"|decharge) electrique|pris feu|prend feu|\ben feu\b|\bincendie|en flammes|\bfumee?\b[^.!?]{0,10}("
        r"?:sort|s'echappe|du |de l)|\bfume\b|\betincelles|\bexplos|\bbrule (?:le|la|les|mon"
        r"|ma|mes)|\bbrulure",
        r"\bsuicid|\bme tuer\b|mettre fin a (?:mes jours|ma vie)|en finir avec la vie|ne veux plus vivre"
        r"|me faire du mal|(?:va|vais|peut|pourrait|risque de|failli) mourir|\bse meurt|\bpeut(?:-elle)? tu"
        r"er|(?:ne |n'|plus |arrive (?:pas|plus) a )respir|etouff|reaction allergique|choc anaphylactique"
        r"|crise cardiaque|\binfarctus|\bavc\b|douleur\w* (?:\w+ )?(?:a la |dans la )poitrine"
        r"|convulsion|empoisonn|intoxi(?:que|cation)|\bavale\b|\bfreins?\b[^.!?]{0,15}\b(?:lache"
        r"|plus|pas|defaill)|(?:coince|bloque|enferme)\w* (?:\w+ )?dans (?:l'ascenseur|la voiture"
        r"|une? )|violences? conjugale|menace\w* de mort|\bagresse",
        r"(?:appel\w*|compos\w*|joindre|numero) (?:le )?(?:15|17|18|112|d'urgence|les secours)\b"
        r"|(?:bouton|alarme|appel|ligne|sortie)s? (?:\w+ )?(?:d'urgence|de secours|incendie"
        r"|panique)\b[^.!?]{0,30}\b(?:pas|plus|panne|bloque)|\bmedicaments?\b[^.!?]{0,40}\b(?:pas"
        r"|plus|mauvais|erreur|manqu|urg)|(?:fille|fils|enfant|bebe|mere|pere|mari|femme|grand-mere"
        r"|grand-pere) (?:\w+ ){0,4}(?:blesse|brule|danger|intoxi|disparu|hopital|inconscient)",
    ),
    "security": (
        r"\bpirate(?:e|s|es|r|urs?)?\b|\bpiratage|\bhacke|\bhackers?\b|ransomware|rancongiciel"
        r"|hameconnage|\bphishing|fuite de donnees|violation de donnees|vol (?:de donnees"
        r"|d'identite)|usurp|faille de securite|cyberattaque|\bmalware|logiciel malveillant"
        r"|chantage|extorsion|carte clonee|\bvirus informatique",
        r"(?:compte|carte|mot de passe|identite|donnees|serveurs?|systeme|boite mail|messagerie"
        r"|identifiants) (?:\w+ ){0,5}(?:compromis|vole|derobe|infecte|chiffre|divulgue|expose"
        r"|publie|en ligne|accessibles? a tous|intercepte)\w*|(?:vole|derobe) (?:mon|ma|mes"
        r"|nos) (?:compte|identite|mot de passe|donnees|identifiants)",
        r"(?:quelqu'un|un inconnu|des inconnus|une? (?:autre|tierce) personne|un tiers|des escrocs"
        r"|un voleur|un intrus)(?: d'autre)? (?:\w+'?\s?){0,4}(?:connect|acced|utilis|chang"
        r"|modifi|commande|achete|vid|vol|entre|pris|lit|prend|transfer|control|acces)[^.!?]{0,40}",
        r"(?:voi[rst]|affiche|voyons|recu|acces a\w*|vu) (?:\w+ ){0,3}(?:donnees|commandes?"
        r"|compte|factures?|informations|coordonnees|dossiers?|historique) (?:\w+ ){0,2}(?:d'autres"
        r"|d'un autre|d'une autre|des autres|de quelqu'un)|connexions? (?:\w+ ){0,4}(?:suspecte"
        r"|inconnue|pas moi|que je n)|(?:acces|connexion)s? non autoris|sans mon (?:accord"
        r"|autorisation|consentement)|n'importe qui peut (?:voir|acceder|lire)|mot de passe (?:\w+ ){0,3}(?"
        r":change|modifie)[^.!?]{0,20}(?:sans|pas moi)",
    ),
    "business blocked": (
        rf"\b(?:tou(?:t|te|s|tes)|l'ensemble|notre|nos|l'|la|le"
        rf"|les|aucune?|mon|ma)(?: (?:de |la |le |les |nos |notre "
        rf"|des |l'))*\s?(?:\w+ )?{_PLACE}\b[^.!?,]{{0,30}}\b{_STOPPED}",
        r"\bpersonne (?:\w+ ){0,4}(?:ne |n')\w+|\b(?:nous|on) (?:ne |n')(?:\w+ )?(?:pouvons"
        r"|peut|arrivons|arrive|pouvons) (?:\w+ )?(?:plus|pas|rien) (?:\w+ ){0,2}(?:travailler"
        r"|vendre|encaisser|livrer|expedier|facturer|produire|ouvrir|payer|traiter|accepter"
        r"|recevoir|servir|prendre|soigner|exercer|fonctionner|continuer)|impossible (?:de "
        r"|d')(?:travailler|vendre|encaisser|livrer|expedier|facturer|produire|ouvrir (?:le"
        r"|la|nos) (?:magasin|boutique)|payer (?:les|nos) (?:salaires|employes|salaries|fournisseurs)"
        r"|traiter (?:les|nos|la moindre)|prendre (?:les|des|aucune) commandes)|aucun (?:de nos "
        r"|des |\w+ )?(?:employe|client|utilisateur|salarie|collaborateur|magasin)\w* (?:\w+ ){0,2}(?:ne "
        r"|n')",
        r"\btout (?:\w+ )?(?:est )?(?:a l'arret|bloque|paralyse|arrete)\b|(?:arret|panne|blocage"
        r"|coupure) (?:total|general|complet)\w*|(?:production|activite|usine|chaine|entreprise) (?:\w+ ){0"
        r",4}(?:arret|paralys|stopp|bloqu|suspend|immobilis)\w*|\b(?:oblige|contraint|du)s?(?: de"
        r"| d')? (?:fermer|arreter|suspendre|renvoyer)|chomage technique|\d{2,} (?:employes"
        r"|personnes|salaries|clients|utilisateurs|collaborateurs)\b[^.!?]{0,30}\b(?:pas|plus"
        r"|bloque|attend|sans)",
    ),
    "money": (
        r"(?:perd(?:ons|s|re|u|ues?)?|pertes?|coute|coutent|manque a gagner)\b[^.!?]{0,30}\b(?:argent"
        r"|ventes|milliers|millions|clients|chiffre d'affaires|economies|revenus|commandes"
        r"|euros?|eur|enorme\w*|considerable\w*|\d{3,})\b|\d+ ?€ (?:par|de) (?:heure|minute"
        r"|l'heure|pertes?)|(?:perd(?:ons|s|u)|pertes?)[^.!?]{0,20}\d+ ?\d* ?€|(?:grosses"
        r"|lourdes|enormes) pertes",
        r"(?:argent|economies|epargne|solde|salaire|pension|fonds|livret) (?:\w+ ){0,6}(?:disparu"
        r"|vole|envole|evapore|a zero|vide)\w*|(?:compte|carte|livret) (?:\w+ ){0,5}(?:vide\b"
        r"|videe?\b|siphonne|ratisse|debite de tout)|\bescroqu|\barnaqu|\bfraude\b|frauduleu[sx]e?s?",
        r"(?:preleve|debite|facture|retire|vire|transfere|encaisse)\w* (?:\w+ ){0,5}(?:(?:\d{2,}"
        r"|dix|douze|quinze|vingt|trente|cent) fois|sans arret|en boucle|(?:\d{1,3}[ .]\d{3}"
        r"|\d{4,}))|(?:(?:\d{1,3}[ .]\d{3}|\d{4,}) ?(?:€|euros?|eur))[^.!?]{0,40}(?:disparu"
        r"|preleve|vole|manqu|mauvais|sans mon|debite|perdu|retire|jamais)|mauvais compte"
        r"|(?:salaires?|paies?|paye)\b[^.!?]{0,30}\b(?:pas|plus|jamais|double|mauvais)|\bfaillite"
        r"|\bruine\w*\b|\bexpuls|depot de bilan|liquidation judiciaire",
        r"\b(?:quelqu'un|un inconnu|des inconnus|escrocs?|voleurs?|ils|on)\b[^.!?]{0,20}\b(?:pris"
        r"|vide|vole|retire"
        r"|retirer?|depense|encaisse|transfere|vire)e?s?\b[^.!?]{0,30}\b(?:argent|compte|economies"
        r"|livret|carte|tout)\b",
        r"\b(?:peux|pouvons|peut|puis) (?:plus|pas) (?:meme )?(?:payer (?:\w+ ){0,2}(?:loyer|salaires"
        r"|fournisseurs"
        r"|employes)|acheter (?:\w+ )?(?:manger|nourriture|lait)|nourrir|faire le plein)|\bescroqu\w+"
        r"|\barnaque\w*"
        r"|\bfait avoir (?:de|pour)\b",
        r"\b(?:\d{1,3}[., ]\d{3}|\d{4,})\b(?: ?(?:euros?|eur|€))?[^.!?]{0,30}\b(?:disparu\w*|envoles?"
        r"|jamais (?:arrive|recu)"
        r"\w*|a un inconnu|a des escrocs|de trop|sans (?:mon|notre) accord)\b",
    ),
    "legal": (
        r"\bavocat|poursui(?:vre|tes?)\b[^.!?]{0,15}(?:en justice|vous|judiciaires)|poursuites (?:judiciair"
        r"es|penales)|action (?:en justice|judiciaire|collective)|en justice|porter plainte"
        r"|depose\w* (?:une )?plainte|plainte (?:a la|contre|au|penale|officielle)|\btribunal"
        r"|\bassignation|mise en demeure|\bhuissier|\bcnil\b|\brgpd\b|\bdgccrf|\bregulateur"
        r"|\bmediateur|autorite de (?:regulation|controle)|60 millions|ufc|repression des fraudes"
        r"|\bgendarmerie|prud'hommes|rupture de contrat|dommages et interets",
        r"(?:delai|date limite|echeance|expire|deposer|declarer|envoyer|avant minuit|cloture)\b[^.!?]{0,60}"
        r"\b(?:impots?|fiscale?|legale?|tva|tribunal|urssaf|appel d'offres|visa|recours|prefecture"
        r"|declaration|penalites?|amende|prud)|(?:impots?|fiscale?|tva|urssaf|appel d'offres"
        r"|recours|declaration|visa|legale?)\b[^.!?]{0,60}\b(?:delai|date limite|echeance"
        r"|minuit|aujourd'hui|demain|ce soir|expire|penalites?|amende|heures|cloture)|\bamende\b"
        r"|penalites? de retard|delai legal|obligation legale",
    ),
}

# Harm and whom or what it befalls, near each other in one sentence, in either order.
NEAR: dict[str, tuple[tuple[str, str, int], ...]] = {}

# More of it, in the looser words of somebody in a hurry.
MORE: dict[str, str] = {
    "life and safety": r"\beteindre (?:le feu|l'incendie)|\bil y a le feu\b|\bsans (?:insuline|"
    r"oxygene)\b|"
    r"\b(?:batterie|chargeur|appareil|four|chauffage|velo|trottinette|telephone|prise"
    r"|cable|voiture|chaudiere|machine|radiateur|poele)\b[^.!?]{0,45}\b(?:feu|fume\w*"
    r"|fumee|etincelles?|explos\w+|explose|brul\w+|flammes?|fondu|electrocut\w*|court-circuit)\b"
    r"|\bfumee\b|\bgaz\b[^.!?]{0,25}\b(?:fuite|odeur|sent|echapp\w+)|\b(?:enfants?|fille"
    r"|fils|bebe|mere|pere|mari|femme|grand-mere|grand-pere|enceinte|voisine?|collegue"
    r"|salarie|chauffeur|personne agee|quelqu'un|residents?)\b[^.!?]{0,60}\b(?:bless\w+"
    r"|brul\w+|saign\w+|danger|hopital|respir\w+|evanoui\w*|coinc\w+|enferm\w+|inconscient\w*"
    r"|medicament\w*|insuline|urgences|electrocut\w*|etouff\w+|mour\w+|malaise|secours)\b"
    r"|\b(?:coince|enferme)e?s?\b[^.!?]{0,20}\b(?:ascenseur|voiture|interieur|dans)|\b(?:bloc operatoir"
    r"e|chirurg\w+|secouristes|ambulances)\b|mauvaise (?:dose|posologie)|mauvais (?:dosage"
    r"|medicament)|\bdirection\b[^.!?]{0,15}\bbloqu|quelqu'un (?:va|peut|pourrait|risque)[^.!?]{0,15}\b"
    r"(?:mourir|blesser|mort)|j'ai pris (?:une|le|du) (?:decharge|courant|jus)|\ben danger\b",
    "security": r"\b(?:compte|mot de passe|e-?mail|mail|donnees|carte|profil|serveurs?|commandes?"
    r"|identite|dossiers?|documents?|factures?|identifiants)\b[^.!?]{0,50}\b(?:quelqu'un"
    r"|inconnue?s?|autres? (?:clients?|personnes?|utilisateurs?)|fuit\w+|vole\w*|publi\w+"
    r"|dark ?web|pas moi|sans mon|chiffre\w*|tiers|accessibles?|usurp\w+|exposee?s?|ex-\w+)\b"
    r"|\b(?:quelqu'un|inconnue?s?|autres? (?:clients?|personnes?|utilisateurs?))\b[^.!?]{0,50}\b(?:mon "
    r"(?:compte|mot de passe|profil|identite|nom)|ma carte|mes (?:donnees|commandes|factures)"
    r"|nos (?:donnees|serveurs)|notre (?:systeme|serveur|compte)|connecte\w*)\b|\ben mon nom\b"
    r"|\ba mon nom\b|\bce n'(?:est|etait) pas moi\b|\brancon\b|\bse fait passer|\bfa(?:ux"
    r"|usse) (?:site|mail|facture|page|sms|conseiller)",
    "business blocked": r"\b(?:caisses?|tpe|magasins?|boutiques?|entrepot|usine|production|chaine|bureaux?"
    r"|entreprise|clinique|hopital|pharmacie|restaurant|hotel|employes|salaries|equipes?"
    r"|camions|chauffeurs|clients|personne|systeme|site|cabinet|comptabilite|paie|facturation"
    r"|logiciel|on|nous)\b[^.!?]{0,50}\b(?:a l'arret|arretee?s?|bloquee?s?|en panne|fermee?s?"
    r"|paralysee?s?|hors service|chomage|a la maison|chez eux|attend\w*|file|queue|(?:peut"
    r"|peuvent|pouvons|arrive|arrivons|peux) (?:\w+ )?(?:plus|pas|rien)(?: \w+){0,2} (?:travailler"
    r"|vendre|encaisser|livrer|expedier|facturer|produire|ouvrir|payer|traiter|accepter"
    r"|servir|prendre|connecter|bosser|soigner|commander|imprimer))\b|\bplus rien (?:ne )?(?:marche"
    r"|fonctionne)|\brien ne (?:marche|fonctionne) plus",
    "money": r"(?:\d[\d.,]*\s?(?:\d{3})?\s?(?:mille|euros?|€|eur)|milliers|salaire|paie|economies"
    r"|loyer|retraite|caution|solde|argent|epargne|compte)[^.!?]{0,60}\b(?:disparue?s?"
    r"|vole\w*|perd\w+|mauvais|deux fois|trois fois|\w+ fois|en double|(?:pas|jamais) (?:arrive\w*"
    r"|recue?s?|credite\w*|rembourse\w*)|sans mon|vide\w*|zero|par heure|par jour|de l'heure"
    r"|par minute|escroqu\w+|arnaqu\w+|frauduleu\w+|manquent?)\b|\b(?:perdons|perdu|vole"
    r"|preleve|debite|vire|coute|escroque)\w*\b[^.!?]{0,50}(?:\d[\d.,]*\s?(?:\d{3})?\s?(?:mille"
    r"|euros?|€|eur)|milliers|economies|salaire|chiffre d'affaires|commandes|clients)",
    "legal": r"\b(?:aujourd'hui|demain|minuit|delai\w*|echeance|expire|heures|date limite|ce soir"
    r"|vendredi|lundi|cloture)\b[^.!?]{0,60}\b(?:impots?|fisc\w*|tva|tribunal|legale?\w*"
    r"|loi|appel d'offres|visa|recours|amende|penalites?|contrat|notaire|commissaire|douane\w*"
    r"|urssaf|prefecture|audience|juge|autorite\w*|audit\w*|justice|marche public)\b|\b(?:impots?"
    r"|fisc\w*|tva|tribunal|legale?\w*|appel d'offres|visa|recours|amende|penalites?|notaire"
    r"|douane\w*|urssaf|prefecture|audience|juge|autorite\w*|audit\w*|justice|marche public)\b[^.!?]{0,"
    r"60}\b(?:aujourd'hui|demain|minuit|delai\w*|echeance|expire|heures|date limite|ce soir"
    r"|vendredi|lundi|cloture)\b",
}

QUIET: tuple[str, ...] = (
    r"contacts? d'urgence|mourir de (?:rire|faim|envie|ennui)|mort de rire|(?:batterie"
    r"|telephone|portable) (?:\w+ )?(?:est )?(?:mort|morte|a plat)|tuer (?:le|l')(?:processus"
    r"|temps|app)|feux? d'artifice|feu (?:rouge|vert|de camp)|fire ?tv|crise cardiaque (?:en voyant"
    r"|quand j'ai vu)|(?:soyez|suis|soyons|etre|etes|tres|assez|plus|reste|restez|rester) patiente?s?\b"
    r"|police d(?:e caractere|'assurance|'ecriture)|\bpolices\b|a l'avocat|avocats? (?:mur"
    r"|bio|trop)|toast avocat|feu de joie|je brule d'envie|en feu en ce moment|hackathon"
    r"|(?:de|la|sa|ma) fumee de cuisine",
)
NOT: tuple[str, ...] = (
    r"\b(?:pas|sans|jamais|aucune?|personne n'(?:a ete|est|a)|ni)\s+(?:(?:de|d|du|ete"
    r"|un|une|le|la|etre) ){0,2}$",
    r"\b(?:que se passe-t-il si|et si|au cas ou|en cas d|en cas de|si|comment (?:me |se "
    r"|vous )?(?:proteger|eviter|prevenir|signaler)|proteger|eviter|prevenir|contre|assurance)\b[^.!?;]"
    r"{0,35}$",
)

# Small words that tell the language.
WORDS = (
    "le la les un une des est sont mon ma mes notre nos nous je ne pas "
    "et de du en dans que pour avec sur ont a au il elle on plus personne tous"
)
