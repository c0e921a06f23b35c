"""How one incident stands, stop by stop, and what it needs now: for the rail beside its pages and the head of its first one."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, g, url_for

from incident.actions import public_tasks
from incident.domain import scales
from incident.store import grades, obligations, postings, separation
from incident.store.incidents import Incident
from incident.store.overview import Overview, of
from incident.web.access import may, now
from incident.web.dues import DueWords, due_words

MARKS = {
    "done": ("✓", "done"),
    "way": ("◐", "under way"),
    "bad": ("!", "needs you"),
    "ask": ("?", "needs an answer"),
    "not": ("○", "not yet"),
}


@dataclass(frozen=True)
class Stop:
    """One stop of the path in ready words."""

    word: str
    label: str
    href: str
    state: str
    figure: str

    @property
    def mark(self) -> str:
        """The sign that stands before it."""
        return MARKS[self.state][0]

    @property
    def meaning(self) -> str:
        """The sign in a word."""
        return MARKS[self.state][1]


def overview(incident: Incident) -> Overview:
    """The figures of this request's incident, counted once."""
    if g.get("overview_of") != incident.id:
        g.overview_of, g.overview = incident.id, of([incident.id], now()).get(incident.id, Overview())
    figures: Overview = g.overview
    return figures


def stops(incident: Incident) -> list[Stop]:
    """The path of this incident, in its order."""
    seen = overview(incident)
    path = (
        (
            "log",
            "Log",
            "incidents.show",
            ("done" if seen.facts else "not", f"{seen.facts} facts" if seen.facts else ""),
        ),
        ("grade", "Grade", "grades.index", _grade(incident)),
        ("plan", "Plan", "plans.index", _plan(seen)),
        (
            "people",
            "People",
            "people.index",
            ("done" if seen.people else "not", short(seen.people) if seen.people else ""),
        ),
        ("duties", "Duties", "obligations.index", _duties(seen)),
        ("notices", "Notices", "notices.index", _notices(seen)),
        ("sending", "Sending", "deliveries.index", _sending(seen)),
        ("reports", "Reports", "reports.index", _reports(seen)),
        ("record", "Record", "audit.index", ("done", "")),
        ("close", "Close", "closing.index", ("done", "closed") if incident.state == "closed" else ("not", "")),
    )
    known = current_app.view_functions
    return [
        Stop(word, label, url_for(endpoint, incident=incident.ref), state, figure)
        for word, label, endpoint, (state, figure) in path
        if endpoint in known and may(known[endpoint])
    ]


def _grade(incident: Incident) -> tuple[str, str]:
    people = current_grades(incident).get(scales.Scale.PEOPLE)
    if people is None:
        return "not", ""
    figure = f"{people.score:.2f}" if people.score is not None else people.level.replace("_", " ")
    return ("done" if people.basis == "chosen" else "ask"), figure


def current_grades(incident: Incident) -> dict[str, Any]:
    """The grades that count, read once a request."""
    if "grades_now" not in g:
        g.grades_now = grades.current(incident.id)
    found: dict[str, Any] = g.grades_now
    return found


def _plan(seen: Overview) -> tuple[str, str]:
    if not seen.steps:
        return "not", ""
    if seen.steps_late:
        return "bad", f"{seen.steps_late} late"
    return ("done" if seen.steps_done == seen.steps else "way"), f"{seen.steps_done} of {seen.steps}"


def _duties(seen: Overview) -> tuple[str, str]:
    if seen.late:
        return "bad", f"{seen.late} late"
    if seen.owed:
        return "way", f"{seen.owed} owed"
    if seen.open:
        return "ask", f"{seen.open} open"
    return ("done" if seen.met else "not"), f"{seen.met} met" if seen.met else ""


def _notices(seen: Overview) -> tuple[str, str]:
    if not seen.notices:
        return "not", ""
    if seen.submitted:
        return "ask", f"{seen.submitted} to approve"
    return ("done" if seen.sent == seen.notices else "way"), f"{seen.sent} of {seen.notices}"


def _sending(seen: Overview) -> tuple[str, str]:
    if seen.trouble:
        return "bad", short(seen.trouble)
    if seen.under_way:
        return "way", f"{short(seen.under_way)} to go"
    if seen.addressed:
        return "done", short(seen.reached)
    return "not", ""


def _reports(seen: Overview) -> tuple[str, str]:
    if seen.drafts:
        return "way", f"{seen.drafts} to file"
    return ("done", f"{seen.filed} filed") if seen.filed else ("not", "")


def short(figure: int) -> str:
    """A number in a few letters, such as `1.41 M`."""
    if figure >= 1_000_000:
        return f"{figure / 1_000_000:.2f} M"
    return f"{figure:,}"


@dataclass(frozen=True)
class Ask:
    """Something that waits for a person: what, why, and where to do it."""

    what: str
    why: str
    href: str
    word: str
    tone: str


@dataclass(frozen=True)
class State:
    """What a newcomer to the shift sees first."""

    tags: list[tuple[str, str]]
    next: DueWords | None
    next_what: str
    asks: list[Ask]


def state(incident: Incident) -> State:
    """Grades as tags, the next due time, and what waits for a person."""
    tags = [
        (
            f"{caption.lower()}: {grade.level.replace('_', ' ')}{f' {grade.score:.2f}' if grade.score is not None else ''}",
            scales.TONES.get(grade.level, "idle"),
        )
        for scale, caption in scales.CAPTIONS.items()
        if (grade := current_grades(incident).get(scale))
    ]
    pending = obligations.pending(incident.id)
    dated = [row for row in pending if row.standing == "owed" and row.due_at is not None]
    first = dated[0] if dated else None
    return State(
        tags, due_words(first.due_at, now()) if first else None, first.title if first else "", list(_asks(incident))
    )


def _asks(incident: Incident) -> list[Ask]:
    seen = overview(incident)
    ref = incident.ref
    pages = postings.in_trouble(incident.id)
    waiting = len({task.duty for task in public_tasks.waiting(incident.id)})
    opened = separation.unreviewed(incident.id) if incident.restricted else 0
    candidates = (
        (
            opened,
            "Somebody opened this incident in an emergency" if opened == 1 else f"{opened} openings in an emergency",
            "Somebody else on it says whether that was right; before that it cannot be closed.",
            "members.index",
            "review",
            "soon",
        ),
        (
            seen.late,
            f"{seen.late} duties are late",
            "Meet them, or say why they are waived.",
            "obligations.index",
            "late",
            "late",
        ),
        (
            seen.submitted,
            f"{seen.submitted} notices wait for approval",
            "Somebody who has not written on them must say yes.",
            "notices.index",
            "approval",
            "soon",
        ),
        (
            seen.trouble,
            f"{short(seen.trouble)} deliveries need a person",
            "In doubt, failed, bounced or unreached.",
            "deliveries.index",
            "sending",
            "late",
        ),
        (
            pages,
            f"{pages} public {'page is' if pages == 1 else 'pages are'} not as approved",
            "At the last look it said something else, was not there, or did not answer.",
            "public_tasks.show",
            "look at it",
            "late",
        ),
        (
            waiting,
            f"{waiting} {'law speaks' if waiting == 1 else 'laws speak'} of telling the public or the media",
            "The evidence stands beside each; somebody decides.",
            "public_tasks.show",
            "decide",
            "soon",
        ),
        (
            seen.open,
            f"{seen.open} duties are open",
            "They wait for answers; the questions that decide most stand first.",
            "obligations.questions",
            "open",
            "open",
        ),
        (not seen.steps, "No plan is active yet", "The fitting playbook is suggested.", "plans.index", "plan", "soon"),
        (
            seen.steps_late,
            f"{seen.steps_late} steps are overdue",
            "Take them, hand them over, or skip them with a reason.",
            "plans.index",
            "late",
            "late",
        ),
    )
    known = current_app.view_functions
    return [
        Ask(what, why, url_for(endpoint, incident=ref), word, tone)
        for count, what, why, endpoint, word, tone in candidates
        if count and endpoint in known and incident.state == "open" and may(known[endpoint])
    ]
