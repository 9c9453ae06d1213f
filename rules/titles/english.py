"""English ranks, in the order in which they are looked for: what is found is taken out of the title."""

from __future__ import annotations

from rules.titles.model import C_LEVEL, DIRECTOR, INDIVIDUAL, MANAGER, VP, Ranks

_RANK = r"(?:director|manager|vp|[sear]vp|vice[ -]president|head|chief|general counsel|treasurer|dean|principal|superintendent|headmaster|provost|controller|commissioner)"
_CRAFT = (
    r"(?:accountant|engineer|architect|economist|scientist|actuary|auditor|designer|editor|analyst|developer|buyer|inspector"
    r"|technologist|technician|surveyor|pilot|nurse|pharmacist|psychologist|electrician|mechanic|estimator|underwriter|clerk"
    r"|chemist|geologist|evangelist|producer|steward|librarian|cook|chef|programmer|strategist|planner|bookkeeper|cashier"
    r"|waiter|coach|receptionist|gardener|brewer|porter|trainer|concierge|barista|housekeeper|baker)"
)

PHRASES: Ranks = (
    # Where somebody works, and what somebody is to us: no rank.
    (
        None,
        r"""
        (?:president|ceo|chairman|director|dean|mayor|chancellor|rector|provost|executive|managing director|principal)s? s? ?office
        office of the (?:\w+ ?){1,3}  directorate  director y  directory
        (?:founder|ceo|president|chairman|director) s(?! club)  board (?:secretary|assistant|support|office)
        head ?quarters?  head ?office  lead gen(?:eration)?  executive (?:search|team|suite)
        executive (?:education|office|support|compensation|search|committee support)  managers? s
        (?:business|channel|delivery|people|talent|hr|finance|technology|legal|marketing|it|procurement|learning|sales|data|commercial|supply chain)(?: business)? partner(?= manager| director| lead| executive)
        partner(?:s|ship)?(?= (?:manager|account|marketing|success|development|relation|enablement|sales|program|operation|engineer|solution|ecosystem|business|channel|alliance|network|technology|support|director|lead|executive|onboarding|experience|community|company|organi[sz]ation))
        head and neck
        (?:main |primary |billing |key |principal |technical |sales |emergency )?contact[oe]?s?\b(?! cent)[^|]*
        decision[ -]makers?  (?:economic|technical) buyer  (?:end|power|key) users?
    """,
    ),
    # Whom the title assists is not what its bearer is; before a rank, assistant is a deputy.
    (None, rf"assistant(?! (?:to|of|for|the)\b)(?= (?:\w+ ){{0,2}}{_RANK}\b)"),
    (
        INDIVIDUAL,
        r"""
        (?:\w+ )?assistants? (?:to|of|for|-)(?: |$)[^|]*
        (?:vp|ceo|cfo|md|directors?|presidents?|chairman|managers?)(?: s)? assistants?
        (?:executive|personal|private|management|administrative|board|team|office|virtual)? ?assistants? (?:ceo|cfo|coo|cto|md|dg|dga|pdg|drh|daf|dsi|gf|gm|president|chairman|founder)[^|]*
        [pe]a (?:to|for) [^|]*  assistant  founders? s? ?(?:associate|assistant)
        chief of staff s (?:associate|assistant)
    """,
    ),
    (DIRECTOR, "(?:company|corporate|group) secretary  chief of staff  town clerk  city clerk"),
    (
        C_LEVEL,
        """
        (?:general|permanent|executive|first|deputy permanent|cabinet|under) secretary(?: general)?
        secretary[ -]general  secretary of state
    """,
    ),
    (INDIVIDUAL, r"(?:\w+ )?secretary(?: (?:to|of|for) [^|]*)?"),
    # Names of a craft or a grade.
    (
        INDIVIDUAL,
        r"""
        art(?:istic)? director  director of photography  casting director
        (?:stage|film|theatre|theater|music|musical|movie|video|funeral|choir|choral|photography) director
        (?:executive|senior|line|field|film|music) producer
        (?:product|process|data|service|system|systems|application|risk|control|platform|project|problem|change|journey|business process|asset|information|api|feature|agile product|technical product|global process)s? owner
        scrum ?master  master (?:data|trainer|scheduler|electrician|technician|student|builder)
        (?:tech|technical|technology) lead(?:er)?  lead tech(?:nical)?
        (?:business|channel|delivery|people|talent|hr|finance|technology|legal|marketing|it|procurement|learning|sales|data|commercial|supply chain)(?: business)? partner
        account(?:s)? executive
        (?:document|inventory|stock|production|credit|air traffic|traffic|material|materials|quality|cost|project|movement|planning|fleet|transport|pest|infection) controller
        sous chef  commis chef  pastry chef  chef de (?:partie|rang)  line cook
        (?:team|crew|faculty|staff|union|band) member  member of (?:the )?(?:technical )?staff  shop steward
        works council\w*(?: chair\w*)?  head boy  head girl
    """,
    ),
    (VP, r"(?:[seargf]|sr|global )?vps?  (?:vice[ -]?presidents?|v[ -]?president)(?: general manager)?"),
    # The whole organisation.
    (
        C_LEVEL,
        r"""
        vice[ -]?(?:chair(?:man|woman|person)?|chancellor|provost|rector|mayor)  pro[ -]vice[ -]chancellor
        (?:non[ -]?executive|independent|outside|supervisory|board) directors?  directors? \| non[ -]?executive  neds?
        directors? of the board  board of (?:directors|trustees|governors|management|advisors)
        board (?:member|chair\w*|president|advis[eo]r|trustee|observer)
        (?:member|chair\w*|president)(?: of)?(?: the)? (?:\w+ )?(?:executive )?(?:board|committee|council)(?: of (?:directors|trustees))?
        (?:executive|management|managing|supervisory|advisory) (?:board|committee)(?: member)?  member of parliament
        chief(?: [\w&-]+){0,7} officers?  chief executive(?: officer)?  chief (?:legal |general )?counsel
        general counsel
        chief (?:financial|finance|operating|operations|technology|technical|information|marketing|revenue|commercial|people|product|data|digital|strategy|human resources|hr|legal|compliance|risk|security|customer|growth|sales|procurement|medical|innovation|transformation|sustainability)$
        c[efotimrpsdalnxgb]o  chro  ciso  cdio  cpto  cito  cxo  cmio  cdao  cpio  ceos  cso  ccio  ceo s
        co[ -]?(?:founder|owner|ceo|president|chair)  (?:founder|cofounder|founding (?:partner|member|director))
        (?:managing|senior|founding|equity|general|limited|law|tax|audit|named?|executive|regional|office|deputy managing|senior managing) partners?
        partners?  managing directors?  mds?  managing (?:principal|member|owner|trustee)
        (?:business |shop |company |sole |joint |part |majority |store |restaurant )?owners?(?: operator)?
        proprietors?  sole trader  entrepreneur  shareholder  restaurateur  presidents?  chairm[ae]n  chairwom[ae]n
        chairpersons?
        (?<!department )(?<!dept )(?<!endowed )(?<!committee )chair(?! of (?:the )?(?:department|dept)| in | professor)
        trustees?  governors?  mayor(?:ess)?  chancellors?  provost  rector  ministers?  senator
        ambassador(?= to| of)  director[ -]general  general director  commissioner  city manager
        (?:town|county|council) (?:manager|administrator)  principal and ceo  supreme \w+  superintendent of schools
    """,
    ),
    # The head of a named part of a company.
    (
        DIRECTOR,
        r"""
        (?:country|cluster) (?:manager|lead|head|director|leader|president)
        (?:general managers?|gms?)(?= (?:-|of|for|\|)? ?\w)  chief of [^|]*
        (?:fire|police|deputy|battalion|division|department|section) chief
        chief (?:nurse|physician|surgeon|matron|constable|radiologist|pathologist|resident medical officer)
        department (?:chair|head|chief)  (?:chair|head) of (?:the )?department  treasurers?  deans?
        editors?[ -]in[ -]chief  chief editor  head ?(?:master|mistress|teacher)s?  school principal
        (?:vice|deputy|assistant) principal  principal(?: of [^|]*)? (?=school|college|academy)  creative director
        (?:school|college|academy|high school|primary|elementary|middle school) principal  principal of [^|]*
        principal(?= \| \w* ?(?:school|college|academy))  deputy head teacher  superintendent general
    """,
    ),
    (C_LEVEL, "general managers?  gms?"),
    # Who leads those of the same craft.
    (
        MANAGER,
        rf"""
        (?:chief|head|managing|executive|supervising|supervisory) (?:\w+ ){{0,2}}{_CRAFT}
        managing (?:\w+ )?(?:consultant|editor|attorney|counsel|scientist)
        head of (?:the )?(?:ward|kitchen|library|shift|bar)[^|]*  ward (?:sister|leader)  charge nurse
    """,
    ),
)
WORDS: Ranks = (
    (DIRECTOR, r"directors?  heads?"),
    (
        MANAGER,
        r"""
        managers?  management lead
        (?:team|group|squad|shift|crew|chapter|tribe|section|practice|cell|line|department|project|program|programme|unit|floor|branch|community|guild|studio|workstream|capability|stream|portfolio|delivery|release|change|area|district|regional|sales|store|operations|engineering|production|business) ?(?:lead|leader)s?
        teamlead(?:er)?s?  leads?(?= *(?:$|\||&|of|for|in|at|~|-))  leaders?  supervisors?  superintendents?
        forem[ae]n  forewoman  overseer  (?:crew|section) chief  postmaster  quartermaster  station master  captain
        sergeant  (?:site|shift) boss  taskmaster  matron  comptroller  controllers?(?! training)
    """,
    ),
    (
        INDIVIDUAL,
        r"""
        analysts?  engineers?  developers?  programmers?  specialists?  consultants?  clerks?  administrators?
        admins?  accountants?  bookkeepers?  designers?  co-?ordinators?  representatives?  reps?  agents?
        technicians?  technologists?  architects?  scientists?  recruiters?  buyers?  purchasers?  planners?
        operators?  operatives?  trainers?  writers?  editors?  copywriters?  associates?  experts?  advis[eo]rs?
        employees?  interns?  internship  apprentices?  trainees?  students?  graduates?  counsels?  lawyers?
        attorneys?  solicitors?  barristers?  paralegals?  executives?  officers?  researchers?  testers?  nurses?
        doctors?  physicians?  surgeons?  dentists?  therapists?  psychologists?  pharmacists?  teachers?  lecturers?
        professors?  readers?  fellows?  instructors?  tutors?  educators?  librarians?  receptionists?  drivers?
        mechanics?  electricians?  plumbers?  carpenters?  welders?  cooks?  chefs?  strategists?  producers?
        artists?  photographers?  journalists?  reporters?  workers?  auditors?  actuar(?:y|ies)  underwriters?
        traders?  brokers?  dealers?  bankers?  cashiers?  tellers?  sales(?:person|man|woman|people)  merchandisers?
        evangelists?  advocates?  liaisons?  dispatchers?  estimators?  surveyors?  inspectors?  examiners?
        investigators?  negotiators?  schedulers?  marketers?  [sbl]drs?  ae  csm  sysadmins?  dba  swe  sre
        generalists?  practitioners?  facilitators?  contractors?  freelancers?  freelance  self[ -]employed  hackers?
        brand ambassadors?  webmasters?  headhunters?  post-?docs?  postdoctoral  pastors?  priests?  judges?
        councill?ors?  squad members?  volunteers?  (?!check|play|short|black)\w{5,}ist  \w{3,}ologists?
        \w{3,}ographers?  \w{3,}icians?  \w{3,}itians?  \w{3,}arians?  \w{3,}smiths?  \w{3,}keepers?  \w{3,}workers?
        \w{3,}persons?  \w{3,}(?<!for)(?<!chair)wom[ae]n
        (?:sales|spokes|police|post|crafts|drafts|draughts|trades|handy|repair|service|camera|sea|fire|fisher|watch|lines|stock|store|yard)m[ae]n
        actors?  actress(?:es)?  dancers?  singers?  composers?  authors?  poets?  sculptors?  athletes?  referees?
        vets?  appraisers?  valuers?  expeditors?  loaders?  stockers?  sorters?  shippers?  riggers?  drillers?
        miners?  grinders?  turners?  millers?  installers?  repairers?  washers?  tailors?  printers?  detectives?
        constables?  lieutenants?  wardens?  rangers?  lifeguards?  bailiffs?  ushers?  porters?  concierges?  valets?
        butlers?  nann(?:y|ies)  carers?  lobbyists?  diplomats?  consuls?  coders?  proofreaders?  presenters?
        hosts?  videographers?  interviewers?  telemarketers?  auctioneers?  realtors?  conveyancers?  notar(?:y|ies)
        arbitrators?  bursars?  proctors?  painters?  roofers?  joiners?  bakers?  butchers?  tilers?  data entry
        ambassador  stockbrokers?  creators?  key accounter  hygienists?  caseworkers?  ninjas?  rockstar
        individual contributor  contributor  gurus?  temp  devops  qa  economists?  statisticians?  mathematicians?
        chemists?  biologists?  physicists?  geologists?  translators?  interpreters?  ombudsman  mediators?
        coach(?:es)?  mentors?  stewards?  attendants?  assemblers?  machinists?  fitters?  handlers?  packers?
        pickers?  janitors?  caretakers?  cleaners?  guards?  soldiers?  firefighters?  paramedics?  midwi(?:fe|ves)
        caregivers?  curators?  archivists?  bartenders?  waiters?  waitress(?:es)?  baristas?  hostess(?:es)?
        stylists?  hairdressers?  builders?  farmers?  pilots?  sailors?  assessors?  adjusters?  appraisers?
        collectors?  processors?  controllers? in training  animators?  illustrators?  modell?ers?  moderators?
        promoters?  fundraisers?  organi[sz]ers?  typists?  controller assistant  support(?= agent| engineer)
        sommeliers?  registrars?  clinicians?  counsell?ors?  investors?  bloggers?  typesetters?  principal(?= \w)
        senior(?= \w)
    """,
    ),
)

# What says something only where no other rank is named: `lead marketing`.
LAST: Ranks = ((MANAGER, "leads?"),)
