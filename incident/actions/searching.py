"""Search evidence for malware, where whoever runs the machine has set up a searcher. Evidence stays as it is, whatever is found."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from incident.actions.ledger import transaction
from incident.domain.errors import Refused
from incident.store import files
from incident.store import incidents as incident_rows
from incident.store import searches as rows
from incident.store.db import db
from incident.store.incidents import Evidence
from incident.store.sealed import sealer
from notifiers.searches import NotSearched, Searcher, Verdict

log = structlog.get_logger()

ACTOR: Final = "system"
AGAIN_AFTER: Final = timedelta(minutes=2)
_resting: dict[str, datetime] = {}
"""Until when this process leaves pieces alone that could not be searched: the searcher was away, or they were erased."""


def due(now: datetime) -> list[str]:
    """References of pieces that were never searched, but for those that could not be a moment ago."""
    for ref in [ref for ref, until in _resting.items() if until <= now]:
        del _resting[ref]
    return list(rows.not_searched(but=_resting))


def do(ref: str, searcher: Searcher | None, *, folder: Path, clock: Callable[[], datetime]) -> None:
    """Search one piece, with no transaction open; what it came to is kept once. A searcher that is away is asked again later."""
    piece = rows.piece(ref)
    if piece is None or searcher is None:
        return
    try:
        verdict = searcher.search(_pieces(piece, folder))
    except (NotSearched, Refused, OSError) as trouble:
        _resting[ref] = clock() + AGAIN_AFTER
        log.warning("evidence.not_searched", evidence=ref, reason=type(trouble).__name__)
        return
    with transaction(ACTOR, clock()) as ledger:
        piece = rows.piece(ref)
        if piece is None or rows.latest([piece.id]):
            ledger.unchanged()
            return
        _keep(piece, verdict, ledger.now)
        incident = incident_rows.by_ids([piece.incident_id])[piece.incident_id]
        found = {"found": verdict.name} if verdict.name else {}
        ledger.write("evidence.searched", ref, incident=incident.ref, verdict=verdict.word, **found)


def _keep(piece: Evidence, verdict: Verdict, now: datetime) -> None:
    db.session.add(rows.Search(evidence_id=piece.id, verdict=verdict.word, name=verdict.name, searched_at=now))


def _pieces(piece: Evidence, folder: Path) -> Iterator[bytes]:
    """The bytes of a piece; the database is let go of before the searcher takes its time."""
    path, seal, place = folder / piece.stored_as, sealer(piece.incident_id), piece.stored_as
    db.session.rollback()
    return files.pieces(path, seal, place)
