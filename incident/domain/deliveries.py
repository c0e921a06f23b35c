"""One message to one person: its states, what overrules what, when to try again, and when a whole dispatch must halt.

The order of evidence: what a human confirmed stands above a report that it came back, that above "delivered", that above
"accepted", and a provider's report above everything we believed ourselves. So late, repeated and mixed-up reports end in the same state in any order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from incident.domain.audit import root_of
from incident.domain.errors import Invalid, Refused
from incident.domain.pace import Pace as Pace
from notifiers.contract import Answer, Outcome, Status


class State(StrEnum):
    """What is known of one delivery."""

    WAITING = "waiting"  # not handed over yet
    SENDING = "sending"  # claimed by a worker
    IN_DOUBT = "in_doubt"  # handed over perhaps: the answer is lost
    ACCEPTED = "accepted"  # the provider has it
    DELIVERED = "delivered"  # the receiving side took it
    CONFIRMED = "confirmed"  # a human said so: pressed a key in a call, or spoke with one of us
    FAILED = "failed"  # never taken by the provider
    BOUNCED = "bounced"  # taken by the provider, and not delivered
    CANCELLED = "cancelled"  # stopped before it was handed over
    SIMULATED = "simulated"  # went to the sandbox: nobody was told
    UNREACHED = "unreached"  # none of the notice's channels reaches this person, or is left to try


WORDS: Final[Mapping[State, str]] = {
    State.WAITING: "waiting",
    State.SENDING: "being sent",
    State.IN_DOUBT: "in doubt",
    State.ACCEPTED: "accepted",
    State.DELIVERED: "delivered",
    State.CONFIRMED: "confirmed",
    State.FAILED: "not sent",
    State.BOUNCED: "came back",
    State.CANCELLED: "cancelled",
    State.SIMULATED: "simulated",
    State.UNREACHED: "unreached",
}

TONES: Final[Mapping[State, str]] = {
    State.WAITING: "",
    State.SENDING: "owed",
    State.IN_DOUBT: "open",
    State.ACCEPTED: "owed",
    State.DELIVERED: "met",
    State.CONFIRMED: "met",
    State.FAILED: "late",
    State.BOUNCED: "late",
    State.CANCELLED: "",
    State.SIMULATED: "soon",
    State.UNREACHED: "late",
}

NEEDS_OWNER: Final = (State.IN_DOUBT, State.FAILED, State.BOUNCED, State.UNREACHED, State.CANCELLED)
"""States in which somebody was perhaps not told, so that a person must look after it."""


class Happening(StrEnum):
    """What can happen to a delivery: to our own work, by an answer, by a report, by a person."""

    CLAIMED = "claimed"
    RETURNED = "returned"  # the claim ran out before anything was handed over
    LOST = "lost"  # the claim ran out after the handing over had begun
    TAKEN = "taken"
    KEPT = "kept"  # taken by the sandbox
    REFUSED = "refused"
    PUT_OFF = "put_off"
    SET_ASIDE = "set_aside"  # put off once too often
    GIVEN_TO_PEOPLE = "given_to_people"  # on the list of those whom a person of the team tells
    UNANSWERED = "unanswered"
    REPORTED_ON_ITS_WAY = "reported_on_its_way"
    REPORTED_DELIVERED = "reported_delivered"
    REPORTED_CONFIRMED = "reported_confirmed"
    REPORTED_BACK = "reported_back"
    REPORTED_ELSE = "reported_else"  # about the account, or a word that we do not know
    FOUND_SENT = "found_sent"  # a person found evidence that it went out
    GIVEN_UP = "given_up"  # taken, but its proof did not come in time, and no channel is left
    TOLD_BY_HAND = "told_by_hand"  # a person of the team told them
    NOT_TOLD_BY_HAND = "not_told_by_hand"  # a person of the team tried, and tries no more
    UNPRINTED = "unprinted"  # its print file was thrown away before anything was posted
    RETURN_TAKEN_BACK = "return_taken_back"  # noted as come back by mistake
    GONE = "gone"  # there is nobody to be told any more: erased, or taken off the list
    CANCELLED = "cancelled"


S = State
_UNPROVEN = (S.WAITING, S.SENDING, S.IN_DOUBT, S.FAILED, S.CANCELLED)
_LESS = (*_UNPROVEN, S.ACCEPTED, S.UNREACHED)
_CHANGES: dict[Happening, dict[State, State]] = {
    Happening.CLAIMED: {S.WAITING: S.SENDING},
    Happening.RETURNED: {S.SENDING: S.WAITING},
    Happening.LOST: {S.SENDING: S.IN_DOUBT},
    Happening.TAKEN: {S.SENDING: S.ACCEPTED, S.IN_DOUBT: S.ACCEPTED},
    Happening.KEPT: {S.WAITING: S.SIMULATED, S.SENDING: S.SIMULATED, S.IN_DOUBT: S.SIMULATED},
    Happening.REFUSED: {S.SENDING: S.FAILED, S.IN_DOUBT: S.FAILED},
    Happening.PUT_OFF: {S.SENDING: S.WAITING, S.IN_DOUBT: S.FAILED},
    Happening.SET_ASIDE: {S.SENDING: S.FAILED, S.IN_DOUBT: S.FAILED},
    Happening.UNANSWERED: {S.SENDING: S.IN_DOUBT},
    Happening.GIVEN_TO_PEOPLE: {S.SENDING: S.WAITING, S.IN_DOUBT: S.WAITING},
    Happening.REPORTED_ON_ITS_WAY: dict.fromkeys(_UNPROVEN, S.ACCEPTED),
    Happening.REPORTED_DELIVERED: dict.fromkeys(_LESS, S.DELIVERED),
    Happening.REPORTED_CONFIRMED: dict.fromkeys((*_LESS, S.DELIVERED, S.BOUNCED), S.CONFIRMED),
    Happening.REPORTED_BACK: dict.fromkeys((*_LESS, S.DELIVERED), S.BOUNCED),
    Happening.REPORTED_ELSE: {},
    Happening.FOUND_SENT: {S.IN_DOUBT: S.ACCEPTED},
    Happening.GIVEN_UP: {S.ACCEPTED: S.UNREACHED},
    Happening.TOLD_BY_HAND: dict.fromkeys((*_LESS, S.DELIVERED, S.BOUNCED), S.CONFIRMED),
    Happening.NOT_TOLD_BY_HAND: {S.WAITING: S.FAILED},
    Happening.UNPRINTED: {S.ACCEPTED: S.WAITING},
    Happening.RETURN_TAKEN_BACK: {S.BOUNCED: S.ACCEPTED},
    Happening.GONE: dict.fromkeys((S.WAITING, S.SENDING, S.IN_DOUBT), S.CANCELLED),
    Happening.CANCELLED: {S.WAITING: S.CANCELLED},
}
TABLE: Final[Mapping[tuple[State, Happening], State]] = {
    (state, happening): changes.get(state, state) for happening, changes in _CHANGES.items() for state in State
}
"""The state after each happening, for every pair; what is not a change leaves the state as it is."""

REPORTS: Final[Mapping[Status, Happening]] = {
    Status.ACCEPTED: Happening.REPORTED_ON_ITS_WAY,
    Status.DEFERRED: Happening.REPORTED_ON_ITS_WAY,
    Status.DELIVERED: Happening.REPORTED_DELIVERED,
    Status.ACKNOWLEDGED: Happening.REPORTED_CONFIRMED,
    Status.BOUNCED: Happening.REPORTED_BACK,
    Status.BLOCKED: Happening.REPORTED_BACK,
    Status.FAILED: Happening.REPORTED_BACK,
    Status.COMPLAINED: Happening.REPORTED_DELIVERED,  # whoever complains has it
    Status.UNSUBSCRIBED: Happening.REPORTED_DELIVERED,
    Status.TRACKED: Happening.REPORTED_DELIVERED,
    Status.ALARM: Happening.REPORTED_ELSE,
    Status.UNKNOWN: Happening.REPORTED_ELSE,
}

OUTCOMES: Final = (State.ACCEPTED, State.DELIVERED, State.CONFIRMED, State.FAILED, State.BOUNCED)
"""States of which something is known; the share of the bad among them can halt a dispatch."""

MAY_PASS: Final = frozenset({Status.BLOCKED})
"""Reports of a message that came back this time, and may be taken another time."""

ABOUT_THE_PROVIDER: Final = frozenset(
    {
        "not_tried",
        "too_many_requests",
        "queue_full",
        "not_reached",
        "provider_trouble",
        "server_closing",
        "connection_lost",
    }
)
"""Reasons for "later" that say nothing about the message: they are not counted against it."""

NEVER_CALLED: Final = frozenset(
    {
        "not_tried",
        "cannot_be_written",
        "no_address",
        "person_gone",
        "erased",
        "taken_off",
        "record_unreadable",
        "to_be_called",
        "to_be_printed",
        "printed",
        "not_printed",
    }
)
"""Reasons that say that nobody was asked at all."""

NOBODY_OUTSIDE: Final = frozenset({"by_hand", "print", "sandbox"})
"""Providers that are ourselves: whatever of theirs was not settled did not happen, so a dead worker leaves no doubt."""

ERASED: Final = "erased"
TAKEN_OFF: Final = "taken_off"
NOBODY_THERE: Final = frozenset({ERASED, TAKEN_OFF})
"""Reasons why somebody is not told whom there is no longer to tell: a decision of a person, and nobody's loose end."""

MOST_TRIES: Final = 6  # of a message that the receiving side puts off
MOST_WRITINGS: Final = 3  # of a message that cannot be written
MOST_ATTEMPTS: Final = 9  # of one person by one channel
TRIES_AFTER: Final = tuple(timedelta(minutes=m) for m in (1, 5, 15, 30, 60))  # RFC 5321 4.5.4.1 for mail put off
LONGEST_HOLD: Final = timedelta(minutes=15)
NO_WORKERS_TURN: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""When a worker takes a delivery up again that people of the team were given: never."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What an answer makes of one delivery. `due_at` is set when it is to be tried again."""

    state: State
    happening: Happening
    tries: int
    due_at: datetime | None = None


def after(state: State, happening: Happening) -> State:
    """The state after the happening."""
    return TABLE[state, happening]


def settled(state: State, answer: Answer, tries: int, now: datetime, *, jitter: float, simulated: bool) -> Settled:
    """What the answer makes of a delivery in this state; `jitter` (0 to 1) spreads the next tries."""
    if answer.outcome in (Outcome.LATER, Outcome.STOP):
        return _put_off(state, answer, tries, now, jitter)
    if answer.outcome is Outcome.BY_HAND:
        given = Happening.GIVEN_TO_PEOPLE
        return Settled(after(state, given), given, tries, NO_WORKERS_TURN)
    happening = {
        Outcome.ACCEPTED: Happening.KEPT if simulated else Happening.TAKEN,
        Outcome.REFUSED: Happening.GONE if answer.reason in NOBODY_THERE else Happening.REFUSED,
        Outcome.UNKNOWN: Happening.UNANSWERED,
    }[answer.outcome]
    return Settled(after(state, happening), happening, tries)


def _put_off(state: State, answer: Answer, tries: int, now: datetime, jitter: float) -> Settled:
    if answer.outcome is Outcome.STOP or answer.reason in ABOUT_THE_PROVIDER:
        return Settled(after(state, Happening.PUT_OFF), Happening.PUT_OFF, tries, now)
    limit = MOST_WRITINGS if answer.reason == "cannot_be_written" else MOST_TRIES
    if tries + 1 >= limit:
        return Settled(after(state, Happening.SET_ASIDE), Happening.SET_ASIDE, tries + 1)
    pause = TRIES_AFTER[min(tries, len(TRIES_AFTER) - 1)] * (1 + jitter / 4)
    asked = timedelta(seconds=min(answer.wait or 0, 86_400))
    return Settled(after(state, Happening.PUT_OFF), Happening.PUT_OFF, tries + 1, now + max(pause, asked))


def hold(troubles: int, asked: float | None, jitter: float) -> timedelta:
    """How long a channel rests after its provider asked for it or failed `troubles` times in a row (1, 2, 4 … seconds)."""
    growing = min(timedelta(seconds=2.0 ** min(troubles, 12)), LONGEST_HOLD) * (0.5 + jitter / 2)
    return max(growing if asked is None else timedelta(0), timedelta(seconds=min(asked or 0, 3_600)))


def demand_doubt(state: State) -> None:
    """Raises Refused unless this delivery is in doubt."""
    if state is not State.IN_DOUBT:
        raise Refused(f"This one is no longer in doubt: it is {WORDS[state]}.")


def demand_repeatable(state: State, attempt: int, *, current: bool) -> None:
    """Raises Refused unless another attempt may follow this one."""
    if not current:
        raise Refused("Another attempt was made after this one already.")
    if state not in (State.FAILED, State.BOUNCED, State.IN_DOUBT, State.CANCELLED):
        raise Refused(
            f"Only what was not sent, came back or is in doubt can be sent again; this one is {WORDS[state]}."
        )
    if attempt >= MOST_ATTEMPTS:
        raise Refused(f"{MOST_ATTEMPTS} attempts were made. Choose another channel for this person.")


def first_channel(ordered: Sequence[str], reached: Mapping[str, bool], opened: Sequence[str]) -> str:
    """The first of the notice's channels that is set up and reaches the person; empty if none does."""
    return next((word for word in ordered if word in opened and reached.get(word, False)), "")


def reason(text: str) -> str:
    """The reason a person gave. Raises Invalid where there is none."""
    words = " ".join(text.split())
    if len(words) < 3:
        raise Invalid("reason", "Say in a few words why; it stays with this delivery.")
    if len(words) > 500:
        raise Invalid("reason", "Keep the reason under 500 letters.")
    return words


# A whole dispatch ---------------------------------------------------------------------------------------------------


class Course(StrEnum):
    """Where the sending of one notice version stands."""

    PREPARING = "preparing"  # a row is made for every person
    SENDING = "sending"
    PAUSED = "paused"
    STOPPED = "stopped"  # for good
    IN_DOUBT = "in_doubt"  # nothing is left to send, and of somebody nobody knows whether they were told
    DONE = "done"  # nothing is left to send


class Turn(StrEnum):
    """What can be done to a dispatch, or become of it."""

    PREPARED = "prepared"
    PAUSE = "pause"
    GO_ON = "go_on"
    STOP = "stop"
    FINISH = "finish"
    DOUBT = "doubt"  # all is handed over, and some answers are lost
    REPEAT = "repeat"  # more to send: a person had some sent again


HAS_STOPPED: Final = "This sending was stopped for good. Approve a new notice for those who were not told."
IS_DONE: Final = "Nothing is left to send here."
NOT_RUNNING: Final = "This sending is paused."

C = Course
COURSES: Final[Mapping[tuple[Course, Turn], Course | str]] = {
    (C.PREPARING, Turn.PREPARED): C.SENDING,
    (C.PREPARING, Turn.PAUSE): C.PAUSED,
    (C.PREPARING, Turn.GO_ON): C.PREPARING,
    (C.PREPARING, Turn.STOP): C.STOPPED,
    (C.PREPARING, Turn.FINISH): C.PREPARING,
    (C.PREPARING, Turn.REPEAT): C.PREPARING,
    (C.SENDING, Turn.PREPARED): C.SENDING,
    (C.SENDING, Turn.PAUSE): C.PAUSED,
    (C.SENDING, Turn.GO_ON): C.SENDING,
    (C.SENDING, Turn.STOP): C.STOPPED,
    (C.SENDING, Turn.FINISH): C.DONE,
    (C.SENDING, Turn.REPEAT): C.SENDING,
    (C.PAUSED, Turn.PREPARED): C.PAUSED,
    (C.PAUSED, Turn.PAUSE): C.PAUSED,
    (C.PAUSED, Turn.GO_ON): C.PREPARING,  # and from there on, if everybody has a row already
    (C.PAUSED, Turn.STOP): C.STOPPED,
    (C.PAUSED, Turn.FINISH): NOT_RUNNING,
    (C.PAUSED, Turn.REPEAT): C.PAUSED,
    (C.STOPPED, Turn.PREPARED): C.STOPPED,
    (C.STOPPED, Turn.PAUSE): HAS_STOPPED,
    (C.STOPPED, Turn.GO_ON): HAS_STOPPED,
    (C.STOPPED, Turn.STOP): C.STOPPED,
    (C.STOPPED, Turn.FINISH): C.STOPPED,
    (C.STOPPED, Turn.REPEAT): HAS_STOPPED,
    (C.PREPARING, Turn.DOUBT): C.PREPARING,
    (C.SENDING, Turn.DOUBT): C.IN_DOUBT,
    (C.PAUSED, Turn.DOUBT): NOT_RUNNING,
    (C.STOPPED, Turn.DOUBT): C.STOPPED,
    (C.IN_DOUBT, Turn.PREPARED): C.IN_DOUBT,
    (C.IN_DOUBT, Turn.PAUSE): IS_DONE,
    (C.IN_DOUBT, Turn.GO_ON): IS_DONE,
    (C.IN_DOUBT, Turn.STOP): IS_DONE,
    (C.IN_DOUBT, Turn.FINISH): C.DONE,
    (C.IN_DOUBT, Turn.REPEAT): C.SENDING,
    (C.IN_DOUBT, Turn.DOUBT): C.IN_DOUBT,
    (C.DONE, Turn.DOUBT): C.IN_DOUBT,
    (C.DONE, Turn.PREPARED): C.DONE,
    (C.DONE, Turn.PAUSE): IS_DONE,
    (C.DONE, Turn.GO_ON): IS_DONE,
    (C.DONE, Turn.STOP): IS_DONE,
    (C.DONE, Turn.FINISH): C.DONE,
    (C.DONE, Turn.REPEAT): C.SENDING,
}
"""The course after each turn, or the sentence that says no."""

PAUSE_WORDS: Final[Mapping[str, str]] = {
    "by_person": "paused by a person",
    "canary": "the first few are out: look at them, then go on",
    "too_many_back": "too many came back or were refused",
    "too_many_complaints": "too many people complained about the message",
    "answers_lost": "the provider’s answers were lost several times in a row",
    "credentials_refused": "the provider refused our credentials",
    "provider_refused": "the provider refuses everything we send",
    "approval_changed": "what would be sent is no longer what was approved",
    "channel_closed": "no provider is set up for a channel that this needs",
    "people_erased": "the people's data was erased",
    "codes_short": "there are too few codes of a remedy: bring more, then go on",
    "people_changed": "the people it goes to are no longer those it was approved for",
}


def turned(course: Course, turn: Turn) -> Course:
    """The course after the turn. Raises Refused where the table says no."""
    answer = COURSES[course, turn]
    if isinstance(answer, Course):
        return answer
    raise Refused(answer)


def waits_or_not(course: Course) -> State:
    """Where a delivery goes that certainly did not go out: back to waiting, but never in a dispatch that was stopped for good."""
    return State.CANCELLED if course is Course.STOPPED else State.WAITING


@dataclass(frozen=True, slots=True)
class Counts:
    """How many people of an audience stand where. Every person is in exactly one of them."""

    waiting: int = 0
    sending: int = 0
    in_doubt: int = 0
    accepted: int = 0
    delivered: int = 0
    confirmed: int = 0
    failed: int = 0
    bounced: int = 0
    cancelled: int = 0
    simulated: int = 0
    unreached: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.of(state) for state in State)

    @property
    def handed_over(self) -> int:
        """Those whose message a provider (or the sandbox) took or may have taken."""
        return self.in_doubt + self.told + self.bounced + self.simulated

    @property
    def told(self) -> int:
        """Those whose message a provider has, as far as is known, and which did not come back."""
        return self.accepted + self.delivered + self.confirmed

    @property
    def bad(self) -> int:
        """Those that were refused or came back."""
        return self.failed + self.bounced

    @property
    def with_outcome(self) -> int:
        """Those of whom something is known."""
        return self.told + self.bad

    def of(self, state: State) -> int:
        """How many are in this state."""
        count: int = getattr(self, state.value)
        return count

    def moved(self, moves: Mapping[tuple[State, State], int]) -> dict[str, int]:
        """The new numbers, by the state's word, after so many went from one state to another."""
        changed: dict[str, int] = {}
        for (before, then), count in moves.items():
            if before is not then:
                changed[before] = changed.get(before, self.of(before)) - count
                changed[then] = changed.get(then, self.of(then)) + count
        return changed


def too_many_back(counts: Counts, pace: Pace, *, seen: int = 0, seen_bad: int = 0) -> bool:
    """Whether the share that came back or was refused, since `seen` outcomes, is above the limit."""
    outcomes, bad = counts.with_outcome - seen, counts.bad - seen_bad
    return outcomes >= pace.sample and bad * 100 > outcomes * pace.most_back


def canary_left(counts: Counts, canary: int) -> int | None:
    """How many more may go out before the first look; None when no canary is set."""
    return max(0, canary - counts.handed_over - counts.sending - counts.failed) if canary else None


def is_complete(course: Course, counts: Counts, unowned: int, still_open: int = 0) -> bool:
    """Whether everybody was told or is in somebody's care; never while anybody waits, is in doubt or lacks an owner.

    `still_open` are those whose step of the ladder may yet end without proof, so that another channel follows.
    """
    return course in (Course.DONE, Course.STOPPED) and not (
        counts.waiting or counts.sending or counts.in_doubt or unowned or (still_open and course is Course.DONE)
    )


def may_climb(course: Course, canary: int) -> bool:
    """Whether the next channel may be tried in a dispatch: not before the first look, nor while it rests or after its end."""
    return course in (Course.DONE, Course.IN_DOUBT) or (course is Course.SENDING and not canary)


def batch_digest(rows: Iterable[tuple[str, str]]) -> str:
    """The RFC 6962 root (hex) over a batch, a leaf for each "reference state" in their order: one line proves each of them."""
    entries = list(map(" ".join, rows))  # neither holds a line's end, so that all are encoded at once
    return root_of("\n".join(entries).encode().split(b"\n") if entries else []).hex()
