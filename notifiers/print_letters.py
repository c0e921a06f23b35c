"""Letters that the house prints, or a mail house does: nothing leaves by itself, people ask for a batch and post it.

So every letter with an address waits for a batch; the printing and the posting are on record as a batch, not as a call.
"""

from collections.abc import Sequence

from notifiers.contract import Answer, Callback, Event, Forged, Message, Outcome

PROVIDER = "print"
FEWEST_LINES = 3  # a name, a street or box, a town


class PrintLetters:
    """The channel of letters."""

    channel = "letter"
    provider = PROVIDER
    simulated = False
    batch = 500
    calls = 1
    rate = 0.0

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """Every letter waits for its batch; one that could never reach anybody is refused at once."""
        return [self._answer(message) for message in batch]

    def _answer(self, message: Message) -> Answer:
        lines = [line for line in message.to.split("\n") if line.strip()]
        if len(lines) < FEWEST_LINES:
            return Answer(message.ref, Outcome.REFUSED, reason="address_incomplete")
        return Answer(message.ref, Outcome.BY_HAND, reason="to_be_printed")

    def events(self, callback: Callback) -> list[Event]:
        """The post reports to nobody but people."""
        raise Forged("The post reports nothing here.")
