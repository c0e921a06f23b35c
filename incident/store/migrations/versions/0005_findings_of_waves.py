"""let people who were found later have findings, and clocks, of their own"""

import sqlalchemy as sa
from alembic import op

import incident.store.db

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

CURRENT = sa.text('superseded_at IS NULL')


def upgrade() -> None:
    op.add_column('wave', sa.Column('discovered_at', incident.store.db.UTCDateTime(timezone=True), nullable=True))
    op.add_column('finding', sa.Column('wave', sa.String(length=20), server_default='', nullable=False))
    _index(['incident_id', 'duty', 'wave'])


def downgrade() -> None:
    op.execute("DELETE FROM finding WHERE wave <> ''")
    _index(['incident_id', 'duty'])
    op.drop_column('finding', 'wave')
    op.drop_column('wave', 'discovered_at')


def _index(columns: list[str]) -> None:
    op.drop_index('uq_finding_current', 'finding')
    op.create_index(
        'uq_finding_current', 'finding', columns, unique=True, sqlite_where=CURRENT, postgresql_where=CURRENT
    )
