"""Break the glass: open a restricted incident in an emergency, for some hours, with a reason; told at once, reviewed by another.

Opening by reference answers the same for an incident that is not there as for one that is not restricted, so it tells
nobody which references exist without the alarm that goes with it.
"""

from datetime import datetime, timedelta
from typing import Final

from incident.actions import team_mails
from incident.actions.ledger import Ledger, minute, transaction
from incident.actions.throttled import take
from incident.domain import separation as rules
from incident.domain.access import PERMITS, Role, may
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.team_mails import Kind
from incident.store import incidents, members, users
from incident.store import separation as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.members import Membership
from incident.store.separation import Emergency
from incident.store.users import User

ACTOR: Final = "system"
REMINDED_EVERY: Final = timedelta(hours=24)
NOT_THERE: Final = "There is no restricted incident with this reference that you are not on."
VERDICTS: Final = {"justified": "it was justified", "not_justified": "it was not justified"}


def open_(incident_ref: str, why: str, *, actor: str, now: datetime) -> tuple[str, datetime]:
    """Open a restricted incident to the actor: its reference, and until when. Raises Invalid, Refused, TooMany."""
    reason = rules.reason("reason", why)
    take("emergency", actor, now=now)
    with transaction(actor, now) as ledger:
        user = users.by_ref(actor, locked=True)
        case = incidents.by_ref(incident_ref.strip().upper())
        if user is None or case is None or not case.restricted or _sees(case, user, now):
            raise Invalid("incident", NOT_THERE)
        rules.demand_reviewed(rows.overdue_of(user.id, now))
        until = now + timedelta(hours=rows.policy().emergency_hours)
        row = Emergency(ref=new_ref("E"), incident_id=case.id, user_id=user.id, reason=reason, opened_at=now)
        row.ends_at, row.reminded_at = until, now
        db.session.add(row)
        _let_in(case, user, until, now)
        told = _tell(case, user, row, until, ledger)
        ledger.write("emergency.opened", case.ref, incident=case.ref, emergency=row.ref, until=minute(until), told=told)
    return case.ref, until


def _sees(case: Incident, user: User, now: datetime) -> bool:
    return Role.AUDITOR in user.roles or members.has(case.id, user.id, at=now)


def _let_in(case: Incident, user: User, until: datetime, now: datetime) -> None:
    row = members.one(case.id, user.id)
    if row is None:
        row = Membership(incident_id=case.id, user_id=user.id)
        db.session.add(row)
    row.added_by, row.added_at, row.until = user.ref, now, until


def _tell(case: Incident, user: User, row: Emergency, until: datetime, ledger: Ledger) -> int:
    """All leads are told at once; where it is, only those who know of the incident."""
    about = {"person": user.ref, "emergency": row.ref, "until": f"{until:%Y-%m-%d %H:%M}"}
    on_it = _reviewers(case, but=user.ref)
    others = [lead for lead in team_mails.leads() if lead.ref != user.ref and lead not in on_it]
    told = team_mails.tell(on_it, Kind.EMERGENCY, about | {"incident": case.ref}, ledger)
    return told + team_mails.tell(others, Kind.EMERGENCY, about, ledger)


def _reviewers(case: Incident, *, but: str) -> list[User]:
    """Who is on the incident, may review its opening, and did not do it."""
    on_it = [row.user for row in members.of(case.id) if row.user.ref != but and row.until is None]
    return [user for user in on_it if user.active and may("emergency.review", user.roles)]


def review(incident_ref: str, ref: str, verdict: str, words: str, *, actor: str, now: datetime) -> None:
    """Say whether an opening was justified; one that was not ends at once. Raises Missing, Invalid, Refused."""
    said = rules.reason("words", words)
    if verdict not in VERDICTS:
        raise Invalid("verdict", "Choose whether it was justified.")
    with transaction(actor, now) as ledger:
        case, row = _found(incident_ref, ref)
        if row.reviewed_at is not None:
            raise Refused("Somebody reviewed this opening already.")
        rules.demand_reviewer(actor, opened_by=row.user.ref)
        row.reviewed_at, row.reviewed_by, row.verdict, row.words = now, actor, verdict, said
        ledger.write("emergency.reviewed", ref, incident=case.ref, verdict=verdict, of=row.user.ref)
        if verdict == "not_justified" and row.ends_at > now:
            _end(case, row, ledger)


def end(incident_ref: str, ref: str, *, actor: str, now: datetime) -> None:
    """End an access before its time: by whoever opened it, or whoever may take people off. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        case, row = _found(incident_ref, ref)
        user = users.by_ref(actor)
        if user is None or (user.id != row.user_id and PERMITS["member.remove"].isdisjoint(user.roles)):
            raise Refused("Only whoever opened it, or somebody who may take people off the incident, ends it.")
        if row.ends_at <= now:
            ledger.unchanged()
            return
        _end(case, row, ledger)


def _end(case: Incident, row: Emergency, ledger: Ledger) -> None:
    row.ends_at = ledger.now
    place = members.one(case.id, row.user_id)
    if place is not None and place.until is not None:
        db.session.delete(place)
    ledger.write("emergency.ended", case.ref, incident=case.ref, emergency=row.ref, of=row.user.ref)


def _found(incident_ref: str, ref: str) -> tuple[Incident, Emergency]:
    case = incidents.by_ref(incident_ref)
    row = rows.emergency(case.id, ref, locked=True) if case is not None else None
    if case is None or row is None:
        raise Missing()
    return case, row


# ---------------------------------------------------------------- by itself: reminding of reviews, ending what is over


def to_remind(now: datetime) -> list[str]:
    """References of openings whose review is to be reminded of."""
    return list(rows.to_remind(now, REMINDED_EVERY))


def remind(ref: str, now: datetime) -> None:
    """Tell those who can review an opening that it waits, once a day until it is done."""
    with transaction(ACTOR, now) as ledger:
        row = rows.emergency_anywhere(ref)
        case = incidents.by_ids([row.incident_id])[row.incident_id] if row is not None else None
        if row is None or case is None or row.reviewed_at is not None or row.reminded_at > now - REMINDED_EVERY:
            ledger.unchanged()
            return
        row.reminded_at = now
        about = {"person": row.user.ref, "emergency": ref, "incident": case.ref}
        told = team_mails.tell(_reviewers(case, but=row.user.ref), Kind.REVIEW, about, ledger)
        ledger.write("emergency.reminded", ref, incident=case.ref, count=told)


def over(now: datetime) -> list[str]:
    """The places on incidents whose time is over, as `number`."""
    return [str(row.id) for row in members.ended(now)]


def clear(number: str, now: datetime) -> None:
    """Take somebody off whose time on an incident is over. They saw nothing of it any more since that moment."""
    with transaction(ACTOR, now) as ledger:
        place = db.session.get(Membership, int(number))
        if place is None or place.until is None or place.until > now:
            ledger.unchanged()
            return
        case = incidents.by_ids([place.incident_id])[place.incident_id]
        ledger.write("member.ended", place.user.ref, incident=case.ref, until=minute(place.until))
        db.session.delete(place)
