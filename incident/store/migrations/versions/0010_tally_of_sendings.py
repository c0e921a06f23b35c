"""count the people of a sending by channel and language"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FILL = """INSERT INTO dispatch_tally (dispatch_id, channel, language, state, reason, n)
SELECT dispatch_id, channel, language, state, why, count(*) FROM (
  SELECT dispatch_id, channel, language, state,
    CASE WHEN state IN ('in_doubt', 'failed', 'bounced', 'unreached', 'cancelled') THEN reason ELSE '' END AS why
  FROM delivery WHERE delivery.current) AS counted
GROUP BY dispatch_id, channel, language, state, why"""


def upgrade() -> None:
    op.add_column("delivery", sa.Column("language", sa.String(12), nullable=False, server_default=""))
    op.create_table(
        "dispatch_tally",
        sa.Column(
            "dispatch_id",
            BigInt,
            sa.ForeignKey("dispatch.id", name=op.f("fk_dispatch_tally_dispatch_id")),
            nullable=False,
        ),
        sa.Column("channel", sa.String(12), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dispatch_id", "channel", "language", "state", "reason", name=op.f("pk_dispatch_tally")),
        sqlite_with_rowid=False,
    )
    op.execute(FILL)


def downgrade() -> None:
    op.drop_table("dispatch_tally")
    op.drop_column("delivery", "language")
