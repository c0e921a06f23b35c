"""Calls that people of the team make: nobody is called from here, the delivery waits on their list."""

from collections.abc import Sequence

from notifiers.contract import Answer, Callback, Event, Forged, Message, Outcome

PROVIDER = "by_hand"


class ByHand:
    """The channel of telephone calls where no provider makes them."""

    channel = "call"
    provider = PROVIDER
    simulated = False
    batch = 500
    calls = 1
    rate = 0.0

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """Every one of them is for a person to call."""
        return [Answer(message.ref, Outcome.BY_HAND, reason="to_be_called") for message in batch]

    def events(self, callback: Callback) -> list[Event]:
        """People say on the page of a call what became of it; nothing is reported from outside. Raises Forged."""
        raise Forged("Calls by hand report nothing.")
