"""Filters of lists that people keep under a name: which lists there are, and what may be kept of an address."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from incident.domain.errors import Invalid, Refused
from incident.domain.wording import one_line

LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    # list: what its filter may say, in the words of its address
    "incidents": ("q", "kind", "state", "order"),
    "duties": ("only", "when"),
    "incident-duties": ("only", "q", "to", "place", "law", "confidence", "fold"),
    "people": ("place", "language", "age", "wave", "lacks", "state", "doubtful"),
    "notices": ("stage",),
    "deliveries": ("state", "channel", "language", "reason", "owner", "came_from", "every"),
    "enquiries": ("state", "kind", "mine"),
    "record": ("who", "what", "since", "until"),
}
LONGEST_NAME: Final = 60
LONGEST_WORD: Final = 200
MOST: Final = 100
"""Of one person, over all lists."""


@dataclass(frozen=True)
class Chosen:
    """A filter under its name: what the address of its list says, word by word."""

    name: str
    asked: Mapping[str, str] = field(default_factory=dict)


def checked(listing: str, name: str, asked: Mapping[str, str]) -> Chosen:
    """Return the filter as it can be kept. Raises Invalid naming the field."""
    if listing not in LISTS:
        raise Invalid("list", f"Choose one of these lists: {', '.join(LISTS)}.")
    kept = {word: asked[word].strip() for word in LISTS[listing] if asked.get(word, "").strip()}
    if set(asked) - set(LISTS[listing]):
        raise Invalid("asked", f"This list is filtered by {', '.join(LISTS[listing])}.")
    if not kept:
        raise Invalid("asked", "Filter the list first; then this choice can be kept under a name.")
    if any(len(value) > LONGEST_WORD or not value.isprintable() for value in kept.values()):
        raise Invalid("asked", f"Keep each part of the filter under {LONGEST_WORD} letters.")
    return Chosen(checked_name(name), kept)


def checked_name(name: str) -> str:
    """Return the name as it can be kept. Raises Invalid."""
    plain = one_line(name)
    if not plain:
        raise Invalid("name", "Give the filter a name.")
    if len(plain) > LONGEST_NAME:
        raise Invalid("name", f"Keep the name under {LONGEST_NAME} letters.")
    return plain


def demand_room(own: int) -> None:
    """Raises Refused where this person keeps too many already."""
    if own >= MOST:
        raise Refused(f"You keep {MOST} filters already. Delete one that you no longer use.")


def demand_unlike(names: Iterable[str], name: str) -> None:
    """Raises Invalid where this person has another filter of that name for the list."""
    if name.casefold() in {other.casefold() for other in names}:
        raise Invalid("name", "You have a filter of this name for this list. Choose another name, or delete that one.")


def demand_team(roles: Collection[object], *, shared: bool) -> None:
    """Raises Refused where a guest wants to give a filter to the team."""
    if shared and not roles:
        raise Refused("A guest keeps filters for themselves. Ask somebody of the team to share this one.")
