"""keep of each sign-in which network it came from, as a keyed hash; find the mails to one person"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("user_session") as batch:
        batch.add_column(sa.Column("place", sa.String(64), nullable=False, server_default=""))
    op.create_index("ix_team_mail_user", "team_mail", ["user_id", "kind", "made_at"])


def downgrade() -> None:
    op.drop_index("ix_team_mail_user", "team_mail")
    with op.batch_alter_table("user_session") as batch:
        batch.drop_column("place")
