"""Many rows at once: what is added, told apart and changed, over the borders of one statement, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select, text

from incident.store import bulk
from incident.store.db import db
from incident.store.provider_events import ProviderEvent
from tests.actions.waves import NOW, a_story

pytestmark = pytest.mark.usefixtures("app")

LATER = datetime(2026, 3, 9, 8, tzinfo=UTC)
COLUMNS = (
    "provider", "event_id", "delivery_id", "ref", "provider_id", "status", "reason", "code", "at", "received_at", "fields",
)  # fmt: skip


def reports(first: int, last: int) -> list[tuple[object, ...]]:
    at = bulk.instant(NOW)
    return [("p", f"E{n}", None, "", "", "unknown", "", "", at, at, "{}") for n in range(first, last)]


def statements(act) -> int:
    return len(statements_of(act))


def statements_of(act) -> list[tuple[str, object]]:
    """What this sends to the database, beside the beginning of a transaction."""
    seen = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if not statement.startswith("BEGIN"):
            seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return seen


def test_only_rows_with_a_free_key_are_added_and_they_are_named():
    assert bulk.added("provider_event", COLUMNS, reports(0, 3), "event_id") == ["E0", "E1", "E2"]
    again = bulk.added("provider_event", COLUMNS, [*reports(1, 4_400), *reports(4_399, 4_401)], "event_id")
    assert sorted(again) == sorted(f"E{n}" for n in range(3, 4_401))
    assert db.session.scalar(text("SELECT count(*) FROM provider_event")) == 4_401


def test_what_is_added_by_a_thousand_reads_back_as_it_was():
    bulk.insert("provider_event", COLUMNS, reports(0, 4_200))
    kept = db.session.scalars(select(ProviderEvent).order_by(ProviderEvent.id)).all()
    assert [row.event_id for row in kept] == [f"E{n}" for n in range(4_200)]
    assert {(row.received_at, row.delivery_id) for row in kept} == {(NOW, None)}
    assert kept[0].fields == {}


def test_two_thousand_rows_go_into_one_statement():
    assert statements(lambda: bulk.added("provider_event", COLUMNS, reports(0, 4_000), "event_id")) == 2


def test_nothing_to_add_asks_the_database_nothing():
    acts = (
        lambda: bulk.insert("provider_event", COLUMNS, []),
        lambda: bulk.added("provider_event", COLUMNS, [], "event_id"),
        lambda: bulk.change("delivery", ("id", "state"), []),
    )
    assert [statements(act) for act in acts] == [0, 0, 0]


def test_each_row_is_changed_to_its_own_values_and_no_other_is_touched():
    story = a_story(4)
    story.start()
    story.work()
    first, second, third, _ = before = [(row.id, row.state, row.changed_at, row.complained) for row in story.rows()]
    columns = ("id", "state", "reason", "climb_at", "changed_at", "complained")
    at = bulk.instant(LATER)
    rows = [(second[0], "bounced", "bounce", at, at, True), (third[0], "delivered", "", None, at, False)]
    bulk.change("delivery", columns, rows)
    db.session.commit()
    after = story.rows()
    assert [(row.id, row.state, row.changed_at, row.complained) for row in after] == [
        first,
        (second[0], "bounced", LATER, True),
        (third[0], "delivered", LATER, False),
        before[3],
    ]
    assert [row.climb_at for row in after][1:3] == [LATER, None]


def test_a_row_to_change_is_found_by_its_key():
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The plan is SQLite's.")
    rows = [(number, "waiting") for number in range(1, 400)]
    [(statement, values)] = statements_of(lambda: bulk.change("delivery", ("id", "state"), rows))
    plan = [row[3] for row in db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)" in plan, plan
