"""Try a channel before any notice needs it: a message of fixed words to whoever asks, by the provider that is set."""

from datetime import datetime
from typing import Final

from incident.actions import trials
from incident.actions.ledger import transaction
from incident.actions.throttled import take
from incident.actions.trials import Trial
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.notices import Channel
from incident.store import dispatches, readiness, users
from incident.store.db import new_secret_ref
from notifiers.contract import Channels, Message

CHANNELS: Final = (Channel.EMAIL, Channel.SMS)
"""By these a test reaches whoever asks. Calls ask for their words while they last, push needs a device: a notice tests both."""
SUBJECT: Final = "[Test] Tocsin can reach you"
TEXT: Final = (
    "This is a test of a channel, sent by somebody who works with Tocsin to themselves. Nothing has happened. "
    "Nobody else got it."
)


def send(channel: str, *, channels: Channels, actor: str, now: datetime) -> str:
    """Send a test to the one who asks; a sentence on what became of it. Raises Invalid, Refused, Missing.

    The line is written before the message is handed over. Without a provider there is nothing to try.
    """
    user = users.by_ref(actor)
    if user is None:
        raise Missing()
    if channel not in CHANNELS:
        raise Invalid("channel", f"A test goes by one of {', '.join(CHANNELS)}; a notice tests the others.")
    meant = Channel(channel)
    notifier = channels.real.get(meant)
    if notifier is None:
        raise Refused("No provider is set for this channel, so there is nothing to try.")
    take("to_oneself", actor, now=now)
    with transaction(actor, now) as ledger:
        if dispatches.frozen():
            raise Refused("All sending is frozen just now, tests too.")
        to = trials.own_address(user, Trial(meant))
        message = Message(
            ref=(ref := new_secret_ref()), to=to, subject=SUBJECT, text=TEXT, html="", language="en", thread=ref
        )
        readiness.keep_trial(str(meant), notifier.provider, actor=actor, now=now)
        ledger.write("channel.tested", str(meant), attempt=ref, provider=notifier.provider)
    return trials.handed_over(notifier, message, meant)
