"""The channel of an installation without providers, and of every drill: takes all, sends nothing.

What it took can be read by the team; whoever called it keeps the texts (sealed, beside the delivery).
"""

from collections.abc import Sequence

from notifiers.contract import Answer, Callback, Event, Forged, Message, Outcome


class Sandbox:
    """One channel that leads nowhere."""

    provider = "sandbox"
    simulated = True
    batch = 500
    calls = 1
    rate = 0.0

    def __init__(self, channel: str) -> None:
        self.channel = channel

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """Every message is taken."""
        return [Answer(message.ref, Outcome.ACCEPTED, f"sandbox-{message.ref}", "kept_here") for message in batch]

    def events(self, callback: Callback) -> list[Event]:
        """A sandbox reports nothing, so whatever claims to come from it is forged."""
        raise Forged("The sandbox reports nothing.")
