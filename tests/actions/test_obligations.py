from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from incident.actions import intake, particulars
from incident.actions import obligations as actions
from incident.actions.ledger import transaction
from incident.domain import lawbook
from incident.domain.errors import Invalid, Missing, Refused
from incident.settings import Settings
from incident.store import audit, incidents
from incident.store import obligations as rows
from incident.store.db import db
from incident.store.incidents import Incident
from tests.builders import an_incident

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
AWARE = "2026-11-18T08:10:00Z"
ART33 = "EU-GDPR/tell-authority"
IN_GERMANY = {"personal_data": True, "residents": {"DE": 500}, "role": "controller", "aware_at": AWARE}
RISKY = {**IN_GERMANY, "risk_to_people": "risk"}
LATER = NOW + timedelta(hours=2)


def learn(incident: Incident, facts: dict[str, Any], now: datetime = LATER) -> None:
    intake.record_facts(incident.ref, facts, source="a test", confidence="high", actor="U-0TEST000", now=now)


def finding(incident: Incident, duty: str = ART33) -> rows.FindingRow:
    return rows.current(incident.id)[duty]


def met(incident: Incident, duty: str = ART33, hours: int = 3, now: datetime = NOW + timedelta(hours=4)) -> None:
    ref = finding(incident, duty).ref
    actions.mark_met(
        incident.ref,
        ref,
        met_at=NOW + timedelta(hours=hours),
        reference="case 7",
        note="receipt",
        actor="U-0LEAD000",
        now=now,
    )


def verbs(incident: Incident) -> list[str]:
    lines = db.metadata.tables[audit.AuditLine.__tablename__]
    return list(
        db.session.scalars(db.select(lines.c.verb).where(lines.c.incident == incident.ref).order_by(lines.c.seq))
    )


def test_logging_says_at_once_what_is_owed_by_when_and_by_which_wording_of_the_law(app):
    incident = an_incident(facts=RISKY, now=NOW)
    owed = finding(incident)
    assert (owed.standing, owed.state, owed.clock) == ("owed", "proposed", "running")
    assert owed.due_at == datetime(2026, 11, 21, 8, 10, tzinfo=UTC)
    assert owed.law_digest == lawbook.library()["EU-GDPR"].digest
    assert "72 h from 18 Nov 2026, 09:10 Brussels (aware)" in owed.clock_words
    assert "findings.assessed" in verbs(incident)


def test_an_unknown_fact_leaves_the_duty_open_and_names_it(app):
    incident = an_incident(facts=IN_GERMANY, now=NOW)
    assert finding(incident).standing == "open"
    assert finding(incident).wants == ["risk_to_people"]


def test_an_answer_supersedes_the_open_finding_and_keeps_it(app):
    incident = an_incident(facts=IN_GERMANY, now=NOW)
    learn(incident, {"risk_to_people": "high"})
    new, old = rows.history(incident.id, ART33)
    assert (old.standing, old.superseded_at) == ("open", LATER)
    assert (new.standing, new.was, new.superseded_at) == ("owed", "open", None)


def test_what_says_the_same_is_not_a_new_finding(app):
    incident = an_incident(facts=RISKY, now=NOW)
    learn(incident, {"residents": {"DE": 900}})
    assert len(rows.history(incident.id, ART33)) == 1
    assert "People in the European Economic Area: 900" in finding(incident).because


def test_a_change_that_changes_no_duty_leaves_no_line_of_duties(app):
    incident = an_incident(facts=RISKY, now=NOW)
    learn(incident, {"found_by": "the night shift"})
    assert verbs(incident).count("findings.assessed") == 1


def test_accepting_takes_a_person_and_leaves_a_line(app):
    incident = an_incident(facts=RISKY, now=NOW)
    actions.accept(incident.ref, finding(incident).ref, actor="U-0LEAD000", now=LATER)
    assert (finding(incident).state, finding(incident).decided_by) == ("accepted", "U-0LEAD000")
    assert verbs(incident)[-1] == "finding.accepted"


def test_an_open_duty_cannot_be_accepted(app):
    incident = an_incident(facts=IN_GERMANY, now=NOW)
    with pytest.raises(Refused, match="answer the questions"):
        actions.accept(incident.ref, finding(incident).ref, actor="U-0LEAD000", now=LATER)
    assert finding(incident).state == "proposed"


def test_accepting_all_accepts_what_was_seen_and_nothing_else(app):
    incident = an_incident(facts=RISKY, now=NOW)
    seen = actions.seen_digest(actions.proposals(incident.id))
    learn(incident, {"risk_to_people": "high"})
    with pytest.raises(Refused, match="changed while you were reading"):
        actions.accept_all(incident.ref, seen, actor="U-0LEAD000", now=LATER)
    seen = actions.seen_digest(actions.proposals(incident.id))
    assert actions.accept_all(incident.ref, seen, actor="U-0LEAD000", now=LATER) > 0
    assert actions.proposals(incident.id) == []


def test_an_accepted_finding_that_changes_must_be_accepted_again(app):
    incident = an_incident(facts=RISKY, now=NOW)
    actions.accept(incident.ref, finding(incident).ref, actor="U-0LEAD000", now=LATER)
    learn(incident, {"aware_at": "2026-11-17T08:10:00Z"})
    assert finding(incident).state == "proposed"
    assert finding(incident).was_due_at == datetime(2026, 11, 21, 8, 10, tzinfo=UTC)


def test_meeting_a_duty_freezes_its_due_time_and_lateness(app):
    incident = an_incident(facts=RISKY, now=NOW)
    met(incident)
    learn(incident, {"aware_at": "2026-11-14T08:10:00Z"}, now=NOW + timedelta(hours=5))
    kept = finding(incident)
    assert (kept.state, kept.due_at, kept.late_seconds) == ("met", datetime(2026, 11, 21, 8, 10, tzinfo=UTC), 0)
    assert kept.since_then["due_at"] == "2026-11-17T08:10:00Z"


def test_a_late_filing_says_by_how_much(app):
    incident = an_incident(facts=RISKY, now=NOW)
    met(incident, hours=72, now=NOW + timedelta(hours=73))
    assert finding(incident).late_seconds == 50 * 60


def test_a_duty_cannot_be_met_in_the_future_or_twice(app):
    incident = an_incident(facts=RISKY, now=NOW)
    with pytest.raises(Invalid, match="future"):
        met(incident, hours=9)
    met(incident)
    with pytest.raises(Refused, match="already met"):
        met(incident)


def test_what_is_not_owed_can_be_neither_met_nor_waived(app):
    incident = an_incident(facts={**IN_GERMANY, "risk_to_people": "unlikely"}, now=NOW)
    with pytest.raises(Refused, match="not owed"):
        met(incident)
    with pytest.raises(Refused, match="not owed"):
        actions.waive(incident.ref, finding(incident).ref, "because it is not owed", actor="U-0LEAD000", now=LATER)


def test_a_waiver_needs_its_reason(app):
    incident = an_incident(facts=RISKY, now=NOW)
    ref = finding(incident).ref
    with pytest.raises(Invalid) as refusal:
        actions.waive(incident.ref, ref, "no", actor="U-0LEAD000", now=LATER)
    assert refusal.value.field == "reason"
    actions.waive(incident.ref, ref, "Filed by the parent company for all.", actor="U-0LEAD000", now=LATER)
    assert (finding(incident).state, verbs(incident)[-1]) == ("waived", "finding.waived")


def test_a_settlement_can_be_taken_back_and_stays_on_file(app):
    incident = an_incident(facts=RISKY, now=NOW)
    met(incident)
    actions.take_back(
        incident.ref,
        finding(incident).ref,
        "Filed with the wrong authority.",
        actor="U-0LEAD000",
        now=NOW + timedelta(hours=5),
    )
    new, old = rows.history(incident.id, ART33)
    assert (old.state, old.superseded_at is None) == ("met", False)
    assert (new.state, new.standing, new.superseded_at) == ("proposed", "owed", None)


def test_the_first_report_starts_the_clock_of_the_next_one_of_that_law_only(app):
    facts = {
        "personal_data": True,
        "residents": {"BR": 5},
        "role": "controller",
        "aware_at": AWARE,
        "minors": True,
        "small_agent": False,
    }
    incident = an_incident(facts=facts, now=NOW)
    assert finding(incident, "BR-LGPD/supplement").clock == "not_started"
    met(incident, "BR-LGPD/tell-authority")
    started = finding(incident, "BR-LGPD/supplement")
    assert (started.clock, started.anchor) == ("running", "initial_submitted_at")


def test_another_incident_s_finding_is_not_there(app):
    one, other = an_incident(facts=RISKY, now=NOW), an_incident(facts=RISKY, now=NOW)
    with pytest.raises(Missing):
        actions.accept(one.ref, finding(other).ref, actor="U-0LEAD000", now=LATER)


def test_a_superseded_finding_can_no_longer_be_decided(app):
    incident = an_incident(facts=RISKY, now=NOW)
    ref = finding(incident).ref
    learn(incident, {"aware_at": "2026-11-17T08:10:00Z"})
    with pytest.raises(Refused, match="newer one"):
        actions.accept(incident.ref, ref, actor="U-0LEAD000", now=LATER)


def test_what_stands_in_the_way_of_closing_is_listed_soonest_first(app):
    incident = an_incident(facts=RISKY, now=NOW)
    pending = rows.pending(incident.id)
    assert pending[0].duty == ART33
    met(incident)
    assert ART33 not in {row.duty for row in rows.pending(incident.id)}


def test_the_counts_stand_beside_the_assessment(app):
    incident = an_incident(facts=RISKY, now=NOW)
    before = rows.counted(incident.id)
    kept = rows.assessment(incident.id)
    assert kept is not None
    assert kept.counts == before
    met(incident)
    assert rows.counted(incident.id)["met"] == 1


def test_what_the_settings_say_of_the_organisation_is_known_in_every_new_incident(app):
    house = Settings(company_places="DE", company_kinds="company")
    given = {"kind": "incident", "title": "t", "source": "", "confidence": "", "actor": "U-0LEAD000", "now": NOW}
    ref = intake.log(**given, facts={**RISKY, "entity": ["nis2_important"]}, house=particulars.own_facts(house))
    facts = incidents.current_facts(incidents.by_ref(ref).id)
    assert (facts["establishments"].value, facts["establishments"].source) == (["DE"], intake.OUR_SETTINGS)
    assert facts["entity"].value == ["nis2_important"]


def test_settings_of_the_organisation_are_checked_at_start():
    assert Settings(company_places="DE, US-CA", company_kinds="company").own_facts() == {
        "establishments": ["DE", "US-CA"],
        "entity": ["company"],
    }
    with pytest.raises(ValidationError, match="not a place"):
        Settings(company_places="Paris")


@pytest.mark.parametrize("facts", [{}, IN_GERMANY, RISKY], ids=["a title", "where", "a risk"])
def test_the_first_findings_are_those_that_working_them_out_again_gives(app, facts):
    incident = an_incident(facts=facts, now=NOW)
    first = {key: told(row) for key, row in rows.current(incident.id).items()}
    assert len(first) > 300
    with transaction("U-0LEAD000", NOW) as ledger:
        changed = actions.owe_again(incident, incidents.known(incident.id), ledger, NOW)
        again = {key: told(row) for key, row in rows.current(incident.id).items()}
        ledger.unchanged()
    assert not changed
    assert again == first
    kept = rows.assessment(incident.id)
    assert (kept.counts, kept.made_at) == (rows.counted(incident.id), NOW)


def test_two_incidents_with_the_same_facts_have_findings_of_their_own(app):
    one, two = an_incident(facts=RISKY, now=NOW), an_incident(facts=RISKY, now=LATER)
    actions.accept(one.ref, finding(one).ref, actor="U-0LEAD000", now=LATER)
    assert (finding(one).state, finding(two).state) == ("accepted", "proposed")
    assert finding(one).ref != finding(two).ref
    assert (finding(one).made_at, finding(two).made_at) == (NOW, LATER)
    assert rows.assessment(two.id).counts == rows.counted(two.id)


def told(row):
    """All that a finding says."""
    return {column: value for column, value in vars(row).items() if not column.startswith("_")}
