"""How people who work here are reached: their own choice of channels, as far as this installation has them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from incident.domain.access import PERMITS, visible
from incident.domain.readiness import BY_HAND
from incident.domain.reminders import Level, Steps, called, reaches
from incident.store import members, reach, reminders, users
from incident.store.incidents import Incident
from incident.store.reach import AlertTarget, Reach
from incident.store.users import User
from notifiers.contract import Channels, Notifier

NO_CHANNEL: Final = "none"
FEWEST: Final = 2
"""With fewer people than this on the case, everybody who may decide duties is called too."""


@dataclass(frozen=True)
class Ways:
    """What this installation can send by, where people answer, and how the ladder stands."""

    channels: Channels
    alerts: Notifier
    site: str
    zone: str
    steps: Steps = field(default_factory=Steps)
    lease: timedelta = timedelta(seconds=60)

    def notifier(self, channel: str, *, simulated: bool) -> Notifier | None:
        """What sends by this channel; None where it is kept in the sandbox, or is not set up any more."""
        if simulated:
            return None
        return self.alerts if channel == "alert" else self.channels.real.get(channel)

    def is_simulated(self, channel: str, *, is_drill: bool) -> bool:
        """Whether a message by this channel stays in the sandbox: always in a drill, and without a provider."""
        return is_drill or (channel != "alert" and channel not in self.channels.real)


def machine(channels: Channels, channel: str) -> Notifier | None:
    """What sends by this channel by itself; None without a provider, and where people of the house make the calls."""
    notifier = channels.real.get(channel)
    return None if notifier is None or notifier.provider == BY_HAND else notifier


@dataclass(frozen=True)
class Address:
    """One channel of one person, or one target of the team."""

    channel: str
    user: int | None = None
    target: int | None = None


def channels_of(person: Reach | None, own: Sequence[AlertTarget], *, has_sms: bool) -> list[tuple[str, int | None]]:
    """The channels that remind this person, each with the target where it is one: e-mail where nothing was chosen."""
    found: list[tuple[str, int | None]] = []
    if person is None or person.email:
        found.append(("email", None))
    if person is not None and person.sms and person.proved_at is not None and has_sms:
        found.append(("sms", None))
    if person is None or person.alert:
        found += [("alert", target.id) for target in own]
    return found


class Circle:
    """The people of one incident who may be reminded, and how each of them is reached. Read once."""

    def __init__(self, case: Incident, ways: Ways) -> None:
        self.case, self.ways = case, ways
        self.owners = {duty: row.user_id for duty, row in reminders.owners(case.id).items()}
        self.members = {row.user_id for row in members.of(case.id)}
        near = {*reminders.on_the_case(case.id), *self.owners.values(), *([case.lead_id] if case.lead_id else [])}
        self.people = {user.id: user for user in reach.people(near) if self._may_know(user)}
        if len(self.people) < FEWEST:
            self.people |= {user.id: user for user in _deciders() if self._may_know(user)}
        self.chosen = reach.of(self.people)
        self.targets = reach.targets()

    def _may_know(self, user: User) -> bool:
        is_member = user.id in self.members
        return user.active and visible(restricted=self.case.restricted, roles=user.roles, is_member=is_member)

    def owner(self, duty: str) -> int | None:
        """Who looks after this duty, if that person still works here and may know of the incident."""
        return self._if_here(self.owners.get(duty))

    @property
    def lead(self) -> int | None:
        """The incident's lead, if that person still works here and may know of it."""
        return self._if_here(self.case.lead_id)

    def _if_here(self, number: int | None) -> int | None:
        return number if number in self.people else None

    def addresses(self, number: int) -> list[Address]:
        """The channels of one person; none where nothing reaches them."""
        own = [target for target in self.targets if target.user_id == number]
        has_sms = "sms" in self.ways.channels.real or self.case.kind == "drill"
        found = channels_of(self.chosen.get(number), own, has_sms=has_sms)
        return [Address(channel, number, target) for channel, target in found]

    def team_targets(self, level: Level) -> list[Address]:
        """The targets of the team that hear of this level, in this incident."""
        return [
            Address("alert", None, target.id)
            for target in self.targets
            if target.user_id is None
            and reaches(target.level, level)
            and (target.hears_restricted or not self.case.restricted)
        ]

    def called(self, duty: str, level: Level) -> tuple[Level, list[Address]]:
        """Whom a rung calls by which channels, and how widely that is: wider, where nobody nearer is reached by any."""
        found: dict[Address, None] = {}
        for wide in list(Level)[list(Level).index(level) :]:
            level, people = called(wide, owner=self.owner(duty), lead=self.lead, others=sorted(self.people))
            for number in people:
                found |= dict.fromkeys(self.addresses(number) or [Address(NO_CHANNEL, number)])
            found |= dict.fromkeys(self.team_targets(level))
            if any(address.channel != NO_CHANNEL for address in found):
                break
        return level, list(found)


def unreached(people: Collection[User], ways: Ways) -> list[User]:
    """Those of these people whom no reminder would reach by anything but the sandbox."""
    chosen, targets = reach.of({user.id for user in people}), reach.targets()
    return [user for user in people if not _real(user, chosen, targets, ways)]


def _real(user: User, chosen: Mapping[int, Reach], targets: Sequence[AlertTarget], ways: Ways) -> list[str]:
    own = [target for target in targets if target.user_id == user.id]
    found = channels_of(chosen.get(user.id), own, has_sms="sms" in ways.channels.real)
    return [channel for channel, _ in found if channel == "alert" or channel in ways.channels.real]


def _deciders() -> list[User]:
    found = {user.id: user for role in sorted(PERMITS["duty.decide"]) for user in users.holders(role)}
    return list(found.values())
