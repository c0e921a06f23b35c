"""Erasing: typed, agreed to, stopped by a hold, certified; what stays still counts and verifies."""

import io
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, text

from incident.actions import counts, erasing, evidence, imports, intake, keeping, people
from incident.domain import erasures as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.imports import Reading
from incident.exports import erasure as paper
from incident.store import audit, checkpoints, erasures, sealed, words
from incident.store.db import db
from incident.store.erasures import Erasure
from incident.store.incidents import Incident, Note
from incident.store.tables import Form
from tests.builders import an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ANN, BO = "U-ANN00001", "U-BO000001"


@pytest.fixture
def incident(app, tmp_path):
    found = an_incident(title="Mail server read", facts={"what_happened": "Jo Example saw it."}, now=NOW)
    rows = b"name,email,country\nAnn,ann@example.org,DE\nBo,bo@example.org,FR\n"
    brought = imports.upload(found.ref, io.BytesIO(rows), name="l.csv", folder=tmp_path, actor=ANN, now=NOW)
    imports.start(
        found.ref, brought, Reading(("name", "email", "country")), form=Form("csv", "utf-8-sig", ","), has_header=True,
        wave=0, folder=tmp_path, actor=ANN, now=NOW,
    )  # fmt: skip
    imports.run(brought, folder=tmp_path, clock=lambda: NOW)
    intake.add_note(found.ref, "Jo Example called.", actor=ANN, now=NOW)
    return found


def erase(incident, tmp_path, person="", **changes):
    asked = {"confirm": person or incident.ref, "why": "request", "by_two": False, "actor": ANN} | changes
    return erasing.ask(incident.ref, person, folder=tmp_path, now=NOW, **asked)


def lines(incident):
    return [(line.verb, line.subject) for line in audit.timeline(incident.ref, limit=3)][::-1]


def test_nothing_goes_unless_the_reference_is_typed_and_a_reason_chosen(incident, tmp_path):
    for field, wrong in (("confirm", {"confirm": "INC-1"}), ("why", {"why": "because"})):
        with pytest.raises(Invalid) as refusal:
            erase(incident, tmp_path, **wrong)
        assert refusal.value.field == field
    with pytest.raises(Invalid, match="Type the reference P-1"):
        erase(incident, tmp_path, "P-1", confirm=incident.ref)
    assert counts.of(incident.ref).active == 2


def test_where_two_have_to_agree_one_alone_erases_nothing(incident, tmp_path):
    answer = erase(incident, tmp_path, "P-1", by_two=True)
    assert not answer.done
    assert people.one(incident.ref, "P-1").masked["email"] == "a•••@e…"
    assert lines(incident)[-1] == ("erasure.asked", answer.ref)
    with pytest.raises(Refused, match="somebody else has to agree"):
        erasing.agree(incident.ref, answer.ref, confirm="P-1", folder=tmp_path, actor=ANN, now=NOW)
    with pytest.raises(Refused, match="asked for this erasure already"):
        erase(incident, tmp_path, "P-1", actor=BO)
    with pytest.raises(Invalid, match="Type the reference P-1"):
        erasing.agree(incident.ref, answer.ref, confirm="P-2", folder=tmp_path, actor=BO, now=NOW)
    assert erasing.agree(incident.ref, answer.ref, confirm="P-1", folder=tmp_path, actor=BO, now=NOW).done
    told = json.loads(erasing.certificate(incident.ref, answer.ref).certificate)["body"]
    assert (told["asked"]["by"], told["decided"]["by"], told["person"]) == (ANN, BO, "P-1")


def test_a_refused_erasure_can_be_asked_for_again(incident, tmp_path):
    answer = erase(incident, tmp_path, by_two=True)
    erasing.decline(incident.ref, answer.ref, actor=BO, now=NOW)
    assert lines(incident)[-1] == ("erasure.refused", answer.ref)
    with pytest.raises(Refused, match="decided already"):
        erasing.agree(incident.ref, answer.ref, confirm=incident.ref, folder=tmp_path, actor=BO, now=NOW)
    with pytest.raises(Missing):
        erasing.certificate(incident.ref, answer.ref)
    assert erase(incident, tmp_path).done


def test_a_legal_hold_stops_every_way_to_erase_and_says_why(incident, tmp_path):
    asked = erase(incident, tmp_path, "P-2", by_two=True)
    keeping.place_hold(incident.ref, "Claim 12 O 7/26 is pending.", actor=ANN, now=NOW)
    for try_it in (
        lambda: erase(incident, tmp_path),
        lambda: erase(incident, tmp_path, "P-1"),
        lambda: erasing.agree(incident.ref, asked.ref, confirm="P-2", folder=tmp_path, actor=BO, now=NOW),
    ):
        with pytest.raises(Refused, match=r"Claim 12 O 7/26 is pending\."):
            try_it()
    assert counts.of(incident.ref).active == 2
    keeping.lift_hold(incident.ref, "The claim was withdrawn.", actor=BO, now=NOW)
    assert erase(incident, tmp_path, "P-1").done
    assert [verb for verb, _ in lines(incident)] == ["hold.placed", "hold.lifted", "person.erased"]


def test_the_certificate_says_what_went_what_stays_and_where_the_record_speaks_of_it(incident, tmp_path):
    piece = evidence.bring(
        incident.ref, io.BytesIO(b"disk"), name="Jo Example.img", brought_by="Jo", description="", folder=tmp_path,
        actor=ANN, now=NOW,
    )  # fmt: skip
    answer = erase(incident, tmp_path)
    row = erasing.certificate(incident.ref, answer.ref)
    told = json.loads(row.certificate)
    assert row.sha256 == sha256(row.certificate.encode()).hexdigest()
    gone = {one["table"]: one for one in told["body"]["gone"]}
    assert (gone["person"]["count"], gone["note"]["count"], gone["person_mark"]["count"]) == (2, 1, 2)
    assert gone["evidence"]["sha256"] == [sha256(b"disk").hexdigest()]
    assert {"notice_version", "delivery", "audit_line"} <= {one["table"] for one in told["body"]["stays"]}
    line = db.session.get(audit.AuditLine, told["record"]["line"])
    assert (line.verb, line.leaf.hex()) == ("incident.erased", told["record"]["leaf"])
    assert json.loads(line.details)["digest"] == told["digest"] == rules.digest(told["body"])
    assert told["record"]["last"] == line.seq
    assert piece not in row.certificate
    assert paper.pdf_bytes(row.certificate, company="Example").startswith(b"%PDF-")


def test_a_certificate_never_changes_afterwards(incident, tmp_path):
    answer = erase(incident, tmp_path, "P-1")
    db.session.rollback()
    for statement in ("UPDATE erasure SET certificate = 'x'", "DELETE FROM erasure"):
        with pytest.raises(Exception, match=r"settled|append-only"), db.engine.begin() as connection:
            connection.execute(text(statement))
    assert erasing.certificate(incident.ref, answer.ref).person == "P-1"


def test_an_erased_incident_has_no_words_and_no_files_left_and_its_record_verifies(incident, tmp_path):
    erase(incident, tmp_path)
    db.session.expire_all()
    assert db.session.scalars(select(Note)).one().text == words.GONE
    assert db.session.scalar(select(Incident.title).where(Incident.id == incident.id)) == words.GONE
    assert list(tmp_path.iterdir()) == []
    assert counts.of(incident.ref).by_place == {"DE": 1, "FR": 1}
    assert checkpoints.verified().ok
    with pytest.raises(Refused, match="erased"):
        intake.add_note(incident.ref, "More.", actor=ANN, now=NOW)


def test_an_erased_person_takes_the_file_of_their_list_along_and_nobody_else(incident, tmp_path):
    assert len(list(tmp_path.iterdir())) == 1
    erase(incident, tmp_path, "P-1")
    assert list(tmp_path.iterdir()) == []
    assert people.look(incident.ref, "P-2", why="request", actor=ANN, now=NOW).record["email"] == "bo@example.org"
    told = json.loads(db.session.scalars(select(Erasure)).one().certificate)
    assert {one["table"] for one in told["body"]["gone"]} == {"person", "person_mark", "person_import"}


def test_what_was_erased_stands_on_the_list_outside_only_with_its_line(incident, tmp_path):
    before = sealed.ring().erased()
    with pytest.raises(Refused):
        erase(incident, tmp_path, "P-1") and erase(incident, tmp_path, "P-1")
    assert len(sealed.ring().erased() - before) == 1


def test_nobody_learns_of_an_erasure_of_another_incident(incident, tmp_path):
    other = an_incident(now=NOW)
    answer = erase(incident, tmp_path, by_two=True)
    with pytest.raises(Missing):
        erasing.agree(other.ref, answer.ref, confirm=other.ref, folder=tmp_path, actor=BO, now=NOW)
    assert erasures.page(other.id) == []


def test_what_an_older_copy_brings_back_is_erased_again_with_its_words_and_files(incident, tmp_path):
    row = {column.name: getattr(incident, column.name) for column in Incident.__table__.columns}
    keys = db.session.execute(
        text("SELECT sealing, marking FROM data_key WHERE incident_id = :id"), {"id": incident.id}
    )
    sealing, marking = keys.one()
    erase(incident, tmp_path)
    db.session.rollback()
    with db.engine.begin() as connection:
        back = {"sealing": sealing, "marking": marking, "id": incident.id}
        statement = (
            "UPDATE data_key SET sealing = :sealing, marking = :marking, erased_at = NULL WHERE incident_id = :id"
        )
        connection.execute(text(statement), back)
        connection.execute(Incident.__table__.update().where(Incident.id == incident.id).values(title=row["title"]))
    db.session.expire_all()
    assert db.session.scalars(select(Note)).one().text == words.GONE
    assert erasing.erase_again(folder=tmp_path, actor="cli", now=NOW) == 1
    db.session.expire_all()
    assert db.session.scalar(select(Incident.title).where(Incident.id == incident.id)) == words.GONE
    assert erasing.erase_again(folder=tmp_path, actor="cli", now=NOW + timedelta(days=1)) == 0
