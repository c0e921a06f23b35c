"""Findings are kept as they were said, however many at a time."""

from datetime import UTC, datetime

from incident.store import obligations
from incident.store.db import db
from tests.builders import an_incident

NOON = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SAID = {
    "law": "XX-LAW",
    "wave": "",
    "law_digest": "0" * 64,
    "title": "Report — “at once”; 72 %",
    "to": "authority",
    "standing": "owed",
    "was": "open",
    "because": ["People in Texas: 612 ≥ 250", 'Kinds: "names"'],
    "wants": [],
    "doubts": ["It may\tfall away\\"],
    "clock": "running",
    "clock_words": "72 h from …\nlast line",
    "due_at": NOON,
    "was_due_at": None,
    "start": "2026-02-26T12:30:00Z",
    "anchor": "aware_at",
    "made_at": NOON,
    "state": "proposed",
}


def test_what_was_said_is_read_back(app):
    number = an_incident().id
    obligations.add([SAID | {"incident_id": number, "duty": f"XX-LAW/{place}"} for place in range(2)])
    db.session.commit()
    rows = obligations.current(number)
    for duty in ("XX-LAW/0", "XX-LAW/1"):
        row = rows[duty]
        assert {name: getattr(row, name) for name in SAID} == SAID
        assert (row.decided_at, row.met_at, row.late_seconds, row.superseded_at, row.remind_at) == (None,) * 5
        assert (row.decided_by, row.reference, row.note, row.since_then) == ("", "", "", {})
    assert rows["XX-LAW/0"].ref != rows["XX-LAW/1"].ref


def test_none_at_all_are_none(app):
    number = an_incident().id
    before = len(obligations.current(number))
    obligations.add([])
    db.session.commit()
    assert len(obligations.current(number)) == before


def test_every_column_is_written_or_may_stay_empty():
    columns = {column.name: column for column in obligations.FindingRow.__table__.columns}
    written = {name.strip('"') for name in obligations.COLUMNS}
    left = {name for name, column in columns.items() if name not in written and not column.nullable}
    assert left == {"id"}
