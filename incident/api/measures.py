"""The measures over many incidents, for programs: the same figures as the page."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from incident.actions import measures as actions
from incident.domain import measures as rules
from incident.domain.measures import OF_LAWS, Measured, Span, Taken
from incident.web.access import now, permit, zone
from incident.web.incidents import visible
from incident.web.measures import GRAVEST_FIRST

bp = APIBlueprint("api_measures", __name__, url_prefix="/api/v1/measures", tag="Measures")


class MeasuresQuery(BaseModel):
    months: Literal["3", "6", "12", "24", "60"] = Field("12", description="So many months up to now.")
    kind: Literal["incident", "near_miss", "all"] = "incident"


class SpanOut(BaseModel):
    counted: int
    unknown: int = Field(description="Incidents that lack a moment at either end.")
    median_seconds: float | None
    nine_in_ten_seconds: float | None


class MonthOut(BaseModel):
    month: str = Field(description="As 2026-03, in the token owner's time zone.")
    opened: int
    closed: int


class LawOut(BaseModel):
    law: str
    in_time: int
    late: int
    overdue: int
    share_in_time: float | None = Field(description="0 to 1; null while nothing can be judged.")
    median_seconds: float | None = Field(description="From the start of the clock to when the duty was met.")
    spans: dict[str, SpanOut] = Field(
        description=f"From awareness by this law's duties, over incidents of this time: {', '.join(OF_LAWS)}, those it has."
    )


class ChannelOut(BaseModel):
    channel: str
    people: int
    delivered: int
    taken: int
    under_way: int
    in_doubt: int
    not_reached: int


class LearntOut(BaseModel):
    proposed: int
    adopted: int
    declined: int
    waiting: int
    median_seconds: float | None = Field(description="From proposal to adoption.")


class MeasuresOut(BaseModel):
    at: datetime
    incidents: int
    spans: dict[str, SpanOut] = Field(description=f"Each of {', '.join(Span)}.")
    levels: dict[str, dict[str, SpanOut]] = Field(description="The same by operational level; empty: not graded.")
    months: list[MonthOut]
    laws: list[LawOut]
    channels: list[ChannelOut]
    lessons: LearntOut


@bp.get("/")
@permit("measures.view")
@bp.input(MeasuresQuery, location="query", arg_name="query")
@bp.output(MeasuresOut)
def show(query: MeasuresQuery) -> dict[str, Any]:
    """How long things took, what was in time, and how people were told; drills are left out."""
    wish = rules.asked({"months": query.months, "kind": query.kind})
    return _shown(actions.measured(visible(), wish, levels=GRAVEST_FIRST, zone=zone(), now=now()))


def _shown(of: Measured) -> dict[str, Any]:
    return {
        "at": of.at,
        "incidents": of.incidents,
        "spans": {span: _span(one) for span, one in of.spans.items()},
        "levels": {level: {span: _span(one) for span, one in found.items()} for level, found in of.levels.items()},
        "months": [
            {"month": f"{one.year}-{one.month:02}", "opened": one.opened, "closed": one.closed} for one in of.months
        ],
        "laws": [_law(one) for one in of.laws],
        "channels": [_channel(one) for one in of.channels],
        "lessons": _learnt(of.learnt),
    }


def _learnt(one: rules.Learnt) -> dict[str, Any]:
    seconds = one.middle.total_seconds() if one.middle is not None else None
    counts = {name: getattr(one, name) for name in ("proposed", "adopted", "declined", "waiting")}
    return {**counts, "median_seconds": seconds}


def _span(one: Taken) -> dict[str, Any]:
    return {
        "counted": one.counted,
        "unknown": one.unknown,
        "median_seconds": one.middle.total_seconds() if one.middle is not None else None,
        "nine_in_ten_seconds": one.most.total_seconds() if one.most is not None else None,
    }


def _law(one: rules.Kept) -> dict[str, Any]:
    return {
        "law": one.law,
        "in_time": one.in_time,
        "late": one.late,
        "overdue": one.overdue,
        "share_in_time": one.share,
        "spans": {span: _span(taken) for span, taken in one.spans.items()},
        "median_seconds": one.middle.total_seconds() if one.middle is not None else None,
    }


def _channel(one: rules.Carried) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "people": one.people,
        "delivered": one.reached,
        "taken": one.taken,
        "under_way": one.under_way,
        "in_doubt": one.unsure,
        "not_reached": one.missed,
    }
