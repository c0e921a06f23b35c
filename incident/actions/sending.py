"""The work behind a dispatch: claim, call, settle, batch by batch, until nobody waits.

No transaction is open while a provider is called. A batch is handed over only after its claim was turned to "calling" in a
transaction that also finds the approval unchanged; so whoever was too slow, or whose text is no longer approved, hands over
nothing. What a dead worker had begun to hand over is in doubt; what it had only claimed goes back to waiting.
"""

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from socket import gethostname
from typing import Any, ClassVar

from sqlalchemy.exc import OperationalError

from incident.actions import dead_tokens, quieting
from incident.actions.carriers import Carrier, is_worth_it
from incident.actions.dispatch import halt
from incident.actions.finishing import finish
from incident.actions.flows import FEW as FEW
from incident.actions.flows import Flow as Flow
from incident.actions.flows import demand_fit, rate_of
from incident.actions.hearing import heard, nothing
from incident.actions.ledger import Ledger, transaction
from incident.actions.preparing import ACTOR, incident_ref, locked, prepare, returned, shared, take_over
from incident.actions.settling import STATE, Answers, Batch, Settled, apart, each, outcome, reason_to_halt, rest, sealed
from incident.actions.starting import scheduled as scheduled
from incident.actions.starting import start_scheduled as start_scheduled
from incident.actions.texts import Texts
from incident.actions.waiting import due as due
from incident.actions.waiting import rested
from incident.actions.writing import Approval, Draft, drafted, written
from incident.domain import deliveries as rules
from incident.domain import pace
from incident.domain.deliveries import Course, State
from incident.domain.errors import Refused
from incident.store import calls, claims, dispatches, mailbox, tallies
from incident.store.claims import Held
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.sealed import Erased
from notifiers.contract import Alike, Answer, Channels, Notifier, Outcome

WORKER = f"{gethostname()[:30]}:{os.getpid()}"
LEASE = timedelta(seconds=60)
SLICE_SECONDS = 10.0  # after so long, others get their turn

FIRST_LOOK = 0.05  # seconds; so long an answer is awaited before more is handed over, then twice as long, and so on

SETTLE_PAUSES = (0.2, 1.0, 3.0, 5.0)  # seconds

Clock = Callable[[], datetime]
Done = Sequence[tuple[Batch, Answers]]
Kept = Sequence[Mapping[str, Any]]


class NotShared(Exception):
    """Something of this is for one worker alone, while no other moves anything of the sending. Nothing was changed."""


def work(
    ref: str, channels: Channels, *, clock: Clock, lease: timedelta = LEASE, going: Callable[[], bool] = lambda: True
) -> None:
    """Take one dispatch as far as it goes in its time: safe to repeat, to kill, and to run twice at once.

    Once it is no longer `going`, it begins nothing more, and leaves after the calls under way.
    """
    row = dispatches.anywhere(ref)
    if row is None:
        return
    take_over(row, now=clock())
    opened = channels.open(simulated=row.simulated)
    until = time.monotonic() + SLICE_SECONDS
    while prepare(ref, opened, now=clock()) and time.monotonic() < until and going():
        pass
    Wave(ref, opened, clock, lease, going=going).run(until)


# Claim, call, settle --------------------------------------------------------------------------------------------------


@dataclass
class Wave:
    """One worker's run over a dispatch."""

    ref: str
    opened: Mapping[str, Notifier]
    clock: Clock
    lease: timedelta = LEASE
    flows: dict[str, Flow] = field(default_factory=dict)
    ready: dict[str, deque[Held]] = field(default_factory=dict)
    flying: dict[Future[Sequence[Answer]], Batch] = field(default_factory=dict)
    pool: ThreadPoolExecutor | None = None
    kept_at: float = 0.0
    resting: float = 0.0
    approval: Approval = field(default_factory=Approval)
    incident: str = ""
    going: Callable[[], bool] = lambda: True
    row: Dispatch | None = None
    patience: float = FIRST_LOOK
    carriers: dict[str, Carrier | None] = field(default_factory=dict)
    drafts: dict[int, Draft] = field(default_factory=dict)
    alone: ClassVar[bool] = False
    """Whether other workers of the same sending wait for all that this one writes."""

    def run(self, until: float) -> None:
        """Send until nothing is due, the course changes, or the time is over; calls under way are always settled."""
        calls = max(1, sum(n.calls for n in self.opened.values()))
        with ThreadPoolExecutor(calls, "call") as self.pool:
            try:
                while self._turn(more=time.monotonic() < until):
                    pass
            finally:
                while self.flying:
                    self._settle_some(all_of_them=True)
                for carrier in filter(None, self.carriers.values()):
                    carrier.close()
                self._return_ready()
        finish(self.ref, now=self.clock())

    def _turn(self, *, more: bool) -> bool:
        """Write the next batches while others are on their way, then settle what was answered and begin them, in one transaction.

        Whether there may be more to do.
        """
        batches = self._next(more=more)
        if not batches and self.flying:
            self._wait(FIRST_COMPLETED)
            batches = self._next(more=more)
        done = self._answered()
        if done or batches:
            for batch in self._move_surely(done, batches):
                self._hand_over(batch)
        elif not self.flying and self.resting:
            time.sleep(
                min(self.resting, 1.0) if more else self.resting
            )  # what is too soon now is too soon for the next run
            return more
        return bool(self.flying or batches or done)

    def _next(self, *, more: bool) -> list[Batch]:
        """Written batches for each channel that has room for more calls."""
        self.resting = 0.0
        row, self.row = self.row or dispatches.seen(self.ref), None
        if row is None or row.course != Course.SENDING or dispatches.frozen() or not self.going():
            self._return_ready()
            return []
        found = []
        for channel in rested(row, self.clock()):
            if channel not in self.opened:
                if claims.has_due(row.id, channel, self.clock()):
                    self._halt("channel_closed")
                continue
            flow = self.flows.setdefault(channel, Flow(self.opened[channel]))
            room = min(flow.wanted - self._in_flight(channel), flow.at_once)
            if room > 0 and (pause := flow.free_at - time.monotonic()) > 0:
                self.resting = min(self.resting or pause, pause)
            else:
                found += self._several(row, channel, flow, room, more=more)
        return found

    def _several(self, row: Dispatch, channel: str, flow: Flow, room: int, *, more: bool) -> list[Batch]:
        """Up to so many written batches; one alone where there is a limit on speed, or on how many go first."""
        began = time.monotonic()
        demand_fit(row, flow)
        limited = row.canary or pace.rate_of(channel, row.pace, flow.notifier.rate)
        most = min(room, 1) if limited else room
        taken: list[Held] = []
        while len(taken) < most and (held := self._ready(row, channel, flow, most - len(taken), more=more)):
            if awake := quieting.awake(row, held, self.clock()):
                taken.append(awake)
        found = self._all_written(row, taken) if taken else []
        for batch in found:
            batch.work = (time.monotonic() - began) / len(found)
        return found

    def _ready(self, row: Dispatch, channel: str, flow: Flow, room: int, *, more: bool) -> Held | None:
        """The next claimed batch of a channel; several are claimed at once."""
        ready = self.ready.setdefault(channel, deque())
        if not ready and more:
            ready.extend(self._claim_ahead(row, channel, flow, room))
        return ready.popleft() if ready else None

    def _claim_ahead(self, row: Dispatch, channel: str, flow: Flow, room: int) -> Sequence[Held]:
        most, batches = flow.notifier.batch, max(room, min(FEW, flow.at_once))
        flow.rate = rate_of(row, channel, flow)
        if flow.rate:
            most, batches = max(1, min(most, int(flow.rate))), 1
        if (left := rules.canary_left(row.counts, row.canary)) is not None:
            most, batches = min(most, left), 1
        if not most:
            if row.waiting and not row.sending:  # whoever was to see the last of them come back died before
                self._halt("canary")
            return []
        found = claims.claim_ahead(
            row.id,
            channel,
            most,
            batches,
            worker=WORKER,
            lease=self.lease,
            now=self.clock(),
            provider=flow.notifier.provider,
            canary=row.canary,
        )
        if not found:
            quieting.found_nobody(row, channel, self.clock())
        return found

    def _in_flight(self, channel: str) -> int:
        return sum(1 for future, batch in self.flying.items() if batch.held.channel == channel and not future.done())

    def _hand_over(self, batch: Batch) -> None:
        """Give a batch that was begun to a thread."""
        flow = self.flows[batch.held.channel]
        batch.began = time.monotonic()
        if flow.rate:
            flow.free_at = max(flow.free_at, batch.began) + len(batch.asked) / flow.rate
        self.flying[self._called(batch, flow)] = batch
        flow.in_flight += 1
        flow.learn(work=batch.work)

    def _called(self, batch: Batch, flow: Flow) -> Future[Sequence[Answer]]:
        """The answers of a call that begins now."""
        if self.pool is None:
            raise RuntimeError("Nothing is handed over but in a run.")
        carrier = self.carriers.get(batch.held.channel)
        if batch.passed_on and carrier is not None:
            return carrier.carry(batch, self.drafts.pop(batch.held.fence))
        return self.pool.submit(flow.notifier.send, batch.to_send) if batch.to_send else nothing()

    def _send_one(self, row: Dispatch, channel: str, flow: Flow) -> None:
        """Claim one batch, write it, begin it, hand it to a thread, where there is one."""
        demand_fit(row, flow)
        held = self._claim(row, channel, flow.notifier.batch)
        batch = self._written(row, held) if held else None
        if batch is not None and self._begin(batch):
            self._hand_over(batch)

    def _claim(self, row: Dispatch, channel: str, most: int) -> Held | None:
        provider = self.opened[channel].provider
        return claims.claim(row.id, channel, most, worker=WORKER, lease=self.lease, now=self.clock(), provider=provider)

    def _return_ready(self) -> None:
        """Give back what was claimed ahead."""
        for ready in self.ready.values():
            while ready:
                held = ready.popleft()
                with transaction(ACTOR, self.clock()) as ledger:
                    row = locked(self.ref)
                    returned(row, held, ledger, incident_ref(row))

    def _written(self, row: Dispatch, held: Held) -> Batch | None:
        """The messages of one batch; None where nothing of it may be sent any more, and it was given back."""
        found = self._all_written(row, [held])
        return found[0] if found else None

    def _all_written(self, row: Dispatch, held: Sequence[Held]) -> list[Batch]:
        """The messages of batches of one channel; none where nothing of them may be sent any more, and they were given back."""
        try:
            channel = held[0].channel
            texts = self.approval.texts(row, channel, self.opened[channel].provider)
            drafts = drafted(row, held, texts, self.approval.key)
            if self._carries(row, channel, texts):
                return [self._to_pass_on(draft) for draft in drafts]
            return [written(draft) for draft in drafts]
        except Refused as refused:
            for one in held:
                self._give_back(one, "people_erased" if isinstance(refused, Erased) else "approval_changed")
        return []

    def _carries(self, row: Dispatch, channel: str, texts: Texts) -> bool:
        """Whether a program of its own carries the next batches: for many people, and once it is there."""
        if channel not in self.carriers:
            flow = self.flows.get(channel)
            if flow is None or row.canary or flow.rate or texts.remedies or not is_worth_it(flow.notifier, row.waiting):
                return False
            key = self.approval.key(row.incident_id)
            self.carriers[channel] = Carrier.started(flow.notifier, key, texts.contents, row.ref)
        carrier = self.carriers[channel]
        return carrier is not None and carrier.is_ready and not carrier.is_gone

    def _to_pass_on(self, draft: Draft) -> Batch:
        self.drafts[draft.held.fence] = draft
        return Batch(draft.held, [], {}, passed_on=True)

    def _incident(self, row: Dispatch) -> str:
        self.incident = self.incident or incident_ref(row)
        return self.incident

    def _begin(self, batch: Batch) -> bool:
        """Begin one batch alone; whether it may be handed over."""
        return bool(self._move([], [batch]))

    def _move_surely(self, done: Done, batches: Sequence[Batch]) -> list[Batch]:
        """Again and again while the database is busy: what we know now would be in doubt later."""
        for pause in SETTLE_PAUSES:
            try:
                return self._move(done, batches)
            except OperationalError:
                db.session.rollback()
                time.sleep(pause)
        return self._move(done, batches)

    def _move(self, done: Done, batches: Sequence[Batch]) -> list[Batch]:
        """Write down what was answered and begin what comes next; the batches that may be handed over from here on."""
        now = self.clock()
        kept = [one for batch, answers in done for one in self._kept(batch, answers, now)]
        try:
            return self._moved(done, batches, kept, now, alone=self.alone)
        except NotShared:
            return self._moved(done, batches, kept, now, alone=True)

    def _moved(self, done: Done, batches: Sequence[Batch], kept: Kept, now: datetime, *, alone: bool) -> list[Batch]:
        """The same in one transaction. What concerns this worker's rows only comes first, for others wait for what follows.

        Raises NotShared where something of it is for one worker `alone`.
        """
        with transaction(ACTOR, now) as ledger:
            row = locked(self.ref) if alone else shared(self.ref)
            incident = self._incident(row)
            settled = [self._settled_rows(batch, answers, row, now) for batch, answers in done]
            begun = [] if alone else self._begun(batches, row, ledger, incident, alone=False)
            if not alone and done:
                dispatches.hold(row)
            for one in settled:
                self._write_down(one, row, ledger, incident, alone=alone)
            mailbox.keep_messages(kept)
            begun = self._begun(batches, row, ledger, incident, alone=True) if alone else begun
            for batch, digest in begun:
                ledger.write(
                    "deliveries.handed_over",
                    row.ref,
                    incident=incident,
                    claim=batch.held.fence,
                    channel=batch.held.channel,
                    count=len(batch.held.rows),
                    digest=digest,
                )
            if not ledger.lines:
                ledger.unchanged()
        if ledger.lines and not row.canary:
            self.row = dispatches.let_be(row)
        for batch, _ in begun:
            batch.called_at = now
        return [batch for batch, _ in begun]

    def _kept(self, batch: Batch, answers: Answers, now: datetime) -> list[dict[str, Any]]:
        simulated = self.flows[batch.held.channel].notifier.simulated
        return sealed(self.ref, batch, answers, now) if simulated else []

    def _begun(
        self, batches: Sequence[Batch], row: Dispatch, ledger: Ledger, incident: str, *, alone: bool
    ) -> list[tuple[Batch, str]]:
        """The fence: from here on a batch may have gone out. Only while the claim, the course and the approval stand.

        Each that was begun, with the root over its people. Raises NotShared where they must be given back.
        """
        if not batches:
            return []
        stands = self.approval.stands(row)
        if row.course != Course.SENDING or dispatches.frozen() or not stands:
            if not alone:
                raise NotShared
            if not stands and row.course == Course.SENDING:
                halt(row, "approval_changed", ledger, incident)
            for batch in batches:
                returned(row, batch.held, ledger, incident)
            return []
        word = State.SENDING.value
        return [
            (batch, rules.batch_digest([(member.ref, word) for member in batch.held.rows]))
            for batch in batches
            if claims.turn_claim(batch.held.fence, "claimed", "calling", ledger.now, lease=self.lease)
        ]

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
        self._wait(ALL_COMPLETED if all_of_them else FIRST_COMPLETED)
        for batch, answers in self._answered():
            self._settle_surely(batch, answers, self.flows[batch.held.channel])

    def _wait(self, enough: str) -> None:
        """Wait for answers, some or all; where none comes, more calls are wanted, for answers take longer than we knew."""
        longest = self.lease.total_seconds() / 4
        finished, pending = wait(self.flying, timeout=min(longest, self.patience), return_when=enough)
        self.patience = FIRST_LOOK if finished else 2 * self.patience
        for batch in (self.flying[future] for future in pending):
            flow = self.flows[batch.held.channel]
            flow.answer = max(flow.answer, time.monotonic() - batch.began)
        if pending and time.monotonic() - self.kept_at > self.lease.total_seconds() / 4:
            self.kept_at = time.monotonic()
            claims.keep_leases([self.flying[future].held.fence for future in pending], self.clock() + self.lease)

    def _answered(self) -> list[tuple[Batch, Answers]]:
        """The batches whose answers are there, each taken once."""
        found = []
        for future in [one for one in self.flying if one.done()]:
            batch = self.flying.pop(future)
            flow = self.flows[batch.held.channel]
            flow.in_flight -= 1
            if batch.began <= (now := time.monotonic()):
                flow.learn(answer=now - batch.began)
            found.append((batch, heard(future, batch)))
        return found

    def _settle_surely(self, batch: Batch, answers: Answers, flow: Flow) -> None:
        """Settle one batch alone, again and again while the database is busy."""
        for pause in SETTLE_PAUSES:
            try:
                return self._settle(batch, answers, flow)
            except OperationalError:
                db.session.rollback()
                time.sleep(pause)
        return self._settle(batch, answers, flow)

    def _settle(self, batch: Batch, answers: Answers, flow: Flow) -> None:
        self.flows.setdefault(batch.held.channel, flow)
        self._move([(batch, answers)], [])

    def _settled_rows(self, batch: Batch, answers: Answers, row: Dispatch, now: datetime) -> Settled:
        """The rows and the claim of a batch as its answers have them; they are this worker's alone."""
        result = outcome(batch, answers, row, self.flows[batch.held.channel].notifier, now)
        claims.turn_claim(batch.held.fence, "calling", "settled", now, apart=apart(result.states))
        return Settled(batch, answers, result, rules.batch_digest(result.states))

    def _write_down(self, one: Settled, row: Dispatch, ledger: Ledger, incident: str, *, alone: bool) -> None:
        """What became of the batch in the counts, its line, and whatever follows for the dispatch, which is held. Raises NotShared."""
        batch, answers, result = one.batch, one.answers, one.result
        now, flow, channel = ledger.now, self.flows[batch.held.channel], batch.held.channel
        given = each(answers)
        tallies.count_held(row, result.moved, now)
        if channel == "call" and any(answer.outcome is Outcome.BY_HAND for answer in given):
            calls.list_waiting(row.incident_id, [member.id for member in batch.held.rows], now)
        rest(row, channel, given, now)
        row.rate = flow.speed(row.rate, len(batch.held.rows))
        ledger.write(
            "deliveries.settled",
            row.ref,
            incident=incident,
            claim=batch.held.fence,
            channel=channel,
            states=dict(Counter(map(STATE, result.states))),
            digest=one.digest,
        )
        if channel == "push" and not isinstance(answers, Alike):
            dead_tokens.forget(row, batch, answers, ledger, incident)
        self._settled(row, result.states, ledger, incident)
        if why := reason_to_halt(row, given):
            if not alone:
                raise NotShared
            halt(row, why, ledger, incident)

    def _settled(self, row: Dispatch, states: Sequence[tuple[str, str]], ledger: Ledger, incident: str) -> None:
        """What else belongs into the transaction that settles a batch; nothing here."""
