"""The first page: what is due soonest over all incidents, what is open, what waits for the reader, what failed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select

from incident.domain.access import MEMBER, Role
from incident.domain.facts import vocabulary
from incident.domain.remedies import WARNED
from incident.store import improvements, obligations, overview, separation, tips, waits
from incident.store import incidents as rows
from incident.store.obligations import FindingRow
from incident.store.plans import Step
from incident.web import bar, findings, first_steps, marks, waiting, weekplot
from incident.web.access import may, me, now, permit, zone
from incident.web.dues import due_words
from incident.web.filters import number
from incident.web.languages import Word, _, ngettext, said
from incident.web.pages import named
from incident.web.tips import seen as reported
from incident.web.waiting import Row
from incident.web.weekplot import Mark

bp = Blueprint("desk", __name__)

LISTED = 12
PLOTTED = 60
LATE_LISTED = 5
"""So many late duties stand on the desk before those that can still be kept; more only where those leave room."""
LATE_PLOTTED = 20
ASKED_OF = 6
QUESTIONS = 5
HANDOVERS = 4


@bp.get("/")
@permit(MEMBER)
@named(Word("Desk"))
def home() -> ResponseReturnValue:
    """What is due soonest, and what waits for the reader; the team for who sees no incidents."""
    if not may("incident.view"):
        return redirect(url_for("team.index" if may("team.view") else "account.show"))
    mine = bar.mine()
    reports = tips.queue(reported()) if may("tip.view") else None
    today_ends = now().astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    count, due_today, late, outside = overview.numbers_of(mine, now(), today_ends, reports)
    found = _Found(mine, outside)
    waiting_ = found.waiting()
    return render_template(
        "desk/home.html",
        sentence=_sentence(count, due_today, late),
        count=count,
        first_steps=[] if count else first_steps.steps(),
        plot=weekplot.drawn(list(found.marks()), now(), zone()),
        duties=found.duties(),
        more_late=late - found.late_listed(),
        undone=found.undone(),
        questions=found.questions(),
        own=[*found.own_steps(), *found.own_improvements(), *(row for row in waiting_ if row.own)],
        others=[row for row in waiting_ if not row.own],
        handovers=found.handovers(),
        steps_first=Role.RESPONDER in me().roles and not {Role.LEAD, Role.PRIVACY} & set(me().roles),
    )


def _sentence(count: int, due_today: int, late: int) -> str:
    if not count:
        return _("No incident is open")
    said = ngettext("%(count)s incident open, ", "%(count)s incidents open, ", count, count=number(count))
    left = due_today - late
    if late:
        said += ngettext("%(late)s duty late", "%(late)s duties late", late, late=number(late))
        return said + _(", %(left)s more due today", left=number(left)) if left else said
    many = ngettext("%(due)s duty due today", "%(due)s duties due today", left, due=number(left))
    return said + many if left else said + _("no duty due today")


class _Found:
    """All the page needs, each list read once; incidents by number with one query."""

    def __init__(self, mine: Select[Any], outside: int) -> None:
        self.reported = outside
        spans: dict[str, tuple[obligations.Window, int]] = {
            "late": ((None, now()), LATE_PLOTTED),
            "ahead": ((now(), None), PLOTTED - LATE_PLOTTED),
            "timeless": (None, LISTED),
        }
        by_span = obligations.first_of_each(obligations.unsettled(mine), spans)
        self.late, self.ahead, self.timeless = (by_span[name] for name in spans)
        self.findings = [*self.late, *self.ahead, *self.timeless]
        self.steps = overview.steps_due(mine, limit=PLOTTED)
        self.waits = waits.read(mine, now=now(), until=now().date() + WARNED, limit=LISTED)
        self.roles = separation.requests_to_answer(me(), now(), limit=LISTED) if may("roles.confirm") else ()
        self.improvements = improvements.open_of(me().id, mine, limit=LISTED) if may("improvement.view") else ()
        self.wants = overview.wanted_of_newest(mine, ASKED_OF)
        self.notes = rows.handovers(mine, limit=HANDOVERS)
        listed: tuple[Sequence[Any], ...] = (
            self.findings,
            self.steps,
            self.improvements,
            [note for note, _ in self.notes],
        )
        ids = {row.incident_id for some in listed for row in some} | {wanted[0] for wanted in self.wants}
        ids |= self.waits.incidents
        self.incidents = rows.by_ids(ids)

    def marks(self) -> Iterator[Mark]:
        """Every dated thing as a mark of the plot."""
        for finding in self.findings:
            if finding.due_at is not None:
                yield self._mark(
                    finding.incident_id, finding.due_at, marks.kind(finding), finding.title, self._duty(finding)
                )
        for step in self.steps:
            if step.due_at is not None:
                yield self._mark(step.incident_id, step.due_at, "step", step.title, self._step(step))

    def _mark(self, incident: int, at: Any, kind: str, title: str, href: str) -> Mark:
        words = due_words(at, now())
        return Mark(self._ref(incident), at, kind, words.tone, f"{said(title)}, {words.words}", href)

    def duties(self) -> list[Row]:
        """Duties over all incidents, soonest first; those without a time come last. Late ones do not crowd out the others."""
        late = self.late[: self.late_listed()]
        return [self._duty_row(row) for row in [*late, *self.ahead, *self.timeless][:LISTED]]

    def late_listed(self) -> int:
        """How many late duties stand among them."""
        return min(len(self.late), max(LATE_LISTED, LISTED - len(self.ahead)))

    def undone(self) -> list[Row]:
        """Steps over all incidents, soonest first."""
        return [self._step_row(row) for row in self.steps[:LISTED]]

    def _duty_row(self, row: FindingRow) -> Row:
        mark = marks.MARKS[marks.look(row, now())]
        words = due_words(row.due_at, now(), none=findings.NO_TIME.get(row.clock, "no fixed time"))
        return Row(
            words,
            row.title,
            self._duty(row),
            self._named(row.incident_id),
            marks.word(row, now()),
            mark.tone,
            _("to be accepted") if row.state == "proposed" else "",
            mark.sign,
            rule=said(row.clock_words),
        )

    def _step_row(self, row: Step) -> Row:
        return Row(
            due_words(row.due_at, now()),
            row.title,
            self._step(row),
            self._named(row.incident_id),
            "",
            "idle",
            _("nobody") if row.owner_id is None else "",
        )

    def own_steps(self) -> list[Row]:
        """The reader's own steps, soonest first."""
        return [self._step_row(step) for step in self.steps if step.owner_id == me().id][:LISTED]

    def own_improvements(self) -> list[Row]:
        """What the reader is to do after incidents, soonest first."""
        return [
            Row(
                due_words(row.due_at, now()),
                row.text,
                url_for("improvement.show", incident=self._ref(row.incident_id), ref=row.ref),
                self._named(row.incident_id),
                _("improvement"),
            )
            for row in self.improvements
        ]

    def questions(self) -> list[dict[str, Any]]:
        """The questions whose answers decide most duties, over the newest incidents."""
        counted: Counter[tuple[int, str]] = Counter()
        for incident, keys, many in self.wants:
            for key in keys:
                counted[incident, key] += many
        decided = [one for one in counted.items() if one[0][1] in vocabulary()]
        return [
            {
                "label": vocabulary()[key].label,
                "count": count,
                "incident": self._named(incident),
                "href": url_for("incidents.fact", incident=self._ref(incident), key=key, back="show"),
            }
            for (incident, key), count in sorted(decided, key=self._pressing)[:QUESTIONS]
        ]

    def _pressing(self, asked: tuple[tuple[int, str], int]) -> tuple[bool, int]:
        """Real incidents before drills, then what decides most."""
        (incident, _), count = asked
        return self.incidents[incident].kind == "drill", -count

    def waiting(self) -> list[Row]:
        """What waits for a person: approvals first, then what failed, then drafts."""
        return [
            *waiting.asked_roles(self.roles),
            *waiting.reported(self.reported),
            *waiting.notices(self.waits.notices, self.incidents),
            *waiting.sendings(self.waits.dispatches, self.incidents),
            *waiting.pages(self.waits.pages, self.incidents),
            *waiting.remedies(self.waits.remedies, self.incidents),
            *waiting.asks(self.waits.asks, self.incidents),
            *waiting.reports(self.waits.drafts, self.incidents),
        ]

    def handovers(self) -> list[dict[str, Any]]:
        """The last handover of each incident, newest first, but for what counsel marked."""
        return [
            {
                "text": note.text,
                "by": name or note.written_by,
                "at": note.written_at,
                "incident": self._named(note.incident_id),
                "href": url_for("incidents.show", incident=self._ref(note.incident_id)),
            }
            for note, name in self.notes
        ]

    def _ref(self, incident: int) -> str:
        return self.incidents[incident].ref

    def _named(self, incident: int) -> str:
        return f"{self.incidents[incident].ref} {self.incidents[incident].title}"

    def _duty(self, row: FindingRow) -> str:
        return url_for("obligations.show", incident=self._ref(row.incident_id), ref=row.ref)

    def _step(self, row: Step) -> str:
        return url_for("plans.show", incident=self._ref(row.incident_id), step=row.ref)
