import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from incident.store.db import CROCKFORD, db, new_ref, new_refs, new_secret_ref
from incident.store.incidents import Incident

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_sqlite_is_durable_and_strict(app):
    if db.engine.dialect.name != "sqlite":
        assert db.session.scalar(text("show transaction_isolation")) == "read committed"
        return
    asked = {
        name: db.session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_an_instant_keeps_its_zone_on_both_databases(app):
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    db.session.add(Incident(ref="INC-1", kind="incident", title="t", opened_at=tokyo, opened_by="U-1"))
    db.session.commit()
    db.session.expire_all()
    assert db.session.get(Incident, 1).opened_at == NOON


def test_an_instant_without_zone_is_refused(app):
    db.session.add(
        Incident(ref="INC-1", kind="incident", title="t", opened_at=NOON.replace(tzinfo=None), opened_by="U-1")
    )
    with pytest.raises(StatementError, match="without a zone"):
        db.session.flush()


def test_a_reference_to_nothing_is_refused(app):
    db.session.add(Incident(ref="INC-1", kind="incident", title="t", opened_at=NOON, opened_by="U-1", lead_id=99))
    with pytest.raises(IntegrityError):
        db.session.commit()


def test_references_are_random_letters():
    assert len({new_ref("N") for _ in range(500)}) == 500
    assert set(new_secret_ref()) <= set(CROCKFORD)
    assert len(new_secret_ref()) == 26


def test_references_made_together_follow_each_other_and_begin_anywhere(monkeypatch):
    made = new_refs("D", 1_500)
    assert len(set(made)) == 1_500
    assert all(re.fullmatch(f"D-[{CROCKFORD}]{{8}}", ref) for ref in made)
    assert made[0] != new_refs("D", 1)[0]
    monkeypatch.setattr("secrets.randbits", lambda bits: 2**bits - 2)
    assert new_refs("D", 4) == ["D-ZZZZZZZY", "D-ZZZZZZZZ", "D-00000000", "D-00000001"]
    monkeypatch.setattr("secrets.randbits", lambda _: 1_023)
    assert new_refs("D", 3) == sorted(new_refs("D", 3)) == ["D-000000ZZ", "D-00000100", "D-00000101"]
