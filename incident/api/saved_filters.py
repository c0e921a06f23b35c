"""Filters of lists under a name, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from incident.actions import saved_filters as actions
from incident.api.incidents import Ref, Strict
from incident.domain.access import MEMBER
from incident.domain.saved_filters import LISTS
from incident.store import saved_filters as rows
from incident.store.saved_filters import SavedFilter
from incident.web.access import actor, me, now, permit

bp = APIBlueprint("api_saved_filters", __name__, url_prefix="/api/v1/filters", tag="Saved filters")

Listing = Literal["incidents", "duties", "incident-duties", "people", "notices", "deliveries", "enquiries", "record"]


class FilterQuery(BaseModel):
    list: Listing | None = Field(None, description="Only those of this list.")


class FilterIn(Strict):
    list: Listing
    name: str = Field(max_length=200)
    asked: dict[str, str] = Field(description="What the list's address says, word by word, such as state: open.")
    shared: bool = Field(False, description="For the team, not for oneself alone.")


class FilterChange(Strict):
    name: str | None = Field(None, max_length=200)
    shared: bool | None = None


class FilterOut(BaseModel):
    ref: str
    list: str
    name: str
    asked: dict[str, str]
    shared: bool
    mine: bool = Field(description="Kept by the caller, who alone may change it.")
    changed_at: datetime


class FilterList(BaseModel):
    filters: list[FilterOut]


@bp.get("/")
@permit(MEMBER)
@bp.input(FilterQuery, location="query", arg_name="query")
@bp.output(FilterList)
def index(query: FilterQuery) -> dict[str, Any]:
    """The caller's own filters and those of the team."""
    listings = [query.list] if query.list else list(LISTS)
    return {"filters": [_shown(row) for row in rows.of(me().id, listings, most=actions.MOST_SHOWN)]}


@bp.post("/")
@permit(MEMBER)
@bp.input(FilterIn, arg_name="given")
@bp.output(Ref, status_code=201)
def keep(given: FilterIn) -> dict[str, str]:
    """Keep a filter under a name."""
    ref = actions.keep(given.list, given.name, given.asked, shared=given.shared, actor=actor(), now=now())
    return {"ref": ref}


@bp.patch("/<ref>")
@permit(MEMBER)
@bp.input(FilterChange, arg_name="given")
@bp.output({}, status_code=204)
def change(ref: str, given: FilterChange) -> str:
    """Rename one's own, or give it to the team."""
    actions.change(ref, name=given.name, shared=given.shared, actor=actor(), now=now())
    return ""


@bp.delete("/<ref>")
@permit(MEMBER)
@bp.output({}, status_code=204)
def delete(ref: str) -> str:
    """Delete one's own."""
    actions.delete(ref, actor=actor(), now=now())
    return ""


def _shown(row: SavedFilter) -> dict[str, Any]:
    kept = row.chosen()
    return {
        "ref": row.ref,
        "list": row.listing,
        "name": kept.name,
        "asked": dict(kept.asked),
        "shared": row.shared,
        "mine": row.user_id == me().id,
        "changed_at": row.changed_at,
    }
