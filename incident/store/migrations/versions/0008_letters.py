"""keep batches of letters, and what the post brought back"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt, UTCDateTime

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'letter_batch',
        sa.Column('id', BigInt, nullable=False),
        sa.Column('ref', sa.String(length=20), nullable=False),
        sa.Column('incident_id', BigInt, nullable=False),
        sa.Column('dispatch_id', BigInt, nullable=False),
        sa.Column('stage', sa.String(length=8), nullable=False),
        sa.Column('wanted', sa.Integer(), nullable=False),
        sa.Column('letters', sa.Integer(), nullable=False),
        sa.Column('pages', sa.Integer(), nullable=False),
        sa.Column('files', sa.JSON(), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('asked_by', sa.String(length=20), nullable=False),
        sa.Column('asked_at', UTCDateTime(timezone=True), nullable=False),
        sa.Column('made_at', UTCDateTime(timezone=True), nullable=True),
        sa.Column('way', sa.String(length=12), nullable=False),
        sa.Column('posted_on', sa.Date(), nullable=True),
        sa.Column('ended_by', sa.String(length=20), nullable=False),
        sa.Column('ended_at', UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_letter_batch_incident_id_incident')),
        sa.ForeignKeyConstraint(['dispatch_id'], ['dispatch.id'], name=op.f('fk_letter_batch_dispatch_id_dispatch')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_letter_batch')),
        sa.UniqueConstraint('ref', name=op.f('uq_letter_batch_ref')),
    )
    op.create_index('ix_letter_batch_incident', 'letter_batch', ['incident_id', 'id'])
    op.create_index('ix_letter_batch_stage', 'letter_batch', ['dispatch_id', 'stage'])
    op.create_table(
        'letter',
        sa.Column('id', BigInt, nullable=False),
        sa.Column('batch_id', BigInt, nullable=False),
        sa.Column('delivery_id', BigInt, nullable=False),
        sa.Column('sequence', sa.Integer(), nullable=False),
        sa.Column('file', sa.String(length=60), nullable=False),
        sa.Column('form', sa.String(length=20), nullable=False),
        sa.Column('country', sa.String(length=6), nullable=False),
        sa.Column('language', sa.String(length=12), nullable=False),
        sa.Column('first_page', sa.Integer(), nullable=False),
        sa.Column('pages', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['batch_id'], ['letter_batch.id'], name=op.f('fk_letter_batch_id_letter_batch')),
        sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], name=op.f('fk_letter_delivery_id_delivery')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_letter')),
        sa.UniqueConstraint('batch_id', 'sequence', name=op.f('uq_letter_batch_id_sequence')),
    )
    op.create_index('ix_letter_delivery', 'letter', ['delivery_id'])
    op.create_table(
        'letter_return',
        sa.Column('id', BigInt, nullable=False),
        sa.Column('incident_id', BigInt, nullable=False),
        sa.Column('delivery_id', BigInt, nullable=False),
        sa.Column('batch_id', BigInt, nullable=False),
        sa.Column('why', sa.String(length=10), nullable=False),
        sa.Column('by', sa.String(length=20), nullable=False),
        sa.Column('at', UTCDateTime(timezone=True), nullable=False),
        sa.Column('undone_by', sa.String(length=20), nullable=False),
        sa.Column('undone_at', UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_letter_return_incident_id_incident')),
        sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], name=op.f('fk_letter_return_delivery_id_delivery')),
        sa.ForeignKeyConstraint(['batch_id'], ['letter_batch.id'], name=op.f('fk_letter_return_batch_id_letter_batch')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_letter_return')),
    )
    op.create_index('ix_letter_return_incident', 'letter_return', ['incident_id', 'id'])
    op.create_index('ix_letter_return_delivery', 'letter_return', ['delivery_id'])


def downgrade() -> None:
    op.drop_table('letter_return')
    op.drop_table('letter')
    op.drop_table('letter_batch')
