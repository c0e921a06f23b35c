"""What people are told about their own account: odd tries, a new place, changed ways in; and never a flood of it."""

from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import select

from incident import clock
from incident.actions import account_mails, passkeys, signin, tokens, users
from incident.actions.ledger import transaction
from incident.actions.signin import Client
from incident.domain import account_mails as rules
from incident.domain import second_factor
from incident.domain.access import Role
from incident.domain.errors import Refused
from incident.domain.team_mails import ONES_OWN, SUBJECTS, Kind, words
from incident.store import credentials
from incident.store import users as rows
from incident.store.db import db
from incident.store.separation import TeamMail
from tests.builders import a_session, a_user

PASSWORD = "correct horse battery staple"
GENERATOR = b"12345678901234567890"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140"
HOME = Client("192.0.2.7", FIREFOX)


@pytest.fixture
def ana(app: APIFlask):
    user = a_user(Role.LEAD, email="ana@example.org", password=PASSWORD)
    with transaction(user.ref, clock.now()) as ledger:
        row = rows.by_ref(user.ref)
        row.totp_secret = credentials.seal_secret(user.ref, GENERATOR)
        ledger.write("second_factor.set_up", user.ref)
    return rows.by_ref(user.ref)


def told(user=None, kind: str = ""):
    db.session.rollback()
    found = db.session.scalars(select(TeamMail).order_by(TeamMail.id)).all()
    return [mail for mail in found if (user is None or mail.user_id == user.id) and kind in ("", mail.kind)]


def code() -> str:
    return second_factor.code_at(GENERATOR, second_factor.counter_at(clock.now()))


def session_ref(secret: str) -> str:
    return rows.session_by_key(credentials.key_of(secret), clock.now()).ref


def sign_in(client: Client = HOME) -> None:
    begun = signin.with_password("ana@example.org", PASSWORD, client=client, now=clock.now())
    signin.with_code(session_ref(begun), code(), now=clock.now())


def fail(email: str, count: int, *, spread: bool = True) -> None:
    for number in range(count):
        client = Client(f"198.51.100.{number}" if spread else "198.51.100.1", "")
        with pytest.raises(Refused):
            signin.with_password(email, "wrong", client=client, now=clock.now())


def test_many_tries_from_wherever_are_told_to_the_owner_once_an_hour(ana):
    fail("ana@example.org", 4)
    assert told(ana) == []
    fail("ana@example.org", 4)
    assert [mail.kind for mail in told(ana)] == ["odd_tries"]
    with time_machine.travel(clock.now() + timedelta(minutes=50), tick=False):
        fail("ana@example.org", 6)
        assert len(told(ana)) == 1
    with time_machine.travel(clock.now() + timedelta(hours=4), tick=False):
        fail("ana@example.org", 6)
        assert len(told(ana)) == 2


def test_tries_of_accounts_that_are_not_there_or_locked_tell_nobody(ana):
    fail("nobody@example.org", 7)
    boss = a_user(Role.ADMINISTRATOR)
    users.lock(ana.ref, actor=boss.ref, now=clock.now())
    before = len(told())
    fail("ana@example.org", 7)
    assert len(told()) == before


def test_wrong_codes_after_the_right_password_say_that_somebody_knows_it(ana):
    begun = session_ref(signin.with_password("ana@example.org", PASSWORD, client=HOME, now=clock.now()))
    for count in (0, 0, 1, 1):
        with pytest.raises(Refused):
            signin.with_code(begun, "000000", now=clock.now())
        assert len(told(ana, "odd_codes")) == count


@pytest.mark.parametrize(
    ("client", "count"),
    [
        (HOME, 0),
        (Client("192.0.77.200", FIREFOX), 0),
        (Client("203.0.113.9", FIREFOX), 1),
        (Client("192.0.2.7", "Mozilla/5.0 (Windows NT 10.0) Chrome/140"), 1),
        (Client(None, FIREFOX), 0),
    ],
    ids=["the same", "another number of the same net", "another net", "another browser", "no network known"],
)
def test_a_sign_in_from_a_place_that_was_never_seen_is_told(ana, client, count):
    sign_in()
    assert told(ana) == []
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        sign_in(client)
        assert len(told(ana, "new_place")) == count
    with time_machine.travel(clock.now() + timedelta(hours=3), tick=False):
        sign_in(client)
        assert len(told(ana, "new_place")) == count


def test_the_network_is_kept_as_a_hash_that_says_nothing_and_differs_for_each_account(ana):
    other = a_user()
    found = {signin.place(user, client) for user in (ana, other) for client in (HOME, Client("203.0.113.9", ""))}
    assert len(found) == 4
    assert all(len(one) == 64 and "192" not in one[:3] for one in found)
    assert signin.place(ana, Client(None, "")) == ""


def test_every_changed_way_in_is_told_and_a_harmless_change_hides_none(ana):
    held = session_ref(a_session(ana))
    users.change_password("another horse battery staple", keep_session=held, actor=ana.ref, now=clock.now())
    signin.renew_recovery_codes(held, now=clock.now())
    signin.renew_recovery_codes(held, now=clock.now())
    secret = second_factor.new_secret()
    now = clock.now()
    fresh = second_factor.code_at(second_factor.as_bytes(secret), second_factor.counter_at(now))
    signin.set_up_second_factor(held, secret, fresh, now=now)
    tokens.issue(ana.ref, name="logs", days=1, actor=ana.ref, now=clock.now())
    users.reset(ana.ref, actor=a_user(Role.ADMINISTRATOR).ref, now=clock.now())
    whats = [mail.about["what"] for mail in told(ana, "ways_changed")]
    assert whats == [
        "your password was changed",
        "new recovery codes were made",
        "your code generator was replaced by another",
        "an access token for a program was issued",
        users.RESET,
    ]


def test_a_refused_change_tells_nobody(ana):
    with pytest.raises(Refused):
        signin.renew_recovery_codes(session_ref(a_session(ana, second_factor=False)), now=clock.now())
    with pytest.raises(Refused):
        passkeys.remove("PK-NOTTHERE", actor=ana.ref, now=clock.now())
    assert told(ana) == []


def test_the_end_of_a_token_is_told_once_a_week_before_it(ana):
    ref, _ = tokens.issue(ana.ref, name="logs", days=30, actor=ana.ref, now=clock.now())
    tokens.issue(ana.ref, name="some days", days=5, actor=ana.ref, now=clock.now())
    assert account_mails.ending(clock.now()) == []
    near = clock.now() + timedelta(days=24)
    assert account_mails.ending(near) == [ref]
    account_mails.remind(ref, near)
    assert account_mails.ending(near + timedelta(minutes=1)) == []
    account_mails.remind(ref, near)
    [mail] = told(ana, "token_ends")
    assert mail.about["token"] == ref


@pytest.mark.parametrize("kind", sorted(ONES_OWN))
def test_a_mail_about_ones_own_account_names_neither_person_nor_network(kind):
    about = {
        "when": "2026-11-23T09:00Z",
        "what": rules.NETWORK,
        "device": "Firefox on Linux",
        "token": "K-1",
        "until": "x",
    }
    subject, text = words(Kind(kind), about, site="https://incidents.example.org")
    assert subject == SUBJECTS[Kind(kind)]
    assert "{" not in text
    assert kind == "token_ends" or "tell an administrator at once" in text


def test_with_nothing_to_compare_with_no_place_is_new():
    assert rules.unknown("Firefox on Linux", "n1", ()) == ""
    assert rules.unknown("Firefox on Linux", "n1", {("Firefox on Linux", "")}) == ""
    assert rules.unknown("Firefox on Linux", "", {("Firefox on Linux", "n1")}) == ""
    assert rules.unknown("Firefox on Linux", "n2", {("Firefox on Linux", "n1")}) == rules.NETWORK
    assert rules.unknown("Edge on Windows", "n1", {("Firefox on Linux", "n1")}) == rules.BROWSER
