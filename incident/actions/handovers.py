"""Hand one message over to its provider: what every kind of single message shares around the call."""

import structlog

from notifiers.contract import Answer, Message, Notifier, Outcome

log = structlog.get_logger()


def answer_of(notifier: Notifier, message: Message, *, kind: str) -> Answer:
    """The provider's answer; an exception means that nobody knows what happened. No transaction may be open."""
    try:
        [answer] = notifier.send([message])
    except Exception as error:  # the contract: an exception means that nobody knows what happened
        log.warning("message.answer_lost", kind=kind, provider=notifier.provider, reason=type(error).__name__)
        return Answer(message.ref, Outcome.UNKNOWN, reason="answer_lost")
    return answer
