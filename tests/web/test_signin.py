"""Signing in: two factors, one answer for every mistake, every try counted."""

import re
from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from incident import clock
from incident.actions import users as actions
from incident.domain import second_factor
from incident.domain.access import Role
from incident.store import users
from incident.store.audit import AuditLine
from incident.store.db import db
from tests.builders import a_user

PASSWORD = "correct horse battery staple"  # the comic's; strong enough for the estimate
MONDAY = "2026-11-23 09:00:00+00:00"


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD):
    return client.post("/sign-in", data={"email": email, "password": password})


def key_on(page: str) -> bytes:
    """The secret that the set-up page shows."""
    found = re.search(r"type the key: <span class=\"mono\">([A-Z2-7 ]+)<", page)
    assert found
    return second_factor.as_bytes(found[1].replace(" ", ""))


def code_now(secret: bytes) -> str:
    return second_factor.code_at(secret, second_factor.counter_at(clock.now()))


def lines(verb: str) -> list[AuditLine]:
    return list(db.session.scalars(select(AuditLine).where(AuditLine.verb == verb).order_by(AuditLine.seq)))


@pytest.fixture
def ana(app: APIFlask):
    return a_user(Role.LEAD, name="Ana", email="ana@example.org", password=PASSWORD)


@pytest.fixture
def ready(ana, client: FlaskClient):
    """Ana's code generator, set up at her first sign-in; and her recovery codes."""
    sign_in(client, "ana@example.org")
    page = client.get("/sign-in/second-factor").text
    answer = client.post("/sign-in/second-factor", data={"code": code_now(key_on(page))})
    codes = re.findall(r"<li>([0-9A-Z-]{29})</li>", answer.text)
    assert len(codes) == 10
    client.post("/sign-out")
    return key_on(page), codes


def test_the_first_sign_in_leads_to_the_second_factor_and_opens_nothing_before(ana, client: FlaskClient):
    assert sign_in(client, "ana@example.org").location.startswith("/sign-in/code")
    assert client.get("/sign-in/code").location.startswith("/sign-in/second-factor")
    for path in ("/account/", "/team/", "/incidents/"):
        assert client.get(path).location == "/sign-in/second-factor"


def test_with_both_factors_the_desk_opens(ready, client: FlaskClient, ana):
    secret, _ = ready
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        sign_in(client, "ana@example.org")
        assert client.get("/account/").location == "/sign-in/code"
        assert client.post("/sign-in/code", data={"code": code_now(secret)}).location == "/"
        assert client.get("/account/").status_code == 200
    assert lines("session.signed_in")[-1].actor == ana.ref


def test_a_code_works_once(ready, app: APIFlask):
    secret, _ = ready
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        first, second = app.test_client(), app.test_client()
        for browser, status in ((first, 302), (second, 422)):
            sign_in(browser, "ana@example.org")
            assert browser.post("/sign-in/code", data={"code": code_now(secret)}).status_code == status


def test_a_recovery_code_works_once_however_it_is_typed(ready, app: APIFlask):
    _, codes = ready
    for typed, status in ((codes[0].lower().replace("-", " "), 302), (codes[0], 422), (codes[1], 302)):
        browser = app.test_client()
        sign_in(browser, "ana@example.org")
        assert browser.post("/sign-in/code", data={"code": typed}).status_code == status
    assert len(users.by_email("ana@example.org").recovery_codes) == 8


def test_every_mistake_gets_the_same_answer(ana, client: FlaskClient):
    locked = a_user(email="locked@example.org", password=PASSWORD)
    actions.lock(locked.ref, actor=ana.ref, now=clock.now())
    replies = [
        sign_in(client, "ana@example.org", "wrong"),
        sign_in(client, "nobody@example.org"),
        sign_in(client, "locked@example.org"),
        sign_in(client, "not an address"),
    ]
    pages = {re.sub(r'value="[^"]*"', "", reply.text) for reply in replies}
    assert {reply.status_code for reply in replies} == {422}
    assert len(pages) == 1
    assert [line.subject for line in lines("session.refused")] == [ana.ref, "unknown", locked.ref, "unknown"]


def test_tries_end_in_a_pause_that_is_the_same_for_accounts_that_do_not_exist(ana, client: FlaskClient):
    for email in ("ana@example.org", "nobody@example.org"):
        answers = [sign_in(client, email, "wrong").status_code for _ in range(6)]
        assert answers == [422] * 5 + [429]
    pause = sign_in(client, "ana@example.org")
    assert pause.status_code == 429
    assert 0 < int(pause.headers["Retry-After"]) <= 60


def test_after_the_pause_the_right_password_is_taken_again(ana, client: FlaskClient):
    for _ in range(6):
        sign_in(client, "ana@example.org", "wrong")
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        assert sign_in(client, "ana@example.org").status_code == 302


def test_guessing_codes_ends_in_a_pause_from_wherever_it_comes(ready, app: APIFlask):
    answers = []
    for place in range(9):
        browser = app.test_client()
        browser.environ_base["REMOTE_ADDR"] = f"192.0.2.{place}"
        sign_in(browser, "ana@example.org")
        answers.append(browser.post("/sign-in/code", data={"code": "000000"}).status_code)
    assert answers == [422] * 8 + [429]


def test_a_session_gets_a_new_secret_with_the_second_factor(ready, client: FlaskClient, app: APIFlask):
    secret, _ = ready
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        sign_in(client, "ana@example.org")
        with client.session_transaction() as cookie:
            before = dict(cookie)
        client.post("/sign-in/code", data={"code": code_now(secret)})
        thief = app.test_client()
        with thief.session_transaction() as cookie:
            cookie.update(before)
        assert thief.get("/account/").location.startswith("/sign-in")


def test_signing_in_again_leaves_no_session_behind(ana, client: FlaskClient):
    for _ in range(3):
        sign_in(client, "ana@example.org")
    assert len(users.sessions_of(ana.id, clock.now())) == 1


def test_signing_out_ends_the_session_on_the_server(as_, app: APIFlask):
    browser = as_(Role.LEAD)
    with browser.session_transaction() as cookie:
        before = dict(cookie)
    browser.post("/sign-out")
    again = app.test_client()
    with again.session_transaction() as cookie:
        cookie.update(before)
    assert again.get("/account/").location.startswith("/sign-in")


def test_an_idle_session_and_an_old_one_end(as_, app: APIFlask):
    for gap in (timedelta(hours=5), timedelta(hours=17)):
        browser = as_(Role.LEAD)
        with time_machine.travel(clock.now() + gap, tick=False):
            assert browser.get("/account/").location.startswith("/sign-in")


@pytest.mark.parametrize("place", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(ready, client: FlaskClient, place: str):
    secret, _ = ready
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        sign_in(client, "ana@example.org")
        answer = client.post("/sign-in/code", query_string={"next": place}, data={"code": code_now(secret)})
    assert answer.location == "/"


def test_signing_in_leads_back_to_where_one_wanted(client: FlaskClient, app: APIFlask):
    assert client.get("/team/?after=U-1").location == "/sign-in?next=/team/?after%3DU-1"
