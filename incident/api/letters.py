"""Letters, for programs: the same actions as the pages."""

from datetime import UTC, date, datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, g
from pydantic import BaseModel, Field

from incident.actions import letters as actions
from incident.actions import returned
from incident.api.incidents import Ref, Strict
from incident.api.scheme import a_file
from incident.domain import letters as rules
from incident.domain.errors import Missing
from incident.store import letters as rows
from incident.store.letters import LetterBatch
from incident.web import letters as pages
from incident.web.access import actor, now, permit
from incident.web.imports import folder

bp = APIBlueprint("api_letters", __name__, url_prefix="/api/v1/incidents/<incident>/letters", tag="Letters")


class AskIn(Strict):
    sending: str = Field(max_length=20, description="The reference of a sending with letters that wait.")
    most: int = Field(rules.MOST_LETTERS, ge=1, le=rules.MOST_LETTERS, description="The most letters in this batch.")


class PlaceIn(Strict):
    before: int | None = Field(None, description="Go on from here.")
    limit: int = Field(50, ge=1, le=100)


class FileOut(BaseModel):
    name: str
    form: str
    letters: int
    pages: int
    size: int
    sha256: str


class BatchOut(BaseModel):
    ref: str
    stage: str = Field(description="asked, made, posted, dropped or empty")
    letters: int
    pages: int
    files: list[FileOut]
    digest: str = Field(description="Root (RFC 6962) over `sequence reference pages` of each letter.")
    asked_at: datetime
    made_at: datetime | None
    way: str
    posted_on: date | None


class WaitingOut(BaseModel):
    sending: str
    letters: int = Field(description="How many wait; counted to a thousand.")


class BatchesOut(BaseModel):
    waiting: list[WaitingOut]
    batches: list[BatchOut]
    next: int | None


class PostedIn(Strict):
    way: Literal["mail_house", "post", "registered", "hand"]
    day: date = Field(description="The day on which they left the house.")


class ThrowIn(Strict):
    letters: int = Field(ge=1, description="How many letters are thrown away, as a check.")


class LettersOut(BaseModel):
    letters: int


class ReturnsIn(Strict):
    why: Literal["unknown", "moved", "address", "refused", "unclaimed", "deceased", "other"]
    references: list[str] = Field(min_length=1, max_length=1_000)


class ReturnOut(BaseModel):
    number: int = Field(description="The row, from 1.")
    reference: str
    verdict: str = Field(description="returned, already, not_posted, confirmed, unknown or unreadable")


class ReturnsOut(BaseModel):
    rows: list[ReturnOut]


class UndoIn(Strict):
    reference: str = Field(max_length=60)


@bp.get("")
@permit("sending.view")
@bp.input(PlaceIn, location="query", arg_name="place")
@bp.output(BatchesOut)
def batches(incident: str, place: PlaceIn) -> dict[str, Any]:
    """What waits to be printed, and the batches, newest first."""
    found = rows.of_incident(g.incident.id, before=place.before, limit=place.limit)
    return {
        "waiting": [{"sending": row.ref, "letters": count} for row, count in rows.to_print(g.incident.id)],
        "batches": [_batch(one) for one in found],
        "next": found[-1].id if len(found) == place.limit else None,
    }


def _batch(one: LetterBatch) -> dict[str, Any]:
    names = ("ref", "stage", "letters", "pages", "files", "digest", "asked_at", "made_at", "way", "posted_on")
    return {name: getattr(one, name) for name in names}


@bp.post("")
@permit("letter.print")
@bp.input(AskIn, arg_name="given")
@bp.output(Ref, status_code=201)
def ask(incident: str, given: AskIn) -> dict[str, str]:
    """Have the next letters of a sending printed."""
    return {"ref": actions.ask(incident, given.sending, most=given.most, actor=actor(), now=now())}


@bp.get("/<batch>")
@permit("sending.view")
@bp.output(BatchOut)
def batch(incident: str, batch: str) -> dict[str, Any]:
    """One batch."""
    found = rows.by_ref(g.incident.id, batch)
    if found is None:
        raise Missing()
    return _batch(found)


@bp.get("/<batch>/manifest")
@permit("sending.view")
@bp.doc(responses=a_file("What lies in which file, a line a letter.", "text/csv"))
def manifest(incident: str, batch: str) -> Response:
    """The manifest for the mail house as CSV: no name, no address."""
    return pages.manifest_of(batch)


@bp.post("/<batch>/files/<name>")
@permit("letter.print")
@bp.doc(responses=a_file("The sheets to print.", "application/pdf"))
def copy(incident: str, batch: str, name: str) -> Response:
    """One print file (PDF); the download leaves a line."""
    return pages.print_file(incident, batch, name)


@bp.post("/<batch>/posted")
@permit("letter.print")
@bp.input(PostedIn, arg_name="given")
@bp.output({}, status_code=204)
def posted(incident: str, batch: str, given: PostedIn) -> str:
    """These letters left the house on this day."""
    today = now().astimezone(UTC).date()
    actions.posted(incident, batch, way=given.way, day=given.day, actor=actor(), now=now(), today=today)
    return ""


@bp.post("/<batch>/throw-away")
@permit("letter.print")
@bp.input(ThrowIn, arg_name="given")
@bp.output(LettersOut)
def throw_away(incident: str, batch: str, given: ThrowIn) -> dict[str, int]:
    """Not one of these letters was posted: they wait again."""
    count = actions.throw_away(incident, batch, typed=str(given.letters), folder=folder(), actor=actor(), now=now())
    return {"letters": count}


@bp.post("/returned")
@permit("letter.return")
@bp.input(ReturnsIn, arg_name="given")
@bp.output(ReturnsOut)
def returns(incident: str, given: ReturnsIn) -> dict[str, Any]:
    """Note letters as come back: what became of each row. Repeats change nothing."""
    account = returned.take(incident, given.references, why=given.why, actor=actor(), now=now())
    return {"rows": [{"number": row.number, "reference": row.ref, "verdict": row.verdict.value} for row in account]}


@bp.post("/returned/undo")
@permit("letter.return")
@bp.input(UndoIn, arg_name="given")
@bp.output({}, status_code=204)
def undo(incident: str, given: UndoIn) -> str:
    """A letter had not come back after all."""
    returned.undo(incident, rules.read_reference(given.reference), actor=actor(), now=now())
    return ""
