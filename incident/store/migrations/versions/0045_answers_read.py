"""when askers read our answers on the page, and when the time for a request was made longer"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import UTCDateTime

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("enquiry", sa.Column("longer_at", UTCDateTime(), nullable=True))
    op.add_column("enquiry_message", sa.Column("read_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("enquiry_message", "read_at")
    op.drop_column("enquiry", "longer_at")
