"""What people who work here send to themselves, codes and tests: one message to one person, and the provider's answer."""

import hmac
from datetime import timedelta
from typing import Final

import structlog

from incident.store import credentials
from incident.store.users import User
from notifiers.contract import Answer, Message, Notifier, Outcome

log = structlog.get_logger()

CODE_LASTS: Final = timedelta(minutes=10)
MINUTES: Final = int(CODE_LASTS.total_seconds() // 60)


def answered(notifier: Notifier, message: Message) -> Answer:
    """What the provider answered; that its answer was lost, where it was."""
    try:
        (answer,) = notifier.send([message])
    except Exception as error:  # the contract: an exception means that nobody knows what happened
        log.warning("oneself.answer_lost", provider=notifier.provider, reason=type(error).__name__)
        return Answer(message.ref, Outcome.UNKNOWN, reason="answer_lost")
    return answer


def code_of(user: User, ref: str) -> str:
    """The six figures that the message with this reference carries to this person; nobody without our keys can tell them."""
    return f"{int(credentials.counting_key('own_code', user.ref, ref)[:15], 16) % 1_000_000:06}"


def mark(user: User, code: str) -> str:
    """What is kept of a code, as typed in with or without spaces."""
    return credentials.counting_key("phone_code", user.ref, "".join(code.split()))


def fits(user: User, code: str, kept: str) -> bool:
    """Whether this is the code of which the mark was kept; there is none where nothing was."""
    return hmac.compare_digest(kept, mark(user, code)) and bool(kept)
