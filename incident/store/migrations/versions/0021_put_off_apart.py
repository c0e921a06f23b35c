"""find who was never put off, and whose time has come, each by an index of their own"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

WAITS = "state = 'waiting'"


def _index(name: str, columns: list[str], where: str) -> None:
    only = sa.text(where)
    op.create_index(name, "delivery", columns, sqlite_where=only, postgresql_where=only)


def upgrade() -> None:
    op.drop_index("ix_delivery_waiting", "delivery")
    _index("ix_delivery_waiting", ["dispatch_id", "channel", "id"], f"{WAITS} AND due_at IS NULL")
    _index("ix_delivery_put_off", ["dispatch_id", "channel", "due_at", "id"], f"{WAITS} AND due_at IS NOT NULL")


def downgrade() -> None:
    op.drop_index("ix_delivery_put_off", "delivery")
    op.drop_index("ix_delivery_waiting", "delivery")
    _index("ix_delivery_waiting", ["dispatch_id", "channel", "id"], WAITS)
