"""Notices and announcements, for programs: the same actions as the pages."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import AwareDatetime, BaseModel, Field

from incident.actions import announcements as announcing
from incident.actions import notices as actions
from incident.actions import previews
from incident.actions.previews import Wording
from incident.api.incidents import Place, Ref, Strict
from incident.domain import layouts, musts
from incident.domain import notices as rules
from incident.domain.errors import Invalid, Missing
from incident.domain.layouts import Sheet
from incident.domain.musts import Hurdle
from incident.domain.notices import SECTIONS, Channel
from incident.domain.people import Audience
from incident.store import notices as rows
from incident.store.notices import Notice, NoticeVersion
from incident.web.access import actor, me, now, permit
from incident.web.notice_lists import visible
from incident.web.notice_pages import house

bp = APIBlueprint("api_notices", __name__, url_prefix="/api/v1/incidents/<incident>/notices", tag="Notices")
whole = APIBlueprint("api_all_notices", __name__, url_prefix="/api/v1/notices", tag="Notices")

Word = Literal["email", "sms", "letter", "call", "push", "announcement"]


class AudienceModel(Strict):
    """Whom it is for; an empty list means everybody."""

    waves: list[int] = Field(default_factory=list)
    places: list[str] = Field(default_factory=list, description="Countries, states as US-TX, groups as EU.")
    languages: list[str] = Field(default_factory=list)
    ages: list[str] = Field(default_factory=list)


class TextModel(Strict):
    """What it says in one language; fields such as {{ person.name }} are filled for each person."""

    subject: str = ""
    greeting: str = ""
    sections: dict[str, str] = Field(default_factory=dict, description=f"Any of {', '.join(SECTIONS)}.")
    sms: str = ""
    call: str = ""
    push_title: str = ""
    push_body: str = ""
    covers: dict[str, str] = Field(default_factory=dict, description="A law's own element, and the section it is in.")


class DraftIn(Strict):
    title: str = Field(max_length=200)
    languages: list[str] = Field(default_factory=lambda: ["en"], min_length=1)
    like: str = Field("", description="The notice of this incident whose text is to be taken.")


class ChangeIn(Strict):
    """What is left out stays as it is; a language that is new and has no text begins with the starter text."""

    revision: int = Field(description="The revision you saw, so that nobody's change is lost.")
    title: str | None = None
    languages: list[str] | None = None
    channels: list[Word] | None = Field(None, description="In order: each person gets the first that reaches them.")
    audience: AudienceModel | None = None
    send_at: AwareDatetime | None = None
    texts: dict[str, TextModel] = Field(default_factory=dict)


class SubmitIn(Strict):
    revision: int


class ApproveIn(Strict):
    digest: str = Field(description="The digest of the version you read.")
    people: int = Field(description="How many people it goes to.")


class SendBackIn(Strict):
    digest: str
    reason: str


class ReasonIn(Strict):
    reason: str


class PublishIn(Strict):
    digest: str
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class NoticeOut(BaseModel):
    id: int
    ref: str
    incident: str
    title: str
    stage: str
    revision: int
    version: int = Field(description="The number of the last version submitted; 0 before the first.")
    digest: str = Field(description="Of that version; empty before the first.")
    people: int | None
    channels: list[str]
    languages: list[str]
    audience: dict[str, list[Any]]
    send_at: datetime | None
    drafter: str
    editors: list[str]
    drafted_at: datetime
    changed_at: datetime


class NoticeList(BaseModel):
    notices: list[NoticeOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class CiteOut(BaseModel):
    law: str
    place: str
    href: str
    confidence: str


class NeedOut(BaseModel):
    element: str
    words: str
    met: bool
    missing_in: list[str]
    section: str
    at_least: list[str] = Field(description="Services it has to offer.")
    cites: list[CiteOut]


class HurdleOut(BaseModel):
    where: str
    sentence: str
    language: str
    cites: list[CiteOut]


class DraftOut(NoticeOut):
    texts: dict[str, TextModel]
    needs: list[NeedOut]
    hurdles: list[HurdleOut] = Field(description="What stands between the draft and its submission.")
    warnings: list[HurdleOut]
    unreached: int = Field(description="How many people none of the channels reaches.")


class VersionOut(BaseModel):
    number: int
    state: str
    digest: str
    people: int
    contents: dict[str, Any]
    submitted_by: str
    submitted_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str


class VersionList(BaseModel):
    versions: list[VersionOut]


class Submitted(BaseModel):
    version: int
    digest: str


class PreviewIn(BaseModel):
    language: str = ""
    channel: Word = "email"
    person: int = Field(0, ge=0, description="The person's number; 0 is the first of the audience.")


class PreviewOut(BaseModel):
    person: str
    language: str
    channel: str
    subject: str
    text: str
    masked: bool
    further: int
    open: list[str] = Field(description="Fields that have no value yet.")
    segments: int | None


class Published(BaseModel):
    slug: str
    url: str


@bp.get("")
@permit("notice.view")
@bp.input(Place, location="query", arg_name="place")
@bp.output(NoticeList)
def index(incident: str, place: Place) -> dict[str, Any]:
    """The notices of an incident, newest first."""
    return _listed(rows.of_incident(g.incident.id, before=place.before, limit=place.limit), place.limit)


@whole.get("")
@permit("notice.view")
@whole.input(Place, location="query", arg_name="place")
@whole.output(NoticeList)
def index_of_all(place: Place) -> dict[str, Any]:
    """The notices of every incident you may know of, newest first."""
    found = rows.among(visible(me()), stage="", before=place.before, limit=place.limit)
    return _listed(found, place.limit)


@bp.post("")
@permit("notice.draft")
@bp.input(DraftIn, arg_name="given")
@bp.output(Ref, status_code=201)
def draft(incident: str, given: DraftIn) -> dict[str, str]:
    """Begin a notice from the starter texts, or from another notice."""
    ref = actions.draft(incident, given.title, languages=given.languages, like=given.like, actor=actor(), now=now())
    return {"ref": ref}


@bp.get("/<ref>")
@permit("notice.view")
@bp.output(DraftOut)
def show(incident: str, ref: str) -> dict[str, Any]:
    """One notice: its texts, what it must contain, and what stands in its way."""
    notice = _notice(ref)
    standing = actions.standing(g.incident, notice, house=house(), now=now())
    return {
        **_out(notice, rows.version(notice.id, notice.number), incident),
        "texts": {text.language: rules.text_as_json(text) for text in standing.texts},
        "needs": [
            {**asdict(need), "met": need.met, "missing_in": list(need.missing_in)}
            for need in musts.needs(standing.duties, standing.texts)
        ],
        "hurdles": [_hurdle(one) for one in standing.hurdles],
        "warnings": [_hurdle(one) for one in standing.warnings],
        "unreached": standing.crowd.unreached,
    }


@bp.patch("/<ref>")
@permit("notice.draft")
@bp.input(ChangeIn, arg_name="given")
@bp.output(NoticeOut)
def change(incident: str, ref: str, given: ChangeIn) -> dict[str, Any]:
    """Change a draft. A submission or an approval before it becomes void."""
    wanted = _change(_notice(ref), given)
    actions.save(incident, ref, wanted, revision=given.revision, actor=actor(), now=now())
    return _current(incident, ref)


@bp.post("/<ref>/submit")
@permit("notice.draft")
@bp.input(SubmitIn, arg_name="given")
@bp.output(Submitted)
def submit(incident: str, ref: str, given: SubmitIn) -> dict[str, Any]:
    """Put the draft before an approver, its audience frozen."""
    number = actions.submit(incident, ref, revision=given.revision, house=house(), actor=actor(), now=now())
    version = rows.version(_notice(ref).id, number)
    return {"version": number, "digest": version.digest if version else ""}


@bp.post("/<ref>/approve")
@permit("notice.approve")
@bp.input(ApproveIn, arg_name="given")
@bp.output(NoticeOut)
def approve(incident: str, ref: str, given: ApproveIn) -> dict[str, Any]:
    """Let the notice go out as the digest says. Not for anybody who had a hand in it."""
    actions.approve(
        incident, ref, digest=given.digest, people=str(given.people), house=house(), actor=actor(), now=now()
    )
    return _current(incident, ref)


@bp.post("/<ref>/send-back")
@permit("notice.send_back")
@bp.input(SendBackIn, arg_name="given")
@bp.output(NoticeOut)
def send_back(incident: str, ref: str, given: SendBackIn) -> dict[str, Any]:
    """Give the notice back to be changed, with the reason."""
    actions.send_back(incident, ref, digest=given.digest, reason=given.reason, actor=actor(), now=now())
    return _current(incident, ref)


@bp.post("/<ref>/withdraw")
@permit("notice.withdraw")
@bp.input(ReasonIn, arg_name="given")
@bp.output(NoticeOut)
def withdraw(incident: str, ref: str, given: ReasonIn) -> dict[str, Any]:
    """Give the notice up before it was sent."""
    actions.withdraw(incident, ref, reason=given.reason, actor=actor(), now=now())
    return _current(incident, ref)


@bp.get("/<ref>/versions")
@permit("notice.view")
@bp.output(VersionList)
def versions(incident: str, ref: str) -> dict[str, Any]:
    """Every version that was submitted, newest first, with what was decided."""
    found = rows.versions(_notice(ref).id)
    return {"versions": [{name: getattr(row, name) for name in VersionOut.model_fields} for row in found]}


@bp.get("/<ref>/preview")
@permit("notice.view")
@bp.input(PreviewIn, location="query", arg_name="asked")
@bp.output(PreviewOut)
def preview(incident: str, ref: str, asked: PreviewIn) -> dict[str, Any]:
    """The notice as one person will read it, the name masked."""
    notice, wording = _wording(ref, asked)
    seen = previews.masked(g.incident.id, notice.audience, wording, Channel(asked.channel), asked.person)
    return _seen(seen, asked, wording)


@bp.post("/<ref>/reveal")
@permit("notice.reveal")
@bp.input(PreviewIn, arg_name="asked")
@bp.output(PreviewOut)
def reveal(incident: str, ref: str, asked: PreviewIn) -> dict[str, Any]:
    """The same in clear, for one very person. It leaves a line in the record."""
    _, wording = _wording(ref, asked)
    seen = previews.reveal(incident, ref, asked.person, wording, Channel(asked.channel), actor=actor(), now=now())
    return _seen(seen, asked, wording)


@bp.post("/<ref>/announcement")
@permit("announcement.publish")
@bp.input(PublishIn, arg_name="given")
@bp.output(Published, status_code=201)
def publish(incident: str, ref: str, given: PublishIn) -> dict[str, str]:
    """Make the approved text public, as a page in all its languages."""
    slug = announcing.publish(
        incident,
        ref,
        digest=given.digest,
        starts_at=given.starts_at,
        ends_at=given.ends_at,
        actor=actor(),
        now=now(),
    )
    return {"slug": slug, "url": f"{house().site}/notices/{slug}"}


@bp.post("/<ref>/announcement/take-down")
@permit("announcement.take_down")
@bp.input(ReasonIn, arg_name="given")
@bp.output({}, status_code=204)
def take_down(incident: str, ref: str, given: ReasonIn) -> str:
    """End the public page before its time."""
    announcing.take_down(incident, ref, reason=given.reason, actor=actor(), now=now())
    return ""


def _change(notice: Notice, given: ChangeIn) -> actions.Change:
    kept = {text.language: text for text in actions.texts_of(notice)}
    texts = kept | {tag: rules.text_from_json(tag, one.model_dump()) for tag, one in given.texts.items()}
    audience = given.audience.model_dump() if given.audience is not None else notice.audience
    sends = "send_at" in given.model_fields_set
    return actions.Change(
        title=notice.title if given.title is None else given.title,
        languages=tuple(notice.languages if given.languages is None else given.languages),
        channels=tuple(Channel(word) for word in (notice.channels if given.channels is None else given.channels)),
        audience=Audience.from_json(audience),
        send_at=given.send_at if sends else notice.send_at,
        texts=texts,
    )


def _wording(ref: str, asked: PreviewIn) -> tuple[Notice, Wording]:
    notice = _notice(ref)
    language = asked.language or notice.languages[0]
    standing = actions.standing(g.incident, notice, house=house(), now=now())
    text = next((text for text in standing.texts if text.language == language), None)
    if text is None:
        raise Invalid("language", f"This notice is written in {', '.join(notice.languages)}.")
    draft = Wording(text, standing.values[language], house().site, standing.california)
    return notice, previews.wording_of(notice, language, draft)


def _seen(seen: previews.Preview, asked: PreviewIn, wording: Wording) -> dict[str, Any]:
    if seen.sheet is None:
        raise Invalid("text", seen.trouble)
    subject, text = _as_text(seen.sheet, Channel(asked.channel))
    return {
        "person": seen.person,
        "masked": seen.masked,
        "further": seen.further,
        "open": list(seen.open),
        "language": wording.text.language,
        "channel": asked.channel,
        "subject": subject,
        "text": text,
        "segments": seen.sms.segments if seen.sms else None,
    }


def _as_text(page: Sheet, channel: Channel) -> tuple[str, str]:
    made = layouts.composed(page, channel, {})
    return layouts.subject_line(made.subject), layouts.subject_line(made.text)


def _listed(found: Sequence[Notice], limit: int) -> dict[str, Any]:
    versions = rows.current_versions(found)
    refs = rows.incident_refs({notice.incident_id for notice in found})
    return {
        "notices": [_out(notice, versions.get(notice.id), refs[notice.incident_id]) for notice in found],
        "before": found[-1].id if len(found) == limit else None,
    }


def _current(incident: str, ref: str) -> dict[str, Any]:
    notice = _notice(ref)
    return _out(notice, rows.version(notice.id, notice.number), incident)


def _out(notice: Notice, version: NoticeVersion | None, incident: str) -> dict[str, Any]:
    same = ("id", "ref", "title", "stage", "revision", "channels", "languages", "audience", "send_at", "drafter")
    return {
        **{name: getattr(notice, name) for name in (*same, "editors", "drafted_at", "changed_at")},
        "incident": incident,
        "version": notice.number,
        "digest": version.digest if version else "",
        "people": version.people if version else None,
    }


def _hurdle(one: Hurdle) -> dict[str, Any]:
    return asdict(one)


def _notice(ref: str) -> Notice:
    notice = rows.by_ref(g.incident.id, ref)
    if notice is None:
        raise Missing()
    return notice
