"""The pages of notices: compose, decide, versions."""

from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import followups, preflight, previews, trials, weighing
from incident.actions import notices as actions
from incident.actions.trials import Trial
from incident.domain import notices as rules
from incident.domain import starters
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.musts import Hurdle
from incident.domain.notices import Event, Stage
from incident.domain.pace import Pace
from incident.store import notice_sheets
from incident.store import notices as rows
from incident.store.notices import Notice
from incident.web import composing, notice_pages, paces
from incident.web.access import actor, may, now, permit, zone
from incident.web.languages import Word, tongue
from incident.web.notice_pages import house
from incident.web.pages import named

bp = Blueprint("notices", __name__, url_prefix="/incidents/<incident>/notices")

PAGE = 50


@bp.get("/new")
@permit("notice.draft")
@named(Word("Begin a notice"))
def new(incident: str) -> str:
    """Where a notice begins: a title for the team, languages, and the text to start from."""
    return _new_page({}, {})


@bp.post("/new")
@permit("notice.draft")
def begin(incident: str) -> ResponseReturnValue:
    """Begin a draft."""
    form = request.form
    try:
        ref = actions.draft(
            incident,
            form.get("title", ""),
            languages=form.getlist("languages") or ("en",),
            like=form.get("like", ""),
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        return _new_page(form, {error.field: error.sentence}), 422
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.get("/<ref>")
@permit("notice.view")
def show(incident: str, ref: str) -> str:
    """One notice: the compose page while it can be written, else what was submitted and what became of it."""
    notice = _notice(ref)
    notice_sheets.look_up(notice)
    if _is_open(notice) and (notice.stage == Stage.DRAFT or "edit" in request.args) and may("notice.draft"):
        return notice_pages.compose(notice, composing.sketch(notice, actions.texts_of(notice), zone()))
    return notice_pages.show(notice)


@bp.post("/<ref>")
@permit("notice.draft")
def save(incident: str, ref: str) -> ResponseReturnValue:
    """Keep what was written; then stay, go to another language, submit, or send a test."""
    notice = _notice(ref)
    page = composing.typed(request.form, composing.sketch(notice, actions.texts_of(notice), zone()))
    try:
        revision = request.form.get("over", page.revision, type=int)
        actions.save(incident, ref, composing.change(page, zone()), revision=revision, actor=actor(), now=now())
    except Refused as refusal:
        return _kept_on_screen(notice, page, refusal)
    if request.form.get("then") == "submit":
        return _submit(incident, ref)
    if request.form.get("then") in ("test", "test-team"):
        return _test(incident, ref)
    flash("Saved.", "met")
    return redirect(_place(incident, ref, request.form.get("then", "")))


@bp.post("/<ref>/weigh")
@permit("notice.draft")
def weigh(incident: str, ref: str) -> ResponseReturnValue:
    """What is missing in the draft as it is typed. Keeps nothing."""
    notice = _notice(ref)
    page = composing.typed(request.form, composing.sketch(notice, actions.texts_of(notice), zone()))
    try:
        change = composing.change(page, zone())
        wrote = weighing.typed(notice, change.texts, change.languages, change.channels, change.audience)
    except Invalid as error:
        page.errors = {error.field: error.sentence}
        return notice_pages.compose(notice, page), 422
    return notice_pages.compose(notice, page, wrote)


@bp.post("/<ref>/submit")
@permit("notice.draft")
def submit(incident: str, ref: str) -> ResponseReturnValue:
    """Put the draft before an approver."""
    return _submit(incident, ref)


@bp.post("/<ref>/approve")
@permit("notice.approve")
def approve(incident: str, ref: str) -> ResponseReturnValue:
    """Let the notice go out as it was shown."""
    form = request.form
    try:
        actions.approve(
            incident,
            ref,
            digest=form.get("digest", ""),
            people=form.get("people", ""),
            house=house(),
            actor=actor(),
            now=now(),
            pace=paces.typed(form, Pace()),
        )
    except Invalid as wrong:
        return notice_pages.show(_notice(ref), {wrong.field: wrong.sentence}), 422
    flash("Approved. It goes out when somebody sends it, or at its time.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.post("/<ref>/send-back")
@permit("notice.send_back")
def send_back(incident: str, ref: str) -> ResponseReturnValue:
    """Give the notice back with a reason."""
    form = request.form
    actions.send_back(
        incident, ref, digest=form.get("digest", ""), reason=form.get("reason", ""), actor=actor(), now=now()
    )
    flash("Sent back. Its author sees your reason above the text.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.post("/<ref>/extension")
@permit("notice.draft")
def extend(incident: str, ref: str) -> ResponseReturnValue:
    """Draft the same text for people found later."""
    made = followups.extend(incident, ref, actor=actor(), now=now())
    flash("A draft for the people found later stands here. A second person approves it for these people.", "met")
    return redirect(url_for(".show", incident=incident, ref=made))


@bp.post("/<ref>/supplement")
@permit("notice.draft")
def supplement(incident: str, ref: str) -> ResponseReturnValue:
    """Draft a correction for those who had the old text."""
    made = followups.supplement(incident, ref, actor=actor(), now=now())
    flash("A draft of the correction stands here, for those alone whom the old text told.", "met")
    return redirect(url_for(".show", incident=incident, ref=made))


@bp.post("/<ref>/withdraw")
@permit("notice.withdraw")
def withdraw(incident: str, ref: str) -> ResponseReturnValue:
    """Give the notice up before it was sent."""
    actions.withdraw(incident, ref, reason=request.form.get("reason", ""), actor=actor(), now=now())
    flash("Withdrawn.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.post("/<ref>/reveal")
@permit("people.reveal")
def reveal(incident: str, ref: str) -> str:
    """What one very person will read, in clear; leaves a line."""
    notice = _notice(ref)
    language, channel = notice_pages.chosen(notice)
    wording = previews.wording_of(notice, language, notice_pages.draft_wording(notice, language))
    number = request.form.get("person", 0, type=int)
    why = request.form.get("why", "")
    seen = previews.reveal(incident, ref, number, wording, channel, why=why, actor=actor(), now=now())
    return render_template(
        "notices/reveal.html",
        notice=notice,
        seen=seen,
        channel=channel,
        language=language,
        words=starters.words(language),
    )


@bp.get("/<ref>/versions")
@permit("notice.view")
def versions(incident: str, ref: str) -> str:
    """Every version with what was decided, and what changed between two of them."""
    notice = _notice(ref)
    found = rows.versions(notice.id)
    new = request.args.get("to", notice.number, type=int)
    old = request.args.get("from", new - 1, type=int)
    both = {version.number: version for version in found}
    changes = notice_pages.changed(both[old], both[new]) if old in both and new in both else []
    return render_template(
        "notices/versions.html",
        notice=notice,
        found=found,
        old=old,
        new=new,
        changes=changes,
        people=notice_pages.names(found),
    )


def _submit(incident: str, ref: str) -> ResponseReturnValue:
    """Submit what is kept. What is in the way is shown on the compose page, beside the text it concerns."""
    notice = _notice(ref)
    revision = request.form.get("revision", notice.revision, type=int)
    if request.form.get("then") == "submit":  # just saved by this request, so the form's number is the one before
        revision = notice.revision
    try:
        number = actions.submit(incident, ref, revision=revision, house=house(), actor=actor(), now=now())
    except Invalid as error:
        notice = _notice(ref)
        texts = actions.texts_of(notice)
        page = composing.sketch(notice, texts, zone())
        where = composing.place(Hurdle(error.field, error.sentence), texts)
        page.errors, page.unsent = {where: error.sentence}, True
        return notice_pages.compose(notice, page), 422
    preflight.ask_unless_it_holds(incident, ref, actor=actor(), now=now())
    flash(f"Version {number} is submitted. Somebody else has to approve it.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


def _test(incident: str, ref: str) -> ResponseReturnValue:
    """Send the saved text to the reader, by the channel that the page looks at."""
    notice = _notice(ref)
    language, channel = notice_pages.chosen(notice)
    wording = notice_pages.draft_wording(notice, language)
    if wording is None:
        raise Missing()
    trial = Trial(channel, request.form.get("token", ""), to_team=request.form.get("then") == "test-team")
    channels = current_app.extensions["channels"]
    flash(trials.send(incident, ref, wording, channels=channels, actor=actor(), now=now(), trial=trial), "met")
    return redirect(_place(incident, ref, ""))


def _kept_on_screen(notice: Notice, page: composing.Sketch, refusal: Refused) -> ResponseReturnValue:
    """The page again with all that was typed, and why it is not kept."""
    field = refusal.field if isinstance(refusal, Invalid) else "revision"
    page.errors = {field: refusal.sentence}
    if isinstance(refusal, Missing):
        raise refusal
    return notice_pages.compose(notice, page), 422 if isinstance(refusal, Invalid) else 409


def _place(incident: str, ref: str, then: str) -> str:
    """Where to go after saving: `language:zh-Hans`, `channel:sms`, or the page as it was."""
    what, _, which = then.partition(":")
    return url_for(
        ".show",
        incident=incident,
        ref=ref,
        language=which if what == "language" else request.form.get("language") or None,
        channel=which if what == "channel" else request.form.get("channel") or None,
        edit=request.form.get("edit") or None,
    )


def _new_page(form: Any, errors: dict[str, str]) -> str:
    return render_template(
        "notices/new.html",
        form=form,
        errors=errors,
        languages=[(tag, tongue(tag)) for tag in starters.languages()],
        models=rows.of_incident(g.incident.id, limit=PAGE),
    )


def _notice(ref: str) -> Notice:
    notice = rows.by_ref(g.incident.id, ref)
    if notice is None:
        raise Missing()
    return notice


def _is_open(notice: Notice) -> bool:
    return g.incident.state == "open" and rules.allowed(Stage(notice.stage), Event.EDIT)
