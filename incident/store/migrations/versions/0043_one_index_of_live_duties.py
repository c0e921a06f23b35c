"""one index of what is to be acted on by due time, in words that let SQLite see no other index in it"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

BEFORE = sa.text("superseded_at IS NULL AND standing IN ('owed', 'advised') AND state IN ('proposed', 'accepted')")
RUNNING = sa.text(
    "superseded_at IS NULL AND standing = 'owed' AND state IN ('proposed', 'accepted') AND due_at IS NOT NULL"
)
LIVE = sa.text(
    "superseded_at IS NULL AND coalesce(standing, '') IN ('owed', 'advised')"
    " AND coalesce(state, '') IN ('proposed', 'accepted')"
)
COLUMNS = ["due_at", "id", "incident_id"]


def upgrade() -> None:
    op.drop_index(op.f("ix_finding_running_due"), table_name="finding")
    op.drop_index(op.f("ix_finding_live_due"), table_name="finding")
    op.create_index(op.f("ix_finding_live_due"), "finding", COLUMNS, sqlite_where=LIVE, postgresql_where=LIVE)


def downgrade() -> None:
    op.drop_index(op.f("ix_finding_live_due"), table_name="finding")
    op.create_index(op.f("ix_finding_live_due"), "finding", COLUMNS, sqlite_where=BEFORE, postgresql_where=BEFORE)
    op.create_index(
        op.f("ix_finding_running_due"),
        "finding",
        ["due_at", "incident_id"],
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )
