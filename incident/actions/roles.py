"""Who gains a role gains it by two people: one asks, another says yes or no. All leads are told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from incident.actions import team_mails
from incident.actions.ledger import Ledger, transaction
from incident.domain import separation as rules
from incident.domain import users as user_rules
from incident.domain.access import Role
from incident.domain.errors import Missing, Refused
from incident.domain.team_mails import Kind
from incident.store import separation as rows
from incident.store import users
from incident.store.db import db, new_ref
from incident.store.separation import RoleRequest
from incident.store.users import User

SECOND: Final = {True: "with the yes of {second}", False: "and by nobody else"}
"""By whom a gain was agreed to, in the words of the mail."""


def confirmers(*, but: Sequence[str], ended_too: bool = False) -> list[User]:
    """Who can say yes to a role, beside those with these references; held against other changes."""
    held = (users.holders(role, locked=True, ended_too=ended_too) for role in rules.CONFIRMERS)
    found = {user.ref: user for people in held for user in people}
    return [user for ref, user in sorted(found.items()) if ref not in but]


def needs_second_yes(user: User, actor: str) -> bool:
    """Whether somebody else has to say yes before this account gains a role: where it is set so, and there is anybody.

    Whose account was locked still counts: else whoever may lock accounts could first see to being the only one left.
    """
    if not rows.policy().roles_by_two or actor == "system":
        return False
    return bool(confirmers(but=(user.ref, actor), ended_too=True))


def ask(user: User, wanted: list[str], *, why: str, ledger: Ledger, asked_by: str = "") -> str:
    """Have the roles wait for a second yes, inside the caller's transaction; the request's reference."""
    asker = asked_by or ledger.actor
    db.session.flush()
    rows.end_requests(user.id, by=asker, now=ledger.now)
    row = RoleRequest(ref=new_ref("Q"), user_id=user.id, held=list(user.roles), wanted=wanted, why=why)
    row.asked_by, row.asked_at, row.state = asker, ledger.now, rows.OPEN
    db.session.add(row)
    new = rules.gained(user.roles, wanted)
    about = {"person": user.ref, "asker": asker, "gained": new}
    people = confirmers(but=(user.ref, asker))
    told = team_mails.tell(people, Kind.ROLES_ASKED, about, ledger)
    ledger.write(
        "roles.asked", user.ref, request=row.ref, asker=asker, why=why, before=row.held, after=wanted, told=told
    )
    return row.ref


def give(user: User, wanted: list[str], *, asked_by: str, ledger: Ledger, request: str = "") -> None:
    """Give these roles, inside the caller's transaction, with the line; all leads are told of what is gained."""
    before, new = list(user.roles), rules.gained(user.roles, wanted)
    if gone := rules.lost(before, wanted):
        tell_of_loss(user, f"no longer {' or '.join(gone)}", asked_by=asked_by, ledger=ledger)
    user.roles = wanted
    if Role.ADMINISTRATOR not in wanted:
        users.revoke_invitations(user.ref, ledger.now)
    told = tell_leads(user, new, asked_by=asked_by, ledger=ledger, by_two=bool(request)) if new else 0
    details = {"request": request, "asked_by": asked_by} if request else {}
    ledger.write("roles.changed", user.ref, before=before, after=wanted, told=told, **details)


def tell_leads(user: User, new: Sequence[str], *, asked_by: str, ledger: Ledger, by_two: bool) -> int:
    """Have all leads told that somebody has gained roles, inside the caller's transaction; how many they are."""
    second = SECOND[by_two].format(second=ledger.actor)
    about = {"person": user.ref, "asker": asked_by, "gained": list(new), "second": second}
    return team_mails.tell(team_mails.leads(), Kind.ROLES_CHANGED, about, ledger)


def tell_of_loss(user: User, how: str, *, asked_by: str, ledger: Ledger) -> None:
    """Have whoever could say yes to roles until now, and all others who can, told that this one no longer does."""
    about = {"person": user.ref, "asker": asked_by, "how": how}
    team_mails.tell([user, *confirmers(but=(user.ref, asked_by))], Kind.YES_LOST, about, ledger)


def confirm(ref: str, *, actor: str, now: datetime) -> None:
    """Say yes to a request: the roles count from now on. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        administrators = users.holders(Role.ADMINISTRATOR, locked=True)
        row, user = _open(ref, now)
        rules.demand_second_yes(actor, asked_by=row.asked_by, of=user.ref)
        if list(user.roles) != row.held or not user.active:
            raise Refused("This account changed since the request was made. Decline it, and ask anew.")
        others = sum(other.ref != user.ref for other in administrators)
        wanted = user_rules.regranted(user.roles, row.wanted, of=user.ref, by=actor, other_administrators=others)
        row.state, row.decided_by, row.decided_at = "granted", actor, now
        give(user, wanted, asked_by=row.asked_by, request=row.ref, ledger=ledger)


def decline(ref: str, *, actor: str, now: datetime) -> None:
    """Say no to a request, or take one's own back. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        row, user = _open(ref, now)
        row.state, row.decided_by, row.decided_at = "declined", actor, now
        ledger.write("roles.declined", user.ref, request=row.ref, after=row.wanted)


def _open(ref: str, now: datetime) -> tuple[RoleRequest, User]:
    row = rows.request(ref, locked=True)
    user = users.by_ref(row.user.ref, locked=True) if row is not None else None
    if row is None or user is None:
        raise Missing()
    if row.state != rows.OPEN:
        raise Refused("Somebody answered this request already.")
    rules.demand_open(row.asked_at, now)
    return row, user
