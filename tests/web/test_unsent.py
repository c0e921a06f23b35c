"""A session that ended while somebody typed costs them nothing: what they wrote is kept for them alone, and offered again."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from incident import clock
from incident.actions import intake
from incident.domain import unsent as rules
from incident.domain.access import Role
from incident.store import incidents, unsent, users
from incident.store.credentials import key_of
from incident.store.db import db
from tests.builders import a_notice, a_session, a_user, an_incident
from tests.record import verbs

WORDS = "Mr Example called: the disk was in his bag."
LATER = timedelta(hours=5)
OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}


@pytest.fixture
def guarded(app, monkeypatch):
    """The application as it is served, with its tokens of forms."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    return app


def token_of(browser, address="/incidents/"):
    return re.search(r'name="csrf_token" value="([^"]+)"', browser.get(address).get_data(as_text=True))[1]


def sign_in_again(browser, user):
    with browser.session_transaction() as cookie:
        cookie.clear()
        cookie |= {"sid": a_session(user), "seen": int(clock.now().timestamp())}


@pytest.fixture
def typing(guarded, as_):
    """Somebody with the page of an incident open, and its token."""
    user, incident = a_user(Role.LEAD), an_incident()
    browser = as_(user=user)
    return user, incident, browser, token_of(browser)


def note(incident):
    return f"/incidents/{incident.ref}/notes"


def test_what_was_typed_comes_back_after_signing_in_and_is_done_once_it_is_sent(typing):
    user, incident, browser, token = typing
    with time_machine.travel(clock.now() + LATER, tick=False):
        answer = browser.post(note(incident), data={"csrf_token": token, "text": WORDS, "body": WORDS})
        assert answer.status_code == 302
        assert "/sign-in?next=/unsent/UF-" in answer.location
        assert "What you typed is kept" in browser.get(answer.location).get_data(as_text=True)
        sign_in_again(browser, user)
        address = answer.location.split("next=")[1]
        page = browser.get(address).get_data(as_text=True)
        assert WORDS in page
        fields = dict(
            re.findall(
                r'<input type="hidden" name="([^"]+)" value="([^"]*)">',
                page.split("Send it again")[0].rsplit("<form", 1)[1],
            )
        )
        before = len(verbs(incident.ref))
        assert browser.post(note(incident), data=fields).status_code == 302
        assert len(verbs(incident.ref)) == before + 1
        assert browser.get(address).status_code == 404, "it was done, so nothing waits any more"


def test_it_is_sealed_and_nobody_else_sees_it(typing, as_):
    _, incident, browser, token = typing
    with time_machine.travel(clock.now() + LATER, tick=False):
        where = browser.post(note(incident), data={"csrf_token": token, "text": WORDS}).location
        other = as_(Role.LEAD)
        assert other.get(where.split("next=")[1]).status_code == 404
        assert WORDS not in other.get("/unsent/").get_data(as_text=True)
        assert b"Example" not in bytes(db.session.execute(text("SELECT sealed FROM unsent_form")).scalar())


def test_after_two_days_it_is_gone(typing):
    user, incident, browser, token = typing
    with time_machine.travel(clock.now() + LATER, tick=False):
        where = browser.post(note(incident), data={"csrf_token": token, "text": WORDS}).location
    with time_machine.travel(clock.now() + LATER + unsent.KEPT, tick=False):
        sign_in_again(browser, user)
        assert browser.get(where.split("next=")[1]).status_code == 404
        assert "Nothing waits here" in browser.get("/unsent/").get_data(as_text=True)


def test_throwing_it_away_leaves_a_line_and_nothing_else(typing):
    user, incident, browser, token = typing
    with time_machine.travel(clock.now() + LATER, tick=False):
        where = browser.post(note(incident), data={"csrf_token": token, "text": WORDS}).location.split("next=")[1]
        sign_in_again(browser, user)
        assert browser.post(f"{where}/drop", data={"csrf_token": token_of(browser)}).status_code == 302
        assert unsent.of(user.id, clock.now()) == []
        assert verbs()[-1] == "form.dropped"


def test_a_notice_that_was_being_written_is_saved_by_sending_it_again(guarded, as_):
    user, incident = a_user(Role.COMMUNICATIONS), an_incident()
    ref = a_notice(incident)
    browser = as_(user=user)
    address = f"/incidents/{incident.ref}/notices/{ref}"
    page = browser.get(address).get_data(as_text=True)
    form = page.split('<form id="compose"')[1].split("</form>")[0]
    fields = dict(re.findall(r'name="(csrf_token|revision|language|channel)" value="([^"]*)"', form))
    fields |= {
        "title": "Told again",
        "languages": "en",
        "channel1": "email",
        "what_happened": "A disk was lost.\n\nToday.",
    }
    with time_machine.travel(clock.now() + LATER, tick=False):
        where = browser.post(address, data=fields).location.split("next=")[1]
        sign_in_again(browser, user)
        page = browser.get(where).get_data(as_text=True)
        again = page.split("Send it again")[0].rsplit("<form", 1)[1]
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', again))
        assert browser.post(address, data=fields).status_code == 302
        assert "A disk was lost.\n\nToday." in browser.get(address).get_data(as_text=True)


def test_a_session_that_somebody_ended_keeps_nothing(typing):
    _, incident, browser, token = typing
    with browser.session_transaction() as cookie:
        row = users.session_by_key(key_of(cookie["sid"]), clock.now())
    row.ended_at = clock.now()
    db.session.commit()
    answer = browser.post(note(incident), data={"csrf_token": token, "text": WORDS})
    assert answer.status_code == 302
    assert "unsent" not in answer.location
    assert db.session.query(unsent.UnsentForm).count() == 0


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, OURS | {"Origin": "http://evil.example"}],
)
def test_a_form_without_our_token_is_kept_only_where_the_browser_vouches_for_it(typing, headers):
    _, incident, browser, _ = typing
    with time_machine.travel(clock.now() + LATER, tick=False):
        browser.post(note(incident), data={"csrf_token": "forged", "text": WORDS}, headers=headers)
    assert db.session.query(unsent.UnsentForm).count() == 0


def test_a_page_that_is_older_than_the_session_loses_nothing_either(typing):
    user, incident, browser, token = typing
    sign_in_again(browser, user)
    browser.get("/incidents/")
    refused = browser.post(note(incident), data={"csrf_token": token, "text": WORDS})
    assert refused.status_code == 400
    kept = browser.post(note(incident), data={"csrf_token": token, "text": WORDS}, headers=OURS)
    assert (kept.status_code, kept.location.startswith("/unsent/UF-")) == (302, True)
    assert WORDS in browser.get(kept.location).get_data(as_text=True)


@pytest.mark.parametrize(
    "fields",
    [
        [("people", "48 210"), ("digest", "ab" * 32)],
        [("send_at", "2026-11-22T09:00"), ("channel1", "email")],
        [("text", "some words"), ("password", "hunter2 hunter2")],
        [("text", "a " * rules.MOST_LETTERS)],
        [("csrf_token", "two words")],
    ],
)
def test_decisions_numbers_secrets_and_floods_are_not_kept(fields):
    assert rules.worth_keeping(fields) == ()


@pytest.mark.parametrize("words", ["two words", "服务器被盗", "línea"])
def test_words_in_any_writing_are_kept_without_the_proofs_of_their_page(words):
    assert rules.worth_keeping([("csrf_token", "x"), ("text", words), ("revision", "3")]) == [
        ("text", words),
        ("revision", "3"),
    ]


def test_at_most_ten_forms_of_one_account_are_kept(app):
    user, now = a_user(Role.LEAD), clock.now()
    for number in range(unsent.MOST + 3):
        unsent.keep(f"UF-{number:08}", user.id, "/x", unsent.Kept([("text", "a b")], "/", False), now)
    user_id = user.id
    db.session.rollback()
    assert [row.ref for row in unsent.of(user_id, now)] == [f"UF-{number:08}" for number in range(12, 2, -1)]


def test_a_refusal_shows_what_was_typed(typing):
    _, incident, browser, token = typing
    told = f"{WORDS} " + "x" * intake.LONGEST_NOTE
    refused = browser.post(note(incident), data={"csrf_token": token, "text": told})
    assert refused.status_code == 422
    assert "What you typed" in refused.text
    assert told in refused.text
    assert token not in refused.text.split("What you typed")[1]


def test_a_refusal_names_its_field_and_what_was_typed_in_the_readers_language(typing):
    user, incident, browser, token = typing
    user.language = "zh-Hans"
    db.session.commit()
    told = f"{WORDS} " + "x" * intake.LONGEST_NOTE
    refused = browser.post(note(incident), data={"csrf_token": token, "text": told})
    assert "字段：正文" in refused.text
    assert "<h3>正文</h3>" in refused.text


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"csrf_token": "forged"}, {"Sec-Fetch-Site": "cross-site"}),
        ({"password": "hunter2 hunter2"}, OURS),
    ],
    ids=["from elsewhere", "a secret"],
)
def test_no_refusal_repeats_what_came_from_elsewhere_or_holds_a_secret(typing, fields, headers):
    _, incident, browser, token = typing
    told = f"{WORDS} " + "x" * intake.LONGEST_NOTE
    for address in (note(incident), "/incidents/INC-2026-9999/notes", "/nowhere"):
        refused = browser.post(address, data={"csrf_token": token, "text": told} | fields, headers=headers)
        assert refused.status_code >= 400
        assert "Mr Example" not in refused.text


def test_files_have_to_be_chosen_again(app, as_):
    user = a_user(Role.LEAD)
    unsent.keep("UF-00000001", user.id, "/x", unsent.Kept([("description", "a b")], "/incidents/", True), clock.now())
    page = as_(user=user).get("/unsent/UF-00000001").get_data(as_text=True)
    assert "choose the files again" in page
    assert "Send it again" not in page


def test_nothing_was_done_by_what_is_kept(typing):
    _, incident, browser, token = typing
    before = verbs()
    with time_machine.travel(clock.now() + LATER, tick=False):
        browser.post(note(incident), data={"csrf_token": token, "text": WORDS})
    assert verbs() == before
    assert incidents.by_ref(incident.ref) is not None


def test_a_form_that_comes_late_overwrites_nobody(typing):
    user, incident, browser, token = typing
    address = f"/incidents/{incident.ref}/facts/what_happened"
    page = browser.get(address).get_data(as_text=True)
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]
    given = {"csrf_token": token, "seen": seen, "what_happened": "A disk was lost."}
    with time_machine.travel(clock.now() + LATER, tick=False):
        where = browser.post(address, data=given).location.split("next=")[1]
        told = {"what_happened": "The disk was found."}
        intake.record_facts(incident.ref, told, source="a call", confidence="high", actor=user.ref, now=clock.now())
        sign_in_again(browser, user)
        again = browser.get(where).get_data(as_text=True).split("Send it again")[0].rsplit("<form", 1)[1]
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', again))
        assert browser.post(address, data=fields).status_code == 409
        assert browser.get(where).status_code == 200, "it still waits, so that it can be looked at"
