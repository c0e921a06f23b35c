"""The words of a message that is being told just now: a provider asks for them in the middle of a call."""

from datetime import datetime, timedelta
from json import loads
from typing import Final
from zlib import decompress

from incident.actions import channel_trials, people, reach
from incident.actions.merging import messages
from incident.domain.deliveries import State
from incident.domain.notices import Channel
from incident.store import deliveries, dispatches, mailbox, notices
from incident.store.deliveries import Delivery
from incident.store.sealed import Erased, Unreadable, sealer
from notifiers.contract import Message

LONGEST: Final = timedelta(hours=24)
"""How long after a call was handed over its words are still given out: providers put calls off for hours."""
TRIED: Final = timedelta(hours=1)
"""How long the words of a test call are given out."""
NEVER_TOLD: Final = (State.SIMULATED, State.WAITING, State.UNREACHED, State.CANCELLED)


def message_for(ref: str, channel: str, provider: str, *, now: datetime) -> Message | None:
    """The message of this attempt in the version that was approved; None where it must not be told (any more).

    Only for an attempt that was handed to this provider a short while ago: a signed question that somebody kept is of no use later.
    """
    row = deliveries.reported_on([ref]).get(ref)
    if row is None:
        return _of_a_trial(ref, channel, now) or _of_a_channel(ref, channel, provider, now)
    if not _is_being_told(row, channel, provider, now):
        return None
    told = dispatches.by_id(row.dispatch_id)
    version = notices.version(told.notice_id, told.version_number) if told else None
    if told is None or version is None:
        return None
    try:
        person = people.addressees(told.incident_id, [row.person_id], with_codes=True).get(row.person_id)
    except (Erased, Unreadable):
        return None
    made = messages(version, [(row.ref, row.ref, person)], channel) if person else []
    return made[0] if made and isinstance(made[0], Message) else None


def _of_a_trial(ref: str, channel: str, now: datetime) -> Message | None:
    """The words of a test call that somebody made to themselves a short while ago."""
    kept = mailbox.trial(ref, channel)
    if kept is None or now - kept.kept_at > TRIED:
        return None
    try:
        plain = loads(decompress(sealer(kept.incident_id).unseal(f"sandbox_message.sealed:{ref}", kept.sealed)))
    except (Erased, Unreadable):
        return None
    return Message(ref, plain["to"], plain["text"], plain["subject"], language=plain["language"], thread=ref)


def _of_a_channel(ref: str, channel: str, provider: str, now: datetime) -> Message | None:
    """The words of a call that belongs to no incident: one that tries the channel itself, or carries the code of a number."""
    if channel != Channel.CALL:
        return None
    return reach.words_of_call(ref, now=now) or channel_trials.words_of_call(ref, provider, now=now)


def _is_being_told(row: Delivery, channel: str, provider: str, now: datetime) -> bool:
    """The answer to the call may still be under way: then no provider and no time stand with the row yet."""
    ours = row.channel == channel and row.provider in ("", provider) and row.state not in NEVER_TOLD
    return ours and now - (row.called_at or row.changed_at) < LONGEST
