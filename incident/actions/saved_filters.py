"""Keep a list's filter under a name, change it, delete it. Each leaves a line; names and filters stand in none."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from incident.actions.ledger import transaction
from incident.domain import saved_filters as rules
from incident.domain.errors import Missing
from incident.store import saved_filters as rows
from incident.store import users
from incident.store.db import db, new_ref
from incident.store.saved_filters import SavedFilter
from incident.store.users import User

MOST_SHOWN: Final = 200
"""Of one reader's own and the team's, over all lists."""


def keep(listing: str, name: str, asked: Mapping[str, str], *, shared: bool, actor: str, now: datetime) -> str:
    """Keep a filter for oneself or for the team; its reference. Raises Invalid, Refused."""
    chosen = rules.checked(listing, name, asked)
    with transaction(actor, now) as ledger:
        user = _user(actor)
        rules.demand_team(user.roles, shared=shared)
        own = rows.own(user.id, locked=True)
        rules.demand_room(len(own))
        rules.demand_unlike([row.chosen().name for row in own if row.listing == listing], chosen.name)
        row = SavedFilter(ref=new_ref("SF"), user_id=user.id, listing=listing, shared=shared, changed_at=now)
        row.keep(chosen)
        db.session.add(row)
        ledger.write("filter.kept", row.ref, listing=listing, shared=shared)
    return row.ref


def change(ref: str, *, actor: str, now: datetime, name: str | None = None, shared: bool | None = None) -> None:
    """Give one's own filter another name, or give it to the team or take it back. Raises Invalid, Refused, Missing."""
    with transaction(actor, now) as ledger:
        user = _user(actor)
        row = _own(user, ref)
        before = row.chosen()
        called = before.name if name is None else rules.checked_name(name)
        open_to = row.shared if shared is None else shared
        if (called, open_to) == (before.name, row.shared):
            ledger.unchanged()
            return
        rules.demand_team(user.roles, shared=open_to)
        others = [one.chosen().name for one in rows.own(user.id) if one.listing == row.listing and one.ref != ref]
        rules.demand_unlike(others, called)
        row.keep(rules.Chosen(called, before.asked))
        row.shared, row.changed_at = open_to, now
        ledger.write("filter.changed", ref, listing=row.listing, shared=open_to)


def delete(ref: str, *, actor: str, now: datetime) -> None:
    """Delete one's own filter; for the team too, where it was shared. Raises Missing."""
    with transaction(actor, now) as ledger:
        row = _own(_user(actor), ref)
        db.session.delete(row)
        ledger.write("filter.deleted", ref, listing=row.listing, shared=row.shared)


def _user(actor: str) -> User:
    user = users.by_ref(actor, locked=True)
    if user is None or not user.active:
        raise Missing()
    return user


def _own(user: User, ref: str) -> SavedFilter:
    row = rows.by_ref(ref)
    if row is None or row.user_id != user.id:
        raise Missing("There is no filter of yours under this reference. Whoever kept it can change it.")
    return row
