"""What is measured of incidents is kept, and never differs from what the rows say: whatever was changed is read again."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select, text

from incident import clock
from incident.actions import grades, intake, members, obligations, users
from incident.actions.ledger import transaction
from incident.domain.access import Role
from incident.domain.measures import Under
from incident.store import audit, courses
from incident.store import incidents as incident_rows
from incident.store import obligations as findings
from incident.store.db import db
from incident.store.incidents import Incident
from tests.builders import a_user, an_incident

EVERY = select(Incident.id)
WHO = {"actor": "U-0LEAD000"}
RISKY = {
    "personal_data": True,
    "residents": {"DE": 500},
    "role": "controller",
    "aware_at": "2026-11-18T08:10:00Z",
    "risk_to_people": "risk",
}


@pytest.fixture(autouse=True)
def a_memory_of_its_own(app):
    courses._MEMORIES.pop(db.engine, None)


def by_the_rows():
    return [held for _, held in sorted(courses.read(EVERY).items(), reverse=True)]


def read_for(call):
    """The incidents whose rows were read, by how many questions of the facts; and what `call` gave."""
    asked = []

    def note(_connection, _cursor, statement, *_):
        asked.append("FROM fact" in statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        found = call()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return sum(asked), found


def renamed(one):
    intake.rename(one.ref, "Another title", version=one.version, **WHO, now=clock.now())


def learnt(one):
    said = {"noticed_at": "2026-11-17T08:10:00Z", "contained_at": "2026-11-19T08:10:00Z"}
    intake.record_facts(one.ref, said, source="a test", confidence="high", **WHO, now=clock.now())


def graded(one):
    grades.choose_level(one.ref, "operational", "high", "because", **WHO, now=clock.now())


def met(one):
    ref = findings.current(one.id)["EU-GDPR/tell-authority"].ref
    obligations.mark_met(one.ref, ref, met_at=clock.now() - timedelta(hours=1), **WHO, now=clock.now())


def accepted(one):
    ref = findings.current(one.id)["EU-GDPR/tell-authority"].ref
    obligations.accept(one.ref, ref, **WHO, now=clock.now())


def taken_back(one):
    ref = findings.current(one.id)["EU-GDPR/tell-authority"].ref
    obligations.take_back(one.ref, ref, "a mistake was made here", **WHO, now=clock.now())


@pytest.mark.parametrize("change", [renamed, learnt, graded, met, accepted], ids=lambda one: one.__name__)
def test_what_changed_is_read_again_and_the_rest_is_not(change):
    other, one = an_incident(facts=RISKY), an_incident(facts=RISKY)
    before = courses.held(EVERY)
    change(one)
    db.session.rollback()
    found = courses.held(EVERY)
    assert found == by_the_rows()
    assert found[0] != before[0]
    assert found[1] is before[1]
    assert found[1].course.ref == other.ref


def test_what_was_settled_and_taken_back_counts_as_if_it_had_never_been():
    one = an_incident(facts=RISKY)
    [before] = courses.held(EVERY)
    met(one)
    db.session.rollback()
    [settled] = courses.held(EVERY)
    under = settled.course.laws["EU-GDPR"]
    assert settled.course.reported_at == under.reported_at is not None
    assert settled.course.decided_at == under.decided_at is not None
    taken_back(one)
    db.session.rollback()
    assert courses.held(EVERY) == by_the_rows() == [before]


def decided(one):
    db.session.rollback()
    [found] = courses.held(EVERY)
    assert [found] == by_the_rows()
    assert found.course.decided_at == found.course.laws["EU-GDPR"].decided_at
    return found.course.decided_at


def test_marking_a_duty_as_met_does_not_move_the_time_it_was_decided_on():
    one = an_incident(facts=RISKY)
    accepted(one)
    first = decided(one)
    met(one)
    assert decided(one) == first is not None
    assert findings.current(one.id)["EU-GDPR/tell-authority"].decided_at > first


def test_what_was_accepted_stays_decided_when_its_being_met_is_taken_back_and_decided_again():
    one = an_incident(facts=RISKY)
    accepted(one)
    first = decided(one)
    met(one)
    taken_back(one)
    assert decided(one) == first
    assert findings.current(one.id)["EU-GDPR/tell-authority"].first_decided_at is None
    accepted(one)
    met(one)
    assert decided(one) == first


def test_what_was_met_at_once_and_taken_back_is_decided_on_when_it_is_decided_on_again():
    one = an_incident(facts=RISKY)
    met(one)
    first = decided(one)
    taken_back(one)
    assert decided(one) is None
    accepted(one)
    assert decided(one) > first is not None


def test_a_decision_whose_time_is_unknown_stays_unknown():
    one = an_incident(facts=RISKY)
    accepted(one)
    met(one)
    row = findings.current(one.id)["EU-GDPR/tell-authority"]
    row.first_decided_at = None
    db.session.commit()
    courses._MEMORIES.pop(db.engine, None)
    assert decided(one) is None


def test_a_law_is_measured_where_it_is_owed_or_was_decided_on():
    one, other = an_incident(facts=RISKY | {"risk_to_people": "high"}), an_incident(facts={"personal_data": False})
    [without, owing] = courses.held(EVERY)
    assert (without.course.ref, without.course.laws) == (other.ref, {})
    assert owing.course.laws["EU-GDPR"] == Under(reports=True, tells=True)
    accepted(one)
    people = findings.current(one.id)["EU-GDPR/tell-people"].ref
    obligations.waive(one.ref, people, "they were told by another", **WHO, now=clock.now())
    db.session.rollback()
    under = courses.held(EVERY)[1].course.laws["EU-GDPR"]
    assert under.decided_at is not None
    assert under._replace(decided_at=None) == Under(reports=True, tells=False), "what is waived is not waited for"


def test_what_was_accepted_stays_decided_when_the_facts_change_it():
    one = an_incident(facts=RISKY)
    accepted(one)
    db.session.rollback()
    decided = courses.held(EVERY)[0].course.laws["EU-GDPR"].decided_at
    said = {"source": "a test", "confidence": "high", **WHO, "now": clock.now()}
    intake.record_facts(one.ref, {"aware_at": "2026-11-18T09:10:00Z"}, **said)
    assert findings.current(one.id)["EU-GDPR/tell-authority"].state == "proposed"
    assert courses.held(EVERY)[0].course.laws["EU-GDPR"].decided_at == decided is not None


def test_word_to_a_controller_is_decided_on_and_is_no_report_to_an_authority():
    one = an_incident(facts=RISKY | {"role": "processor", "establishments": ["DE"]})
    ref = next(row.ref for row in findings.current(one.id).values() if row.law == "EU-GDPR-PROC")
    obligations.mark_met(one.ref, ref, met_at=clock.now() - timedelta(hours=1), **WHO, now=clock.now())
    db.session.rollback()
    [found] = courses.held(EVERY)
    under = found.course.laws["EU-GDPR-PROC"]
    assert found.course.decided_at == under.decided_at is not None
    assert (found.course.reported_at, under.reported_at, under.reports) == (None, None, False)


def test_what_was_read_is_not_read_again():
    an_incident(facts=RISKY)
    assert read_for(lambda: courses.held(EVERY))[0] == 1
    assert read_for(lambda: courses.held(EVERY))[0] == 0


def test_a_line_about_somebody_signing_in_has_nothing_read_again():
    an_incident(facts=RISKY)
    [before] = courses.held(EVERY)
    with transaction("system", clock.now()) as ledger:
        ledger.write("session.signed_out", "U-0LEAD000", session="S-1")
    assert courses.held(EVERY) == [before]
    assert courses.held(EVERY)[0] is before


def test_a_line_about_the_house_that_may_have_changed_incidents_has_all_read_again():
    an_incident(facts=RISKY)
    [before] = courses.held(EVERY)
    with transaction("system", clock.now()) as ledger:
        db.session.execute(text("UPDATE incident SET title = 'Put back'"))
        ledger.write("words.sealed", "instance", rows=1, tables=["incident"])
    [after] = courses.held(EVERY)
    assert (before.course.title, after.course.title) == ("Database copied", "Put back")


def test_only_what_is_asked_for_is_given_highest_number_first():
    one, two, three = (an_incident() for _ in range(3))
    assert [held.course.ref for held in courses.held(EVERY)] == [three.ref, two.ref, one.ref]
    assert [held.course.ref for held in courses.held(EVERY.where(Incident.id != two.id))] == [three.ref, one.ref]
    assert [held.course.ref for held in courses.held(EVERY.where(Incident.id == two.id))] == [two.ref]


def test_who_may_not_know_of_an_incident_is_not_given_it_from_memory():
    one, stranger = an_incident(), a_user(Role.LEAD)
    seen = incident_rows.visible(stranger.id, sees_all=False, at=clock.now()).with_only_columns(Incident.id)
    assert len(courses.held(seen)) == 1
    members.restrict(one.ref, actor=a_user(Role.LEAD).ref, now=clock.now())
    assert courses.held(seen) == []


def test_another_record_in_the_place_of_this_one_is_noticed(monkeypatch):
    an_incident()
    [before] = courses.held(EVERY)
    memory = courses._MEMORIES[db.engine]
    memory._last = (memory._last[0], b"another leaf")
    an_incident()
    assert before not in [one for one in courses.held(EVERY) if one is before]
    assert courses.held(EVERY) == by_the_rows()


def test_whoever_sees_the_record_as_it_was_earlier_leaves_nothing_behind():
    one = an_incident(facts=RISKY)
    [kept] = courses.held(EVERY)
    memory = courses._MEMORIES[db.engine]
    memory._last = (memory._last[0] + 1, b"the leaf of a line that this reader does not see")
    with transaction("system", clock.now()) as ledger:
        ledger.unchanged()
    found = courses.held(EVERY)
    assert found == [kept]
    assert found[0] is not kept
    assert memory._held[one.id] is kept


def test_too_many_lines_or_incidents_are_read_as_they_are(monkeypatch):
    for _ in range(3):
        an_incident()
    monkeypatch.setattr(courses, "MOST_LINES", 2)
    monkeypatch.setattr(courses, "AT_ONCE", 1)
    assert courses.held(EVERY) == by_the_rows()
    an_incident()
    assert courses.held(EVERY) == by_the_rows()
    monkeypatch.setattr(courses, "MOST_HELD", 3)
    assert courses.held(EVERY) == by_the_rows()
    assert courses.held(EVERY.where(Incident.id < 3)) == by_the_rows()[2:]


def test_lines_from_a_place_on_are_told_oldest_first(app):
    one = an_incident()
    somebody = a_user(Role.LEAD)
    size = audit.head().size
    users.lock(somebody.ref, **WHO, now=clock.now())
    (first, leaf, *_), (second, _, verb, about) = audit.after(size - 1, limit=2)
    assert (first, len(leaf), second, verb, about) == (size - 1, 32, size, "account.locked", None)
    assert one.ref in {about for *_, about in audit.after(0, limit=size)}
