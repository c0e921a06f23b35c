"""All that stands on the page of a review but its time line, read in one statement."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import select

from incident.store import privilege, reading
from incident.store.closings import Review
from incident.store.improvements import Improvement
from incident.store.lessons import Lesson
from incident.store.privilege import PrivilegeMark
from incident.store.reviews import ReviewMeeting
from incident.store.together import Part, Together

MANY: Final = 10_000


class Rooms(NamedTuple):
    """The latest review and meeting; improvements and lessons, oldest first."""

    review: Review | None
    meeting: ReviewMeeting | None
    improvements: Sequence[Improvement]
    lessons: Sequence[Lesson]


_ROOMS: Final = Together(
    lambda of: (
        Part(select(Review).where(Review.incident_id == of), (Review.id.desc(),), 1),
        Part(select(ReviewMeeting).where(ReviewMeeting.incident_id == of), (ReviewMeeting.id.desc(),), 1),
        Part(select(Improvement).where(Improvement.incident_id == of), (Improvement.id,), MANY),
        Part(select(Lesson).where(Lesson.incident_id == of), (Lesson.id,), MANY),
        Part(privilege.marks(of), (PrivilegeMark.id,), MANY),
    )
)


def rooms(incident_id: int) -> Rooms:
    """What there is of this incident. What is marked as privileged comes along for whoever asks for that."""
    reviews, meetings, improvements, lessons, marks = _ROOMS.read(incident_id)
    reading.keep(privilege.current, [privilege.marked(row) for row in marks], incident_id)
    return Rooms(reviews[0] if reviews else None, meetings[0] if meetings else None, improvements, lessons)
