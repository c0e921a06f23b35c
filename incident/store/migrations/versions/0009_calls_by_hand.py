"""keep who is to be called by a person, and what became of each call"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt, UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

GUARDS = {
    "postgresql": (
        "CREATE OR REPLACE TRIGGER call_attempt_no_change BEFORE UPDATE OR DELETE ON call_attempt\n"
        "FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()",
        "CREATE OR REPLACE TRIGGER call_attempt_no_truncate BEFORE TRUNCATE ON call_attempt\n"
        "FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()",
    ),
    "sqlite": (
        "CREATE TRIGGER IF NOT EXISTS call_attempt_no_update BEFORE update ON call_attempt \n"
        "BEGIN SELECT RAISE(ABORT, 'call_attempt is append-only: rows are added, never changed or removed'); END",
        "CREATE TRIGGER IF NOT EXISTS call_attempt_no_delete BEFORE delete ON call_attempt \n"
        "BEGIN SELECT RAISE(ABORT, 'call_attempt is append-only: rows are added, never changed or removed'); END",
        "CREATE TRIGGER IF NOT EXISTS call_attempt_no_insert BEFORE insert ON call_attempt WHEN EXISTS (SELECT 1 "
        "FROM call_attempt WHERE id = NEW.id)\n"
        "BEGIN SELECT RAISE(ABORT, 'call_attempt is append-only: rows are added, never changed or removed'); "
        "END",
    ),
}


def upgrade() -> None:
    op.create_table(
        "call_task",
        sa.Column(
            "delivery_id",
            BigInt,
            sa.ForeignKey("delivery.id", name=op.f("fk_call_task_delivery_id")),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "incident_id",
            BigInt,
            sa.ForeignKey("incident.id", name=op.f("fk_call_task_incident_id")),
            nullable=False,
        ),
        sa.Column("why", sa.String(10), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("place", sa.String(6), nullable=False),
        sa.Column("due_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("holder", sa.String(20), nullable=False),
        sa.Column("held_until", UTCDateTime(timezone=True), nullable=True),
        sa.Column("changed_at", UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_call_task")),
    )
    is_open = sa.text("is_open")
    op.create_index(
        "ix_call_task_open",
        "call_task",
        ["incident_id", "due_at", "delivery_id"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "call_attempt",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(26), nullable=False),
        sa.Column(
            "delivery_id",
            BigInt,
            sa.ForeignKey("delivery.id", name=op.f("fk_call_attempt_delivery_id")),
            nullable=False,
        ),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("by", sa.String(20), nullable=False),
        sa.Column("at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("back_at", UTCDateTime(timezone=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_attempt")),
        sa.UniqueConstraint("ref", name=op.f("uq_call_attempt_ref")),
    )
    op.create_index("ix_call_attempt_delivery", "call_attempt", ["delivery_id"])
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("call_attempt")
    op.drop_table("call_task")
