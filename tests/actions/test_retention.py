"""Ended sessions and invitations go after 90 days, with one line; what is live stays."""

from datetime import timedelta

from apiflask import APIFlask
from sqlalchemy import func, select

from incident import clock
from incident.actions import retention, users
from incident.domain.access import Role
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.users import Invitation, Session
from tests.builders import a_session, a_user


def left(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_what_ended_long_ago_goes_with_one_line_and_the_rest_stays(app: APIFlask):
    now = clock.now()
    boss = a_user(Role.ADMINISTRATOR)
    a_session(boss)
    users.invite("ana@example.org", ["lead"], actor=boss.ref, now=now)
    assert retention.due(now + timedelta(days=90)) == []
    later = now + timedelta(days=98)
    a_session(boss, started=later)
    assert retention.due(later) == ["accounts"]
    retention.do("accounts", later)
    assert (left(Session), left(Invitation)) == (1, 0)
    last = db.session.scalar(select(AuditLine).order_by(AuditLine.seq.desc()))
    assert (last.verb, last.details) == ("accounts.tidied", '{"invitations":1,"sessions":1}')
    assert retention.due(later) == []


def test_doing_it_again_leaves_no_line(app: APIFlask):
    before = left(AuditLine)
    retention.do("accounts", clock.now())
    assert left(AuditLine) == before
