"""A channel for tests: keeps what it was given and answers as it was told to."""

from collections.abc import Callable, Sequence

from notifiers.contract import Answer, Callback, Event, Forged, Message, Outcome


def accept(message: Message) -> Answer:
    """The answer of a provider that takes everything."""
    return Answer(message.ref, Outcome.ACCEPTED, f"memory-{message.ref}")


class Memory:
    """One channel that remembers. `answer` decides for each message; raising there is a lost answer."""

    provider = "memory"
    calls = 1
    rate = 0.0

    def __init__(
        self,
        channel: str = "email",
        answer: Callable[[Message], Answer] = accept,
        *,
        batch: int = 100,
        simulated: bool = False,
    ) -> None:
        self.channel, self.answer, self.batch, self.simulated = channel, answer, batch, simulated
        self.sent: list[Message] = []
        self.reports: list[Event] = []

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """What `answer` says, message by message."""
        answers = []
        for message in batch:
            self.sent.append(message)
            answers.append(self.answer(message))
        return answers

    def events(self, callback: Callback) -> list[Event]:
        """The reports laid ready, for a callback whose body is `genuine`. Raises Forged for any other."""
        if callback.body != b"genuine":
            raise Forged("The signature does not fit.")
        return list(self.reports)
