"""Several at once: a code is spent once, an administrator remains, tries are counted one by one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from apiflask import APIFlask

from incident import clock
from incident.actions import policies, signin, users
from incident.actions.ledger import transaction
from incident.domain import second_factor
from incident.domain.access import Role
from incident.domain.errors import Refused
from incident.domain.separation import Policy
from incident.store import credentials, throttle
from incident.store import users as rows
from incident.store.db import db
from incident.store.users import User
from tests.builders import a_session, a_user

CODE = "0000-1111-2222-3333"
SECRET = b"12345678901234567890"


def at_once(app: APIFlask, acts: list[Callable[[], object]]) -> list[object]:
    """Do all acts at the same moment, each with its own connection; results, or the refusal in their place."""
    start = Barrier(len(acts))

    def one(act: Callable[[], object]) -> object:
        with app.app_context():
            start.wait(timeout=20)
            try:
                return act()
            except Refused as refusal:
                return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def with_second_factor(user: User) -> None:
    with transaction(user.ref, clock.now()) as ledger:
        row = rows.by_ref(user.ref, locked=True)
        assert row is not None
        row.totp_secret = credentials.seal_secret(user.ref, SECRET)
        row.recovery_codes = [second_factor.recovery_hash(CODE) or ""]
        ledger.write("second_factor.set_up", user.ref)


def waiting_sessions(user: User, count: int) -> list[str]:
    for _ in range(count):
        a_session(user, second_factor=False)
    return [row.ref for row in rows.sessions_of(user.id, clock.now())]


def test_a_recovery_code_lets_one_in_however_many_try_at_once(app: APIFlask):
    user = a_user(Role.LEAD)
    with_second_factor(user)
    refs = waiting_sessions(user, 4)
    done = at_once(app, [lambda ref=ref: signin.with_code(ref, CODE, now=clock.now()) for ref in refs])
    assert sum(isinstance(one, str) for one in done) == 1


def test_a_code_lets_one_in_however_many_try_at_once(app: APIFlask):
    user = a_user(Role.LEAD)
    with_second_factor(user)
    refs, now = waiting_sessions(user, 4), clock.now()
    code = second_factor.code_at(SECRET, second_factor.counter_at(now))
    done = at_once(app, [lambda ref=ref: signin.with_code(ref, code, now=now) for ref in refs])
    assert sum(isinstance(one, str) for one in done) == 1


def test_two_administrators_who_lock_each_other_leave_one(app: APIFlask):
    ana, bo = a_user(Role.ADMINISTRATOR).ref, a_user(Role.ADMINISTRATOR).ref
    pairs = [(ana, bo), (bo, ana)]
    at_once(app, [lambda of=of, by=by: users.lock(of, actor=by, now=clock.now()) for of, by in pairs])
    db.session.rollback()
    db.session.expire_all()
    assert len(rows.holders(Role.ADMINISTRATOR)) == 1


def test_one_set_up_link_makes_one_administrator(app: APIFlask):
    secret = users.offer_setup(now=clock.now()) or ""

    def accept(number: int) -> str:
        given = {"email": f"p{number}@example.org", "name": "P", "password": "correct horse battery staple"}
        return users.accept(secret, **given, time_zone="UTC", user_agent="", now=clock.now())

    done = at_once(app, [lambda number=number: accept(number) for number in range(3)])
    assert sum(isinstance(one, str) for one in done) == 1
    assert len(rows.holders(Role.ADMINISTRATOR)) == 1


def test_tries_at_once_are_all_counted(app: APIFlask):
    key, now = credentials.counting_key("account", "ana@example.org"), clock.now()
    done = at_once(app, [lambda: throttle.take([("account", key)], now) for _ in range(8)])
    assert sum(one is None for one in done) == 5


def test_the_throttle_names_nobody(app: APIFlask):
    key = credentials.counting_key("account", "ana@example.org")
    assert len(key) == 64
    assert key != credentials.counting_key("network", "ana@example.org")


def test_a_sealed_secret_of_one_account_does_not_open_in_another(app: APIFlask):
    ana, bo = a_user(Role.LEAD), a_user(Role.LEAD)
    with_second_factor(ana)
    moved = rows.by_ref(ana.ref).totp_secret
    with transaction("system", clock.now()) as ledger:
        rows.by_ref(bo.ref, locked=True).totp_secret = moved
        ledger.write("second_factor.set_up", bo.ref)
    ref = waiting_sessions(bo, 1)[0]
    now = clock.now()
    done = at_once(
        app, [lambda: signin.with_code(ref, second_factor.code_at(SECRET, second_factor.counter_at(now)), now=now)]
    )
    assert isinstance(done[0], Refused)


@pytest.mark.parametrize(
    ("strict", "taken"), [(False, [False, True, True, True, False]), (True, [False, False, True, False, False])]
)
def test_a_code_is_good_for_thirty_seconds_where_it_is_set_so_and_for_ninety_elsewhere(app, strict, taken):
    policies.take_up(Policy(strict_codes=strict), actor="system", now=clock.now())
    found = []
    for step in range(-2, 3):
        user = a_user_with_a_generator()
        now = clock.now()
        held = rows.session_by_key(credentials.key_of(a_session(user, second_factor=False)), now).ref
        code = second_factor.code_at(SECRET, second_factor.counter_at(now) + step)
        try:
            found.append(bool(signin.with_code(held, code, now=now)))
        except Refused:
            found.append(False)
    assert found == taken


def a_user_with_a_generator():
    user = a_user()
    with transaction(user.ref, clock.now()) as ledger:
        rows.by_ref(user.ref).totp_secret = credentials.seal_secret(user.ref, SECRET)
        ledger.write("second_factor.set_up", user.ref)
    return user
