"""Spanish ranks."""

from __future__ import annotations

from rules.titles.model import C_LEVEL, DIRECTOR, INDIVIDUAL, MANAGER, VP, Ranks

PHRASES: Ranks = (
    (
        None,
        r"""
        direccion (?:general|financiera|comercial|tecnica|de \w+)  secretaria tecnica
        oficina del? (?:presidente|director|alcalde)  departamento(?: de [^|]*)?
    """,
    ),
    (
        INDIVIDUAL,
        r"""
        asistentes?[^|]*  asistenta[^|]*  ayudante (?:de|del|a)\b[^|]*
        adjunt[oa] (?:a|al|de)(?: la)? (?:direccion|gerencia|presidencia|consejero|director|directora|ceo)[^|]*
        secretari[oa](?! general| de estado| del consejo)(?: (?:de|del) [^|]*)?
        director(?:a)? (?:de (?:arte|fotografia|cine|orquesta|escena|casting|tesis|coro)|artistic[oa])
        administrador(?:a)? de (?:sistemas|redes|fincas|bases?)[^|]*  consejer[oa] (?:comercial|tecnic[oa]|de ventas)
        lider (?:tecnic[oa]|tecnolog\w+)  mano derecha[^|]*  ejecutiv[oa]s? (?:de|comercial)\b
        oficial (?:de|administrativ\w+|primera)\b
    """,
    ),
    (DIRECTOR, r"(?:jef[ea]|director(?:a)?) de(?:l)? gabinete  secretari[oa] del consejo"),
    (VP, r"vice-?president[ea](?: (?:ejecutiv[oa]|senior))?  vice president[ea]"),
    (
        C_LEVEL,
        r"""
        director(?:a)? general(?: adjunt[oa])?  director(?:a)? gerente  director(?:a)? ejecutiv[oa]
        consejer[oa](?: (?:delegad[oa]|independiente|dominical|ejecutiv[oa]))?
        administrador(?:a)? (?:unic[oa]|solidari[oa]|mancomunad[oa]|delegad[oa]|general)
        (?:sub)?gerentes? general(?:es)?(?: adjunt[oa])?  president[ea]s?  propietari[oa]s?  duen[oa]s?
        soci[oa]s?(?: (?:fundador(?:a)?|director(?:a)?|gerente|administrador(?:a)?))?  (?:co-?)?fundador(?:a)?(?:es)?
        empresari[oa]s?  emprendedor(?:a)?
        (?:miembro|vocal) (?:del|de la) (?:consejo|comite|junta|directorio|patronato)[^|]*
        comite (?:de direccion|ejecutivo)  consejo de administracion  patron[oa]?(?= de la fundacion)  alcald(?:e|esa)
        rector(?:a)?  vicerrector(?:a)?  secretari[oa] general  secretari[oa] de estado  ministr[oa]  intendente
        accionista  vicealcald(?:e|esa)  concejal(?:a)?  presidenta? ejecutiv[oa]  cofundador(?:a)?  gerencia general
        autoridad maxima  titular de la empresa
    """,
    ),
)
WORDS: Ranks = (
    (
        DIRECTOR,
        r"""
        (?:sub-?|co-?)?director(?:a|es|as)?  sub director(?:a)?  apoderad[oa]s?  tesorer[oa]  decan[oa]  vicedecan[oa]
        redactor(?:a)? jefe  medic[oa] jefe  interventor(?:a)? general
    """,
    ),
    (
        MANAGER,
        r"""
        responsables?  (?:sub-?)?jef[ea]s?  jefatura  (?:sub-?)?gerentes?  encargad[oa]s?  supervisor(?:a|es|as)?
        capataz(?:a)?  lider(?:esa)?s?  contralor(?:a)?  mando intermedio  maestr[oa] (?:de obras?|industrial)
        manager
    """,
    ),
    (
        INDIVIDUAL,
        r"""
        analistas?  ingenier[oa]s?  desarrollador(?:a|es)?  programador(?:a|es)?  especialistas?  consultor(?:a|es)?
        asesor(?:a|es)?  administrativ[oa]s?  auxiliar(?:es)?  contables?  contador(?:a|es)?  disenador(?:a|es)?
        coordinador(?:a|es)?  tecnic[oa]s?  arquitect[oa]s?  comprador(?:a|es)?  abogad[oa]s?  becari[oa]s?
        practicantes?  aprendi[zc]\w*  estudiantes?  agentes?  representantes?  recepcionistas?  profesor(?:a|es)?
        catedratic[oa]s?  investigador(?:a|es)?  medic[oa]s?  enfermer[oa]s?  operari[oa]s?  operador(?:a|es)?
        conductor(?:a|es)?  redactor(?:a|es)?  gestor(?:a|es)?  oficial(?:es)?  maestr[oa]s?  formador(?:a|es)?
        comercial(?:es)?  vendedor(?:a|es)?  auditor(?:a|es)?  cientific[oa]s?  economistas?  delegad[oa]s?
        ejecutiv[oa]s?  emplead[oa]s?  autonom[oa]s?  periodistas?  traductor(?:a|es)?  secretari[oa]s?  cajer[oa]s?
        camarer[oa]s?  cociner[oa]s?  psicolog[oa]s?  farmaceutic[oa]s?  promotor(?:a|es)?  teleoperador(?:a|es)?
        planificador(?:a|es)?  electricistas?  mecanic[oa]s?  administrador(?:a|es)?  docentes?  letrad[oa]s?
        notari[oa]s?  procurador(?:a|es)?  graduad[oa]s?  expert[oa]s?  ayudantes?  instructor(?:a|es)?
        monitor(?:a|es)?  educador(?:a|es)?  trabajador(?:a|es)?  dependient[ea]s?  adjunt[oa]s?  inspector(?:a|es)?
        perit[oa]s?  \w{4,}istas?  \w{3,}olog[oa]s?  \w{3,}graf[oa]s?  \w{3,}peutas?  panader[oa]  carnicer[oa]
        peluquer[oa]  fontaner[oa]  albanil  pintor(?:a)?  soldador(?:a)?  tornero  carpintero  repartidor(?:a)?
        transportista  camionero  bombero  policia  militar  agricultor(?:a)?  jardiner[oa]  veterinari[oa]  optic[oa]
        logopeda  music[oa]  actor  actriz  interprete  guia  azafat[oa]  corredor(?:a)?  banquer[oa]  reponedor(?:a)?
        almacener[oa]  vigilante  conserje  portero  limpiador(?:a)?  cuidador(?:a)?  ninera  celador(?:a)?  matrona
        quimic[oa]  biolog[oa]  fisic[oa]  matematic[oa]  estadistic[oa]  actuari[oa]  historiador(?:a)?  filosof[oa]
        delineante  topograf[oa]  aparejador(?:a)?  cobrador(?:a)?  capacitador(?:a)?  entrenador(?:a)?
        evaluador(?:a)?  mozo  peon  controller  colaborador(?:a|es)?  pasante  referente  bibliotecari[oa]s?
    """,
    ),
)
