"""drills as exercises: their clock, what is thrown in, what was said of them; and guards that keep them inside"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt, UTCDateTime

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

COMING = sa.text("state = 'waiting' AND due_at IS NOT NULL")
INSIDE = {
    "announcement": "",
    "dispatch": "",
    "enquiry_message": "AND NEW.way = 'mail' AND NEW.direction IN ('out', 'code')",
    "media_copy": "",
    "reminder_message": "AND NEW.state <> 'unreached'",
}


def upgrade() -> None:
    _drill()
    _inject()
    _remark()
    for statement in guards(op.get_bind().dialect.name):
        op.execute(statement)


def _drill() -> None:
    op.create_table(
        "drill",
        sa.Column("incident_id", BigInt, nullable=False, autoincrement=False),
        sa.Column("scenario", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("script", sa.JSON(), nullable=False),
        sa.Column("factor", sa.Integer(), nullable=False),
        sa.Column("facilitator", sa.String(20), nullable=False),
        sa.Column("began_at", UTCDateTime(), nullable=False),
        sa.Column("pauses", sa.JSON(), nullable=False),
        sa.Column("paused_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("life", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_drill_incident_id")),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_drill")),
    )
    op.create_index("ix_drill_began", "drill", ["began_at", "incident_id"])


def _inject() -> None:
    op.create_table(
        "drill_inject",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("life", sa.JSON(), nullable=False),
        sa.Column("wants_answer", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("written_by", sa.String(20), nullable=False),
        sa.Column("arrived_at", UTCDateTime(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(20), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_drill_inject_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill_inject")),
        sa.UniqueConstraint("ref", name=op.f("uq_drill_inject_ref")),
    )
    op.create_index("ix_drill_inject_incident", "drill_inject", ["incident_id", "minute", "id"])
    op.create_index("ix_drill_inject_coming", "drill_inject", ["due_at"], sqlite_where=COMING, postgresql_where=COMING)


def _remark() -> None:
    op.create_table(
        "drill_remark",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("lesson", sa.String(20), nullable=False),
        sa.Column("written_at", UTCDateTime(), nullable=False),
        sa.Column("written_by", sa.String(20), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_drill_remark_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill_remark")),
        sa.UniqueConstraint("ref", name=op.f("uq_drill_remark_ref")),
    )
    op.create_index("ix_drill_remark_incident", "drill_remark", ["incident_id", "id"])


def guards(dialect: str) -> Iterator[str]:
    if dialect == "sqlite":
        for table, which in INSIDE.items():
            for event in ("insert", "update"):
                yield f"""CREATE TRIGGER {table}_of_drill_on_{event} BEFORE {event} ON {table}
WHEN NOT NEW.simulated {which} AND EXISTS (SELECT 1 FROM incident WHERE id = NEW.incident_id AND kind = 'drill')
BEGIN SELECT RAISE(ABORT, 'a drill reaches nobody: its rows in {table} are simulated'); END"""
        yield """CREATE TRIGGER incident_stays_drill BEFORE UPDATE OF kind ON incident
WHEN OLD.kind = 'drill' AND NEW.kind <> 'drill'
BEGIN SELECT RAISE(ABORT, 'a drill stays a drill'); END"""
        return
    yield """CREATE OR REPLACE FUNCTION tocsin_drill_stays_inside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM incident WHERE id = NEW.incident_id AND kind = 'drill') THEN
    RAISE EXCEPTION 'a drill reaches nobody: its rows in % are simulated', TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$"""
    yield """CREATE OR REPLACE FUNCTION tocsin_stays_drill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a drill stays a drill'; END $$"""
    for table, which in INSIDE.items():
        yield f"""CREATE TRIGGER {table}_of_drill BEFORE INSERT OR UPDATE ON {table}
FOR EACH ROW WHEN (NOT NEW.simulated {which}) EXECUTE FUNCTION tocsin_drill_stays_inside()"""
    yield """CREATE TRIGGER incident_stays_drill BEFORE UPDATE OF kind ON incident
FOR EACH ROW WHEN (OLD.kind = 'drill' AND NEW.kind <> 'drill') EXECUTE FUNCTION tocsin_stays_drill()"""


def downgrade() -> None:
    bind = op.get_bind().dialect.name
    names = ("of_drill_on_insert", "of_drill_on_update") if bind == "sqlite" else ("of_drill",)
    for table in INSIDE:
        for name in names:
            op.execute(f"DROP TRIGGER {table}_{name}{'' if bind == 'sqlite' else f' ON {table}'}")
    op.execute(f"DROP TRIGGER incident_stays_drill{'' if bind == 'sqlite' else ' ON incident'}")
    if bind != "sqlite":
        op.execute("DROP FUNCTION tocsin_drill_stays_inside()")
        op.execute("DROP FUNCTION tocsin_stays_drill()")
    op.drop_table("drill_remark")
    op.drop_table("drill_inject")
    op.drop_table("drill")
