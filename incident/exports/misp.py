"""An incident as a MISP event (MISP core format, draft-dulaunoy-misp-core-format), to be added to an instance by its people.

Nothing is published or distributed beyond the receiving organisation unless somebody there says so.
"""

from typing import Any, Final
from uuid import uuid5

from incident.domain.dossier import Dossier
from incident.exports import shared

MIME: Final = "application/json"
THREAT: Final = {"critical": "1", "high": "1", "moderate": "2", "low": "3"}
UNDEFINED: Final = "4"
ONLY_WE: Final = "0"
INITIAL, ONGOING, COMPLETE = "0", "1", "2"


def event(told: Dossier) -> dict[str, Any]:
    """The event as JSON-ready values. Raises Refused."""
    told = shared.real(told)
    day = shared.first(told, shared.BEGUN) or shared.first(told, shared.FOUND) or told.opened_at
    number = shared.identifier(told, "misp event")
    attributes = [
        {
            "uuid": str(uuid5(number, f"{kind} {value}")),
            "type": kind,
            "category": category,
            "value": value,
            "to_ids": False,
            "distribution": ONLY_WE,
            "comment": comment,
            "timestamp": _stamp(told),
        }
        for kind, category, value, comment in _attributes(told)
    ]
    return {
        "Event": {
            "uuid": str(number),
            "info": told.title,
            "date": day.date().isoformat(),
            "timestamp": _stamp(told),
            "published": False,
            "distribution": ONLY_WE,
            "threat_level_id": THREAT.get(shared.level(told), UNDEFINED),
            "analysis": _analysis(told),
            "Tag": [{"name": "tlp:amber"}],
            "Attribute": attributes,
        }
    }


def _stamp(told: Dossier) -> str:
    return str(int(told.made_at.timestamp()))


def _analysis(told: Dossier) -> str:
    if told.state == "closed":
        return COMPLETE
    return ONGOING if shared.words(told, "properties") or told.grades else INITIAL


def _attributes(told: Dossier) -> list[tuple[str, str, str, str]]:
    """Type, category, value and comment of each attribute."""
    found = [("text", "Internal reference", told.ref, "reference of the incident at its organisation")]
    what = told.facts.get("what_happened")
    if what and isinstance(what.value, str):
        found.append(("comment", "Other", what.value, "what happened"))
    if told.category:
        found.append(("text", "Other", told.category, "kind of incident"))
    if told.company.name:
        found.append(("target-org", "Targeting data", told.company.name, "the organisation concerned"))
    found += [("text", "Other", system, "system concerned") for system in shared.words(told, "systems")]
    if (people := shared.people(told)) is not None:
        found.append(("counter", "Other", str(people), "people affected"))
    return found
