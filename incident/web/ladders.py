"""Reminders of duties in ready words: who looks after each, what was sent to whom when, who has it, and what comes next."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident.actions.reminders import waiting_for_an_answer
from incident.domain.access import Role, may
from incident.domain.handovers import State
from incident.domain.reminders import LATE_AFTER, NEVER, WORDS, Level
from incident.store import members, obligations, reach, users
from incident.store import reminders as rows
from incident.store.incidents import Incident
from incident.store.obligations import FindingRow
from incident.store.reminders import Acknowledgement, DutyOwner, Reminder, ReminderMessage
from incident.store.users import User
from incident.web.languages import Word, _

TONES = {
    State.ACCEPTED: "met",
    State.DELIVERED: "met",
    State.FAILED: "late",
    State.UNREACHED: "late",
    State.IN_DOUBT: "open",
    State.SIMULATED: "soon",
}
CHANNELS = {"email": Word("e-mail"), "sms": Word("text"), "alert": Word("alert"), "none": Word("no channel")}
HEADER = ("duty", "owner", "due_at", "rung", "moment", "given_at", "to", "channel", "state", "changed_at")


@dataclass(frozen=True)
class Told:
    """One message: to whom, by what, and how it stands."""

    who: str
    how: str
    word: str
    tone: str
    at: datetime
    ref: str
    channel: str
    state: str


@dataclass(frozen=True)
class Given:
    """One rung that was given, or overtaken."""

    name: str
    words: str
    level: Level
    moment: datetime
    made_at: datetime
    is_late: bool
    overtaken: bool
    told: tuple[Told, ...]


@dataclass(frozen=True)
class Ladder:
    """One duty: its owner, what was given, who has it, what comes next."""

    row: FindingRow
    owner: str
    owner_ref: str
    is_leads: bool
    given: tuple[Given, ...]
    answers: tuple[tuple[str, datetime], ...]
    next_at: datetime | None
    is_waiting: bool

    @property
    def runs(self) -> bool:
        """Whether anybody is reminded of it: owed, not settled, with a due time."""
        row = self.row
        unsettled = row.superseded_at is None and row.state in obligations.UNSETTLED
        return row.standing == "owed" and unsettled and row.due_at is not None

    @property
    def last(self) -> Given | None:
        """The latest rung that was given."""
        return next((one for one in self.given if not one.overtaken), None)


def rung_words(name: str) -> str:
    """A rung in words: "50 % of its time over", "due", "4 h late"."""
    if name.endswith("%"):
        return _("%(name)s %% of its time over", name=name[:-1])
    if name.startswith("+"):
        hours = float(name[1:-1])
        return (
            _("%(hours)s d late", hours=format(hours / 24, "g"))
            if hours >= 48
            else _("%(hours)s h late", hours=format(hours, "g"))
        )
    return "due"


def of_duty(case: Incident, row: FindingRow) -> Ladder:
    """The ladder of one duty, with every rung it ever had."""
    found = _Found(case, rows.of_duty(case.id, row.key), [row])
    said = [one for one in rows.acknowledgements(case.id, row.key) if one.due_at == row.due_at]
    return found.ladder(row, said)


def of_incident(case: Incident) -> list[Ladder]:
    """The ladders of all duties whose clock runs, soonest first, each with its latest rungs."""
    running = rows.running(case.id)
    found = _Found(case, rows.of_incident(case.id, limit=500), running)
    said = rows.acknowledged(case.id)
    return [
        found.ladder(row, [said[(row.key, row.due_at)]] if row.due_at and (row.key, row.due_at) in said else [])
        for row in running
    ]


class _Found:
    """All that ladders are made of, each list read once."""

    def __init__(self, case: Incident, given: Sequence[Reminder], running: Sequence[FindingRow]) -> None:
        self.case = case
        self.given: dict[tuple[str, datetime], list[Reminder]] = {}
        for one in given:
            self.given.setdefault((one.duty, one.due_at), []).append(one)
        self.messages = rows.messages_of([one.id for one in given])
        self.owners = rows.owners(case.id)
        self.people = _people(case, self.owners.values(), self.messages)
        self.targets = reach.targets_by_id(
            {one.target_id for some in self.messages.values() for one in some if one.target_id}
        )
        self.waiting = {row.id for row in waiting_for_an_answer(case.id)} if running else set()

    def ladder(self, row: FindingRow, said: Sequence[Acknowledgement]) -> Ladder:
        owner = self.owners.get(row.key)
        number = owner.user_id if owner else self.case.lead_id
        person = self.people.get(number) if number else None
        given = self.given.get((row.key, row.due_at), []) if row.due_at else []
        names = users.by_refs(one.given_by for one in said)
        next_at = row.remind_at if row.remind_at and row.remind_at < NEVER else None
        return Ladder(
            row=row,
            owner=person.name if person else "",
            owner_ref=person.ref if person and owner else "",
            is_leads=owner is None,
            given=tuple(self._given(one) for one in given),
            answers=tuple(
                (names[one.given_by].name if one.given_by in names else one.given_by, one.given_at) for one in said
            ),
            next_at=next_at if row.standing == "owed" and row.state in obligations.UNSETTLED else None,
            is_waiting=row.id in self.waiting,
        )

    def _given(self, one: Reminder) -> Given:
        return Given(
            name=one.rung,
            words=rung_words(one.rung),
            level=Level(one.level),
            moment=one.moment,
            made_at=one.made_at,
            is_late=one.made_at - one.moment > LATE_AFTER and one.moment >= one.known_since,
            overtaken=one.overtaken,
            told=tuple(self._told(message) for message in self.messages.get(one.id, [])),
        )

    def _told(self, message: ReminderMessage) -> Told:
        state = State(message.state)
        target = self.targets.get(message.target_id) if message.target_id else None
        person = self.people.get(message.user_id) if message.user_id else None
        who = person.name if person else target.name if target else "nobody"
        ref = person.ref if person else target.ref if target else ""
        how = CHANNELS.get(message.channel, message.channel)
        return Told(
            who, how, WORDS[state], TONES.get(state, "idle"), message.changed_at, ref, message.channel, state.value
        )


def _people(
    case: Incident, owners: Iterable[DutyOwner], messages: Mapping[int, Sequence[ReminderMessage]]
) -> dict[int, User]:
    wanted = {one.user_id for one in owners} | ({case.lead_id} if case.lead_id else set())
    wanted |= {one.user_id for some in messages.values() for one in some if one.user_id}
    return {user.id: user for user in reach.people(wanted)}


def colleagues(case: Incident) -> list[tuple[str, str]]:
    """Reference and name of everybody who may look after a duty of this incident."""
    on_it: Collection[int] = {row.user_id for row in members.of(case.id)} if case.restricted else ()
    return [
        (user.ref, user.name)
        for user in users.every()
        if user.active
        and may("incident.view", user.roles)
        and Role.AUDITOR not in user.roles
        and (not case.restricted or user.id in on_it)
    ]


def lines(ladders: Iterable[Ladder]) -> list[tuple[Any, ...]]:
    """What was sent, a line a message, for a table: references of staff, no addresses."""
    return [
        (
            ladder.row.key,
            ladder.owner_ref or "lead",
            ladder.row.due_at,
            given.name,
            given.moment,
            given.made_at,
            told.ref,
            told.channel,
            told.state,
            told.at,
        )
        for ladder in ladders
        for given in ladder.given
        for told in given.told
    ]


def last_words(given: Given | None) -> str:
    """Who was told at the latest rung, in a few words."""
    if given is None:
        return _("nobody yet")
    counted: dict[str, int] = {}
    for told in given.told:
        counted[told.word] = counted.get(told.word, 0) + 1
    return f"{given.words}: " + (", ".join(f"{number} {word}" for word, number in counted.items()) or "nobody")
