"""Review and learning of one incident: its meeting, what happened as the review tells it, improvements and lessons."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import erasing
from incident.actions import improvements as improvement_acts
from incident.actions import reviews as actions
from incident.actions.plans import able
from incident.actions.reviews import Moment
from incident.domain import lessons as lesson_rules
from incident.domain.closing import QUESTIONS
from incident.domain.errors import Invalid, Missing
from incident.domain.reviews import FACTORS, GROUPS
from incident.store import reviews as rows
from incident.store import users
from incident.store.review_rooms import rooms
from incident.store.reviews import ReviewMoment
from incident.web import improvements, lessons, story
from incident.web.access import actor, now, permit, zone
from incident.web.answers import LOCAL, instant
from incident.web.bundles import taken_along
from incident.web.languages import Word, _, ngettext, said, tag
from incident.web.marked import hidden
from incident.web.marked import items as marked_items
from incident.web.pages import named
from incident.web.reports import company, download, house_zone
from incident.web.story import Entry

bp = Blueprint("reviews", __name__, url_prefix="/incidents/<incident>/review")

OFFERED: Final = 100
TAGS: Final = re.compile(r"<[^>]*>")


@bp.get("/")
@permit("review.view")
@named(Word("Review and learning"))
def index(incident: str) -> str:
    """All that a review is made of."""
    return page({})


def page(errors: dict[str, str]) -> str:
    """The page, with what was wrong about a form that was sent."""
    case = g.incident.id
    review, meeting, found, learnt = rooms(case)
    moments, team = rows.moments(case), able(case)
    before = request.args.get("before", type=int)
    offered, more = _offered({row.line for row in moments}, before)
    return render_template(
        "reviews/show.html",
        review=review,
        questions=QUESTIONS,
        factors=[(GROUPS[key.partition(".")[0]], *FACTORS[key]) for key in review.factors if key in FACTORS]
        if review
        else [],
        meeting=meeting,
        people=_names(meeting.people if meeting else []),
        team=team,
        moments=moments,
        local=_local,
        offered=offered,
        more=more,
        open_offer=before is not None or "lines" in errors,
        improvements=[(row, improvements.due(row)) for row in found],
        owners=_owners([*found, *learnt]),
        lessons=learnt,
        lesson_kinds=lessons.KINDS,
        lesson_states=lessons.STATES,
        lesson_tones=lesson_rules.TONES,
        erased=erasing.is_gone(case),
        privileged=bool(marked_items("review")),
        typed=request.form,
        errors=errors,
    )


def _owners(found: Sequence[Any]) -> dict[int | None, str]:
    """The names of those who look after these, by number; of accounts that no list of the page holds they are looked up."""
    known: dict[int | None, str] = {user.id: user.name for user in users.every()}
    return known | users.names({row.owner_id for row in found} - set(known))


def _names(refs: Sequence[str]) -> list[str]:
    """Names of these people; of accounts that no list of the page holds they are looked up."""
    known = {user.ref: user for user in users.every()}
    known |= users.by_refs(gone) if (gone := set(refs) - set(known)) else {}
    return [known[ref].name or ref if ref in known else ref for ref in refs]


def _local(at: datetime) -> str:
    """A time as a form of this reader takes it."""
    return at.astimezone(zone()).strftime(LOCAL)


def _offered(taken: set[int | None], before: int | None) -> tuple[list[tuple[Entry, str]], int]:
    """Happenings that the time line does not tell yet, newest first, with their words; and from where to go on."""
    found = story.latest(g.incident, limit=OFFERED, before=before, hidden=hidden)
    more = found[-1].seq if len(found) == OFFERED else 0
    return [(entry, words(entry)) for entry in found if entry.seq not in taken], more


def words(entry: Entry) -> str:
    """A happening in one sentence, as the time line of a review begins with it."""
    told = (f"{said(one['label'])}{_(': ')}{one['words']}" for one in entry.facts)
    return " ".join(part for part in (entry.who, said(entry.sentence), _("; ").join(told), entry.text) if part)


@bp.post("/meeting")
@permit("incident.review")
def plan_meeting(incident: str) -> ResponseReturnValue:
    """Say when the review meets and who takes part."""
    form = request.form
    try:
        at = instant(form.get("at", ""), zone(), "at")
        actions.plan_meeting(incident, at=at, people=form.getlist("people"), actor=actor(), now=now())
    except Invalid as error:
        return page({f"meeting_{error.field}": error.sentence}), 422
    flash(_("Planned. Everybody who takes part is reminded a day before."), "met")
    return redirect(url_for(".index", incident=incident))


@bp.post("/moments")
@permit("incident.review")
def add_moment(incident: str) -> ResponseReturnValue:
    """Put a moment into the time line by hand."""
    try:
        told = Moment(instant(request.form.get("at", ""), zone(), "at"), request.form.get("text", ""))
        actions.add_moments(incident, [told], actor=actor(), now=now())
    except Invalid as error:
        return page({f"moment_{error.field}": error.sentence}), 422
    return redirect(url_for(".index", incident=incident) + "#moments")


@bp.post("/moments/from-record")
@permit("incident.review")
def take_in(incident: str) -> ResponseReturnValue:
    """Take lines of the record into the time line, in the words in which they are shown; each can be edited there."""
    wanted = {int(word) for word in request.form.getlist("lines") if word.isascii() and word.isdecimal()}
    before = max(wanted, default=0) + 1
    shown: list[Entry] = []
    while wanted - {entry.seq for entry in shown}:
        found = story.latest(g.incident, limit=OFFERED, before=before, hidden=hidden)
        if not found:
            break
        shown += found
        before = found[-1].seq
    told = [Moment(None, words(entry)[:2_000], entry.seq) for entry in shown if entry.seq in wanted]
    count = actions.add_moments(incident, told, actor=actor(), now=now()) if told else 0
    flash(ngettext("%(n)s moment taken in.", "%(n)s moments taken in.", count, n=count), "met")
    return redirect(url_for(".index", incident=incident) + "#moments")


@bp.post("/moments/<moment>")
@permit("incident.review")
def edit_moment(incident: str, moment: str) -> ResponseReturnValue:
    """Tell a moment in other words."""
    row = rows.moment(g.incident.id, moment)
    if row is None:
        raise Missing()
    try:
        at = _unless_same(row, request.form.get("at", ""))
        text, seen = request.form.get("text", ""), request.form.get("seen")
        actions.edit_moment(incident, moment, text=text, at=at, seen=seen, actor=actor(), now=now())
    except Invalid as error:
        return page({f"{moment}_{error.field}": error.sentence}), 422
    return redirect(url_for(".index", incident=incident) + f"#{moment}")


def _unless_same(row: ReviewMoment, local: str) -> datetime | None:
    """The time that a form gives; the moment's own where it says the same minute, so that its seconds stay."""
    return row.at if local == _local(row.at) else instant(local, zone(), "at")


@bp.post("/moments/<moment>/take-out")
@permit("incident.review")
def take_out(incident: str, moment: str) -> ResponseReturnValue:
    """Take a moment out of the time line."""
    actions.take_out(incident, moment, actor=actor(), now=now())
    flash(_("Taken out. The record keeps what happened."), "met")
    return redirect(url_for(".index", incident=incident) + "#moments")


@bp.post("/improvements")
@permit("improvement.change")
def ask_for(incident: str) -> ResponseReturnValue:
    """Ask for an improvement: what, by whom, until which day."""
    form = request.form
    try:
        by = improvements.day_end(form.get("due_at", ""))
        text, owner = form.get("text", ""), form.get("owner", "")
        ref = improvement_acts.add(incident, text, owner=owner, due_at=by, actor=actor(), now=now())
    except Invalid as error:
        return page({f"improvement_{error.field}": error.sentence}), 422
    flash(_("Asked for. It stands on its owner's desk."), "met")
    return redirect(url_for(".index", incident=incident) + f"#{ref}")


@bp.post("/file/<kind>")
@permit("report.export")
def export(incident: str, kind: str) -> Response:
    """The review as a file; its digest goes into the record."""
    along = taken_along(request.form.get("privileged"))
    about: dict[str, Any] = {"company": company(), "zone": house_zone(), "privileged": along, "language": tag()}
    return download(actions.export(incident, kind, **about, actor=actor(), now=now()))
