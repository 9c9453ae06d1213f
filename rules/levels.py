"""Job title to decision level and function, in English, German, French and Spanish.

The meaning of both is `docs/domain.md`: exec = director or above; a title that no rule knows gives None, never a guess.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

INDIVIDUAL, MANAGER, DIRECTOR, VP, C_LEVEL = 1, 2, 3, 4, 5
LEVEL_NAMES = {INDIVIDUAL: "individual", MANAGER: "manager", DIRECTOR: "director", VP: "vp", C_LEVEL: "c_level"}
EXEC_FROM = DIRECTOR


@dataclass(frozen=True, slots=True)
class TitleReading:
    """What a title says: `level` 1..5 or None, `function` one of domain.md's list (`unknown` when it does not say)."""

    level: int | None
    function: str


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(alternatives) + r")\b")


# First match wins: helpers of executives before executives, "vice president" before "president".
_LEVELS: tuple[tuple[re.Pattern[str], int], ...] = (
    (
        _any(
            r"(?:executive |personal |management )?assist[ae]nt(?:e|in)?(?: to| of| de| du)?(?: .*)?",
            r"assistenz(?: .*)?",
            r"asistente(?: .*)?",
            r"secretar(?:y|ia|io)(?: .*)?",
            r"sekretar(?:in)?(?: .*)?",
            r"pa to .*",
            r"ea to .*",
        ),
        INDIVIDUAL,
    ),
    (_any(r"[se]?vp", "avp", "vice[ -]?president(?:e|a)?", "vizeprasident(?:in)?", "vicepresident(?:e|a)"), VP),
    (_any("chief of staff", "bereichsleit(?:er|erin|ung)", "stabschef(?:in)?"), DIRECTOR),
    (
        _any(
            "c[a-z]o",
            "chro",
            "ciso",
            "chief(?: [a-z&/]+)* officer",
            "chief executive",
            "president(?:e|a)?",
            "prasident(?:in)?",
            "(?:co-? ?)?founder",
            "(?:co-?)?grunder(?:in)?",
            "fondat(?:eur|rice)",
            "fundador(?:a)?",
            "owner",
            "inhaber(?:in)?",
            "managing director",
            "managing partner",
            "executive director",
            "geschaftsfuhr(?:er|erin|ung|endervorstand)",
            "geschaftsfuhrende[rn]? .*",
            "vorstand(?:svorsitzende[rn]?|smitglied)?",
            "pdg",
            "direct(?:eur|rice) generale?",
            "gerante?",
            "director(?:a)? general",
            "director(?:a)? gerente",
            "consejer[oa] delegad[oa]",
            "chairman",
            "chairwoman",
        ),
        C_LEVEL,
    ),
    (
        _any(
            "direct(?:or|ora|eur|rice)",
            "direktor(?:in)?",
            "head",
            "(?:[a-z]+-)?leit(?:er|erin|ung)",
            "(?:it|vertriebs|marketing|finanz|personal|einkaufs|produkt|entwicklungs|werks)leit(?:er|erin|ung)",
        ),
        DIRECTOR,
    ),
    (
        _any(
            "manager(?:in)?",
            "mgr",
            "(?:team|tech|group|squad|shift)? ?lead(?:er)?",
            "supervisor(?:a)?",
            "(?:team|abteilungs|gruppen|projekt|schicht)-?leit(?:er|erin|ung)",
            "chefe? d[eu']?.*",
            "chef(?:fe)? d[eu]? .*",
            "responsable",
            "jef[ea]",
            "gerente",
            "encargad[oa]",
            "controller",
            "foreman",
        ),
        MANAGER,
    ),
    (
        _any(
            "analyst(?:e|in)?",
            "analista",
            "engineer",
            "ingenieur(?:in|e)?",
            "ingenier[oa]",
            "developer",
            r"\w*entwickler(?:in)?",
            "developp(?:eur|euse)",
            "desarrollador(?:a)?",
            "programmer",
            "specialist(?:e|in)?",
            "spezialist(?:in)?",
            "especialista",
            "consultant(?:e)?",
            "berater(?:in)?",
            "clerk",
            "(?:sach)?bearbeiter(?:in)?",
            "administrator(?:in)?",
            "administrat(?:eur|rice)",
            "administrativ[oae]",
            "administrador(?:a)?",
            "accountant",
            "comptable",
            "buchhalter(?:in)?",
            "contable",
            "designer(?:in)?",
            "coordinat(?:or|ora|rice|eur)",
            "koordinator(?:in)?",
            "coordinador(?:a)?",
            "representative",
            "agent(?:e)?",
            "technician",
            "techniker(?:in)?",
            "technicien(?:ne)?",
            "tecnic[oa]",
            "architect(?:e)?",
            "architekt(?:in)?",
            "arquitect[oa]",
            "scientist",
            "recruiter",
            "buyer",
            "einkaufer(?:in)?",
            "acheteu(?:r|se)",
            "comprador(?:a)?",
            "planner",
            "operator",
            "trainer",
            "writer",
            "associate",
            "expert(?:e)?",
            "referent(?:in)?",
            "mitarbeiter(?:in)?",
            "charge(?:e)? d[e'].*",
            "employee?",
            "intern",
            "praktikant(?:in)?",
            "werkstudent(?:in)?",
            "stagiaire",
            "becari[oa]",
            "student",
            "counsel",
            "lawyer",
            "jurist(?:e|in)?",
            "abogad[oa]",
            "executive",  # account executive, sales executive: not an executive
            "officer",
            "researcher",
            "tester",
            "support",
        ),
        INDIVIDUAL,
    ),
)

# Where the word for a lower level hides inside a higher one: these win over _LEVELS.
_EXCEPTIONS: tuple[tuple[re.Pattern[str], int], ...] = (
    (_any("directorate (?:clerk|assistant|officer)"), INDIVIDUAL),
    (_any("(?:team|abteilungs|gruppen|projekt|schicht)-?leit(?:er|erin|ung)", "teamlead"), MANAGER),
    (_any("product owner", "process owner", "data owner", "scrum master"), INDIVIDUAL),
    (_any("art director", "creative director"), DIRECTOR),
    (_any("account director", "associate director"), DIRECTOR),
)

_FUNCTIONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (_any("chief operat.*", "coo", "(?:sales|revenue|business|marketing|people|it|dev) ?op(?:eration)?s", "devops"), "operations"),
    (_any("legal", "counsel", "lawyer", "recht.*", "jurist.*", "juridique", "abogad[oa]", "compliance", "jurídico", "juridic[oa]"), "legal"),
    (_any("procurement", "purchasing", "einkauf.*", "achats?", "acheteu(?:r|se)", "compras", "comprador(?:a)?", "buyer", "sourcing", "cpo procurement"), "procurement"),
    (_any("data", "analytics", "bi", "daten.*", "datos", "donnees", "business intelligence"), "data"),
    (_any("human resources?", "hr", "people", "chro", "talent", "recruit.*", "personal(?:leiter|leiterin|wesen|abteilung|referent|referentin)?", "ressources humaines", "rh", "recursos humanos", "rrhh"), "hr"),
    (_any("financ(?:e|ial|ier|iere)?", "cfo", "account(?:ant|ing|s payable|s receivable)", "controll(?:er|ing)", "finanz.*", "finances?", "finanzas", "financier[oa]", "buchhalt.*", "comptab.*", "contab.*", "contable", "treasur.*"), "finance"),
    (_any("marketing", "cmo", "brand", "communications?", "growth", "content", "werbung"), "marketing"),
    (_any("sales", "cro", "revenue", "account (?:executive|manager|director)", "vertrieb.*", "commercial(?:e)?", "ventes?", "ventas", "comercial", "business development"), "sales"),
    (_any("product", "produkt.*", "produit", "producto", "cpo", "ux", "product owner"), "product"),
    (_any("support", "customer (?:success|service|care|experience)", "kundendienst", "kundenbetreu.*", "kundenservice", "service client", "helpdesk", "service desk", "atencion al cliente", "soporte"), "support"),
    (_any("engineer(?:ing)?", "cto", "developer", "software", r"\w*entwickl.*", "ingenier.*", "ingenieur.*", "developp.*", "desarroll.*", "r&d", "technolog(?:y|ie|ia)", "architect.*", "programmer", "qa"), "engineering"),
    (_any("it", "cio", "ciso", "information (?:technology|security|systems?)", "infrastructure", "systems?", "security", "informati(?:k|que|ca)", "edv", "sistemas", "sysadmin", "network"), "it"),
    (_any("operations?", "operaciones", "betrieb.*", "logisti.*", "supply chain", "production", "produktion.*", "manufacturing", "plant", "werksleit.*", "facility"), "operations"),
    (_any("ceo", "chief executive.*", "managing (?:director|partner)", "president(?:e|a)?", "founder", "co-?founder", "owner", "geschaftsfuhr.*", "vorstand.*", "pdg", "direct(?:eur|rice) generale?", "gerante?", "director(?:a)? (?:general|gerente)", "consejer[oa] delegad[oa]", "inhaber(?:in)?", "executive director", "general manager", "chairman"), "executive"),
)  # fmt: skip

_VICE_PRESIDENT = re.compile(r"\b(?:[se]?vp|avp|vice[ -]?president\w*|vizeprasident\w*)\b")


def _plain(title: str) -> str:
    decomposed = unicodedata.normalize("NFKD", title.casefold())
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return re.sub(r"\s+", " ", re.sub(r"[,;:|()\[\]._]+|(?<=\w)/(?=\w)", " ", letters)).strip()


def _first(table: tuple[tuple[re.Pattern[str], int], ...], text: str) -> int | None:
    return next((level for pattern, level in table if pattern.search(text)), None)


@lru_cache(maxsize=65_536)
def read_title(title: str | None) -> TitleReading:
    """Level and function that a job title states; (None, 'unknown') where there is no title or no rule knows it."""
    text = _plain(title or "")
    if not text:
        return TitleReading(None, "unknown")
    level = _first(_EXCEPTIONS, text)
    if level is None:
        level = _first(_LEVELS, text)
    # "Vice President Sales" must not read as the function of a president.
    rest = _VICE_PRESIDENT.sub(" ", text)
    function = next((name for pattern, name in _FUNCTIONS if pattern.search(rest)), None)
    if function is None:
        function = "other" if level is not None else "unknown"
    return TitleReading(level, function)


def standing(level: int | None, flagged_user: bool) -> str:
    """Exec | user | unclassified: an exec stays one whatever the user flag says; unknown level and no flag is neither."""
    if level is not None and level >= EXEC_FROM:
        return "exec"
    return "user" if flagged_user or level is not None else "unclassified"


# What a part in a deal says about rank: that somebody sponsors as an executive, and nothing else. A decision maker, an
# economic buyer or a budget holder decides this deal; in a small company a manager does. Taken for an exec, such a
# person would silence "no exec contact"; without a level the account only says that its levels are not known.
# Values that ship: OpportunityContactRole.Role and AccountContactRelation.Roles (Business User, Decision Maker, Economic
# Buyer, Economic Decision Maker, Evaluator, Executive Sponsor, Influencer, Technical Buyer, Other)
# https://help.salesforce.com/s/articleView?id=sales.contact_roles_opportunity.htm
# and hs_buying_role (BLOCKER, BUDGET_HOLDER, CHAMPION, DECISION_MAKER, END_USER, EXECUTIVE_SPONSOR, INFLUENCER,
# LEGAL_AND_COMPLIANCE, OTHER) https://knowledge.hubspot.com/properties/hubspots-default-contact-properties
_ROLES: tuple[tuple[re.Pattern[str], int], ...] = (
    (
        re.compile(
            r"executive[ _-]?sponsor|exec[ _-]?sponsor|executive-sponsor|sponsor executif"
            r"|patrocinador(?:a)? ejecutiv[oa]|geschaftsfuhrungs-?sponsor"
        ),
        DIRECTOR,
    ),
)


def read_role(roles: str | None) -> int | None:
    """The least level that a role in a deal or an account proves; None = it says nothing about rank.

    `roles`: the CRM's words, several parted by semicolons. Who sponsors as an executive is a director at least; a title
    that says more (a CEO who sponsors) says it better.
    """
    text = _plain((roles or "").replace(";", " | ").replace("_", " "))
    return max((level for pattern, level in _ROLES if pattern.search(text)), default=None)
