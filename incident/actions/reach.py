"""Each person's own choice of channels, their phone number with its proof, and a test to themselves."""

from datetime import datetime
from typing import Final

from incident.actions import oneself
from incident.actions.contacts import phone as as_number
from incident.actions.ledger import transaction
from incident.actions.throttled import take
from incident.actions.ways import Ways, machine
from incident.domain import own_codes
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.stale import demand_seen
from incident.exports.catalogue import speaker
from incident.store import dispatches, sealed, users
from incident.store import reach as rows
from incident.store.db import db, new_secret_ref
from incident.store.reach import Reach
from incident.store.users import User
from notifiers.contract import Message, Outcome

CHANNELS: Final = ("email", "sms", "alert")
CARRIERS: Final = ("sms", "call")
"""What may carry the code of a number: a text, or a voice that reads it out."""
NO_TEXTS: Final = "No provider for text messages is set up here, so a number cannot be used."
NO_CALLS: Final = "No provider makes calls here, so a number cannot be proved by one."
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


def offer_phone(number: str, *, by: str = "sms", ways: Ways, actor: str, now: datetime) -> None:
    """Send a code to a number by a text, or have a call read it out, to be proved by typing it in. Raises Invalid, Refused, TooMany."""
    written = as_number(number, "")
    if not written:
        raise Invalid("phone", "Give the number with its country code, such as +49 151 5550100.")
    if by not in CARRIERS:
        raise Invalid("by", "A code comes by sms or by call.")
    notifier = machine(ways.channels, by)
    if notifier is None:
        raise Refused(NO_TEXTS if by == "sms" else NO_CALLS)
    if dispatches.frozen():
        raise Refused(FROZEN)
    take("to_oneself", actor, now=now)
    ref = new_secret_ref()
    with transaction(actor, now) as ledger:
        user, row = _mine(actor, now)
        code = oneself.code_of(user, ref)
        row.sealed = sealed.seal(None, f"reach.sealed:{user.ref}", written.encode())
        row.proved_at, row.sms, row.changed_at = None, False, now
        row.code, row.code_until = oneself.mark(user, code), now + oneself.CODE_LASTS
        row.call_ref = ref if by == "call" else ""
        message = _with_code(user, ref, code, written, by)
        ledger.write("reach.phone_offered" if by == "sms" else "reach.phone_called", actor)
    if oneself.answered(notifier, message).outcome not in {Outcome.ACCEPTED, Outcome.UNKNOWN}:
        raise Invalid("phone", "The provider did not take this number. Look at it and try again.")


def _with_code(user: User, ref: str, code: str, to: str, by: str) -> Message:
    say = speaker(user.language)
    text = own_codes.by_text(code, oneself.MINUTES, say) if by == "sms" else own_codes.by_call(code, say)
    return Message(ref, to, text, language=user.language, thread=ref)


def words_of_call(ref: str, *, now: datetime) -> Message | None:
    """What a call that carries a code says, while the code is good; None for any other call."""
    row = rows.told_by_call(ref)
    if row is None or row.code_until is None or row.code_until < now:
        return None
    (user,) = rows.people([row.user_id])
    return _with_code(user, ref, oneself.code_of(user, ref), "", "call")


def prove_phone(code: str, *, actor: str, now: datetime) -> bool:
    """Prove the number by the code that came to it; whether texts are on from then, as they are where a text brought it.

    Raises Invalid, TooMany.
    """
    take("code", f"phone:{actor}", now=now)
    with transaction(actor, now) as ledger:
        user, row = _mine(actor, now)
        if not oneself.fits(user, code, row.code) or row.code_until is None or row.code_until < now:
            raise Invalid("code", "That code is not right, or is too old. Have another one sent.")
        row.sms = not row.call_ref
        row.proved_at, row.code, row.code_until, row.call_ref, row.changed_at = now, "", None, "", now
        ledger.write("reach.phone_proved", actor)
    return row.sms


def remove_phone(*, actor: str, now: datetime) -> None:
    """Forget the number."""
    with transaction(actor, now) as ledger:
        user, row = _mine(actor, now)
        if row.sealed is None:
            ledger.unchanged()
            return
        row.sealed, row.proved_at, row.code, row.code_until, row.sms, row.changed_at = None, None, "", None, False, now
        row.call_ref = ""
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
    message = Message(new_secret_ref(), to, text, "[Test] Reminders of duties", thread=new_secret_ref())
    outcome = oneself.answered(notifier, message).outcome
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


def _yes(chosen: bool) -> str:
    return "yes" if chosen else "no"
