"""One channel for all push messages: each goes by the service that its address belongs to, seen by the address's shape."""

from collections.abc import Sequence
from typing import Final, Protocol

from notifiers.contract import Answer, Callback, Event, Forged, Message, Notifier, Outcome

PROVIDER: Final = "push"


class Service(Notifier, Protocol):
    """A push service: a notifier that knows its own addresses."""

    def takes(self, address: str) -> bool:
        """Whether this address is one of its kind, by the shape."""
        ...


class Push:
    """Several push services as one channel. What came back from which of them is seen by the answer's number."""

    channel = "push"
    provider = PROVIDER
    simulated = False

    def __init__(self, services: Sequence[Service], *, rate: float = 0) -> None:
        self.rate = rate
        self.batch = min(service.batch for service in services)
        self.calls = max(service.calls for service in services)
        self._services = tuple(services)

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """One answer a message, in the order of `batch`. Each service stops or waits for itself."""
        answers: dict[str, Answer] = {}
        left = list(batch)
        for service in self._services:
            mine = [message for message in left if service.takes(message.to)]
            left = [message for message in left if not service.takes(message.to)]
            answers |= {answer.ref: answer for answer in service.send(mine)}
        answers |= {message.ref: Answer(message.ref, Outcome.REFUSED, reason="token_invalid") for message in left}
        return [answers[message.ref] for message in batch]

    def events(self, callback: Callback) -> list[Event]:
        """Push services call nobody back, so whatever claims to come from one is forged."""
        raise Forged("Push services report nothing here.")
