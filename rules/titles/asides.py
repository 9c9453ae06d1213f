"""What stands beside ranks and functions in titles, and changes how they are read."""

from __future__ import annotations

# Who has left, or is no longer what the title says: it says nothing of today.
GONE = r"""
    former\w*  ex  ex-\w+  ex(?:director|president|gerente|jef|coordinador|ceo|cto|cfo)\w*  ehem  ehemalig\w*
    ausser dienst  ancien(?:ne)?s?  antigu[oa]  retired  retiree  retraitee?  jubilad[oa]  pensioner  pensioniert\w*
    pensionar(?:in)?  pensionad[oa]  rentner(?:in)?  im ruhestand  emerit\w*  left(?: company)?  no longer\b.*
    past president  deceased  previously  departed  ausgeschieden\w*  nicht mehr\b.*  verstorben  a quitte\b.*
    ya no\b.*  altburgermeister\w*  altkanzler
"""

# Who learns, or works for many: outside the ranks, whatever else the title says.
LEARNING = r"""
    freelanc\w*  freiberuf\w*  selbst?standig\w*  trainees?(?! ?program)  apprentie?s?  apprentices?  azubi\w*
    auszubildende\w*  en formation  interns?(?! program)  praktikant\w*  praktikum  stagiaires?  becari[oa]s?
    en practicas  practicante  alternant\w*  werkstudent\w*  volontar\w*
    (?:\w+ ){0,2}students?(?= *(?:$|assistant|worker|\|))  studentin  dual\w* student\w*  lehrling
    (?<!comunidad )autonom[oa]  (?<!administrateur )(?<!administratrice )(?<!membre )(?<!directeur )independante?
    self[ -]employed  aprendiz\w*  referendar\w*  etudiant\w*  estudiante
"""

# Whose work is to assist a person: what that person does is not what the bearer does.
TO_A_PERSON = r"""
    (?:executive|personal|administrative|management)? ?assistants? (?:to|of|for)\b[^|]*  [pe]a (?:to|for) [^|]*
    \w*sekretar(?:in)?\b(?<!generalsekretar)(?<!staatssekretar)[^|]*
    secretary(?! general)(?<!general secretary)(?<!permanent secretary)(?<!company secretary)(?<!corporate secretary)(?: (?:to|of|for) [^|]*)?
    secretaire(?! general| d etat)[^|]*  secretari[oa](?! general| de estado| del consejo)[^|]*
    (?:vorstands|direktions|geschaft\w+|management|leitungs|chef|buro)assisten(?:t|tin|z)\b[^|]*
    assisten(?:t|tin|z) (?:der |des )?(?:geschaft\w*|vorstand\w*|direktion\w*|leit\w*|gf|bereichsleit\w*|abteilungsleit\w*)[^|]*
    assistante? (?:de |du |d )(?:la )?(?:direct\w+|president\w*|gerant\w*)[^|]*
    assistante? (?:de |du )?(?:direction|dg|pdg|drh|daf|dsi)\b[^|]*
    asistente (?:de |del |a )?(?:la )?(?:direc\w+|gerenc\w*|gerente|presiden\w*|ceo)[^|]*  attachee? de direction[^|]*
    adjunt[oa] (?:a|al|de) (?:la )?(?:direc\w+|gerenc\w*|presid\w*)[^|]*
    (?:founders?|ceo) s? ?(?:associate|assistant)  support officer  directorate(?: \w+)*
"""

# English words that say what the work is when they follow another function: `sales training manager`.
HEADS = r"""
    training  recruit\w*  operations?  procurement  purchasing  sourcing  analytics  data  finance  accounting  legal
    counsels?  lawyers?  communications?  marketing\w*  support\w*  engineering  compliance  audit\w*  success
    recruitment  products?  controllers?  controlling  accountants?  talent  buyers?  sales  intelligence  systems?
    security  payroll  privacy  logistics  quality
"""
