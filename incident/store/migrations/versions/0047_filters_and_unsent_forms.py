"""filters kept under a name, forms that came after their session ended, and what a translation was made over"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt, UTCDateTime

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_filter",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("listing", sa.String(20), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", UTCDateTime, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_saved_filter_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filter")),
        sa.UniqueConstraint("ref", name=op.f("uq_saved_filter_ref")),
    )
    op.create_index(op.f("ix_saved_filter_user"), "saved_filter", ["user_id", "listing"])
    op.create_index(op.f("ix_saved_filter_shared"), "saved_filter", ["shared", "listing"])
    op.create_table(
        "unsent_form",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("path", sa.String(500), nullable=False),
        sa.Column("at", UTCDateTime, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_unsent_form_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsent_form")),
        sa.UniqueConstraint("ref", name=op.f("uq_unsent_form_ref")),
    )
    op.create_index(op.f("ix_unsent_form_user"), "unsent_form", ["user_id", "at"])
    op.create_index(op.f("ix_unsent_form_at"), "unsent_form", ["at"])
    op.add_column("notice_text", sa.Column("over", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("notice_text", sa.Column("read_by", sa.String(20), nullable=False, server_default=""))
    op.add_column("notice_text", sa.Column("read_at", UTCDateTime, nullable=True))


def downgrade() -> None:
    op.drop_column("notice_text", "read_at")
    op.drop_column("notice_text", "read_by")
    op.drop_column("notice_text", "over")
    op.drop_table("unsent_form")
    op.drop_table("saved_filter")
