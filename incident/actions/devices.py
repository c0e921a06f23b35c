"""The device of one's own that a push reaches: its token, proved by a code that a push carried, as a number is by a text."""

from datetime import datetime
from typing import Final

from incident.actions import oneself
from incident.actions.ledger import transaction
from incident.actions.reach import FROZEN
from incident.actions.throttled import take
from incident.actions.ways import Ways
from incident.domain import own_codes
from incident.domain.errors import Invalid, Missing, Refused
from incident.exports.catalogue import speaker
from incident.store import dispatches, readiness, sealed, users
from incident.store import reach as rows
from incident.store.db import db, new_secret_ref
from incident.store.reach import OwnDevice
from incident.store.users import User
from notifiers.contract import Answer, Message, Outcome

LONGEST_TOKEN: Final = 2_000
"""Letters; a browser's subscription is the longest of those in use."""
SHOWN: Final = 6
DEAD: Final = "token_dead"
"""The reason by which every push service says that a token belongs to no device any more."""
NO_PUSH: Final = "No push service is set up here, so a device cannot be used."
GONE: Final = (
    "The push service says that this token belongs to no device any more: the app was removed, or set up anew. "
    "Give the new token under Account."
)


def offer(token: str, *, ways: Ways, actor: str, now: datetime) -> None:
    """Send a code to a device by push, to be proved by typing it in. Raises Invalid, Refused, TooMany."""
    written = token.strip()
    if not 0 < len(written) <= LONGEST_TOKEN or not written.isprintable():
        raise Invalid("token", "Paste the token of a device of yours, as the app or the browser has it.")
    notifier = ways.channels.real.get("push")
    if notifier is None:
        raise Refused(NO_PUSH)
    if dispatches.frozen():
        raise Refused(FROZEN)
    take("to_oneself", actor, now=now)
    ref = new_secret_ref()
    with transaction(actor, now) as ledger:
        user, row = _mine(actor, now)
        code = oneself.code_of(user, ref)
        row.sealed = sealed.seal(None, _place(user), written.encode())
        row.proved_at, row.gone_at, row.changed_at = None, None, now
        row.code, row.code_until = oneself.mark(user, code), now + oneself.CODE_LASTS
        title, text = own_codes.by_push(code, oneself.MINUTES, speaker(user.language))
        language = user.language
        ledger.write("reach.device_offered", actor)
    answer = oneself.answered(notifier, Message(ref, written, text, title, language=language, thread=ref))
    if answer.reason == DEAD:
        note(answer, written, actor=actor, now=now)
        raise Invalid("token", GONE)
    if answer.outcome not in {Outcome.ACCEPTED, Outcome.UNKNOWN}:
        raise Invalid("token", "The push service did not take this token. Look whether all of it is there.")


def prove(code: str, *, actor: str, now: datetime) -> None:
    """Prove the device by the code that came to it. Raises Invalid, TooMany."""
    take("code", f"device:{actor}", now=now)
    with transaction(actor, now) as ledger:
        user, row = _mine(actor, now)
        if not oneself.fits(user, code, row.code) or row.code_until is None or row.code_until < now:
            raise Invalid("device_code", "That code is not right, or is too old. Have another one sent.")
        row.proved_at, row.code, row.code_until, row.changed_at = now, "", None, now
        ledger.write("reach.device_proved", actor)


def remove(*, actor: str, now: datetime) -> None:
    """Forget the device."""
    with transaction(actor, now) as ledger:
        _, row = _mine(actor, now)
        if row.sealed is None and row.gone_at is None:
            ledger.unchanged()
            return
        db.session.delete(row)
        ledger.write("reach.device_removed", actor)


def note(answer: Answer, token: str, *, actor: str, now: datetime) -> None:
    """Forget the token and its proof where the push service said that it is dead, and it is still the actor's own; else nothing."""
    if answer.reason != DEAD:
        return
    with transaction(actor, now) as ledger:
        user, row = _mine(actor, now)
        if row.sealed is None or sealed.unseal(None, _place(user), row.sealed) != token.encode():
            ledger.unchanged()
            return
        row.sealed, row.proved_at, row.code, row.code_until = None, None, "", None
        row.gone_at = row.changed_at = now
        readiness.settle_asked("push")
        ledger.write("reach.device_gone", actor)


def proved_token(user: User) -> str:
    """The token of the device that this person proved to be theirs. Raises Invalid where there is none."""
    row = rows.device(user.id)
    if row is None or row.sealed is None or row.proved_at is None:
        raise Invalid("push", "Prove your own device first.")
    return sealed.unseal(None, _place(user), row.sealed).decode()


def device_of(user: User, row: OwnDevice | None) -> str:
    """The end of the token of the person's own device, such as …Ab3-_x; nothing where there is none."""
    if row is None or row.sealed is None:
        return ""
    return f"…{sealed.unseal(None, _place(user), row.sealed).decode()[-SHOWN:]}"


def _mine(actor: str, now: datetime) -> tuple[User, OwnDevice]:
    """The person and their row, made where there is none, inside the caller's transaction."""
    user = users.by_ref(actor, locked=True)
    if user is None:
        raise Missing()
    row = rows.device(user.id, locked=True)
    if row is None:
        row = OwnDevice(user_id=user.id, code="", changed_at=now)
        db.session.add(row)
    return user, row


def _place(user: User) -> str:
    return f"own_device.sealed:{user.ref}"
