"""Whether rows still say what their lines say: facts, approvals, notices, deliveries, grades, reports, roles, sealed values.

The record says who changed what, with a digest of it. Here each row is held against its lines, so that what was changed past
the program, by hand in the database, is named by its reference. It reads everything once; it changes nothing.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import select

from incident.actions import grades as grading
from incident.actions.batches import place
from incident.actions.ledger import instant
from incident.actions.notices import fingerprint
from incident.domain import deliveries as delivery_rules
from incident.domain import notices as notice_rules
from incident.domain import reports as report_rules
from incident.domain.audit import canonical
from incident.domain.deliveries import State
from incident.domain.errors import Refused
from incident.domain.people import State as Listed
from incident.store import incidents, notice_proofs, sealed, words
from incident.store import notices as notice_rows
from incident.store.audit import AuditLine
from incident.store.claims import DeliveryClaim
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.grades import Grade
from incident.store.incidents import Fact, Incident
from incident.store.keys import KeysError
from incident.store.notices import Notice, NoticeVersion
from incident.store.people import Person
from incident.store.reconciliation import Result, first
from incident.store.reports import Report, ReportFile
from incident.store.sealed import Erased, Unreadable
from incident.store.users import User

AT_ONCE: Final = 1_000
ABOUT: Final = (
    "account.created", "account.locked", "account.unlocked", "deliveries.cancelled", "deliveries.no_channel_left",
    "deliveries.set_aside", "deliveries.settled", "dispatch.erased", "dispatch.stopped", "facts.recorded", "grade.chosen",
    "grade.suggested", "incident.erased", "invitation.accepted", "notice.approved", "notice.drafted", "notice.edited",
    "notice.submitted", "person.erased", "report.filed", "report.saved", "roles.changed", "second_factor.reset",
)  # fmt: skip
ROLES: Final[Mapping[str, str]] = {
    "account.created": "roles",
    "invitation.accepted": "roles",
    "roles.changed": "after",
    "second_factor.reset": "after",
}
"""Lines after which an account has the roles that this detail names."""


@dataclass
class Said:
    """What the lines say, by verb and subject, oldest first; facts by incident and key."""

    lines: dict[tuple[str, str], list[AuditLine]] = field(default_factory=lambda: defaultdict(list))
    roles: dict[str, list[str]] = field(default_factory=dict)
    active: dict[str, bool] = field(default_factory=dict)

    def of(self, verb: str, subject: str) -> list[AuditLine]:
        """The lines with this verb about this subject."""
        return self.lines.get((verb, subject), [])

    def last(self, verb: str, subject: str) -> dict[str, Any] | None:
        """What the newest of them says further."""
        found = self.of(verb, subject)
        return details(found[-1]) if found else None


def run() -> list[Result]:
    """All comparisons, in the order in which one would look."""
    said = _gathered()
    checks: tuple[tuple[str, Callable[[Said], Iterator[str]]], ...] = (
        ("Facts are those that were recorded", _facts),
        ("Notices are those that were written, submitted and approved", _notices),
        ("Deliveries came to what their batches settled or was reported since", _deliveries),
        ("Grades are those that were suggested and chosen", _grades),
        ("Reports and their files are those that were filed", _reports),
        ("Everybody has the roles that were given", _roles),
        ("Everything sealed opens at its place", _sealed),
        ("What stands on the list of the erased is erased", _erased),
    )
    return [Result(about, first(find(said))) for about, find in checks]


def details(line: AuditLine) -> dict[str, Any]:
    """What a line says further."""
    found: dict[str, Any] = json.loads(line.details)
    return found


def _gathered() -> Said:
    said = Said()
    query = select(AuditLine).where(AuditLine.verb.in_(ABOUT)).order_by(AuditLine.seq)
    for line in db.session.scalars(query.execution_options(yield_per=AT_ONCE)):
        said.lines[line.verb, line.subject].append(line)
        if line.verb in ROLES:
            told = details(line)
            if ROLES[line.verb] in told:
                said.roles[told.get("account", line.subject)] = list(told[ROLES[line.verb]])
        if line.verb in {"account.locked", "account.unlocked"}:
            said.active[line.subject] = line.verb == "account.unlocked"
    return said


# Facts --------------------------------------------------------------------------------------------------------------


def _facts(said: Said) -> Iterator[str]:
    """Each line takes its rows in their order, key by key; what is left over has no line."""
    for incident in db.session.scalars(select(Incident).order_by(Incident.id)):
        kept: dict[str, list[Fact]] = defaultdict(list)
        for fact in incidents.all_facts(incident.id):
            kept[fact.key].append(fact)
        gone = sealed.is_erased(incident.id)
        for line in said.of("facts.recorded", incident.ref):
            yield from _of_one_line(incident, line, kept, gone)
        for key, left in sorted(kept.items()):
            if left:
                yield f"{incident.ref} has {len(left)} values of the fact {key} of which no line speaks."


def _of_one_line(incident: Incident, line: AuditLine, kept: dict[str, list[Fact]], gone: bool) -> Iterator[str]:
    told = details(line)
    missing = [key for key in told["keys"] if not kept[key]]
    if missing:
        yield f"{incident.ref} has lost values of {', '.join(missing)} that line {line.seq} recorded."
        return
    rows = {key: kept[key].pop(0) for key in told["keys"]}
    if "rows" in told:
        agrees = incidents.facts_digest(rows.values()) == told["rows"]
    else:  # a line of an earlier version, over the values as they were written
        values = {key: row.value for key, row in rows.items()}
        agrees = gone or sha256(canonical(values).encode()).hexdigest() == told["digest"]
    if not agrees or any((row.recorded_by, instant(row.recorded_at)) != (line.actor, line.at) for row in rows.values()):
        yield f"{incident.ref}: the facts {', '.join(sorted(rows))} are not those that line {line.seq} recorded."


# Notices and approvals ----------------------------------------------------------------------------------------------


def _notices(said: Said) -> Iterator[str]:
    for notice in db.session.scalars(select(Notice).order_by(Notice.id)):
        yield from _draft(said, notice)
        for version in db.session.scalars(_versions(notice)):
            yield from _version(said, notice, version)
    yield from _approved(said)


def _versions(notice: Notice) -> Any:
    return select(NoticeVersion).where(NoticeVersion.notice_id == notice.id).order_by(NoticeVersion.number)


def _draft(said: Said, notice: Notice) -> Iterator[str]:
    begun = said.of("notice.drafted", notice.ref)
    if begun and begun[-1].actor != notice.drafter:
        yield f"{notice.ref} was begun by somebody else than its row says."
    edited = said.last("notice.edited", notice.ref)
    if edited and fingerprint(notice, notice_rows.texts(notice.id)) != edited["after"]:
        yield f"{notice.ref} is not as its last change left it: text, channels, audience, title or time differ."


def _version(said: Said, notice: Notice, version: NoticeVersion) -> Iterator[str]:
    name = f"Version {version.number} of {notice.ref}"
    if notice_rules.digest(version.contents) != version.digest:
        yield f"{name} does not have the contents that its digest names."
    found = [line for line in said.of("notice.submitted", notice.ref) if details(line)["version"] == version.number]
    if not found:
        yield f"{name} was never submitted, says the record."
        return
    told = details(found[-1])
    asked = (told["digest"], told["people"], found[-1].actor, found[-1].at)
    if asked != (version.digest, version.people, version.submitted_by, instant(version.submitted_at)):
        yield f"{name} is not the one that was submitted."


def _approved(said: Said) -> Iterator[str]:
    """An approval stands in the row and in a line by the same person, over the same digest; neither alone is one."""
    query = select(NoticeVersion, Notice.ref).join(Notice, Notice.id == NoticeVersion.notice_id)
    for version, ref in db.session.execute(query.where(NoticeVersion.state == "approved").order_by(NoticeVersion.id)):
        found = [line for line in said.of("notice.approved", ref) if details(line)["version"] == version.number]
        decided = instant(version.decided_at) if version.decided_at else ""
        row = (version.digest, version.people, version.decided_by, decided)
        if not any(
            (told := details(line), (told["digest"], told["people"], line.actor, line.at) == row)[1] for line in found
        ):
            yield f"Version {version.number} of {ref} was not approved so, says the record."


# Deliveries ---------------------------------------------------------------------------------------------------------


def _deliveries(said: Said) -> Iterator[str]:
    batches = {
        (subject, details(line).get("claim")): details(line)
        for (verb, subject), found in said.lines.items()
        if verb == "deliveries.settled"
        for line in found
    }
    query = select(DeliveryClaim, Dispatch.ref).join(Dispatch, Dispatch.id == DeliveryClaim.dispatch_id)
    settled = query.where(DeliveryClaim.state == "settled", DeliveryClaim.first_id.is_not(None))
    for claim, sending in db.session.execute(settled.order_by(DeliveryClaim.id)).all():
        told = batches.get((sending, claim.id))
        if told is None:
            yield f"Batch {claim.id} of {sending} is settled, and no line says so."
        else:
            yield from _batch(claim, sending, told, said)


def _batch(claim: DeliveryClaim, sending: str, told: Mapping[str, Any], said: Said) -> Iterator[str]:
    states = notice_proofs.states(claim, told["states"])
    if delivery_rules.batch_digest(states) != told["digest"]:
        yield f"Batch {claim.id} of {sending} has not the people and states that its line has."
        return
    then = dict(states)
    now = {member.ref: member for member in notice_proofs.members(claim)}
    moved = [member for ref, member in now.items() if member.state != then[ref]]
    explained = _explained([member.id for member in moved])
    for member in moved:
        line_says = any(said.of(verb, sending) for verb in ENDED_BY.get(State(member.state), ()))
        if member.id not in explained and not line_says:
            yield f"{member.ref} is {member.state}; its batch left it {then[member.ref]}, and nothing explains the change."


ENDED_BY: Final[Mapping[State, tuple[str, ...]]] = {
    State.CANCELLED: ("dispatch.stopped", "dispatch.erased", "deliveries.cancelled"),
    State.UNREACHED: ("deliveries.no_channel_left",),
    State.FAILED: ("deliveries.set_aside",),
}
"""The lines of a sending that say of many at once how they ended without an answer: who was put off, and waited."""


def _explained(ids: list[int]) -> set[int]:
    """Those of these deliveries of which something that is only ever added speaks, or that a person settled."""
    if not ids:
        return set()
    found: set[int] = set()
    for name in ("provider_event", "delivery_lookup", "delivery_remark", "call_attempt", "letter_return"):
        table = db.metadata.tables[name]
        found |= set(db.session.scalars(select(table.c.delivery_id).where(table.c.delivery_id.in_(ids))))
    by_hand = select(Delivery.id).where(Delivery.id.in_(ids), (Delivery.settled_by != "") | (Delivery.pretended != ""))
    later = select(Delivery.id).where(Delivery.id.in_(ids), Delivery.current.is_(False))
    return found | set(db.session.scalars(by_hand)) | set(db.session.scalars(later))


# Grades, reports, roles ---------------------------------------------------------------------------------------------


def _grades(said: Said) -> Iterator[str]:
    before: dict[tuple[int, str], str] = {}
    for row in db.session.scalars(select(Grade).order_by(Grade.id).execution_options(yield_per=AT_ONCE)):
        found = said.of(f"grade.{row.basis}", row.ref)
        told = details(found[-1]) if found else {}
        place_ = (row.incident_id, row.scale)
        if not found and (row.basis == "chosen" or before.get(place_) != row.level):
            yield f"{row.ref} is a grade of which no line speaks."
        elif found and (told["scale"], told["after"]) != (row.scale, row.level):
            yield f"{row.ref} is graded {row.level}; its line says {told['after']}."
        elif found and row.basis == "chosen" and not _is_as_chosen(row, found[-1], told):
            yield f"{row.ref} has not the reasons, inputs or note with which it was chosen."
        if row.basis == "suggested":
            before[place_] = row.level


def _is_as_chosen(row: Grade, line: AuditLine, told: Mapping[str, Any]) -> bool:
    if row.made_by != line.actor:
        return False
    return sealed.is_erased(row.incident_id) or grading.chosen_digest(row) == told["digest"]


def _reports(said: Said) -> Iterator[str]:
    for row in db.session.scalars(select(Report).order_by(Report.id).execution_options(yield_per=100)):
        gone = sealed.is_erased(row.incident_id)
        filed, saved = said.last("report.filed", row.ref), said.last("report.saved", row.ref)
        if row.state == "filed":
            yield from _filed(row, filed or {}, gone)
        elif filed:
            yield f"{row.ref} was filed, says the record, and is {row.state}."
        elif saved and not gone and report_rules.digest(row.hands) != saved["digest"]:
            yield f"The draft {row.ref} is not as it was saved last."


def _filed(row: Report, told: Mapping[str, Any], gone: bool) -> Iterator[str]:
    names = ("form", "stage", "channel", "late", "missing", "digest")
    differing = [name for name in names if getattr(row, name) != told.get(name)]
    if differing:
        yield f"{row.ref} was filed with another {', '.join(differing)}, says the record."
    if gone:
        return
    if report_rules.digest(row.answers) != row.digest:
        yield f"{row.ref} has other answers than those that were filed."
    made = {file.kind: file for file in db.session.scalars(select(ReportFile).where(ReportFile.report_id == row.id))}
    for kind, digest in sorted(told.get("files", {}).items()):
        if kind not in made or sha256(made[kind].content).hexdigest() != digest:
            yield f"The {kind} file of {row.ref} is not the one that was filed."


def _roles(said: Said) -> Iterator[str]:
    for user in db.session.scalars(select(User).order_by(User.id)):
        known = said.roles.get(user.ref)
        if known is not None and sorted(known) != sorted(user.roles):
            yield f"{user.ref} holds {', '.join(user.roles) or 'no role'}; the record gave {', '.join(known) or 'none'}."
        if said.active.get(user.ref, True) != user.active:
            yield f"{user.ref} is {'open' if user.active else 'locked'}, and the record says otherwise."


# Sealed values ------------------------------------------------------------------------------------------------------


def _sealed(_said: Said) -> Iterator[str]:
    for name in sorted(words.KEPT):
        yield from _words(name)
    yield from _people()


def _words(name: str) -> Iterator[str]:
    kept, table = words.KEPT[name], db.metadata.tables[name]
    query = select(table).where(table.c.sealed.is_not(None)).order_by(table.c.id).execution_options(yield_per=AT_ONCE)
    for row in db.session.execute(query).mappings():
        try:
            kept.open(dict(row))
        except (Refused, KeysError):
            yield f"The words of row {row['id']} of {name} do not open: they were changed, or belong elsewhere."


def _people() -> Iterator[str]:
    opened: dict[int, Any] = {}
    columns = (Person.incident_id, Person.number, Person.version, Person.sealed)
    query = select(*columns).where(Person.state != Listed.ERASED).order_by(Person.id)
    for incident_id, number, version, box in db.session.execute(query.execution_options(yield_per=AT_ONCE)):
        try:
            if incident_id not in opened:
                opened[incident_id] = None if sealed.is_erased(incident_id) else sealed.sealer(incident_id)
            if opened[incident_id] is not None:
                opened[incident_id].unseal(place(number, version), bytes(box))
        except Erased:
            opened[incident_id] = None
        except (Unreadable, KeysError):
            yield f"The record of P-{number} in incident {incident_id} does not open: it was changed, or belongs elsewhere."


def _erased(said: Said) -> Iterator[str]:
    """The list outside the database, the keys in it, and the lines tell of the same erasures."""
    for incident_id in sealed.brought_back():
        incident = db.session.get(Incident, incident_id)
        yield f"The key of {incident.ref if incident else incident_id} was erased, and is in the database again."
    for incident in db.session.scalars(select(Incident).order_by(Incident.id)):
        if sealed.is_erased(incident.id) and not said.of("incident.erased", incident.ref):
            yield f"The key of {incident.ref} is gone, and no line says who erased it."
    for incident_id, number in sealed.erased_everywhere():
        state = db.session.scalar(
            select(Person.state).where(Person.incident_id == incident_id, Person.number == number)
        )
        if state is not None and state != Listed.ERASED:
            yield f"P-{number} of incident {incident_id} was erased, and is on the list again."
