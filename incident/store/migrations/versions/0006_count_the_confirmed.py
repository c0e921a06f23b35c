"""count the people of whom a human confirmed that they were told"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dispatch", sa.Column("confirmed", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("dispatch", "confirmed")
