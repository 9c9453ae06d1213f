"""A title as plain text: no accents, one case, abbreviations written out, gender marks gone, slips of the pen mended."""

from __future__ import annotations

import re
import unicodedata

# What stands behind a job advertisement's title, and the endings that say: any gender.
_GENDERS = re.compile(r"[(\[]?\b(?:[mwfdxhiv] ?[/|,] ?){1,3}[mwfdxhiv*]\b\.?[)\]]?|\(all genders?\)|\bh/f\b|\bf/h\b")
_ENDINGS = re.compile(
    r"(?<=\w)(?:\([a-z]{1,6}\)|[/:*_·](?:innen|in|a|o|e|ne|euse|rice|trice|ere|se)\b|-(?:in|trice|euse)\b)"
)
_DOTTED = re.compile(r"\b(?:[a-z]\.\s?){1,4}[a-z]\b\.?")
_SIGNS = re.compile(r"[()\[\]{}\"„“”]+")
_SHORT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(?<!\w)(?:{short})(?!\w)\.?"), long)
    for short, long in (
        ("dir", "director"),
        ("dtor", "director"),
        ("dtora", "directora"),
        ("direc", "director"),
        ("mgr|mngr|mgnr|mngmt mgr", "manager"),
        ("mgmt|mngmt|mgt", "management"),
        ("sr|snr", "senior"),
        ("jr|jnr", "junior"),
        ("asst|ass't|assist", "assistant"),
        ("assoc", "associate"),
        ("exec", "executive"),
        ("dept|dep|dpto|dpt|depto|abt", "department"),
        ("resp", "responsable"),
        ("ltg", "leitung"),
        ("ltr", "leiter"),
        ("gral|gen(?= manager| counsel| director|$)", "general"),
        ("kaufm", "kaufmannische"),
        ("techn", "technische"),
        ("stv|stellv", "stellvertretende"),
        ("geschf|geschaftsf", "geschaftsfuhrer"),
        ("fin", "finance"),
        ("admin(?= y | et | & | und | and )|admon", "administracion"),
        ("pres", "president"),
        ("vice-pres|v-p|vpres", "vice president"),
        ("supv|supvr", "supervisor"),
        (r"eng(?=\.?(?:$|,| manager| director| lead))", "engineering"),
        ("engr", "engineer"),
        ("ops", "operations"),
        ("mktg|mkt|mktng", "marketing"),
        ("hd", "head"),
        ("coord", "coordinator"),
        ("rep", "representative"),
        ("spec", "specialist"),
        ("tech(?= lead)", "technical"),
        ("svcs", "services"),
        ("comm(?= director| manager)", "communications"),
        ("intl|int'l", "international"),
        ("acct|accts", "account"),
        ("proc(?= manager)", "procurement"),
        ("info(?= systems| security| tech)", "information"),
        ("ing", "ingeniero"),
        ("cheif", "chief"),
        ("inh", "inhaber"),
        ("tl", "teamleiter"),
    )
)
# Umlauts written out, in the words where they are none of two vowels.
_UMLAUTS = tuple(
    (word, word.replace("ae", "a").replace("oe", "o").replace("ue", "u"))
    for word in [
        "geschaeft",
        "fuehr",
        "praesid",
        "gruend",
        "kaufmaenn",
        "kaeuf",
        "buero",
        "qualitaet",
        "gebaeud",
        "kuech",
        "buerger",
        "aerzt",
        "oeffent",
        "kaemmer",
    ]
)
# Long words that people misspell; a word one slip away from one of them is taken for it.
_WORDS = """
  abteilungsleiter abteilungsleiterin accountant adjoint administrador administrator analista analyst
     analyste architect architekt asistente assistance assistant assistante assistent assistentin assistenz
     berater bereichsleiter bereichsleiterin buchhalter business chairman comercial commercial communication
     communications comptable consultant consultor controller coordinador coordinadora coordinator customer
     desarrollador developer development developpeur directeur director directora directrice direktor
     direktorin einkaufsleiter encargada encargado engineer engineering entwickler especialista executive
     finance financial finanzas fondateur founder fundador fundadora general gerance gerante gerente
     geschaftsfuhrer geschaftsfuhrerin geschaftsfuhrung geschaftsleitung humaines human humanos informacion
     information informatique ingeniera ingeniero ingenieur logistics logistik manager managing marketing
     marketingleiter mitarbeiter officer operaciones operations personalleiter prasident president presidente
     procurement produccion product production produit produkt produktion produktionsleiter projektleiter
     prokurist purchasing recursos representative resources responsable ressources sachbearbeiter sales
     secretaria secretary security software specialist spezialist success superintendent supervisor
     supervisora support teamleiter teamleiterin technician technicien technique technology tecnico treasurer
     vertriebsleiter vertriebsleiterin vicepresidente vizeprasident vorstand
"""
_SPELLED = frozenset(_WORDS.split())
_SHORTEST = 6
_BY_ENDS: dict[tuple[str, str], list[str]] = {}
for _word in sorted(_SPELLED):
    _BY_ENDS.setdefault((_word[0], _word[-1]), []).append(_word)


def plain(title: str) -> str:
    """The title in the form that the vocabularies are written in; segments are parted by ` | `."""
    decomposed = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])In\b", "in", title).casefold())
    text = "".join(c for c in decomposed if not unicodedata.combining(c))
    text = text.replace("’", "'").replace("`", "'").replace("œ", "oe")
    text = re.sub(r"\ba\. ?d\.(?!\w)", " ausser dienst ", text)
    text = re.sub(r"\bi\. ?r\.(?!\w)", " im ruhestand ", text)
    text = re.sub(r"\bdipl\W{0,2}ing\w*\.?(?: \(?fh\)?)?", " ", text)
    text = re.sub(r"\b(?:c ([a-z]) o|v p)\b", lambda found: found[0].replace(" ", ""), text)
    for written, umlaut in _UMLAUTS:
        text = text.replace(written, umlaut)
    text = _GENDERS.sub(" ", text)
    text = _ENDINGS.sub("", text)
    text = re.sub(r"\b(?:r ?(?:&|and|\+|et) ?d|f ?(?:&|und|\+) ?e|i ?\+ ?d(?: ?\+ ?i)?)\b", "r&d", text)
    text = _DOTTED.sub(lambda found: re.sub(r"[.\s]", "", found[0]) + " ", text)
    for short, long in _SHORT:
        text = short.sub(long, text)
    text = re.sub(r"\b([a-z]+)'s\b", r"\1 s", text)
    text = re.sub(r"\b([ldnjms]|qu)'", r"\1 ", text)
    text = _SIGNS.sub(" | ", text)
    text = re.sub(r"\s*(?:[,;:|/+•·–—]|(?<=\s)-(?=\s)|\.(?=\s|$))\s*", " | ", text)
    words = [_mended(word) for word in re.sub(r"[^\w&|' -]+", " ", text).split()]
    return re.sub(r"(?:^| )\|(?: \|)*(?= |$)", " |", " ".join(words)).strip(" |")


def _mended(word: str) -> str:
    if len(word) < _SHORTEST or word in _SPELLED:
        return word
    return next((right for right in _BY_ENDS.get((word[0], word[-1]), ()) if _one_slip(word, right)), word)


def _one_slip(word: str, right: str) -> bool:
    """One letter wrong, missing, too many or swapped inside; the first and the last are the same."""
    if len(right) <= _SHORTEST or abs(len(word) - len(right)) > 1:
        return False
    if len(word) == len(right):
        differing = [n for n, (a, b) in enumerate(zip(word, right, strict=True)) if a != b]
        if len(differing) == 2:
            first, second = differing
            return second == first + 1 and word[first] == right[second] and word[second] == right[first]
        return len(differing) == 1
    short, long = sorted((word, right), key=len)
    return any(long[:n] + long[n + 1 :] == short for n in range(len(long)))
