"""how often a worker died over one place of a check before sending, and which records are in doubt since"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("preflight", sa.Column("deaths", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("preflight", sa.Column("doubt_to", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("preflight", "doubt_to")
    op.drop_column("preflight", "deaths")
