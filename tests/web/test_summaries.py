import io
from collections.abc import Callable
from hashlib import sha256

import pytest
from flask.testing import FlaskClient
from icalendar import Calendar
from pypdf import PdfReader
from sqlalchemy import text

from incident import clock
from incident.actions import checkpoints, obligations
from incident.domain.access import Role
from incident.store import obligations as findings
from incident.store.db import db
from tests.builders import an_incident

Browser = Callable[..., FlaskClient]
OWED = {
    "personal_data": True,
    "role": "controller",
    "risk_to_people": "risk",
    "residents": {"FR": 100},
    "aware_at": "2026-03-06T09:00:00Z",
}


def test_the_summary_is_a_download_whose_digest_stands_in_the_record(as_: Browser) -> None:
    incident = an_incident(title="Copied database", facts=OWED)
    made = as_(Role.LEAD).post(f"/incidents/{incident.ref}/summary/pdf")
    pages = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(made.data)).pages)
    assert "Summary: Copied database" in pages
    assert "Report to the supervisory authority" in pages
    line = db.session.scalar(text("SELECT details FROM audit_line WHERE verb = 'summary.exported'"))
    assert sha256(made.data).hexdigest() in line


@pytest.mark.parametrize(
    ("kind", "status"), [("docx", 200), ("json", 200), ("stix", 200), ("veris", 200), ("misp", 200), ("exe", 422)]
)
def test_the_other_kinds(as_: Browser, kind: str, status: int) -> None:
    incident = an_incident()
    assert as_(Role.LEAD).post(f"/incidents/{incident.ref}/summary/{kind}").status_code == status


def test_an_auditor_takes_no_summary_for_it_would_write_a_line(as_: Browser) -> None:
    assert as_(Role.AUDITOR).post(f"/incidents/{an_incident().ref}/summary/pdf").status_code == 403


def test_deadlines_come_as_a_calendar_without_the_title_of_the_incident(as_: Browser) -> None:
    incident = an_incident(title="Secret title", facts=OWED)
    made = as_(Role.AUDITOR).get(f"/incidents/{incident.ref}/deadlines.ics")
    due = {str(event["uid"]): event for event in Calendar.from_ical(made.data).walk("VEVENT")}
    report = due[f"{incident.ref}/EU-GDPR/tell-authority@tocsin"]
    assert report["dtstart"].to_ical() == b"20260309T090000Z"
    assert str(report["url"]).startswith(f"http://localhost/incidents/{incident.ref}/duties/D-")
    assert b"Secret title" not in made.data


def test_a_duty_that_was_met_is_marked_in_the_calendar(as_: Browser) -> None:
    incident = an_incident(facts=OWED)
    row = findings.current(incident.id)["EU-GDPR/tell-authority"]
    obligations.mark_met(incident.ref, row.ref, met_at=clock.now(), actor="U-1", now=clock.now())
    made = as_(Role.LEAD).get(f"/incidents/{incident.ref}/deadlines.ics")
    assert "✓ " in made.text


def test_the_same_by_program(client: FlaskClient, token_for: Callable[..., dict[str, str]]) -> None:
    incident, key = an_incident(facts=OWED), token_for(Role.LEAD)
    assert client.post(f"/api/v1/incidents/{incident.ref}/summary/json", headers=key).json["incident"] == incident.ref
    assert client.get(f"/api/v1/incidents/{incident.ref}/deadlines.ics", headers=key).data.startswith(
        b"BEGIN:VCALENDAR"
    )
    assert client.get(f"/api/v1/incidents/{incident.ref}/deadlines.ics").status_code == 401


def test_the_summary_names_the_latest_checkpoint_of_the_record(as_: Browser) -> None:
    incident, browser = an_incident(), as_(Role.LEAD)
    size = checkpoints.sign(actor="system", now=clock.now())
    record = browser.post(f"/incidents/{incident.ref}/summary/json").json["record"]
    assert record["size"] == size
    assert len(record["root"]) == 44
