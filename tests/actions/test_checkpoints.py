"""Checkpoints on their way out, and what is said when the record is not in order."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from incident.actions import checkpoints, team_mails
from incident.actions.ledger import transaction
from incident.domain import audit
from incident.store import checkpoints as store
from incident.store import separation
from incident.store.db import db
from notifiers.contract import Channels
from notifiers.memory import Memory
from tests.builders import a_user
from tests.record import details, lines, verbs
from tests.store.test_checkpoints import tamper

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_folder(app, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "folder", lambda: tmp_path / "checkpoints")


def write(count=3):
    for number in range(count):
        with transaction("U-9", NOON) as ledger:
            db.session.execute(db.text("SELECT 1"))
            ledger.write("note.added", f"T-{number}")


def handed_over(now):
    email = Memory("email")
    for ref in team_mails.due(now):
        team_mails.do(
            ref, Channels({"email": email}, {}), site="https://x", clock=lambda: now, lease=timedelta(minutes=1)
        )
    return email.sent


def test_the_daily_checkpoint_goes_to_every_auditor_and_proves_what_it_covers():
    a_user("auditor"), a_user("auditor"), a_user("lead")
    write()
    checkpoints.do("daily", NOON)
    assert verbs()[-2:] == ["checkpoint.signed", "checkpoint.mailed"]
    first, second = handed_over(NOON)
    assert first.to != second.to
    note = first.text.split("----------\n")[1]
    assert note == store.latest().note
    verdict = store.verified([note])
    assert (verdict.ok, verdict.proven) == (True, store.latest().size)
    assert str(store.key()) in first.text


def test_without_an_auditor_nothing_is_mailed_and_no_line_is_left():
    write()
    checkpoints.do("daily", NOON)
    assert verbs()[-1] == "checkpoint.signed"


def test_each_day_the_record_is_looked_at_before_it_is_signed():
    write()
    checkpoints.do("daily", NOON)
    write()
    checkpoints.do("daily", NOON + DAY)
    assert verbs()[-2:] == ["record.checked", "checkpoint.signed"]
    assert details(lines()[-2]) == {"troubles": 0}


def test_a_changed_record_is_not_signed_and_told_once_a_day_to_those_who_look_after_it():
    a_user("auditor"), a_user("administrator"), a_user("lead")
    write()
    checkpoints.do("daily", NOON)
    handed_over(NOON)
    write()
    tamper(f"UPDATE audit_line SET actor = 'U-8' WHERE seq = {len(lines()) - 1}")
    before = store.latest().size
    for minutes in range(3):
        checkpoints.do("daily", NOON + DAY + timedelta(minutes=minutes))
    assert store.latest().size == before
    assert [details(line)["troubles"] for line in lines() if line.verb == "record.checked"] == [1]
    mails = handed_over(NOON + DAY + timedelta(minutes=5))
    assert [mail.subject for mail in mails] == ["The record is not in order"] * 2
    assert "is not what was hashed when it was written" in mails[0].text
    checkpoints.do("daily", NOON + 2 * DAY + timedelta(minutes=5))
    assert [details(line)["troubles"] for line in lines() if line.verb == "record.checked"] == [1, 1]


def test_mails_hold_no_personal_data():
    a_user("auditor")
    write()
    checkpoints.do("daily", NOON)
    [about] = [mail.about for mail in db.session.scalars(db.select(separation.TeamMail))]
    assert set(about) == {"key", "note", "size"}
    assert audit.Checkpoint.read(about["note"]).size == about["size"]
    json.dumps(about)
