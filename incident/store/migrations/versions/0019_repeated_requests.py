"""keep the answers to requests that named a key, so that they can be sent again without being done again"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import UTCDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "repeat",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("asked", sa.String(64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
    )
    op.create_index("ix_repeat_at", "repeat", ["at"])


def downgrade() -> None:
    op.drop_table("repeat")
