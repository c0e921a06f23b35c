"""The sandbox of a drill at work: reports as a provider would send them, taken in the same way, that never change a state."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from incident.actions.ledger import transaction
from incident.actions.preparing import ACTOR, incident_ref
from incident.actions.reported import take_in
from incident.domain import deliveries as delivery_rules
from incident.domain import ladders
from incident.domain import pretences as rules
from incident.domain.ladders import Step
from incident.domain.pretences import Life, Report
from incident.store import dispatches
from incident.store import pretences as rows
from incident.store.pretences import Kept

AT_ONCE = 1_000


def due(now: datetime) -> list[str]:
    """The sendings of drills in which something is to be reported now."""
    return list(rows.due(now))


def live(ref: str, *, now: datetime) -> bool:
    """Report what is due of a drill's sending; whether there may be more. Killed in between, it reports nothing twice."""
    row = dispatches.anywhere(ref)
    life = Life.from_json(row.life) if row else None
    if row is None or life is None or not row.simulated:
        return False
    found = rows.page(row.id, now, AT_ONCE)
    told = [(one, _since(one, rules.fate(life, one.person, one.channel), now)) for one in found]
    for channel, group in groupby(sorted(told, key=lambda each: each[0].channel), key=lambda each: each[0].channel):
        events = [report.event(one.ref, one.taken_at) for one, reports in group for report in reports]
        take_in(rules.PROVIDER, channel, events, now=now)
    if found:
        _keep(ref, life, {one.id for one in found}, now=now)
    return len(found) == AT_ONCE


def _since(one: Kept, reports: Sequence[Report], now: datetime) -> list[Report]:
    """The reports whose time came since this one was looked at."""
    return [report for report in reports if one.due_at <= one.taken_at + report.wait <= now]


def _keep(ref: str, life: Life, ids: Collection[int], *, now: datetime) -> None:
    """Beside the state that stays: what is pretended of each, and when there is more to say."""
    with transaction(ACTOR, now) as ledger:
        row = dispatches.locked(ref)
        found = [one for one in rows.page(row.id, now, AT_ONCE) if one.id in ids] if row else []
        if row is None or not found:
            ledger.unchanged()
            return
        told = [(one, _since(one, rules.fate(life, one.person, one.channel), now)) for one in found]
        moved: Counter[str] = Counter()
        rows.write(list(_changes(life, told, row.steps, moved, now)))
        counts = {word: row.pretended.get(word, 0) + moved[word] for word in {*row.pretended, *moved}}
        row.pretended = {word: n for word, n in sorted(counts.items()) if n}
        said = [(one.ref, reports[-1].status.value if reports else "nothing") for one, reports in told]
        ledger.write(
            "sandbox.pretended",
            ref,
            incident=incident_ref(row),
            count=len(said),
            digest=delivery_rules.batch_digest(sorted(said)),
        )


def _changes(
    life: Life, told: Sequence[tuple[Kept, Sequence[Report]]], steps: Sequence[Step], moved: Counter[str], now: datetime
) -> Iterator[tuple[int, str, datetime | None, datetime | None]]:
    for one, reports in told:
        then = rules.pretended(one.pretended, reports) if reports or one.pretended else None
        times = (one.taken_at + report.wait for report in rules.fate(life, one.person, one.channel))
        following = min((time for time in times if time > now), default=None)
        climb_at = one.climb_at
        if then is not None and then != one.pretended:
            moved[then.value] += 1
            if one.pretended:
                moved[one.pretended] -= 1
            if one.current:
                climb_at = ladders.look_at(steps, one.channel, then, now, before=one.climb_at)
        yield one.id, then.value if then else "", following, climb_at
