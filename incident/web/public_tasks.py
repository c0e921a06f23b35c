"""Telling the public in one incident: what laws allow and demand, what was decided, and the public pages with their looks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, select

from incident.actions import announcements as announcing
from incident.actions import merging
from incident.actions import public_tasks as actions
from incident.actions.public_tasks import Tasks
from incident.domain import lawbook
from incident.domain import postings as posting_rules
from incident.domain.announcements import Posting, posting
from incident.domain.errors import Missing
from incident.domain.facts import vocabulary
from incident.domain.postings import Sight
from incident.domain.public_tasks import Task
from incident.exports import csv
from incident.store import announcements, postings, users
from incident.store import public_tasks as rows
from incident.store.announcements import Announcement
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.postings import PostingCheck
from incident.web import rail
from incident.web.access import actor, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.pages import named

bp = Blueprint("public_tasks", __name__, url_prefix="/incidents/<incident>/public")

PAGE = 50
TRUTHS = {"yes": (Word("allowed"), "met"), "open": (Word("open"), "open"), "no": (Word("not as things stand"), "idle")}
POSTING = {
    Posting.AHEAD: (Word("not yet public"), "idle"),
    Posting.POSTED: (Word("public"), "met"),
    Posting.ENDED: (Word("ended"), "idle"),
    Posting.TAKEN_DOWN: (Word("taken down"), "idle"),
}
DECISIONS = {"drafted": Word("draft begun"), "declined": Word("declined")}


@dataclass(frozen=True)
class PublicPage:
    """One announcement in ready words: how it stands, on how many of its days it was seen, and the last look."""

    row: Announcement
    word: str
    tone: str
    days: int
    seen: int
    asked: int
    cite: str
    last: tuple[datetime, str, str] | None


@bp.get("/")
@permit("notice.view")
@named(Word("Tell the public and the media"))
def show(incident: str) -> str:
    """The tasks with their evidence, the decisions, and the public pages of this incident."""
    before = request.args.get("before", type=int)
    found = list(announcements.among(_this(), before=before, limit=PAGE + 1))
    tasks = actions.of(g.incident.id)
    made = list(tasks.decided.values())
    return render_template(
        "public_tasks/show.html",
        tasks=tasks,
        waiting={task.key for task in tasks.waiting},
        truths=TRUTHS,
        decisions=DECISIONS,
        notices=rows.notice_refs({row.notice_id for row in made if row.notice_id}),
        names=names(row.by for row in made),
        labels=_labels(tasks.found),
        shorts={law.id: law.short for law in lawbook.library()},
        pages=pages(found[:PAGE]),
        more=url_for(".show", incident=incident, before=found[PAGE - 1].id) if len(found) > PAGE else "",
    )


@bp.post("/draft")
@permit("notice.draft")
def draft(incident: str) -> ResponseReturnValue:
    """Begin one notice for the tasks that are named."""
    ref = actions.draft(incident, request.form.getlist("task"), actor=actor(), now=now())
    flash(
        "A draft stands here, with a prompt for each thing that the laws want in it. A second person has to approve it.",
        "met",
    )
    return redirect(url_for("notices.show", incident=incident, ref=ref))


@bp.post("/decline")
@permit("duty.decide")
def decline(incident: str) -> ResponseReturnValue:
    """Say why the public is not told in place of each person."""
    form = request.form
    actions.decline(incident, form.get("task", ""), reason=form.get("reason", ""), actor=actor(), now=now())
    flash("Kept with your reason and the figures of this moment.", "met")
    return redirect(url_for(".show", incident=incident))


@bp.get("/tasks.csv")
@permit("notice.view")
def table(incident: str) -> Response:
    """The tasks with their figures and the last decision on each, as CSV."""
    tasks = actions.of(g.incident.id)
    return csv_answer(csv.rows(HEADER, _lines(tasks)), f"{incident}-telling-the-public.csv")


HEADER = (
    "task", "kind", "law", "place", "allowed", "because", "not_known", "by", "days", "people", "reached_by_no_channel",
    "cost", "cost_source", "decision", "decided_by", "decided_at (UTC)",
)  # fmt: skip


def _lines(tasks: Tasks) -> Iterator[tuple[Any, ...]]:
    figures = tasks.figures
    cost = figures.cost or {}
    for task in tasks.found:
        row = tasks.decided.get(task.key)
        yield (
            task.key,
            task.kind.value,
            task.cite.law,
            task.cite.place,
            task.truth.value,
            "; ".join(task.because),
            " ".join(task.wants),
            " ".join(task.by),
            task.days or "",
            figures.people,
            figures.unreachable,
            cost.get("amount", ""),
            cost.get("source", ""),
            row.decision if row else "",
            row.by if row else "",
            row.at if row else "",
        )


@bp.get("/pages/<slug>")
@permit("notice.view")
def looks(incident: str, slug: str) -> str:
    """One public page: its posting period, and every look at it."""
    row = _announcement(slug)
    found = list(postings.of(row.id, before=request.args.get("before", type=int), limit=PAGE + 1))
    return render_template(
        "public_tasks/looks.html",
        page=pages([row])[0],
        found=found[:PAGE],
        words=posting_rules.WORDS,
        good=posting_rules.GOOD,
        names=names([row.published_by, *([row.taken_down_by] if row.taken_down_by else [])]),
        more=url_for(".looks", incident=incident, slug=slug, before=found[PAGE - 1].id) if len(found) > PAGE else "",
    )


@bp.get("/pages/<slug>.csv")
@permit("notice.view")
def looks_table(incident: str, slug: str) -> Response:
    """Every look at a public page, as CSV: the proof of the posting period."""
    row = _announcement(slug)
    header = ("page", "look", "at (UTC)", "seen", "asked_at", "language", "status", "bytes", "sha256", "digest_of_look")

    def lines() -> Iterator[tuple[Any, ...]]:
        before: int | None = None
        while found := postings.of(row.id, before=before, limit=500):
            yield from (line for one in found for line in _cells(slug, one))
            before = found[-1].id

    return csv_answer(csv.rows(header, lines()), f"{slug}-looks.csv")


def _cells(slug: str, one: PostingCheck) -> Iterator[tuple[Any, ...]]:
    where = "public address" if one.outside else "inside"
    for page in one.pages:
        cells = (page["language"], page["status"], page["size"], page["digest"])
        yield (slug, one.look, one.at, one.sight, where, *cells, one.digest)


def pages(found: Sequence[Announcement]) -> list[PublicPage]:
    """These announcements in ready words; three questions to the database, however many they are."""
    looked = postings.sights([row.id for row in found])
    return [_page(row, [(at, Sight(word)) for at, word in looked[row.id]]) for row in found]


def _page(row: Announcement, looked: Sequence[tuple[datetime, Sight]]) -> PublicPage:
    zone = merging.house(current_app.extensions["settings"]).zone
    standing = posting(row.state, row.starts_at, row.ends_at, now())
    word, tone = POSTING[standing]
    end = row.changed_at if standing is Posting.TAKEN_DOWN else min(now(), row.ends_at or now())
    days, cite = announcing.asked(row.notice_id)
    at, sight = looked[-1] if looked else (None, None)
    last = (at, posting_rules.WORDS[sight], "met" if sight in posting_rules.GOOD else "late") if at and sight else None
    return PublicPage(
        row,
        word,
        tone if last is None or last[2] == "met" else "late",
        posting_rules.days(row.starts_at, end, zone),
        posting_rules.days_seen(looked, zone),
        days,
        cite,
        last,
    )


def tasks_waiting(incident: Incident) -> Sequence[Task]:
    """What laws allow or demand of telling the public in this incident, and nobody has decided: for a board to point to."""
    if incident.state != "open":
        return ()
    return actions.waiting(incident.id, pending=rail.pending(incident), facts=rail.known_of(incident))


@bp.record_once
def _hand_out(state: Any) -> None:
    state.app.jinja_env.globals["tasks_waiting"] = tasks_waiting


def names(refs: Iterable[str]) -> dict[str, str]:
    """The names of these people who work here, by reference."""
    return {ref: user.name for ref, user in users.by_refs({ref for ref in refs if ref}).items()}


def _labels(found: Sequence[Task]) -> dict[str, str]:
    return {key: vocabulary()[key].label if key in vocabulary() else key for task in found for key in task.wants}


def _this() -> Select[int]:
    incident = db.metadata.tables["incident"]
    return select(incident.c.id).where(incident.c.id == g.incident.id)


def _announcement(slug: str) -> Announcement:
    row = announcements.by_slug(slug)
    if row is None or row.incident_id != g.incident.id:
        raise Missing()
    return row
