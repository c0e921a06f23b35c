"""The first administrator, invitations, roles, locks and resets; each with its line, or refused without one."""

from datetime import timedelta

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select

from incident import clock
from incident.actions import signin
from incident.actions import users as actions
from incident.domain import second_factor
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import credentials, users
from incident.store.audit import AuditLine
from incident.store.db import db
from tests.builders import a_session, a_user

NOW = clock.now()
STRONG = "correct horse battery staple"


def lines() -> list[tuple[str, str]]:
    return [(row.verb, row.subject) for row in db.session.scalars(select(AuditLine).order_by(AuditLine.seq))]


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(AuditLine)) or 0


def accept(secret: str, *, email: str = "", name: str = "Ana", password: str = STRONG, now=NOW) -> str:
    return actions.accept(
        secret, email=email, name=name, password=password, time_zone="Europe/Berlin", user_agent="", now=now
    )


def test_the_first_administrator_comes_by_the_set_up_link_and_nobody_after(app: APIFlask):
    secret = actions.offer_setup(now=NOW)
    assert secret
    accept(secret, email="Ana@Example.org")
    ana = users.by_email("ana@example.org")
    assert ana.roles == ["lead", "administrator"]
    assert actions.offer_setup(now=NOW) is None
    with pytest.raises(Refused):
        accept(secret, email="mallory@example.org")
    assert [verb for verb, _ in lines()] == ["setup.offered", "invitation.accepted"]


def test_a_new_set_up_link_ends_the_one_before(app: APIFlask):
    first, second = actions.offer_setup(now=NOW), actions.offer_setup(now=NOW)
    with pytest.raises(Refused):
        accept(first or "", email="ana@example.org")
    assert accept(second or "", email="ana@example.org")


def test_a_set_up_link_is_dead_once_an_administrator_came_otherwise(app: APIFlask):
    secret = actions.offer_setup(now=NOW)
    a_user(Role.ADMINISTRATOR)
    with pytest.raises(Refused, match="has an administrator already"):
        accept(secret or "", email="mallory@example.org")


@pytest.mark.parametrize(("kind", "lasts"), [("setup", timedelta(hours=24)), ("invitation", timedelta(days=7))])
def test_links_end_by_themselves(app: APIFlask, kind: str, lasts: timedelta):
    if kind == "setup":
        secret = actions.offer_setup(now=NOW) or ""
    else:
        secret = actions.invite("ana@example.org", ["lead"], actor=a_user(Role.ADMINISTRATOR).ref, now=NOW)[1]
    with pytest.raises(Refused):
        accept(secret, email="ana@example.org", now=NOW + lasts)
    assert accept(secret, email="ana@example.org", now=NOW + lasts - timedelta(seconds=1))


def test_an_invitation_works_once_for_its_own_address_and_roles(app: APIFlask):
    boss = a_user(Role.ADMINISTRATOR)
    _, secret = actions.invite("ana@example.org", ["privacy"], actor=boss.ref, now=NOW)
    accept(secret, email="mallory@example.org")
    assert users.by_email("mallory@example.org") is None
    assert users.by_email("ana@example.org").roles == ["privacy"]
    with pytest.raises(Refused, match="was used"):
        accept(secret)


def test_a_second_invitation_to_the_same_address_ends_the_first(app: APIFlask):
    boss = a_user(Role.ADMINISTRATOR)
    _, first = actions.invite("ana@example.org", ["privacy"], actor=boss.ref, now=NOW)
    actions.invite("ana@example.org", ["lead"], actor=boss.ref, now=NOW)
    with pytest.raises(Refused):
        accept(first)


def test_an_invitation_taken_back_or_of_a_locked_inviter_opens_nothing(app: APIFlask):
    boss, other = a_user(Role.ADMINISTRATOR), a_user(Role.ADMINISTRATOR)
    ref, first = actions.invite("ana@example.org", ["lead"], actor=boss.ref, now=NOW)
    _, second = actions.invite("bo@example.org", ["lead"], actor=boss.ref, now=NOW)
    actions.take_back(ref, actor=boss.ref, now=NOW)
    actions.lock(boss.ref, actor=other.ref, now=NOW)
    for secret in (first, second):
        with pytest.raises(Refused):
            accept(secret)


def test_nobody_is_invited_twice_into_one_address(app: APIFlask):
    boss = a_user(Role.ADMINISTRATOR, email="boss@example.org")
    with pytest.raises(Invalid, match="has an account already"):
        actions.invite(" BOSS@example.org", ["lead"], actor=boss.ref, now=NOW)


@pytest.mark.parametrize("password", ["short", "password1234", "aaaaaaaaaaaaaaaa", "ana@example.org", "x" * 129])
def test_a_weak_password_is_refused_and_the_invitation_stays_good(app: APIFlask, password: str):
    boss = a_user(Role.ADMINISTRATOR)
    _, secret = actions.invite("ana@example.org", ["lead"], actor=boss.ref, now=NOW)
    before = count()
    with pytest.raises(Invalid) as refusal:
        accept(secret, password=password)
    assert refusal.value.field == "new_password"
    assert count() == before
    assert accept(secret)


def test_passwords_and_links_are_kept_as_hashes_and_stand_in_no_line(app: APIFlask):
    boss = a_user(Role.ADMINISTRATOR)
    ref, secret = actions.invite("ana@example.org", ["lead"], actor=boss.ref, now=NOW)
    accept(secret)
    ana = users.by_email("ana@example.org")
    assert ana.password.startswith("$argon2id$")
    assert STRONG not in ana.password
    assert users.invitation_by_ref(ref).key != secret
    told = " ".join(row.details for row in db.session.scalars(select(AuditLine)))
    for word in (secret, "ana@example.org", "Ana", STRONG):
        assert word not in told


def test_a_lock_ends_sessions_and_tokens_at_once(app: APIFlask):
    boss, ana = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD)
    a_session(ana)
    actions.lock(ana.ref, actor=boss.ref, now=NOW)
    assert users.sessions_of(ana.id, NOW) == []
    actions.unlock(ana.ref, actor=boss.ref, now=NOW)
    assert users.by_ref(ana.ref).active
    assert users.sessions_of(ana.id, NOW) == []


def test_the_last_administrator_cannot_be_locked_or_stripped(app: APIFlask):
    boss, locked = a_user(Role.ADMINISTRATOR), a_user(Role.ADMINISTRATOR)
    actions.lock(locked.ref, actor=boss.ref, now=NOW)
    before = count()
    with pytest.raises(Refused, match="last administrator"):
        actions.lock(boss.ref, actor=boss.ref, now=NOW)
    with pytest.raises(Refused, match="last administrator"):
        actions.change_roles(boss.ref, ["lead"], actor=boss.ref, now=NOW)
    assert count() == before


def test_nobody_makes_themselves_an_approver(app: APIFlask):
    boss, other = a_user(Role.ADMINISTRATOR), a_user(Role.ADMINISTRATOR)
    with pytest.raises(Refused, match="makes themselves"):
        actions.change_roles(boss.ref, ["administrator", "approver"], actor=boss.ref, now=NOW)
    actions.change_roles(boss.ref, ["administrator", "approver"], actor=other.ref, now=NOW)
    assert lines()[-1] == ("roles.changed", boss.ref)


def test_the_same_roles_again_leave_no_line(app: APIFlask):
    boss = a_user(Role.ADMINISTRATOR)
    before = count()
    actions.change_roles(boss.ref, ["administrator"], actor=boss.ref, now=NOW)
    assert count() == before


def test_a_reset_ends_every_way_in_and_takes_approver_off(app: APIFlask):
    boss, ana = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD, Role.APPROVER, email="ana@example.org", password=STRONG)
    a_session(ana)
    secret = actions.reset(ana.ref, actor=boss.ref, now=NOW)
    kept = users.by_ref(ana.ref)
    assert (kept.password, kept.totp_secret, kept.roles, users.sessions_of(ana.id, NOW)) == (None, None, ["lead"], [])
    accept(secret, name="Ana again")
    again = users.by_email("ana@example.org")
    assert (again.ref, again.name, again.roles) == (ana.ref, "Ana again", ["lead"])


def test_nobody_resets_themselves(app: APIFlask):
    boss = a_user(Role.ADMINISTRATOR)
    with pytest.raises(Refused, match="another administrator"):
        actions.reset(boss.ref, actor=boss.ref, now=NOW)


def test_a_link_cannot_take_over_an_account_that_has_a_password(app: APIFlask):
    """An invitation of long ago, and meanwhile the account was made on the machine."""
    boss = a_user(Role.ADMINISTRATOR)
    _, secret = actions.invite("ana@example.org", ["lead"], actor=boss.ref, now=NOW)
    actions.create("ana@example.org", "Ana", ["lead"], password=STRONG, actor="system", now=NOW)
    before = users.by_email("ana@example.org").password
    with pytest.raises(Refused):
        accept(secret, password="another battery staple horse")
    assert users.by_email("ana@example.org").password == before


def test_who_is_not_there_cannot_be_changed(app: APIFlask):
    for act in (actions.lock, actions.unlock, actions.reset):
        with pytest.raises(Missing):
            act("U-NOBODY00", actor="U-0TEST000", now=NOW)


def test_every_change_of_what_opens_an_account_signs_it_out_everywhere_else(app: APIFlask):
    """Generator, codes and password; passkeys, locks and resets have tests of their own."""
    user, secret = a_user(Role.LEAD, password=STRONG), second_factor.new_secret()

    def code() -> str:
        return second_factor.code_at(second_factor.as_bytes(secret), second_factor.counter_at(clock.now()))

    changes = {
        "generator": lambda here: signin.set_up_second_factor(here, secret, code(), now=clock.now()),
        "recovery codes": lambda here: signin.renew_recovery_codes(here, now=clock.now()),
        "password": lambda here: actions.change_password(
            "another battery staple horse", keep_session=here, actor=user.ref, now=clock.now()
        ),
    }
    for what, change in changes.items():
        a_session(user)
        here = users.session_by_key(credentials.key_of(a_session(user)), clock.now()).ref
        change(here)
        db.session.rollback()
        assert (what, [one.ref for one in users.sessions_of(user.id, clock.now())]) == (what, [here])
