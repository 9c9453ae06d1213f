"""French ranks."""

from __future__ import annotations

from rules.titles.model import C_LEVEL, DIRECTOR, INDIVIDUAL, MANAGER, VP, Ranks

_OF = r"(?:de la|de l|du|des|de|d|en)"

PHRASES: Ranks = (
    (
        None,
        r"""
        secretariat(?: general)?
        directions? (?:generale|financiere|commerciale|technique|informatique|juridique|marketing|\w+elle)
        cabinet du (?:maire|president)  bureau du (?:president|directeur)
    """,
    ),
    (
        INDIVIDUAL,
        rf"""
        assistante[^|]*
        assistants? (?:{_OF}|direction|commercial|administratif|marketing|rh|achats|comptable|juridique|technique|polyvalent|export|logistique)\b[^|]*
        attachee? {_OF} (?:direction|presse|clientele|recherche|production)[^|]*
        secretaire(?! general| d etat| perpetuel)(?: {_OF} [^|]*)?
        adjointe? (?:{_OF} direction|administrati\w+|a la direction|technique|de gestion|d animation)[^|]*
        bras droit[^|]*
        direct(?:eur|rice)s? (?:artistique|{_OF} (?:la )?(?:photographie|photo|recherche|these|recherches|casting|theatre|plateau))(?: cnrs)?
        chef(?:fe)? (?:{_OF} (?:rang|partie|orchestre|choeur|file|bord)|patissi\w+)  expert(?:e)?[ -]comptable
        administrat(?:eur|rice)s? (?:systemes?|reseaux?|des? ventes?|de bases?|de donnees|reseau|adv|linux|sap|crm|si|cloud)[^|]*
        chargee? {_OF}\b  cadre(?! {_OF} sante|s? dirigeant)  controleu(?:r|se)s?(?: {_OF} gestion)?
    """,
    ),
    (
        DIRECTOR,
        rf"""
        direct(?:eur|rice) {_OF} (?:cabinet|clientele|creation)  chef(?:fe)? {_OF} cabinet  secretaire du conseil
    """,
    ),
    (VP, r"vice[ -]?presidente?s?(?: executi\w+)?"),
    (
        C_LEVEL,
        rf"""
        president\w*(?:[ -]?direct(?:eur|rice) generale?)?  pdg  dgd?  dga  dgs  co-?dirigeant\w*
        direct(?:eur|rice)s? generaux?
        direct(?:eur|rice)s? generale?s?(?: (?:adjointe?|deleguee?))?(?: des services)?  dirigeant(?:e|s)?
        cadre dirigeant\w*  (?:co-?|ex )?gerante?s?  (?:co-?)?fondat(?:eur|rice)s?
        associee?s?(?: gerante?| fondat\w+)?  proprietaire  patron(?:ne)?  chef(?:fe)? {_OF} entreprise
        entrepreneuse?  auto-?entrepreneur  membre (?:{_OF} )?(?:comite|comex|codir|directoire|conseil|bureau)[^|]*
        comex  codir  directoire  conseil (?:d administration|de surveillance)
        administrat(?:eur|rice) (?:independante?|deleguee?|unique|general)  secretaire general[e]?  secretaire d etat
        maire(?:sse)?  prefete?  rect(?:eur|rice)  deleguee? generale?  gerance  mandataire social\w*
        notaire associee?  chanceli(?:er|ere)  ministre
    """,
    ),
)
WORDS: Ranks = (
    (
        DIRECTOR,
        rf"""
        (?:sous[ -]?)?direct(?:eur|rice)s?  dsi  drh  daf  dircom  dir com  tresori(?:er|ere)  doyen(?:ne)?
        provis(?:eur|eure)  principale? {_OF} college  medecin[ -]chef(?:fe)?  medecin directeur
        redact(?:eur|rice)[ -]en[ -]chef  fonde[e]? de pouvoir  inspect(?:eur|rice) general\w*
        delegue(?:e)? regional\w*  commissaire divisionnaire  fondee? {_OF} pouvoirs?
    """,
    ),
    (
        MANAGER,
        rf"""
        responsables?  rssi  rrh  raf  chef(?:fe)?s? {_OF}\b
        chef(?:fe)?s? (?:comptables?|mecanicien\w*|atelier|produit|projet|executi\w+|adjointe?|export)
        (?:infirmi(?:er|ere)|ingenieure?|comptable|cuisinier|architecte|pharmacienne?|bibliothecaire)s?[ -](?:en[ -])?chef(?:fe)?
        superviseu(?:r|se)  contrema[i]?tre(?:sse)?  manageu(?:r|se)  cadre {_OF} sante
        conduct(?:eur|rice) {_OF} travaux  agent {_OF} maitrise  maitre d oeuvre  coordonn?at(?:eur|rice) d equipe
        anim\w+ d equipe  encadrant\w*  surveillant\w*  regisseu(?:r|se) general\w*
        chef(?:fe)?(?! \w*cuisinier$)(?= \w)
    """,
    ),
    (
        INDIVIDUAL,
        r"""
        ingenieure?s?  technicien(?:ne)?s?  developpeu(?:r|se)s?  comptables?  analystes?  gestionnaires?
        vendeu(?:r|se)s?  acheteu(?:r|se)s?  attachee?s?  animat(?:eur|rice)s?  format(?:eur|rice)s?  consultante?s?
        redact(?:eur|rice)s?  graphistes?  infirmi(?:er|ere)s?  medecins?  pharmacien(?:ne)?s?  enseignante?s?
        professeure?s?  chercheu(?:r|se)s?  juristes?  avocate?s?  notaires?  audit(?:eur|rice)s?  architectes?
        operat(?:eur|rice)s?  agente?s?  employee?s?  apprentie?s?  alternante?s?  stagiaires?  etudiante?s?
        hote(?:sse)?s?  standardistes?  chauffeure?s?  coordinat(?:eur|rice)s?  coordonnat(?:eur|rice)s?
        commercia(?:l|le|ux)  technico-commercia(?:l|le|ux)  preparat(?:eur|rice)s?  magasini(?:er|ere)s?
        ouvri(?:er|ere)s?  specialistes?  experte?s?  conseill(?:er|ere)s?  administrat(?:eur|rice)s?
        documentalistes?  bibliothecaires?  charge(?:e)?s?  economistes?  statisticien(?:ne)?s?
        dessinat(?:eur|rice)s?  conduct(?:eur|rice)s?  inspect(?:eur|rice)s?  independante?s?  freelance
        concept(?:eur|rice)s?  planificat(?:eur|rice)s?  logisticien(?:ne)?s?  electricien(?:ne)?s?
        mecanicien(?:ne)?s?  cuisini(?:er|ere)s?  serveu(?:r|se)s?  caissi(?:er|ere)s?  psychologues?
        traduct(?:eur|rice)s?  journalistes?  teleconseill\w+  teleopera\w+  deleguee?s?  referente?s?  adjointe?s?
        aide\w*  mandataire  integrat(?:eur|rice)s?  data scientist  recruteu(?:r|se)s?  negociat(?:eur|rice)s?
        approvisionneu(?:r|se)s?  ordonnanc\w+  programmeu(?:r|se)s?  correspondante?s?  assistants?  secretaires?
        educat(?:eur|rice)s?  sage-femme  kinesitherapeute  \w{3,}istes?  \w{3,}ologues?  \w{3,}graphes?
        \w{3,}peutes?  \w{3,}iciens?  \w{3,}iciennes?  boulang\w+  pati(?:ssier|ssiere)  bouch(?:er|ere)
        coiffeu(?:r|se)  plombier  menuisier  macon  soudeu(?:r|se)  chaudronnier  tourneur  fraiseur  ajusteur
        livreu(?:r|se)  facteur  factrice  routier  pompier  polici(?:er|ere)  gendarme  militaire
        agricult(?:eur|rice)  jardini(?:er|ere)  veterinaire  osteopathe  ambulanci(?:er|ere)  brancardier
        auxiliaire\b[^|]*  puericultrice  institut(?:eur|rice)  maitre de conferences  doctorante?  comedien(?:ne)?
        act(?:eur|rice)  realisat(?:eur|rice)  monteu(?:r|se)  cadreur  interprete  guide  banqui(?:er|ere)
        guicheti(?:er|ere)  actuaire  souscript(?:eur|rice)  telepro\w+  televend\w+  prospect(?:eur|rice)  secouriste
        influenceu(?:r|se)  webdesigner  maquettiste  metreu(?:r|se)  geometre  aide-soignante?  moniteur  monitrice
        courti(?:er|ere)  agente? d accueil  clerc  huissi(?:er|ere)
    """,
    ),
)
