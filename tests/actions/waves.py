"""An approved notice to some people, and what it takes to send it in a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from incident.actions import climbing, dispatch, people, sending
from incident.domain.deliveries import Counts, Pace, State
from incident.store import audit, deliveries, dispatches, tallies
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from notifiers.contract import Answer, Channels, Message, Notifier, Outcome
from notifiers.memory import Memory
from notifiers.sandbox import Sandbox
from tests.builders import a_notice, an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
LEAD = "U-0LEAD000"
SANDBOX = {word: Sandbox(word) for word in ("email", "sms", "letter", "call", "push")}


@dataclass
class Ticking:
    """A clock that stands still until it is moved."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Story:
    """An incident with people, and its approved notice."""

    incident: Incident
    notice: str
    clock: Ticking = field(default_factory=Ticking)
    real: dict[str, Notifier] = field(default_factory=dict)
    dispatch: str = ""

    @property
    def channels(self) -> Channels:
        return Channels(self.real, SANDBOX)

    def start(self, *, only_sandbox: bool = False, pace: Pace | None = None) -> str:
        self.dispatch = dispatch.start(
            self.incident.ref, self.notice, only_sandbox=only_sandbox, pace=pace or Pace(), actor=LEAD, now=self.clock()
        )
        return self.dispatch

    def work(self) -> None:
        """Everything that is due now, the next channels of those who were not reached included."""
        for _ in range(50):
            found, over = sending.due(self.clock()), climbing.due(self.clock())
            if not found and not over:
                return
            for ref in over:
                climbing.climb(ref, self.channels.open(simulated=self.row().simulated), now=self.clock())
            for ref in found:
                sending.work(ref, self.channels, clock=self.clock)
        raise AssertionError("The work does not end.")

    def row(self) -> Dispatch:
        found = dispatches.anywhere(self.dispatch)
        assert found is not None
        return found

    def counts(self) -> dict[str, int]:
        """The counts of the dispatch, which must be those of its tally and of the rows and add up to the audience."""
        row = self.row()
        counts = {state.value: row.counts.of(state) for state in State if row.counts.of(state)}
        assert counts == {state.value: n for state, n in deliveries.recounted(row.id).items()}
        assert tallies.of(row.id) == {place: n for _, place, n in tallies.of_rows([row.id])}
        if row.prepared:
            assert row.counts.total == row.audience
        return counts

    def rows(self) -> list[Delivery]:
        db.session.rollback()
        db.session.expire_all()
        return list(deliveries.page(self.row().id, limit=10_000))

    def verbs(self) -> list[str]:
        """What the record says since the notice was approved."""
        lines = [line.verb for line in db.session.scalars(db.select(audit.AuditLine).order_by(audit.AuditLine.seq))]
        return lines[len(lines) - lines[::-1].index("notice.approved") :]


def a_story(
    count: int = 5,
    *,
    kind: str = "incident",
    channels: tuple[str, ...] = ("email", "sms"),
    only_phone: int = 0,
    unreachable: int = 0,
    both: int = 0,
    real: Mapping[str, Notifier] | None = None,
) -> Story:
    """An approved notice to so many people; the last ones have a telephone only, or nothing at all, the first `both`."""
    incident = an_incident(kind=kind, now=NOW)
    for number in range(1, count + 1):
        given = {"name": f"Person {number}", "place": "DE", "exposed": "email"}
        if number > count - unreachable:
            given["reference"] = f"C-{number}"
        elif number > count - unreachable - only_phone:
            given["phone"] = f"+4915112345{number:03}"
        else:
            given["email"] = f"person{number}@example.org"
            if number <= both:
                given["phone"] = f"+4915112345{number:03}"
        people.add(incident.ref, given, actor=LEAD, now=NOW)
    notice = a_notice(incident, channels=channels, stage="approved", now=NOW)
    opened = dict(real) if real is not None else {"email": Memory("email"), "sms": Memory("sms")}
    return Story(incident, notice, real=opened)


def email_of(story: Story) -> Memory:
    """The adapter that takes the e-mails of a story."""
    found = story.real["email"]
    assert isinstance(found, Memory)
    return found


def answering(outcome: Outcome, reason: str = "", *, wait: float | None = None, to: str = ""):
    """An answer for `to` (or everybody); all others are accepted."""

    def answer(message: Message) -> Answer:
        if to and message.to != to:
            return Answer(message.ref, Outcome.ACCEPTED, f"memory-{message.ref}")
        return Answer(message.ref, outcome, reason=reason, wait=wait)

    return answer


def handed_over(counts: Counts) -> int:
    """How many a provider has or may have."""
    return counts.handed_over
