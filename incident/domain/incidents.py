"""What an incident may be called and become."""

from collections.abc import Mapping
from enum import StrEnum

from incident.domain.errors import Invalid, Refused
from incident.domain.stale import Stale

LONGEST_TITLE = 200


class Kind(StrEnum):
    """What is logged: something that happened, nearly happened, or is being practised."""

    INCIDENT = "incident"
    NEAR_MISS = "near_miss"
    DRILL = "drill"


class State(StrEnum):
    """Whether work goes on."""

    OPEN = "open"
    CLOSED = "closed"


class Purpose(StrEnum):
    """What a note is for: nothing but itself, or to hand the incident over to the next shift."""

    NOTE = ""
    HANDOVER = "handover"


CONFIDENCE = ("low", "medium", "high")


def kind(word: str) -> Kind:
    """The kind meant. Raises Invalid."""
    try:
        return Kind(word)
    except ValueError:
        raise Invalid("kind", "Say whether this is an incident, a near miss or a drill.") from None


def title(text: str) -> str:
    """The title on one line. Raises Invalid."""
    words = " ".join(text.split())
    if not words:
        raise Invalid("title", "Give it a short title, such as “Customer database copied”.")
    if len(words) > LONGEST_TITLE:
        raise Invalid("title", f"A title has at most {LONGEST_TITLE} characters; this one has {len(words)}.")
    return words


def confidence(word: str) -> str:
    """The confidence meant; empty where nobody said. Raises Invalid."""
    if word and word not in CONFIDENCE:
        raise Invalid("confidence", "Confidence is low, medium or high.")
    return word


def purpose(word: str) -> Purpose:
    """What the note is for. Raises Invalid."""
    try:
        return Purpose(word)
    except ValueError:
        raise Invalid("purpose", "A note is a note, or a handover.") from None


def must_be_open(state: str) -> None:
    """Raises Refused for a closed incident."""
    if state != State.OPEN:
        raise Refused("This incident is closed. Reopen it, with a reason, before changing anything.")


def line_of_text(field: str, text: str, longest: int) -> str:
    """Text as given, checked for length and emptiness. Raises Invalid."""
    words = text.replace("\x00", "").strip()
    if not words:
        raise Invalid(field, "This must not be empty.")
    if len(words) > longest:
        raise Invalid(field, f"At most {longest:,} characters; this has {len(words):,}.")
    return words


def must_be_version(current: int, seen: int, versions: Mapping[str, tuple[str, str]] | None = None) -> None:
    """Raises Stale when somebody else changed it since the page was opened; `versions` as there."""
    if current != seen:
        raise Stale(versions)
