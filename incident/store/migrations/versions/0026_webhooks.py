"""endpoints of other programs that are told of lines of the record, and what became of each event"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt, UTCDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

IS_OPEN = sa.text("state IN ('waiting', 'claimed', 'calling')")


def upgrade() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("hears_restricted", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("told_to", BigInt, nullable=False),
        sa.Column("made_at", UTCDateTime, nullable=False),
        sa.Column("made_by", sa.String(20), nullable=False),
        sa.Column("rotated_at", UTCDateTime, nullable=True),
        sa.Column("removed_at", UTCDateTime, nullable=True),
        sa.Column("off_at", UTCDateTime, nullable=True),
        sa.Column("off_why", sa.String(20), nullable=False),
        sa.Column("rests_until", UTCDateTime, nullable=True),
        sa.Column("failing_since", UTCDateTime, nullable=True),
        sa.Column("taken_at", UTCDateTime, nullable=True),
        sa.Column("tried_at", UTCDateTime, nullable=True),
        sa.Column("tried", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
        sa.UniqueConstraint("ref", name=op.f("uq_webhook_endpoint_ref")),
    )
    op.create_table(
        "webhook_event",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(30), nullable=False),
        sa.Column("endpoint_id", BigInt, nullable=False),
        sa.Column("line", BigInt, nullable=False),
        sa.Column("verb", sa.String(128), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", UTCDateTime, nullable=True),
        sa.Column("next_at", UTCDateTime, nullable=False),
        sa.Column("made_at", UTCDateTime, nullable=False),
        sa.Column("changed_at", UTCDateTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_webhook_event_endpoint_id_webhook_endpoint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_event")),
        sa.UniqueConstraint("endpoint_id", "line", name=op.f("uq_webhook_event_endpoint_id_line")),
        sa.UniqueConstraint("ref", name=op.f("uq_webhook_event_ref")),
    )
    op.create_index(
        "ix_webhook_event_open", "webhook_event", ["next_at"], sqlite_where=IS_OPEN, postgresql_where=IS_OPEN
    )


def downgrade() -> None:
    op.drop_index("ix_webhook_event_open", "webhook_event")
    op.drop_table("webhook_event")
    op.drop_table("webhook_endpoint")
