"""Lessons: the list over all incidents, the form to propose one, and one with what it changes and what is decided."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select

from incident.actions import lessons as actions
from incident.actions.plans import able
from incident.domain import lessons as rules
from incident.domain import plans, playbook_files, starters
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing
from incident.domain.facts import vocabulary
from incident.domain.lessons import TONES, Kind, Source, State
from incident.domain.plans import COMMON, OPENED, PHASE_WORDS
from incident.exports import csv
from incident.store import incidents, own, separation, users
from incident.store import lessons as rows
from incident.store.incidents import Incident
from incident.store.lessons import Lesson
from incident.web.access import actor, me, now, permit
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word, _, tongue
from incident.web.pages import named

bp = Blueprint("lessons", __name__, url_prefix="/lessons")
proposing = Blueprint("proposing", __name__, url_prefix="/incidents/<incident>/review/lessons")

PAGE: Final = 50
AT_ONCE: Final = 500
KINDS: Final = {
    Kind.PLAYBOOK: Word("playbook"),
    Kind.TEXT: Word("starter text"),
    Kind.LAW: Word("law file"),
    Kind.PRACTICE: Word("practice"),
}
STATES: Final = {
    State.PROPOSED: Word("proposed"),
    State.ACCEPTED: Word("accepted"),
    State.ADOPTED: Word("adopted"),
    State.DECLINED: Word("declined"),
}
CHOOSE: Final = {
    Kind.PRACTICE: Word("How we work: nothing in Tocsin changes"),
    Kind.PLAYBOOK: Word("A step of a playbook, changed or new"),
    Kind.TEXT: Word("A part of the starter text of notices"),
    Kind.LAW: Word("A law file of our own"),
}


@bp.get("/")
@permit("lesson.view")
@named(Word("Lessons"))
def index() -> str:
    """The lessons of all incidents that this reader may know of, newest first."""
    query, chosen = _filtered()
    found = list(rows.page(query, before=request.args.get("before", type=int), limit=PAGE + 1))
    again: dict[str, Any] = dict(chosen)
    return render_template(
        "lessons/list.html",
        found=found[:PAGE],
        more=url_for(".index", before=found[PAGE - 1].id, **again) if len(found) > PAGE else "",
        chosen=chosen,
        cases=incidents.by_ids({row.incident_id for row in found}),
        people=users.names({row.owner_id for row in found}),
        kinds=KINDS,
        states=STATES,
        tones=TONES,
        days=lambda row: (ended(row) - row.proposed_at).days,
        mistakes=own.refresh().mistakes,
    )


def ended(row: Lesson) -> datetime:
    """When a lesson was adopted or declined; now, while it is neither."""
    if row.state not in rules.OPEN:
        return row.adopted_at or row.decided_at or now()
    return now()


@bp.get("/lessons.csv")
@permit("lesson.view")
def table() -> Response:
    """The same list as CSV."""
    header = (
        "reference", "incident", "lesson", "kind", "changes", "state", "owner", "learnt in", "proposed (UTC)",
        "proposed by", "decided (UTC)", "decided by", "adopted (UTC)", "days",
    )  # fmt: skip
    return csv_answer(csv.rows(header, _cells(_filtered()[0])), "lessons.csv")


def _cells(query: Select[Lesson]) -> Iterator[tuple[Any, ...]]:
    before: int | None = None
    while found := list(rows.page(query, before=before, limit=AT_ONCE)):
        cases, people = incidents.by_ids({row.incident_id for row in found}), users.names({o.owner_id for o in found})
        yield from (
            (
                o.ref, cases[o.incident_id].ref, o.title, o.kind, o.target, o.state, people.get(o.owner_id, ""), o.source,
                o.proposed_at, o.proposed_by, o.decided_at, o.decided_by, o.adopted_at, (ended(o) - o.proposed_at).days,
            )
            for o in found
        )  # fmt: skip
        before = found[-1].id


def _filtered() -> tuple[Select[Lesson], dict[str, str]]:
    chosen = {name: request.args.get(name, "").strip()[:100] for name in ("state", "kind", "q", "mine")}
    known = {"state": set[str](State), "kind": set[str](Kind)}
    chosen = {name: word for name, word in chosen.items() if word and word in known.get(name, {word})}
    query = rows.asked(
        visible().with_only_columns(Incident.id),
        state=chosen.get("state", ""),
        kind=chosen.get("kind", ""),
        owner_id=me().id if "mine" in chosen else None,
        words=chosen.get("q", ""),
    )
    return query, chosen


@bp.get("/<ref>")
@permit("lesson.view")
def show(ref: str) -> str:
    """One: what happened, what stands before and after, and who decided."""
    return _page(known(ref), {})


def _page(row: Lesson, errors: dict[str, str]) -> str:
    case = incidents.by_ids({row.incident_id})[row.incident_id]
    after, by_two = actions.shown_after(row), separation.policy().lessons_by_two
    waits = by_two and row.state == State.PROPOSED
    return render_template(
        "lessons/show.html",
        row=row,
        case=case,
        compared=rules.compared(row.before, after),
        names={user_ref: user.name for user_ref, user in users.by_refs(_people(row)).items()},
        people=users.names({row.owner_id}),
        team=able(row.incident_id),
        kinds=KINDS,
        states=STATES,
        tones=TONES,
        by_two=by_two,
        may_accept=row.state == State.PROPOSED and not (by_two and row.proposed_by == actor()),
        may_adopt=row.state in rules.OPEN and not waits,
        undecided=row.state in rules.OPEN,
        days=(ended(row) - row.proposed_at).days,
        typed=request.form,
        errors=errors,
    )


def _people(row: Lesson) -> set[str]:
    return {row.proposed_by, row.decided_by, row.adopted_by} - {""}


def known(ref: str) -> Lesson:
    """The lesson, if this reader may know of its incident. Raises Missing."""
    query = rows.asked(visible().with_only_columns(Incident.id)).where(Lesson.ref == ref)
    found = rows.page(query, before=None, limit=1)
    if not found:
        raise Missing()
    return found[0]


@bp.post("/<ref>/accept")
@permit("lesson.decide")
def accept(ref: str) -> ResponseReturnValue:
    """Say yes as a second person."""
    known(ref)
    actions.accept(ref, actor=actor(), now=now())
    flash(_("Accepted. It counts once it is adopted."), "met")
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/adopt")
@permit("lesson.decide")
def adopt(ref: str) -> ResponseReturnValue:
    """Have the installation go by it."""
    row = known(ref)
    try:
        actions.adopt(ref, note=request.form.get("note", ""), actor=actor(), now=now())
    except Invalid as error:
        return _page(known(ref), {error.field: error.sentence}), 422
    said = _("Adopted.") if row.kind == Kind.PRACTICE else _("Adopted. This installation goes by it from now on.")
    flash(said, "met")
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/decline")
@permit("lesson.decide")
def decline(ref: str) -> ResponseReturnValue:
    """Say no, with a reason."""
    known(ref)
    try:
        actions.decline(ref, reason=request.form.get("reason", ""), actor=actor(), now=now())
    except Invalid as error:
        return _page(known(ref), {error.field: error.sentence}), 422
    flash(_("Declined. The reason stays with it."), "met")
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/owner")
@permit("lesson.propose")
def hand_over(ref: str) -> ResponseReturnValue:
    """Have somebody look after it."""
    known(ref)
    try:
        actions.hand_over(ref, to=request.form.get("to", ""), seen=request.form.get("seen"), actor=actor(), now=now())
    except Invalid as error:
        return _page(known(ref), {error.field: error.sentence}), 422
    flash(_("Handed over."), "met")
    return redirect(url_for(".show", ref=ref))


@proposing.get("/new")
@permit("lesson.propose")
@named(Word("Propose a lesson"))
def new(incident: str) -> str:
    """The form, for what the address names: a step of a playbook, a part of a text, a law file, or practice."""
    return _form(request.args, {})


@proposing.post("/")
@permit("lesson.propose")
def propose(incident: str) -> ResponseReturnValue:
    """Put it up for decision."""
    form = request.form
    try:
        source = Source.DRILL if form.get("source") == Source.DRILL else Source.REVIEW
        ref = actions.propose(incident, form.to_dict(), source=source, actor=actor(), now=now())
    except Invalid as error:
        return _form(form, {error.field: error.sentence}), 422
    flash(_("Proposed. Somebody else decides on it."), "met")
    return redirect(url_for("lessons.show", ref=ref))


def _form(given: Mapping[str, str], errors: dict[str, str]) -> str:
    kind = given.get("kind", "")
    kind = kind if kind in set(Kind) else ""
    return render_template(
        "lessons/new.html",
        kind=kind,
        choose=CHOOSE,
        team=able(g.incident.id),
        typed={**_standing(kind, given), **({} if request.method == "GET" else dict(given))},
        given=given,
        errors=errors,
        **_choices(kind, given),
    )


def _choices(kind: str, given: Mapping[str, str]) -> dict[str, Any]:
    """What there is to choose from for this kind of change."""
    if kind == Kind.PLAYBOOK:
        books = {book.id: book.title for book in plans.playbooks().values()}
        book = given.get("book", "")
        raw = own.refresh().raw.get(book, {})
        return {
            "books": {**books, COMMON: _("Steps that all playbooks share")},
            "steps": [(row["key"], row["title"]) for row in raw.get("step", ())],
            "phases": PHASE_WORDS,
            "roles": list(Role),
            "facts": [(key, entry.label) for key, entry in vocabulary().entries.items()],
            "starts": {OPENED: _("the opening of the incident")}
            | {key: entry.label for key, entry in vocabulary().entries.items() if entry.type == "instant"},
        }
    if kind == Kind.TEXT:
        return {"languages": {tag: tongue(tag) for tag in starters.languages()}, "parts": starters.PARTS}
    return {"files": own.laws(own.home())} if kind == Kind.LAW else {}


def _standing(kind: str, given: Mapping[str, str]) -> dict[str, Any]:
    """What stands there now, for the form to begin with; and what the address says already."""
    found: dict[str, Any] = dict(given)
    if kind == Kind.PLAYBOOK and (row := own.refresh().step(given.get("book", ""), given.get("step", ""))):
        due = row.get("due", {})
        found |= {"step_title": row["title"], "hours": due.get("hours", ""), "due_from": due.get("from", OPENED)}
        found |= {name: row.get(name, "") for name in ("phase", "detail", "role", "evidence", "mandatory")}
        found["needed_when"] = playbook_files.conditions(row.get("when", {}))
    if kind == Kind.TEXT and given.get("language") in starters.languages() and given.get("part") in starters.PARTS:
        found["text"] = starters.part(given["language"], given["part"])
    if kind == Kind.LAW and given.get("file") in own.laws(own.home()):
        found["text"] = own.law(own.home(), given["file"])
    return found


def of_step(book: str, key: str) -> tuple[str, str]:
    """Where a step of a plan stands (its playbook, or those that all share), and the lesson by which it reads as it does."""
    laid = own.refresh()
    for place in (book, COMMON):
        if row := laid.step(place, key):
            return place, str(row.get("lesson", ""))
    return "", ""
