"""name the states that need care one by one: an IN list costs SQLite twice what moving a row does"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

ONE_BY_ONE = "state = 'in_doubt' OR state = 'failed' OR state = 'bounced' OR state = 'unreached' OR state = 'cancelled'"
LISTED = "state IN ('in_doubt', 'failed', 'bounced', 'unreached', 'cancelled')"


def upgrade() -> None:
    _made(ONE_BY_ONE, f"owner = '' AND ({ONE_BY_ONE})")


def downgrade() -> None:
    _made(LISTED, f"{LISTED} AND owner = ''")


def _made(care: str, unowned: str) -> None:
    for name, columns, where in (
        ('ix_delivery_care', ['dispatch_id', 'state', 'id'], care),
        ('ix_delivery_unowned', ['dispatch_id', 'state', 'owner'], unowned),
    ):
        op.drop_index(name, 'delivery')
        op.create_index(
            name, 'delivery', columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
