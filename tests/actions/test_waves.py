from datetime import UTC, datetime, timedelta

import pytest

from incident.actions import obligations, people, waves
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import obligations as rows
from incident.store import people as registry
from incident.store.db import db
from tests.actions.test_obligations import learn, verbs
from tests.builders import an_incident

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=20)
FACTS = {
    "personal_data": True,
    "residents": {"US-TX": 300},
    "role": "controller",
    "data_kinds": ["name", "ssn"],
    "determined_at": "2026-11-18T08:10:00Z",
    "harm_likely": True,
}
TEXAS = "US-TX/tell-people"


def two_waves():
    incident = an_incident(facts=FACTS, now=NOW)
    for name, place in (("Ann", "US-TX"), ("Bo", "US-TX")):
        if name == "Bo":
            registry.new_wave(incident.id, "second list", now=LATER)
            db.session.commit()
        people.add(incident.ref, {"name": name, "place": place}, actor="U-0LEAD000", now=NOW)
    return incident


def say(incident, moment=LATER, number=2, now=LATER):
    waves.found_later(incident.ref, number, moment, actor="U-0LEAD000", now=now)


def test_saying_that_people_were_found_later_gives_their_notice_a_clock_of_its_own(app):
    incident = two_waves()
    first = rows.current(incident.id)[TEXAS]
    say(incident)
    found = rows.current(incident.id)
    theirs = found[f"{TEXAS}#wave-2"]
    assert (theirs.wave, theirs.duty, theirs.standing) == ("wave 2", TEXAS, first.standing)
    assert theirs.due_at == first.due_at + timedelta(days=20)
    assert found[TEXAS].id == first.id, "what is owed to the others is untouched"
    assert verbs(incident)[-2:] == ["wave.found_later", "findings.assessed"]


def test_both_stand_in_the_way_of_closing_and_each_is_met_for_itself(app):
    incident = two_waves()
    say(incident)
    held = {row.key: row for row in rows.pending(incident.id)}
    assert {TEXAS, f"{TEXAS}#wave-2"} <= set(held)
    obligations.mark_met(incident.ref, held[TEXAS].ref, met_at=LATER, actor="U-0LEAD000", now=LATER)
    left = {row.key for row in rows.pending(incident.id)}
    assert TEXAS not in left
    assert f"{TEXAS}#wave-2" in left


def test_taking_it_back_puts_their_findings_aside_and_keeps_them_on_file(app):
    incident = two_waves()
    say(incident)
    say(incident, None)
    assert f"{TEXAS}#wave-2" not in rows.current(incident.id)
    (kept,) = rows.history(incident.id, TEXAS, "wave 2")
    assert kept.superseded_at is not None


def test_the_same_answer_twice_leaves_one_line(app):
    incident = two_waves()
    say(incident)
    say(incident)
    assert verbs(incident).count("wave.found_later") == 1


def test_what_changes_for_the_incident_changes_for_its_waves(app):
    incident = two_waves()
    say(incident)
    learn(incident, {"residents": {"FR": 2}, "establishments": ["FR"], "people_count": 2}, now=LATER)
    assert rows.current(incident.id)[TEXAS].standing == "not_owed"
    assert f"{TEXAS}#wave-2" not in rows.current(incident.id)


def test_a_moment_ahead_an_unknown_wave_and_a_strange_incident_are_refused(app):
    incident = two_waves()
    with pytest.raises(Invalid, match="future"):
        say(incident, LATER + timedelta(hours=1))
    with pytest.raises(Missing):
        say(incident, number=9)
    with pytest.raises(Missing):
        waves.found_later("INC-0000", 2, LATER, actor="U-0LEAD000", now=LATER)


def test_a_closed_incident_takes_no_later_people(app):
    incident = two_waves()
    incident.state = "closed"
    db.session.commit()
    with pytest.raises(Refused):
        say(incident)


def test_somebody_more_of_a_later_wave_brings_the_duties_of_where_they_live(app):
    incident = two_waves()
    say(incident)
    learn(incident, {"residents": {"US-TX": 300, "US-CA": 1}}, now=LATER)
    assert "US-CA/tell-people#wave-2" not in rows.current(incident.id)
    people.add(incident.ref, {"name": "Cem", "place": "US-CA"}, wave=2, actor="U-0LEAD000", now=LATER)
    assert "US-CA/tell-people#wave-2" in rows.current(incident.id)
