"""The messages of a claimed batch: whoever cannot be written to has an answer at once, and keeps nobody else back."""

from collections.abc import Sequence

import structlog

from incident.actions import people
from incident.actions.merging import messages
from incident.actions.settling import Batch
from incident.domain.errors import Refused
from incident.domain.people import Addressee
from incident.domain.wording import Unfilled
from incident.store import notices
from incident.store.claims import Held
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.notices import NoticeVersion
from incident.store.sealed import Unreadable
from notifiers.contract import Answer, Message, Outcome

log = structlog.get_logger()


def written(row: Dispatch, held: Held) -> Batch:
    """The batch with its messages. Raises Erased, and Refused where the text is none that may be sent."""
    version = notices.version(row.notice_id, row.version_number)
    known_people = _addressees(row.incident_id, [member.person_id for member in held.rows])
    known: dict[str, Answer] = {}
    to_write: list[tuple[str, str, Addressee]] = []
    for member in held.rows:
        person = known_people.get(member.person_id)
        if isinstance(person, Addressee):
            to_write.append((member.ref, f"{row.ref}.{member.person_number}", person))
        else:
            known[member.ref] = Answer(member.ref, Outcome.REFUSED, reason=person or "person_gone")
    made = _messages(version, to_write, held.channel) if version else []
    to_send = []
    for (ref, _, _), message in zip(to_write, made, strict=True):
        if isinstance(message, Message) and message.to:
            to_send.append(message)
        elif isinstance(message, Message):  # corrected since the list was made
            known[ref] = Answer(ref, Outcome.REFUSED, reason="no_address")
        else:
            known[ref] = Answer(ref, Outcome.LATER, reason="cannot_be_written")
    db.session.rollback()
    return Batch(held, to_send, known)


def _addressees(incident_id: int, ids: Sequence[int]) -> dict[int, Addressee | str]:
    """Everybody's open record; one that does not open keeps nobody else back and has its reason instead."""
    try:
        return dict(people.addressees(incident_id, ids))
    except Unreadable:
        found: dict[int, Addressee | str] = {}
        for id_ in ids:
            try:
                found |= people.addressees(incident_id, [id_])
            except Unreadable:
                found[id_] = "record_unreadable"
        return found


def _messages(
    version: NoticeVersion, to_write: Sequence[tuple[str, str, Addressee]], channel: str
) -> Sequence[Message | Unfilled | None]:
    """The messages of a batch; where writing them together breaks, one by one, so that one record keeps nobody else back."""
    try:
        return messages(version, to_write, channel)
    except Refused:
        raise
    except Exception as error:
        log.warning("sending.not_written", channel=channel, kind=type(error).__name__)
    return [_message(version, one, channel) for one in to_write]


def _message(version: NoticeVersion, one: tuple[str, str, Addressee], channel: str) -> Message | Unfilled | None:
    try:
        return messages(version, [one], channel)[0]
    except Exception as error:
        log.warning("sending.not_written", attempt=one[0], kind=type(error).__name__)
        return None
