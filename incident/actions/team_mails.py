"""Tell people who work here about roles and emergencies by e-mail: claim, call, settle. No transaction is open during the call.

What was being handed over when its worker died is in doubt, and is not sent again: the record says the same, and so do the pages.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from incident.actions.ledger import Ledger, transaction
from incident.domain import team_mails as rules
from incident.domain.access import Role
from incident.domain.team_mails import Kind, State
from incident.exports.catalogue import speaker
from incident.store import dispatches, users
from incident.store import separation as rows
from incident.store.db import db, new_secret_ref
from incident.store.separation import TeamMail
from incident.store.users import User
from notifiers.contract import Answer, Channels, Message, Notifier, Outcome

log = structlog.get_logger()

ACTOR: Final = "system"
STATES: Final = {
    Outcome.ACCEPTED: State.ACCEPTED,
    Outcome.REFUSED: State.FAILED,
    Outcome.STOP: State.FAILED,
    Outcome.UNKNOWN: State.IN_DOUBT,
}


def tell(people: Collection[User], kind: Kind, about: Mapping[str, Any], ledger: Ledger) -> int:
    """Have these people told, inside the caller's transaction; to how many it goes."""
    for user in people:
        mail = TeamMail(ref=new_secret_ref(), user_id=user.id, kind=kind.value, about=dict(about), state=State.WAITING)
        mail.made_at = mail.next_at = mail.changed_at = ledger.now
        db.session.add(mail)
    return len(people)


def leads() -> list[User]:
    """Everybody who leads here and can sign in."""
    return users.holders(Role.LEAD)


def due(now: datetime) -> list[str]:
    """References of mails to hand over, and of those whose worker died; none while all sending is frozen."""
    return [] if dispatches.frozen() else list(rows.mails_due(now))


def do(ref: str, channels: Channels, *, site: str, clock: Callable[[], datetime], lease: timedelta) -> None:
    """Hand one mail over: safe to repeat, to kill, and to run twice at once."""
    notifier = channels.real.get("email")
    message = _claimed(ref, notifier, site, clock(), lease)
    if message is None or notifier is None:
        return
    answer = _call(notifier, message)
    with transaction(ACTOR, clock()) as ledger:
        mail = rows.mail(ref, locked=True)
        if mail is None or mail.state != State.CALLING:
            ledger.unchanged()
            return
        again = rules.again_after(mail.tries, answer.wait) if answer.outcome is Outcome.LATER else None
        if again is not None:
            mail.next_at = ledger.now + again
        _settle(mail, State.WAITING if again else STATES.get(answer.outcome, State.FAILED), answer.reason, ledger)


def _claimed(ref: str, notifier: Notifier | None, site: str, now: datetime, lease: timedelta) -> Message | None:
    """The mail, once it is ours to hand over; None where another has it, or where it ends here."""
    with transaction(ACTOR, now) as ledger:
        mail = rows.mail(ref, locked=True)
        if mail is None or mail.state not in {State.WAITING, State.CALLING}:
            ledger.unchanged()
            return None
        if mail.state == State.CALLING:
            if mail.lease_until is not None and mail.lease_until > now:
                ledger.unchanged()
                return None
            _settle(mail, State.IN_DOUBT, "worker_died", ledger)
            return None
        closed = not mail.user.active and mail.kind not in rules.THOUGH_LOCKED
        if notifier is None or closed:
            reason = "not_set_up" if notifier is None else "locked"
            _settle(mail, State.NOT_SET_UP if notifier is None else State.FAILED, reason, ledger)
            return None
        language = mail.user.language
        subject, text = rules.words(Kind(mail.kind), mail.about, site=site, say=speaker(language))
        message = Message(
            ref=mail.ref, to=mail.user.email, text=text, subject=subject, language=language, thread=mail.ref
        )
        mail.tries, mail.lease_until = mail.tries + 1, now + lease
        _settle(mail, State.CALLING, "", ledger)
    return message


def _settle(mail: TeamMail, state: State, reason: str, ledger: Ledger) -> None:
    mail.state, mail.reason, mail.changed_at = state, reason[:40], ledger.now
    ledger.write(
        "team_mail.settled", mail.ref, to=mail.user.ref, kind=mail.kind, state=state.value, reason=mail.reason or None
    )


def _call(notifier: Notifier, message: Message) -> Answer:
    try:
        [answer] = notifier.send([message])
    except Exception as error:  # the contract: an exception means that nobody knows what happened
        log.warning("team_mail.answer_lost", provider=notifier.provider, reason=type(error).__name__)
        return Answer(message.ref, Outcome.UNKNOWN, reason="answer_lost")
    return answer
