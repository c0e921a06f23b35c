"""What we do with what somebody told us: read it, answer, make an incident of it, join it to one, link it, set it aside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Select, select

from incident.actions import evidence, intake
from incident.actions.ledger import Ledger, transaction
from incident.actions.tips import Said, incident_ref, write
from incident.domain import tips as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.incidents import Kind as IncidentKind
from incident.domain.tips import Kind, Outcome, State, Suggested, Way
from incident.store import files, incidents, sealed, traces
from incident.store import tips as rows
from incident.store.db import db, new_secret_ref
from incident.store.incidents import Incident
from incident.store.tips import Tip, TipFile, TipMail

CONFIDENCE: Final = "medium"
WHYS: Final[Mapping[str, str]] = {
    "nothing_in_it": "there is nothing in it",
    "not_about_us": "it is not about us",
    "unwanted": "advertising, or sent by a machine",
    "cannot_be_followed": "it says too little, and nobody answered our questions",
}


@dataclass(frozen=True)
class Sheet:
    """A report as we see it, opened; with the incident that it became or belongs to."""

    tip: Tip
    case: Incident | None
    said: Mapping[str, Any]
    messages: Sequence[tuple[Said, TipMail | None]]
    files: Sequence[tuple[TipFile, str]]
    suggested: Sequence[Suggested]


def read(ref: str, *, among: Select[Tip] | None = None, actor: str, now: datetime) -> Sheet:
    """Open one of these reports, of all where none are named; the look leaves a line. Raises Missing, Erased, Unreadable."""
    with transaction(actor, now) as ledger:
        known = rows.with_case(select(Tip) if among is None else among, ref)
        if known is None:
            raise Missing()
        tip, case = known
        ledger.write("tip.read", tip.ref, incident=case.ref if case else None)
    wrote, mails, found = rows.since(tip)
    messages = [
        (Said(one.written_by != "public", text, one.written_at, one.written_by), mails.get(one.id))
        for one, text in zip(wrote, rows.words(tip, wrote), strict=True)
    ]
    said = rows.told(tip)
    return Sheet(
        tip,
        case,
        said,
        messages,
        list(zip(found, rows.names(tip, found), strict=True)),
        rules.suggested(Kind(tip.kind), said, tip.received_at),
    )


def take(ref: str, *, actor: str, now: datetime) -> None:
    """Take a report in hand; one that was settled is taken up again. Raises Missing."""
    with transaction(actor, now) as ledger:
        tip = _tip(ref)
        if (tip.state, tip.taken_by) == (State.IN_HAND, actor):
            ledger.unchanged()
            return
        if tip.state == State.SETTLED and tip.outcome in rows.JOINED:
            raise Refused("It belongs to an incident. Take it out of that first.")
        tip.state, tip.outcome, tip.settled_at, tip.original_id = State.IN_HAND, Outcome.NONE, None, None
        tip.taken_by, tip.changed_at = actor, now
        _write(ledger, "tip.taken", tip)


def sort(ref: str, kind: str, *, actor: str, now: datetime) -> None:
    """Say what a report is about. Raises Invalid, Missing."""
    meant = rules.kind(kind)
    with transaction(actor, now) as ledger:
        tip = _tip(ref)
        if tip.kind == meant:
            ledger.unchanged()
            return
        tip.kind, tip.changed_at = meant, now
        _write(ledger, "tip.sorted", tip, kind=meant.value)


def answer(ref: str, text: str, *, settle: bool, actor: str, now: datetime) -> None:
    """Write to whoever reported; by e-mail too where they gave an address. Raises Unfit, Missing."""
    words = rules.text("text", text)
    with transaction(actor, now) as ledger:
        tip = _tip(ref)
        row = write(tip, words, way=Way.DESK, by=actor, now=now)
        mailed = bool(rows.told(tip).get("email"))
        if mailed:
            mail = TipMail(ref=new_secret_ref(), tip_id=tip.id, message_id=row.id, next_at=now, changed_at=now)
            db.session.add(mail)
        tip.waits, tip.changed_at = False, now
        if tip.state == State.NEW:
            tip.state, tip.taken_by = State.IN_HAND, actor
        _write(ledger, "tip.answered", tip, mailed=mailed)
        if settle and tip.state != State.SETTLED:
            _settle(tip, Outcome.ANSWERED, ledger)


def become(
    ref: str,
    title: str,
    facts: Sequence[str],
    *,
    near_miss: bool,
    house: intake.Own | None,
    actor: str,
    now: datetime,
) -> str:
    """Open an incident or a near miss from a report, with those of its suggested facts that were ticked; its reference.

    The facts' source is the report, and they were learnt when it came. Raises Invalid, Refused, Missing.
    """
    kind, outcome = (
        (IncidentKind.NEAR_MISS, Outcome.NEAR_MISS) if near_miss else (IncidentKind.INCIDENT, Outcome.INCIDENT)
    )
    with transaction(actor, now) as ledger:
        tip = _unsettled(ref)
        incident = intake.opened(
            ledger,
            kind=kind,
            title=title,
            facts=_ticked(tip, facts),
            house=house,
            source=source_of(tip),
            confidence=CONFIDENCE,
            learnt_at=tip.received_at,
        )
        tip.incident_id = incident.id
        _settle(tip, outcome, ledger)
    return incident.ref


def join(ref: str, incident: str, facts: Sequence[str], *, actor: str, now: datetime) -> None:
    """Put a report to an incident that is open, with the ticked facts that it does not know yet. Raises Invalid, Refused, Missing."""
    with transaction(actor, now) as ledger:
        tip, case = _unsettled(ref), incidents.by_ref(incident)
        if case is not None and case.kind == "drill":
            raise Refused(
                "This incident is a drill. Whoever reported something is real: put it to an incident that is."
            )
        known = (
            {key for key, row in incidents.current_facts(case.id).items() if row.value is not None} if case else set()
        )
        case = intake.add_learnt(
            ledger,
            incident,
            {key: value for key, value in _ticked(tip, facts).items() if key not in known},
            source=source_of(tip),
            confidence=CONFIDENCE,
            learnt_at=tip.received_at,
        )
        tip.incident_id = case.id
        _settle(tip, Outcome.JOINED, ledger)


def take_out(ref: str, *, actor: str, now: datetime) -> None:
    """Take a report out of the incident that it was put to by mistake; facts stay, since they are only added. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        tip = _tip(ref)
        if tip.incident_id is None:
            raise Refused("It belongs to no incident.")
        _write(ledger, "tip.taken_out", tip)
        tip.incident_id, tip.state, tip.outcome = None, State.IN_HAND, Outcome.NONE
        tip.settled_at, tip.taken_by, tip.changed_at = None, actor, now


def link(ref: str, original: str, *, actor: str, now: datetime) -> None:
    """Say that a report tells what another one told before. Raises Invalid, Refused, Missing."""
    with transaction(actor, now) as ledger:
        tip, other = _unsettled(ref), rows.by_ref(original.strip().upper())
        if other is None:
            raise Invalid("original", "There is no report with this reference.")
        rules.demand_other(tip.ref, other.ref, original_is_duplicate=other.original_id is not None)
        tip.original_id = other.id
        _settle(tip, Outcome.DUPLICATE, ledger, original=other.ref)


def unlink(ref: str, *, actor: str, now: datetime) -> None:
    """Take back that a report repeats another one: it is in hand again. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        tip = _tip(ref)
        if tip.original_id is None:
            raise Refused("It is linked to no other report.")
        tip.original_id, tip.state, tip.outcome, tip.settled_at = None, State.IN_HAND, Outcome.NONE, None
        tip.taken_by, tip.changed_at = actor, now
        _write(ledger, "tip.unlinked", tip)


def set_aside(ref: str, why: str, *, actor: str, now: datetime) -> None:
    """End a report that leads to nothing, for a reason of a fixed list. Raises Invalid, Refused, Missing."""
    if why not in WHYS:
        raise Invalid("why", "Choose one of the reasons.")
    with transaction(actor, now) as ledger:
        _settle(_unsettled(ref), Outcome.SET_ASIDE, ledger, why=why)


def forget(ref: str, *, folder: Path, actor: str, now: datetime) -> None:
    """Destroy what a settled report said, its messages and files, here and after a restore; that there was one stays."""
    with transaction(actor, now) as ledger:
        tip = _tip(ref)
        if tip.incident_id is not None or tip.state != State.SETTLED or not (names := rows.key_refs([tip])):
            ledger.unchanged()
            return
        gone = rows.destroy([tip], now=now)
        _write(ledger, "tip.erased", tip, files=len(gone))
        for name in names:
            ledger.at_last(partial(sealed.ring().note_erased, name))
    for file in gone:
        (folder / file).unlink(missing_ok=True)
    traces.take_out()


def take_copy(
    ref: str, file_ref: str, *, folder: Path, actor: str, now: datetime
) -> tuple[TipFile, str, Iterator[bytes]]:
    """A file of a report, its name and its bytes; the look leaves a line first. Raises Missing, Unreadable, Erased."""
    with transaction(actor, now) as ledger:
        tip = _tip(ref)
        found = _file(tip, file_ref)
        _write(ledger, "tip.file_taken", tip, file=found.ref, sha256=found.sha256)
    key = rows.key_of(tip)
    [name] = rows.names(tip, [found])
    return found, name, files.pieces(folder / found.stored_as, key, found.stored_as)


def as_evidence(ref: str, file_ref: str, *, folder: Path, actor: str, now: datetime) -> str:
    """Copy a file of a report to the evidence of its incident; the piece's reference. Raises Refused, Missing, Unreadable."""
    tip = _tip(ref)
    case = incident_ref(tip)
    if case is None:
        raise Refused("It belongs to no incident yet. Put it to one first.")
    found = _file(tip, file_ref)
    [name] = rows.names(tip, [found])
    return evidence.bring(
        case,
        files.opened(folder / found.stored_as, rows.key_of(tip), found.stored_as),
        name=name,
        brought_by=source_of(tip),
        description=f"Came with {tip.ref} as {found.ref}",
        folder=folder,
        actor=actor,
        now=now,
    )


def source_of(tip: Tip) -> str:
    """How facts and evidence name where they came from."""
    return f"Report {tip.ref} from outside ({rules.LABELS[tip.kind]})"


def _tip(ref: str) -> Tip:
    tip = rows.by_ref(ref, locked=True)
    if tip is None:
        raise Missing()
    return tip


def _unsettled(ref: str) -> Tip:
    tip = _tip(ref)
    rules.demand_unsettled(tip.state)
    return tip


def _file(tip: Tip, ref: str) -> TipFile:
    found = rows.file(tip, ref)
    if found is None or not found.stored_as:
        raise Missing()
    return found


def _ticked(tip: Tip, keys: Sequence[str]) -> dict[str, Any]:
    offered = rules.suggested(Kind(tip.kind), rows.told(tip), tip.received_at)
    return {one.key: one.value for one in offered if one.key in keys}


def _settle(tip: Tip, outcome: Outcome, ledger: Ledger, **more: object) -> None:
    tip.state, tip.outcome, tip.waits = State.SETTLED, outcome, False
    tip.settled_at = tip.changed_at = ledger.now
    tip.taken_by = tip.taken_by or ledger.actor
    _write(ledger, "tip.settled", tip, outcome=outcome.value, **more)


def _write(ledger: Ledger, verb: str, tip: Tip, **more: object) -> None:
    case = incidents.by_ids([tip.incident_id]).get(tip.incident_id) if tip.incident_id is not None else None
    ledger.write(verb, tip.ref, incident=case.ref if case else None, **more)
