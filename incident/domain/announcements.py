"""When an announcement is public: published, its posting period, its end."""

from datetime import datetime, timedelta
from enum import StrEnum

from incident.domain.errors import Invalid, Refused
from incident.domain.notices import Stage

SHORTEST = timedelta(hours=1)
NOT_YET = "Only an approved notice can be made public."
TAKEN_DOWN = "This announcement was taken down; it does not come back. Approve a new version to publish again."


class Posting(StrEnum):
    """How an announcement stands at a moment."""

    AHEAD = "ahead"
    POSTED = "posted"
    ENDED = "ended"
    TAKEN_DOWN = "taken_down"


def posting(state: str, starts_at: datetime, ends_at: datetime | None, now: datetime) -> Posting:
    """Return how the announcement stands now: it is public from its start until just before its end."""
    if state == Posting.TAKEN_DOWN:
        return Posting.TAKEN_DOWN
    if now < starts_at:
        return Posting.AHEAD
    return Posting.ENDED if ends_at is not None and now >= ends_at else Posting.POSTED


def demand_publishable(stage: str, channels: list[str]) -> None:
    """Raises Refused unless the notice was approved, with an announcement among its channels."""
    if stage not in {Stage.APPROVED, Stage.SENDING, Stage.SENT}:
        raise Refused(NOT_YET)
    if "announcement" not in channels:
        raise Refused("An announcement was not among the channels that were approved.")


def period(starts_at: datetime | None, ends_at: datetime | None, now: datetime) -> tuple[datetime, datetime | None]:
    """Return the posting period; without a start it begins now. Raises Invalid."""
    start = starts_at if starts_at is not None and starts_at > now else now
    if ends_at is not None and ends_at < start + SHORTEST:
        raise Invalid("ends_at", "The end has to lie after the beginning, by an hour or more.")
    return start, ends_at


def demand_long_enough(starts_at: datetime, ends_at: datetime | None, asked: tuple[int, str]) -> None:
    """Raises Invalid where a law that the notice was begun for wants it to stand longer; `asked` has its days and the law."""
    days, cite = asked
    if ends_at is not None and ends_at < starts_at + timedelta(days=days):
        raise Invalid(
            "ends_at",
            f"{cite} asks for {days} days: let it stand until then, or leave the end open. "
            "It can still be taken down earlier, with a reason.",
        )
