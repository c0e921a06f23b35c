"""Keys and witnesses of the record, by page and by call."""

import io
import json

import pytest

from incident import clock
from incident.actions import checkpoints
from incident.domain import audit
from incident.domain.access import Role
from incident.store import checkpoints as store
from incident.store import record_keys, sealed
from tests.builders import an_incident
from tests.record import verbs
from tests.vectors.audit import make

NAME = next(iter(make.WITNESS_SEEDS))


@pytest.fixture(autouse=True)
def _own_keys(app, tmp_path, monkeypatch):
    """Keys and checkpoints of this test alone, and a witness."""
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(sealed.ring(), "folder", folder)
    monkeypatch.setattr(app.extensions["settings"], "witness_keys", str(make.witness(NAME)))


@pytest.fixture
def note():
    an_incident()
    checkpoints.sign(actor="cli", now=clock.now())
    return store.latest().note


def test_an_administrator_changes_the_key_and_everybody_who_looks_after_the_record_sees_it(as_, note):
    old = store.key()
    browser = as_(Role.ADMINISTRATOR)
    page = browser.get("/record/keys/").text
    assert (old.id.hex() in page, "Change the key" in page) == (True, True)
    assert browser.post("/record/keys/").status_code == 302
    new = store.key()
    page = as_(Role.AUDITOR).get("/record/keys/").text
    assert (new.id.hex() in page, old.id.hex() in page, "Change the key" in page) == (True, True, False)
    assert browser.get("/record/key").text.split() == [str(new), str(old)]
    rows = browser.get("/record/keys/keys.csv").text.splitlines()
    assert (len(rows), old.id.hex() in rows[1], new.id.hex() in rows[2]) == (3, True, True)
    assert verbs().count("record.key_changed") == 1


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.LEAD, Role.PRIVACY, Role.RESPONDER])
def test_nobody_else_changes_it(as_, token_for, client, note, role):
    assert as_(role).post("/record/keys/").status_code == 403
    assert client.post("/api/v1/record/keys", headers=token_for(role)).status_code == 403
    assert "record.key_changed" not in verbs()


def test_before_the_first_checkpoint_the_page_says_what_comes(as_):
    page = as_(Role.ADMINISTRATOR).get("/record/keys/").text
    assert ("No key yet" in page, "Change the key" in page) == (True, False)
    assert as_(Role.ADMINISTRATOR).post("/record/keys/").status_code == 409


def test_what_a_witness_signed_is_handed_in_as_a_file_or_as_text(as_, note):
    browser = as_(Role.AUDITOR)
    assert "No checkpoint was seen by enough witnesses yet" in browser.get("/record/keys/").text
    wrong = browser.post("/record/cosignatures/", data={"note": note})
    assert (wrong.status_code, "no signature in it" in wrong.text) == (422, True)
    given = note + make.cosignature(note, NAME)
    reply = browser.post("/record/cosignatures/", data={"file": (io.BytesIO(given.encode()), "seen.txt")})
    assert reply.status_code == 302
    page = browser.get("/record/keys/").text
    assert (NAME in page, "has seen" in page, "Enough witnesses have seen the newest" in page) == (True, True, True)
    assert browser.get("/record/checkpoint").text == given
    again = browser.post("/record/cosignatures/", data={"note": given.replace("\n", "\r\n")})
    assert (again.status_code, "not here already" in again.text) == (422, True)


def test_whoever_brings_it_learns_nothing_else_by_that(as_, note):
    browser = as_(Role.RESPONDER)
    assert browser.get("/record/keys/").status_code == 403
    refused = browser.post("/record/cosignatures/", data={"note": note})
    assert (refused.status_code, store.key().id.hex() in refused.text) == (422, False)
    assert browser.post("/record/cosignatures/", data={"note": note + make.cosignature(note, NAME)}).status_code == 302


def test_programs_do_the_same(client, token_for, note):
    header = token_for(Role.ADMINISTRATOR)
    old = store.key()
    told = client.post("/api/v1/record/keys", headers=header).json
    assert [(one["key"], one["since"] > 0, one["signed"]) for one in told["keys"]] == [
        (str(old), False, True),
        (str(store.key()), True, True),
    ]
    newest = store.latest()
    given = newest.note + make.cosignature(newest.note, NAME)
    taken = client.post("/api/v1/record/cosignatures", json={"note": given}, headers=token_for(Role.AUDITOR))
    assert taken.json == {"names": [NAME]}
    told = client.get("/api/v1/record/keys", headers=token_for(Role.AUDITOR)).json
    assert (told["needed"], told["seen_by_enough"], told["stamp"]) == (1, newest.size, None)
    assert told["witnesses"] == [
        {"name": NAME, "key": str(make.witness(NAME)), "seen": newest.size, "seen_at": 1_772_366_400}
    ]
    found = client.get("/api/v1/record/check", headers=header).json
    assert (found["ok"], found["witnessed"], len(found["keys"])) == (True, newest.size, 2)
    assert client.get("/api/v1/record/checkpoint", headers=header).json["note"] == given
    assert client.post("/api/v1/record/cosignatures", json={"note": "x"}, headers=header).status_code == 422


def test_an_export_by_page_is_checked_elsewhere_after_a_change(as_, note):
    first = store.key()
    browser = as_(Role.ADMINISTRATOR)
    browser.post("/record/keys/")
    verdict = audit.verify(io.BytesIO(browser.get("/record/export").data), [note], [first])
    assert (verdict.ok, verdict.key) == (True, str(record_keys.newest().key))
    assert json.loads(json.dumps(verdict.sentences()))
