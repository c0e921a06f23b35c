"""Two people at the same time: one change wins, nothing is approved that changed, nothing happens twice."""

import threading
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm.exc import StaleDataError

from incident.actions import notices, people
from incident.domain.errors import Refused
from incident.domain.notices import Channel, Stage
from incident.domain.people import Audience
from incident.store import notices as rows
from incident.store.db import db
from tests.builders import WHO_WRITES, a_notice, a_text, an_incident, notice_row

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ROUNDS = 5


@pytest.fixture
def incident(app):
    found = an_incident()
    people.add(
        found.ref, {"name": "Kim One", "email": "kim@example.org", "exposed": "email"}, actor="U-0A000000", now=NOW
    )
    return found


def together(app, *acts):
    """Run the acts at the same moment; what each raised, or None."""
    gate, ended = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        with app.app_context():
            gate.wait()
            try:
                act()
            except (Refused, StaleDataError) as error:
                ended[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    db.session.expire_all()
    return ended


def change(words):
    return notices.Change(
        "Account holders", ("en",), (Channel.EMAIL, Channel.SMS), Audience(), None, {"en": a_text(sms=words)}
    )


def test_of_two_saves_of_the_same_page_one_wins_and_the_other_is_told(app, incident):
    for number in range(ROUNDS):
        ref = a_notice(incident)
        opened = notice_row(incident, ref).revision

        def save(words, ref=ref, opened=opened):
            notices.save(incident.ref, ref, change(words), revision=opened, actor="U-0EDITOR0", now=NOW)

        ended = together(app, partial(save, f"one {number}"), partial(save, f"two {number}"))
        assert sum(error is None for error in ended) == 1


def test_two_approvers_at_once_leave_one_approval(app, incident):
    for _ in range(ROUNDS):
        ref = a_notice(incident, stage="submitted")
        digest = rows.version(notice_row(incident, ref).id, 1).digest

        def approve(who, ref=ref, digest=digest):
            notices.approve(incident.ref, ref, digest=digest, people="1", house=WHO_WRITES, actor=who, now=NOW)

        together(app, partial(approve, "U-0APPROV1"), partial(approve, "U-0APPROV2"))
        lines = text("SELECT count(*) FROM audit_line WHERE verb = 'notice.approved' AND subject = :ref")
        assert db.session.scalar(lines, {"ref": ref}) == 1
        assert notice_row(incident, ref).stage == Stage.APPROVED


def test_a_save_and_an_approval_at_once_never_leave_the_changed_text_approved(app, incident):
    for _ in range(ROUNDS):
        ref = a_notice(incident, stage="submitted")
        notice = notice_row(incident, ref)
        digest, revision = rows.version(notice.id, 1).digest, notice.revision

        def approve(ref=ref, digest=digest):
            notices.approve(incident.ref, ref, digest=digest, people="1", house=WHO_WRITES, actor="U-0APPROV1", now=NOW)

        def save(ref=ref, revision=revision):
            notices.save(incident.ref, ref, change("Other words"), revision=revision, actor="U-0EDITOR0", now=NOW)

        together(app, approve, save)
        if notice_row(incident, ref).stage == Stage.APPROVED:
            assert notices.approved_version(ref).digest == digest
            assert notices.texts_of(notice_row(incident, ref))[0].sms != "Other words"
        else:
            assert rows.version(notice.id, 1).state == "voided"
