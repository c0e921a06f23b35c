"""Every table and every folder of an instance stands in docs/data-map.md."""

import importlib
import re
from pathlib import Path

from incident.store.db import db
from incident.store.guards import APPEND_ONLY

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "data-map.md").read_text(encoding="utf-8")
NAMED = {
    word for row in TEXT.splitlines() if row.startswith("| `") for word in re.findall(r"`([a-z_]+)`", row.split("|")[1])
}


def tables():
    for path in (ROOT / "incident" / "store").glob("*.py"):
        importlib.import_module(f"incident.store.{path.stem}")
    return {table.name: table for table in db.metadata.tables.values()}


def test_every_table_is_on_the_map_and_nothing_else():
    assert set(tables()) | {"alembic_version", "installation"} == NAMED


def test_every_sealed_column_is_said_to_be_sealed():
    for name, table in tables().items():
        if "sealed" in table.columns:
            (row,) = [row for row in TEXT.splitlines() if row.startswith("| `") and f"`{name}`" in row.split("|")[1]]
            assert "sealed" in row.split("|")[-2], name


def test_tables_that_are_only_added_to_exist():
    assert set(APPEND_ONLY) <= set(tables())
