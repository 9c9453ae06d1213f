"""Job titles with the level and function that they mean, in four languages: the world's truth about titles."""

from __future__ import annotations

from dataclasses import dataclass

EXEC_LEVELS = frozenset({"c_level", "vp", "director"})


@dataclass(frozen=True, slots=True)
class Title:
    """One title as it stands in a CRM. `level` and `function` are domain.md's words."""

    text: str
    language: str
    level: str
    function: str


_TABLE = """
en|c_level|executive|Chief Executive Officer;CEO;Managing Director;Founder & CEO;President
en|c_level|finance|CFO;Chief Financial Officer
en|c_level|engineering|CTO
en|c_level|operations|COO
en|c_level|hr|CHRO
en|vp|engineering|VP Engineering
en|vp|operations|Vice President of Sales Operations;SVP Operations
en|vp|finance|VP Finance
en|vp|marketing|Senior Vice President, Marketing
en|vp|support|VP Customer Success
en|director|it|Director of IT;Head of IT
en|director|product|Product Director
en|director|data|Head of Data
en|director|operations|Director of Operations
en|director|sales|Sales Director
en|director|procurement|Head of Procurement
en|director|finance|Finance Director
en|director|hr|Director, Human Resources
en|manager|it|IT Manager
en|manager|marketing|Marketing Manager
en|manager|operations|Operations Manager
en|manager|support|Support Manager
en|manager|engineering|Engineering Manager
en|manager|procurement|Purchasing Manager
en|individual|other|Assistant to the CEO
en|individual|other|Directorate clerk
en|individual|engineering|Software Engineer
en|individual|data|Data Analyst
en|individual|finance|Accountant
en|individual|support|Support Specialist
en|individual|sales|Sales Representative
en|individual|marketing|Marketing Specialist
en|individual|it|Systems Administrator
en|individual|legal|Legal Counsel
en|individual|hr|Recruiter
en|individual|procurement|Buyer
de|c_level|executive|Geschäftsführer;Geschäftsführerin;Vorstand
de|director|it|Leiter IT
de|director|procurement|Leiterin Einkauf
de|director|sales|Vertriebsleiter
de|manager|support|Teamleiter Support
de|manager|sales|Teamleiterin Vertrieb
de|individual|other|Assistentin der Geschäftsführung
de|individual|procurement|Sachbearbeiter Einkauf
de|individual|finance|Buchhalterin
de|individual|engineering|Softwareentwickler
fr|c_level|executive|Directeur général;PDG
fr|director|sales|Directrice des ventes
fr|director|marketing|Directrice marketing
fr|director|it|Directeur informatique
fr|manager|it|Responsable informatique
fr|manager|procurement|Responsable des achats
fr|individual|other|Assistante de direction
fr|individual|finance|Comptable
fr|individual|engineering|Ingénieur logiciel
es|c_level|executive|Director General;Consejera Delegada
es|director|operations|Directora de Operaciones
es|director|marketing|Director de Marketing
es|manager|procurement|Gerente de Compras
es|manager|sales|Jefa de Ventas
es|individual|other|Asistente de Dirección
es|individual|data|Analista de Datos
es|individual|finance|Contable
es|individual|support|Técnico de Soporte
"""


def _read() -> tuple[Title, ...]:
    found: list[Title] = []
    for line in _TABLE.strip().splitlines():
        language, level, function, texts = line.split("|")
        found.extend(Title(text, language, level, function) for text in texts.split(";"))
    return tuple(found)


TITLES = _read()
_EXECS = {
    lang: tuple(t for t in TITLES if t.language == lang and t.level in EXEC_LEVELS) for lang in ["en", "de", "fr", "es"]
}
_OTHERS = {
    lang: tuple(t for t in TITLES if t.language == lang and t.level not in EXEC_LEVELS)
    for lang in ["en", "de", "fr", "es"]
}


def titles(language: str, *, executive: bool) -> tuple[Title, ...]:
    """The titles of one language at director level or above, or below it."""
    return (_EXECS if executive else _OTHERS)[language]
