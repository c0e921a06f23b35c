"""let each notice have a ladder: when a delivery's next channel is due"""

import sqlalchemy as sa
from alembic import op

import incident.store.db

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

CLIMBS = sa.text('climb_at IS NOT NULL')


def upgrade() -> None:
    op.add_column('delivery', sa.Column('climb_at', incident.store.db.UTCDateTime(timezone=True), nullable=True))
    op.create_index(
        'ix_delivery_climb', 'delivery', ['dispatch_id', 'climb_at'], sqlite_where=CLIMBS, postgresql_where=CLIMBS
    )
    op.add_column('dispatch', sa.Column('ladder', sa.JSON(), nullable=False, server_default='[]'))
    op.add_column('notice', sa.Column('ladder', sa.JSON(), nullable=False, server_default='[]'))


def downgrade() -> None:
    op.drop_column('notice', 'ladder')
    op.drop_column('dispatch', 'ladder')
    op.drop_index('ix_delivery_climb', 'delivery')
    op.drop_column('delivery', 'climb_at')
