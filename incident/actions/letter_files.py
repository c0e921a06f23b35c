"""Print files that nobody will ever ask for: a worker died while it printed, or right before it threw them away.

A file names its batch. As long as the batch is asked for, somebody may be printing; afterwards only what the batch lists is
kept, and nothing of a batch that was thrown away.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from incident.actions.ledger import transaction
from incident.actions.preparing import ACTOR, incident_ref
from incident.domain.letters import Stage
from incident.store import dispatches
from incident.store import letters as rows
from incident.store.db import new_secret_ref
from incident.store.letters import LetterBatch

MARK: Final = "letters"
KEPT: Final = (Stage.MADE, Stage.POSTED)


def new_name(batch: str) -> str:
    """What a print file of this batch is called in the folder of files."""
    return f"{MARK}-{batch}-{new_secret_ref()}"


def due(folder: Path) -> list[str]:
    """The batches that left files behind."""
    names: dict[str, list[str]] = {}
    for path in folder.glob(f"{MARK}-*"):
        names.setdefault(_batch_of(path.name), []).append(path.name)
    return [ref for ref, found in sorted(names.items()) if _left_over(rows.anywhere(ref), found)]


def clear(ref: str, folder: Path, *, now: datetime) -> int:
    """Take away what a batch left behind; how many files that were. The line stands before they go."""
    with transaction(ACTOR, now) as ledger:
        batch = rows.anywhere(ref, hold=True)
        dispatch = dispatches.by_id(batch.dispatch_id) if batch else None
        gone = _left_over(batch, (path.name for path in folder.glob(f"{MARK}-{ref}-*")))
        if batch is None or dispatch is None or not gone:
            ledger.unchanged()
            return 0
        ledger.write("letters.files_cleared", batch.ref, incident=incident_ref(dispatch), count=len(gone))
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    return len(gone)


def _batch_of(name: str) -> str:
    return name.removeprefix(f"{MARK}-").rpartition("-")[0]


def _left_over(batch: LetterBatch | None, names: Iterable[str]) -> list[str]:
    """Those of the names that belong to nothing. A batch that is not known here may be a restored database's: its files stay."""
    if batch is None or batch.stage == Stage.ASKED:
        return []
    kept = {file["stored_as"] for file in batch.files} if batch.stage in KEPT else set()
    return sorted(name for name in names if name not in kept)
