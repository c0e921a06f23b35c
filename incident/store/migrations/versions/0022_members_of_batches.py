"""keep what it takes to build the root over a batch again, for the proof of each of its members"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery_claim", sa.Column("first_id", sa.BigInteger(), nullable=True))
    op.add_column("delivery_claim", sa.Column("last_id", sa.BigInteger(), nullable=True))
    op.add_column("delivery_claim", sa.Column("apart", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("delivery_claim", "apart")
    op.drop_column("delivery_claim", "last_id")
    op.drop_column("delivery_claim", "first_id")
