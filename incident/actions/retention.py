"""What accounts leave behind is kept for 90 days after its end, then removed: sessions, and invitations with their addresses.

Accounts themselves stay, since the record names them by reference; so do tokens, which hold no personal data.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, CursorResult, delete, exists, or_, select

from incident.actions.ledger import transaction
from incident.store.db import db
from incident.store.users import Invitation, Session

KEPT = timedelta(days=90)
EVERYTHING = "accounts"


def due(now: datetime) -> list[str]:
    """One reference while there is something to remove."""
    old_session, old_invitation = _old(now)
    found = db.session.scalar(select(or_(exists().where(old_session), exists().where(old_invitation))))
    return [EVERYTHING] if found else []


def do(_reference: str, now: datetime) -> None:
    """Remove what has ended long ago, with one line for all of it."""
    old_session, old_invitation = _old(now)
    with transaction("system", now) as ledger:
        sessions = _removed(Session, old_session)
        invitations = _removed(Invitation, old_invitation)
        if not sessions and not invitations:
            ledger.unchanged()
            return
        ledger.write("accounts.tidied", EVERYTHING, sessions=sessions, invitations=invitations)


def _old(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Session.expires_at < now - KEPT, Invitation.expires_at < now - KEPT


def _removed(table: type[Session] | type[Invitation], condition: ColumnElement[bool]) -> int:
    result = db.session.execute(delete(table).where(condition).execution_options(synchronize_session=False))
    return result.rowcount if isinstance(result, CursorResult) else 0
