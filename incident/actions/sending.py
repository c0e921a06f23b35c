"""The work behind a dispatch: claim, call, settle, batch by batch, until nobody waits.

No transaction is open while a provider is called. A batch is handed over only after its claim was turned to "calling" in a
transaction that also finds the approval unchanged; so whoever was too slow, or whose text is no longer approved, hands over
nothing. What a dead worker had begun to hand over is in doubt; what it had only claimed goes back to waiting.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from socket import gethostname

import structlog
from sqlalchemy.exc import OperationalError

from incident.actions import dead_tokens, people, quieting
from incident.actions.dispatch import halt, start
from incident.actions.ledger import Ledger, transaction
from incident.actions.merging import messages
from incident.actions.preparing import ACTOR, approved, incident_ref, locked, prepare, returned, take_over
from incident.actions.settling import Batch, halt_if_needed, outcome, rest, sealed
from incident.domain import deliveries as rules
from incident.domain import notices as notice_rules
from incident.domain.deliveries import Course, State, Turn
from incident.domain.errors import Refused
from incident.domain.notices import Stage
from incident.domain.pace import rate_of
from incident.domain.people import Addressee
from incident.domain.wording import Unfilled
from incident.store import calls, claims, dispatches, letters, mailbox, notices, tallies
from incident.store.claims import Held
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.notices import NoticeVersion
from incident.store.sealed import Erased, Unreadable
from notifiers.contract import Answer, Channels, Message, Notifier, Outcome

log = structlog.get_logger()

WORKER = f"{gethostname()[:30]}:{os.getpid()}"
LEASE = timedelta(seconds=60)
SLICE_SECONDS = 10.0  # after so long, others get their turn

SETTLE_PAUSES = (0.2, 1.0, 3.0, 5.0)  # seconds

Clock = Callable[[], datetime]


def due(now: datetime) -> list[str]:
    """The dispatches with something to do now."""
    found = [row.ref for row in dispatches.under_way() if row.course == Course.PREPARING or _is_due(row, now)]
    return list(dict.fromkeys([*found, *claims.dispatches_with_lost_claims(now)]))


def scheduled(now: datetime) -> list[str]:
    """The approved notices whose time has come and that were never begun; one that was only rehearsed waits for a person.

    So does one whose start was refused: it was tried once, and its page says why.
    """
    if dispatches.frozen():
        return []
    found = []
    for ref in notices.due_to_send(now):
        text = notices.anywhere(ref)
        version = notices.version(text.id, text.number) if text else None
        if (
            version
            and not version.reason
            and not any(dispatches.of_version(version.id, simulated=simulated) for simulated in (True, False))
        ):
            found.append(ref)
    return found


def start_scheduled(ref: str, *, only_sandbox: bool, now: datetime) -> None:
    """Begin to send a notice at the time it was approved for. A refusal is kept with the version, for a person to see."""
    text = notices.anywhere(ref)
    case = db.session.get(Incident, text.incident_id) if text else None
    if case is None:
        return
    try:
        start(case.ref, ref, only_sandbox=only_sandbox, pace=None, actor=ACTOR, now=now)
    except Refused as refusal:
        _kept_back(case.ref, ref, str(refusal), now)


def _kept_back(incident: str, ref: str, why: str, now: datetime) -> None:
    """Write down that a notice did not go out at its time, and why; nothing to do while all sending is frozen."""
    with transaction(ACTOR, now) as ledger:
        text = notices.anywhere(ref)
        version = notices.version(text.id, text.number) if text else None
        if text is None or version is None or text.stage != Stage.APPROVED or dispatches.frozen():
            ledger.unchanged()
            return
        version.reason = why
        ledger.write("dispatch.not_started", ref, incident=incident, version=version.number)


def _is_due(row: Dispatch, now: datetime) -> bool:
    if not row.waiting:
        return not row.sending and not letters.unposted(row.id)
    return not dispatches.frozen() and any(claims.has_due(row.id, channel, now) for channel in _rested(row, now))


def _rested(row: Dispatch, now: datetime) -> list[str]:
    """The channels of a dispatch that are not resting from their provider's trouble."""
    return [
        word
        for word in row.channels
        if not (until := row.holds.get(word, {}).get("until")) or datetime.fromisoformat(until) <= now
    ]


def work(ref: str, channels: Channels, *, clock: Clock, lease: timedelta = LEASE) -> None:
    """Take one dispatch as far as it goes in its time: safe to repeat, to kill, and to run twice at once."""
    row = dispatches.anywhere(ref)
    if row is None:
        return
    take_over(row, now=clock())
    opened = channels.open(simulated=row.simulated)
    until = time.monotonic() + SLICE_SECONDS
    while prepare(ref, opened, now=clock()) and time.monotonic() < until:
        pass
    Wave(ref, opened, clock, lease).run(until)


# Claim, call, settle --------------------------------------------------------------------------------------------------


@dataclass
class Flow:
    """How one channel goes: how long an answer takes, how long a batch costs us, when the next may go."""

    notifier: Notifier
    answer: float = 0.0
    work: float = 0.001
    free_at: float = 0.0
    in_flight: int = 0

    @property
    def wanted(self) -> int:
        """How many calls at once: enough that we need not wait for answers, and no more."""
        return max(1, min(self.notifier.calls, ceil(self.answer / self.work) + 1))

    def learn(self, *, answer: float | None = None, work: float | None = None) -> None:
        """Take in a measurement, the newer ones weighing more."""
        if answer is not None:
            self.answer = answer if not self.answer else 0.7 * self.answer + 0.3 * answer
        if work is not None:
            self.work = max(0.0005, 0.7 * self.work + 0.3 * work)


@dataclass
class Wave:
    """One worker's run over a dispatch."""

    ref: str
    opened: Mapping[str, Notifier]
    clock: Clock
    lease: timedelta = LEASE
    flows: dict[str, Flow] = field(default_factory=dict)
    flying: dict[Future[list[Answer]], Batch] = field(default_factory=dict)
    pool: ThreadPoolExecutor | None = None
    kept_at: float = 0.0

    def run(self, until: float) -> None:
        """Send until nothing is due, the course changes, or the time is over; calls under way are always settled."""
        with ThreadPoolExecutor(
            max(1, sum(n.calls for n in self.opened.values())), thread_name_prefix="call"
        ) as self.pool:
            try:
                while time.monotonic() < until and self._launch():
                    self._settle_some()
            finally:
                while self.flying:
                    self._settle_some(all_of_them=True)
        self._finish()

    def _launch(self) -> bool:
        """Put as many batches on their way as the channels want; whether anything is under way."""
        row = dispatches.anywhere(self.ref)
        if row is None or row.course != Course.SENDING or dispatches.frozen():
            return bool(self.flying)
        resting = 0.0
        for channel in _rested(row, self.clock()):
            if channel not in self.opened:
                if claims.has_due(row.id, channel, self.clock()):
                    self._halt("channel_closed")
                continue
            flow = self.flows.setdefault(channel, Flow(self.opened[channel]))
            while flow.in_flight < flow.wanted:
                if (pause := flow.free_at - time.monotonic()) > 0:
                    resting = max(resting, pause) if not resting else min(resting, pause)
                    break
                if not self._send_one(row, channel, flow):
                    break
        if not self.flying and resting:
            time.sleep(min(resting, 1.0))
        return bool(self.flying) or resting > 0

    def _send_one(self, row: Dispatch, channel: str, flow: Flow) -> bool:
        """Claim a batch, write it, begin it, hand it to a thread; whether that happened."""
        began = time.monotonic()
        rate = rate_of(channel, row.pace, flow.notifier.rate)
        most = flow.notifier.batch if not rate else max(1, min(flow.notifier.batch, int(rate)))
        fresh = dispatches.anywhere(self.ref)
        left = rules.canary_left(fresh.counts, fresh.canary) if fresh else 0
        if left == 0:
            return False
        held = self._claim(row, channel, most if left is None else min(most, left))
        if held is None:
            return False
        held = quieting.awake(row, held, self.clock())
        if held is None:
            return True
        batch = self._written(row, held)
        if batch is None or not self._begin(batch):
            return False
        if flow.notifier.simulated is not row.simulated or self.pool is None:
            raise RuntimeError("A rehearsal must not reach a provider, nor a notice the sandbox.")
        if rate:
            flow.free_at = max(flow.free_at, time.monotonic()) + len(batch.to_send) / rate
        batch.began = time.monotonic()
        self.flying[self.pool.submit(flow.notifier.send, batch.to_send) if batch.to_send else _nothing()] = batch
        flow.in_flight += 1
        flow.learn(work=time.monotonic() - began)
        return True

    def _claim(self, row: Dispatch, channel: str, most: int) -> Held | None:
        provider = self.opened[channel].provider
        return claims.claim(row.id, channel, most, worker=WORKER, lease=self.lease, now=self.clock(), provider=provider)

    def _written(self, row: Dispatch, held: Held) -> Batch | None:
        """The messages of a batch. Whoever cannot be written to has an answer at once; the others go."""
        version = notices.version(row.notice_id, row.version_number)
        try:
            known_people = _addressees(row.incident_id, [member.person_id for member in held.rows])
        except Erased:
            self._give_back(held, "people_erased")
            return None
        known: dict[str, Answer] = {}
        to_write: list[tuple[str, str, Addressee]] = []
        for member in held.rows:
            person = known_people.get(member.person_id)
            if isinstance(person, Addressee):
                to_write.append((member.ref, f"{row.ref}.{member.person_number}", person))
            else:
                known[member.ref] = Answer(member.ref, Outcome.REFUSED, reason=person or "person_gone")
        try:
            made = _messages(version, to_write, held.channel) if version else []
        except Refused:
            self._give_back(held, "approval_changed")
            return None
        to_send = []
        for (ref, _, _), message in zip(to_write, made, strict=True):
            if isinstance(message, Message):
                to_send.append(message)
            else:
                known[ref] = Answer(ref, Outcome.LATER, reason="cannot_be_written")
        db.session.rollback()
        return Batch(held, to_send, known)

    def _begin(self, batch: Batch) -> bool:
        """The fence: from here on the batch may have gone out. Only while the claim, the course and the approval stand."""
        now = self.clock()
        with transaction(ACTOR, now) as ledger:
            row = locked(self.ref)
            incident = incident_ref(row)
            version = approved(row)
            if row.course != Course.SENDING or dispatches.frozen() or version is None:
                if version is None and row.course == Course.SENDING:
                    halt(row, "approval_changed", ledger, incident)
                returned(row, batch.held, ledger, incident)
                return False
            if not claims.turn_claim(batch.held.fence, "claimed", "calling", now, lease=self.lease):
                ledger.unchanged()
                return False
            refs = rules.batch_digest([(member.ref, State.SENDING.value) for member in batch.held.rows])
            ledger.write(
                "deliveries.handed_over",
                row.ref,
                incident=incident,
                claim=batch.held.fence,
                channel=batch.held.channel,
                count=len(batch.held.rows),
                digest=refs,
            )
        batch.called_at = now
        return True

    def _give_back(self, held: Held, reason: str) -> None:
        with transaction(ACTOR, self.clock()) as ledger:
            row = locked(self.ref)
            incident = incident_ref(row)
            if row.course == Course.SENDING:
                halt(row, reason, ledger, incident)
            returned(row, held, ledger, incident)

    def _halt(self, reason: str) -> None:
        with transaction(ACTOR, self.clock()) as ledger:
            row = locked(self.ref)
            if row.course != Course.SENDING:
                ledger.unchanged()
                return
            halt(row, reason, ledger, incident_ref(row))

    def _settle_some(self, *, all_of_them: bool = False) -> None:
        """Wait for answers and settle them; the leases of the others are kept up meanwhile."""
        if not self.flying:
            return
        enough = FIRST_COMPLETED if not all_of_them else ALL_COMPLETED
        done, pending = wait(self.flying, timeout=self.lease.total_seconds() / 4, return_when=enough)
        for future in done:
            batch = self.flying.pop(future)
            flow = self.flows[batch.held.channel]
            flow.in_flight -= 1
            flow.learn(answer=time.monotonic() - batch.began)
            self._settle_surely(batch, _answers(future, batch), flow)
        if pending and time.monotonic() - self.kept_at > self.lease.total_seconds() / 4:
            self.kept_at = time.monotonic()
            claims.keep_leases([self.flying[future].held.fence for future in pending], self.clock() + self.lease)

    def _settle_surely(self, batch: Batch, answers: Mapping[str, Answer], flow: Flow) -> None:
        """Settle, again and again while the database is busy: what we know now would be in doubt later."""
        for pause in (*SETTLE_PAUSES, None):
            try:
                self._settle(batch, answers, flow)
            except OperationalError:
                if pause is None:
                    raise
                db.session.rollback()
                time.sleep(pause)
            else:
                return

    def _settle(self, batch: Batch, answers: Mapping[str, Answer], flow: Flow) -> None:
        """Write down what became of the batch, its line, and whatever follows for the dispatch."""
        now = self.clock()
        kept = sealed(self.ref, batch, answers, now) if flow.notifier.simulated else []
        with transaction(ACTOR, now) as ledger:
            row = locked(self.ref)
            incident = incident_ref(row)
            result = outcome(batch, claims.as_they_are(batch.held), answers, row, flow.notifier, now)
            claims.turn_claim(batch.held.fence, "calling", "settled", now)
            tallies.count(row.id, result.moved, now)
            mailbox.keep_messages(kept)
            if batch.held.channel == "call" and any(answer.outcome is Outcome.BY_HAND for answer in answers.values()):
                calls.list_waiting(row.incident_id, [member.id for member in batch.held.rows], now)
            rest(row, batch.held.channel, answers.values(), now)
            row.rate = _rate(row.rate, len(batch.held.rows), flow)
            ledger.write(
                "deliveries.settled",
                row.ref,
                incident=incident,
                claim=batch.held.fence,
                channel=batch.held.channel,
                states=dict(Counter(state for _, state in result.states)),
                digest=rules.batch_digest(result.states),
            )
            if batch.held.channel == "push":
                dead_tokens.forget(row, batch, answers, ledger, incident)
            self._settled(row, result.states, ledger, incident)
            db.session.flush()
            db.session.refresh(row)
            halt_if_needed(row, answers.values(), ledger, incident)

    def _settled(self, row: Dispatch, states: Sequence[tuple[str, str]], ledger: Ledger, incident: str) -> None:
        """What else belongs into the transaction that settles a batch; nothing here."""

    def _finish(self) -> None:
        """When nobody waits and nothing is under way, the dispatch is done, and with it the notice."""
        row = dispatches.anywhere(self.ref)
        if row is None or row.course != Course.SENDING or row.waiting or row.sending or not row.prepared:
            return
        if letters.unposted(row.id):
            return
        now = self.clock()
        with transaction(ACTOR, now) as ledger:
            row = locked(self.ref)
            if row.course != Course.SENDING or row.waiting or row.sending:
                ledger.unchanged()
                return
            row.course, row.finished_at = rules.turned(Course(row.course), Turn.FINISH), now
            counts = {state.value: row.counts.of(state) for state in State if row.counts.of(state)}
            ledger.write(
                "dispatch.finished", row.ref, incident=incident_ref(row), simulated=row.simulated, counts=counts
            )
            text = notices.anywhere(row.notice_ref)
            if text is not None and text.stage == Stage.SENDING:
                text.stage = notice_rules.after(Stage.SENDING, notice_rules.Event.FINISH)


def _answers(future: Future[list[Answer]], batch: Batch) -> dict[str, Answer]:
    """The answers of a call. An exception, or answers that do not fit the batch, mean that nobody knows what happened."""
    try:
        given = {answer.ref: answer for answer in future.result()}
    except Exception as error:
        log.warning(
            "sending.call_failed", channel=batch.held.channel, claim=batch.held.fence, kind=type(error).__name__
        )
        given = {}
    lost = {
        message.ref: given.get(message.ref, Answer(message.ref, Outcome.UNKNOWN, reason="answer_lost"))
        for message in batch.to_send
    }
    return batch.known | lost


def _nothing() -> Future[list[Answer]]:
    future: Future[list[Answer]] = Future()
    future.set_result([])
    return future


def _addressees(incident_id: int, ids: Sequence[int]) -> dict[int, Addressee | str]:
    """Everybody's open record; one that does not open keeps nobody else back and has its reason instead."""
    try:
        return dict(people.addressees(incident_id, ids))
    except Unreadable:
        found: dict[int, Addressee | str] = {}
        for id_ in ids:
            try:
                found |= people.addressees(incident_id, [id_])
            except Unreadable:
                found[id_] = "record_unreadable"
        return found


def _messages(
    version: NoticeVersion, to_write: Sequence[tuple[str, str, Addressee]], channel: str
) -> Sequence[Message | Unfilled | None]:
    """The messages of a batch; where writing them together breaks, one by one, so that one record keeps nobody else back."""
    try:
        return messages(version, to_write, channel)
    except Refused:
        raise
    except Exception as error:
        log.warning("sending.not_written", channel=channel, kind=type(error).__name__)
    return [_message(version, one, channel) for one in to_write]


def _message(version: NoticeVersion, one: tuple[str, str, Addressee], channel: str) -> Message | Unfilled | None:
    try:
        return messages(version, [one], channel)[0]
    except Exception as error:
        log.warning("sending.not_written", attempt=one[0], kind=type(error).__name__)
        return None


def _rate(before: float, count: int, flow: Flow) -> float:
    """Messages a second, the newer batches weighing more."""
    now = count * max(1, flow.in_flight + 1) / max(flow.answer + flow.work, 0.001)
    return round(0.7 * before + 0.3 * now if before else now, 1)
