"""German ranks; compounds say who is led, so most of them are patterns of their last part."""

from __future__ import annotations

from rules.titles.model import C_LEVEL, DIRECTOR, INDIVIDUAL, MANAGER, VP, Ranks

_TEAMS = (
    r"(?:team|gruppen|schicht|projekt|lager|filial|markt|shop|laden|buro|bau|baustellen|gebiets|bezirks|verkaufsgebiets|gebietsverkaufs"
    r"|regionalverkaufs|bezirksverkaufs|stations|wohnbereichs|kuchen|restaurant|bibliotheks|bucherei|objekt|montage|sachgebiets|unit"
    r"|einsatz|kurs|seminar|wohngruppen|bauabschnitts|programm|partien|teilprojekt|kolonnen|trupp|store|saal|schul(?:ungs)|depot"
    r"|arbeitsgruppen|crew|linien|meisterei|werkstatt|hausmeister|service-?team|polier|dispo|versuchs|labor|haus|gebaude|fuhrpark)"
)
_LEIT = r"leit(?:er|erin|ung|erinnen)"

PHRASES: Ranks = (
    (
        None,
        r"""
        \w*sekretariat  vorstandsburo  vorstandsstab  vorstandsbereich  begleiter(?:in)?  \w*begleiter(?:in)?
        halbleiter  leitstelle  \w*abteilung  geschaftsbereich(?! \w*leit)  \w*ableiter  direktionsburo
        geschaftsstelle  projektburo
    """,
    ),
    (
        INDIVIDUAL,
        r"""
        \w*assisten(?:t|tin|z)(?:en)?\b[^|]*
        \w*sekretar(?:in)?(?<!generalsekretar)(?<!generalsekretarin)(?<!staatssekretar)(?<!staatssekretarin)(?: (?:der|des|von|vom|fur)\b[^|]*)?
        referent(?:in)? (?:der|des|von|vom|fur|dem)\b[^|]*  lehrstuhlinhaber(?:in)?  (?:konzern|gesamt)?betriebsrat\w*
        betriebsrat\w*  personalrat\w*
        mitarbeiter(?:in)? (?:der|des|im|in der) (?:geschaft\w+|vorstand\w*|direktion)[^|]*  \w*chef-?sekretar(?:in)?
        rechte hand[^|]*  jugendvertret\w*  vertrauensperson\w*
    """,
    ),
    (
        DIRECTOR,
        r"""
        stabschef(?:in)?  chef(?:in)? des stabes  (?:buro|kabinetts|kanzlei)chef(?:in)?
        leit\w+ (?:des |der )?(?:vorstands|direktions|prasidial|minister|ceo-)?(?:buros?|stabs?)(?: des vorstands| der geschaft\w+)?
    """,
    ),
    (VP, r"vizeprasident(?:in)?"),
    (
        C_LEVEL,
        r"""
        geschaftsfuhr(?:er|erin|ung|ender?|ende[rnms]?)(?: (?:gesellschafter|direktor|vorstand|partner|prasident)(?:in)?)?
        \w*geschaftsfuhrer(?:in)?  geschaftsleit(?:er|erin|ung)  gf  ggf  \w*vorstand(?:in)?
        vorstand\w*(?:vorsitz\w*|mitglied\w*|sprecher\w*|chef\w*)  vorstand(?:s|e)?  \w*aufsichtsrat\w*  beirat\w*
        verwaltungsrat\w*  stiftungsrat\w*  (?:\w*)vorsitzende[rnms]?  vorsitz  generaldirektor(?:in)?
        generalsekretar(?:in)?  staatssekretar(?:in)?  hauptgeschaftsfuhr\w*  (?:\w*)prasident(?:in)?
        (?:mit|allein|firmen|laden|geschafts|praxis|betriebs)?-?inhaber(?:in)?
        (?:mit|haupt|allein)?-?gesellschafter(?:in)?  (?:mit|haus)?-?eigentumer(?:in)?
        (?:mit|firmen)?-?(?:be)?grunder(?:in)?  \w*unternehmer(?:in)?  (?:ober)?burgermeister(?:in)?  landrat
        landratin  (?:pro|kon)?rektor(?:in)?  kanzler(?:in)?  \w*minister(?:in)?  intendant(?:in)?  managing direktor
        direktorium  geschaftsfuhrungsmitglied
        mitglied der (?:gl|geschaft\w+|unternehmensleitung|konzernleitung|direktion)  konzernleitung
        unternehmensleitung  firmenchef(?:in)?  partner(?:in)?  firmeninhaber  beigeordnete[rn]?
    """,
    ),
    (
        MANAGER,
        rf"""
        \w*{_TEAMS}-? ?{_LEIT}
        {_LEIT} (?:der |des |von |vom )?(?:teams?|gruppe|filiale|lager|schicht|projekte?|baustelle|kuche|station|shop|bibliothek)(?! \w*leit)
        \w*(?:kuchen|team|schicht|gruppen|lager|filial|laden|bau|mannschafts|saal)-?chef(?:in)?
        chef(?:ingenieur|buchhalter|entwickler|architekt|designer|konstrukteur|techniker|koch|programmierer|okonom|volkswirt|dramaturg|trainer|pilot)(?:in)?
        vorarbeiter(?:in)?  \w*(?:schicht|gruppen|kolonnen|trupp)fuhrer(?:in)?  polier(?:in)?
        \w*(?:werk|industrie|schicht|produktions|maschinen|logistik|lager|kuchen|elektro|fertigungs|montage|bau)meister(?:in)?
        leitende[rn]? (?:ingenieur|angestellte|techniker|architekt|entwickler|sachbearbeiter|mitarbeiter|redakteur|berater)(?:in|r|n)?
        \w*manager(?:in)?  \w*management-?lead  teamlead  \w*obmann  disponentenleiter  oberschwester
        stationsschwester  handlungsbevollmachtigte[rn]?
    """,
    ),
)
WORDS: Ranks = (
    (
        DIRECTOR,
        rf"""
        \w*{_LEIT}  \w*direktor(?:in)?  prokurist(?:in)?  prokura  kammerer(?:in)?  stadtkammerer(?:in)?  dekan(?:in)?
        prodekan(?:in)?  chef(?:arzt|arztin|redakteur|redakteurin|jurist|juristin|mediziner|apotheker|apothekerin)
        \w*(?:vertriebs|finanz|marketing|personal|einkaufs|abteilungs|it-|entwicklungs|verkaufs|bereichs|technik|logistik|produktions|betriebs|polizei|feuerwehr|amts|presse|strategie)-?chef(?:in)?
        generalbevollmachtigte[rn]?  wehrfuhrer(?:in)?  \w*schulrektor(?:in)?  pflegedirektor(?:in)?
        (?:arztliche[rn]?|technische[rn]?|kaufmannische[rn]?|padagogische[rn]?|kunstlerische[rn]?) {_LEIT}
        landesdirektor
    """,
    ),
    (
        INDIVIDUAL,
        r"""
        \w*analyst(?:in)?  \w*ingenieur(?:in|e)?  \w*entwickler(?:in)?  \w*programmierer(?:in)?  \w*spezialist(?:in)?
        \w*berater(?:in)?  \w*bearbeiter(?:in)?  \w*administrator(?:in)?  \w*buchhalter(?:in)?  \w*designer(?:in)?
        \w*koordinator(?:in)?  \w*techniker(?:in)?  \w*architekt(?:in)?  \w*einkaufer(?:in)?  \w*planer(?:in)?
        \w*trainer(?:in)?  \w*experte?(?:in)?  \w*referent(?:in)?  \w*mitarbeiter(?:in)?  praktikant(?:in)?
        werkstudent(?:in)?  student(?:in)?  \w*jurist(?:in)?  \w*anwalt  \w*anwaltin  syndikus  justiziar(?:in)?
        notar(?:in)?  \w*beauftragte[rn]?  \w*fachkraft  \w*kraft  \w*kauf(?:frau|mann|leute)  \w*meister(?:in)?
        \w*mechaniker(?:in)?  mechatroniker(?:in)?  \w*monteur(?:in)?  \w*gestalter(?:in)?  \w*pfleger(?:in)?
        krankenschwester  \w*arzt  \w*arztin  \w*lehrer(?:in)?  \w*erzieher(?:in)?  \w*dozent(?:in)?  professor(?:in)?
        \w*wissenschaftler(?:in)?  \w*forscher(?:in)?  \w*coach  \w*prufer(?:in)?  \w*redakteur(?:in)?
        \w*journalist(?:in)?  koch  kochin  \w*fahrer(?:in)?  disponent(?:in)?  lagerist(?:in)?  \w*verkaufer(?:in)?
        \w*vertreter(?:in)?  \w*makler(?:in)?  \w*angestellte[rn]?  auszubildende[rn]?  azubi  lehrling
        volontar(?:in)?  \w*hilfskraft  \w*helfer(?:in)?  doktorand(?:in)?  \w*konstrukteur(?:in)?
        \w*kassierer(?:in)?  schlosser(?:in)?  elektriker(?:in)?  elektroniker(?:in)?
        \w*controller(?:in)?(?<!^controller)(?<! controller)  controllerin  \w*betreuer(?:in)?  \w*steuerer(?:in)?
        \w*arbeiter(?:in)?
        \w*(?:bauer|macher|setzer|leger|dreher|fraser|schleifer|schweisser|giesser|lackierer|tischler|schreiner|zimmerer|maurer|decker|klempner|backer|metzger|fleischer|kellner|friseur|kosmetiker|gartner|winzer|forster|richter|pfarrer|dolmetscher|ubersetzer|schauspieler|sanger|musiker|kunstler)(?:in)?
        \w{4,}ist(?:in)?  \w{4,}ologe?(?:in)?  \w{4,}iker(?:in)?  \w{3,}angestellte[rn]?  \w*grafiker(?:in)?
        \w*fotograf(?:in)?  kameramann  regisseur(?:in)?  drucker(?:in)?  bibliothekar(?:in)?  archivar(?:in)?
        hebamme  sanitater(?:in)?  heilpraktiker(?:in)?  staatsanwalt  autor(?:in)?  \w*zusteller(?:in)?
        kurier(?:in)?  kommissionierer(?:in)?  packer(?:in)?  portier  dekorateur(?:in)?  aussendienstler(?:in)?
        key accounter(?:in)?  \w*revisor(?:in)?  aktuar(?:in)?  \w*handler(?:in)?  installateur(?:in)?
        \w*pilot(?:in)?  \w*schwester  \w*hilfe  minijobber(?:in)?  \w*editor(?:in)?  \w*informatiker(?:in)?
        vertriebler(?:in)?  \w*okonom(?:in)?  \w*psychologe?(?:in)?  \w*therapeut(?:in)?  apotheker(?:in)?
        \w*assessor(?:in)?  \w*sprecher(?:in)?  beamte[rn]?  beamtin  hausmeister(?:in)?  \w*schreiber(?:in)?
        \w*zeichner(?:in)?  \w*texter(?:in)?  \w*lotse  \w*moderator(?:in)?  freiberufl\w*  freelancer(?:in)?
        selbst?standige?r?  gutachter(?:in)?  sachverstandige[rn]?  \w*tester(?:in)?  \w*agent(?:in)?
        \w*operator(?:in)?  trainee  \w*consultant  polizist(?:in)?  soldat(?:in)?  feuerwehr(?:mann|frau)
        \w*bediener(?:in)?  \w*fuhrer(?:in)?(?<!geschaftsfuhrer)(?<!geschaftsfuhrerin)  \w*wart  \w*wirt(?:in)?
        \w*vermittler(?:in)?  \w*pruferin  \w*padagoge?(?:in)?
    """,
    ),
)
