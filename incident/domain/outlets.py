"""Newsrooms that the team keeps addresses of, and what becomes of a notice that is handed to one of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from incident.domain import places, starters
from incident.domain.errors import Invalid, Refused
from incident.domain.handovers import State
from incident.domain.notices import Stage
from incident.domain.preflight import is_email
from incident.domain.wording import cleaned, one_line

LONGEST_NAME: Final = 120
MOST_PLACES: Final = 60
MOST_LINES: Final = 5
LONGEST_LINE: Final = 80
RETRIES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""How long to wait after each try that was put off; after the last one it has failed."""


class Way(StrEnum):
    """How a newsroom is told."""

    EMAIL = "email"
    PAPER = "paper"


WORDS: Final = {
    State.WAITING: ("waiting", "idle"),
    State.CLAIMED: ("being sent", "owed"),
    State.CALLING: ("being sent", "owed"),
    State.ACCEPTED: ("sent", "met"),
    State.DELIVERED: ("delivered", "met"),
    State.PRINTED: ("printed, not handed over yet", "soon"),
    State.HANDED_OVER: ("handed over", "met"),
    State.FAILED: ("not sent", "late"),
    State.IN_DOUBT: ("in doubt: it may have gone out", "open"),
    State.SIMULATED: ("simulated: nobody was told", "soon"),
    State.CANCELLED: ("not sent: the approval is gone", "late"),
}
REPEATABLE: Final = frozenset({State.FAILED, State.IN_DOUBT, State.CANCELLED})
"""States after which the same notice may be handed to the same newsroom once more."""
SETTLED_BY_HAND: Final = {State.PRINTED: State.HANDED_OVER, State.IN_DOUBT: State.ACCEPTED}
"""What a person may say became of it: that the paper was handed over, that what is in doubt did go out."""


@dataclass(frozen=True)
class Outlet:
    """A newsroom as somebody typed it, checked."""

    name: str
    places: tuple[str, ...]
    language: str
    email: str
    address: str


def checked(*, name: str, where: Iterable[str], language: str, email: str, address: str) -> Outlet:
    """Return the newsroom as it can be kept. Raises Invalid naming the field."""
    plain, mail = one_line(name), email.strip()
    if not plain or len(plain) > LONGEST_NAME:
        raise Invalid("name", f"Give the newsroom's name, in {LONGEST_NAME} letters at most.")
    codes = tuple(dict.fromkeys(word.strip().upper() for word in where if word.strip()))
    strangers = [code for code in codes if not places.is_place(code)]
    if not codes or strangers or len(codes) > MOST_PLACES:
        wrong = f"{strangers[0][:12]!r} is no place we know. " if strangers else ""
        raise Invalid("places", f"{wrong}Name the places it serves by their codes, such as US-TX, US-OK or DE.")
    if language not in starters.languages():
        raise Invalid("language", f"Choose from: {', '.join(starters.languages())}.")
    if mail and not is_email(mail):
        raise Invalid("email", "This is not one e-mail address, such as news@example.org.")
    lines = _lines(address)
    if not mail and not lines:
        raise Invalid("email", "Give an e-mail address, a postal address, or both: else nobody can be told.")
    return Outlet(plain, codes, language, mail, "\n".join(lines))


def _lines(address: str) -> list[str]:
    lines = [one_line(line) for line in cleaned(address).split("\n") if line.strip()]
    if len(lines) > MOST_LINES or any(len(line) > LONGEST_LINE for line in lines):
        raise Invalid("address", f"An address has at most {MOST_LINES} lines of {LONGEST_LINE} letters.")
    return lines


def serves(outlet_places: Collection[str], wanted: Collection[str]) -> bool:
    """Return whether a newsroom with these places reaches people in any of the wanted ones; all do where none is known."""
    return not wanted or any(
        one == other or places.within(one, other) or places.within(other, one)
        for one in outlet_places
        for other in wanted
    )


def demand_ready(stage: str, channels: Collection[str]) -> None:
    """Raises Refused unless the notice was approved as one that speaks to everybody and names nobody."""
    if stage not in {Stage.APPROVED, Stage.SENDING, Stage.SENT}:
        raise Refused("Only an approved notice can be handed to newsrooms.")
    if "announcement" not in channels:
        raise Refused("Newsrooms get a notice that speaks to everybody: one with an announcement among its channels.")


def demand_address(way: Way, lacking: Sequence[str]) -> None:
    """Raises Invalid where some of the chosen newsrooms, by name, have no address for this way."""
    if lacking:
        kind = "e-mail" if way is Way.EMAIL else "postal"
        raise Invalid("outlets", f"{', '.join(lacking[:3])}: there is no {kind} address. Choose the other way for it.")


def may_follow(last: State | None, *, because: str) -> bool:
    """Return whether another attempt may follow this one. Raises Invalid where a second copy needs a reason."""
    if last is None:
        return True
    if last is State.IN_DOUBT and not because.strip():
        raise Invalid("because", "It may have gone out already: say why it is sent once more.")
    return last in REPEATABLE
