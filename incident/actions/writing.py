"""The messages of a claimed batch: whoever cannot be written to has an answer at once, and keeps nobody else back."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import structlog

from incident.actions import envelopes
from incident.actions.envelopes import Envelopes
from incident.actions.merging import Texts
from incident.actions.preparing import approved
from incident.actions.settling import Batch
from incident.domain import deliveries
from incident.domain import notices as rules
from incident.domain.errors import Refused
from incident.domain.people import Addressee
from incident.domain.remedies import EXAMPLE, MOST
from incident.domain.wording import Unfilled
from incident.store import notices, remedies, sealed
from incident.store.claims import Held
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.sealed import Kept, Sealer, Unreadable, sealer
from notifiers.contract import Answer, Message, Outcome

log = structlog.get_logger()


class Approval:
    """What one worker knows of the approval of one sending: its texts, compiled once, and whether it still stands."""

    def __init__(self) -> None:
        self._texts: dict[tuple[int, str, str], Texts] = {}
        self._proven: list[Any] = []
        self.key = Kept()

    def texts(self, row: Dispatch, channel: str, provider: str = "") -> Texts:
        """The texts by a channel of this provider. Raises Refused where they are not those that the approval is bound to."""
        bound_to = row.notice_version_id, row.digest, channel
        if bound_to not in self._texts:
            version = notices.version(row.notice_id, row.version_number)
            if version is None or rules.digest(version.contents) != row.digest:
                raise Refused("The text of this notice is not the one that was approved. Nothing of it is sent.")
            self._texts[bound_to] = Texts(version.contents, channel, by_hand=provider in deliveries.NOBODY_OUTSIDE)
        return self._texts[bound_to]

    def stands(self, row: Dispatch) -> bool:
        """Whether it stands now. All that it is judged by is read each time, and judged anew where anything of it changed."""
        found = [*notices.judged_by(row.notice_ref), (row.notice_version_id, row.digest)]
        if found != self._proven:
            self._proven = found if approved(row) is not None else []
        return bool(self._proven)


class Draft(NamedTuple):
    """A claimed batch with all that its messages are made of: nothing more is asked of the database."""

    held: Held
    thread: str
    envelopes: Envelopes
    gone: Collection[int]
    texts: Texts
    codes: Mapping[int, tuple[str, ...]] = MappingProxyType({})  # of remedies, by person's number


def drafted(row: Dispatch, held: Sequence[Held], texts: Texts, key: Callable[[int], Sealer] = sealer) -> list[Draft]:
    """What the messages of each of these batches are made of, as it stands now. Raises Erased."""
    ids = [[member.person_id for member in one.rows] for one in held]
    found = envelopes.of(row.incident_id, [id_ for group in ids for id_ in group], only_listed=True, key=key)
    gone = sealed.erased_people(row.incident_id) if len(found.rows) < sum(map(len, ids)) else ()
    codes = _codes(row, held, found.key) if texts.remedies else {}
    db.session.rollback()
    return [Draft(one, row.ref, part, gone, texts, codes) for one, part in zip(held, found.apart(ids), strict=True)]


def _codes(row: Dispatch, held: Sequence[Held], key: Sealer) -> dict[int, tuple[str, ...]]:
    """The codes of these people, by their number; an example for everybody in a rehearsal, where none are given."""
    numbers = [member.person_number for one in held for member in one.rows]
    if not row.first_attempt:
        return dict.fromkeys(numbers, (EXAMPLE,) * MOST)
    return remedies.codes(row.incident_id, numbers, key)


def written(draft: Draft) -> Batch:
    """The batch with its messages. Raises Refused where the text is none that may be sent."""
    held, known_people = draft.held, _addressees(draft.envelopes)
    thread = draft.thread
    if draft.codes:
        known_people = _with_codes(known_people, draft.codes)
    to_write = [
        (member.ref, f"{thread}.{member.person_number}", person)
        for member in held.rows
        if isinstance(person := known_people.get(member.person_id), Addressee)
    ]
    known = dict(_nobody(draft, known_people)) if len(to_write) < len(held.rows) else {}
    made = _messages(draft.texts, to_write, held.channel)
    to_send = [message for message in made if isinstance(message, Message) and message.to]
    if len(to_send) < len(to_write):
        known |= _unsent(to_write, made)
    return Batch(held, to_send, known)


def _with_codes(
    people: Mapping[int, Addressee | str], codes: Mapping[int, tuple[str, ...]]
) -> Mapping[int, Addressee | str]:
    return {
        id_: one._replace(remedies=codes.get(one.number, ())) if isinstance(one, Addressee) else one
        for id_, one in people.items()
    }


def _nobody(draft: Draft, known_people: Mapping[int, Addressee | str]) -> Iterator[tuple[str, Answer]]:
    """The answers of those who are not on the list any more, or whose record does not open."""
    for member in draft.held.rows:
        person = known_people.get(member.person_id, "")
        if isinstance(person, str):
            why = person or (deliveries.ERASED if member.person_number in draft.gone else deliveries.TAKEN_OFF)
            yield member.ref, Answer(member.ref, Outcome.REFUSED, reason=why)


def _unsent(
    to_write: Sequence[tuple[str, str, Addressee]], made: Sequence[Message | Unfilled | None]
) -> Iterator[tuple[str, Answer]]:
    """The answers of those who have no address any more, since their record was corrected, or no message."""
    for (ref, _, _), message in zip(to_write, made, strict=True):
        if not isinstance(message, Message):
            yield ref, Answer(ref, Outcome.LATER, reason="cannot_be_written")
        elif not message.to:
            yield ref, Answer(ref, Outcome.REFUSED, reason="no_address")


def _addressees(found: Envelopes) -> Mapping[int, Addressee | str]:
    """The open record of everybody who is on the list still; one that does not open keeps nobody else back and has its reason instead."""
    try:
        return found.opened()
    except Unreadable:
        return found.opened_apart()


def _messages(
    texts: Texts, to_write: Sequence[tuple[str, str, Addressee]], channel: str
) -> Sequence[Message | Unfilled | None]:
    """The messages of a batch; where writing them together breaks, one by one, so that one record keeps nobody else back."""
    try:
        return texts.messages(to_write)
    except Refused:
        raise
    except Exception as error:
        log.warning("sending.not_written", channel=channel, kind=type(error).__name__)
    return [_message(texts, one) for one in to_write]


def _message(texts: Texts, one: tuple[str, str, Addressee]) -> Message | Unfilled | None:
    try:
        return texts.messages([one])[0]
    except Exception as error:
        log.warning("sending.not_written", attempt=one[0], kind=type(error).__name__)
        return None
