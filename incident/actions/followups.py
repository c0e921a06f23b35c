"""What follows a notice that was sent: the same text for people found later, and a correction for those who had the old one.

Both are notices of their own: drafted here, submitted, approved by a second person for their own frozen people, and sent.
"""

from collections.abc import Sequence
from datetime import datetime

from incident.actions import notices
from incident.actions.ledger import Ledger, transaction
from incident.domain import incidents as incident_rules
from incident.domain import starters
from incident.domain.deliveries import Course
from incident.domain.errors import Missing, Refused
from incident.domain.notices import Stage
from incident.domain.people import Audience
from incident.store import audiences, dispatches, incidents
from incident.store import notices as rows
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.notices import Notice, NoticeVersion

LONGEST_TITLE = 120
ENDED = (Stage.SENT, Stage.WITHDRAWN)


def found_later(incident_id: int, notice: Notice) -> int:
    """How many of a sent notice's audience stand on no list of it yet: people found after it was approved."""
    version = rows.version(notice.id, notice.number)
    if version is None or notice.stage not in (Stage.SENDING, Stage.SENT):
        return 0
    return sum(group.people for group in audiences.counted(incident_id, _later(incident_id, notice, version)))


def extend(incident: str, ref: str, *, actor: str, now: datetime) -> str:
    """Draft the same text for people found later, who then get it once; its reference. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        case, first, version = _sent(incident, ref)
        unfinished = [one.ref for one in _extensions(case.id, first) if one.stage not in ENDED]
        if unfinished:
            raise Refused(f"{unfinished[0]} is under way for people found later. Finish or withdraw it first.")
        people = found_later(case.id, first)
        if not people:
            raise Refused("Nobody was found since this notice was approved: everybody in its audience is on its list.")
        made = _draft(case, first, version, "Found later", _later(case.id, first, version), ledger)
        ledger.write("notice.extended", made.ref, incident=incident, notice=ref, version=version.number, people=people)
    return made.ref


def supplement(incident: str, ref: str, *, actor: str, now: datetime) -> str:
    """Draft a correction for exactly those who were told by this notice; its reference. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        case, first, version = _sent(incident, ref)
        _demand_at_rest(case.id, first)
        told = Audience(
            told_by=(first.ref, *(one.ref for one in _extensions(case.id, first) if one.stage == Stage.SENT))
        )
        people = sum(group.people for group in audiences.counted(case.id, told))
        if not people:
            raise Refused("Nobody was told by this notice, so there is nobody to correct it for.")
        made = _draft(case, first, version, "Correction", told, ledger)
        for language, row in rows.texts(made.id).items():
            sections = dict(row.content["sections"])
            prompt = starters.words(language).correction.format(ref=first.ref)
            sections["what_happened"] = f"{prompt}\n\n{sections['what_happened']}"
            row.content = row.content | {"sections": sections}
        ledger.write(
            "notice.supplemented", made.ref, incident=incident, notice=ref, version=version.number, people=people
        )
    return made.ref


def _draft(
    case: Incident, first: Notice, version: NoticeVersion, word: str, people: Audience, ledger: Ledger
) -> Notice:
    """A draft with the texts, channels and ladder of the version that was sent."""
    title = f"{word}: {first.title}"[:LONGEST_TITLE]
    made = notices.drafted(case, title, ledger, languages=first.languages, model=first, audience=people)
    made.channels, made.languages = list(version.contents["channels"]), list(version.contents["languages"])
    made.ladder = list(version.contents.get("ladder", []))
    for language, row in rows.texts(made.id).items():
        row.content = dict(version.contents["texts"][language])
    db.session.flush()
    return made


def _later(incident_id: int, notice: Notice, version: NoticeVersion) -> Audience:
    """The audience that was approved, without anybody on a list of this notice or of one that extended it."""
    wanted = version.contents["audience"]["filter"]
    before = [notice.ref, *(one.ref for one in _extensions(incident_id, notice))]
    return Audience.from_json(wanted | {"not_listed_by": [*wanted.get("not_listed_by", ()), *before]})


def _extensions(incident_id: int, notice: Notice) -> Sequence[Notice]:
    """The notices for people found later than this one."""
    return [one for one in rows.following(incident_id) if notice.ref in one.audience.get("not_listed_by", ())]


def _sent(incident: str, ref: str) -> tuple[Incident, Notice, NoticeVersion]:
    case = incidents.by_ref(incident, locked=True)
    notice = rows.by_ref(case.id, ref) if case else None
    if case is None or notice is None:
        raise Missing()
    incident_rules.must_be_open(case.state)
    version = rows.version(notice.id, notice.number)
    if notice.stage not in (Stage.SENDING, Stage.SENT) or version is None:
        raise Refused("Only what was sent can be followed. Change the draft, or submit it again, instead.")
    return case, notice, version


def _demand_at_rest(incident_id: int, notice: Notice) -> None:
    under_way = [
        row.ref
        for row in dispatches.of_notice(notice.id)
        if row.course in (Course.PREPARING, Course.SENDING) and row.first_attempt
    ]
    if under_way:
        raise Refused(
            "The old text is still being sent. Pause or stop that sending first, so that no more people get it."
        )
