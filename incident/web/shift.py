"""What somebody who comes to the shift sees of one incident at a glance: the last handover, the clocks, the plan, who is on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import g, url_for
from sqlalchemy import select

from incident.domain.forms import library
from incident.store import incidents as rows
from incident.store import overview, reminders
from incident.store.incidents import Incident
from incident.store.overview import Beside
from incident.store.users import User
from incident.web import findings, rail
from incident.web.access import may, now
from incident.web.dues import DueWords, due_words
from incident.web.findings import Shown
from incident.web.languages import _, said
from incident.web.marked import hidden
from incident.web.story import Entry

CLOCKS = 4
STEPS = 3
NAMED = 8


@dataclass(frozen=True)
class Due:
    """One step with its time."""

    due: DueWords
    title: str
    href: str


@dataclass(frozen=True)
class Handover:
    """What the shift before left for this one."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Named:
    """Something that belongs to the incident: what it is called, a line on it, and how it stands."""

    title: str
    note: str
    href: str
    word: str
    tone: str


@dataclass(frozen=True)
class Shift:
    """All that, ready for the page; what the reader may not see is empty."""

    handover: Handover | None
    clocks: Sequence[Shown]
    untimed: int
    playbooks: Sequence[str]
    steps: Sequence[Due]
    people: Sequence[User]
    team: Sequence[User]
    lead: str
    reports: Sequence[Named]
    weak: Sequence[Named]


def of(incident: Incident) -> Shift:
    """How things stand for whoever takes over."""
    near = team(incident)
    clocks, untimed = _clocks(incident) if may("duty.view") else ([], 0)
    sees_plan = may("plan.view")
    beside = overview.beside(incident.id, most=NAMED)
    return Shift(
        _handover(incident) if may("timeline.view") else None,
        clocks,
        untimed,
        [one.title for one in beside if one.kind == "plan"] if sees_plan else [],
        _steps(incident) if sees_plan else [],
        _people(incident, near) if may("member.view") else [],
        [user for user, _ in near],
        next((user.name or user.ref for user, _ in near if user.id == incident.lead_id), ""),
        [_report(incident, one) for one in beside if one.kind == "report" and one.ref not in hidden("report")]
        if may("report.view")
        else [],
        [_weak(one) for one in beside if one.kind == "weak"] if may("vulnerability.view") else [],
    )


def _report(incident: Incident, one: Beside) -> Named:
    """A report by the authority it goes to, with its stage."""
    form = library().get(one.form)
    stage = form.words(form.stage(one.stage).label, "en") if form else one.stage
    filed = one.state == "filed"
    href = url_for("reports.show", incident=incident.ref, ref=one.ref)
    return Named(one.title, stage, href, _("filed") if filed else _("draft"), "met" if filed else "soon")


def _weak(one: Beside) -> Named:
    """A vulnerability by its title, with its score and whether it is exploited."""
    note = one.ref if one.score is None else f"{one.ref} · CVSS {one.score:.1f} {said(one.form)}"
    exploited = one.state == "yes"
    href = url_for("vulnerabilities.show", ref=one.ref)
    return Named(one.title, note, href, _("! actively exploited") if exploited else "", "late")


def team(incident: Incident) -> list[tuple[User, bool]]:
    """Everybody who works here, and whether they have to do with this incident; read once a request."""
    if "team_of" not in g:
        g.team_of = reminders.team(incident.id)
    found: list[tuple[User, bool]] = g.team_of
    return found


def _handover(incident: Incident) -> Handover | None:
    for note, name in rows.handovers(select(Incident.id).where(Incident.id == incident.id), limit=1):
        if note.ref not in hidden("note"):
            return Handover(note.text, name or note.written_by, note.written_at)
    return None


def _clocks(incident: Incident) -> tuple[list[Shown], int]:
    """Owed duties by due time, soonest first, and how many others have no time of their own."""
    owed = [row for row in rail.pending(incident) if row.standing == "owed"]
    shown = [findings.shown(row, now()) for row in owed if row.due_at is not None][:CLOCKS]
    return shown, len(owed) - len(shown)


def _steps(incident: Incident) -> list[Due]:
    mine = select(Incident.id).where(Incident.id == incident.id)
    return [
        Due(due_words(step.due_at, now()), step.title, url_for("plans.show", incident=incident.ref, step=step.ref))
        for step in overview.steps_due(mine, limit=STEPS)
    ]


def _people(incident: Incident, team: Sequence[tuple[User, bool]]) -> list[User]:
    """The lead first, then everybody else who has to do with it."""
    found = [user for user, is_near in team if is_near or user.id == incident.lead_id]
    return sorted(found, key=lambda user: (user.id != incident.lead_id, user.name))


@dataclass(frozen=True)
class News:
    """What others did since the reader last looked, newest first; `all_new` where even the oldest shown is new."""

    since: datetime | None
    entries: Sequence[Entry]
    count: int
    all_new: bool


def news(happened: Sequence[Entry], since: datetime | None, own: str) -> News:
    """Which of these happenings are new to the reader, who is called `own` in them."""
    fresh = [entry for entry in happened if since is not None and entry.at > since and entry.actor != own]
    oldest_is_new = bool(since is not None and happened and happened[-1].at > since)
    return News(since, fresh, len(fresh), oldest_is_new)
