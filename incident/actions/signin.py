"""Sign in with a password and a code, set up the second factor, sign out. Every try leaves a line.

Tries are counted before anything is checked, and answers are the same whether an account exists or not.
Slow hashing happens outside of transactions, so that a flood of sign-ins keeps nobody from writing.
"""

from dataclasses import dataclass
from datetime import datetime

from incident.actions import account_mails
from incident.actions.ledger import Ledger, transaction
from incident.actions.throttled import TooMany
from incident.domain import second_factor
from incident.domain import users as rules
from incident.domain.errors import Invalid, Refused
from incident.domain.throttle import area, network
from incident.store import credentials, separation, sign_on, throttle
from incident.store import users as rows
from incident.store.users import Session, User

WRONG = "That did not work. Check the address and the password, and try again."
WRONG_CODE = "That code is not right, or was used before. Wait for the next one and try again."


@dataclass(frozen=True)
class Client:
    """Where a try comes from: the network address and the words of the browser."""

    address: str | None
    user_agent: str


def with_password(email: str, password: str, *, client: Client, now: datetime) -> str:
    """Begin a session that still lacks the second factor; its secret. Raises Refused, TooMany."""
    email = email.strip().lower()
    take_try(("account", email, network(client.address)), ("network", network(client.address)), now=now)
    user = rows.by_email(email)
    stored = user.password if user is not None and user.active else None
    if not credentials.is_password(stored, password) or user is None:
        refuse(user.ref if user is not None else "unknown", "password", now)
        account_mails.tried(user.ref if user is not None else email, "failed", now)
        raise Refused(WRONG)
    with transaction(user.ref, now) as ledger:
        held = _still_same(user.ref, stored)
        throttle.forget(credentials.counting_key("account", email, network(client.address)))
        secret = credentials.new_secret()
        device, end = rules.device(client.user_agent), now + rules.UNFINISHED_LASTS
        where = place(held, client)
        rows.begin_session(held, key=credentials.key_of(secret), device=device, now=now, expires_at=end, place=where)
        ledger.write("session.password_given", held.ref)
    return secret


def with_code(session_ref: str, code: str, *, now: datetime) -> str:
    """Complete the session by a code or a recovery code; its new secret. Raises Refused, TooMany."""
    row = live(session_ref, now)
    take_try(("code", row.user.ref), now=now)
    secret = None
    with transaction(row.user.ref, now) as ledger:
        row = live(session_ref, now)
        user = held_account(row.user.ref)
        how = _proof(user, code, now)
        if how is None:
            ledger.write("session.refused", user.ref, why="code")
        else:
            throttle.forget(credentials.counting_key("code", user.ref))
            secret = completed(row, ledger)
            ledger.write("session.signed_in", user.ref, session=row.ref, how=how)
    if secret is None:
        account_mails.tried(row.user.ref, "failed_code", now)
        raise Refused(WRONG_CODE)
    return secret


def set_up_second_factor(session_ref: str, secret: str, code: str, *, now: datetime) -> tuple[str, list[str]]:
    """Keep the secret once a code of it was shown; the session's new secret and the recovery codes. Raises Refused.

    An account that has a second factor already changes it only in a complete session with a fresh password.
    All other sessions end.
    """
    row = live(session_ref, now)
    take_try(("code", row.user.ref), now=now)
    with transaction(row.user.ref, now) as ledger:
        row = live(session_ref, now)
        user = held_account(row.user.ref)
        if user.has_second_factor:
            demand_complete_and_fresh(row, now)
            account_mails.changed(user, "your code generator was replaced by another", ledger)
        counter = second_factor.step_of(code, second_factor.as_bytes(secret), now=now, after=0)
        if counter is None:
            raise Invalid(
                "code", "That code does not belong to this key. Check the clock of your device and try the next code."
            )
        user.totp_secret = credentials.seal_secret(user.ref, second_factor.as_bytes(secret))
        user.totp_counter = counter
        codes = _renewed_codes(user)
        rows.end_sessions(user.id, now, but=row.id)
        throttle.forget(credentials.counting_key("code", user.ref))
        ledger.write("second_factor.set_up", user.ref)
        ledger.write("session.signed_in", user.ref, session=row.ref, how="set-up")
        return completed(row, ledger), codes


def renew_recovery_codes(session_ref: str, *, now: datetime) -> list[str]:
    """New recovery codes; the old ones end, and so do all other sessions. Raises Refused without a fresh password."""
    with transaction(live(session_ref, now).user.ref, now) as ledger:
        row = live(session_ref, now)
        demand_complete_and_fresh(row, now)
        user = held_account(row.user.ref)
        codes = _renewed_codes(user)
        rows.end_sessions(user.id, now, but=row.id)
        account_mails.changed(user, "new recovery codes were made", ledger)
        ledger.write("second_factor.recovery_codes", user.ref)
    return codes


def confirm_password(session_ref: str, password: str, *, client: Client, now: datetime) -> None:
    """Make the session fresh again, for a sensitive act. Raises Refused, TooMany."""
    row = live(session_ref, now)
    user = row.user
    take_try(("account", user.email, network(client.address)), now=now)
    stored = user.password
    if not credentials.is_password(stored, password):
        refuse(user.ref, "password", now)
        raise Invalid("password", "That is not your password.")
    with transaction(user.ref, now) as ledger:
        row = live(session_ref, now)
        _still_same(user.ref, stored)
        row.fresh_at = now
        throttle.forget(credentials.counting_key("account", user.email, network(client.address)))
        ledger.write("session.password_given", user.ref)


def sign_out(session_ref: str, *, actor: str, now: datetime) -> None:
    """End one session of the actor's own. An ended one stays as it is."""
    with transaction(actor, now) as ledger:
        row = rows.session_of(actor, session_ref)
        if row is None or row.ended_at is not None:
            ledger.unchanged()
            return
        row.ended_at = now
        ledger.write("session.signed_out", actor, session=session_ref)


def sign_out_everywhere(*, actor: str, now: datetime) -> None:
    """End every session of the actor's own, this one too."""
    with transaction(actor, now) as ledger:
        rows.end_sessions(held_account(actor).id, now)
        ledger.write("session.signed_out_everywhere", actor)


def take_try(*limits: tuple[str, ...], now: datetime) -> None:
    """Count a try under each of these limits. Raises TooMany."""
    keys = [(limit[0], credentials.counting_key(*limit)) for limit in limits]
    until = throttle.take(keys, now)
    if until is not None:
        raise TooMany(until)


def refuse(user_ref: str, why: str, now: datetime) -> None:
    """Leave the line of a try that was refused."""
    with transaction("public", now) as ledger:
        ledger.write("session.refused", user_ref, why=why)


def place(user: User, client: Client) -> str:
    """What is kept of the network that somebody signs in from: a keyed hash, to know it again by."""
    where = area(client.address)
    return credentials.counting_key("place", user.ref, where) if where else ""


def live(session_ref: str, now: datetime) -> Session:
    """The session, while it lasts. Raises Refused."""
    row = rows.session_by_ref(session_ref, now)
    if row is None or not row.user.active:
        raise Refused("This session has ended. Sign in again.")
    return row


def held_account(user_ref: str) -> User:
    """The account with its row held: what is decided about it is decided once."""
    user = rows.by_ref(user_ref, locked=True)
    if user is None or not user.active:
        raise Refused("This account is locked.")
    return user


def _still_same(user_ref: str, stored: str | None) -> User:
    """The account as it was when its password was checked, held. Raises Refused when it changed meanwhile."""
    user = held_account(user_ref)
    if user.password != stored:
        raise Refused(WRONG)
    return user


def _proof(user: User, code: str, now: datetime) -> str | None:
    """How the code proves the second factor, which spends it; None when it does not."""
    if user.totp_secret is None:
        return None
    secret = credentials.opened_secret(user.ref, user.totp_secret)
    counter = second_factor.step_of(code, secret, now=now, after=user.totp_counter, drift=_drift())
    if counter is not None:
        user.totp_counter = counter
        return "code"
    kept = second_factor.recovery_hash(code)
    if kept is not None and kept in user.recovery_codes:
        user.recovery_codes = [other for other in user.recovery_codes if other != kept]
        return "recovery-code"
    return None


def _drift() -> int:
    """How many steps early or late a code is taken here."""
    return 0 if separation.policy().strict_codes else second_factor.DRIFT


def completed(row: Session, ledger: Ledger) -> str:
    """Give the session its second factor and a new secret, so that nobody holds it who saw the old one.

    Whoever came by the single sign-on for the first time is bound to it now, and not before.
    """
    secret = credentials.new_secret()
    row.key = credentials.key_of(secret)
    row.second_factor_at = ledger.now
    row.expires_at = ledger.now + rules.SESSION_LASTS
    if row.asserted and sign_on.of(row.user.id) is None and sign_on.by_key(row.asserted) is None:
        identity = sign_on.bind(row.user, row.asserted, ledger.now)
        account_mails.changed(row.user, account_mails.CONNECTED, ledger)
        ledger.write("sign_on.bound", identity.ref, account=row.user.ref)
    account_mails.signed_in(row, ledger)
    return secret


def _renewed_codes(user: User) -> list[str]:
    codes = [second_factor.new_recovery_code() for _ in range(rules.RECOVERY_CODES)]
    user.recovery_codes = [kept for code in codes if (kept := second_factor.recovery_hash(code))]
    return codes


def demand_complete_and_fresh(row: Session, now: datetime) -> None:
    """Refuse a session that lacks its second factor, or whose password was given too long ago."""
    if row.second_factor_at is None or not rules.is_fresh(row.fresh_at, now):
        raise Refused("Give your password again first.")
