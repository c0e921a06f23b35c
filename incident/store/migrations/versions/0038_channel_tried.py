"""remember when each channel was last tried with its provider"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import UTCDateTime

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_trial",
        sa.Column("channel", sa.String(12), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("tried_at", UTCDateTime(), nullable=False),
        sa.Column("tried_by", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_trial")),
    )


def downgrade() -> None:
    op.drop_table("channel_trial")
