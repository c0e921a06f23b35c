"""A request of a program that is sent again with its key is answered again, and not done again."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from incident.clock import now
from incident.store import repeats
from incident.store.db import db
from incident.store.incidents import Note
from tests.builders import an_incident


@pytest.fixture
def note(app, token_for):
    ref, tokens, client = an_incident().ref, {"lead": token_for("lead"), "other": token_for("lead")}, app.test_client()

    def call(key, text="Seen.", who="lead"):
        headers = tokens[who] | ({"Idempotency-Key": key} if key is not None else {})
        return client.post(f"/api/v1/incidents/{ref}/notes", headers=headers, json={"text": text})

    return call


def notes():
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Note))


def test_sent_again_it_is_answered_again_and_not_done_again(note):
    first, again = note("k1"), note("k1")
    assert (first.status_code, again.status_code, notes()) == (201, 201, 1)
    assert again.get_data() == first.get_data()
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")


def test_another_request_under_the_same_key_is_refused_and_named(note):
    note("k1")
    reply = note("k1", text="Something else.")
    assert (reply.status_code, reply.get_json()["field"], notes()) == (422, "Idempotency-Key", 1)


def test_each_person_has_keys_of_their_own(note):
    note("k1")
    note("k1", who="other")
    assert notes() == 2


def test_without_a_key_everything_is_done_each_time(note):
    note(None)
    note(None)
    assert notes() == 2


@pytest.mark.parametrize("key", ["", "with space", "x" * 201, "é"])
def test_a_key_that_is_none_is_refused(note, key):
    assert note(key).status_code == 422
    assert notes() == 0


def test_what_was_refused_frees_its_key(note):
    assert note("k1", text="").status_code == 422
    assert note("k1").status_code == 201


def test_while_the_first_answer_is_not_known_nothing_is_done(note, monkeypatch):
    monkeypatch.setattr(repeats, "keep", lambda *_: None)
    note("k1")
    reply = note("k1")
    assert (reply.status_code, notes()) == (409, 1)
    assert "Look whether it was done" in reply.get_json()["detail"]


def test_after_a_day_the_key_is_free_again(app):
    key = repeats.key_of(1, "k1")
    assert repeats.begin(key, "a", now() - timedelta(hours=25)) is None
    assert repeats.begin(key, "a", now()) is None


def test_the_answer_is_kept_sealed(note):
    note("k1", text="A telling word")
    db.session.rollback()
    row = db.session.execute(select(repeats.rows)).one()
    assert row.status == 201
    assert b"N-" not in row.sealed
    assert row.key != "k1"


@pytest.mark.parametrize("address", ["/api/v1/nothing", "/api/v1/incidents/INC-2026-0001/waves/-1"])
def test_a_key_for_a_call_that_there_is_not_changes_nothing_about_that(app, token_for, address):
    headers = token_for("lead") | {"Idempotency-Key": "k1"}
    assert app.test_client().post(address, headers=headers, json={}).status_code == 404
