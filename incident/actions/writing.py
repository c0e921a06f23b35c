"""The messages of a claimed batch: whoever cannot be written to has an answer at once, and keeps nobody else back."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import structlog

from incident.actions import envelopes
from incident.actions.composing import Sketch, composed
from incident.actions.opening import Envelopes
from incident.actions.preparing import approved
from incident.actions.settling import Batch
from incident.actions.texts import Texts
from incident.domain import deliveries
from incident.domain import notices as rules
from incident.domain.errors import Refused
from incident.domain.remedies import EXAMPLE, MOST
from incident.store import notices, remedies, sealed
from incident.store.claims import Held
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.sealed import Kept, Sealer, sealer

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

    @property
    def sketch(self) -> Sketch:
        """What is composed of it."""
        return Sketch(self.held.rows, self.held.channel, self.thread, self.envelopes, self.gone, self.codes)


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
    return Batch(draft.held, *composed(draft.sketch, draft.texts, log.warning))
