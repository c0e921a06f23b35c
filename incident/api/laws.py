"""The law library, for programs: every law with its duties, and how well each was read."""

from datetime import date
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from incident.domain import lawbook
from incident.domain.errors import Missing
from incident.domain.laws import Duty, Exemption, Law, Substitute
from incident.web import lawwords
from incident.web.access import permit

bp = APIBlueprint("api_laws", __name__, url_prefix="/api/v1/laws", tag="Laws")


class CiteOut(BaseModel):
    place: str
    href: str
    source: str = Field(description="The page where the text was read, where it is another one.")
    read_on: date | None
    confidence: Literal["verified", "secondary", "memory"]


class DutyOut(BaseModel):
    id: str
    title: str
    to: str
    stage: str
    voluntary: bool
    clocks: list[str] = Field(description="Each alternative of its clock, in words.")
    contents: list[str]
    forbidden: list[str]
    services: list[dict[str, Any]]
    channels: list[dict[str, str]]
    substitute: list[dict[str, Any]]
    unless: list[dict[str, Any]]
    language: list[str]
    form: dict[str, str] | None
    guardian_under: int
    since: date | None
    until: date | None
    note: str
    cite: CiteOut


class LawOut(BaseModel):
    id: str
    name: str
    short: str
    place: str
    authority: str
    sector: str
    kind: str
    own: bool = Field(description="Whether it is a file of this installation.")
    in_force: bool
    status: str
    reading: str
    overrules: str
    overruled: str
    digest: str
    duties: list[DutyOut]


class LawList(BaseModel):
    laws: list[LawOut]
    digest: str


@bp.get("")
@permit("duty.view")
@bp.output(LawList)
def laws() -> dict[str, Any]:
    """The law library: every law with its duties and where they stand in it."""
    book = lawbook.library()
    return {"laws": [_law(law) for law in book], "digest": book.digest}


@bp.get("/<law>")
@permit("duty.view")
@bp.output(LawOut)
def law(law: str) -> dict[str, Any]:
    """One law."""
    book = lawbook.library()
    if law not in book:
        raise Missing()
    return _law(book[law])


def _law(law: Law) -> dict[str, Any]:
    stored = {name: getattr(law, name) for name in LawOut.model_fields if name != "duties"}
    return {**stored, "duties": [_duty(duty, law) for duty in law.duties]}


SAME = ("id", "title", "to", "stage", "voluntary", "guardian_under", "note")


def _duty(duty: Duty, law: Law) -> dict[str, Any]:
    return {
        **{name: getattr(duty, name) for name in SAME},
        **{name: list(getattr(duty, name)) for name in ("contents", "forbidden", "language")},
        "clocks": list(lawwords.duty_words(duty, law).clocks),
        "services": [{"what": service.what, "months": service.months} for service in duty.services],
        "channels": [{"by": channel.by, "says": channel.says} for channel in duty.channels],
        "substitute": [_substitute(one) for one in duty.substitute],
        "unless": [_exemption(one) for one in duty.unless],
        "form": {"how": duty.form.how, "name": duty.form.name, "href": duty.form.href} if duty.form else None,
        "since": _iso(duty.since),
        "until": _iso(duty.until),
        "cite": _cite(duty),
    }


def _substitute(one: Substitute) -> dict[str, Any]:
    return {"by": list(one.by), "days": one.days, "says": one.says, "contents": list(one.contents)}


def _exemption(one: Exemption) -> dict[str, Any]:
    return {"says": one.says, "keep_years": one.keep_years, "keep": one.keep, "tell": one.tell}


def _cite(duty: Duty) -> dict[str, Any]:
    cite = duty.cite
    read = {"read_on": _iso(cite.read_on), "confidence": duty.confidence.value}
    return {"place": cite.place, "href": cite.href, "source": cite.source, **read}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
