"""A form that is sent twice has one effect; two forms that look alike are two."""

import io
import re
import threading

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from incident.domain.access import CASE_TEAM, Role
from incident.store import incidents
from incident.store.db import db
from incident.web import once
from tests.builders import an_incident
from tests.record import verbs


@pytest.fixture
def guarded(app):
    """The application as it is in service: forms carry their token."""
    app.config["WTF_CSRF_ENABLED"] = True
    yield app
    app.config["WTF_CSRF_ENABLED"] = False


def token_of(page: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


@pytest.fixture
def note(guarded, as_):
    """A browser, the address of the form of notes, and a whole form."""
    browser, ref = as_(*CASE_TEAM), an_incident().ref
    page = browser.get(f"/incidents/{ref}").text
    return browser, f"/incidents/{ref}/notes", {"csrf_token": token_of(page), "text": "Seen in the log."}


def notes() -> int:
    return verbs().count("note.added")


def test_the_same_form_sent_twice_is_done_once_and_says_so(note):
    browser, address, form = note
    first, second = browser.post(address, data=form), browser.post(address, data=form)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.location == second.location
    assert notes() == 1
    assert once.TWICE in browser.get(second.location).text


def test_another_text_from_the_same_page_is_another_form(note):
    browser, address, form = note
    browser.post(address, data=form)
    browser.post(address, data=form | {"text": "Seen again."})
    assert notes() == 2


def test_the_same_text_from_another_page_is_another_form(note, guarded):
    browser, address, form = note
    browser.post(address, data=form)
    with browser.session_transaction() as cookie:
        secret = cookie["csrf_token"]
    earlier = URLSafeTimedSerializer(guarded.secret_key, salt="wtf-csrf-token", signer=Earlier).dumps(secret)
    browser.post(address, data=form | {"csrf_token": earlier})
    assert notes() == 2


class Earlier(TimestampSigner):
    """Signs the token of a page that was made five seconds ago."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() - 5


def test_a_form_that_was_refused_may_be_sent_again(guarded, as_):
    browser = as_(*CASE_TEAM)
    form = {"csrf_token": token_of(browser.get("/incidents/log").text), "title": ""}
    assert [browser.post("/incidents/log", data=form).status_code for _ in range(2)] == [422, 422]


def test_two_at_the_same_moment_have_one_effect(note, guarded):
    browser, address, form = note
    cookie = browser.get_cookie("tocsin").value
    gate, answers = threading.Barrier(2), []

    def send() -> None:
        with guarded.app_context():
            mine = guarded.test_client()
            mine.set_cookie("tocsin", cookie)
            gate.wait(timeout=10)
            answers.append(mine.post(address, data=form).status_code)
            db.session.remove()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert answers == [302, 302]
    assert notes() == 1


def test_a_secret_is_made_once_and_shown_once(guarded, as_):
    browser = as_(Role.LEAD)
    form = {"csrf_token": token_of(browser.get("/account/").text), "name": "script", "days": "3"}
    first, second = browser.post("/account/tokens", data=form), browser.post("/account/tokens", data=form)
    assert (first.status_code, second.status_code) == (200, 409)
    assert once.SHOWN in second.text
    assert verbs().count("token.issued") == 1


def test_the_same_file_again_is_the_same_form_and_another_of_its_name_is_not(guarded, as_):
    browser, incident = as_(*CASE_TEAM), an_incident()
    token = token_of(browser.get(f"/incidents/{incident.ref}/evidence").text)
    for content in (b"one", b"one", b"two"):
        form = {"csrf_token": token, "brought_by": "Somebody", "file": (io.BytesIO(content), "log.txt")}
        assert browser.post(f"/incidents/{incident.ref}/evidence", data=form).status_code == 302
    db.session.rollback()
    assert len(incidents.evidence(incident.id)) == 2


def test_another_person_with_the_same_fields_is_another_form(note, guarded, as_):
    browser, address, form = note
    browser.post(address, data=form)
    other = as_(*CASE_TEAM)
    page = other.get(address.rsplit("/", 1)[0]).text
    other.post(address, data=form | {"csrf_token": token_of(page)})
    assert notes() == 2
