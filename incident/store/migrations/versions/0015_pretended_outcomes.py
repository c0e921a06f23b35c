"""let the sandbox of a drill pretend what would have become of its messages"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

PRETENDING = sa.text("state = 'simulated' AND due_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("delivery", sa.Column("pretended", sa.String(10), nullable=False, server_default=""))
    op.create_index(
        "ix_delivery_pretending",
        "delivery",
        ["dispatch_id", "due_at"],
        sqlite_where=PRETENDING,
        postgresql_where=PRETENDING,
    )
    op.add_column("dispatch", sa.Column("life", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("dispatch", sa.Column("pretended", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("dispatch", "pretended")
    op.drop_column("dispatch", "life")
    op.drop_index("ix_delivery_pretending", "delivery")
    op.drop_column("delivery", "pretended")
