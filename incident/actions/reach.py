"""Each person's own choice of channels, their phone number with its proof, and a test to themselves."""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import structlog

from incident.actions.contacts import phone as as_number
from incident.actions.ledger import transaction
from incident.actions.throttled import take
from incident.actions.ways import Ways
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.stale import demand_seen
from incident.store import credentials, dispatches, sealed, users
from incident.store import reach as rows
from incident.store.db import db, new_secret_ref
from incident.store.reach import Reach
from incident.store.users import User
from notifiers.contract import Message, Notifier, Outcome

log = structlog.get_logger()

CODE_LASTS: Final = timedelta(minutes=10)
CHANNELS: Final = ("email", "sms", "alert")
NO_TEXTS: Final = "No provider for text messages is set up here, so a number cannot be used."
FROZEN: Final = "All sending is frozen just now, tests too."


def choose(
    *, email: bool, sms: bool, alert: bool, ways: Ways, actor: str, now: datetime, seen: str | None = None
) -> None:
    """Choose the channels that remind oneself; `seen` is the mark of these. Raises Invalid where none would be left, Stale."""
    with transaction(actor, now) as ledger:
        user, row = _mine(actor, now)
        if sms and row.proved_at is None:
            raise Invalid("sms", "Prove your phone number first.")
        own = [target for target in rows.targets() if target.user_id == user.id]
        if not (email or (sms and "sms" in ways.channels.real) or (alert and own)):
            raise Invalid("email", "Keep at least one channel that reaches you.")
        if (row.email, row.sms, row.alert) == (email, sms, alert):
            ledger.unchanged()
            return
        stands = (row.email, row.sms, row.alert)
        both = zip(stands, (email, sms, alert), strict=True)
        words = {name: (_yes(old), _yes(new)) for name, (old, new) in zip(CHANNELS, both, strict=True)}
        demand_seen(seen, *stands, versions=words)
        row.email, row.sms, row.alert, row.changed_at = email, sms, alert, now
        chosen = [word for word, on in zip(CHANNELS, (email, sms, alert), strict=True) if on]
        ledger.write("reach.changed", actor, channels=chosen)


def offer_phone(number: str, *, ways: Ways, actor: str, now: datetime) -> None:
    """Send a code to a number, to be proved by typing it in. Raises Invalid, Refused, TooMany."""
    written = as_number(number, "")
    if not written:
        raise Invalid("phone", "Give the number with its country code, such as +49 151 5550100.")
    notifier = ways.channels.real.get("sms")
    if notifier is None:
        raise Refused(NO_TEXTS)
    if dispatches.frozen():
        raise Refused(FROZEN)
    take("to_oneself", actor, now=now)
    code = f"{secrets.randbelow(1_000_000):06}"
    with transaction(actor, now) as ledger:
        user, row = _mine(actor, now)
        row.sealed = sealed.seal(None, f"reach.sealed:{user.ref}", written.encode())
        row.proved_at, row.sms, row.changed_at = None, False, now
        row.code, row.code_until = _code_key(user, code), now + CODE_LASTS
        ledger.write("reach.phone_offered", actor)
    text = f"Tocsin: {code} is the code for your phone number. It is good for {int(CODE_LASTS.total_seconds() // 60)} minutes."
    _demand_sent(notifier, Message(new_secret_ref(), written, text))


def prove_phone(code: str, *, actor: str, now: datetime) -> None:
    """Prove the number by the code that was sent to it; texts are on from then. Raises Invalid, TooMany."""
    take("code", f"phone:{actor}", now=now)
    with transaction(actor, now) as ledger:
        user, row = _mine(actor, now)
        fits = hmac.compare_digest(row.code, _code_key(user, "".join(code.split())))
        if not row.code or not fits or row.code_until is None or row.code_until < now:
            raise Invalid("code", "That code is not right, or is too old. Have another one sent.")
        row.proved_at, row.code, row.code_until, row.sms, row.changed_at = now, "", None, True, now
        ledger.write("reach.phone_proved", actor)


def remove_phone(*, actor: str, now: datetime) -> None:
    """Forget the number."""
    with transaction(actor, now) as ledger:
        user, row = _mine(actor, now)
        if row.sealed is None:
            ledger.unchanged()
            return
        row.sealed, row.proved_at, row.code, row.code_until, row.sms, row.changed_at = None, None, "", None, False, now
        row.email = row.email or not (row.alert and any(one.user_id == user.id for one in rows.targets()))
        ledger.write("reach.phone_removed", actor)


def phone_of(user: User, row: Reach | None) -> str:
    """The person's own number with its middle hidden, such as +49…0100; nothing where there is none."""
    if row is None or row.sealed is None:
        return ""
    number = sealed.unseal(None, f"reach.sealed:{user.ref}", row.sealed).decode()
    return f"{number[:3]}…{number[-4:]}"


def try_out(channel: str, *, ways: Ways, actor: str, now: datetime) -> str:
    """Send a test to oneself; a sentence on what became of it. Raises Refused, Invalid, TooMany."""
    user = users.by_ref(actor)
    if user is None:
        raise Missing()
    notifier = ways.channels.real.get(channel) if channel in {"email", "sms"} else None
    if notifier is None:
        raise Refused("No provider is set up for this, so reminders stay in the sandbox and reach nobody.")
    if dispatches.frozen():
        raise Refused(FROZEN)
    to = user.email if channel == "email" else proved_number(user)
    take("to_oneself", actor, now=now)
    text = "This is a test of your reminders. Nothing is due."
    outcome = _sent(
        notifier, Message(new_secret_ref(), to, text, "[Test] Reminders of duties", thread=new_secret_ref())
    )
    with transaction(actor, now) as ledger:
        ledger.write("reach.tried", actor, channel=channel, outcome=outcome.value)
    return SAID[outcome]


SAID: Final = {
    Outcome.ACCEPTED: "The test is on its way.",
    Outcome.UNKNOWN: "The provider's answer was lost: the test may arrive, or not.",
    Outcome.LATER: "The provider did not take the test just now. Try again in a few minutes.",
    Outcome.REFUSED: "The provider refused the test. Look at your address or number.",
    Outcome.STOP: "The provider refuses us. Tell an administrator.",
}


def proved_number(user: User) -> str:
    """The number that this person proved to be theirs. Raises Invalid where there is none."""
    row = rows.one(user.id)
    if row is None or row.sealed is None or row.proved_at is None:
        raise Invalid("sms", "Prove your phone number first.")
    return sealed.unseal(None, f"reach.sealed:{user.ref}", row.sealed).decode()


def _sent(notifier: Notifier, message: Message) -> Outcome:
    try:
        [answer] = notifier.send([message])
    except Exception as error:  # the contract: an exception means that nobody knows what happened
        log.warning("reach.answer_lost", provider=notifier.provider, reason=type(error).__name__)
        return Outcome.UNKNOWN
    return answer.outcome


def _demand_sent(notifier: Notifier, message: Message) -> None:
    outcome = _sent(notifier, message)
    if outcome not in {Outcome.ACCEPTED, Outcome.UNKNOWN}:
        raise Invalid("phone", "The provider did not take this number. Look at it and try again.")


def _mine(actor: str, now: datetime) -> tuple[User, Reach]:
    """The person and their row, made where there is none, inside the caller's transaction."""
    user = users.by_ref(actor, locked=True)
    if user is None:
        raise Missing()
    row = rows.one(user.id, locked=True)
    if row is None:
        row = Reach(user_id=user.id, email=True, sms=False, alert=True, code="", changed_at=now)
        db.session.add(row)
    return user, row


def _code_key(user: User, code: str) -> str:
    return credentials.counting_key("phone_code", user.ref, code)


def _yes(chosen: bool) -> str:
    return "yes" if chosen else "no"
