"""What a batch's answers make of its rows, of the channel's rest, and of the whole dispatch."""

import random
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from json import dumps
from operator import itemgetter
from typing import Any, NamedTuple

from incident.actions.preparing import answers_for
from incident.actions.untellable import NOBODY
from incident.domain import deliveries as rules
from incident.domain import ladders
from incident.domain.deliveries import Course, State
from incident.store import claims, dispatches
from incident.store.claims import HELD_AS, Held, Member
from incident.store.dispatches import Dispatch
from incident.store.sealed import sealer
from incident.store.tallies import Moves, Place
from notifiers.contract import Alike, Answer, Message, Notifier, Outcome

STATE = itemgetter(1)  # of a pair of reference and state
MOST_LOST = 5  # calls in a row of which every answer was lost
MOST_TROUBLES = 120  # in a row; with the longest rests that is more than a day


@dataclass
class Batch:
    """A claimed batch on its way: what is handed over, and the answers known without asking anybody."""

    held: Held
    to_send: list[Message]
    known: dict[str, Answer]
    began: float = 0.0
    work: float = 0.001  # seconds that claiming and writing it took
    called_at: datetime | None = None
    passed_on: bool = False  # to a program that writes it and hands it over

    @property
    def asked(self) -> list[str]:
        """The references of those of whom an answer is expected, in their order."""
        if self.passed_on:
            return [member.ref for member in self.held.rows]
        return [message.ref for message in self.to_send]


@dataclass
class Result:
    """What a batch came to: the change of the counts, and every row's reference with its state."""

    moved: Moves
    states: list[tuple[str, str]]


Answers = Mapping[str, Answer] | Alike
"""Every message's answer by its reference, or the one that all of a batch have."""


class Settled(NamedTuple):
    """A batch whose rows stand as its answers have them, with the root over them; the counts do not know of it yet."""

    batch: Batch
    answers: Answers
    result: Result
    digest: str


def each(answers: Answers) -> Sequence[Answer]:
    """The answers that there are; one for all is named once."""
    return [answers.answer] if isinstance(answers, Alike) else list(answers.values())


def _alike(held: Held, answers: Answers) -> list[tuple[Answer, list[Member]]]:
    """The rows that stand alike and have the same answer, together."""
    if isinstance(answers, Alike) and claims.untouched(held):
        if len(set(map(HELD_AS, held.rows))) == 1:
            return [(answers.answer, list(held.rows))]
        same: dict[tuple[object, ...], list[Member]] = {}
        for member in held.rows:
            same.setdefault(member.standing, []).append(member)
        return [(answers.answer, members) for members in same.values()]
    standing = claims.as_they_are(held)
    given = {answer.ref: answer for answer in answers} if isinstance(answers, Alike) else answers
    alike: dict[tuple[object, ...], list[Member]] = {}
    for ref, answer in given.items():
        found = standing.get(ref)
        if found is not None:  # else another claim holds it: nothing of this batch was handed over
            alike.setdefault((*answer[1:], *found.standing), []).append(found)
    return [(given[members[0].ref], members) for members in alike.values()]


def outcome(batch: Batch, answers: Answers, row: Dispatch, notifier: Notifier, now: datetime) -> Result:
    """Write every row's outcome; rows that a report has settled meanwhile keep what the report said.

    Rows that stand alike and have the same answer are judged once and written together.
    """
    moved: Moves = Counter()
    state_of: dict[str, str] = {}
    writes: list[tuple[list[int], dict[str, Any]]] = []
    steps = row.steps
    climbs: dict[datetime, list[int]] = {}
    for answer, members in _alike(batch.held, answers):
        one = members[0]
        before = State(one.state)
        result = _judged(before, answer, one.tries, row, notifier, now)
        values = _values(one, result, answer, batch, row, notifier, now)
        writes.append(([member.id for member in members], values))
        if one.state != result.state and one.current:
            look = ladders.look_at(steps, batch.held.channel, result.state, now, reason=answer.reason)
            if look:
                climbs.setdefault(look, []).extend([member.id for member in members])
        state_of |= dict.fromkeys([member.ref for member in members], result.state.value)
        if one.current:
            moved[Place(batch.held.channel, one.language, before, one.reason)] -= len(members)
            moved[Place(batch.held.channel, one.language, result.state, values["reason"])] += len(members)
    _write(batch.held.fence, writes)
    for look, ids in climbs.items():
        claims.settle_all(ids, {"climb_at": look})
    refs = answers.refs if isinstance(answers, Alike) else answers
    return Result(moved, [(ref, state_of[ref]) for ref in sorted(refs) if ref in state_of])


def apart(states: Sequence[tuple[str, str]]) -> str | None:
    """What must be kept to build the root over a batch again: who came to another state than most, and who waits again.

    The latter are claimed anew and then no longer known by this claim. None where all came to the same.
    """
    counted = Counter(map(STATE, states))
    if len(counted) < 2:
        return None
    usual = max(counted, key=lambda state: (state != State.WAITING, counted[state]))
    others: dict[str, list[str]] = {}
    for ref, state in states:
        if state != usual:
            others.setdefault(state, []).append(ref)
    return dumps(others, separators=(",", ":"))


def _judged(
    before: State, answer: Answer, tries: int, row: Dispatch, notifier: Notifier, now: datetime
) -> rules.Settled:
    jitter = random.random()  # noqa: S311  (spreads retries)
    result = rules.settled(before, answer, tries, now, jitter=jitter, simulated=notifier.simulated)
    if result.state is State.WAITING:
        return replace(result, state=rules.waits_or_not(Course(row.course)))
    return result


def _write(fence: int, writes: Sequence[tuple[list[int], dict[str, Any]]]) -> None:
    """Write them in few statements: a whole batch at once, alike rows together, and many that differ one by one."""
    count = sum(len(ids) for ids, _ in writes)
    if len(writes) == 1:
        [(ids, values)] = writes
        claims.settle_whole(fence, sorted(ids), values)
    elif len(writes) * 20 < count:
        for ids, values in writes:
            claims.settle_all(ids, values)
    else:
        claims.settle_each([{"row_id": id_} | values for ids, values in writes for id_ in ids])


def _values(
    member: Member,
    result: rules.Settled,
    answer: Answer,
    batch: Batch,
    row: Dispatch,
    notifier: Notifier,
    now: datetime,
) -> dict[str, Any]:
    """The columns after an answer. A row that a report has settled already keeps its reason."""
    ours = member.state in (State.SENDING, State.IN_DOUBT)
    set_aside = result.happening is rules.Happening.SET_ASIDE
    gone = result.happening is rules.Happening.GONE
    return {
        "state": result.state.value,
        "tries": result.tries,
        "due_at": now if row.life and result.happening is rules.Happening.KEPT else result.due_at,
        "provider": notifier.provider,
        "provider_id": answer.provider_id[:100] or member.provider_id,
        "reason": answer.reason[:40] if ours else member.reason,
        "code": answer.code[:20] if ours else member.code,
        "called_at": None if answer.reason in rules.NEVER_CALLED else batch.called_at,
        "owner": member.owner or (answers_for(row) if set_aside else NOBODY if gone else ""),
        "answered_at": None if answer.outcome is Outcome.UNKNOWN else now,
        "changed_at": now,
    }


def rest(row: Dispatch, channel: str, answers: Iterable[Answer], now: datetime) -> None:
    """Let a channel rest when its provider asked for it or is in trouble; count the troubles in a row."""
    given = list(answers)
    waits = [answer.wait for answer in given if answer.outcome is Outcome.LATER and answer.wait is not None]
    troubled = any(answer.outcome is Outcome.LATER and answer.reason in rules.ABOUT_THE_PROVIDER for answer in given)
    holds = dict(row.holds)
    if given and all(answer.outcome is Outcome.UNKNOWN for answer in given):
        before = holds.get(channel, {"troubles": 0})
        row.holds = holds | {channel: before | {"until": None, "lost": before.get("lost", 0) + 1}}
        return
    if not troubled:
        if channel in holds:
            row.holds = {word: hold for word, hold in holds.items() if word != channel}
        return
    troubles = holds.get(channel, {}).get("troubles", 0) + 1
    pause = rules.hold(troubles, max(waits) if waits else None, random.random())  # noqa: S311  (spreads retries)
    row.holds = holds | {channel: {"troubles": troubles, "until": (now + pause).isoformat()}}


def reason_to_halt(row: Dispatch, answers: Iterable[Answer]) -> str:
    """Why going on would do harm, as the word of a pause: credentials, a provider that refuses, too many back, the canary; else empty."""
    if row.course != Course.SENDING:
        return ""
    given = list(answers)
    stopped = next((answer for answer in given if answer.outcome is Outcome.STOP), None)
    worst = max((hold["troubles"] for hold in row.holds.values()), default=0)
    lost = max((hold.get("lost", 0) for hold in row.holds.values()), default=0)
    if stopped is not None:
        return "credentials_refused" if stopped.reason == "credentials_refused" else "provider_refused"
    if worst >= MOST_TROUBLES:
        return "provider_refused"
    if lost >= MOST_LOST:
        return "answers_lost"
    if row.overrun:
        return row.overrun
    through = row.waiting and not row.sending and rules.canary_left(row.counts, row.canary) == 0
    return "canary" if through else ""


def sealed(ref: str, batch: Batch, answers: Answers, now: datetime) -> list[dict[str, Any]]:
    """What the sandbox took, packed and sealed for the team to read."""
    row = dispatches.anywhere(ref)
    if row is None:
        return []
    given = {answer.ref: answer for answer in answers} if isinstance(answers, Alike) else answers
    numbers = {member.ref: member.person_number for member in batch.held.rows}
    key = sealer(row.incident_id)
    return [
        {
            "incident_id": row.incident_id,
            "ref": message.ref,
            "channel": batch.held.channel,
            "person_number": numbers[message.ref],
            "notice_ref": row.notice_ref,
            "kept_at": now,
            "sealed": key.seal(f"sandbox_message.sealed:{message.ref}", packed(message)),
        }
        for message in batch.to_send
        if given[message.ref].outcome is Outcome.ACCEPTED
    ]


def packed(message: Message) -> bytes:
    """A message as it is sealed in the sandbox's mailbox."""
    plain = {
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "language": message.language,
    }
    return zlib.compress(dumps(plain, ensure_ascii=False).encode(), 1)
