"""count the codes of a remedy that somebody redeemed though nobody had been given them"""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("remedy", sa.Column("spoilt", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("remedy") as table:
        table.drop_column("spoilt")
