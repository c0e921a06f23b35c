"""How a drill went: what was expected held against what people did, the acts and injects on one line of time, and the report of it."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from incident.actions.ledger import transaction
from incident.domain import drills as rules
from incident.domain import scenarios
from incident.domain.after_action import AfterAction, Done, Said, Thrown
from incident.domain.drills import NOT_BY_PEOPLE, Act, Judged
from incident.domain.errors import Invalid, Missing
from incident.domain.verbs import sentence
from incident.exports import after_action as exports
from incident.exports.files import File
from incident.store import drills as rows
from incident.store import incidents
from incident.store.drills import Drill
from incident.store.incidents import Incident

TOLD: Final = (
    "drill.inject_answered",
    "dispatch.started",
    "evidence.added",
    "facts.recorded",
    "finding.accepted",
    "finding.met",
    "finding.waived",
    "findings.accepted",
    "grade.chosen",
    "incident.lead_changed",
    "note.added",
    "note.handed_over",
    "notice.approved",
    "notice.drafted",
    "notice.sent_back",
    "notice.submitted",
    "plan.activated",
    "report.filed",
    "report.started",
    "step.finished",
    "step.skipped",
)
"""What of the record is shown on the line of time: what people decided, told and finished."""


def judged(case: Incident, row: Drill, now: datetime) -> list[Judged]:
    """Each expectation that came into force, as it stands now."""
    expected = [scenarios.expected(one) for one in row.script["expected"]]
    verbs = {verb for one in expected for verb in one.verbs}
    return rules.judged(expected, _acts(case, verbs), rows.arrivals(case.id), row.clock, now)


def _acts(case: Incident, verbs: set[str]) -> list[Act]:
    """What people did, by these verbs, oldest first; facts that an inject brought are nobody's act."""
    brought = {_instant(at) for at in rows.arrivals(case.id).values()}
    found = []
    for line in rows.lines(case.ref, verbs):
        if line.verb == "facts.recorded" and line.at in brought:
            continue
        at = datetime.fromisoformat(line.at)
        found.append(Act(line.seq, at, line.verb, line.actor, line.subject, json.loads(line.details)))
    return found


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def told(case: Incident, row: Drill, *, now: datetime) -> AfterAction:
    """Everything that the report of a drill says, as it stands now; final once it has ended."""
    work, found = row.clock, judged(case, row, now)
    acts = [act for act in _acts(case, set(TOLD)) if act.actor not in NOT_BY_PEOPLE and act.at > work.began_at]
    return AfterAction(
        ref=case.ref,
        title=row.script["title"],
        summary=row.script["summary"],
        scenario=row.scenario,
        digest=row.digest,
        factor=row.factor,
        facilitator=row.facilitator,
        began_at=row.began_at,
        ended_at=row.ended_at,
        made_at=now,
        minutes=work.minute(now),
        planned=row.script["minutes"],
        score=rules.score(found),
        counts=rules.tally(found),
        judged=tuple(found),
        thrown=tuple(sorted(_thrown(row, now), key=_as_they_came)),
        done=tuple(
            Done(
                act.seq, work.minute(act.at), act.at, act.actor, act.verb, sentence(act.verb, act.subject, act.details)
            )
            for act in acts
            if row.ended_at is None or act.at <= row.ended_at
        ),
        remarks=tuple(Said(one.ref, one.kind, one.text, one.lesson, one.written_by) for one in rows.remarks(case.id)),
    )


def _thrown(row: Drill, now: datetime) -> list[Thrown]:
    work = row.clock
    return [
        Thrown(
            one.ref, one.key, one.minute, one.kind, one.sender, one.title, one.state,
            work.minute(one.arrived_at) if one.arrived_at else None,
            work.minute(one.answered_at) if one.answered_at else None,
            one.wants_answer,
        )
        for one in rows.injects(row.incident_id)
    ]  # fmt: skip


def _as_they_came(one: Thrown) -> tuple[bool, int]:
    """What came in stands in the order in which it came; what never came stands last, in the order of the plan."""
    return (one.arrived is None, one.arrived or 0)


def of(incident: str, *, now: datetime) -> AfterAction:
    """The same by the reference of the incident. Raises Missing."""
    case = incidents.by_ref(incident)
    row = rows.of(case.id) if case is not None else None
    if case is None or row is None:
        raise Missing()
    return told(case, row, now=now)


def export(
    incident: str,
    kind: str,
    *,
    company: str,
    zone: ZoneInfo,
    names: Mapping[str, str],
    language: str = "en",
    actor: str,
    now: datetime,
) -> File:
    """The report as a file, its digest in the record; people read it in `language`, programs always in English. Raises Invalid, Missing."""
    if kind not in MAKERS:
        raise Invalid("kind", f"The report can be had as {', '.join(MAKERS)}.")
    about = of(incident, now=now)
    with transaction(actor, now) as ledger:
        made = File(f"{incident}-drill", kind, MAKERS[kind](about, company, zone, names, language))
        ledger.write(
            "drill.exported", incident, incident=incident, kind=kind, sha256=made.sha256, size=len(made.content)
        )
    return made


MAKERS: Mapping[str, Callable[[AfterAction, str, ZoneInfo, Mapping[str, str], str], bytes]] = {
    "pdf": exports.pdf,
    "json": lambda about, company, zone, names, language: exports.data(about),
    "csv": lambda about, company, zone, names, language: exports.table(about),
}
