"""Take in what providers report: each report once, one transaction a post, whatever the order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from incident.actions import enquiry_mails, media_mails, reminder_messages, tip_mails
from incident.actions.deliveries import take_back_repeats
from incident.actions.dispatch import halt
from incident.actions.ledger import Ledger, transaction
from incident.domain import deliveries as rules
from incident.domain import ladders
from incident.domain.deliveries import Course, State
from incident.domain.errors import Missing
from incident.domain.reported import SAYS_IT_ARRIVED, hear
from incident.store import calls, provider_events, separation, tallies
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.provider_events import Heard, Sending, Told
from incident.store.tallies import Moves, Place
from notifiers.contract import Event, Status

CALL_WANTED = "call_back_wanted"
Sendings = Mapping[int, Sending]


def take_in(provider: str, channel: str, events: Sequence[Event], *, now: datetime) -> int:
    """Keep these reports and what they change; how many were new. Repeats change nothing, unknown ones are kept too."""
    with transaction(f"provider:{provider}", now) as ledger:
        refs = list({event.ref: None for event in events if event.ref})
        sendings = provider_events.sendings_of(refs)
        told = _theirs(provider_events.told(refs) if sendings else {}, provider, channel)
        fresh = _kept(provider, events, told, now)
        if not fresh:
            ledger.unchanged()
            return 0
        heard = Hearing(provider, sendings, now)
        for ref, said in _by_delivery(fresh, told).items():
            heard.hear(told[ref], said)
        heard.write()
        _list_calls_wanted(fresh, told, sendings, now)
        _count(heard, ledger)
        strangers = [event for event in fresh if event.ref not in told]
        ours = reminder_messages.take_in(provider, strangers, ledger) if strangers else set()
        ours |= media_mails.take_in(provider, strangers, ledger) if strangers else set()
        ours |= enquiry_mails.take_in(provider, strangers, ledger) if strangers else set()
        ours |= tip_mails.take_in(provider, strangers, ledger) if strangers else set()
        ours |= separation.known_mails({event.ref for event in strangers if event.ref})
        _write_alarms(provider, fresh, [event for event in strangers if event.ref not in ours], ledger)
    return len(fresh)


def _theirs(rows: Mapping[str, Told], provider: str, channel: str) -> dict[str, Told]:
    """Only what this provider may speak about: its own channel, and not what another one took."""
    return {ref: row for ref, row in rows.items() if row.channel == channel and row.provider in ("", provider)}


def _kept(provider: str, events: Sequence[Event], told: Mapping[str, Told], now: datetime) -> list[Event]:
    """Those of these reports that were never received, in their order."""
    once: dict[str, Event] = {}
    for event in events:
        once.setdefault(event.id[:100], event)
    new = provider_events.keep(provider, list(once.values()), told, now)
    return [event for id_, event in once.items() if id_ in new]


@dataclass
class Hearing:
    """What the reports of one post make of the deliveries that they speak of, before it is written down."""

    provider: str
    sendings: Sendings
    now: datetime
    moved: dict[int, Moves] = field(init=False)
    complained: Counter[int] = field(default_factory=Counter)
    states: dict[int, list[tuple[str, str]]] = field(init=False)
    noted: list[Heard] = field(default_factory=list)
    changed: list[Heard] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.moved = {id_: Counter() for id_ in self.sendings}
        self.states = {id_: [] for id_ in self.sendings}

    def hear(self, row: Told, said: Sequence[Event]) -> None:
        """What these reports make of one delivery."""
        then = row.known()
        before, reason, may_pass, complained = then.state, then.reason, then.may_pass, then.complained
        by = self.provider if hear(then, said, self.now) else row.provider
        self.complained[row.dispatch_id] += then.complained and not complained
        self.states[row.dispatch_id].append((row.ref, then.state.value))
        if then.state is before and then.may_pass == may_pass:
            self.noted.append(Heard(row.id, by, then, None))
            return
        self.changed.append(Heard(row.id, by, then, self._look_at(row, then.state)))
        if row.current:
            moved = self.moved[row.dispatch_id]
            moved[Place(row.channel, row.language, before, reason)] -= 1
            moved[Place(row.channel, row.language, then.state, then.reason)] += 1
        elif then.state in SAYS_IT_ARRIVED:
            self.arrived.append(row.id)

    def _look_at(self, row: Told, state: State) -> datetime | None:
        before = provider_events.instant(row.climb_at)
        if not row.current:
            return before
        return ladders.look_at(self.sendings[row.dispatch_id].steps, row.channel, state, self.now, before=before)

    def write(self) -> None:
        """Write all of it down, and take back the repeats of what did arrive."""
        provider_events.note(self.noted)
        provider_events.move(self.changed, self.now)
        for id_ in self.arrived:
            row = db.session.get(Delivery, id_, populate_existing=True)
            if row is not None:
                self._take_back(row)
        db.session.flush()

    def _take_back(self, row: Delivery) -> None:
        take_back_repeats(row, self.moved[row.dispatch_id], self.now)
        if row.current:
            steps = self.sendings[row.dispatch_id].steps
            row.climb_at = ladders.look_at(steps, row.channel, State(row.state), self.now, before=row.climb_at)


def _by_delivery(fresh: Sequence[Event], told: Mapping[str, Told]) -> dict[str, list[Event]]:
    about: dict[str, list[Event]] = {}
    for event in fresh:
        if event.ref in told:
            about.setdefault(event.ref, []).append(event)
    return about


def _list_calls_wanted(fresh: Sequence[Event], told: Mapping[str, Told], sendings: Sendings, now: datetime) -> None:
    """Whoever pressed the key for it in a call is called back by a person."""
    for event in fresh:
        if event.reason == CALL_WANTED and event.ref in told:
            row = told[event.ref]
            calls.list_back(sendings[row.dispatch_id].incident_id, [row.id], now)


def _count(heard: Hearing, ledger: Ledger) -> None:
    """Count what moved, leave a line for each sending, and halt one of which too much came back."""
    for id_, sending in heard.sendings.items():
        if not heard.states[id_]:
            continue
        tallies.count(id_, heard.moved[id_], ledger.now)
        ledger.write(
            "deliveries.reported",
            sending.ref,
            incident=sending.incident,
            provider=heard.provider,
            states=dict(Counter(state for _, state in heard.states[id_])),
            digest=rules.batch_digest(sorted(heard.states[id_])),
        )
        if heard.complained[id_] or sending.course == Course.SENDING:
            _hold_back(_refreshed(id_), sending.incident, heard.complained[id_], ledger)


def _hold_back(row: Dispatch, incident: str, complained: int, ledger: Ledger) -> None:
    row.complained += complained
    if row.course == Course.SENDING and (why := row.overrun):
        halt(row, why, ledger, incident)


def _refreshed(id_: int) -> Dispatch:
    row = db.session.get(Dispatch, id_, populate_existing=True)
    if row is None:
        raise Missing()
    return row


def _write_alarms(provider: str, fresh: Sequence[Event], strangers: Sequence[Event], ledger: Ledger) -> None:
    """A line for reports about nothing we know, and one for what a provider should never have to say."""
    if strangers:
        ledger.write("provider.unmatched", f"provider:{provider}", count=len(strangers))
    alarms = Counter(event.status.value for event in fresh if event.status in (Status.ALARM, Status.TRACKED))
    if alarms:
        ledger.write("provider.alarm", f"provider:{provider}", kinds=dict(alarms))
