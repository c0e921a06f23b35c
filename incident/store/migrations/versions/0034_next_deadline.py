"""find what is due next over all incidents without walking all duties"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

RUNNING = sa.text(
    "superseded_at IS NULL AND standing = 'owed' AND state IN ('proposed', 'accepted') AND due_at IS NOT NULL"
)


def upgrade() -> None:
    op.create_index(
        op.f("ix_finding_running_due"),
        "finding",
        ["due_at", "incident_id"],
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_finding_running_due"), table_name="finding")
