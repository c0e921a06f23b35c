"""Search over all incidents that a token's owner may know of, for programs: the same lists and the same act as the page."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from incident.actions import search as actions
from incident.domain import search as rules
from incident.domain.errors import Invalid
from incident.web import search
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_search", __name__, url_prefix="/api/v1/search", tag="Search")


class Sought(BaseModel):
    q: str = Field(min_length=1, max_length=rules.LONGEST, description="A reference, or words of a title.")


class Thing(BaseModel):
    ref: str
    incident: str
    title: str


class Things(BaseModel):
    incidents: list[Thing]
    duties: list[Thing] = Field(description="Those that somebody still has to act on, soonest due first.")
    notices: list[Thing]


class SoughtPerson(BaseModel):
    find: str = Field(
        min_length=1,
        max_length=2_000,
        description="Exactly an e-mail address, a number with country code, or your reference.",
    )


class FoundPerson(BaseModel):
    incident: str
    ref: str
    masked: dict[str, str]


class FoundPeople(BaseModel):
    people: list[FoundPerson]
    searched: int = Field(description="In how many incidents, the newest first.")
    whole: bool = Field(description="False where older incidents were left out; each has a search of its own.")


@bp.get("")
@permit("incident.view")
@bp.input(Sought, location="query", arg_name="asked")
@bp.output(Things)
def index(asked: Sought) -> dict[str, Any]:
    """Incidents, duties and notices with this in their reference or title. Addresses of people are refused here."""
    text = " ".join(asked.q.split())
    if rules.is_contact(text):
        raise Invalid("q", "An address or number may stand in no address of a page; send it to /api/v1/search/people.")
    found = search.lists(text)
    return {
        "incidents": [{"ref": one.ref, "incident": one.ref, "title": one.title} for one in found["incidents"]],
        "duties": [{"ref": row.ref, "incident": where.ref, "title": row.title} for row, where in found["duties"]],
        "notices": [{"ref": row.ref, "incident": where.ref, "title": row.title} for row, where in found["notices"]],
    }


@bp.post("/people")
@permit("people.view")
@bp.input(SoughtPerson, arg_name="given")
@bp.output(FoundPeople)
def people(given: SoughtPerson) -> dict[str, Any]:
    """Who has exactly this contact, in any incident, masked. The search leaves a line in the record."""
    found = actions.for_person(given.find, search.among(), actor=actor(), now=now())
    rows = [
        {"incident": incident.ref, "ref": one.ref, "masked": one.masked}
        for incident, who in found.people
        for one in who
    ]
    return {"people": rows, "searched": found.searched, "whole": found.whole}
