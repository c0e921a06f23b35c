"""keep the passkeys of people who work here"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passkey",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(16), nullable=False),
        sa.Column("user_id", BigInt, sa.ForeignKey("user_account.id", name=op.f("fk_passkey_user_id")), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", BigInt, nullable=False),
        sa.Column("last_challenge", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("synced", sa.Boolean(), nullable=False),
        sa.Column("added_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("removed_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("ref", name=op.f("uq_passkey_ref")),
        sa.UniqueConstraint("key", name=op.f("uq_passkey_key")),
    )
    op.create_index("ix_passkey_user_id", "passkey", ["user_id"])


def downgrade() -> None:
    op.drop_table("passkey")
