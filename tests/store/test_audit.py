import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from incident.actions.ledger import transaction
from incident.store import audit
from incident.store.db import db
from tests.record import lines, verifies
from tests.statements import statements

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


def test_a_process_that_writes_alone_moves_the_head_without_reading_it(app):
    audit._LEFT.clear()
    write(1)
    with statements() as asked:
        write(2)
    assert [one.split()[0] for one in asked] == ["UPDATE", "INSERT"]
    assert verifies()


def test_a_process_that_missed_lines_of_another_reads_the_head_until_it_writes_alone_again(app):
    audit._LEFT.clear()
    write(1)
    as_it_left = audit._LEFT[db.engine]
    write(2, actor="U-2")
    audit._LEFT[db.engine] = as_it_left
    read = []
    for _ in range(3):
        with statements() as asked:
            write(1)
        read.append([one.split()[0] for one in asked])
    assert read == [["UPDATE", "SELECT", "UPDATE", "INSERT"], ["SELECT", "UPDATE", "INSERT"], ["UPDATE", "INSERT"]]
    assert [line.seq for line in lines()] == list(range(6))
    assert verifies()


def test_a_head_that_was_left_by_a_change_taken_back_is_read_anew(app):
    def taken_back():
        with transaction("U-1", NOON) as ledger:
            ledger.write("note.added", "T-9", incident="INC-1")
            ledger.at_last(lambda: 1 / 0)

    write(1)
    with pytest.raises(ZeroDivisionError):
        taken_back()
    write(1)
    assert [line.seq for line in lines()] == [0, 1]
    assert verifies()
