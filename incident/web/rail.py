"""How one incident stands, stop by stop, and what it needs now: for the rail beside its pages and the head of its first one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import current_app, g, url_for

from incident.actions import public_tasks
from incident.domain import scales
from incident.domain.facts import Facts, from_json
from incident.store import incidents as rows
from incident.store import obligations
from incident.store.incidents import Fact, Incident
from incident.store.obligations import FindingRow
from incident.store.overview import Overview, of
from incident.store.surroundings import Weight
from incident.web.access import may, now
from incident.web.bar import around
from incident.web.dues import DueWords, due_words
from incident.web.languages import Word, _, ngettext, said

MARKS = {
    "done": ("✓", Word("done")),
    "way": ("◐", Word("under way")),
    "bad": ("!", Word("needs you")),
    "ask": ("?", Word("needs an answer")),
    "not": ("○", Word("not yet")),
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
    """The figures of this request's incident, counted once with what else is around the page."""
    return around().overview or of([incident.id], now()).get(incident.id, Overview())


def stops(incident: Incident) -> list[Stop]:
    """The path of this incident, in its order."""
    seen = overview(incident)
    path = (
        (
            "log",
            Word("Log"),
            "incidents.show",
            ("done", ngettext("%(facts)s fact", "%(facts)s facts", seen.facts, facts=seen.facts))
            if seen.facts
            else ("ask", _("title only")),
        ),
        ("grade", Word("Grade"), "grades.index", _grade(around().grades.get(scales.Scale.PEOPLE))),
        ("plan", Word("Plan"), "plans.index", _plan(seen)),
        (
            "people",
            Word("People"),
            "people.index",
            ("done" if seen.people else "not", short(seen.people) if seen.people else ""),
        ),
        ("duties", Word("Duties"), "obligations.index", _duties(seen)),
        ("notices", Word("Notices"), "notices.index", _notices(seen)),
        ("sending", Word("Sending"), "deliveries.index", _sending(seen)),
        *(
            (("enquiries", Word("Enquiries"), "enquiries.index", _enquiries(seen)),)
            if seen.asked or seen.addressed
            else ()
        ),
        ("reports", Word("Reports"), "reports.index", _reports(seen)),
        ("record", Word("Record"), "audit.index", ("done", "")),
        ("close", Word("Close"), "closing.index", ("done", _("closed")) if incident.state == "closed" else ("not", "")),
    )
    known = current_app.view_functions
    return [
        Stop(word, label, url_for(endpoint, incident=incident.ref), state, figure)
        for word, label, endpoint, (state, figure) in path
        if endpoint in known and may(known[endpoint])
    ]


def _grade(people: Weight | None) -> tuple[str, str]:
    if people is None:
        return "not", ""
    figure = f"{people.score:.2f}" if people.score is not None else people.level.replace("_", " ")
    return ("done" if people.basis == "chosen" else "ask"), figure


def _plan(seen: Overview) -> tuple[str, str]:
    if not seen.steps:
        return "not", ""
    if seen.steps_late:
        return "bad", _("%(steps_late)s late", steps_late=seen.steps_late)
    return ("done" if seen.steps_done == seen.steps else "way"), _(
        "%(steps_done)s of %(steps)s", steps_done=seen.steps_done, steps=seen.steps
    )


def _duties(seen: Overview) -> tuple[str, str]:
    if seen.late:
        return "bad", _("%(late)s late", late=seen.late)
    if seen.owed:
        return "way", _("%(owed)s owed", owed=seen.owed)
    if seen.open:
        return "ask", _("%(open)s open", open=seen.open)
    return ("done" if seen.met else "not"), _("%(met)s met", met=seen.met) if seen.met else ""


def _notices(seen: Overview) -> tuple[str, str]:
    if not seen.notices:
        return "not", ""
    if seen.submitted:
        return "ask", _("%(submitted)s to approve", submitted=seen.submitted)
    return ("done" if seen.sent == seen.notices else "way"), _(
        "%(sent)s of %(notices)s", sent=seen.sent, notices=seen.notices
    )


def _sending(seen: Overview) -> tuple[str, str]:
    if seen.trouble:
        return "bad", short(seen.trouble)
    if seen.under_way:
        return "way", _("%(under_way)s to go", under_way=short(seen.under_way))
    if seen.addressed:
        return ("done" if seen.reached == seen.addressed else "way"), short(seen.reached)
    return "not", ""


def _enquiries(seen: Overview) -> tuple[str, str]:
    if seen.unanswered_late:
        return "bad", _("%(late)s late", late=seen.unanswered_late)
    if seen.unanswered:
        return "way", _("%(open)s open", open=seen.unanswered)
    return ("done" if seen.asked else "not"), ""


def _reports(seen: Overview) -> tuple[str, str]:
    if seen.drafts:
        return "way", _("%(drafts)s to file", drafts=seen.drafts)
    return ("done", _("%(filed)s filed", filed=seen.filed)) if seen.filed else ("not", "")


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
    then: str
    asks: list[Ask]


def state(incident: Incident) -> State:
    """Grades as tags, the next due time, and what waits for a person."""
    tags = [
        (
            _(
                "%(lower)s: %(replace)s%(value)s",
                lower=said(caption)[:1].lower() + said(caption)[1:],
                replace=said(grade.level.replace("_", " ")),
                value=f" {grade.score:.2f}" if grade.score is not None else "",
            ),
            scales.TONES.get(grade.level, "idle"),
        )
        for scale, caption in scales.CAPTIONS.items()
        if (grade := around().grades.get(scale))
    ]
    dated = [row for row in pending(incident) if row.standing == "owed" and row.due_at is not None]
    first = dated[0] if dated else None
    return State(
        tags,
        due_words(first.due_at, now()) if first else None,
        first.title if first else "",
        _then(dated[0], dated[1:]) if dated else "",
        sorted(_asks(incident), key=lambda ask: ask.tone != "late"),
    )


def _then(first: FindingRow, others: Sequence[FindingRow]) -> str:
    """What is due at the same moment, and what comes after it of all that is still ahead; empty for nothing."""
    same = sum(1 for row in others if row.due_at == first.due_at)
    later = max(now(), first.due_at or now())
    ahead = next((row for row in others if row.due_at is not None and row.due_at > later), None)
    words = [ngettext("and %(count)s more at that time", "and %(count)s more at that time", same, count=same)]
    if ahead is not None:
        words.append(_("then %(due)s: %(title)s", due=due_words(ahead.due_at, now()).words, title=said(ahead.title)))
    return " · ".join(words if same else words[1:])


def current_facts(incident: Incident) -> dict[str, Fact]:
    """The latest fact of each key, read once a request."""
    if "facts_now" not in g:
        g.facts_now = rows.current_facts(incident.id)
    found: dict[str, Fact] = g.facts_now
    return found


def known_of(incident: Incident) -> Facts:
    """What is known of the incident, as the rules take it."""
    return from_json({key: row.value for key, row in current_facts(incident).items()})


def remember(every: Iterable[FindingRow]) -> None:
    """Take what is pending from all current findings, where a page has read them anyway."""
    g.pending_now = [row for row in every if row.standing in {"owed", "open"} and row.state in obligations.UNSETTLED]


def pending(incident: Incident) -> Sequence[FindingRow]:
    """The duties of this incident that are owed or open, owed ones first and soonest first; read once a request."""
    if "pending_now" not in g:
        g.pending_now = obligations.pending(incident.id)
    found: Sequence[FindingRow] = g.pending_now
    return found


def _asks(incident: Incident) -> list[Ask]:
    seen = overview(incident)
    ref = incident.ref
    waiting = len(
        {task.duty for task in public_tasks.waiting(incident.id, pending=pending(incident), facts=known_of(incident))}
    )
    candidates = (
        (
            not seen.facts,
            _("Only its title is known"),
            _("Say since when you know and what is concerned: clocks start there, and duties are worked out."),
            "incidents.facts",
            _("say it"),
            "open",
        ),
        (
            seen.opened,
            _("Somebody opened this incident in an emergency")
            if seen.opened == 1
            else _("%(opened)s openings in an emergency", opened=seen.opened),
            _("Somebody else on it says whether that was right; before that it cannot be closed."),
            "members.index",
            "review",
            "soon",
        ),
        (
            seen.late,
            ngettext("%(late)s duty is late", "%(late)s duties are late", seen.late, late=seen.late),
            _("Meet them, or say why they are waived."),
            "obligations.index",
            "late",
            "late",
        ),
        (
            seen.submitted,
            ngettext(
                "%(submitted)s notice waits for approval",
                "%(submitted)s notices wait for approval",
                seen.submitted,
                submitted=seen.submitted,
            ),
            _("Somebody who has not written on them must say yes."),
            "notices.index",
            "approval",
            "soon",
        ),
        (
            seen.trouble,
            ngettext(
                "%(trouble)s delivery needs a person",
                "%(trouble)s deliveries need a person",
                seen.trouble,
                trouble=short(seen.trouble),
            ),
            _("In doubt, failed, bounced or unreached."),
            "deliveries.index",
            "sending",
            "late",
        ),
        (
            seen.unanswered_late,
            ngettext(
                "%(late)s enquiry is late",
                "%(late)s enquiries are late",
                seen.unanswered_late,
                late=seen.unanswered_late,
            ),
            _("Somebody asked, and the promised time for an answer is over."),
            "enquiries.index",
            "late",
            "late",
        ),
        (
            seen.pages,
            ngettext(
                "%(pages)s public page is not as approved",
                "%(pages)s public pages are not as approved",
                seen.pages,
                pages=seen.pages,
            ),
            _("At the last look it said something else, was not there, or did not answer."),
            "public_tasks.show",
            _("look at it"),
            "late",
        ),
        (
            waiting,
            ngettext(
                "%(waiting)s law speaks of telling the public or the media",
                "%(waiting)s laws speak of telling the public or the media",
                waiting,
                waiting=waiting,
            ),
            _("The evidence stands beside each; somebody decides."),
            "public_tasks.show",
            "decide",
            "soon",
        ),
        (
            seen.open,
            ngettext("%(open)s duty is open", "%(open)s duties are open", seen.open, open=seen.open),
            _("They wait for answers; the questions that decide most stand first."),
            "obligations.questions",
            "open",
            "open",
        ),
        (
            not seen.steps,
            _("No plan is active yet"),
            _("The fitting playbook is suggested."),
            "plans.index",
            "plan",
            "soon",
        ),
        (
            seen.steps_late,
            ngettext(
                "%(steps_late)s step is overdue",
                "%(steps_late)s steps are overdue",
                seen.steps_late,
                steps_late=seen.steps_late,
            ),
            _("Take them, hand them over, or skip them with a reason."),
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
