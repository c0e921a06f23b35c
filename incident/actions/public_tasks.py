"""Begin a notice in public where a law lets or makes the public be told, or decline to. A person decides, on kept figures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from incident.actions import counts, notices
from incident.actions.ledger import Ledger, transaction
from incident.domain import incidents as incident_rules
from incident.domain import notices as notice_rules
from incident.domain import public_tasks as rules
from incident.domain.answers import Truth
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.facts import Facts
from incident.domain.notices import Channel, Stage
from incident.domain.public_tasks import Choice, Figures, Kind, Task
from incident.domain.wording import cleaned
from incident.store import incidents, law_editions, obligations
from incident.store import notices as notice_rows
from incident.store import public_tasks as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.notices import Notice
from incident.store.obligations import FindingRow
from incident.store.public_tasks import PublicDecision

COST: Final = "notice_cost"
LONGEST_REASON: Final = 2_000
TITLES: Final = {Kind.SUBSTITUTE: "Notice in public", Kind.MEDIA: "Notice to the media"}
SAID_ALREADY: Final = (Stage.SUBMITTED, Stage.APPROVED, Stage.SENDING, Stage.SENT)


@dataclass(frozen=True)
class Tasks:
    """What laws say of telling the public in one incident, the figures behind it, and what was decided so far."""

    found: Sequence[Task]
    figures: Figures
    decided: dict[str, PublicDecision]

    @property
    def waiting(self) -> list[Task]:
        """What is shown and nobody has decided: one alternative of a law settles its others."""
        return _undecided(self.found, self.decided)


def of(incident_id: int, untold: int | None = None) -> Tasks:
    """The tasks of an incident as they are now. `untold` is how many a sending did not reach, where one is looked at."""
    return Tasks(_found(incident_id), _figures(incident_id, untold), _decided(incident_id))


def waiting(incident_id: int, *, pending: Sequence[FindingRow] | None = None, facts: Facts | None = None) -> list[Task]:
    """The same tasks that wait for a decision, without the figures that it needs.

    Whoever has read the pending duties or the facts of the incident gives them, so that they are not read twice.
    """
    found = _found(incident_id, pending, facts)
    return _undecided(found, _decided(incident_id)) if found else []


def _undecided(found: Sequence[Task], decided: Mapping[str, PublicDecision]) -> list[Task]:
    settled = {row.duty for row in decided.values()}
    return [task for task in found if task.truth is Truth.YES and task.duty not in settled]


def _found(incident_id: int, pending: Sequence[FindingRow] | None = None, facts: Facts | None = None) -> Sequence[Task]:
    book = law_editions.of_incident(incident_id)
    facts = incidents.known(incident_id) if facts is None else facts
    found: list[Task] = []
    for finding in obligations.current(incident_id).values() if pending is None else pending:
        duty = book.duty(finding.duty)
        if duty is not None and finding.standing == "owed" and finding.state not in {"waived", "met"}:
            found += rules.of_duty(duty, facts, finding.due_at)
    unique = {task.key: task for task in reversed(rules.in_order(found))}
    return rules.in_order(unique.values())


def _figures(incident_id: int, untold: int | None) -> Figures:
    counted = counts.counted(incident_id)
    return Figures(counted.active, counted.reached_by_none, counted.doubtful, untold, _cost(incident_id))


def _cost(incident_id: int) -> dict[str, Any] | None:
    """The estimate of what telling each person would cost, with its source, as somebody recorded it."""
    fact = incidents.current_facts(incident_id).get(COST)
    if fact is None or not isinstance(fact.value, int | float) or isinstance(fact.value, bool):
        return None
    return {"amount": fact.value, "source": fact.source, "by": fact.recorded_by, "at": fact.recorded_at.isoformat()}


def _decided(incident_id: int) -> dict[str, PublicDecision]:
    """The last decision on each task, by its key; one whose notice was withdrawn decides nothing any more."""
    made = rows.of_incident(incident_id)
    notices_of = rows.notice_refs({row.notice_id for row in made if row.notice_id})
    standing = [row for row in made if row.notice_id is None or notices_of[row.notice_id][1] != Stage.WITHDRAWN]
    return {str(row.evidence["key"]): row for row in reversed(standing)}


def draft(
    incident: str, keys: Collection[str], *, actor: str, now: datetime, like: str = "", untold: int | None = None
) -> str:
    """Begin one notice in public for these tasks, with all that their laws want in it; its reference.

    Raises Missing, Refused, Invalid.
    """
    with transaction(actor, now) as ledger:
        case = _open(incident)
        tasks = of(case.id, untold)
        chosen = [task for task in tasks.found if task.key in set(keys)]
        if not chosen or len(chosen) != len(set(keys)):
            raise Refused("The duties have changed since this page was opened. Look at them again, then decide.")
        if len({task.kind for task in chosen}) > 1:
            raise Invalid(
                "tasks", "A notice to the public and one to the media are two notices: begin them one by one."
            )
        made = begun(case, chosen, tasks.figures, ledger, model=_model(case, like))
    return made.ref


def begun(case: Incident, chosen: Sequence[Task], figures: Figures, ledger: Ledger, *, model: Notice | None) -> Notice:
    """A draft for these tasks with its decisions and lines, inside the caller's transaction."""
    kind = chosen[0].kind
    languages = model.languages if model else ("en",)
    made = notices.drafted(
        case, TITLES[kind], ledger, languages=languages, model=model, channels=(Channel.ANNOUNCEMENT,)
    )
    for language, row in notice_rows.texts(made.id).items():
        text = rules.to_everybody(notice_rules.text_from_json(language, row.content))
        text = rules.prompted(text, chosen)
        row.content = notice_rules.text_as_json(text)
    for task in chosen:
        _decide(case, task, Choice.DRAFTED, figures, ledger, notice=made)
    return made


def decline(incident: str, key: str, *, reason: str, actor: str, now: datetime) -> None:
    """Say why the public is not told in place of each person here, though the law allows it. Raises Missing, Refused, Invalid."""
    why = cleaned(reason).strip()
    if not why or len(why) > LONGEST_REASON:
        raise Invalid("reason", "Give the reason in a few sentences: it is kept with the figures of this moment.")
    with transaction(actor, now) as ledger:
        case = _open(incident)
        tasks = of(case.id)
        task = next((one for one in tasks.found if one.key == key), None)
        if task is None:
            raise Missing()
        if task.kind is Kind.MEDIA:
            raise Refused("The law demands this one: if it is not to be done, waive the duty on its own page.")
        _decide(case, task, Choice.DECLINED, tasks.figures, ledger, reason=why)


def _decide(
    case: Incident,
    task: Task,
    choice: Choice,
    figures: Figures,
    ledger: Ledger,
    *,
    notice: Notice | None = None,
    reason: str = "",
) -> None:
    ref = new_ref("PD")
    law_digest = law_editions.of_incident(case.id)[task.cite.law].digest
    row = PublicDecision(
        ref=ref,
        incident_id=case.id,
        duty=task.duty,
        kind=task.kind.value,
        decision=choice.value,
        notice_id=notice.id if notice else None,
        evidence=rules.evidence(task, figures, law_digest),
        reason=reason,
        by=ledger.actor,
        at=ledger.now,
    )
    db.session.add(row)
    ledger.write(
        f"public_task.{choice}",
        ref,
        incident=case.ref,
        duty=task.duty,
        notice=notice.ref if notice else None,
        people=figures.people,
        unreachable=figures.unreachable,
        days=task.days,
        law_digest=law_digest,
    )


def _model(case: Incident, like: str) -> Notice | None:
    """The notice whose text is taken: the one named, or the newest that went before an approver; else the starter text."""
    if like:
        named = notice_rows.by_ref(case.id, like)
        if named is None:
            raise Missing()
        return named
    return next((row for row in notice_rows.of_incident(case.id) if row.stage in SAID_ALREADY), None)


def _open(ref: str) -> Incident:
    found = incidents.by_ref(ref)
    if found is None:
        raise Missing()
    incident_rules.must_be_open(found.state)
    return found
