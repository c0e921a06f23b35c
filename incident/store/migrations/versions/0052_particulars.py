"""keep who the organisation is where administrators say it on a page"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import UTCDateTime

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "particular",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(20), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_particular")),
    )


def downgrade() -> None:
    op.drop_table("particular")
