"""keep with each sending at which hours its texts and calls may disturb people; until now it was the same for all"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    by_day = '{"begins": 9, "until": 20, "sunday": 12}'
    op.add_column("dispatch", sa.Column("hours", sa.JSON(), nullable=False, server_default=by_day))


def downgrade() -> None:
    op.drop_column("dispatch", "hours")
