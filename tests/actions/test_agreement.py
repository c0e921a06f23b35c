"""What was changed by hand in the database is found by holding the rows against the record."""

import json

import pytest
from sqlalchemy import text

from incident.actions import agreement, dispatch, erasing, grades, intake, people, reports, users
from incident.actions.ledger import transaction
from incident.domain.dossier import Company
from incident.domain.ladders import Proof, Step
from incident.domain.pace import Pace
from incident.store import incidents, sealed
from incident.store import reports as report_rows
from incident.store.db import db
from notifiers.contract import Outcome
from tests.actions.test_climbing import a_climb
from tests.actions.waves import LEAD, NOW, a_story, answering, email_of
from tests.builders import a_notice

COMPANY = Company("Example Ltd", "Privacy team", "privacy@example.org", "+49 30 000", "1 Example Street")


def troubles():
    """What is found, by what it is about."""
    db.session.expire_all()
    return {result.about: list(result.troubles) for result in agreement.run() if result.troubles}


def guards_off():
    """Take every guard away, as whoever owns the database can."""
    names = {
        "sqlite": "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT DISTINCT 'ALTER TABLE ' || tgrelid::regclass || ' DISABLE TRIGGER USER' FROM pg_trigger"
        " WHERE NOT tgisinternal",
    }
    for statement in list(db.session.scalars(text(names[db.engine.dialect.name]))):
        db.session.execute(text(statement))


@pytest.fixture
def world(app):
    """A notice that was sent, one that is a draft, facts, a grade that was chosen, reports, an account with roles."""
    story = a_story(3)
    ref = story.incident.ref
    story.start()
    story.work()
    facts = {"what_happened": "A copy was taken.", "people_count": 3, "aware_at": "2026-03-06T09:00:00Z"}
    intake.record_facts(ref, facts, source="log", confidence="high", actor=LEAD, now=NOW)
    intake.record_facts(ref, {"people_count": 4}, source="log", confidence="high", actor=LEAD, now=NOW)
    grades.choose_level(ref, "operational", "high", "Many systems stood still.", actor=LEAD, now=NOW)
    a_notice(story.incident, now=NOW)
    for number, form in enumerate(("eu-gdpr-33", "cn-cac-2025")):
        report = reports.start(ref, form=form, zone=reports.zone_named("Europe/Paris"), actor=LEAD, now=NOW)
        version = report_rows.by_ref(story.incident.id, report).version
        if number == 0:
            reports.file(
                ref, report, version=version, filed_at=NOW, channel="web_form", missing_accepted=True, company=COMPANY,
                actor=LEAD, now=NOW,
            )  # fmt: skip
    users.create(
        "ann@example.org", "Ann", ["responder"], password="correct horse battery staple 9", actor="cli", now=NOW
    )
    db.session.commit()
    return story


FACT = "UPDATE fact SET {} WHERE key = 'people_count' AND id = (SELECT max(id) FROM fact WHERE key = 'people_count')"
EDITS = {
    # what somebody does to the database, and of what that is found
    "a fact's value": (FACT.format("value = '5'"), "Facts"),
    "when a fact was learnt": (FACT.format("learnt_at = '2020-01-01 00:00:00.000000'"), "Facts"),
    "who recorded a fact": (FACT.format("recorded_by = 'U-X'"), "Facts"),
    "a fact taken away": ("DELETE FROM fact WHERE key = 'people_count'", "Facts"),
    "a fact put in": (
        "INSERT INTO fact (incident_id, key, value, source, confidence, learnt_at, recorded_at, recorded_by)"
        " SELECT incident_id, key, value, source, confidence, learnt_at, recorded_at, recorded_by FROM fact"
        " WHERE key = 'people_count' AND value IS NOT NULL",
        "Facts",
    ),
    "the words of a fact moved to another": (
        "UPDATE fact SET sealed = (SELECT max(sealed) FROM fact WHERE key = 'people_count') WHERE key = 'what_happened'",
        "Facts",
    ),
    "a version's text": ("UPDATE notice_version SET contents = {contents}", "Notices"),
    "a version's text with its digest": ("UPDATE notice_version SET contents = {contents}, digest = '{digest}'", "Notices"),
    "whom a version goes to": ("UPDATE notice_version SET people = 9", "Notices"),
    "who submitted": ("UPDATE notice_version SET submitted_by = 'U-X'", "Notices"),
    "who approved": ("UPDATE notice_version SET decided_by = 'U-X'", "Notices"),
    "the title of a draft": ("UPDATE notice SET title = 'Other' WHERE stage = 'draft'", "Notices"),
    "who wrote a draft": ("UPDATE notice SET drafter = 'U-X'", "Notices"),
    "the state of a delivery": (
        "UPDATE delivery SET state = 'delivered' WHERE id = (SELECT min(id) FROM delivery)", "Deliveries",
    ),
    "a delivery taken away": ("DELETE FROM delivery WHERE id = (SELECT min(id) FROM delivery)", "Deliveries"),
    "a batch without its line": ("UPDATE delivery_claim SET dispatch_id = dispatch_id, id = id + 1000", "Deliveries"),
    "a grade that was chosen": ("UPDATE grade SET level = 'low' WHERE basis = 'chosen'", "Grades"),
    "the reasons of a grade": ("UPDATE grade SET reasons = '[\"other\"]' WHERE basis = 'chosen'", "Grades"),
    "a grade put in": (
        "INSERT INTO grade (ref, incident_id, scale, basis, level, inputs, reasons, open, note, made_at, made_by)"
        " SELECT 'G-X', incident_id, scale, basis, level, inputs, reasons, open, '', made_at, made_by FROM grade"
        " WHERE basis = 'chosen'",
        "Grades",
    ),
    "how a report was filed": ("UPDATE report SET channel = 'letter', late = true WHERE state = 'filed'", "Reports"),
    "a filed report opened again": ("UPDATE report SET state = 'draft' WHERE state = 'filed'", "Reports"),
    "the answers of a report": ("UPDATE report SET sealed = NULL WHERE state = 'filed'", "Reports"),
    "the file of a report": ("UPDATE report_file SET sealed = NULL WHERE kind = 'pdf'", "Reports"),
    "a role": ("UPDATE user_account SET roles = '[\"administrator\"]' WHERE name = 'Ann'", "Everybody has"),
    "an account opened or locked": ("UPDATE user_account SET active = false WHERE name = 'Ann'", "Everybody has"),
    "two people's records exchanged": (
        "UPDATE person SET sealed = (SELECT sealed FROM person WHERE number = 2) WHERE number = 1", "Everything sealed",
    ),
    "an older record put back": ("UPDATE person SET version = 7 WHERE number = 1", "Everything sealed"),
    "a key taken away": ("UPDATE data_key SET sealing = NULL WHERE incident_id IS NOT NULL", "What stands on the list"),
}  # fmt: skip


def test_each_silent_edit_is_found_and_an_untouched_database_is_clean(world):
    assert troubles() == {}
    missed = {}
    for what, (statement, about) in EDITS.items():
        db.session.rollback()
        guards_off()
        db.session.execute(text(filled(statement)))
        found = troubles()
        if not any(name.startswith(about) for name in found):
            missed[what] = found
        db.session.rollback()
    assert missed == {}
    assert troubles() == {}


def filled(statement):
    """The edit with a text of a notice that somebody would rather have sent."""
    if "{contents}" not in statement:
        return statement
    raw = db.session.scalar(text("SELECT contents FROM notice_version"))
    contents = json.loads(raw) if isinstance(raw, str) else raw
    contents["texts"]["en"]["subject"] = "Nothing happened"
    as_text = "'" + json.dumps(contents).replace("'", "''").replace(":", r"\:") + "'"
    return statement.replace("{contents}", as_text).replace("{digest}", agreement.notice_rules.digest(contents))


def test_after_people_and_incidents_were_erased_everything_still_agrees(world, tmp_path):
    erasing.erase_person(world.incident.ref, "P-1", folder=tmp_path, actor=LEAD, now=NOW)
    assert troubles() == {}
    erasing.erase_incident(world.incident.ref, confirm=world.incident.ref, folder=tmp_path, actor=LEAD, now=NOW)
    assert troubles() == {}


def test_an_erased_person_who_came_back_is_found(world, tmp_path):
    row = db.session.execute(text("SELECT sealed, whole FROM person WHERE number = 1")).one()
    erasing.erase_person(world.incident.ref, "P-1", folder=tmp_path, actor=LEAD, now=NOW)
    db.session.rollback()
    back = "UPDATE person SET state = 'active', version = 1, sealed = :sealed, whole = :whole WHERE number = 1"
    db.session.execute(text(back), {"sealed": row.sealed, "whole": row.whole})
    assert list(troubles()) == ["What stands on the list of the erased is erased"]
    db.session.rollback()


def test_lines_of_an_earlier_version_are_held_against_the_values_themselves(world):
    with transaction(LEAD, NOW) as ledger:
        fact = incidents.Fact(
            incident_id=world.incident.id, key="records_count", value=7, source="", confidence="", learnt_at=NOW,
            recorded_at=NOW, recorded_by=LEAD,
        )  # fmt: skip
        db.session.add(fact)
        digest = agreement.sha256(agreement.canonical({"records_count": 7}).encode()).hexdigest()
        ref = world.incident.ref
        ledger.write("facts.recorded", ref, incident=ref, keys=["records_count"], digest=digest)
    assert troubles() == {}
    guards_off()
    db.session.execute(text("UPDATE fact SET value = '8' WHERE key = 'records_count'"))
    assert list(troubles()) == ["Facts are those that were recorded"]
    db.session.rollback()


def test_people_are_still_read_by_their_own_keys(world):
    assert sealed.sealer(world.incident.id).owner == world.incident.id
    assert people.one(world.incident.ref, "P-1").state == "active"


def put_off(story):
    """One whose server said "later": their batch is settled, and they wait."""
    email_of(story).answer = answering(Outcome.LATER, "mailbox_full", wait=3600, to="person1@example.org")
    story.start()
    story.work()
    assert story.counts()["waiting"] == 1


def test_whoever_was_put_off_and_stopped_for_good_is_explained_by_the_line_of_the_stop(app):
    story = a_story(3)
    put_off(story)
    dispatch.stop(story.incident.ref, story.dispatch, typed="1", actor=LEAD, now=story.clock())
    assert story.counts() == {"accepted": 2, "cancelled": 1}
    assert troubles() == {}


@pytest.mark.parametrize("whole", [True, False], ids=["incident", "person"])
def test_whoever_was_put_off_and_erased_is_explained_by_the_line_of_the_erasure(app, tmp_path, whole):
    story = a_story(3)
    put_off(story)
    ref = story.incident.ref
    if whole:
        erasing.erase_incident(ref, confirm=ref, folder=tmp_path, actor=LEAD, now=story.clock())
    else:
        erasing.erase_person(ref, "P-1", folder=tmp_path, actor=LEAD, now=story.clock())
    assert story.counts() == {"accepted": 2, "cancelled": 1}
    assert troubles() == {}


def test_whoever_was_put_off_and_cancelled_by_hand_in_the_database_is_found(app):
    story = a_story(3)
    put_off(story)
    guards_off()
    db.session.execute(text("UPDATE delivery SET state = 'cancelled', reason = 'stopped' WHERE state = 'waiting'"))
    db.session.commit()
    assert "nothing explains the change" in str(troubles())


def test_a_last_step_that_ended_without_proof_is_explained_by_its_line(app):
    story = a_climb(2, ladder=[Step("email", 1, Proof.DELIVERED)], channels=("email",))
    story.start(pace=Pace())
    story.work()
    story.clock.move(hours=2)
    story.work()
    assert story.counts() == {"unreached": 2}
    assert troubles() == {}
