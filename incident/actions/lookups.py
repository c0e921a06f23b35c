"""Ask providers about those in doubt: once by itself after the doubt arose, and whenever a person wants to know.

No transaction is open while a provider is asked. What it says is kept as evidence; only what can be no other message settles.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from incident.actions import people
from incident.actions.deliveries import take_back_repeats
from incident.actions.ledger import Ledger, transaction
from incident.actions.merging import address, messages
from incident.actions.preparing import ACTOR, incident_ref
from incident.domain import deliveries as delivery_rules
from incident.domain import ladders
from incident.domain import lookups as rules
from incident.domain.deliveries import State
from incident.domain.errors import Missing, Refused
from incident.domain.lookups import Judged, Verdict
from incident.domain.notices import Channel
from incident.domain.reported import SAYS_IT_ARRIVED
from incident.store import deliveries, dispatches, incidents, notices, tallies
from incident.store import lookups as rows
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.sealed import Erased, Unreadable
from incident.store.tallies import Moves
from notifiers.contract import Channels, Finding, LooksUp, Message, Sought

log = structlog.get_logger()

AT_ONCE = 50
ASKED_BY_A_PERSON = 20  # what a page can wait for
MOST_RIVALS = 5_000
EVERY_SECONDS = 10.0
NOBODY_TO_ASK = "No provider that could be asked is set up for those in doubt here."


@dataclass(frozen=True)
class Asked:
    """How many deliveries were asked about, by verdict."""

    verdicts: Mapping[Verdict, int]

    @property
    def words(self) -> str:
        """In one sentence."""
        said = (f"{rules.WORDS[word]}: {self.verdicts[word]:,}" for word in Verdict if self.verdicts.get(word))
        return "Asked. " + "; ".join(said).capitalize() + "."


def askable(channels: Channels) -> dict[str, LooksUp]:
    """The real channels whose provider can be asked as they are set up here."""
    return {word: one for word, one in channels.real.items() if isinstance(one, LooksUp) and one.looks_up}


def due(channels: Channels, now: datetime) -> list[str]:
    """The dispatches with somebody in doubt about whom the provider was not asked yet."""
    opened = askable(channels)
    return list(rows.due(list(opened), now, frozen_at=_frozen_at())) if opened else []


def look_up(ref: str, channels: Channels, *, now: datetime) -> None:
    """Ask about the next of a dispatch that nobody asked about yet.

    While all is frozen also about those who wait: after a restore the provider may have told them already.
    """
    opened, row = askable(channels), dispatches.anywhere(ref)
    if row is None:
        return
    for word, channel in opened.items():
        most = max(channel.looks_up, min(AT_ONCE, int(EVERY_SECONDS / channel.asked_every) * channel.looks_up))
        found = list(rows.doubtful(row.id, [word], most, unasked=now))
        if (frozen_at := _frozen_at()) and len(found) < most:
            found += rows.waiting(row.id, [word], most - len(found), frozen_at=frozen_at, now=now)
        _ask(row, word, channel, found, actor=ACTOR, now=now)


def ask(incident: str, dispatch: str, channels: Channels, *, actor: str, now: datetime) -> Asked:
    """Ask about some of those in doubt of a dispatch, the never asked first. Raises Missing, Refused."""
    row = _dispatch(incident, dispatch)
    asked: Counter[Verdict] = Counter()
    for word, channel in askable(channels).items():
        most = ASKED_BY_A_PERSON - asked.total()
        found = rows.doubtful(row.id, [word], most) if most > 0 else []
        asked.update(_ask(row, word, channel, found, actor=actor, now=now))
    if not asked:
        raise Refused(NOBODY_TO_ASK)
    return Asked(asked)


def ask_one(incident: str, ref: str, channels: Channels, *, actor: str, now: datetime) -> Asked:
    """Ask about one delivery in doubt. Raises Missing, Refused."""
    case = incidents.by_ref(incident)
    one = deliveries.attempt(case.id, ref) if case else None
    row = dispatches.by_id(one.dispatch_id) if one else None
    if one is None or row is None:
        raise Missing()
    delivery_rules.demand_doubt(State(one.state))
    channel = askable(channels).get(one.channel)
    if channel is None or row.simulated:
        raise Refused(NOBODY_TO_ASK)
    asked = _ask(row, one.channel, channel, [one], actor=actor, now=now)
    if not asked:
        raise Refused("What was sent cannot be put together any more, so the provider cannot be asked for it.")
    return Asked(asked)


def _frozen_at() -> datetime | None:
    """Since when all sending is frozen; None while it is not."""
    switch = dispatches.switch()
    return switch.at if switch is not None and switch.frozen else None


def _dispatch(incident: str, ref: str) -> Dispatch:
    case = incidents.by_ref(incident)
    row = dispatches.by_ref(case.id, ref) if case else None
    if row is None:
        raise Missing()
    return row


def _ask(
    row: Dispatch, word: str, channel: LooksUp, found: Sequence[Delivery], *, actor: str, now: datetime
) -> Counter[Verdict]:
    """Ask about these, keep what was said, settle what is certain; how many by verdict."""
    ref, incident_id = row.ref, row.incident_id
    sought = _sought(row, word, found, now)
    if not sought:
        return Counter()
    rivals = _rivals(incident_id, word, sought)
    db.session.rollback()
    findings = _findings(channel, sought, word)
    return _keep(ref, channel.provider, findings, rivals, actor=actor, now=now)


def _sought(row: Dispatch, word: str, found: Sequence[Delivery], now: datetime) -> list[Sought]:
    """The messages as they were written, with the time in which each was handed over if it was."""
    version = notices.version(row.notice_id, row.version_number)
    times = {one.ref: _span(one, now) for one in found}
    try:
        known = people.addressees(row.incident_id, [one.person_id for one in found], with_codes=True)
        to_write = [
            (one.ref, f"{row.ref}.{one.person_number}", known[one.person_id]) for one in found if one.person_id in known
        ]
        written = messages(version, to_write, word) if version else []
    except (Erased, Unreadable):
        return []
    return [Sought(one, times[one.ref][0], times[one.ref][1]) for one in written if isinstance(one, Message)]


def _span(one: Delivery, now: datetime) -> tuple[datetime, datetime]:
    """When this one was handed over if it was. Of one that waits nothing is known but when it was listed."""
    if one.state == State.WAITING:
        return one.made_at, now
    return one.called_at or one.made_at, one.answered_at or one.changed_at


def _rivals(incident_id: int, word: str, sought: Sequence[Sought]) -> set[str]:
    """Those sought whose address is also that of something else not settled; all of them where that is too much to see."""
    mine = {one.message.ref for one in sought}
    others = [
        one
        for one in rows.unsettled(incident_id, word, MOST_RIVALS, waiting=_frozen_at() is not None)
        if one[2] not in mine
    ]
    if len(others) >= MOST_RIVALS:
        return mine
    try:
        known = people.addressees(incident_id, [person for _, person, _ in others])
    except (Erased, Unreadable):
        return mine
    taken = {address(one, Channel(word)) for one in known.values()}
    return {one.message.ref for one in sought if one.message.to in taken}


def _findings(channel: LooksUp, sought: Sequence[Sought], word: str) -> list[Finding]:
    try:
        return channel.find(sought)
    except Exception as error:
        log.warning("lookup.failed", channel=word, kind=type(error).__name__)
        return [Finding(one.message.ref, trouble="not_answered") for one in sought]


def _keep(
    ref: str, provider: str, findings: Sequence[Finding], rivals: set[str], *, actor: str, now: datetime
) -> Counter[Verdict]:
    """One transaction: the evidence, what it settles, the counts, and a line."""
    with transaction(actor, now) as ledger:
        row = dispatches.locked(ref)
        if row is None:
            raise Missing()
        standing = deliveries.reported_on(one.ref for one in findings)
        weak = [match.provider_id for one in findings for match in one.matches if not match.ours]
        taken = rows.owned(weak, [one.id for one in standing.values()])
        verdicts = rules.judged(findings, taken, rivals)
        rows.add([_row(standing[one.ref], one, verdicts[one.ref], provider, ledger) for one in findings])
        _settle(row, standing, verdicts, provider, ledger)
        counted = Counter(one.verdict for one in verdicts.values())
        said = delivery_rules.batch_digest(sorted((name, one.verdict) for name, one in verdicts.items()))
        ledger.write(
            "deliveries.looked_up",
            row.ref,
            incident=incident_ref(row),
            provider=provider,
            count=len(findings),
            verdicts={word.value: counted[word] for word in Verdict if counted[word]},
            digest=said,
        )
    return counted


def _row(one: Delivery, finding: Finding, judged: Judged, provider: str, ledger: Ledger) -> dict[str, object]:
    match = judged.match
    return {
        "delivery_id": one.id,
        "at": ledger.now,
        "by": ledger.actor,
        "provider": provider,
        "verdict": judged.verdict.value,
        "found": judged.found,
        "provider_id": match.provider_id[:100] if match else "",
        "status": match.status.value if match else "",
        "reason": (match.reason if match else finding.trouble)[:40],
        "code": match.code[:20] if match else "",
        "made_at": match.at if match else None,
    }


def _settle(
    row: Dispatch, standing: Mapping[str, Delivery], verdicts: Mapping[str, Judged], provider: str, ledger: Ledger
) -> None:
    """Settle those that were found and are in doubt still; whatever a report said meanwhile stands."""
    moved: Moves = Counter()
    steps = row.steps
    for ref, judged in verdicts.items():
        one = standing[ref]
        if judged.match is None or one.state not in (State.IN_DOUBT, State.WAITING):
            continue
        stood, match = tallies.place(one), judged.match
        one.state = rules.settled(State(one.state), match)
        one.called_at, one.due_at = one.called_at or match.at or ledger.now, None
        one.reason, one.code = (match.reason or "found_at_provider")[:40], match.code[:20]
        one.provider, one.provider_id = provider, one.provider_id or match.provider_id[:100]
        one.may_pass = match.status in delivery_rules.MAY_PASS
        one.reported_at, one.changed_at = match.at or ledger.now, ledger.now
        if one.current:
            moved[stood] -= 1
            moved[tallies.place(one)] += 1
        elif one.state in SAYS_IT_ARRIVED:
            take_back_repeats(one, moved, ledger.now)
        if one.current:
            one.climb_at = ladders.look_at(steps, one.channel, State(one.state), ledger.now)
    db.session.flush()
    tallies.count(row.id, moved, ledger.now)
