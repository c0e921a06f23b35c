"""Free words that belong to an incident are kept sealed under its key: whoever destroys the key takes them along.

A table names its columns of words once (`keep`). From then on they are sealed together into the column `sealed` whenever a
row is written, stand empty in their own columns, and are opened whenever a row is read. Rules and pages see words as ever;
of an erased incident they see that they were erased.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, event, select
from sqlalchemy import inspect as state_of
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.attributes import set_committed_value

from incident.store import sealed
from incident.store.db import db
from incident.store.sealed import Erased, Sealer

GONE: Final = "(erased)"
SPOILT: Final = "(cannot be read: it was changed past Tocsin)"
"""Shown in place of words that do not open, so that one changed row stops no page; `tocsin check` names it."""
OWNER_BYTES: Final = 8
OPENED: Final = "tocsin_opened_keys"
EMPTY: Final[Mapping[type, Any]] = {str: "", dict: {}, list: [], bytes: b""}
"""What stands in a column whose words are sealed elsewhere, by the kind of words."""


@dataclass(frozen=True)
class Kept:
    """How one table keeps its words: which columns, and what binds them to their row."""

    table: str
    names: tuple[str, ...]
    place: tuple[str, ...]  # columns that say which row this is
    parent: tuple[str, str] | None  # column and table that lead to the incident
    is_words: Callable[[Mapping[str, Any], str], bool]

    def where(self, row: Mapping[str, Any]) -> str:
        """The place that the words of this row are bound to."""
        return ":".join((f"{self.table}.sealed", *(_plain(row[name]) for name in self.place)))

    def words_of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What of a row is to be sealed: its words, as far as there are any."""
        return {name: row[name] for name in self.names if self.is_words(row, name) and row[name]}

    def box(self, owner: int, row: Mapping[str, Any], found: Mapping[str, Any]) -> bytes:
        """These words of a row, sealed. Raises Erased."""
        return owner.to_bytes(OWNER_BYTES, "big") + _opener(owner).seal(self.where(row), _packed(found))

    def open(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The words of a row by column. Raises Unreadable; of an erased incident they say so."""
        box = bytes(row["sealed"])
        owner, box = int.from_bytes(box[:OWNER_BYTES], "big"), box[OWNER_BYTES:]
        if self.parent is None and owner != row["incident_id"]:
            raise sealed.Unreadable(self.where(row))
        try:
            return _unpacked(_opener(owner).unseal(self.where(row), box))
        except Erased:
            return self.instead(row, GONE)

    def readable(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The same for a page: words that do not open say so."""
        try:
            return self.open(row)
        except sealed.Unreadable:
            return self.instead(row, SPOILT)

    def instead(self, row: Mapping[str, Any], words: str) -> dict[str, Any]:
        """What stands in the place of the words that cannot be had."""
        found = {name: _instead(row.get(name), words) for name in self.names if self.is_words(row, name)}
        # a fact that was a list would else say that there are none
        return found | ({"value": [words]} if found.get("value") == [] else {})


KEPT: dict[str, Kept] = {}
"""Every table that keeps words so, by its name."""


def keep(
    model: Any,
    *names: str,
    place: Sequence[str] = ("ref",),
    parent: tuple[str, str] | None = None,
    is_words: Callable[[Mapping[str, Any], str], bool] = lambda row, name: True,
) -> None:
    """Have these columns of a table sealed from now on. `parent` is the way to the incident where the row has none."""
    kept = KEPT[model.__tablename__] = Kept(model.__tablename__, names, tuple(place), parent, is_words)
    event.listen(model, "before_insert", lambda _, connection, row: _seal(kept, connection, row))
    event.listen(model, "before_update", lambda _, connection, row: _seal_changed(kept, connection, row))
    for written in ("after_insert", "after_update"):
        event.listen(model, written, lambda _, connection, row: _show_again(row))
    event.listen(model, "load", lambda row, context: _open(kept, row), restore_load_context=True)
    event.listen(model, "refresh", lambda row, context, names: _open_again(kept, row, names), restore_load_context=True)


def written(row: Any) -> dict[str, Any]:
    """A new row of an incident as it is kept, by column, its words sealed: for a statement that adds many. Raises Erased."""
    kept = KEPT[row.__tablename__]
    values = {column.name: getattr(row, column.name) for column in row.__table__.columns if not column.primary_key}
    found = kept.words_of(values)
    if found:
        row.sealed = values["sealed"] = kept.box(row.incident_id, values, found)
    return values | {name: blank(value) for name, value in found.items()}


def _seal(kept: Kept, connection: Connection, row: Any) -> None:
    values = _Row(row)
    words = kept.words_of(values)
    row.__dict__.pop("_words", None)
    row.sealed = None
    if not words:
        return
    row.sealed = kept.box(_owner(kept, connection, row), values, words)
    row.__dict__["_words"] = words
    for name, value in words.items():
        setattr(row, name, blank(value))


def _seal_changed(kept: Kept, connection: Connection, row: Any) -> None:
    if any(state_of(row).attrs[name].history.has_changes() for name in kept.names):
        _seal(kept, connection, row)


def _show_again(row: Any) -> None:
    """What was written stands empty in its columns; whoever holds the row goes on seeing the words."""
    for name, value in row.__dict__.pop("_words", {}).items():
        set_committed_value(row, name, value)


def _open(kept: Kept, row: Any) -> None:
    if row.__dict__.get("sealed"):
        for name, value in kept.readable(_Row(row)).items():
            set_committed_value(row, name, value)


def _open_again(kept: Kept, row: Any, names: Any) -> None:
    """After a refresh; of a row that was read without its words, the sealed ones are fetched now."""
    if names is not None and "sealed" not in names and not set(kept.names) & set(names):
        return
    if "sealed" not in row.__dict__ and (session := object_session(row)) is not None:
        table = db.metadata.tables[kept.table]
        set_committed_value(row, "sealed", session.scalar(select(table.c.sealed).where(table.c.id == row.id)))
    _open(kept, row)


def _owner(kept: Kept, connection: Connection, row: Any) -> int:
    if kept.parent is None:
        return int(row.incident_id)
    column, above = kept.parent
    table = db.metadata.tables[above]
    return int(connection.scalar(select(table.c.incident_id).where(table.c.id == getattr(row, column))) or 0)


class _Row(Mapping[str, Any]):
    """A row's columns by name."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def __getitem__(self, name: str) -> Any:
        return getattr(self._row, name)

    def get(self, name: str, default: Any = None) -> Any:
        """What is there; a column that was not read is not fetched."""
        return self._row.__dict__.get(name, default)

    def __iter__(self) -> Any:
        return iter(column.name for column in self._row.__table__.columns)

    def __len__(self) -> int:
        return len(self._row.__table__.columns)


def _opener(owner: int) -> Sealer:
    """The incident's key, opened once a transaction."""
    known: dict[int, Sealer] = db.session().info.setdefault(OPENED, {})
    if owner not in known:
        known[owner] = sealed.sealer(owner)
    return known[owner]


def known(owner: int, key: Sealer) -> None:
    """Take the incident's key as it was opened or made in this transaction, so that its words ask for it no second time."""
    db.session().info.setdefault(OPENED, {})[owner] = key


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: Any) -> None:
    if transaction.parent is None:
        session.info.pop(OPENED, None)


def forget_keys() -> None:
    """Open no more by keys that were opened before: one of them is being destroyed."""
    db.session().info.pop(OPENED, None)


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def blank(value: Any) -> Any:
    """What stands in a column whose words are sealed."""
    return next((empty for kind, empty in EMPTY.items() if isinstance(value, kind)), None)


def _instead(value: Any, words: str) -> Any:
    return words if isinstance(value, str) else blank(value)


def _packed(words: Mapping[str, Any]) -> bytes:
    told = {
        name: {"bytes": b64encode(value).decode()} if isinstance(value, bytes) else value
        for name, value in words.items()
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _unpacked(raw: bytes) -> dict[str, Any]:
    words: dict[str, Any] = json.loads(raw.decode("utf-8", "surrogatepass"))
    for name, value in words.items():
        if isinstance(value, dict) and value.keys() == {"bytes"} and isinstance(value["bytes"], str):
            words[name] = b64decode(value["bytes"])
    return words
