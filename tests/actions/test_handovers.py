"""A note can hand an incident over to the next shift; the last one is found again, with the others beside it."""

import pytest
from sqlalchemy import select

from incident import clock
from incident.actions import intake
from incident.domain.errors import Invalid
from incident.store import audit, incidents
from incident.store.incidents import Incident
from tests.builders import an_incident


def handed_over(incident, text):
    return intake.add_note(incident.ref, text, purpose="handover", actor="U-1", now=clock.now())


def last():
    found = incidents.handovers(select(Incident.id), limit=10)
    return [note.text for note, _ in found]


def test_the_last_handover_of_each_incident_stands_newest_first(app):
    one, other = an_incident(), an_incident()
    handed_over(one, "Host is off.")
    handed_over(other, "Wait for the bank.")
    handed_over(one, "Host is on again.")
    assert last() == ["Host is on again.", "Wait for the bank."]


def test_a_plain_note_is_no_handover(app):
    incident = an_incident()
    intake.add_note(incident.ref, "Seen something.", actor="U-1", now=clock.now())
    assert last() == []


def test_the_record_says_that_a_shift_was_handed_over_and_not_what_was_said(app):
    incident = an_incident()
    ref = handed_over(incident, "Host is off.")
    line = audit.timeline(incident.ref, limit=1)[0]
    assert (line.verb, line.subject, line.details) == ("note.handed_over", ref, "{}")


def test_a_note_has_no_other_purpose(app):
    with pytest.raises(Invalid, match="handover"):
        intake.add_note(an_incident().ref, "x", purpose="gossip", actor="U-1", now=clock.now())
