import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from incident.actions.ledger import transaction
from incident.store import audit
from incident.store.db import db
from tests.record import lines, verifies

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def write(count, incident="INC-1", actor="U-1", verb="note.added", at=NOON):
    with transaction(actor, at) as ledger:
        for number in range(count):
            ledger.write(verb, f"T-{number}", incident=incident)


def test_writers_at_the_same_time_queue_up(app):
    def work(name):
        with app.app_context():
            for _ in range(15):
                write(2, actor=name)
            db.session.remove()

    writers = [threading.Thread(target=work, args=(f"U-{number}",)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [line.seq for line in lines()] == list(range(120))
    assert verifies()


def test_the_time_line_is_newest_first_and_goes_on_by_key(app):
    write(5)
    write(5, incident="INC-2")
    write(1)
    first = audit.timeline("INC-1", limit=3)
    assert [line.seq for line in first] == [10, 4, 3]
    assert [line.seq for line in audit.timeline("INC-1", before_seq=3, limit=9)] == [2, 1, 0]


def test_the_time_line_can_be_kept_to_some_nouns(app):
    write(1)
    write(1, verb="facts.recorded")
    write(1, verb="incident.opened")
    found = audit.timeline("INC-1", prefixes=("facts.", "incident."))
    assert [line.verb for line in found] == ["incident.opened", "facts.recorded"]


def test_lines_are_found_by_incident_actor_verb_and_time(app):
    write(1)
    write(1, actor="U-2", verb="facts.recorded", at=NOON + timedelta(hours=1))
    write(1, incident="INC-2", actor="U-2", at=NOON + timedelta(hours=2))

    def found(**asked):
        return [line.seq for line in audit.search(**asked)]

    assert found() == [2, 1, 0]
    assert found(actor="U-2") == [2, 1]
    assert found(actor="U-2", incident="INC-1") == [1]
    assert found(verb="note.added") == [2, 0]
    assert found(verb="facts.") == [1]
    assert found(since="2026-03-01T13:00:00.000000Z") == [2, 1]
    assert found(until="2026-03-01T13:00:00.000000Z") == [0]
    assert found(verb="%") == []


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("incident = 'INC-1' AND seq < 900 ORDER BY seq DESC LIMIT 50", "ix_audit_line_incident_seq"),
        ("actor = 'U-1' AND seq < 900 ORDER BY seq DESC LIMIT 50", "ix_audit_line_actor_seq"),
        ("seq >= 5 AND seq < 900 ORDER BY seq LIMIT 50", "PRIMARY KEY"),
    ],
)
def test_pages_of_the_record_are_read_by_index_without_sorting(app, where, index):
    if db.engine.dialect.name != "sqlite":
        return
    plan = " ".join(
        row.detail for row in db.session.execute(text(f"EXPLAIN QUERY PLAN SELECT * FROM audit_line WHERE {where}"))
    )
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_all_rows_come_in_order_and_by_pages(app):
    write(7)
    assert [row[0] for row in audit.rows(0, 7, at_once=2)] == list(range(7))
    assert [row[0] for row in audit.rows(3, 5, at_once=2)] == [3, 4]
    assert list(audit.rows(7, 9)) == []


def test_the_identity_is_made_with_the_database_and_stays(app):
    name = audit.identity()
    write(1)
    assert (len(name), audit.identity()) == (32, name)
