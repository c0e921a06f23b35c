"""keep whom a correction was approved for, so that its start can leave out who was not told after all"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice_version", sa.Column("numbers", sa.LargeBinary(), nullable=True))
    op.add_column("dispatch", sa.Column("fell_out", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("dispatch", "fell_out")
    op.drop_column("notice_version", "numbers")
