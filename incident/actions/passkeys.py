"""Passkeys and security keys: add, name, remove; sign in with one, as the second factor or, with PIN or finger, as both."""

from datetime import datetime

from incident.actions import account_mails
from incident.actions.ledger import transaction
from incident.actions.signin import Client, completed, held_account, live, place, refuse, take_try
from incident.domain import users as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.throttle import network
from incident.store import credentials, throttle, users
from incident.store import passkeys as rows
from incident.store.db import db, new_ref
from incident.store.passkeys import NotProven, Passkey, Place

MOST = 10
NO_PROOF = "The key did not prove itself. Try again, or use a code."


def add(session_ref: str, where: Place, answer: str, challenge: str, *, name: str, now: datetime) -> str:
    """Keep a new key of whoever is signed in, with a fresh password; its reference. All other sessions end. Raises Refused, Invalid."""
    label = _label(name)
    try:
        made = rows.registered(where, answer, challenge)
    except NotProven:
        raise Refused("The key could not be added: its answer was not for this page. Try again.") from None
    row = live(session_ref, now)
    with transaction(row.user.ref, now) as ledger:
        row = live(session_ref, now)
        if row.second_factor_at is None or not rules.is_fresh(row.fresh_at, now):
            raise Refused("Give your password again first.")
        user = held_account(row.user.ref)
        if len(rows.of(user.id)) >= MOST:
            raise Refused(f"One person has at most {MOST} keys; remove one that is not used.")
        if rows.by_key(rows.key_of(made.credential)) is not None:
            raise Refused("This key is in use already.")
        key = Passkey(ref=new_ref("PK"), user_id=user.id, key=rows.key_of(made.credential), name=label)
        key.credential, key.public_key, key.sign_count = made.credential, made.public_key, made.sign_count
        key.synced, key.added_at, key.last_challenge = made.synced, now, credentials.key_of(challenge)
        db.session.add(key)
        users.end_sessions(user.id, now, but=row.id)
        account_mails.changed(user, "a passkey or security key was added", ledger)
        ledger.write("passkey.added", key.ref, account=user.ref, synced=made.synced)
    return key.ref


def rename(ref: str, name: str, *, actor: str, now: datetime) -> None:
    """Give one of the actor's keys another name. Raises Missing, Invalid."""
    label = _label(name)
    with transaction(actor, now) as ledger:
        key = _own(ref, actor)
        if key.name == label:
            ledger.unchanged()
            return
        key.name = label
        ledger.write("passkey.renamed", ref, account=actor)


def remove(ref: str, *, keep_session: str = "", actor: str, now: datetime) -> None:
    """End one of the actor's keys, and all sessions but this one: they may have begun with it. Raises Missing."""
    with transaction(actor, now) as ledger:
        key = _own(ref, actor)
        key.removed_at = now
        here = users.session_of(actor, keep_session) if keep_session else None
        users.end_sessions(key.user_id, now, but=here.id if here else None)
        account_mails.changed(key.user, "a passkey or security key was removed", ledger)
        ledger.write("passkey.removed", ref, account=actor)


def second_factor(session_ref: str, where: Place, answer: str, challenge: str, *, now: datetime) -> str:
    """Complete a session whose password was given; its new secret. Raises Refused, TooMany."""
    row = live(session_ref, now)
    take_try(("code", row.user.ref), now=now)
    account = row.user.ref
    secret = None
    with transaction(account, now) as ledger:
        row = live(session_ref, now)
        user = held_account(account)
        key = _proven(where, answer, challenge, of=user.id, by_person=False, now=now)
        if key is None:
            ledger.write("session.refused", user.ref, why="passkey")
        else:
            throttle.forget(credentials.counting_key("code", user.ref))
            secret = completed(row, ledger)
            ledger.write("session.signed_in", user.ref, session=row.ref, how="passkey", passkey=key.ref)
    if secret is None:
        account_mails.tried(account, "failed_code", now)
        raise Refused(NO_PROOF)
    return secret


def sign_in(where: Place, answer: str, challenge: str, *, client: Client, now: datetime) -> str:
    """Begin a whole session with a key that checked its owner itself; the session's secret. Raises Refused, TooMany."""
    take_try(("network", network(client.address)), now=now)
    found = _account(answer)
    if found is None:
        refuse("unknown", "passkey", now)
        raise Refused(NO_PROOF)
    secret = None
    with transaction(found, now) as ledger:
        user = users.by_ref(found, locked=True)
        known = user is not None and user.active and user.has_second_factor
        key = _proven(where, answer, challenge, of=user.id, by_person=True, now=now) if user and known else None
        if user is None or key is None:
            ledger.write("session.refused", found, why="passkey")
        else:
            device = rules.device(client.user_agent)
            first = credentials.key_of(credentials.new_secret())
            until, where_from = now + rules.SESSION_LASTS, place(user, client)
            row = users.begin_session(user, key=first, device=device, now=now, expires_at=until, place=where_from)
            db.session.flush()
            secret = completed(row, ledger)
            ledger.write("session.signed_in", user.ref, session=row.ref, how="passkey alone", passkey=key.ref)
    if secret is None:
        account_mails.tried(found, "failed", now)
        raise Refused(NO_PROOF)
    return secret


def _account(answer: str) -> str | None:
    try:
        key = rows.by_key(rows.named_in(answer))
    except NotProven:
        return None
    return key.user.ref if key is not None else None


def _proven(where: Place, answer: str, challenge: str, *, of: int, by_person: bool, now: datetime) -> Passkey | None:
    """The key of this account that the answer proves, its use noted; None where it proves none. Each challenge counts once."""
    try:
        key = rows.by_key(rows.named_in(answer), locked=True)
        if key is None or key.user_id != of or key.last_challenge == credentials.key_of(challenge):
            return None
        key.sign_count = rows.proven(where, answer, challenge, key, by_person=by_person)
    except NotProven:
        return None
    key.last_used_at, key.last_challenge = now, credentials.key_of(challenge)
    return key


def _own(ref: str, actor: str) -> Passkey:
    user = users.by_ref(actor, locked=True)
    key = rows.one(user.id, ref) if user is not None else None
    if key is None:
        raise Missing()
    return key


def _label(raw: str) -> str:
    try:
        return rules.named(raw)[:80]
    except Invalid:
        raise Invalid("name", "Say in a word or two which key this is, such as “blue key”.") from None
