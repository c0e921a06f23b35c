"""Try a channel before any notice needs it: fixed words to whoever asks by the provider that is set, or a letter to look at."""

from datetime import datetime, timedelta
from hashlib import sha256
from json import loads
from typing import Final

from incident.actions import letter_proofs, trials
from incident.actions.ledger import instant, transaction
from incident.actions.merging import House
from incident.actions.throttled import take
from incident.actions.trials import Trial
from incident.domain import channel_trials as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.notices import Channel
from incident.exports.catalogue import speaker
from incident.store import audit, dispatches, readiness, users
from incident.store.db import new_secret_ref
from incident.store.users import User
from notifiers.contract import Channels, Message, Notifier

CHANNELS: Final = (Channel.EMAIL, Channel.SMS, Channel.CALL, Channel.PUSH)
"""By these a test reaches whoever asks. Of a letter there is a sheet to look at."""
TOLD_FOR: Final = timedelta(hours=1)
"""How long the words of a test call are given out."""
LINES_LOOKED_AT: Final = 12
"""Of tests of one person: more than the limit lets through within that time."""


def send(channel: str, *, channels: Channels, actor: str, now: datetime) -> str:
    """Send a test to the one who asks; a sentence on what became of it. Raises Invalid, Refused, Missing.

    The line is written before the message is handed over. Without a provider there is nothing to try.
    """
    user = _whoever(actor)
    if channel not in CHANNELS:
        raise Invalid("channel", f"A test goes by one of {', '.join(CHANNELS)}.")
    meant = Channel(channel)
    notifier = _provider(channels, meant)
    trials.demand_a_machine(notifier)
    take("to_oneself", actor, now=now)
    with transaction(actor, now) as ledger:
        if dispatches.frozen():
            raise Refused("All sending is frozen just now, tests too.")
        message = _message(new_secret_ref(), trials.own_address(user, Trial(meant)), user)
        readiness.keep_asked(str(meant), notifier.provider, actor=actor, now=now)
        ledger.write("channel.tested", str(meant), attempt=message.ref, provider=notifier.provider)
    (answer,) = trials.handed_over(notifier, [message], meant, actor=actor, now=now)
    return trials.said(answer, meant)


def words_of_call(ref: str, provider: str, *, now: datetime) -> Message | None:
    """The words of a test call that was made a short while ago, for the provider that makes it; None where there is none.

    They are made again from its line in the record. Where two people try calls at once, those of the later one are given out.
    """
    last = readiness.asked(str(Channel.CALL))
    if last is None or last.asked_at is None or last.provider != provider or now - last.asked_at > TOLD_FOR:
        return None
    since = instant(now - TOLD_FOR)
    lines = audit.search(actor=last.asked_by, verb="channel.tested", since=since, limit=LINES_LOOKED_AT)
    made = any(line.subject == Channel.CALL and loads(line.details).get("attempt") == ref for line in lines)
    user = users.by_ref(last.asked_by) if made else None
    return _message(ref, "", user) if user else None


def sample_sheet(*, channels: Channels, form: str, country: str, house: House, actor: str, now: datetime) -> bytes:
    """A letter as it would lie in the envelope, as PDF. It has no addressee, and nothing is posted. Raises Refused, Missing."""
    user = _whoever(actor)
    notifier = _provider(channels, Channel.LETTER)
    take("to_oneself", actor, now=now)
    ref = new_secret_ref()
    made = letter_proofs.proof(ref, _letter(user), form=form, house=house, at=now, country=country)
    with transaction(actor, now) as ledger:
        readiness.keep_trial(str(Channel.LETTER), notifier.provider, actor=actor, now=now)
        digest = sha256(made).hexdigest()
        ledger.write("channel.sampled", str(Channel.LETTER), attempt=ref, provider=notifier.provider, sha256=digest)
    return made


def _whoever(actor: str) -> User:
    user = users.by_ref(actor)
    if user is None:
        raise Missing()
    return user


def _provider(channels: Channels, channel: Channel) -> Notifier:
    notifier = channels.real.get(channel)
    if notifier is None:
        raise Refused("No provider is set for this channel, so there is nothing to try.")
    return notifier


def _message(ref: str, to: str, user: User) -> Message:
    """The fixed words, in the language of whoever asks; a voice says the same."""
    subject, text = rules.message(user.name, speaker(user.language))
    return Message(ref=ref, to=to, subject=subject, text=text, language=user.language, thread=ref)


def _letter(user: User) -> dict[str, str]:
    lines, html = rules.letter(user.name, speaker(user.language))
    return {"to": "\n".join(lines), "html": html, "language": user.language}
