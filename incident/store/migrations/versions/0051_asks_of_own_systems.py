"""ask the organisation's own systems to do something for accounts, in batches, and keep what became of it"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

IS_OPEN = sa.text("state IN ('waiting', 'claimed', 'calling')")


def upgrade() -> None:
    op.create_table(
        "system_ask",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("endpoint_id", BigInt, nullable=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("batches", sa.Integer(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by", sa.String(20), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_system_ask_incident_id")),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_system_ask_endpoint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_ask")),
        sa.UniqueConstraint("ref", name=op.f("uq_system_ask_ref")),
    )
    op.create_index("ix_system_ask_incident", "system_ask", ["incident_id", "id"])
    op.create_index("ix_system_ask_due", "system_ask", ["due_at"])
    op.create_table(
        "ask_batch",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(30), nullable=False),
        sa.Column("ask_id", BigInt, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("next_at", UTCDateTime(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=True),
        sa.Column("failed", sa.Integer(), nullable=True),
        sa.Column("told_at", UTCDateTime(), nullable=True),
        sa.Column("told_by", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(["ask_id"], ["system_ask.id"], name=op.f("fk_ask_batch_ask_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ask_batch")),
        sa.UniqueConstraint("ref", name=op.f("uq_ask_batch_ref")),
        sa.UniqueConstraint("ask_id", "number", name=op.f("uq_ask_batch_ask_id_number")),
    )
    op.create_index(
        "ix_ask_batch_open", "ask_batch", ["next_at"], sqlite_where=IS_OPEN, postgresql_where=IS_OPEN
    )


def downgrade() -> None:
    op.drop_table("ask_batch")
    op.drop_table("system_ask")
