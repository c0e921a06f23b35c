"""keep what providers say of messages in doubt, and whose hands a claimed batch was for"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt, UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

GUARDS = {
    "postgresql": (
        "CREATE OR REPLACE TRIGGER delivery_lookup_no_change BEFORE UPDATE OR DELETE ON delivery_lookup\n"
        "FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()",
        "CREATE OR REPLACE TRIGGER delivery_lookup_no_truncate BEFORE TRUNCATE ON delivery_lookup\n"
        "FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()",
    ),
    "sqlite": (
        "CREATE TRIGGER IF NOT EXISTS delivery_lookup_no_update BEFORE update ON delivery_lookup \n"
        "BEGIN SELECT RAISE(ABORT, 'delivery_lookup is append-only: rows are added, never changed or removed'); END",
        "CREATE TRIGGER IF NOT EXISTS delivery_lookup_no_delete BEFORE delete ON delivery_lookup \n"
        "BEGIN SELECT RAISE(ABORT, 'delivery_lookup is append-only: rows are added, never changed or removed'); END",
        "CREATE TRIGGER IF NOT EXISTS delivery_lookup_no_insert BEFORE insert ON delivery_lookup WHEN EXISTS (SELECT 1 "
        "FROM delivery_lookup WHERE id = NEW.id)\n"
        "BEGIN SELECT RAISE(ABORT, 'delivery_lookup is append-only: rows are added, never changed or removed'); "
        "END",
    ),
}


def upgrade() -> None:
    op.create_table(
        "delivery_lookup",
        sa.Column("id", BigInt, nullable=False),
        sa.Column(
            "delivery_id",
            BigInt,
            sa.ForeignKey("delivery.id", name=op.f("fk_delivery_lookup_delivery_id")),
            nullable=False,
        ),
        sa.Column("at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(20), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("verdict", sa.String(12), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(100), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("made_at", UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_lookup")),
    )
    op.create_index("ix_delivery_lookup_delivery", "delivery_lookup", ["delivery_id"])
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.add_column("delivery_claim", sa.Column("provider", sa.String(20), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("delivery_claim", "provider")
    op.drop_table("delivery_lookup")
