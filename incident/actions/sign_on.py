"""Sign in by the house's single sign-on, bind an account to it, shut it. It stands in place of a password, never of an invitation.

An account is matched by its address once, and only one that has a password and a second factor of its own; it is bound when
that second factor was given. So whoever has taken the provider over gets no further than whoever knows a password.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from incident.actions import account_mails, team_mails
from incident.actions.ledger import Ledger, transaction
from incident.actions.signin import (
    Client,
    completed,
    demand_complete_and_fresh,
    held_account,
    live,
    place,
    refuse,
    take_try,
)
from incident.domain import sign_on as rules
from incident.domain import users as user_rules
from incident.domain.access import Role
from incident.domain.errors import Missing, Refused
from incident.domain.team_mails import Kind
from incident.domain.throttle import network
from incident.store import credentials, users
from incident.store import sign_on as rows
from incident.store.db import db
from incident.store.users import User
from notifiers.assertions import Assertion, NotAsserted, Unavailable

SUBJECT: Final = "single-sign-on"
NO_ANSWER: Final = "The single sign-on does not answer. Sign in with your address and password; they work as ever."
TAKEN: Final = "This identity at the single sign-on belongs to another account here."

Ask = Callable[[], Assertion]


def sign_in(ask: Ask, nonce: str, *, accepted: Collection[str], client: Client, now: datetime) -> tuple[str, bool]:
    """Begin a session for whoever the provider asserts: its secret, and whether it is complete. Raises Refused, TooMany.

    It is complete where the account is bound already and the provider asked for a second factor of the `accepted` ones.
    """
    take_try(("network", network(client.address)), now=now)
    said = _said(ask, now)
    key = rules.key_of(said.issuer, said.subject)
    found = _account(said, key)
    if found is None:
        refuse("unknown", "sign_on_unknown" if said.email else "sign_on_unverified", now)
        raise Refused(rules.NOT_LET_IN)
    secret, whole = None, False
    with transaction(found, now) as ledger:
        user = users.by_ref(found, locked=True)
        if user is None or not _may_enter(user, key, nonce, now):
            ledger.write("session.refused", found, why="sign_on_shut" if rows.is_shut() else "sign_on_account")
        else:
            whole = rows.by_key(key) is not None and rules.counts(said.methods, accepted)
            secret = _begun(user, key, said, client, whole, ledger)
    if secret is None:
        account_mails.tried(found, "failed", now)
        raise Refused(rules.NOT_LET_IN)
    return secret, whole


def _said(ask: Ask, now: datetime) -> Assertion:
    """What the provider says; what it does not leaves its line. Raises Refused."""
    if rows.is_shut():
        refuse("unknown", "sign_on_shut", now)
        raise Refused(rules.SHUT)
    try:
        return ask()
    except NotAsserted as doubt:
        refuse("unknown", f"sign_on_{doubt.reason}", now)
        raise Refused(rules.NOT_LET_IN) from None
    except Unavailable as trouble:
        refuse("unknown", f"sign_on_{trouble.reason}", now)
        raise Refused(NO_ANSWER) from None


def _account(said: Assertion, key: str) -> str | None:
    """The account that is bound to the identity, or else the one with its verified address."""
    identity = rows.by_key(key)
    if identity is not None:
        return identity.user.ref
    # only plain letters lose their case: others could turn into those of somebody else's address
    address = said.email.lower() if said.email.isascii() else said.email
    user = users.by_email(address) if address else None
    return user.ref if user is not None else None


def _may_enter(user: User, key: str, nonce: str, now: datetime) -> bool:
    """Whether this held account may go on; an answer counts once, and an account is bound to one identity."""
    if not user.active or rows.is_shut() or user.password is None or not user.has_second_factor:
        return False
    bound = rows.of(user.id)
    if bound is None:
        return rows.by_key(key) is None
    if bound.key != key or bound.last_nonce == credentials.key_of(nonce):
        return False
    bound.last_used_at, bound.last_nonce = now, credentials.key_of(nonce)
    return True


def _begun(user: User, key: str, said: Assertion, client: Client, whole: bool, ledger: Ledger) -> str:
    """A session by the provider's word, which lacks its second factor unless it is `whole`; its secret."""
    now, secret = ledger.now, credentials.new_secret()
    end = now + (user_rules.SESSION_LASTS if whole else user_rules.UNFINISHED_LASTS)
    device = user_rules.device(client.user_agent)
    where, kept = place(user, client), credentials.key_of(secret)
    row = users.begin_session(user, key=kept, device=device, now=now, expires_at=end, place=where)
    row.asserted, row.fresh_at = key, rules.fresh_at(said.proved_at, now)
    db.session.flush()
    ledger.write("session.asserted", user.ref, session=row.ref)
    if not whole:
        return secret
    ledger.write("session.signed_in", user.ref, session=row.ref, how="sign_on")
    return completed(row, ledger)


def connect(session_ref: str, ask: Ask, *, now: datetime) -> None:
    """Bind the account of a whole session with a fresh password to whoever the provider asserts. Raises Refused."""
    said = _said(ask, now)
    key = rules.key_of(said.issuer, said.subject)
    with transaction(live(session_ref, now).user.ref, now) as ledger:
        row = live(session_ref, now)
        demand_complete_and_fresh(row, now)
        user, other = held_account(row.user.ref), rows.by_key(key)
        if other is not None and other.user_id != user.id:
            raise Refused(TAKEN)
        if other is not None:
            ledger.unchanged()
            return
        rows.unbind(user.id)
        users.end_sessions(user.id, now, but=row.id)
        identity = rows.bind(user, key, now)
        account_mails.changed(user, account_mails.CONNECTED, ledger)
        ledger.write("sign_on.bound", identity.ref, account=user.ref)


def disconnect(*, keep_session: str = "", actor: str, now: datetime) -> None:
    """Take the binding of the actor's own account away; all other sessions end. Raises Missing where there is none."""
    with transaction(actor, now) as ledger:
        user = held_account(actor)
        identity = rows.of(user.id)
        if identity is None:
            raise Missing()
        rows.unbind(user.id)
        here = users.session_of(actor, keep_session) if keep_session else None
        users.end_sessions(user.id, now, but=here.id if here else None)
        account_mails.changed(user, "your account was disconnected from the single sign-on", ledger)
        ledger.write("sign_on.unbound", identity.ref, account=user.ref)


def shut(*, actor: str, now: datetime) -> int:
    """Let nobody in by the provider any more, and end every session that began there; how many. Once shut it stays as it is."""
    with transaction(actor, now) as ledger:
        if rows.is_shut():
            ledger.unchanged()
            return 0
        db.session.add(rows.Switch(shut=True, by=actor, since=now))
        ended = rows.end_sessions(now)
        told = _tell("shut", ledger)
        ledger.write("sign_on.shut", SUBJECT, sessions=ended, told=told)
    return ended


def reopen(*, actor: str, now: datetime) -> None:
    """Let people in by the provider again. Sessions that had ended stay ended."""
    with transaction(actor, now) as ledger:
        if not rows.is_shut():
            ledger.unchanged()
            return
        db.session.add(rows.Switch(shut=False, by=actor, since=now))
        ledger.write("sign_on.opened", SUBJECT, told=_tell("opened again", ledger))


def _tell(what: str, ledger: Ledger) -> int:
    """Have all leads and administrators told."""
    people = {user.ref: user for role in (Role.LEAD, Role.ADMINISTRATOR) for user in users.holders(role)}
    return team_mails.tell(list(people.values()), Kind.SIGN_ON, {"what": what, "person": ledger.actor}, ledger)
