"""Passkeys without a browser: where they belong, and what is no answer of one. With a browser: tests/journeys."""

from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient

from incident import clock
from incident.actions import passkeys as actions
from incident.actions import users as user_actions
from incident.actions.ledger import transaction
from incident.actions.signin import Client
from incident.actions.throttled import TooMany
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import credentials, passkeys, users
from incident.store.db import db
from incident.store.passkeys import Passkey, Place
from incident.store.users import User
from tests import record
from tests.builders import a_session, a_user
from tests.fakes.authenticator import Authenticator

HERE = Place("localhost", "http://localhost")
CLIENT = Client("192.0.2.1", "")
FORGED = ["", "null", "[]", "{}", '{"id": 7}', '{"id": "\\u0000"}', "x" * 30_000, '{"id": "AAAA", "response": {}}']


def a_key(user: User, name: str = "Blue key", credential: bytes = b"AAA") -> Passkey:
    """A key of this person, as if added; no authenticator answers for it."""
    with transaction(user.ref, clock.now()) as ledger:
        key = Passkey(ref=f"PK-{name[:4].upper()}0000", user_id=user.id, key=passkeys.key_of(credential), name=name)
        key.credential, key.public_key, key.sign_count, key.synced = credential, b"", 0, False
        key.added_at = clock.now()
        db.session.add(key)
        ledger.write("passkey.added", key.ref)
    return key


def a_ready_user() -> User:
    """Somebody whose code generator is set up, as for everybody who signed in once."""
    user = a_user(Role.LEAD)
    with transaction(user.ref, clock.now()) as ledger:
        held = users.by_ref(user.ref, locked=True)
        assert held is not None
        held.totp_secret = credentials.seal_secret(user.ref, b"secret")
        ledger.write("second_factor.set_up", user.ref)
    return user


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://incidents.example.org", "incidents.example.org"),
        ("https://incidents.example.org:8443/x", "incidents.example.org"),
        ("http://localhost:8000", "localhost"),
        ("http://127.0.0.1:8000", None),
        ("https://192.0.2.7", None),
        ("https://[2001:db8::1]", None),
        ("http://incidents.example.org", None),
    ],
)
def test_keys_belong_to_a_name_over_https_and_to_nothing_else(address: str, host: str | None):
    where = passkeys.place(address)
    assert (where.host if where else None) == host


@pytest.mark.parametrize("answer", FORGED)
def test_what_is_no_answer_of_a_key_opens_nothing_and_leaves_its_line(app: APIFlask, answer: str):
    user = a_user(Role.LEAD)
    a_key(user, credential=b"\x00\x00\x00")
    before = len(record.lines())
    with pytest.raises(Refused):
        actions.sign_in(HERE, answer, "AAAA", client=CLIENT, now=clock.now())
    assert [line.verb for line in record.lines()[before:]] == ["session.refused"]
    assert users.sessions_of(user.id, clock.now()) == []


@pytest.mark.parametrize("answer", FORGED)
def test_nor_is_it_a_second_factor(app: APIFlask, answer: str):
    user = a_user(Role.LEAD)
    a_key(user, credential=b"\x00\x00\x00")
    secret = a_session(user, second_factor=False)
    row = users.session_by_key(credentials.key_of(secret), clock.now())
    with pytest.raises(Refused):
        actions.second_factor(row.ref, HERE, answer, "AAAA", now=clock.now())
    db.session.rollback()
    assert users.session_by_key(credentials.key_of(secret), clock.now()).second_factor_at is None


def test_tries_with_keys_are_counted_as_those_with_codes(app: APIFlask):
    user = a_user(Role.LEAD)
    row = users.session_by_key(credentials.key_of(a_session(user, second_factor=False)), clock.now())
    for _ in range(8):
        with pytest.raises(Refused):
            actions.second_factor(row.ref, HERE, "{}", "AAAA", now=clock.now())
    with pytest.raises(TooMany):
        actions.second_factor(row.ref, HERE, "{}", "AAAA", now=clock.now())


def session_of(user: User, **more: bool) -> str:
    """The reference of a session of this person."""
    row = users.session_by_key(credentials.key_of(a_session(user, **more)), clock.now())
    assert row is not None
    return row.ref


def challenge() -> str:
    return passkeys.challenge_of(passkeys.to_prove(HERE, None))


def added(user: User, key: Authenticator, **wrong: object) -> str:
    """This person has added this key; the session in which they did."""
    here, asked = session_of(user), challenge()
    actions.add(here, HERE, key.create(asked, **wrong), asked, name="Key", now=clock.now())
    return here


def test_a_key_signs_in_as_second_factor_and_alone(app: APIFlask):
    user, key = a_ready_user(), Authenticator()
    added(user, key)
    for _ in range(2):
        here, asked = session_of(user, second_factor=False), challenge()
        assert actions.second_factor(here, HERE, key.get(asked), asked, now=clock.now())
        asked = challenge()
        assert actions.sign_in(HERE, key.get(asked), asked, client=CLIENT, now=clock.now())
    said = [record.details(line).get("how") for line in record.lines() if line.verb == "session.signed_in"]
    assert said.count("passkey") == said.count("passkey alone") == 2


WRONG = {
    "another site": {"origin": "https://localhost.example.net"},
    "another host": {"host": "example.net"},
    "another challenge": {"client": {"challenge": "AAAA"}},
    "another purpose": {"client": {"type": "webauthn.create"}},
    "a forged signature": {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
    "a count that goes back": {"count": 1},
    "nobody was checked": {"verifies": False},
}


@pytest.mark.parametrize("way", WRONG)
def test_an_answer_that_is_wrong_in_one_way_opens_nothing(app: APIFlask, way: str):
    user, key = a_ready_user(), Authenticator()
    added(user, key)
    for _ in range(2):
        asked = challenge()
        actions.sign_in(HERE, key.get(asked), asked, client=CLIENT, now=clock.now())
    sessions, asked = len(users.sessions_of(user.id, clock.now())), challenge()
    with pytest.raises(Refused):
        actions.sign_in(HERE, key.get(asked, **WRONG[way]), asked, client=CLIENT, now=clock.now())
    db.session.rollback()
    assert len(users.sessions_of(user.id, clock.now())) == sessions
    assert record.verbs()[-1] == "session.refused"


def test_the_same_answer_counts_once(app: APIFlask):
    user, key = a_ready_user(), Authenticator()
    added(user, key)
    asked = challenge()
    answer = key.get(asked, count=0)
    actions.sign_in(HERE, answer, asked, client=CLIENT, now=clock.now())
    with pytest.raises(Refused):
        actions.sign_in(HERE, answer, asked, client=CLIENT, now=clock.now())


def test_the_key_of_another_person_is_no_second_factor(app: APIFlask):
    ana, bo, key = a_ready_user(), a_ready_user(), Authenticator()
    added(ana, key)
    here, asked = session_of(bo, second_factor=False), challenge()
    with pytest.raises(Refused):
        actions.second_factor(here, HERE, key.get(asked), asked, now=clock.now())


def test_a_key_of_a_locked_account_opens_nothing(app: APIFlask):
    user, key = a_ready_user(), Authenticator()
    added(user, key)
    user_actions.lock(user.ref, actor=a_user(Role.ADMINISTRATOR).ref, now=clock.now())
    asked = challenge()
    with pytest.raises(Refused):
        actions.sign_in(HERE, key.get(asked), asked, client=CLIENT, now=clock.now())


@pytest.mark.parametrize("way", ["another site", "another host", "another challenge"])
def test_a_key_whose_answer_is_for_elsewhere_is_not_added(app: APIFlask, way: str):
    user = a_user(Role.LEAD)
    with pytest.raises(Refused, match="could not be added"):
        added(user, Authenticator(), **WRONG[way])
    assert passkeys.of(user.id) == []


def test_a_key_is_added_only_in_a_whole_session_with_a_fresh_password(app: APIFlask):
    user, key, asked = a_user(Role.LEAD), Authenticator(), challenge()
    for here, at in (
        (session_of(user, second_factor=False), clock.now()),
        (session_of(user), clock.now() + timedelta(minutes=16)),
    ):
        with pytest.raises(Refused, match="password again"):
            actions.add(here, HERE, key.create(asked), asked, name="Key", now=at)
    assert passkeys.of(user.id) == []


def test_adding_and_removing_a_key_sign_out_everywhere_else(app: APIFlask):
    user, key = a_user(Role.LEAD), Authenticator()
    a_session(user)
    here = added(user, key)
    db.session.rollback()
    assert [row.ref for row in users.sessions_of(user.id, clock.now())] == [here]
    a_session(user)
    actions.remove(passkeys.of(user.id)[0].ref, keep_session=here, actor=user.ref, now=clock.now())
    db.session.rollback()
    assert [row.ref for row in users.sessions_of(user.id, clock.now())] == [here]
    assert record.verbs()[-1] == "passkey.removed"


def test_a_key_is_on_one_account_only(app: APIFlask):
    key = Authenticator()
    added(a_user(Role.LEAD), key)
    with pytest.raises(Refused, match="in use already"):
        added(a_user(Role.LEAD), key)


def test_nobody_renames_or_removes_the_key_of_another(app: APIFlask, as_, token_for):
    key, other = a_key(a_user(Role.LEAD)), a_user(Role.ADMINISTRATOR)
    for act in (lambda: actions.rename(key.ref, "Mine", actor=other.ref, now=clock.now()), lambda: actions.remove(key.ref, actor=other.ref, now=clock.now())):  # fmt: skip
        with pytest.raises(Missing):
            act()
    header, call = token_for(user=other), app.test_client()
    assert call.delete(f"/api/v1/me/passkeys/{key.ref}", headers=header).status_code == 404
    assert as_(user=other).post(f"/account/passkeys/{key.ref}/remove").status_code == 404


def test_programs_list_rename_and_remove_ones_own_keys(app: APIFlask, token_for):
    user = a_user(Role.LEAD)
    key, header, call = a_key(user), token_for(user=user), app.test_client()
    path = f"/api/v1/me/passkeys/{key.ref}"
    assert call.patch(path, json={"name": "Red key"}, headers=header).status_code == 204
    [shown] = call.get("/api/v1/me/passkeys", headers=header).json["passkeys"]
    assert (shown["name"], shown["last_used_at"]) == ("Red key", None)
    assert call.delete(path, headers=header).status_code == 204
    assert call.get("/api/v1/me/passkeys", headers=header).json["passkeys"] == []
    with pytest.raises(Invalid):
        actions.rename(key.ref, "\x1b", actor=user.ref, now=clock.now())


def test_an_answer_that_comes_late_or_for_another_purpose_is_not_looked_at(app: APIFlask, client: FlaskClient):
    for purpose, minutes in (("first", 6), ("add", 0)):
        with client.session_transaction() as cookie:
            cookie["passkey"] = [purpose, "AAAA", int(clock.now().timestamp())]
        with time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False):
            assert client.post("/sign-in/passkey", data={"answer": "{}"}).location == "/sign-in"
            assert "took too long" in client.get("/sign-in").text
    assert record.verbs() == []


def test_a_reset_takes_the_keys_off(app: APIFlask):
    boss, ana = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD)
    a_key(ana)
    user_actions.reset(ana.ref, actor=boss.ref, now=clock.now())
    assert passkeys.of(ana.id) == []
