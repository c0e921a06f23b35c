"""An incident as a VERIS record (the community schema 1.3.1 of the Vocabulary for Event Recording and Incident Sharing).

What is not known is said to be unknown in the word that the vocabulary has for it. Words that VERIS would need and nobody
here records (variety of an actor, size of the company, its industry) are unknown too. What the review ticked as causes and
factors stands among the actions, each in the word that the vocabulary has for it. What an action implies by the community's own
check of consistency (checkValidity.py beside the schema) stands among what was harmed, and who did it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from incident.domain.dossier import Dossier
from incident.domain.facts import vocabulary
from incident.domain.reviews import FACTORS
from incident.exports import shared

MIME: Final = "application/json"
VERSION: Final = "1.3.1"
UNKNOWN: Final = "Unknown"
OTHER: Final = "Other"
NEWER_PLACES: Final = frozenset({"XK"})
"""Places that the vocabulary names only since a later version."""
IMPLIED: Final = (
    ("malware", "", "integrity", "Software installation"),
    ("social", "", "integrity", "Alter behavior"),
    ("hacking", "SQLi", "integrity", "Repurpose"),
    ("physical", "Theft", "availability", "Loss"),
    ("error", "Loss", "availability", "Loss"),
)
"""An action, with a variety of it or any, and what was harmed by it, with the word for how."""
NEWER: Final = frozenset({"hacking.exploit"})
"""Factors whose word came after 1.3.0: said as another one, with that word in a note."""
VECTORLESS: Final = frozenset({"environmental"})
UNSAID: Final[dict[str, list[str]]] = {"variety": [UNKNOWN], "vector": [UNKNOWN]}
FOUND: Final = {
    "monitoring": "Int - infrastructure monitoring",
    "staff": "Int - reported by employee",
    "customer": "Ext - customer",
    "researcher": "Ext - other",
    "supplier": "Prt - other",
    "authority": "Ext - law enforcement",
    "attacker": "Ext - actor disclosure",
    "press": "Ext - other",
    "other": "Other",
}
DISCLOSED: Final = {
    "none": "No",
    "none_confirmed_by_logs": "No",
    "none_confirmed": "No",
    "no_evidence": "Potentially",
    "likely": "Potentially",
    "confirmed": "Yes",
    "published": "Yes",
}
CONFIDENCE: Final = {"high": "High", "medium": "Medium", "low": "Low"}
DATA: Final = (("credential", "Credentials"), ("financial", "Bank"), ("health", "Medical"))
"""Marks of kinds of data, and which variety of VERIS they are, the first that fits; all others are personal."""
CARDS: Final = frozenset({"payment_card", "payment_card_code"})


def record(told: Dossier) -> dict[str, Any]:
    """The record as JSON-ready values. Raises Refused."""
    told = shared.real(told)
    what = told.facts.get("what_happened")
    action = _with_factors(_action(told), told.factors)
    made: dict[str, Any] = {
        "schema_version": VERSION,
        "incident_id": str(shared.identifier(told, "incident")),
        "source_id": "tocsin",
        "reference": told.ref,
        "security_incident": "Near miss" if told.kind == "near_miss" else "Confirmed",
        "summary": what.value if what and isinstance(what.value, str) else told.title,
        "action": action,
        "actor": _of_misuse(_actor(told)) if "misuse" in action else _actor(told),
        "asset": {"assets": [{"variety": _asset(told)}]},
        "attribute": _with_implied(_attribute(told), action),
        "discovery_method": FOUND.get(shared.word(told, "how_found"), UNKNOWN),
        "timeline": _timeline(told),
    }
    if what and what.confidence in CONFIDENCE:
        made["confidence"] = CONFIDENCE[what.confidence]
    if countries := _countries(told):
        made["victim"] = {"country": countries, "employee_count": UNKNOWN, "industry": "00"}
    return made


def _action(told: Dossier) -> dict[str, Any]:
    """What was done, as far as the kind of incident says so."""
    on_purpose = shared.yes(told, "malicious")
    match told.category:
        case "ransomware":
            return {"malware": {"variety": ["Ransomware"], "vector": [UNKNOWN]}}
        case "skimming":
            return {"malware": {"variety": ["Capture app data"], "vector": [UNKNOWN]}}
        case "account_takeover":
            return {"hacking": {"variety": ["Use of stolen creds"], "vector": [UNKNOWN]}}
        case "phishing":
            return {"social": {"variety": ["Phishing"], "vector": ["Email"], "target": [UNKNOWN]}}
        case "insider":
            return {"misuse": UNSAID}
        case "misdirected":
            return {"error": {"variety": ["Misdelivery"], "vector": [UNKNOWN]}}
        case "lost_device":
            stolen = {"physical": {"variety": ["Theft"], "vector": [UNKNOWN]}}
            return stolen if on_purpose else {"error": {"variety": ["Loss"], "vector": [UNKNOWN]}}
        case "data_leak" if on_purpose is not None:
            return {"hacking" if on_purpose else "error": UNSAID}
    return {"unknown": {}}


def _with_factors(action: dict[str, Any], factors: Sequence[str]) -> dict[str, Any]:
    """The same with what the review found: a word takes the place of what was unknown, and stands beside what was known."""
    found: dict[str, dict[str, Any]] = {
        group: {name: list(words) for name, words in held.items()} for group, held in action.items()
    }
    for factor in factors:
        group, _, _ = factor.partition(".")
        name = "vector" if group == "by" else "variety"
        held = found.setdefault("error" if group == "by" else group, _unsaid(group))
        held[name] = [word for word in held[name] if word not in {UNKNOWN, _word(factor)}] + [_word(factor)]
        if factor in NEWER:
            held["notes"] = FACTORS[factor][0]
    return {group: held for group, held in found.items() if group != "unknown" or len(found) == 1}


def _unsaid(group: str) -> dict[str, Any]:
    """An action of which nothing but its kind is known."""
    made: dict[str, Any] = {"variety": [UNKNOWN]}
    made |= {} if group in VECTORLESS else {"vector": [UNKNOWN]}
    return made | ({"target": [UNKNOWN]} if group == "social" else {})


def _word(factor: str) -> str:
    return OTHER if factor in NEWER else FACTORS[factor][0]


def _actor(told: Dossier) -> dict[str, Any]:
    on_purpose = shared.yes(told, "malicious")
    if told.category == "insider":
        return {"internal": {"variety": [UNKNOWN], "motive": [UNKNOWN]}}
    if told.category == "supplier":
        return {"partner": {"country": [UNKNOWN], "motive": [UNKNOWN]}}
    if on_purpose:
        return {"external": {"variety": [UNKNOWN], "motive": [UNKNOWN], "country": [UNKNOWN]}}
    if on_purpose is False and told.category in {"misdirected", "lost_device", "data_leak"}:
        return {"internal": {"variety": [UNKNOWN], "motive": ["NA"]}}
    return {"unknown": {}}


def _asset(told: Dossier) -> str:
    by_kind = {"lost_device": "U - Unknown", "phishing": "P - Unknown", "skimming": "S - Web application"}
    return by_kind.get(told.category, UNKNOWN)


def _attribute(told: Dossier) -> dict[str, Any]:
    hurt = shared.words(told, "properties")
    found: dict[str, Any] = {}
    if "confidentiality" in hurt or shared.yes(told, "personal_data") or not hurt:
        found["confidentiality"] = _confidentiality(told)
    for word in ("integrity", "availability"):
        if word in hurt:
            found[word] = {"variety": [UNKNOWN]}
    return found


def _with_implied(attribute: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
    """The same with what the actions imply: a word takes the place of what was unknown."""
    found = dict(attribute)
    for group, variety, hurt, word in IMPLIED:
        if group in action and (not variety or variety in action[group]["variety"]):
            known = found.get(hurt, {}).get("variety", [])
            found[hurt] = {"variety": [one for one in known if one not in {UNKNOWN, word}] + [word]}
    return found


def _of_misuse(actor: dict[str, Any]) -> dict[str, Any]:
    """Only somebody with rights can misuse them: one of one's own people where no partner is known to have done it."""
    if {"internal", "partner"} & actor.keys():
        return actor
    known = {who: held for who, held in actor.items() if who != "unknown"}
    return known | {"internal": {"variety": [UNKNOWN], "motive": [UNKNOWN]}}


def _confidentiality(told: Dossier) -> dict[str, Any]:
    found: dict[str, Any] = {"data_disclosure": DISCLOSED.get(shared.word(told, "exfiltration"), UNKNOWN)}
    if varieties := sorted({_variety(kind) for kind in shared.words(told, "data_kinds")}):
        found["data"] = [{"variety": variety} for variety in varieties]
    if (total := shared.number(told, "records_count") or shared.people(told)) is not None:
        found["data_total"] = total
    return found


def _variety(kind: str) -> str:
    if kind in CARDS:
        return "Payment"
    known = vocabulary().kinds.get(kind)
    flags = known.flags if known else ()
    return next((variety for flag, variety in DATA if flag in flags), "Personal")


def _countries(told: Dossier) -> list[str]:
    """The countries of the organisation's establishments; a state of a country counts as its country."""
    found = {place.partition("-")[0] for place in shared.words(told, "establishments")}
    return sorted({OTHER if place in NEWER_PLACES else place for place in found})


def _timeline(told: Dossier) -> dict[str, Any]:
    begun, found = shared.first(told, shared.BEGUN), shared.first(told, shared.FOUND)
    contained = shared.first(told, ("contained_at",))
    day = begun or found or told.opened_at
    made: dict[str, Any] = {"incident": {"year": day.year, "month": day.month, "day": day.day}}
    made["discovery"] = _length(found - begun if begun and found and found >= begun else None)
    made["containment"] = _length(contained - found if found and contained and contained >= found else None)
    return made


def _length(gap: timedelta | None) -> dict[str, Any]:
    """A length in the largest unit of which it is at least two."""
    if gap is None:
        return {"unit": UNKNOWN}
    hours = gap.total_seconds() / 3600
    for unit, size in (("Months", 30.4 * 24), ("Days", 24.0), ("Hours", 1.0)):
        if hours >= 2 * size:
            return {"unit": unit, "value": round(hours / size)}
    return {"unit": "Minutes", "value": round(hours * 60)}
