"""Keep the list of newsrooms: put one on it, take one off it."""

from collections.abc import Iterable
from datetime import datetime

from incident.actions.ledger import transaction
from incident.domain import outlets as rules
from incident.domain.errors import Invalid, Missing
from incident.store import outlets as rows
from incident.store.db import db, new_ref
from incident.store.outlets import MediaOutlet

MOST = 500


def keep(
    *, name: str, places: Iterable[str], language: str, email: str, address: str, actor: str, now: datetime
) -> str:
    """Put a newsroom on the list; its reference. Raises Invalid."""
    found = rules.checked(name=name, where=places, language=language, email=email, address=address)
    with transaction(actor, now) as ledger:
        kept = rows.kept(limit=MOST)
        if len(kept) >= MOST:
            raise Invalid("name", f"There are at most {MOST} newsrooms. Take one off the list that is not used.")
        if any((one.name, one.email) == (found.name, found.email) for one in kept):
            raise Invalid("name", "This newsroom is on the list already.")
        row = MediaOutlet(
            ref=new_ref("MO"),
            name=found.name,
            places=list(found.places),
            language=found.language,
            email=found.email,
            address=found.address,
            made_by=actor,
            made_at=now,
            changed_at=now,
        )
        db.session.add(row)
        ledger.write("outlet.kept", row.ref, places=list(found.places)[:20], language=found.language)
    return row.ref


def remove(ref: str, *, actor: str, now: datetime) -> None:
    """Take a newsroom off the list; its addresses are forgotten, its name stays with what it was given. Raises Missing."""
    with transaction(actor, now) as ledger:
        row = rows.by_ref(ref)
        if row is None:
            raise Missing()
        row.email, row.address, row.removed_at, row.changed_at = "", "", now, now
        ledger.write("outlet.removed", ref)
