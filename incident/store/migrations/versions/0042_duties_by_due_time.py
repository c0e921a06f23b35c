"""find the duties that somebody still has to act on by due time, over all incidents, without sorting them"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

LIVE = sa.text("superseded_at IS NULL AND standing IN ('owed', 'advised') AND state IN ('proposed', 'accepted')")


def upgrade() -> None:
    op.create_index(
        op.f("ix_finding_live_due"),
        "finding",
        ["due_at", "id", "incident_id"],
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_finding_live_due"), table_name="finding")
