"""The messages of a batch, made of open records: whoever cannot be written to has an answer at once, and keeps nobody else back.

Nothing here knows the database, so that a program of its own can do it (`actions/calling_apart.py`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from incident.actions.opening import Envelopes
from incident.actions.texts import Texts
from incident.domain import deliveries
from incident.domain.errors import Refused
from incident.domain.people import Addressee
from incident.domain.wording import Unfilled
from incident.store.ciphers import Unreadable
from notifiers.contract import Answer, Message, Outcome

Warn = Callable[..., object]
"""Takes an event and its fields for the log."""


class ToWrite(Protocol):
    """A row of a claimed batch."""

    @property
    def ref(self) -> str: ...
    @property
    def person_id(self) -> int: ...
    @property
    def person_number(self) -> int: ...


class Sketch(NamedTuple):
    """A claimed batch with all that its messages are made of beside the texts. `codes` are those of remedies, by person's number."""

    rows: Sequence[ToWrite]
    channel: str
    thread: str
    envelopes: Envelopes
    gone: Collection[int]
    codes: Mapping[int, tuple[str, ...]]


def composed(draft: Sketch, texts: Texts, warn: Warn) -> tuple[list[Message], dict[str, Answer]]:
    """What is handed over, and the answers known without asking anybody. Raises Refused where the text is none that may be sent."""
    known_people = _addressees(draft.envelopes)
    if draft.codes:
        known_people = _with_codes(known_people, draft.codes)
    thread = draft.thread
    to_write = [
        (member.ref, f"{thread}.{member.person_number}", person)
        for member in draft.rows
        if isinstance(person := known_people.get(member.person_id), Addressee)
    ]
    known = dict(_nobody(draft, known_people)) if len(to_write) < len(draft.rows) else {}
    made = _messages(texts, to_write, draft.channel, warn)
    to_send = [message for message in made if isinstance(message, Message) and message.to]
    if len(to_send) < len(to_write):
        known |= _unsent(to_write, made)
    return to_send, known


def _with_codes(
    people: Mapping[int, Addressee | str], codes: Mapping[int, tuple[str, ...]]
) -> Mapping[int, Addressee | str]:
    return {
        id_: one._replace(remedies=codes.get(one.number, ())) if isinstance(one, Addressee) else one
        for id_, one in people.items()
    }


def _nobody(draft: Sketch, known_people: Mapping[int, Addressee | str]) -> Iterator[tuple[str, Answer]]:
    """The answers of those who are not on the list any more, or whose record does not open."""
    for member in draft.rows:
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
    texts: Texts, to_write: Sequence[tuple[str, str, Addressee]], channel: str, warn: Warn
) -> Sequence[Message | Unfilled | None]:
    """The messages of a batch; where writing them together breaks, one by one, so that one record keeps nobody else back."""
    try:
        return texts.messages(to_write)
    except Refused:
        raise
    except Exception as error:
        warn("sending.not_written", channel=channel, kind=type(error).__name__)
    return [_message(texts, one, warn) for one in to_write]


def _message(texts: Texts, one: tuple[str, str, Addressee], warn: Warn) -> Message | Unfilled | None:
    try:
        return texts.messages([one])[0]
    except Exception as error:
        warn("sending.not_written", attempt=one[0], kind=type(error).__name__)
        return None
