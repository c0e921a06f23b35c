"""Tips: what somebody outside, or a member of staff, tells us: its kinds and fields, its way to an end, and the facts in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Final

from incident.domain.errors import Invalid, Refused
from incident.domain.preflight import is_email
from incident.domain.wording import cleaned

LONGEST_TEXT: Final = 10_000
MOST_FILES: Final = 5
LARGEST_FILE: Final = 10 * 2**20
MOST_MESSAGES: Final = 200
"""Of one tip, so that nobody fills the disk by one code."""
KEPT_BY_MAIL: Final = 35 * 2**20
"""Bytes of one e-mail that are taken in."""
FUTURE: Final = timedelta(days=1)
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
OFFSET: Final = re.compile(r"([+-])(\d{2}):(\d{2})")
RETRIES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""How long to wait after each try to hand an answer over by e-mail."""


class Kind(StrEnum):
    """What somebody tells us of."""

    LEAK = "leak"
    ACCOUNT = "account"
    VULNERABILITY = "vulnerability"
    SUPPLIER = "supplier"
    OTHER = "other"


class Way(StrEnum):
    """How it came."""

    PAGE = "page"
    MAIL = "mail"
    DESK = "desk"  # told to somebody who works here, who wrote it down
    ALERT = "alert"  # a program told us


class State(StrEnum):
    """How far it is."""

    NEW = "new"
    IN_HAND = "in_hand"
    SETTLED = "settled"


class Outcome(StrEnum):
    """What became of it in the end."""

    NONE = ""
    INCIDENT = "incident"
    JOINED = "joined"
    NEAR_MISS = "near_miss"
    ANSWERED = "answered"
    DUPLICATE = "duplicate"
    SET_ASIDE = "set_aside"


LABELS: Final[Mapping[str, str]] = {
    Kind.LEAK: "data found where it should not be",
    Kind.ACCOUNT: "account misused",
    Kind.VULNERABILITY: "vulnerability",
    Kind.SUPPLIER: "supplier’s notice",
    Kind.OTHER: "something else",
    Way.PAGE: "page",
    Way.MAIL: "e-mail",
    Way.DESK: "taken down by us",
    Way.ALERT: "alert of a program",
    State.NEW: "new",
    State.IN_HAND: "in hand",
    State.SETTLED: "settled",
    Outcome.NONE: "",
    Outcome.INCIDENT: "became an incident",
    Outcome.JOINED: "joined an incident",
    Outcome.NEAR_MISS: "near miss",
    Outcome.ANSWERED: "answered",
    Outcome.DUPLICATE: "told before",
    Outcome.SET_ASIDE: "set aside",
}
TONES: Final[Mapping[str, str]] = {State.NEW: "soon", State.IN_HAND: "owed", State.SETTLED: "met"}


class Sort(StrEnum):
    """How a field is written."""

    TEXT = "text"
    LINE = "line"
    INSTANT = "instant"
    NUMBER = "number"
    YES_NO = "yes_no"
    EMAIL = "email"


@dataclass(frozen=True)
class Field:
    """One thing that is asked of whoever tells us."""

    name: str
    sort: Sort = Sort.LINE
    longest: int = 300
    needed: bool = False


WHAT: Final = Field("what", Sort.TEXT, LONGEST_TEXT, needed=True)
ABOUT_THEM: Final = (Field("who", longest=120), Field("email", Sort.EMAIL, 254))
"""Both may be left empty: nobody has to say who they are."""
FIELDS: Final[Mapping[Kind, tuple[Field, ...]]] = {
    Kind.LEAK: (Field("where", longest=1_000), WHAT, Field("since", Sort.INSTANT), *ABOUT_THEM),
    Kind.ACCOUNT: (Field("account"), WHAT, Field("since", Sort.INSTANT), *ABOUT_THEM),
    Kind.VULNERABILITY: (
        Field("where", longest=1_000),
        WHAT,
        Field("vector"),
        Field("exploited", Sort.YES_NO),
        *ABOUT_THEM,
    ),
    Kind.SUPPLIER: (
        Field("company", needed=True),
        WHAT,
        Field("happened_at", Sort.INSTANT),
        Field("noticed_at", Sort.INSTANT, needed=True),
        Field("ongoing", Sort.YES_NO),
        Field("data", longest=1_000),
        Field("people", Sort.NUMBER),
        Field("reference"),
        *ABOUT_THEM,
    ),
    Kind.OTHER: (WHAT, *ABOUT_THEM),
}


class Unfit(Invalid):
    """A field that cannot be taken as it is; `code` is a word of a fixed list, for pages in other languages."""

    def __init__(self, field: str, code: str, sentence: str) -> None:
        super().__init__(field, sentence)
        self.code = code


def kind(word: str) -> Kind:
    """The kind meant. Raises Invalid."""
    try:
        return Kind(word)
    except ValueError:
        raise Invalid("kind", f"Say what it is about: one of {', '.join(Kind)}.") from None


def told(of: Kind, given: Mapping[str, str], *, offset: str, now: datetime) -> dict[str, Any]:
    """What was said, field by field, checked; what was left empty is not there. Times in UTC. Raises Unfit."""
    found = {field.name: _value(field, given.get(field.name, ""), offset, now) for field in FIELDS[of]}
    return {name: value for name, value in found.items() if value is not None}


def text(field: str, words: str, longest: int = LONGEST_TEXT) -> str:
    """Somebody's words, without what steers screens. Raises Unfit."""
    if len(words) > 4 * longest + 1_000:  # not even looked through: cleaning takes its time
        raise Unfit(field, "long", f"At most {longest:,} characters; this has {len(words):,}.")
    said = cleaned(words.replace("\r\n", "\n")).strip()
    if not said:
        raise Unfit(field, "missing", "This must not be empty.")
    if len(said) > longest:
        raise Unfit(field, "long", f"At most {longest:,} characters; this has {len(said):,}.")
    return said


def _value(field: Field, raw: str, offset: str, now: datetime) -> Any:
    if not raw.strip():
        if field.needed:
            raise Unfit(field.name, "missing", "This must not be empty.")
        return None
    said = text(field.name, raw if field.sort is Sort.TEXT else " ".join(raw.split()), field.longest)
    if field.sort is Sort.INSTANT:
        return instant(field.name, said, offset, now).isoformat().replace("+00:00", "Z")
    if field.sort is Sort.NUMBER:
        return _number(field.name, said)
    if field.sort is Sort.YES_NO:
        return _yes_no(field.name, said)
    if field.sort is Sort.EMAIL and not is_email(said):
        raise Unfit(field.name, "email", "This is no e-mail address.")
    return said


def instant(field: str, words: str, offset: str, now: datetime) -> datetime:
    """The time meant, in UTC; one without an offset of its own is of `offset`, such as +08:00. Raises Unfit."""
    try:
        at = datetime.fromisoformat(words)
        at = at if at.tzinfo else at.replace(tzinfo=zone_of(offset))
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit(field, "when", "Give day and time, such as 2026-03-06 16:00.") from None
    if not EARLIEST <= at <= now + FUTURE:
        raise Unfit(field, "when", "Give a day that was; this one is not possible.")
    return at


def zone_of(offset: str) -> timezone:
    """The offset from UTC that a form names. Raises ValueError."""
    found = OFFSET.fullmatch(offset)
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        raise ValueError(offset)
    length = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-length if found[1] == "-" else length)


def _number(field: str, words: str) -> int:
    plain = re.sub(r"[ ,.'\u00a0\u202f]", "", words)
    if not re.fullmatch(r"[0-9]{1,10}", plain):
        raise Unfit(field, "number", "Give a number.")
    return int(plain)


def _yes_no(field: str, words: str) -> bool | None:
    if words not in {"yes", "no", "unknown"}:
        raise Unfit(field, "choice", "Say yes, no or unknown.")
    return {"yes": True, "no": False}.get(words)


@dataclass(frozen=True)
class Suggested:
    """A fact that a tip supports; `sure` ones are ticked, the others are for a person to judge. `why` is for that person."""

    key: str
    value: Any
    sure: bool
    why: str


HOW_FOUND: Final = {Kind.ACCOUNT: "customer", Kind.VULNERABILITY: "researcher", Kind.SUPPLIER: "supplier"}
CATEGORY: Final = {
    Kind.LEAK: "data_leak",
    Kind.ACCOUNT: "account_takeover",
    Kind.VULNERABILITY: "vulnerability",
    Kind.SUPPLIER: "supplier",
}
OF_SUPPLIERS: Final = (
    ("processor_aware_at", "noticed_at", "When the supplier says it noticed."),
    ("occurred_from", "happened_at", "When the supplier says it happened."),
    ("people_count", "people", "As the supplier counts."),
    ("still_going_on", "ongoing", "As the supplier says."),
)
ON_BEING_TOLD: Final = (
    "Clocks may start here. EDPB Guidelines 9/2022 (44) take a controller to be aware once its processor has told it; "
    "tick it if this was your processor."
)


WHY_CAME: Final = "When it reached us."
WHY_KIND: Final = "By what was reported."
WHY_WHO: Final = "By who reported it."
WHY_SINCE: Final = "As the reporter saw it."
WHY_EXPLOITED: Final = "As the reporter says; look yourself."
WHY_SUPPLIER: Final = "A supplier reported it."
SAID: Final = (
    WHY_CAME,
    WHY_KIND,
    WHY_WHO,
    WHY_SINCE,
    WHY_EXPLOITED,
    WHY_SUPPLIER,
    ON_BEING_TOLD,
    *(why for _, _, why in OF_SUPPLIERS),
)
"""Every reason for a fact, as pages show it."""


def suggested(of: Kind, said: Mapping[str, Any], received_at: datetime) -> list[Suggested]:
    """The facts that a tip supports, in the order of the form."""
    came = received_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    found = [Suggested("noticed_at", came, True, WHY_CAME)]
    if of in CATEGORY:
        found.append(Suggested("category", CATEGORY[of], True, WHY_KIND))
    if of in HOW_FOUND:
        found.append(Suggested("how_found", HOW_FOUND[of], True, WHY_WHO))
    if of in {Kind.LEAK, Kind.ACCOUNT} and "since" in said:
        found.append(Suggested("occurred_from", said["since"], False, WHY_SINCE))
    if of is Kind.VULNERABILITY and said.get("exploited") is not None:
        found.append(Suggested("actively_exploited", said["exploited"], False, WHY_EXPLOITED))
    if of is Kind.SUPPLIER:
        found.append(Suggested("processor_involved", True, True, WHY_SUPPLIER))
        found += [Suggested(key, said[name], True, why) for key, name, why in OF_SUPPLIERS if name in said]
        found.append(Suggested("controller_aware_at", came, False, ON_BEING_TOLD))
        found.append(Suggested("aware_at", came, False, ON_BEING_TOLD))
    return found


def demand_unsettled(state: str) -> None:
    """Raises Refused where a tip was settled already."""
    if state == State.SETTLED:
        raise Refused("This report was settled already. Take it up again first.")


def demand_other(ref: str, original: str, *, original_is_duplicate: bool) -> None:
    """Raises Invalid where one cannot be the same as the other."""
    if ref == original:
        raise Invalid("original", "A report cannot repeat itself.")
    if original_is_duplicate:
        raise Invalid("original", "That one repeats another itself. Link to the first of them.")


def place_of(said: Mapping[str, Any]) -> str:
    """What two tips about the same thing have in common, normalised; empty where nothing tells."""
    words = " ".join(str(said.get(name, "")) for name in ("where", "account", "company", "reference"))
    return " ".join(re.sub(r"^https?://(www\.)?|/$", "", word) for word in words.lower().split())


class Seen(StrEnum):
    """How far a tip is, as whoever told us sees it: nothing of what we found, and of no incident."""

    RECEIVED = "received"
    IN_HAND = "in_hand"
    CLOSED = "closed"


SEEN: Final = {State.NEW: Seen.RECEIVED, State.IN_HAND: Seen.IN_HAND, State.SETTLED: Seen.CLOSED}
