"""find the next deadline of each incident without reading its other duties"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

LIVE = sa.text(
    "superseded_at IS NULL AND coalesce(standing, '') IN ('owed', 'advised')"
    " AND coalesce(state, '') IN ('proposed', 'accepted')"
)


def upgrade() -> None:
    op.create_index(
        op.f("ix_finding_live_incident"),
        "finding",
        ["incident_id", "due_at", "id"],
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_finding_live_incident"), table_name="finding")
