"""What is heard of a call: every answer, or that nobody knows."""

from collections.abc import Sequence
from concurrent.futures import Future

import structlog

from incident.actions.settling import Answers, Batch
from notifiers.contract import Alike, Answer, Outcome

log = structlog.get_logger()


def heard(future: Future[Sequence[Answer]], batch: Batch) -> Answers:
    """The answers of a call. An exception, or answers that do not fit the batch, mean that nobody knows what happened."""
    try:
        said = future.result()
        if isinstance(said, Alike) and not batch.known and said.refs == batch.asked:
            return said
        given = {answer.ref: answer for answer in said}
    except Exception as error:
        log.warning(
            "sending.call_failed", channel=batch.held.channel, claim=batch.held.fence, kind=type(error).__name__
        )
        given = {}
    lost = {ref: given.get(ref) or Answer(ref, Outcome.UNKNOWN, reason="answer_lost") for ref in batch.asked}
    return batch.known | lost


def nothing() -> Future[Sequence[Answer]]:
    """The answers where nobody had to be called."""
    future: Future[Sequence[Answer]] = Future()
    future.set_result([])
    return future
