"""What the database itself holds to, and that the hot statements find their rows without reading all."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from incident.store import claims, deliveries, dispatches
from incident.store.db import db
from tests.actions.waves import NOW, a_story

pytestmark = pytest.mark.usefixtures("app")


def plans_of(act):
    """How SQLite would find the rows of each statement that `act` runs on deliveries and claims."""
    seen = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE")) and (
            "delivery" in statement or "dispatch" in statement
        ):
            seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    db.session.rollback()
    connection = db.session.connection()
    return [
        (statement, [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)])
        for statement, parameters in seen
    ]


def test_no_statement_of_a_sending_reads_all_deliveries():
    story = a_story(3)
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The plans are SQLite's.")
    story.start()
    for statement, plan in plans_of(story.work):
        assert not [step for step in plan if step.startswith("SCAN delivery")], (statement, plan)


def test_what_waits_is_found_by_the_index_of_what_waits():
    story = a_story(2)
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The plans are SQLite's.")
    story.start()
    [(_, fresh), (_, late)] = plans_of(lambda: claims.has_due(story.row().id, "letter", NOW))[-2:]
    assert any("ix_delivery_waiting" in step for step in fresh), fresh
    assert any("ix_delivery_put_off" in step for step in late), late
    [(_, plan)] = plans_of(lambda: deliveries.unowned(1))[-1:]
    assert any("COVERING INDEX ix_delivery_unowned" in step for step in plan), plan
    [(_, plan)] = plans_of(lambda: deliveries.page(1, state="failed"))[-1:]
    assert any("ix_delivery_care" in step for step in plan), plan
    [(_, plan)] = plans_of(lambda: claims.rows_of(1))[-1:]
    assert any("ix_delivery_claim" in step for step in plan), plan


def test_one_attempt_to_one_person_by_one_channel_exists_once():
    story = a_story(1)
    story.start()
    story.work()
    names = [f'"{column.name}"' for column in deliveries.Delivery.__table__.columns]
    chosen = [{'"id"': "99", '"ref"': "'ANOTHER'"}.get(name, name) for name in names]
    copy = f"INSERT INTO delivery ({', '.join(names)}) SELECT {', '.join(chosen)} FROM delivery WHERE id = 1"
    with pytest.raises(IntegrityError):
        db.session.execute(text(copy))
    db.session.rollback()


def test_references_are_long_unlike_and_in_order():
    refs = deliveries.new_refs(5_000, datetime(2026, 3, 6, tzinfo=UTC))
    assert len(set(refs)) == 5_000
    assert refs == sorted(refs)
    assert {len(ref) for ref in refs} == {26}
    assert deliveries.new_refs(0, NOW) == []


@pytest.mark.parametrize("statement", ["UPDATE provider_event SET status = 'delivered'", "DELETE FROM provider_event"])
def test_a_report_that_was_kept_can_neither_be_changed_nor_removed(statement):
    db.session.execute(
        text(
            "INSERT INTO provider_event (provider, event_id, ref, provider_id, status, reason, code, received_at, fields)"
            " VALUES ('sendgrid', 'E1', '', '', 'bounced', '', '', '2026-03-06 16:00:00', '{}')"
        )
    )
    with pytest.raises(Exception, match="append-only"):
        db.session.execute(text(statement))
    db.session.rollback()


def test_the_counts_of_a_dispatch_are_those_of_its_rows():
    story = a_story(5, only_phone=1, unreachable=1)
    story.start()
    story.work()
    row = story.row()
    assert {state: n for state, n in ((s, row.counts.of(s)) for s in deliveries.State) if n} == deliveries.recounted(
        row.id
    )
    assert dispatches.by_id(row.id) is not None


def test_a_claim_reads_no_more_rows_than_it_takes():
    story = a_story(3)
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The plans are SQLite's.")
    story.start()
    plans = plans_of(lambda: claims._chosen(story.row().id, "email", 5, NOW, by_hand=False))
    [fresh, late] = [plan for statement, plan in plans if "due_at" in statement and "FROM delivery" in statement][-2:]
    assert any("ix_delivery_waiting" in step for step in fresh), fresh
    assert any("ix_delivery_put_off" in step for step in late), late
    assert not [step for step in (*fresh, *late) if "TEMP B-TREE" in step]
