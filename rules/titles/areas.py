"""What job titles say of the function, in four languages; where two begin at one letter, the first listed counts."""

from __future__ import annotations

from rules.titles.model import Areas

# A word for a function.
STRONG: Areas = (
    ("executive", r"""
        (?:president|ceo|chairman|director|mayor|chancellor|rector|executive|managing director)s? s? ?office
        office of the (?:ceo|president|chair\w*|chancellor|mayor|managing director)
        direct(?:eur|rice) generale? des services  dgs
    """),
    ("other", r"""
        \w*betriebsrat\w*  lehrstuhl\w*  director of photography  (?:executive|film|senior|line) producers?
        works council\w*  (?<!product )(?<!produkt)photograph\w*  fotograf\w*  supply teacher
    """),
    # Phrases of which a part would say something else.
    ("operations", r"""
        (?:sales|marketing|revenue|clinical|business|commercial|field|customer|product|legal|finance|financial|store|retail|people & culture)(?: & \w+)? operations
        revops  salesops  chief operat\w+  coo  data ?cent(?:er|re) operations  operations director
        operaciones (?:comerciales|de venta)  operations commerciales  quality engineer\w*  production engineer\w*
        process engineer\w*  manufacturing engineer\w*
    """),
    ("it", r"""
        (?:it|cloud|network|security|infrastructure|systems?|computer|tech) operations
        (?:it|edv|sap|erp|crm|salesforce|systems?)[- ](?:support|administra\w+|project\w*|projekt\w*|consult\w+|berat\w+|service\w*|manager\w*|help ?desk|leit\w+|specialist|analyst\w*)
        data ?cent(?:er|re)s?  information (?:technology|technologies|security|systems?|management)
        digital transformation  transformation (?:digitale|numerique)  transformacion digital  cyber\w*  soc analyst
        technologies? de l information  tecnologias? de la informacion  systemes? d informations?
        sistemas de informacion
        (?:solutions?|enterprise|systems?|cloud|network|infrastructure|security|it|si)[ -]architect\w*
        architecte? (?:si|systemes?|reseaux?|cloud|solutions?|entreprise)  database\w*  dba
        seguridad (?:informatica|de la informacion)  securite (?:informatique|des systemes)  directory services?
        business (?:applications?|systems?)  end[- ]user computing  soporte informatico  support informatique
        tecnic[oa] informatic[oa]
    """),
    ("legal", r"""
        data (?:protection|privacy)  datenschutz\w*  proteccion de datos  protection des donnees  dpo  dsb  rgpd  gdpr
        privacy  legal(?:es)?  counsels?  lawyers?  attorneys?  solicitors?  barristers?  paralegals?  compliance
        conformite  cumplimiento  recht(?:s\w*)?  \w*anwalt  \w*anwaltin  \w*jurist(?:in)?  syndikus\w*
        justiziar(?:in)?  notar(?:in)?  juridiques?  juristes?  avocate?s?  notaires?  juridic[oa]s?  abogad[oa]s?
        asesoria juridica  notari[oa]  letrad[oa]  contentieux  company secretary  corporate secretary  patents?
        regulatory  reglementaires?  regulatori[oa]s?  contract(?:s)? manag\w+  intellectual property  litigation  clo
        gobierno corporativo  affaires reglementaires  secretari[oa] del consejo
    """),
    ("hr", r"""
        (?:people|hr|human resources) operations  recruit\w*  recrutement  recruteu\w+  talents?  talento  seleccion
        reclutamiento  headhunter  human (?:resources?|capital|relations)  hr\w{0,3}  hrbp  people(?! management)
        chro  personal(?!trainer| trainer| assist| banker| shopper| data)\w*  ressources? humaines?  rh  rrh  drh
        recursos? humanos?  rr ?hh  capital humano  human ?resource  training  learning  leadership development
        (?:organi[sz]ational|employee|staff|personnel) (?:development|experience|engagement|relations|training|planning)
        personnel  payroll  compensation  diversity  formation  format(?:eur|rice)s?  trainers?  trainer(?:in)?
        desarrollo (?:organizacional|de personas)  nominas?  paie  gestion de personas  relaciones laborales
        relations sociales  employer branding  marque employeur  lohn\w*  entgelt\w*  aus- und weiterbildung
        ausbildung(?:s\w+)?  weiterbildung  mitarbeiter\w*entwicklung  organisationsentwicklung  happiness  culture
        bienestar  hcm  formacion  capacitacion  workplace culture  benefits  l&d
    """),
    ("procurement", r"""
        procurement  purchas\w+  sourcing  \w*einkauf\w*  beschaffung\w*  achats?  acheteu(?:r|se)s?
        approvisionnements?  approvisionneu\w+  compras?  comprador(?:a|es)?  aprovisionamientos?  abastecimiento
        buyers?  buying  category manag\w+  categor(?:y|ie)[ -]?manag\w+  vendor management
        supplier (?:manag\w+|relation\w*|quality)  lieferantenmanag\w+  adquisiciones  contratacion
    """),
    ("marketing", r"""
        (?:marketing|mar)[ -]?tech\w*
        (?:brand|product|customer|digital|content|growth|performance|field|trade|event|online|email|partner|channel|influencer|b2b|social media)[ -]marketing\w*
        \w*marketing\w*  mercadotecnia  mercadeo  brands?  branding  marca  marque  communications?  comms
        comunicacion(?:es)?  \w*kommunikation\w*  press(?:e|e\w+)?  prensa  pr  public relations  relations publiques
        relaciones publicas  offentlichkeitsarbeit  public affairs  community manag\w+  social media  seo  sea
        content  redes sociales  growth  demand gen\w*  lead gen\w*  events?  evenementiel  eventos  veranstaltung\w*
        werbung  werbe\w*  publicite  publicidad  advertising  copywrit\w+  graphic\w*  grafik\w*  graphi\w+
        grafic[oa]s?  mediengestalt\w*  art director\w*  creative  creati(?:f|ve|on|vo|va)
        direct(?:eur|rice) artistique  director(?:a)? (?:de arte|artistic[oa])  kreativ\w*  cmo
        media(?: (?:planner|buyer|relations))?  market research  campaign\w*  dircom  director de arte  porte-parole
        pressesprecher\w*  demand
    """),
    ("finance", r"""
        (?:commercial|supply chain|sales) finance  accounts? (?:payable|receivable)  ap clerk  ar clerk  financ\w*
        finanz\w*  cfo  daf  raf  accountants?  accounting  comptab\w*  expert-comptable  contab\w*  contador(?:a)?
        buchhalt\w*  \w*buchhalt\w*  bilanz\w*  rechnungswesen  \w*controlling\w*
        (?:financial |group |senior |regional |assistant |plant |business |corporate |finance |sales)?controllers?(?<!document controller)
        \w*controller(?:in)?  comptroller  controle(?:u\w+)? de gestion  controleu(?:r|se) financ\w+
        controleu(?:r|se)s?  control de gestion  contralor\w*  treasur\w*  tresor\w*  tesorer\w*  \w*kammerer\w*
        schatzmeister\w*  bookkeep\w*  fp&a  tax(?:es|ation)?
        \w*steuer(?:n|berat\w*|recht|referent\w*|abteilung|fach\w*)?(?<!steuerer)  fiscal\w*  impuestos  audit\w*
        \w*revision  wirtschaftspruf\w*  investor relations?  credit\w*  kredit\w*  billing  facturacion  facturation
        investments?  investors?  investiss\w*  inversion\w*  investition\w*  loans?  ir  m&a  mergers
        kaufmannische[rn]? (?:\w+ )?(?:leit\w+|geschaftsfuhr\w+|direktor\w*|vorstand\w*)
        administracion(?! de (?:sistemas|personal|empresas|ventas))  administrati(?:f|ve)s? (?:et|&) financi\w+
        tesoreria  cuentas (?:a|por) (?:pagar|cobrar)  recouvrement  inkasso  mahnwesen  actuar\w*  risk\w*  riesgos?
        risques  pricing  cost\w*  banking  interventor(?:a)?
    """),
    ("support", r"""
        customer (?:success|service|services|care|experience|support|relations?|satisfaction|operations|advocacy|onboarding|happiness)
        client (?:success|services?|care|experience|support|relations?)  cx  kundendienst\w*  kundenservice\w*
        kundenbetreu\w*  kundensupport  kundenerfolg  kundenerlebnis  customer-success\w*
        (?:service|services) clients?  relations? clients?  relation clientele  experience clients?
        satisfaction clients?  support clients?  sav  apres[- ]vente  service apres  after[- ]?sales?  aftermarket
        atencion (?:al|a) \w+  servicio (?:al|de atencion al|tecnico|post)[ -]?\w*  experiencia (?:de|del) cliente
        exito del cliente  postventa  posventa  call ?cent(?:er|re)s?  centro de llamadas  contact cent(?:er|re)s?
        help ?desk  service ?desk  hotline
        (?:technical|product|application|software|tier|level|desktop|user|anwender|first level|second level|l[123]) ?-?support\w*
        \w*support(?=engineer|er|mitarbeiter|leit|$)  soporte\w*  service delivery  service ?technik\w*  kundencenter
        service cent(?:er|re)
        service (?:manager|director|engineer|technician|advisor|lead\w*|coordinator|representative|agent|desk)
        field service\w*  fieldservice  serviceleit\w+  leit\w+ service  csm  technicien(?:ne)? de maintenance client
        reklamation\w*  reclamaciones  beschwerde\w*  implementation\w*  onboarding  chief customer officer
        (?:support|service)(?= (?:engineer|manager|director|specialist|agent|analyst|lead|team|representative|technician|operations|& |head))
        (?<=head of )(?:support|services?)  (?<=director of )support  customer
    """),
    ("data", r"""
        big data  datas?  daten\w*  analytics  analytique  analitica  bi  business[ -]intelligence
        inteligencia de negocios?  donnees  datos  datawarehouse  machine learning  artificial intelligence  ai  ki
        ia  kunstliche\w* intelligenz  statisti\w+  data-\w+  cdo  insights?  reporting
    """),
    ("product", r"""
        products?  produkt(?!ion)\w*  produits?  productos?  cpo  ux  ui  user (?:experience|research\w*|interface)
        diseno de producto  product-\w+
    """),
    ("sales", r"""
        business[ -]development  biz ?dev  developpement (?:commercial|des affaires|business)
        desarrollo (?:de negocio\w*|comercial)  geschaftsentwicklung  neukunden\w*
        (?:technical |strategic |named |global |major |senior |enterprise )?accounts? (?:executives?|managers?|managerin|directors?|management|lead|reps?|representatives?)
        key[ -]account\w*  grandes? comptes?  grands? comptes?  grandes cuentas
        (?:director(?:a)?|ejecutiv[oa]|gerente|jef[ea]|responsable|gestor(?:a)?) de cuentas?  charge(?:e)? d affaires?
        ingenieure? (?:d affaires?|commercia\w+|technico\w*|avant\w*)  direct(?:eur|rice) de clientele
        charge(?:e)? de clientele  clientele  charge(?:e)? de developpement  sales\w*  selling  cro  revenue
        \w*vertrieb\w*  \w*verkauf\w*  aussendienst\w*  innendienst\w*  \w*handelsvertret\w*  handel
        commercia(?:l|le|ux|les)s?  technico-commercia\w+  comercial(?:es)?  ventes?  vendeu(?:r|se)s?  ventas?
        vendedor(?:a|es)?  presales  pre-sales  avant-vente  preventa  solutions? (?:engineer\w*|consult\w+)
        partner ?(?:manager|management|success|development|relations?|account)\w*  partnerships?  partenariats?
        alliances?  alianzas  channel  distribution channel  inside sales  territor\w+  [sb]drs?  ae  e-?commerce
        export\w*  retail  kundenberat\w*  cco  bids?  tender\w*  business developer  negocios?  account(?= exec)
        franchise  trade
    """),
    ("operations", r"""
        supply[ -]?chain\w*  logisti\w*  cadena de suministro  chaine logistique  quality(?! assurance engineer)
        qualit(?:e|at\w*)  calidad  qm\w{0,2}  qse  qhse  hseq?  ehs  sicherheit(?:s\w+)?  health (?:&|and) safety
        prevencion de riesgos  lean  six sigma  continuous improvement  amelioration continue  mejora continua
        production\w*  \w*produktion\w*  produccion  manufactur\w*  fabrication  fabricacion  fertigung\w*  montage\w*
        \w*werk(?:s|stoff)?leit\w+  werksleit\w+  werkleit\w+  planta  plants?  usine  site de production  factory
        maintenance  instandhaltung\w*  mantenimiento  facilit\w+  gebaude\w*  facility\w*  immobili\w+
        moyens generaux  servicios generales  services generaux  office  \w*buro\w*leit\w+  buroleit\w+  oficina
        bureau(?! d etudes)  \w*bau(?:stellen)?leit\w+  baustelle\w*  chantiers?  travaux  obras?  construction
        construccion  stores?  shops?  filial\w*  magasins?  tiendas?  markt(?:leit\w+)  ladenleit\w+  boutique
        (?<=d )agences?  site  fabrica  werkstatt\w*  hausmeister\w*  safety  sucursal\w*  branch  niederlassung\w*
        standort\w*  werk  \w*lager(?:leit\w+|meister\w*|ist\w*|logist\w*)?  warehouse\w*  almacen\w*  entrepot
        magasinier  fleet  fuhrpark\w*  transport\w*  versand\w*  shipping  spedition\w*  dispon\w+  inventory
        stock\w*  demand planning  planning  planification  ordonnancement  verwaltung\w*
        betrieb(?:s)?(?:leit\w+|direkt\w*)?(?<!betriebsrat)  operations?  operational  operaciones  operativ[oae]?
        exploitation  process\w*  prozess\w*  procesos?  \w*schicht\w*  schichtleit\w+  turno  shift  atelier  taller
        workshop(?: manager)  contrema\w+  capataz  forem[ae]n  vorarbeiter  polier  site manager  property  moyens
    """),
    ("engineering", r"""
        software\w*  r&d  recherche (?:et|&) developpement  investigacion y desarrollo
        forschung (?:und|&) entwicklung  cto  devops  sre  site reliability  backend\w*  back[- ]end  frontend\w*
        front[- ]end  full ?-?stack
        (?:web|mobile|app|java|python|php|net|android|ios|game|games|embedded|firmware)[ -]?(?:developer|engineer\w*|entwickl\w*|developpeu\w*|dev)?
        (?<!personal)(?<!unternehmens)(?<!organisations)(?<!geschafts)\w*(?<!personal)(?<!unternehmens)(?<!organisations)(?<!geschafts)entwickl\w+
        qa  quality assurance  testing  test (?:manager|engineer|lead|automation|analyst)\w*  \w*tester(?:in)?
        testmanag\w*  scrum ?master  agile\w*  konstrukt\w*  bureau d etudes  mechanical  mechanik\w*  electrical
        hardware  technology  technologie  tecnologia  technik(?:leit\w+|vorstand\w*)?  (?<=director )tecnic[oa]
        (?<=directora )tecnic[oa]  (?<=responsable )tecnic[oa]  (?<=jefe )tecnic[oa]  (?<=jefa )tecnic[oa]
        (?<=gerente )tecnic[oa]  (?<=lider )tecnic[oa]
        technische[rn]? (?:leit\w+|direktor\w*|geschaftsfuhr\w*|vorstand\w*)  direct(?:eur|rice) techniques?
        responsable technique  technical (?:director|lead\w*|manager|head|officer|architect)  tech lead  engineering
        ingenierie  developpement  desarrollo  desarrollador\w*  developpeu\w+
        (?:head|director|vp) (?:of )?development  release  platform
    """),
    ("it", r"""
        it  edv  \w*informati\w+  cio  ciso  dsi  rssi  si  ti  tic  sap\w*  erp  crm  salesforce  digital\w*
        numerique  systems?  sistemas?  systemes?  system\w*  sysadmin\w*  infrastru\w+  network\w*  netzwerk\w*
        reseaux?  redes  security  cloud  applications?  aplicaciones  helpdesk  computing  telecom\w*  ict  webmaster
        seguridad
    """),
)  # fmt: skip

# Crafts and words that count only where nothing else is named.
WEAK: Areas = (
    ("engineering", r"""
        engineers?  \w*ingenieur(?:in|e|es|s)?  ingenier[oa]s?  developers?  programm(?:er|ier)\w*  programador\w*
        techni(?:cal|que|sche\w*)  architects?  architekt\w*  architecte?s?  arquitect[oa]s?  development  inno?vation
        cientific[oa] de materiales
    """),
    ("finance", r"invoic\w+  contrats  economist\w*  versicherung\w*"),
    ("support", r"customers?  clients?  clientes?  kunden\w*  support  services"),
    ("marketing", r"designers?  disenador\w*  diseno  design  markets?"),
)  # fmt: skip

# Crafts that are named, and are none of the other functions.
OTHER: Areas = (
    ("other", r"""
        projekt\w*  projets?  projects?  proyectos?  proyect  pmo  programmes?  programs?  programas?  programm\w*
        consult\w*  conseil  berat\w+  \w*berater(?:in)?  nurs\w+  infirm\w+  enfermer\w+  \w*pfleg\w*
        krankenschwester  doctors?  physicians?  medic\w*  medec\w*  \w*arzt  \w*arztin  clinic\w*  surge\w+  teach\w*
        lehr\w*  enseign\w*  docen\w*  profes\w*  professor\w*  catedratic\w*  lectur\w*  research\w*  recherche
        investigador\w*  investigacion  wissenschaft\w*  forsch\w*  scientist\w*  cientific\w*  chercheu\w*  kitchen
        kuche\w*  cuisin\w*  cociner\w*  chefs?(?! d)  chef de (?:rang|partie)  koch  cook\w*  producers?  police
        polizei\w*  policia  fire  edit(?:or\w*|ing)  \w*redak\w*  redact\w*  redac\w*  sustainab\w*  nachhaltig\w*
        developpement durable  rse  csr  esg  sostenib\w*  secretar\w*  sekretar\w*  secretair\w*  clerks?
        recep[tc]ion\w*  empfang\w*  standardiste\w*  accueil
        assist\w*(?! (?:~|director|manager|head|chief|dean|controller))  asist\w*  administrati\w*  sachbearbeit\w*
        auxiliar\w*  adjunt[oa] a  attachee? de direction  dean  dekan  decan[oa]  doyen\w*  betriebsrat\w*
        personalrat\w*  kaufmannische\w*  \w*kauffrau  \w*kaufmann  driver\w*  \w*fahrer\w*  conductor\w*
        chauffeur\w*  phd  doctorant\w*  doktorand\w*  post-?doc\w*  electric\w*  elektri\w*  elektroni\w*
        mechatron\w*  \w*mechaniker\w*  plumb\w*  pilot\w*  librar\w*  biblioth\w*  bibliote\w*  cashier\w*
        kassier\w*  caissi\w*  cajer[oa]  operari\w*  ouvri\w*  \w*arbeiter\w*  social\w*  translat\w*  ubersetz\w*
        traduc\w*  psych\w*  psicolog\w*  pharm\w*  apothek\w*  farmac\w*  therap\w*  \w*therapeut\w*  journalis\w*
        periodis\w*  artist\w*  writers?  interpret\w*  waiter\w*  kellner\w*  serveu\w*  camarer\w*  barista\w*
        clean\w*  reinig\w*  limpieza  guards?  judges?  richter\w*  juez\w*  pastor\w*  priest\w*  farm\w*
        landwirt\w*  agri\w*  sante  salud  gesundheit\w*  health\w*  stations?leit\w*  welfare  gouvern\w*  church
        charity  fundrais\w*  spenden\w*  environment\w*  umwelt\w*  environnement  medio ambiente  hotel\w*
        restaurant\w*  insurance  claims  student affairs  museum  veterin\w*  tierarzt\w*  sport\w*  music\w*
        musik\w*
    """),
)  # fmt: skip

# The whole organisation, or the heads of it: what is meant where no function is named beside it.
GENERAL: Areas = (
    ("executive", r"""
        ceos?  chief executive\w*  chief of staff  managing (?:directors?|partners?|principal|member|owner)  mds?
        presidents?  president[ea]s?  president\w*  \w*prasident\w*  founders?  co-?founders?  cofounder
        (?:co-?)?owner\w*  proprietor  partners?  board\w*  directors? of the board  trustees?  governors?  chair\w*
        (?:non[ -]?executive|independent|executive) directors?  neds?  general (?:manager\w*|director\w*|management)
        gms?  executive (?:committee|board|team|management)  strateg\w*  estrategi\w*  business units?
        unidad de negocio  country\w*  (?:general|permanent) secretary  secretary general  chancellor\w*
        vice-?chancellor  provost  mayor\w*  entrepreneur\w*  sole trader  corporate development  head ?master
        headmistress  head ?teacher\w*  school\w*  principal(?=$| of)  minister\w*  commissioner  shareholder\w*
        investor  owner-?\w*  transformation  cluster  (?:\w+ )?state  director general  president s office
        direction generale  direccion general  geschaftsbereich\w*  c[- ]level  \w*geschaftsfuhr\w*  geschaftsleit\w*
        gf  ggf  \w*vorstand\w*  \w*aufsichtsrat\w*  beirat\w*  verwaltungsrat\w*  \w*vorsitzende\w*  generaldirek\w*
        \w*inhaber(?:in)?  \w*gesellschafter\w*  \w*eigentumer\w*  \w*grunder\w*  \w*unternehmer\w*
        \w*burgermeister\w*  landrat\w*  rektor\w*  kanzler\w*  prokur\w*  \w*bevollmachtigte\w*  unternehmens\w*
        konzern\w*  schulleit\w*  \w*schule?  stabschef\w*  direktion  kitaleit\w*  intendant\w*  \w*minister\w*
        staatssekretar\w*  generalsekretar\w*  stadtdirektor\w*  strategie\w*  pdg  dgd?  dga  dgs
        direct(?:eur|rice)s? generale?s?  gerante?s?  gerance  dirigeant\w*  fondat\w*  cofondat\w*  co-fondat\w*
        associee?s?  proprietaire\w*  patron\w*  chef(?:fe)? d entreprise  comex  codir  comite de direction
        directoire  conseil d administration  administrat(?:eur|rice) (?:independante?|deleguee?)
        secretaire general\w*  maire\w*  prefete?  recteur  rectrice  deleguee? general\w*  cabinet  proviseur\w*
        etablissement  college  ecole  fonde\w* de pouvoir\w*  filiale  mandataire social\w*  strategique
        director(?:a)? (?:general|gerente|ejecutiv[oa])  gerentes? general\w*  gerencia  consejer[oa]s?  consejo\w*
        administrador(?:a)? (?:unic[oa]|solidari[oa]|mancomunad[oa]|general)  propietari[oa]s?  duen[oa]s?  soci[oa]s?
        fundador\w*  cofundador\w*  empresari[oa]s?  emprendedor\w*  alcald\w+  rector\w*  secretari[oa] general
        apoderad[oa]s?  gabinete  colegio  escuela  unidad  presidencia  junta directiva  comite de direccion
        accionista
    """),
)  # fmt: skip

# Words that name no function, so that a rank beside them says nothing of one.
PLAIN = r"""
    a  an  the  of  for  and  in  to  at  with  on  der  die  das  des  den  dem  und  fur  im  am  vom  von  zum  zur
    mit  de  du  la  le  les  l  d  et  en  au  aux  pour  del  el  los  las  y  e  para  con  al  senior  junior
    lead  group  groupe  gruppe  grupo  global  international\w*  internacional  worldwide  regional\w*  region  area
    national\w*  nacional  local  corporate  deputy  interim\w*  acting  associate  assistant  vice  executive  first
    second  third  new  north  south  east  west  nord  sud  ost  ouest  est  norte  sur  este  oeste  central\w*
    centro  middle  emea  apac  dach  latam  americas?  europe  europa  eu  uk  us  usa  asia  asien  africa  france
    frankreich  francia  germany  deutschland  allemagne  alemania  spain  spanien  espagne  espana  italy  italia
    iberia  portugal  benelux  austria  osterreich  switzerland  schweiz  suisse  suiza  nordics?  adjoint\w*
    adjunt\w*  stellvertretende\w*  stellvertreter\w*  kommissarisch\w*  provisoire  temporal  funciones  principal
    staff  haupt\w*  ober\w*  leitende\w*  department\w*  division\w*  unit  team\w*  equipe  equipo  gruppen\w*
    abteilung\w*  bereich\w*  referat\w*  section  sektion  service  chef  pole  dienst  departement\w*  departamento
    seccion  sub  co  level  grade  i  ii  iii  iv  v  full  part  time  site  member  company  firma  empresa
    societe  m  w  f  h  x  mr  mrs  ms  dr  prof  dipl  mba  msc  phd  herr  frau  mme  sr  sra  don  dona  ltd  gmbh
    inc  sa  ag  ber  generale?s?  general\w*  special  district  zone  secteur  sector  zona  bezirks?\w*
    gebiets?\w*  midwest  northern  southern  eastern  western  uki  mena  cee  anz
"""
