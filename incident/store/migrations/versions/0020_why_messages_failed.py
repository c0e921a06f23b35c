"""find why messages failed, in the order of channel and reason"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BACK = sa.text("state = 'failed' OR state = 'bounced'")


def upgrade() -> None:
    columns = ["dispatch_id", "state", "channel", "reason"]
    op.create_index("ix_delivery_back", "delivery", columns, sqlite_where=BACK, postgresql_where=BACK)


def downgrade() -> None:
    op.drop_index("ix_delivery_back", "delivery")
