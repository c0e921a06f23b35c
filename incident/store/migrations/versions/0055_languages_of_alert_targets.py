"""say in which language the alerts of a shared target are"""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("alert_target") as batch_op:
        batch_op.add_column(sa.Column("language", sa.String(10), nullable=False, server_default="en"))


def downgrade() -> None:
    with op.batch_alter_table("alert_target") as batch_op:
        batch_op.drop_column("language")
