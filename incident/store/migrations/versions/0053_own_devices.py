"""keep the device that each person is reached on by push, which call carries a code, and who asked for a test, and what incidents took up of the organisation"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "own_device",
        sa.Column("user_id", BigInt, autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("proved_at", UTCDateTime(), nullable=True),
        sa.Column("gone_at", UTCDateTime(), nullable=True),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("code_until", UTCDateTime(), nullable=True),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_own_device_user_id_user_account")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_own_device")),
    )
    with op.batch_alter_table("channel_trial") as table:
        table.alter_column("tried_at", existing_type=UTCDateTime(), nullable=True)
        table.alter_column("tried_by", existing_type=sa.String(20), nullable=True)
        table.add_column(sa.Column("asked_at", UTCDateTime(), nullable=True))
        table.add_column(sa.Column("asked_by", sa.String(20), server_default="", nullable=False))
    op.add_column("particular", sa.Column("taken_up_at", UTCDateTime(), nullable=True))
    op.execute("UPDATE particular SET taken_up_at = changed_at")
    op.add_column("reach", sa.Column("call_ref", sa.String(32), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("reach", "call_ref")
    op.execute("DELETE FROM particular WHERE words = ''")
    op.drop_column("particular", "taken_up_at")
    op.execute("DELETE FROM channel_trial WHERE tried_at IS NULL")
    with op.batch_alter_table("channel_trial") as table:
        table.drop_column("asked_by")
        table.drop_column("asked_at")
        table.alter_column("tried_by", existing_type=sa.String(20), nullable=False)
        table.alter_column("tried_at", existing_type=UTCDateTime(), nullable=False)
    op.drop_table("own_device")
