"""Database triggers that refuse to change or remove what is only ever added, on SQLite and PostgreSQL."""

from collections.abc import Collection, Iterable, Iterator

APPEND_ONLY = {
    "audit_line": "seq",
    "call_attempt": "id",
    "checkpoint": "size",
    "closing": "id",
    "cosignature": "id",
    "custody": "id",
    "delivery_lookup": "id",
    "delivery_remark": "id",
    "evidence_search": "id",
    "fact": "id",
    "grade": "id",
    "improvement_event": "id",
    "law_edition": "id",
    "law_text": "id",
    "note": "id",
    "policy_in_force": "id",
    "posting_check": "id",
    "privilege_mark": "id",
    "provider_event": "id",
    "public_decision": "id",
    "record_key": "number",
    "reminder_ack": "id",
    "review": "id",
    "sign_on_switch": "id",
    "step_event": "id",
    "tip_message": "id",
    "report_file": "id",
    "report_receipt": "id",
    "time_stamp": "id",
}
"""Tables whose rows are added and never changed or taken away, each with the column that numbers its rows."""

_SQLITE_REFUSE = """CREATE TRIGGER IF NOT EXISTS {table}_no_{name} BEFORE {name} ON {table} {when}
BEGIN SELECT RAISE(ABORT, '{table} is append-only: rows are added, never changed or removed'); END"""

SETTLED = {"erasure": "asked", "report": "draft"}
"""Tables whose rows may change in one state alone; once they have left it, they stay as they are."""

_SQLITE_STAY = """CREATE TRIGGER IF NOT EXISTS {table}_stays_on_{name} BEFORE {name} ON {table} WHEN OLD.state <> '{open}'
BEGIN SELECT RAISE(ABORT, '{table} is settled: it stays as it is'); END"""

_POSTGRESQL_STAY = """CREATE OR REPLACE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW WHEN (OLD.state <> '{open}') EXECUTE FUNCTION tocsin_append_only()"""

INSIDE = {
    "announcement": "",
    "dispatch": "",
    "enquiry_message": "NEW.way = 'mail' AND NEW.direction IN ('out', 'code')",
    "media_copy": "",
    "reminder_message": "NEW.state <> 'unreached'",
}
"""Tables of what goes out, each with the rows that do: those of a drill are simulated, whatever the program believes."""

_SQLITE_INSIDE = """CREATE TRIGGER IF NOT EXISTS {table}_of_drill_on_{name} BEFORE {event} ON {table}
WHEN NOT NEW.simulated {which} AND EXISTS (SELECT 1 FROM incident WHERE id = NEW.incident_id AND kind = 'drill')
BEGIN SELECT RAISE(ABORT, 'a drill reaches nobody: its rows in {table} are simulated'); END"""

_SQLITE_STAYS_DRILL = """CREATE TRIGGER IF NOT EXISTS incident_stays_drill BEFORE UPDATE OF kind ON incident
WHEN OLD.kind = 'drill' AND NEW.kind <> 'drill'
BEGIN SELECT RAISE(ABORT, 'a drill stays a drill'); END"""

_POSTGRESQL_INSIDE = (
    """CREATE OR REPLACE FUNCTION tocsin_drill_stays_inside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM incident WHERE id = NEW.incident_id AND kind = 'drill') THEN
    RAISE EXCEPTION 'a drill reaches nobody: its rows in % are simulated', TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$""",
    """CREATE OR REPLACE FUNCTION tocsin_stays_drill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a drill stays a drill'; END $$""",
)

_POSTGRESQL_OF_DRILL = """CREATE OR REPLACE TRIGGER {table}_of_drill BEFORE INSERT OR UPDATE ON {table}
FOR EACH ROW WHEN (NOT NEW.simulated {which}) EXECUTE FUNCTION tocsin_drill_stays_inside()"""

_POSTGRESQL_STAYS_DRILL = """CREATE OR REPLACE TRIGGER incident_stays_drill BEFORE UPDATE OF kind ON incident
FOR EACH ROW WHEN (OLD.kind = 'drill' AND NEW.kind <> 'drill') EXECUTE FUNCTION tocsin_stays_drill()"""

_SQLITE_NEXT = """CREATE TRIGGER IF NOT EXISTS audit_line_follows BEFORE INSERT ON audit_line
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), -1) + 1 FROM audit_line)
BEGIN SELECT RAISE(ABORT, 'audit_line grows at its end, one line after the other'); END"""

_SQLITE_HEAD = (
    """CREATE TRIGGER IF NOT EXISTS audit_head_stays BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the record keeps its head'); END""",
    """CREATE TRIGGER IF NOT EXISTS audit_head_grows BEFORE UPDATE ON audit_head
WHEN NEW.id <> OLD.id OR NEW.log <> OLD.log OR NEW.size < OLD.size
BEGIN SELECT RAISE(ABORT, 'the record keeps its identity and only grows'); END""",
    "INSERT OR IGNORE INTO audit_head (id, log, size, frontier) VALUES (1, lower(hex(randomblob(16))), 0, x'')",
)

_POSTGRESQL_FUNCTIONS = (
    """CREATE OR REPLACE FUNCTION tocsin_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only: rows are added, never changed or removed', TG_TABLE_NAME; END $$""",
    """CREATE OR REPLACE FUNCTION tocsin_head_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION 'the record keeps its head'; END IF;
  IF NEW.id <> OLD.id OR NEW.log <> OLD.log OR NEW.size < OLD.size THEN
    RAISE EXCEPTION 'the record keeps its identity and only grows';
  END IF;
  RETURN NEW;
END $$""",
)

_POSTGRESQL_REFUSE = """CREATE OR REPLACE TRIGGER {table}_{name} BEFORE {event} ON {table}
FOR EACH {each} EXECUTE FUNCTION {function}()"""

_POSTGRESQL_HEAD = """INSERT INTO audit_head (id, log, size, frontier)
VALUES (1, replace(gen_random_uuid()::text, '-', ''), 0, ''::bytea) ON CONFLICT DO NOTHING"""


def guards(dialect: str, tables: Collection[str]) -> tuple[str, ...]:
    """The statements that guard those of `tables` which are append-only, and give the record its head; repeatable."""
    guarded = [(table, key) for table, key in APPEND_ONLY.items() if table in tables]
    rows = list(_guard_sqlite(guarded) if dialect == "sqlite" else _guard_postgresql(guarded))
    rows += [
        statement for table, open_ in SETTLED.items() if table in tables for statement in _stays(dialect, table, open_)
    ]
    rows += _keep_inside(dialect, tables)
    if "audit_head" not in tables:
        return tuple(rows)
    if dialect == "sqlite":
        return (*rows, *_SQLITE_HEAD)
    return (*rows, *_on_postgresql("audit_head", "tocsin_head_grows"), _POSTGRESQL_HEAD)


def _guard_sqlite(guarded: Iterable[tuple[str, str]]) -> Iterator[str]:
    for table, key in guarded:
        taken = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # noqa: S608 (names of ours)
        for name, when in (("update", ""), ("delete", ""), ("insert", taken)):
            if (table, name) == ("audit_line", "insert"):
                yield _SQLITE_NEXT
            else:
                yield _SQLITE_REFUSE.format(table=table, name=name, when=when)


def _guard_postgresql(guarded: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from _POSTGRESQL_FUNCTIONS
    for table, _ in guarded:
        yield from _on_postgresql(table, "tocsin_append_only")


def _stays(dialect: str, table: str, open_: str) -> Iterator[str]:
    if dialect == "sqlite":
        yield from (_SQLITE_STAY.format(table=table, name=name, open=open_) for name in ("update", "delete"))
    else:
        yield _POSTGRESQL_STAY.format(table=table, open=open_)
        yield _POSTGRESQL_REFUSE.format(
            table=table, name="no_truncate", event="TRUNCATE", each="STATEMENT", function="tocsin_append_only"
        )


def _keep_inside(dialect: str, tables: Collection[str]) -> Iterator[str]:
    """What a drill puts on its way is simulated, and a drill never becomes an incident that happened."""
    chosen = [(table, f"AND {which}" if which else "") for table, which in INSIDE.items() if table in tables]
    if dialect == "sqlite":
        for table, which in chosen:
            for name, event in (("insert", "INSERT"), ("update", "UPDATE")):
                yield _SQLITE_INSIDE.format(table=table, name=name, event=event, which=which)
        if "incident" in tables:
            yield _SQLITE_STAYS_DRILL
        return
    if chosen or "incident" in tables:
        yield from _POSTGRESQL_INSIDE
    for table, which in chosen:
        yield _POSTGRESQL_OF_DRILL.format(table=table, which=which)
    if "incident" in tables:
        yield _POSTGRESQL_STAYS_DRILL


def _on_postgresql(table: str, function: str) -> Iterator[str]:
    for name, what, each in (("no_change", "UPDATE OR DELETE", "ROW"), ("no_truncate", "TRUNCATE", "STATEMENT")):
        yield _POSTGRESQL_REFUSE.format(table=table, name=name, event=what, each=each, function=function)


TRIGGERS: dict[str, tuple[str, ...]] = {
    dialect: guards(dialect, {*APPEND_ONLY, *SETTLED, "audit_head"}) for dialect in ("sqlite", "postgresql")
}
"""What the first migration does after its tables: the guards of all append-only tables, and the record's head."""
