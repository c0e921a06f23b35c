"""What people ask, for programs: the same actions as the pages."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import current_app, g
from pydantic import AwareDatetime, BaseModel, Field

from incident.actions import enquiries as actions
from incident.actions import not_theirs
from incident.actions.enquiring import Asker
from incident.api.incidents import Strict
from incident.domain import enquiries as rules
from incident.domain.errors import Missing
from incident.store import enquiries as rows
from incident.store import incidents
from incident.store.enquiries import Enquiry
from incident.store.incidents import Incident
from incident.web.access import actor, me, now, permit
from incident.web.check_frame import terms
from incident.web.incidents import visible
from notifiers.contract import Channels

TAG = "Enquiries"
bp = APIBlueprint("api_enquiries", __name__, url_prefix="/api/v1/incidents/<incident>/enquiries", tag=TAG)
whole = APIBlueprint("api_all_enquiries", __name__, url_prefix="/api/v1/enquiries", tag=TAG)

Wanted = Literal["access", "correction", "erasure", "restriction", "portability", "objection"]


class EnquiriesIn(Strict):
    state: Literal["", "open", "answered", "closed", "merged"] = ""
    kind: Literal["", "question", "call", "letter", "not_me", "new_address", "request"] = ""
    mine: bool = Field(False, description="Only those in the caller's care.")
    after: AwareDatetime | None = Field(None, description="Go on from this due time …")
    after_id: int = Field(0, ge=0, description="… and this id.")
    limit: int = Field(100, ge=1, le=500)


class EnquiryOut(BaseModel):
    id: int
    ref: str
    incident: str
    kind: str
    right: str = Field(description="What a request is for.")
    source: str
    state: str
    outcome: str = Field(
        description="What became of it further: answer_failed, answer_in_doubt, replaced, aside, stays, letter, called, granted, partly, refused."
    )
    person: str = Field(description="Who it is, if that is known.")
    proven: bool = Field(description="They had the code of that person's own message.")
    language: str
    place: str
    owner: str
    received_at: datetime
    due_at: datetime
    rule: str = Field(description="By which promise or law the answer is due: `house`, or an id of answer_times.toml.")
    rule_words: str
    answered_at: datetime | None
    longer_at: datetime | None = Field(description="When they were told that a request takes longer.")
    merged_into: str


class EnquiriesOut(BaseModel):
    enquiries: list[EnquiryOut]
    next: tuple[datetime, int] | None


class WordsOut(BaseModel):
    ref: str
    direction: str = Field(
        description="in: they to us; out: we to them; note: among ourselves; code: proves a new address"
    )
    way: str
    by: str
    at: datetime
    state: str
    reason: str
    read_at: datetime | None = Field(description="When who asked first saw this answer on the page.")
    text: str


class WholeOut(EnquiryOut):
    messages: list[WordsOut]


class FiguresOut(BaseModel):
    all: int
    open: int
    late: int
    answered: int
    in_time: int
    requests: int
    median_hours: float | None


class NewIn(Strict):
    kind: Literal["question", "call", "letter", "request"]
    source: Literal["phone", "post", "mail"]
    text: str = Field(min_length=2, max_length=4_000)
    right: Wanted | Literal[""] = ""
    place: str = Field("", max_length=6)
    language: str = Field("", max_length=12)
    person: str = Field("", max_length=20, description="Their reference, such as P-1024.")
    name: str = Field("", max_length=200)
    email: str = Field("", max_length=254)
    phone: str = Field("", max_length=40)
    address: str = Field("", max_length=500)


class RefOut(BaseModel):
    ref: str


class AnswerIn(Strict):
    text: str = Field(min_length=2, max_length=4_000)
    way: Literal["mail", "page", "phone", "post"] = Field(
        description="page: they read it at /check/answers, by the code that they were shown when they asked there."
    )
    decision: Literal["", "granted", "partly", "refused"] = Field(
        "", description="What a request came to; without one, a request stays open. Nothing else is decided on."
    )


class LongerIn(Strict):
    text: str = Field(min_length=2, max_length=4_000, description="What they are told: until when it takes, and why.")
    way: Literal["mail", "page", "phone", "post"]


class TextIn(Strict):
    text: str = Field(min_length=2, max_length=4_000)


class OwnerIn(Strict):
    owner: str = Field("", max_length=20, description="Empty: nobody.")


class ReasonIn(Strict):
    reason: str = Field(min_length=2, max_length=4_000)


class IntoIn(Strict):
    into: str = Field(max_length=16)


class RequestIn(Strict):
    right: Wanted
    place: str = Field("", max_length=6)
    person: str = Field("", max_length=20)


class LanguageIn(Strict):
    language: str = Field(max_length=12)


class DecideIn(Strict):
    verdict: Literal["aside", "stays"]
    channel: Literal["", "email", "sms", "letter", "push"] = ""
    reason: str = Field(min_length=2, max_length=400)


class AskerOut(BaseModel):
    name: str
    email: str
    phone: str
    address: str


class AttemptOut(BaseModel):
    attempt_ref: str


@bp.get("")
@permit("enquiry.view")
@bp.input(EnquiriesIn, location="query", arg_name="wanted")
@bp.output(EnquiriesOut)
def index(incident: str, wanted: EnquiriesIn) -> dict[str, Any]:
    """What people ask about this incident, what is due first before the others; no names and no words."""
    return _page(g.incident.id, wanted)


@whole.get("")
@permit("enquiry.view")
@whole.input(EnquiriesIn, location="query", arg_name="wanted")
@whole.output(EnquiriesOut)
def index_of_all(wanted: EnquiriesIn) -> dict[str, Any]:
    """The same over all incidents that the caller may know of."""
    return _page(visible().with_only_columns(Incident.id), wanted)


@bp.get("/figures")
@permit("enquiry.view")
@bp.output(FiguresOut)
def figures(incident: str) -> dict[str, Any]:
    """How the enquiries of this incident stand."""
    return asdict(actions.figures(g.incident.id, now()))


@bp.post("")
@permit("enquiry.answer")
@bp.input(NewIn, arg_name="given")
@bp.output(RefOut, status_code=201)
def take_in(incident: str, given: NewIn) -> dict[str, Any]:
    """Take in what came by telephone, post or mail."""
    values = given.model_dump()
    who = Asker(*(values.pop(name) for name in ("name", "email", "phone", "address")))
    return {"ref": actions.take_in(incident, **values, who=who, terms=terms(), actor=actor(), now=now())}


@bp.get("/<ref>")
@permit("enquiry.view")
@bp.output(WholeOut)
def show(incident: str, ref: str) -> dict[str, Any]:
    """One enquiry with every word of theirs and ours; not who asks."""
    row = rows.by_ref(g.incident.id, ref)
    if row is None:
        raise Missing()
    told = [_words(message, said.text) for message, said in actions.thread(row)]
    return _one(row, incident) | {"messages": told}


@bp.post("/<ref>/look")
@permit("enquiry.answer")
@bp.output(AskerOut)
def look(incident: str, ref: str) -> dict[str, Any]:
    """Who asks, in clear; that leaves a line."""
    return asdict(actions.look(incident, ref, actor=actor(), now=now()))


@bp.post("/<ref>/answer")
@permit("enquiry.answer")
@bp.input(AnswerIn, arg_name="given")
@bp.output({}, status_code=204)
def answer(incident: str, ref: str, given: AnswerIn) -> str:
    """Answer it, by e-mail or as it was given by telephone or post."""
    actions.answer(incident, ref, **given.model_dump(), simulated=_is_pretended(), actor=actor(), now=now())
    return ""


def _is_pretended() -> bool:
    """Whether e-mail stays in the sandbox."""
    channels: Channels = current_app.extensions["channels"]
    return "email" not in channels.real


@bp.post("/<ref>/longer")
@permit("enquiry.answer")
@bp.input(LongerIn, arg_name="given")
@bp.output({}, status_code=204)
def take_longer(incident: str, ref: str, given: LongerIn) -> str:
    """Take the longer time that the law gives for a request, and tell the person why."""
    words = given.model_dump()
    actions.take_longer(incident, ref, **words, simulated=_is_pretended(), terms=terms(), actor=actor(), now=now())
    return ""


@bp.post("/<ref>/note")
@permit("enquiry.answer")
@bp.input(TextIn, arg_name="given")
@bp.output({}, status_code=204)
def note(incident: str, ref: str, given: TextIn) -> str:
    """Keep a note for the team."""
    actions.note(incident, ref, text=given.text, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/owner")
@permit("enquiry.answer")
@bp.input(OwnerIn, arg_name="given")
@bp.output({}, status_code=204)
def own(incident: str, ref: str, given: OwnerIn) -> str:
    """Have somebody look after it, or nobody."""
    actions.own(incident, ref, owner=given.owner, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/close")
@permit("enquiry.answer")
@bp.input(ReasonIn, arg_name="given")
@bp.output({}, status_code=204)
def close(incident: str, ref: str, given: ReasonIn) -> str:
    """Close it without an answer, and why."""
    actions.close(incident, ref, reason=given.reason, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/merge")
@permit("enquiry.answer")
@bp.input(IntoIn, arg_name="given")
@bp.output({}, status_code=204)
def merge(incident: str, ref: str, given: IntoIn) -> str:
    """Join it to another of the same person."""
    actions.merge(incident, ref, into=given.into, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/part")
@permit("enquiry.answer")
@bp.output({}, status_code=204)
def part(incident: str, ref: str) -> str:
    """Take back that it was joined to another."""
    actions.part(incident, ref, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/request")
@permit("enquiry.answer")
@bp.input(RequestIn, arg_name="given")
@bp.output({}, status_code=204)
def hand_over(incident: str, ref: str, given: RequestIn) -> str:
    """Treat it as a request under a law."""
    actions.hand_over(incident, ref, **given.model_dump(), terms=terms(), actor=actor(), now=now())
    return ""


@bp.post("/<ref>/language")
@permit("enquiry.answer")
@bp.input(LanguageIn, arg_name="given")
@bp.output({}, status_code=204)
def set_language(incident: str, ref: str, given: LanguageIn) -> str:
    """Say in which language they are answered."""
    actions.set_language(incident, ref, language=given.language, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/letter")
@permit("enquiry.answer")
@bp.output(AttemptOut)
def send_letter(incident: str, ref: str) -> dict[str, Any]:
    """Send the notice by letter to who asks for it."""
    channels: Channels = current_app.extensions["channels"]
    opened = channels.open(simulated=False)
    return {"attempt_ref": actions.send_letter(incident, ref, opened=opened, actor=actor(), now=now())}


@bp.post("/<ref>/decide")
@permit("enquiry.answer")
@bp.input(DecideIn, arg_name="given")
@bp.output({}, status_code=204)
def decide(incident: str, ref: str, given: DecideIn) -> str:
    """Set the address aside of which somebody says that it is not the person's, or let it stay."""
    not_theirs.decide(incident, ref, **given.model_dump(), actor=actor(), now=now())
    return ""


def _page(of: Any, wanted: EnquiriesIn) -> dict[str, Any]:
    found = rows.page(
        of,
        state=wanted.state,
        kind=wanted.kind,
        owner=me().ref if wanted.mine else None,
        after=(wanted.after, wanted.after_id) if wanted.after else None,
        limit=wanted.limit,
    )
    where = incidents.by_ids({row.incident_id for row in found})
    last = found[-1] if len(found) == wanted.limit else None
    return {
        "enquiries": [_one(row, where[row.incident_id].ref) for row in found],
        "next": (last.due_at, last.id) if last else None,
    }


def _one(row: Enquiry, incident: str) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in EnquiryOut.model_fields if hasattr(row, name)},
        "incident": incident,
        "person": f"P-{row.person_number}" if row.person_number else "",
        "rule_words": rules.rule_words(row.rule, is_longer=row.longer_at is not None),
    }


def _words(message: rows.EnquiryMessage, text: str) -> dict[str, Any]:
    shown = {
        name: getattr(message, name) for name in ("ref", "direction", "way", "by", "at", "state", "reason", "read_at")
    }
    return shown | {"text": "" if message.direction == rows.PROOF else text}
