"""What documents tell of an incident in a few rows each, read in one statement: marks, review, grades, notices, evidence, steps."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import select

from incident.domain.privilege import Marked
from incident.store import grades, incidents, privilege, reading
from incident.store.checkpoints import Checkpoint
from incident.store.closings import Review
from incident.store.dispatches import Dispatch
from incident.store.grades import Grade
from incident.store.incidents import Evidence
from incident.store.notices import Notice
from incident.store.plans import Step
from incident.store.privilege import PrivilegeMark
from incident.store.together import Part, Together

MOST: Final = 200
"""So many notices and sendings, the newest, are told of."""
MANY: Final = 10_000


class Papers(NamedTuple):
    """What is marked as privileged, and the rows; of sendings, notices and evidence the newest first."""

    marked: Sequence[Marked]
    review: Review | None
    grades: Mapping[str, Grade]
    dispatches: Sequence[Dispatch]
    notices: Sequence[Notice]
    evidence: Sequence[Evidence]
    steps: Sequence[Step]
    checkpoint: Checkpoint | None


_PAPERS: Final = Together(
    lambda of: (
        Part(privilege.marks(of), (PrivilegeMark.id,), MANY),
        Part(select(Review).where(Review.incident_id == of), (Review.id.desc(),), 1),
        Part(grades.newest(of), (Grade.id,), MANY),
        Part(select(Dispatch).where(Dispatch.incident_id == of), (Dispatch.id.desc(),), MOST),
        Part(select(Notice).where(Notice.incident_id == of), (Notice.id.desc(),), MOST),
        Part(select(Evidence).where(Evidence.incident_id == of), (Evidence.id.desc(),), MANY),
        Part(select(Step).where(Step.incident_id == of), (Step.position, Step.id), MANY),
        Part(select(Checkpoint), (Checkpoint.size.desc(),), 1),
    )
)


def papers(incident_id: int) -> Papers:
    """What there is of this incident."""
    marks, reviews, graded, sent, notices, evidence, steps, signed = _PAPERS.read(incident_id)
    marked = [privilege.marked(row) for row in marks]
    reading.keep(privilege.current, marked, incident_id)
    reading.keep(incidents.evidence, evidence, incident_id)
    return Papers(
        marked,
        reviews[0] if reviews else None,
        grades.counting(graded),
        sent,
        notices,
        evidence,
        steps,
        signed[0] if signed else None,
    )
