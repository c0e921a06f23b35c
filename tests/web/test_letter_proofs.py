"""A letter of a rehearsal can be looked at as it would lie in its envelope."""

import io

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from incident import clock
from incident.actions.settling import packed
from incident.domain.access import Role
from incident.store import mailbox, sealed
from incident.store.db import db
from notifiers.contract import Message
from tests.builders import an_incident

TO = "Kim Sample\nStreet 1\n10115 Berlin"
HTML = "<html><body><h1>Notice</h1><p>Dear Kim Sample,</p><h2>What happened</h2><p>It happened.</p></body></html>"


@pytest.fixture
def drill(app):
    return an_incident(kind="drill")


def kept(incident, *, channel="letter", html=HTML, ref="01J8ZQ5T9XABCDEFGHJKMN0001"):
    message = Message(ref, TO, "Notice", "Notice", html)
    place = f"sandbox_message.sealed:{ref}"
    row = {
        "incident_id": incident.id,
        "ref": ref,
        "channel": channel,
        "person_number": 1,
        "notice_ref": "N-0SAMPLE0",
        "kept_at": clock.now(),
        "sealed": sealed.sealer(incident.id).seal(place, packed(message)),
    }
    mailbox.keep_messages([row])
    db.session.commit()
    return f"/incidents/{incident.ref}/sending/mailbox/{ref}"


def looks():
    db.session.rollback()
    return db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'mailbox.read'"))


def test_it_has_address_text_and_reference_and_looking_leaves_a_line(drill, as_):
    path, lead = kept(drill), as_(Role.LEAD)
    assert f"{path}/letter.pdf" in lead.get(path).get_data(as_text=True)
    before = looks()
    reply = lead.get(f"{path}/letter.pdf")
    page = PdfReader(io.BytesIO(reply.get_data())).pages[0].extract_text()
    for words in ("Kim Sample", "10115 Berlin", "It happened.", "01J8Z-Q5T9X"):
        assert words in page
    assert looks() == before + 1
    assert reply.headers["Cache-Control"] == "no-store"


def test_what_is_no_letter_and_what_is_anothers_is_not_there(drill, as_):
    lead = as_(Role.LEAD)
    path = kept(drill, channel="email")
    assert lead.get(f"{path}/letter.pdf").status_code == 404
    assert "As a printed letter" not in lead.get(path).get_data(as_text=True)
    other = an_incident()
    assert lead.get(path.replace(drill.ref, other.ref) + "/letter.pdf").status_code == 404
    assert as_(Role.AUDITOR).get(f"{path}/letter.pdf").status_code == 403


def test_a_letter_that_cannot_be_printed_says_so(drill, as_):
    path = kept(drill, html="<html><body><p>\U00012000</p></body></html>")
    assert as_(Role.LEAD).get(f"{path}/letter.pdf").status_code == 409
