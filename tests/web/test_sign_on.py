"""Signing in by the house's single sign-on: in place of a password, for people who were invited, and shut at once where it was broken into."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from incident import clock
from incident.actions import users as user_acts
from incident.actions.ledger import transaction
from incident.domain.access import Role
from incident.store import credentials, sign_on, users
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.separation import TeamMail
from notifiers.open_id import Client, OpenId
from tests.builders import a_session, a_user
from tests.fakes.open_id import CLIENT, SECRET, FakeOpenId
from tests.web.test_signin import PASSWORD, code_now

GENERATOR = b"12345678901234567890"
BACK = "http://localhost/sign-in/provider/back"


@pytest.fixture
def fake(app: APIFlask):
    with FakeOpenId(now=lambda: clock.now().timestamp()) as server:
        app.extensions["sign_on"] = OpenId(
            server.url, Client(CLIENT, SECRET, BACK), name="Example sign-on", loopback=True
        )
        yield server
        app.extensions["sign_on"] = None


def with_generator(user):
    with transaction(user.ref, clock.now()) as ledger:
        row = users.by_ref(user.ref)
        row.totp_secret = credentials.seal_secret(user.ref, GENERATOR)
        ledger.write("second_factor.set_up", user.ref)
    return users.by_ref(user.ref)


@pytest.fixture
def ana(app: APIFlask):
    return with_generator(a_user(Role.LEAD, name="Ana", email="ana@example.org", password=PASSWORD))


def away(client: FlaskClient, path: str = "/sign-in/provider") -> str:
    answer = client.get(path)
    assert answer.status_code == 302
    return answer.location


def by_provider(client: FlaskClient, fake: FakeOpenId, path: str = "/sign-in/provider"):
    return client.get(fake.code_for(away(client, path)))


def bound(client: FlaskClient, fake: FakeOpenId) -> None:
    """The first sign-in of Ana by the provider, with her own second factor."""
    assert by_provider(client, fake).location == "/sign-in/code"
    assert client.post("/sign-in/code", data={"code": code_now(GENERATOR)}).location == "/"
    client.post("/sign-out")


def lines(verb: str) -> list[AuditLine]:
    return list(db.session.scalars(select(AuditLine).where(AuditLine.verb == verb).order_by(AuditLine.seq)))


def details(verb: str) -> list[dict[str, Any]]:
    return [json.loads(line.details) for line in lines(verb)]


def whys() -> list[str]:
    return [found["why"] for found in details("session.refused")]


def test_the_first_time_the_own_second_factor_is_asked_and_binds_the_account(app, client, fake, ana):
    fake.claims = {"amr": ["otp"]}
    app.extensions["sign_on"].second_factor = ("otp",)
    assert by_provider(client, fake).location == "/sign-in/code"
    assert sign_on.of(ana.id) is None
    assert client.get("/account/").location == "/sign-in/code"
    assert client.post("/sign-in/code", data={"code": code_now(GENERATOR)}).location == "/"
    assert client.get("/account/").status_code == 200
    [line] = lines("sign_on.bound")
    assert (line.subject, line.actor) == (sign_on.of(ana.id).ref, ana.ref)
    assert details("sign_on.bound")[0]["account"] == ana.ref
    assert len(lines("session.asserted")) == len(lines("session.signed_in")) == 1


def test_a_bound_account_is_known_by_its_subject_and_no_more_by_its_address(client, fake, ana):
    bound(client, fake)
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        fake.person = fake.person | {"email": "ana.married@example.org", "email_verified": False}
        assert by_provider(client, fake).location == "/sign-in/code"
        fake.person = {"sub": "somebody else", "email": "ana@example.org", "email_verified": True}
        assert by_provider(client, fake).location == "/sign-in"
    assert whys() == ["sign_on_account"]


@pytest.mark.parametrize(
    ("claims", "to"), [({"amr": ["pwd"]}, "/sign-in/code"), ({"amr": ["pwd", "otp"]}, "/"), ({"acr": "otp"}, "/")]
)
def test_the_second_factor_of_the_provider_counts_where_it_is_set_so(app, client, fake, ana, claims, to):
    bound(client, fake)
    app.extensions["sign_on"].second_factor = ("otp",)
    fake.claims = claims
    assert by_provider(client, fake).location == to


def test_nobody_is_let_in_who_was_not_invited_and_no_account_is_made(app, client, fake, ana):
    people = len(users.every())
    fake.person = {"sub": "1", "email": "stranger@example.org", "email_verified": True, "roles": ["administrator"]}
    assert by_provider(client, fake).location == "/sign-in"
    fake.person = {"sub": "1", "email": "ana@example.org", "email_verified": False}
    assert by_provider(client, fake).location == "/sign-in"
    fake.person = {"sub": "1", "email": "ａna@example.org", "email_verified": True}
    assert by_provider(client, fake).location == "/sign-in"
    assert len(users.every()) == people
    assert whys() == ["sign_on_unknown", "sign_on_unverified", "sign_on_unknown"]


@pytest.mark.parametrize("state", ["locked", "reset", "without a factor"])
def test_an_account_that_is_shut_or_has_no_ways_of_its_own_is_not_opened_by_the_provider(client, fake, ana, state):
    boss = a_user(Role.ADMINISTRATOR)
    if state == "without a factor":
        a_user(email="new@example.org", password=PASSWORD)
        fake.person = {"sub": "2", "email": "new@example.org", "email_verified": True}
    else:
        bound(client, fake)
        (user_acts.lock if state == "locked" else user_acts.reset)(ana.ref, actor=boss.ref, now=clock.now())
    assert by_provider(client, fake).location == "/sign-in"
    assert whys() == ["sign_on_account"]
    if state == "reset":
        assert sign_on.of(ana.id) is None


def test_roles_never_come_from_the_provider(client, fake, ana):
    fake.claims = {"roles": ["administrator", "approver"], "groups": ["auditor"]}
    bound(client, fake)
    assert users.by_ref(ana.ref).roles == ["lead"]


@pytest.mark.parametrize("change", ["state", "no state", "code", "error", "iss", "cookie"])
def test_an_answer_that_this_browser_did_not_ask_for_opens_nothing(app, client, fake, ana, change):
    back = fake.code_for(away(client))
    given = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    other = {
        "state": {"state": "x" * 43},
        "no state": {"state": ""},
        "code": {"code": "guessed"},
        "iss": {"iss": "https://attacker.example"},
    }
    given |= other.get(change, {"error": "access_denied"} if change == "error" else {})
    browser = app.test_client() if change == "cookie" else client
    assert browser.get("/sign-in/provider/back", query_string=given).location == "/sign-in"
    assert browser.get("/account/").location.startswith("/sign-in?")
    reasons = {"iss": "other_issuer", "code": "code_refused", "error": "said_no"}
    assert whys() == [f"sign_on_{reasons.get(change, 'state')}"]


def test_an_answer_counts_once_even_from_a_browser_that_was_put_back(client, fake, ana):
    back = fake.code_for(away(client))
    with client.session_transaction() as cookie:
        before = dict(cookie)
    client.get(back)
    with client.session_transaction() as cookie:
        cookie.clear()
        cookie.update(before)
    assert client.get(back).location == "/sign-in"
    assert whys() == ["sign_on_code_refused"]


def test_an_answer_after_more_than_ten_minutes_is_too_late(client, fake, ana):
    back = fake.code_for(away(client))
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        assert client.get(back).location == "/sign-in"
    assert whys() == ["sign_on_too_late"]


def test_the_way_there_and_back_keeps_where_the_reader_wanted_to_go(client, fake, ana):
    assert by_provider(client, fake, "/sign-in/provider?next=/team/").location == "/sign-in/code?next=/team/"
    assert by_provider(client, fake, "/sign-in/provider?next=https://attacker.example/").location == "/sign-in/code"


def test_a_provider_that_does_not_answer_leaves_the_password_as_the_way_in(client, fake, ana):
    fake.down = True
    answer = client.get("/sign-in/provider")
    assert answer.location == "/sign-in"
    page = client.get("/sign-in").text
    assert "does not answer" in page
    assert client.post("/sign-in", data={"email": "ana@example.org", "password": PASSWORD}).status_code == 302


def test_a_far_reaching_act_asks_for_the_password_unless_the_provider_asked_a_moment_ago(app, client, fake, ana):
    bound(client, fake)
    app.extensions["sign_on"].second_factor = ("otp",)
    for age, to in ((None, "/sign-in/again"), (3600, "/sign-in/again"), (60, "/sign-in/second-factor")):
        fake.claims = {"amr": ["otp"], "auth_time": age and int(clock.now().timestamp()) - age}
        assert by_provider(client, fake).location == "/"
        assert urlsplit(client.get("/account/second-factor").location).path == to


def test_an_account_is_connected_from_inside_whatever_its_address_is(app, client, fake, ana):
    secret = a_session(ana)
    with client.session_transaction() as cookie:
        cookie |= {"sid": secret, "seen": int(clock.now().timestamp())}
    elsewhere = app.test_client()
    with elsewhere.session_transaction() as cookie:
        cookie |= {"sid": a_session(ana), "seen": int(clock.now().timestamp())}
    fake.person = {"sub": "ana-elsewhere"}
    assert by_provider(client, fake, "/account/sign-on/connect").location == "/account/"
    assert "Disconnect" in client.get("/account/").text
    assert elsewhere.get("/account/").location.startswith("/sign-in")
    assert [line.actor for line in lines("sign_on.bound")] == [ana.ref]
    assert client.post("/account/sign-on/disconnect").location == "/account/"
    assert sign_on.of(ana.id) is None
    assert [line.actor for line in lines("sign_on.unbound")] == [ana.ref]


def test_what_comes_back_for_one_account_is_never_bound_to_another(app, client, fake, ana):
    with client.session_transaction() as cookie:
        cookie |= {"sid": a_session(ana), "seen": int(clock.now().timestamp())}
    back = fake.code_for(away(client, "/account/sign-on/connect"))
    other = a_user(email="other@example.org")
    with client.session_transaction() as cookie:
        cookie |= {"sid": a_session(other), "seen": int(clock.now().timestamp())}
    client.get(back)
    assert (sign_on.of(ana.id), sign_on.of(other.id)) == (None, None)


def test_shutting_it_ends_what_began_there_and_leaves_the_password_as_the_way_in(app, client, fake, ana):
    bound(client, fake)
    app.extensions["sign_on"].second_factor = ("otp",)
    fake.claims = {"amr": ["otp"]}
    by_provider(client, fake)
    assert client.get("/account/").status_code == 200
    boss = app.test_client()
    with boss.session_transaction() as cookie:
        cookie |= {"sid": a_session(a_user(Role.ADMINISTRATOR)), "seen": int(clock.now().timestamp())}
    assert "Shut it" in boss.get("/team/rules/").text
    boss.post("/team/rules/sign-on/shut")
    assert client.get("/account/").location.startswith("/sign-in")
    assert by_provider_refused(client) == "/sign-in"
    page = client.get("/sign-in").text
    assert "Example sign-on is shut" in page
    assert "/sign-in/provider" not in page
    assert client.post("/sign-in", data={"email": "ana@example.org", "password": PASSWORD}).location.startswith(
        "/sign-in/code"
    )
    assert [found["sessions"] for found in details("sign_on.shut")] == [1]
    assert {mail.kind for mail in db.session.scalars(select(TeamMail))} == {"sign_on", "ways_changed"}
    boss.post("/team/rules/sign-on/open")
    assert by_provider(client, fake).location == "/"


def by_provider_refused(client: FlaskClient) -> str:
    return client.get("/sign-in/provider").location


def test_whoever_was_on_the_way_when_it_was_shut_is_not_let_in(app, client, fake, ana, token_for):
    bound(client, fake)
    back = fake.code_for(away(client))
    headers = token_for(Role.PRIVACY)
    assert client.post("/api/v1/team/sign-on/shut", headers=headers).status_code == 204
    assert client.get("/api/v1/team/sign-on", headers=headers).json["shut"] is True
    assert client.get(back).location == "/sign-in"
    assert whys() == ["sign_on_shut"]
    assert client.post("/api/v1/team/sign-on/open", headers=headers).status_code == 403


def test_who_leaves_is_shown_the_way_out_at_the_provider_too(client, fake, ana):
    by_provider(client, fake)
    client.post("/sign-in/code", data={"code": code_now(GENERATOR)})
    left = client.post("/sign-out").location
    assert f"{fake.url}/leave" in client.get(left).text
    assert f"{fake.url}/leave" not in client.get("/sign-in").text


def test_without_a_provider_there_is_no_way_to_one(client, ana):
    assert client.get("/sign-in/provider").status_code == 404
    assert client.get("/sign-in/provider/back?code=1&state=2").location == "/sign-in"
    assert "Go on with" not in client.get("/sign-in").text


def test_programs_see_and_end_the_binding_of_their_owner(app, client, fake, ana, token_for):
    headers = token_for(user=ana)
    assert client.get("/api/v1/me/sign-on", headers=headers).json["ref"] is None
    bound(client, fake)
    assert client.get("/api/v1/me/sign-on", headers=headers).json["ref"].startswith("SO-")
    assert client.delete("/api/v1/me/sign-on", headers=headers).status_code == 204
    assert client.delete("/api/v1/me/sign-on", headers=headers).status_code == 404
