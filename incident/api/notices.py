"""Notices and announcements, for programs: the same actions as the pages."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import current_app, g

from incident.actions import announcements as announcing
from incident.actions import followups, preflight, previews, trials
from incident.actions import notices as actions
from incident.actions.previews import Wording
from incident.actions.trials import Trial
from incident.api.incidents import Place, Ref
from incident.api.notice_models import (
    ApproveIn,
    ChangeIn,
    DraftIn,
    DraftOut,
    NoticeList,
    NoticeOut,
    PreviewIn,
    PreviewOut,
    Published,
    PublishIn,
    ReasonIn,
    RevealIn,
    Said,
    SendBackIn,
    SubmitIn,
    Submitted,
    TestIn,
    VersionList,
    VersionOut,
)
from incident.domain import ladders, layouts, musts
from incident.domain import notices as rules
from incident.domain.errors import Invalid, Missing
from incident.domain.layouts import Sheet
from incident.domain.musts import Hurdle
from incident.domain.notices import Channel
from incident.domain.people import Audience
from incident.store import notices as rows
from incident.store.notices import Notice, NoticeVersion
from incident.web.access import actor, me, now, permit
from incident.web.notice_lists import visible
from incident.web.notice_pages import house

bp = APIBlueprint("api_notices", __name__, url_prefix="/api/v1/incidents/<incident>/notices", tag="Notices")
whole = APIBlueprint("api_all_notices", __name__, url_prefix="/api/v1/notices", tag="Notices")


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
    wanted = change_of(_notice(ref), given)
    actions.save(incident, ref, wanted, revision=given.revision, actor=actor(), now=now())
    return _current(incident, ref)


@bp.post("/<ref>/submit")
@permit("notice.draft")
@bp.input(SubmitIn, arg_name="given")
@bp.output(Submitted)
def submit(incident: str, ref: str, given: SubmitIn) -> dict[str, Any]:
    """Put the draft before an approver, its audience frozen."""
    number = actions.submit(incident, ref, revision=given.revision, house=house(), actor=actor(), now=now())
    preflight.ask_unless_it_holds(incident, ref, actor=actor(), now=now())
    version = rows.version(_notice(ref).id, number)
    return {"version": number, "digest": version.digest if version else ""}


@bp.post("/<ref>/approve")
@permit("notice.approve")
@bp.input(ApproveIn, arg_name="given")
@bp.output(NoticeOut)
def approve(incident: str, ref: str, given: ApproveIn) -> dict[str, Any]:
    """Let the notice go out as the digest says. Not for anybody who had a hand in it."""
    actions.approve(
        incident,
        ref,
        digest=given.digest,
        people=str(given.people),
        house=house(),
        actor=actor(),
        now=now(),
        pace=given.pace.pace(),
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


@bp.post("/<ref>/extension")
@permit("notice.draft")
@bp.output(Ref, status_code=201)
def extend(incident: str, ref: str) -> dict[str, str]:
    """Draft the same text for people found after it was approved; they get it once."""
    return {"ref": followups.extend(incident, ref, actor=actor(), now=now())}


@bp.post("/<ref>/supplement")
@permit("notice.draft")
@bp.output(Ref, status_code=201)
def supplement(incident: str, ref: str) -> dict[str, str]:
    """Draft a correction for exactly those whom the notice told."""
    return {"ref": followups.supplement(incident, ref, actor=actor(), now=now())}


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
@permit("people.reveal")
@bp.input(RevealIn, arg_name="asked")
@bp.output(PreviewOut)
def reveal(incident: str, ref: str, asked: RevealIn) -> dict[str, Any]:
    """The same in clear, for one very person. It leaves a line in the record."""
    _, wording = _wording(ref, asked)
    channel = Channel(asked.channel)
    seen = previews.reveal(incident, ref, asked.person, wording, channel, why=asked.why, actor=actor(), now=now())
    return _seen(seen, asked, wording)


@bp.post("/<ref>/test")
@permit("notice.draft")
@bp.input(TestIn, arg_name="given")
@bp.output(Said)
def test(incident: str, ref: str, given: TestIn) -> dict[str, str]:
    """Send it to yourself by one channel, marked as a test. It tells nobody else and counts for nothing."""
    _, wording = _wording(ref, PreviewIn(language=given.language))
    channels = current_app.extensions["channels"]
    trial = Trial(Channel(given.channel), given.token, given.to_team)
    said = trials.send(incident, ref, wording, channels=channels, actor=actor(), now=now(), trial=trial)
    return {"said": said}


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


def change_of(notice: Notice, given: ChangeIn) -> actions.Change:
    """What a program wants a draft to be. Raises Invalid."""
    kept = {text.language: text for text in actions.texts_of(notice)}
    texts = kept | {tag: rules.text_from_json(tag, one.model_dump()) for tag, one in given.texts.items()}
    languages = tuple(notice.languages if given.languages is None else given.languages)
    if strangers := sorted(set(given.texts) - set(languages)):
        raise Invalid("texts", f"{strangers[0][:20]!r} is not among the languages of this notice.")
    audience = given.audience.model_dump() if given.audience is not None else notice.audience
    sends = "send_at" in given.model_fields_set
    return actions.Change(
        title=notice.title if given.title is None else given.title,
        languages=languages,
        channels=tuple(Channel(word) for word in (notice.channels if given.channels is None else given.channels)),
        audience=Audience.from_json(audience),
        send_at=given.send_at if sends else notice.send_at,
        texts=texts,
        ladder=_ladder(given),
        despite=None if given.despite is None else rules.lists_passed_over(given.despite),
    )


def _ladder(given: ChangeIn) -> dict[str, ladders.Step] | None:
    if given.ladder is None:
        return None
    return {step.channel: ladders.checked(step.channel, step.hours, step.counts) for step in given.ladder}


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
        **{name: getattr(notice, name) for name in (*same, "despite", "editors", "drafted_at", "changed_at")},
        "incident": incident,
        "ladder": ladders.as_json(actions.ladder_of(notice)),
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
