"""say in each notice which lists of an e-mail provider it passes over; until now it was all of them for every notice"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'notice', sa.Column('despite', sa.JSON(), nullable=False, server_default='["unsubscribed", "complained"]')
    )


def downgrade() -> None:
    op.drop_column('notice', 'despite')
