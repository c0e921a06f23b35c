"""Evidence is searched for malware where that is set up: it stays as it is, and is handed out only to whoever knows what is in it."""

import io
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from incident import clock, work
from incident.actions import evidence, searching
from incident.domain.access import Role
from incident.domain.errors import Invalid
from incident.store import searches
from incident.store.audit import AuditLine
from incident.store.db import db
from notifiers.clamd import Clamd
from tests.builders import a_session, a_user, an_incident
from tests.fakes.clamd import EICAR, FakeClamd


@pytest.fixture
def fake(app, tmp_path):
    with FakeClamd(tmp_path / "clamd.sock") as server:
        app.extensions["searcher"] = Clamd(server.address)
        yield server
        app.extensions["searcher"] = None
        searching._resting.clear()


@pytest.fixture
def lead(app):
    return a_user(Role.LEAD)


@pytest.fixture
def case(app):
    return an_incident()


def brought(app, case, who, content: bytes) -> str:
    return evidence.bring(
        case.ref,
        io.BytesIO(content),
        name="dump.bin",
        brought_by="On call",
        description="",
        folder=app.extensions["settings"].instance / "files",
        actor=who.ref,
        now=clock.now(),
    )


def searched() -> dict[str, str]:
    """What is due is searched, as the background does it; then the verdict of each piece."""
    for ref in work.BY_NAME["evidence.search"].due(clock.now()):
        work.BY_NAME["evidence.search"].do(ref, clock.now())
    db.session.rollback()
    return {searches.piece(ref).ref: row.verdict for ref, row in _rows()}


def _rows():
    for row in db.session.scalars(select(searches.Search)):
        yield db.session.scalar(select(searches.Evidence.ref).where(searches.Evidence.id == row.evidence_id)), row


def lines(verb: str) -> list[AuditLine]:
    return list(db.session.scalars(select(AuditLine).where(AuditLine.verb == verb).order_by(AuditLine.seq)))


@pytest.fixture
def browser(app, client, lead):
    with client.session_transaction() as cookie:
        cookie |= {"sid": a_session(lead), "seen": int(clock.now().timestamp())}
    return client


def test_each_piece_is_searched_once_in_clear_and_leaves_its_line(app, fake, case, lead):
    good, bad = brought(app, case, lead, b"log lines"), brought(app, case, lead, EICAR)
    assert searched() == {good: "nothing", bad: "found"}
    assert searched() == {good: "nothing", bad: "found"}
    assert sorted(fake.heard) == sorted([b"log lines", EICAR])
    found = {line.subject: (line.incident, line.details) for line in lines("evidence.searched")}
    assert set(found) == {good, bad}
    assert found[bad][0] == case.ref
    assert "Eicar-Test-Signature" in found[bad][1]


def test_what_malware_was_found_in_is_downloaded_only_by_whoever_says_that_they_know(
    app, fake, case, lead, browser, token_for
):
    ref = brought(app, case, lead, EICAR)
    page = f"/incidents/{case.ref}/evidence"
    assert "not searched for malware yet" in browser.get(page).text
    searched()
    assert "malware found: Eicar-Test-Signature" in browser.get(page).text
    assert f'href="{page}/{ref}/file"' not in browser.get(page).text
    assert browser.get(f"{page}/{ref}/file").status_code == 409
    assert lines("evidence.downloaded") == []
    answer = browser.post(f"{page}/{ref}/file")
    assert answer.data == EICAR
    assert answer.headers["Content-Disposition"].startswith("attachment")
    [line] = lines("evidence.downloaded")
    assert "Eicar-Test-Signature" in line.details
    headers = token_for(user=lead)
    [shown] = browser.get(f"/api/v1{page}", headers=headers).json["evidence"]
    assert shown["malware"] == "Eicar-Test-Signature"
    assert browser.get(f"/api/v1{page}/{ref}/file", headers=headers).status_code == 409
    assert browser.get(f"/api/v1{page}/{ref}/file?despite=true", headers=headers).data == EICAR


def test_a_searcher_that_is_away_is_asked_again_later_and_stops_nothing(app, fake, case, lead, browser):
    app.extensions["searcher"] = Clamd(f"{fake.address}-gone")
    ref = brought(app, case, lead, b"log lines")
    assert searched() == {}
    assert work.BY_NAME["evidence.search"].due(clock.now()) == []
    assert browser.get(f"/incidents/{case.ref}/evidence/{ref}/file").data == b"log lines"
    app.extensions["searcher"] = Clamd(fake.address)
    with time_machine.travel(clock.now() + timedelta(minutes=3), tick=False):
        assert searched() == {ref: "nothing"}


def test_without_a_searcher_nothing_is_searched_and_nothing_is_said_of_it(app, case, lead, browser):
    ref = brought(app, case, lead, EICAR)
    assert work.BY_NAME["evidence.search"].due(clock.now()) == []
    assert "malware" not in browser.get(f"/incidents/{case.ref}/evidence").text
    assert browser.get(f"/incidents/{case.ref}/evidence/{ref}/file").data == EICAR


def test_one_person_fills_no_disk_in_a_day(app, case, lead, monkeypatch):
    monkeypatch.setattr(evidence, "MOST_A_DAY", 2)
    monkeypatch.setattr(evidence, "MOST_BYTES_A_DAY", 10)
    brought(app, case, lead, b"12345")
    brought(app, case, lead, b"12345")
    with pytest.raises(Invalid, match="in a day"):
        brought(app, case, lead, b"1")
    other = a_user(Role.RESPONDER)
    brought(app, case, other, b"1234567890")
    with pytest.raises(Invalid, match="in a day"):
        brought(app, case, other, b"1")
    with time_machine.travel(clock.now() + timedelta(days=1, minutes=1), tick=False):
        assert brought(app, case, other, b"1")
