"""What incident databases of other organisations are told of an incident, before it takes one of their forms.

Never anything about an affected person: kinds, counts and times alone, with the title and the one text that says what
happened. A drill has nothing to tell.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from incident.domain.dossier import Dossier
from incident.domain.errors import Refused
from incident.domain.facts import UNKNOWN

NAMESPACE: Final = UUID("0f6d1f6e-52c7-5d0b-9f43-7d4f0b0a6c11")
"""Under which the identifiers of exported things are made, so that the same thing has the same one in every export."""
BEGUN: Final = ("occurred_from",)
FOUND: Final = ("noticed_at", "detected_at", "discovered_at", "aware_at")
GOT_OUT: Final = {"likely": "suspected", "confirmed": "confirmed", "published": "confirmed"}
STAYED: Final = frozenset({"none", "none_confirmed_by_logs", "none_confirmed"})


def real(told: Dossier) -> Dossier:
    """The same, unless it is a drill. Raises Refused."""
    if told.kind == "drill":
        raise Refused("A drill did not happen, so nobody else is told of it in a form for databases.")
    return told


def identifier(told: Dossier, what: str) -> UUID:
    """The identifier of one thing of this incident."""
    return uuid5(NAMESPACE, f"{told.company.name} {told.ref} {what}")


def word(told: Dossier, key: str) -> str:
    """The word of a choice; empty while it is unknown."""
    value = told.value(key)
    return value if isinstance(value, str) else ""


def yes(told: Dossier, key: str) -> bool | None:
    """Yes, no, or None while it is unknown."""
    value = told.value(key)
    return value if isinstance(value, bool) else None


def words(told: Dossier, key: str) -> tuple[str, ...]:
    """The words of choices or of a list."""
    value: Any = told.value(key)
    return tuple(value) if value is not UNKNOWN and isinstance(value, tuple | list) else ()


def number(told: Dossier, key: str) -> int | None:
    """A count; None while it is unknown."""
    value = told.value(key)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def people(told: Dossier) -> int | None:
    """How many people are affected: those on the list, else as recorded."""
    return told.people_total or number(told, "people_count")


def first(told: Dossier, keys: Collection[str]) -> datetime | None:
    """The earliest of these moments that is known."""
    known = (told.value(key) for key in keys)
    return min((moment for moment in known if isinstance(moment, datetime)), default=None)


def level(told: Dossier) -> str:
    """The word of the operational level; empty while there is none."""
    return next((one.level for one in told.grades if one.scale == "operational"), "")
