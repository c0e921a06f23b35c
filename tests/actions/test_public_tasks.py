"""A notice in public is proposed with its evidence; a person begins it or declines; both are kept."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from incident import clock
from incident.actions import announcements, notices, people, public_tasks
from incident.actions.notices import approved_version
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.notices import Channel, Text
from incident.domain.people import Audience
from incident.store import notices as notice_rows
from incident.store import public_tasks as rows
from incident.store.db import db
from tests.builders import WHO_WRITES, a_notice, a_text, an_incident, notice_row

WHO = "U-0AUTHOR0"
PATIENTS = {
    "personal_data": True,
    "data_kinds": ["name", "health"],
    "entity": ["hipaa_covered"],
    "role": "controller",
    "people_count": 620,
    "residents": {"US-OH": 620},
    "hard_to_reach": True,
    "harm_likely": True,
    "good_faith_access": False,
    "encryption": "none",
    "discovered_at": "2026-01-31T18:00:00Z",
}
INSTEAD, MEDIA = "US-HIPAA-500/tell-people:0", "US-HIPAA-500/tell-media"


@pytest.fixture
def incident(app):
    found = an_incident(facts=PATIENTS)
    people.add(found.ref, {"name": "Kim One", "exposed": "health", "country": "US"}, actor=WHO, now=clock.now())
    return found


def draft(incident, *keys, **more):
    return public_tasks.draft(incident.ref, keys, actor=WHO, now=clock.now(), **more)


def test_what_a_law_allows_by_the_figures_waits_for_a_person(incident):
    found = public_tasks.of(incident.id)
    assert {task.key for task in found.waiting} >= {INSTEAD, MEDIA}
    assert (found.figures.people, found.figures.unreachable) == (1, 1)


def test_nothing_is_proposed_while_the_figures_are_open(app):
    found = an_incident(facts=PATIENTS | {"hard_to_reach": None})
    assert INSTEAD not in {task.key for task in public_tasks.of(found.id).waiting}


def test_one_click_makes_a_draft_that_asks_for_what_the_law_wants_and_keeps_the_figures(incident):
    ref = draft(incident, INSTEAD)
    row = notice_row(incident, ref)
    assert row.channels == ["announcement"]
    contact = notice_rows.texts(row.id)["en"].content["sections"]["contact"]
    assert "[… A toll-free telephone number" in contact
    (kept,) = rows.of_notice(row.id)
    assert (kept.decision, kept.evidence["days"], kept.evidence["unreachable"]) == ("drafted", 90, 1)
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'public_task.drafted'")) == 1


def test_one_alternative_of_a_law_settles_its_others_until_the_notice_is_withdrawn(incident):
    ref = draft(incident, INSTEAD)
    assert {task.key for task in public_tasks.of(incident.id).waiting} & {
        INSTEAD,
        "US-HIPAA-500/tell-people:1",
    } == set()
    notices.withdraw(incident.ref, ref, reason="Begun by mistake", actor=WHO, now=clock.now())
    assert INSTEAD in {task.key for task in public_tasks.of(incident.id).waiting}


def test_the_cost_is_told_with_its_source(app):
    found = an_incident(facts=PATIENTS | {"notice_cost": 300_000})
    assert public_tasks.of(found.id).figures.cost == {
        "amount": 300_000,
        "source": "a test",
        "by": "U-0TEST000",
        "at": public_tasks.of(found.id).figures.cost["at"],
    }


def test_the_public_and_the_media_are_told_by_two_notices(incident):
    with pytest.raises(Invalid, match="two notices"):
        draft(incident, INSTEAD, MEDIA)


def test_a_task_that_is_no_longer_there_begins_nothing(incident):
    with pytest.raises(Refused, match="changed"):
        draft(incident, INSTEAD, "US-XX/tell-people:0")
    with pytest.raises(Refused, match="changed"):
        draft(incident)


def test_declining_needs_a_reason_and_is_kept_with_the_figures(incident):
    with pytest.raises(Invalid):
        public_tasks.decline(incident.ref, INSTEAD, reason=" ", actor=WHO, now=clock.now())
    public_tasks.decline(incident.ref, INSTEAD, reason="All get a letter", actor=WHO, now=clock.now())
    row = public_tasks.of(incident.id).decided[INSTEAD]
    assert (row.decision, row.reason, row.evidence["people"]) == ("declined", "All get a letter", 1)


def test_a_duty_to_tell_the_media_is_not_declined_here(incident):
    with pytest.raises(Refused, match="waive"):
        public_tasks.decline(incident.ref, MEDIA, reason="No", actor=WHO, now=clock.now())
    with pytest.raises(Missing):
        public_tasks.decline(incident.ref, "US-XX/none:0", reason="No", actor=WHO, now=clock.now())


def test_a_decision_cannot_be_changed_afterwards(incident):
    draft(incident, INSTEAD)
    with pytest.raises(Exception, match="append-only"):
        db.session.execute(text("DELETE FROM public_decision"))
    db.session.rollback()


def filled(incident, ref, **changes):
    row = notice_row(incident, ref)
    kept = notice_rows.texts(row.id)["en"].content
    done = a_text(**changes)
    change = notices.Change(
        title=row.title,
        languages=("en",),
        channels=(Channel.ANNOUNCEMENT,),
        audience=Audience(),
        send_at=None,
        texts={
            "en": Text(
                "en", subject=done.subject, sections=done.sections, covers=kept["covers"] | changes.get("covers", {})
            )
        },
    )
    notices.save(incident.ref, ref, change, revision=row.revision, actor=WHO, now=clock.now())
    return notice_row(incident, ref)


def test_without_the_free_number_that_the_law_wants_the_notice_cannot_be_submitted(incident):
    ref = draft(incident, INSTEAD)
    row = filled(incident, ref, sections=a_text().sections | {"contact": ""})
    with pytest.raises(Invalid):
        notices.submit(incident.ref, ref, revision=row.revision, house=WHO_WRITES, actor=WHO, now=clock.now())
    missing = notices.standing(incident, row, house=WHO_WRITES, now=clock.now()).hurdles
    assert any("toll-free" in hurdle.sentence for hurdle in missing)


def test_a_page_that_stands_for_each_person_cannot_be_published_for_less_than_the_law_asks(incident):
    ref = draft(incident, INSTEAD)
    row = filled(incident, ref)
    notices.submit(incident.ref, ref, revision=row.revision, house=WHO_WRITES, actor=WHO, now=clock.now())
    version = notice_rows.version(row.id, 1)
    notices.approve(
        incident.ref, ref, digest=version.digest, people=str(version.people), house=WHO_WRITES, actor="U-0APPROV0",
        now=clock.now(),
    )  # fmt: skip
    given = {"digest": approved_version(ref).digest, "starts_at": None, "actor": WHO}
    start, soon = clock.now(), clock.now() + timedelta(days=45)
    with pytest.raises(Invalid, match="90 days"):
        announcements.publish(
            incident.ref,
            ref,
            **given,
            now=start,
            ends_at=soon,
        )
    assert announcements.publish(incident.ref, ref, **given, now=start, ends_at=None)


def test_a_draft_begins_with_the_words_that_went_before_an_approver(incident):
    said = {"dates": "what_happened", "date_of_discovery": "what_happened"}
    texts = (a_text(subject="Our words", covers=said),)
    a_notice(incident, channels=("announcement",), stage="submitted", texts=texts)
    ref = draft(incident, INSTEAD)
    assert notice_rows.texts(notice_row(incident, ref).id)["en"].content["subject"] == "Our words"
