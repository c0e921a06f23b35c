"""Personal tokens for programs: issue one (its secret is shown once), revoke it, note its use."""

from datetime import datetime, timedelta

from sqlalchemy import update

from incident.actions import account_mails
from incident.actions.ledger import transaction
from incident.domain import users as rules
from incident.domain.access import Scope, visible
from incident.domain.errors import Invalid, Missing
from incident.store import credentials, incidents, members
from incident.store import users as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.users import ApiToken, User

MARK = "tcs_"
SHOWN = 10  # letters of the secret that stay readable, to tell tokens apart
NOTED_EVERY = timedelta(minutes=5)
MOST = 25


def issue(
    owner: str, *, name: str, days: int, scope: str = Scope.WRITE, incident: str = "", actor: str, now: datetime
) -> tuple[str, str]:
    """A new token of this person: its reference, and the secret that is never shown again. Raises Invalid, Missing.

    `scope` may leave it reading alone; with an `incident` it opens nothing else.
    """
    label, end = _label(name), rules.token_end(days, now)
    if scope not in set(Scope):
        raise Invalid("scope", "A token reads, or reads and writes.")
    secret = MARK + credentials.new_secret()
    with transaction(actor, now) as ledger:
        user = rows.by_ref(owner, locked=True)
        if user is None or not user.active:
            raise Missing()
        if sum(_is_live(token, now) for token in rows.tokens_of(user.id)) >= MOST:
            raise Invalid("name", f"One person has at most {MOST} tokens; revoke one that is not used.")
        case = _incident(user, incident, now) if incident else None
        token = ApiToken(
            ref=new_ref("K"), key=credentials.key_of(secret), prefix=secret[:SHOWN], name=label, user_id=user.id
        )
        token.created_at, token.expires_at = now, end
        token.scope, token.incident_id = scope, case.id if case else None
        db.session.add(token)
        account_mails.changed(user, "an access token for a program was issued", ledger)
        bound = {"incident": case.ref} if case else {}
        ledger.write("token.issued", token.ref, owner=owner, scope=scope, until=end.isoformat(), **bound)
    return token.ref, secret


def revoke(owner: str, ref: str, *, actor: str, now: datetime) -> None:
    """End a token at once. Raises Missing; an ended one stays as it is."""
    with transaction(actor, now) as ledger:
        user = rows.by_ref(owner)
        token = rows.token_of(user.id, ref) if user is not None else None
        if token is None:
            raise Missing()
        if token.revoked_at is not None:
            ledger.unchanged()
            return
        token.revoked_at = now
        ledger.write("token.revoked", ref, owner=owner)


def note_use(token: ApiToken, *, now: datetime) -> None:
    """Remember that the token was used, at most every few minutes, in a transaction of its own (no line: no change)."""
    if token.last_used_at is not None and now - token.last_used_at < NOTED_EVERY:
        return
    with db.engine.connect().execution_options(tocsin_write=True) as connection, connection.begin():
        connection.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now))


def _incident(user: User, ref: str, now: datetime) -> Incident:
    """The incident that the token is bound to, if its owner knows of it. Raises Invalid."""
    case = incidents.by_ref(ref.strip().upper())
    place = members.one(case.id, user.id, at=now) if case is not None else None
    is_member = place is not None and not place.capacity
    if case is None or not (
        visible(restricted=case.restricted, roles=user.roles, is_member=is_member) or (place and place.capacity)
    ):
        raise Invalid("incident", "There is no incident with this reference.")
    return case


def _is_live(token: ApiToken, now: datetime) -> bool:
    return token.revoked_at is None and token.expires_at > now


def _label(raw: str) -> str:
    try:
        return rules.named(raw)[:80]
    except Invalid:
        raise Invalid("name", "Say in a word or two what the token is for.") from None
