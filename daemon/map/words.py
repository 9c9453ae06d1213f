"""What fields are called: the words for each fact in English, German, French and Spanish, and how well a name matches."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_UMLAUT = re.compile(r"([aou])e")
# What stands around every custom name and means nothing.
_NOISE = frozenset({"c", "hs", "the", "of", "de", "des", "der", "die", "das", "du", "la", "le", "el", "los", "las", "d",
                    "l", "account", "field", "current", "aktuell", "aktueller", "actuel", "actual", "custom"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words of one fact. `sure`: nothing else is called so; `likely`: it may be; `never`: it is something else."""

    sure: tuple[str, ...]
    likely: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


_OTHER_TIMES = ("previous", "prior", "last year", "old", "former", "vorjahr", "alt", "precedent", "anterior", "forecast",
                "target", "goal", "initial", "original", "ziel", "prognose", "budget", "churned", "lost")  # fmt: skip

VOCABULARY: Mapping[str, Vocabulary] = {
    "arr": Vocabulary(
        ("arr", "annual recurring revenue", "annualized recurring revenue", "annualised recurring revenue",
         "jahrlich wiederkehrender umsatz", "wiederkehrender jahresumsatz", "wiederkehrender umsatz",
         "revenu annuel recurrent", "revenus annuels recurrents", "ingresos recurrentes anuales",
         "ingreso anual recurrente"),
        ("acv", "annual contract value", "recurring revenue", "annual value", "contract value", "subscription value",
         "subscription amount", "yearly amount", "annual amount", "jahresumsatz", "jahreswert", "jahresbetrag",
         "vertragswert", "valeur annuelle", "valeur contrat", "montant annuel", "valor anual", "valor contrato",
         "importe anual"),
        (*_OTHER_TIMES, "mrr", "monthly", "monatlich", "mensuel", "mensual", "annual revenue", "growth", "change",
         "wachstum", "potential"),
    ),
    "renewal": Vocabulary(
        ("renewal", "renewal date", "renewal on", "next renewal", "verlangerung", "vertragsverlangerung",
         "verlangerungsdatum", "renouvellement", "date renouvellement", "renovacion", "fecha renovacion"),
        ("contract end", "contract end date", "contract expiry", "subscription end", "subscription end date", "expiry",
         "expiration", "expires", "end date", "ends on", "ends", "end", "term end", "valid until", "gultig bis",
         "valable jusqu", "valido hasta", "vertragsende", "vertragsablauf", "laufzeitende", "ablauf",
         "enddatum", "kundigungstermin", "fin contrat", "date fin", "echeance", "fin contrato", "fecha fin",
         "vencimiento"),
        ("last renewal", "previous renewal", "letzte", "dernier", "ultima", "trial", "probezeit", "modified", "probability"),
    ),
    "contract_start": Vocabulary(
        ("contract start", "contract start date", "customer since", "subscription start", "subscription start date",
         "vertragsbeginn", "vertragsstart", "kunde seit", "debut contrat", "client depuis", "inicio contrato",
         "cliente desde"),
        ("start date", "start", "onboarding start", "go live", "go live date", "contract date", "first closed won",
         "became customer", "became a customer date", "startdatum", "beginn", "date debut", "debut", "fecha inicio",
         "inicio"),
        ("trial", "next", "nachste", "end", "ende", "fin"),
    ),
    "auto_renews": Vocabulary(
        ("auto renew", "auto renews", "auto renewal", "autorenew", "autorenewal", "automatic renewal", "evergreen",
         "automatische verlangerung", "autoverlangerung", "auto verlangerung", "renouvellement automatique",
         "tacite reconduction", "reconduction tacite", "renovacion automatica", "auto renovacion"),
        ("renews automatically", "verlangert automatisch"),
        ("date", "datum", "fecha"),
    ),
    "term": Vocabulary(
        ("term days", "contract term days", "laufzeit tage", "vertragslaufzeit tage", "duree jours", "plazo dias",
         "duracion dias"),
        ("contract term", "term", "contract length", "contract duration", "laufzeit", "vertragslaufzeit", "duree",
         "duree contrat", "duracion", "duracion contrato", "plazo"),
        ("payment", "zahlung", "paiement", "pago", "end", "start"),
    ),
    "seats": Vocabulary(
        ("seats", "licensed seats", "seat count", "number of seats", "licenses", "licences", "licensed users",
         "purchased seats", "lizenzen", "anzahl lizenzen", "platze", "nutzerlizenzen", "nombre licences", "licencias",
         "asientos", "numero licencias", "sieges"),
        ("users", "user count", "number of users", "quantity", "nutzer", "anzahl nutzer", "menge", "quantite",
         "utilisateurs", "usuarios", "cantidad", "contracted users"),
        ("active", "aktive", "actifs", "activos", "used", "unused", "available", "employees", "price", "preis"),
    ),
    "team_size": Vocabulary(
        ("team size", "customer team size", "size of team", "people at customer", "teamgrosse", "team grosse",
         "taille equipe", "tamano equipo"),
        ("team members", "number of people", "employees", "number of employees", "numberofemployees", "employee count",
         "headcount", "mitarbeiter", "anzahl mitarbeiter", "mitarbeiterzahl", "effectif", "nombre employes", "salaries",
         "empleados", "numero empleados", "plantilla"),
        ("range", "band", "segment", "growth", "change", "wachstum", "sales", "sdr", "open", "our", "partner"),
    ),
    "tags": Vocabulary(
        ("tags", "account tags", "customer tags", "schlagworte", "schlagworter", "stichworte", "kundenmerkmale",
         "etiquettes", "mots cles", "etiquetas", "palabras clave"),
        ("tag", "labels", "keywords", "markers", "flags", "merkmale", "kennzeichen", "programs", "programme",
         "programas", "marcas"),
        ("manager", "price", "preis", "date", "datum", "fecha", "erster", "letzter", "health", "hash", "html", "meta"),
    ),
    "segment": Vocabulary(
        ("segment", "customer segment", "market segment", "kundensegment", "marktsegment", "segmento",
         "segment client"),
        ("size segment", "company size", "grossenklasse", "size band", "taille entreprise", "tamano"),
        ("industry", "branche", "sector", "marketing"),
    ),
    "usage_key": Vocabulary(
        ("workspace id", "workspace", "tenant id", "tenant", "product account id", "app account id", "instance id",
         "mandant", "mandanten id", "mandantennummer", "espace travail", "id espace", "espacio trabajo", "inquilino"),
        ("subdomain", "organization id", "organisation id", "org id", "customer id", "external id", "account id",
         "kundennummer", "numero client", "numero cliente", "id cliente", "account number", "environment id"),
        ("salesforce", "hubspot", "parent", "master", "owner", "billing", "stripe", "jigsaw", "record", "duns", "object"),
    ),
    "potential": Vocabulary(
        ("potential", "arr potential", "expansion potential", "upsell potential", "total addressable value", "pav",
         "potenzial", "ausbaupotenzial", "potentiel", "potencial"),
        ("whitespace value", "wallet size", "addressable spend"),
        ("segment", "score", "market fit"),
    ),
    "strategic": Vocabulary(
        ("strategic", "strategic account", "is strategic", "key account", "strategisch", "strategischer kunde",
         "schlusselkunde", "strategique", "compte strategique", "compte cle", "estrategico", "cuenta estrategica",
         "cuenta clave", "vip"),
        (),
        ("manager", "plan", "goal", "owner"),
    ),
    "market_fit": Vocabulary(
        ("market fit", "icp fit", "icp score", "fit score", "product market fit", "marktpassung", "encaje mercado"),
        ("ideal customer profile", "fit"),
        ("segment",),
    ),
    "csm": Vocabulary(
        ("csm", "customer success manager", "customer success", "success manager", "success owner", "cs owner",
         "csm owner", "kundenbetreuer", "kundenerfolgsmanager", "kundenerfolg", "responsable succes client",
         "responsable reussite client", "charge succes client", "gestor exito", "gerente exito cliente",
         "responsable exito cliente"),
        ("account manager", "relationship manager", "customer manager", "betreuer", "kundenmanager",
         "gestionnaire compte", "charge compte", "gestor cuenta", "ejecutivo cuenta"),
        ("backup", "former", "previous", "sales", "manager email", "created", "modified", "updated"),
    ),
    "tier": Vocabulary(
        ("tier", "customer tier", "service tier", "account tier", "csm tier", "kundenklasse", "kundenstufe",
         "abc kunde", "abc klasse", "niveau client", "categorie client", "nivel cliente", "categoria cliente"),
        ("class", "customer class", "level", "klasse", "stufe", "niveau", "nivel", "priority", "rating"),
        ("support", "pricing", "price", "partner", "status", "stage"),
    ),
    "customer": Vocabulary(
        ("customer status", "customer type", "account type", "type", "lifecycle stage", "lifecyclestage",
         "lifecycle", "kundenstatus", "kundentyp", "kontotyp", "statut client", "type client", "estado cliente",
         "tipo cliente", "is customer", "customer", "kunde", "client", "cliente", "relationship type"),
        ("status", "account status", "stage", "statut", "estado", "phase"),
        ("clean", "lead", "record", "support", "marketing", "priority", "source", "ownership", "onboarding"),
    ),
}  # fmt: skip
CUSTOMERS = Vocabulary(
    ("customer", "customers", "active customer", "existing customer", "paying customer", "client", "clients", "kunde",
     "kunden", "bestandskunde", "aktiver kunde", "aktivkunde", "client actif", "cliente", "cliente activo"),
    ("active", "live", "aktiv", "actif", "activo", "current", "evangelist", "won"),
    ("former", "ex", "churned", "lost", "past", "non", "not", "prospect", "potential", "ehemaliger", "ehemalig",
     "inaktiv", "inactive", "ancien", "inactif", "antiguo", "inactivo", "partner", "former customer", "interessent"),
)  # fmt: skip
"""Values that mean: this account is a customer."""
FORMER = Vocabulary(
    ("former customer", "former client", "ex customer", "past customer", "churned", "churned customer", "lost customer",
     "former", "ehemaliger kunde", "gekundigt", "ex kunde", "ancien client", "resilie", "antiguo cliente", "ex cliente", "baja"),
)  # fmt: skip
"""Values that mean: it was one."""
IN_FORCE = Vocabulary(
    ("active", "activated", "aktiv", "aktiviert", "actif", "active contract", "activo", "vigente", "in force",
     "en vigueur", "in kraft", "laufend", "live", "signed", "unterzeichnet", "current"),
)  # fmt: skip
"""Values of a status field of a contract that counts."""
STATUS = Vocabulary(("status", "contract status", "state", "stage", "zustand", "statut", "etat", "estado"))
CONTRACTS = Vocabulary(
    ("contract", "subscription", "agreement", "vertrag", "vertrage", "abonnement", "abo", "contrat", "contrato",
     "suscripcion", "license", "licence", "lizenz", "entitlement", "arr")
)  # fmt: skip
"""Objects whose plain `amount` or `end` is the contract's."""
AMOUNTS = Vocabulary(
    ("amount", "value", "total", "price", "fee", "betrag", "wert", "summe", "preis", "montant", "valeur", "prix",
     "importe", "valor", "precio")
)  # fmt: skip


def tokens(text: str) -> tuple[str, ...]:
    """`Jährl_Umsatz__c` or `annualRevenue` as plain small words, without accents and without what says nothing."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    # `Verlaengerung` is `Verlängerung`: both sides lose the e, so that it does no harm in English either.
    words = [_UMLAUT.sub(r"\1", part.lower()) for part in _PART.findall(plain)]
    kept = tuple(word for word in words if word not in _NOISE)
    return kept or tuple(words)


def match(vocabulary: Vocabulary, *names: str) -> tuple[float, str]:
    """How surely one of these names means it, 0..1, and the words that say so. A longer name says less by one word."""
    best = (0.0, "")
    for name in names:
        words = tokens(name)
        if not words:
            continue
        foreign = _has(words, vocabulary.never)
        for weight, phrases in ((1.0, vocabulary.sure), (0.6, vocabulary.likely)):
            for phrase in phrases:
                wanted = tokens(phrase)
                if not _within(words, wanted):
                    continue
                share = len(wanted) / len(words)
                score = weight * (0.6 + 0.4 * share) * (0.15 if foreign and share < 1 else 1.0)
                best = max(best, (score, phrase))
    return best


def _has(words: Sequence[str], phrases: Sequence[str]) -> bool:
    return any(_within(words, tokens(phrase)) for phrase in phrases)


def _within(words: Sequence[str], wanted: Sequence[str]) -> bool:
    """The wanted words stand in the name, side by side or run together."""
    size = len(wanted)
    if not size:
        return False
    if any(tuple(words[i : i + size]) == tuple(wanted) for i in range(len(words) - size + 1)):
        return True
    return len("".join(wanted)) > 4 and "".join(wanted) in words
