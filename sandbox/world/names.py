"""Names of people from many cultures, and of companies, awkward ones included."""

from __future__ import annotations

import unicodedata
from random import Random

# "shown|in Latin letters" where the letters are others; a family name of "-" is a person with one name.
_CULTURES: tuple[tuple[str, str, str], ...] = (
    (
        "en",
        "Alice James Priya Grace Oliver Harriet Noah Emma",
        "Walker O'Neill Smith-Jones Bennett Clarke D'Arcy Hughes",
    ),
    ("de", "Jürgen Anke Björn Käthe Matthias Sören Ulrike", "Müller Schäfer Großmann Weiß Köhler Vogt von_Bülow"),
    ("fr", "Zoé François Maëlle Benoît Hélène Loïc Aurélie", "Lefèvre L'Hôpital Dubois Béranger Moreau Noël Garçon"),
    ("es", "Íñigo María_José Begoña Andrés Lucía Joaquín", "Núñez García_Márquez Ibáñez Peña Ortega Muñoz"),
    ("en", "Siobhán Eoin Aoife Pádraig", "Ó_Briain McCarthy O'Sullivan Ní_Dhomhnaill"),
    ("en", "Łukasz Małgorzata Grażyna Paweł", "Wiśniewski Dąbrowska Żak Kowalczyk"),
    ("en", "Søren Åsa Øyvind Ingrid", "Bjørnsdóttir Ødegård Lindström Þorsteinsson"),
    ("en", "Ayşe Gülşen İbrahim Çağla", "Yılmaz Öztürk Şahin Doğan"),
    ("en", "محمد|mohammed فاطمة|fatima يوسف|yusuf", "الخطيب|alkhatib حداد|haddad منصور|mansour"),
    ("en", "יעל|yael דוד|david נועם|noam", "כהן|cohen לוי|levi ברק|barak"),
    ("en", "陈伟|chenwei 王芳|wangfang 佐藤健|satoken 김민준|kimminjun", "-"),
    ("en", "Suharto Sukarno Wulandari Ketut", "-"),
    ("en", "Chidi Ngozi Adébáyò Thandiwe", "Okonkwo Adéyẹmí Nkosi Mbeki"),
    ("en", "Nguyễn_Thị|nguyenthi Trần_Văn|tranvan", "Hương|huong Đức|duc Minh|minh"),
)
# What a CRM holds after years of imports: markup, formulas, quotes, pictures.
_AWKWARD = (
    "<!channel> Everyone",
    "=cmd|' /C calc'!A0",
    'Robert "Bobby"; DROP TABLE contacts;--',
    "<@U0001> & Co",
    "Zoë 🚀 Launch",
    "*bold* _italic_ ~gone~",
    "{{first_name}} <script>alert(1)</script>",
    "@here Hansen",
)
_FIRST = [
    "Bright",
    "North",
    "Blue",
    "Silver",
    "Iron",
    "Quiet",
    "Red",
    "Open",
    "River",
    "Stone",
    "Clear",
    "Golden",
    "Swift",
    "Amber",
    "Cedar",
    "Lunar",
    "Solar",
    "Vivid",
    "Prime",
    "Rapid",
    "Noble",
    "Arctic",
    "Coral",
    "Delta",
    "Ember",
    "Fable",
    "Granite",
    "Harbor",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Larch",
    "Maple",
    "Nimbus",
    "Opal",
    "Pine",
    "Quartz",
    "Raven",
    "Sable",
    "Tidal",
    "Umbra",
    "Vela",
    "Willow",
    "Xenon",
    "Yarrow",
    "Zephyr",
]
_SECOND = [
    "Path",
    "Field",
    "Works",
    "Point",
    "Bridge",
    "Forge",
    "Line",
    "Harbor",
    "Peak",
    "Loop",
    "Grid",
    "Mill",
    "Crest",
    "Ridge",
    "Port",
    "Dale",
    "Span",
    "Vault",
    "Wave",
    "Yard",
    "Gate",
    "Dock",
    "Lab",
    "Nest",
    "Shore",
]
_FORMS = ("GmbH", "Ltd", "Inc.", "S.A.", "SAS", "B.V.", "AB", "S.L.", "plc", "KG", "Group", "Holding")
_AWKWARD_COMPANIES = (
    "<!channel> Holdings",
    "=cmd|' /C calc'!A0 Ltd",
    'O\'Neil "Quotes" & Söhne',
    "Rocket 🚀 Labs",
    "شركة النور",
    "*Star* _Under_ ~Tilde~ Inc.",
    "<https://evil.example|Click here> LLC",
    "Ünïcødé & Søns A/S",
)
FREE_MAIL = ("gmail.com", "gmx.de", "yahoo.com", "outlook.com")


def ascii_word(text: str) -> str:
    """The letters and digits of the text that a mail address takes, in lower case."""
    plain = unicodedata.normalize("NFKD", text.translate(str.maketrans("ßłŁøØđĐþÞı", "slLoOdDpPi")))
    return "".join(c for c in plain.casefold() if c.isascii() and c.isalnum())


def _pick(rng: Random, pool: str) -> tuple[str, str]:
    shown, _, latin = rng.choice(pool.split()).partition("|")
    shown = shown.replace("_", " ")
    return shown, ascii_word(latin or shown)


def person_name(rng: Random) -> tuple[str, str, str]:
    """(name as shown, local part of a mail address, language of the job title)."""
    language, given_pool, family_pool = rng.choice(_CULTURES)
    given, latin_given = _pick(rng, given_pool)
    if family_pool == "-":
        return given, latin_given, language
    family, latin_family = _pick(rng, family_pool)
    return f"{given} {family}", f"{latin_given}.{latin_family}", language


def awkward_names() -> tuple[str, ...]:
    """Names that must never be read as markup, formula or statement."""
    return _AWKWARD


def company_names(rng: Random, count: int) -> list[tuple[str, str]]:
    """`count` different (name, domain) pairs; a few of them awkward. Domains end in .example: nobody's."""
    stems = [(a, b) for a in _FIRST for b in _SECOND]
    rng.shuffle(stems)
    pairs = []
    for n in range(count):
        first, second = stems[n % len(stems)]
        word = f"{first}{second.lower()}" if n % 3 else f"{first} {second}"
        number = "" if n < len(stems) else str(n // len(stems) + 1)
        pairs.append((f"{word}{number} {rng.choice(_FORMS)}", f"{ascii_word(first + second)}{number}.example"))
    for n, name in enumerate(_AWKWARD_COMPANIES):
        place = 7 + n * 9
        if place < count:
            pairs[place] = (name, pairs[place][1])
    return pairs
