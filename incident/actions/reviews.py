"""Review an incident: plan the meeting and call those who take part, tell what happened from the record, hand the review out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from incident.actions import team_mails
from incident.actions.improvements import there
from incident.actions.ledger import minute, transaction
from incident.actions.lessons import shown_after
from incident.actions.plans import able
from incident.domain import reviews as rules
from incident.domain.dossier import Company
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.privilege import Kind as Marked
from incident.domain.stale import demand_seen
from incident.domain.team_mails import Kind
from incident.exports import docx, json, pdf
from incident.exports import review as exports
from incident.exports.document import Attachment
from incident.exports.files import File
from incident.exports.review import Told
from incident.store import audit, closings, incidents, privilege, users
from incident.store import improvements as improvement_rows
from incident.store import lessons as lesson_rows
from incident.store import reviews as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.reviews import ReviewMeeting, ReviewMoment

SYSTEM = "system"


@dataclass(frozen=True)
class Moment:
    """One moment for the time line: when, in which words, and of which line of the record (None: by hand)."""

    at: datetime | None
    text: str
    line: int | None = None


def plan_meeting(incident: str, *, at: datetime | None, people: Collection[str], actor: str, now: datetime) -> str:
    """Say when the review meets and who takes part; its reference. Raises Invalid, Refused, Missing.

    Each is told a day before. Planning again takes the place of the meeting before.
    """
    with transaction(actor, now) as ledger:
        case = there(incident)
        wanted = rules.meeting(at, people, team={user.ref for user in able(case.id)}, now=now)
        row = ReviewMeeting(ref=new_ref("RM"), incident_id=case.id, at=at, people=wanted)
        row.planned_at, row.planned_by = now, actor
        db.session.add(row)
        ledger.write(
            "review.meeting_planned", row.ref, incident=case.ref, at=minute(row.at), people=len(wanted), who=wanted
        )
    return row.ref


def to_call(now: datetime) -> list[str]:
    """References of meetings within a day of which nobody was reminded yet."""
    return list(rows.meetings_to_call(after=now, before=now + rules.CALLED_BEFORE))


def call(ref: str, now: datetime) -> None:
    """Remind everybody who takes part, once. Whoever may no longer work on the incident is left out."""
    with transaction(SYSTEM, now) as ledger:
        row = rows.meeting_by_ref(ref, locked=True)
        case = db.session.get(Incident, row.incident_id) if row else None
        if row is None or case is None or row.reminded_at is not None or row.at <= now:
            ledger.unchanged()
            return
        row.reminded_at = now
        people = [user for user in able(case.id) if user.ref in row.people]
        when = row.at.strftime("%Y-%m-%d %H:%M")
        told = team_mails.tell(people, Kind.MEETING, {"incident": case.ref, "when": when}, ledger)
        ledger.write("review.meeting_called", row.ref, incident=case.ref, people=told)


def add_moments(incident: str, moments: Sequence[Moment], *, actor: str, now: datetime) -> int:
    """Put these into the time line of the review; how many. Of a line that is in it already, nothing is added again.

    Raises Invalid, Refused, Missing; then none is added.
    """
    with transaction(actor, now) as ledger:
        case = there(incident)
        known = rows.moments(case.id, limit=rules.MOST_MOMENTS + 1)
        there_already = {row.line for row in known}
        wanted = [one for one in moments if one.line is None or one.line not in there_already]
        if len(known) + len(wanted) > rules.MOST_MOMENTS:
            raise Refused(f"A review tells at most {rules.MOST_MOMENTS} moments. Take some out first.")
        if not wanted:
            ledger.unchanged()
            return 0
        times = _times(case, [one.line for one in wanted if one.line is not None])
        for one in wanted:
            at = times.get(one.line) if one.line is not None else one.at
            db.session.add(_moment(case, *rules.moment(one.text, at, now), one.line, actor, now))
        ledger.write("review.moments_added", case.ref, incident=case.ref, moments=len(wanted))
    return len(wanted)


def _times(case: Incident, lines: Collection[int]) -> dict[int | None, datetime]:
    """When each of these lines was written. Raises Invalid for one that is not about the incident."""
    found = {row.seq: row for row in audit.numbered(case.ref, lines)}
    if len(found) != len(set(lines)):
        raise Invalid("lines", "Choose lines of this incident.")
    return {seq: datetime.fromisoformat(row.at) for seq, row in found.items()}


def _moment(case: Incident, text: str, at: datetime, line: int | None, actor: str, now: datetime) -> ReviewMoment:
    row = ReviewMoment(ref=new_ref("RT"), incident_id=case.id, at=at, text=text, line=line)
    row.written_at, row.written_by = now, actor
    return row


def edit_moment(
    incident: str, ref: str, *, text: str, at: datetime | None, actor: str, now: datetime, seen: str | None = None
) -> None:
    """Tell a moment in other words, or at another time; `seen` marks how it was told. Raises Invalid, Refused, Missing."""
    words, moment = rules.moment(text, at, now)
    with transaction(actor, now) as ledger:
        case = there(incident)
        row = _one(case, ref)
        if (row.text, row.at) == (words, moment):
            ledger.unchanged()
            return
        said = {"What happened": (row.text, words), "When": (minute(row.at), minute(moment))}
        demand_seen(seen, row.text, row.at.isoformat(), versions=said)
        row.text, row.at, row.written_at, row.written_by = words, moment, now, actor
        ledger.write("review.moment_changed", row.ref, incident=case.ref)


def take_out(incident: str, ref: str, *, actor: str, now: datetime) -> None:
    """Take a moment out of the time line of the review; the record keeps its line. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        case = there(incident)
        row = _one(case, ref)
        row.taken_out_at = now
        ledger.write("review.moment_taken_out", row.ref, incident=case.ref)


def _one(case: Incident, ref: str) -> ReviewMoment:
    row = rows.moment(case.id, ref, locked=True)
    if row is None:
        raise Missing()
    return row


def export(
    ref: str,
    kind: str,
    *,
    company: Company,
    zone: ZoneInfo,
    privileged: bool = False,
    language: str = "en",
    actor: str,
    now: datetime,
) -> File:
    """The review as it stands, its digest in the record. Raises Invalid, Missing; Refused where it is privileged.

    People read it in `language`; what programs read is in English always.
    """
    if kind not in MAKERS:
        raise Invalid("kind", f"A review can be had as {', '.join(MAKERS)}.")
    with transaction(actor, now) as ledger:
        case = incidents.by_ref(ref)
        if case is None:
            raise Missing()
        if not privileged and privilege.items(privilege.current(case.id), Marked.REVIEW):
            raise Refused("This review is marked as privileged. Whoever may export what is privileged takes it along.")
        made = File(f"{case.ref}-review", kind, MAKERS[kind](_told(case, company, zone, now), language))
        details = {"kind": kind, "sha256": made.sha256, "size": len(made.content), "privileged": privileged}
        ledger.write("review.exported", case.ref, incident=case.ref, **details)
    return made


def _told(case: Incident, company: Company, zone: ZoneInfo, now: datetime) -> Told:
    team = users.every()
    names = {user.ref: user.name or user.ref for user in team}
    owners = {user.id: names[user.ref] for user in team}
    review, meeting = closings.review(case.id), rows.meeting(case.id)
    improvements = improvement_rows.of_incident(case.id)
    events = improvement_rows.events([row.id for row in improvements])
    return Told(
        ref=case.ref,
        title=case.title,
        kind=case.kind,
        company=company.name,
        made_at=now,
        zone=zone,
        meeting_at=meeting.at if meeting else None,
        people=tuple(names.get(ref, ref) for ref in meeting.people) if meeting else (),
        factors=tuple(review.factors) if review else (),
        answers={name: getattr(review, name) for name in exports.ANSWERS} if review else {},
        moments=tuple((row.at, row.text, row.line) for row in rows.moments(case.id)),
        improvements=tuple(
            {
                "ref": row.ref, "text": row.text, "owner": owners.get(row.owner_id or 0, ""), "due_at": row.due_at, "state": row.state,
                "ended_at": row.ended_at, "shown_by": next((one.text for one in events.get(row.id, ()) if one.text), ""),
            }
            for row in improvements
        ),
        lessons=tuple(
            {
                "ref": row.ref, "title": row.title, "why": row.why, "kind": row.kind, "target": row.target,
                "state": row.state, "before": row.before, "after": shown_after(row), "reason": row.reason,
                "proposed_at": row.proposed_at, "adopted_at": row.adopted_at,
            }
            for row in lesson_rows.of_incident(case.id)
        ),
    )  # fmt: skip


def _pdf(told: Told, language: str) -> bytes:
    data = Attachment(
        f"{told.ref}-review.json", json.MIME, "The same review for machines", json.json_bytes(exports.data(told))
    )
    return pdf.pdf(exports.document(told, language), [data])


MAKERS: Mapping[str, Callable[[Told, str], bytes]] = {
    "pdf": _pdf,
    "docx": lambda told, language: docx.docx_bytes(exports.document(told, language)),
    "json": lambda told, language: json.json_bytes(exports.data(told)),
}
