"""What is offered to people, for programs: the same actions as the pages."""

from datetime import date, datetime
from typing import Any, BinaryIO, Literal

from apiflask import APIBlueprint
from flask import g, request
from pydantic import BaseModel, Field

from incident.actions import remedies as actions
from incident.api.incidents import Ref, Strict
from incident.domain.errors import Invalid, Missing
from incident.domain.remedies import Counted
from incident.domain.stale import seen_mark
from incident.store import remedies as rows
from incident.store.remedies import Remedy
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_remedies", __name__, url_prefix="/api/v1/incidents/<incident>/remedies", tag="Remedies")

Service = Literal["credit_monitoring", "id_theft_prevention", "voucher", "other"]


class RemedyIn(Strict):
    name: str = Field(max_length=120, description="What people will know it by.")
    services: list[Service] = Field(min_length=1)
    months: int = Field(0, ge=0, le=120, description="Needed for a service that laws ask for.")
    provider: str = Field("", max_length=120)
    until: date | None = Field(None, description="The last day on which it can be redeemed.")
    coded: bool = Field(True, description="Whether each person gets a code of their own.")
    how: dict[str, str] = Field(default_factory=dict, description="How it is redeemed, by language of notices.")


class RemedyChange(RemedyIn):
    seen: str | None = Field(None, description="The mark of what you saw; refused where somebody changed it since.")


class RemedyOut(RemedyIn):
    ref: str
    number: int = Field(description="How texts name it: `remedy.code`, `remedy.code2`, `remedy.code3`.")
    codes: int
    given: int
    redeemed: int
    spoilt: int = Field(
        description="Redeemed by somebody though nobody had been given them: these are given to nobody."
    )
    free: int
    seen: str


class RemedyList(BaseModel):
    remedies: list[RemedyOut]


class CountedOut(BaseModel):
    taken: int
    known: int = Field(description="Here already, noted already, or twice in the file.")
    refused: int = Field(description="No code that can be printed; for redeemed ones, none of these.")
    empty: int


class DropIn(Strict):
    typed: int = Field(ge=1, description="How many codes nobody was given.")


class Dropped(BaseModel):
    count: int


class CodeQuery(BaseModel):
    only: Literal["", "given", "unused", "redeemed", "free"] = ""
    after: int = Field(0, ge=0, description="Go on behind this code.")
    limit: int = Field(100, ge=1, le=1_000)


class CodeOut(BaseModel):
    serial: int
    person: str | None
    given_at: datetime | None
    redeemed_at: datetime | None


class CodeList(BaseModel):
    codes: list[CodeOut] = Field(description="Who was given one, and what was redeemed; no code itself.")
    after: int | None


@bp.get("")
@permit("remedy.view")
@bp.output(RemedyList)
def index(incident: str) -> dict[str, Any]:
    """The remedies of this incident with the counts of their codes."""
    return {"remedies": [_shown(row) for row in rows.of_incident(g.incident.id)]}


@bp.post("")
@permit("remedy.change")
@bp.input(RemedyIn, arg_name="given")
@bp.output(Ref, status_code=201)
def offer(incident: str, given: RemedyIn) -> dict[str, str]:
    """Set one up."""
    return {"ref": actions.offer(incident, given.model_dump(), actor=actor(), now=now())}


@bp.get("/<ref>")
@permit("remedy.view")
@bp.output(RemedyOut)
def show(incident: str, ref: str) -> dict[str, Any]:
    """One of them."""
    return _shown(_one(ref))


@bp.put("/<ref>")
@permit("remedy.change")
@bp.input(RemedyChange, arg_name="given")
@bp.output({}, status_code=204)
def change(incident: str, ref: str, given: RemedyChange) -> str:
    """Describe it anew, whole."""
    said = given.model_dump()
    actions.change(incident, ref, said, seen=said.pop("seen"), actor=actor(), now=now())
    return ""


@bp.get("/<ref>/codes")
@permit("remedy.view")
@bp.input(CodeQuery, location="query", arg_name="asked")
@bp.output(CodeList)
def codes(incident: str, ref: str, asked: CodeQuery) -> dict[str, Any]:
    """Who was given a code, and what was redeemed; no code stands here."""
    found = list(rows.page(_one(ref).id, after=asked.after, limit=asked.limit, only=asked.only))
    listed = [
        {
            "serial": one.serial,
            "person": f"P-{one.person}" if one.person is not None else None,
            "given_at": one.given_at,
            "redeemed_at": one.redeemed_at,
        }
        for one in found
    ]
    return {"codes": listed, "after": found[-1].serial if len(found) == asked.limit else None}


@bp.post("/<ref>/codes")
@permit("remedy.change")
@bp.output(CountedOut)
@bp.doc(
    description="Multipart form: `file`, one code a line or CSV with the code first. All of it is taken, or nothing."
)
def bring(incident: str, ref: str) -> dict[str, int]:
    """Bring codes."""
    return _counted(actions.bring(incident, ref, _file(), actor=actor(), now=now()))


@bp.post("/<ref>/redeemed")
@permit("remedy.change")
@bp.output(CountedOut)
@bp.doc(description="Multipart form: `file`, the provider's list, the code first.")
def redeem(incident: str, ref: str) -> dict[str, int]:
    """Note which codes were redeemed."""
    return _counted(actions.redeem(incident, ref, _file(), actor=actor(), now=now()))


@bp.post("/<ref>/drop")
@permit("remedy.change")
@bp.input(DropIn, arg_name="given")
@bp.output(Dropped)
def drop(incident: str, ref: str, given: DropIn) -> dict[str, int]:
    """Destroy the codes that nobody was given."""
    return {"count": actions.drop_unused(incident, ref, typed=str(given.typed), actor=actor(), now=now())}


def _file() -> BinaryIO:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid("file", "Send the file as multipart form data, in the field `file`.")
    return file.stream  # type: ignore[return-value]


def _counted(counted: Counted) -> dict[str, int]:
    return {name: getattr(counted, name) for name in CountedOut.model_fields}


def _one(ref: str) -> Remedy:
    row = rows.by_ref(g.incident.id, ref)
    if row is None:
        raise Missing()
    return row


def _shown(row: Remedy) -> dict[str, Any]:
    names = [name for name in RemedyOut.model_fields if name != "seen"]
    shown = {name: getattr(row, name) for name in names}
    return shown | {"seen": seen_mark(row.changed_at.isoformat())}
