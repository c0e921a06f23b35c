"""remind of duties, alert the team, feed calendars"""

import sqlalchemy as sa
from alembic import op

import incident.store.db

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


RUNNING = sa.text(
    "superseded_at IS NULL AND standing = 'owed' AND state IN ('proposed', 'accepted') AND due_at IS NOT NULL"
)
GUARDS = {'postgresql': ('CREATE OR REPLACE FUNCTION tocsin_append_only() RETURNS trigger LANGUAGE plpgsql AS $$\n'
                "BEGIN RAISE EXCEPTION '% is append-only: rows are added, never changed or removed', TG_TABLE_NAME; "
                'END $$',
                'CREATE OR REPLACE FUNCTION tocsin_head_grows() RETURNS trigger LANGUAGE plpgsql AS $$\n'
                'BEGIN\n'
                "  IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION 'the record keeps its head'; END IF;\n"
                '  IF NEW.id <> OLD.id OR NEW.log <> OLD.log OR NEW.size < OLD.size THEN\n'
                "    RAISE EXCEPTION 'the record keeps its identity and only grows';\n"
                '  END IF;\n'
                '  RETURN NEW;\n'
                'END $$',
                'CREATE OR REPLACE TRIGGER reminder_ack_no_change BEFORE UPDATE OR DELETE ON reminder_ack\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER reminder_ack_no_truncate BEFORE TRUNCATE ON reminder_ack\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()'),
 'sqlite': ('CREATE TRIGGER IF NOT EXISTS reminder_ack_no_update BEFORE update ON reminder_ack \n'
            "BEGIN SELECT RAISE(ABORT, 'reminder_ack is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS reminder_ack_no_delete BEFORE delete ON reminder_ack \n'
            "BEGIN SELECT RAISE(ABORT, 'reminder_ack is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS reminder_ack_no_insert BEFORE insert ON reminder_ack WHEN EXISTS (SELECT 1 '
            'FROM reminder_ack WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'reminder_ack is append-only: rows are added, never changed or removed'); "
            'END')}


def upgrade() -> None:
    op.create_table('alert_target',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('level', sa.String(length=10), nullable=False),
    sa.Column('hears_restricted', sa.Boolean(), nullable=False),
    sa.Column('made_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(length=20), nullable=False),
    sa.Column('removed_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('tried_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('tried', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_alert_target_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_target')),
    sa.UniqueConstraint('ref', name=op.f('uq_alert_target_ref'))
    )
    with op.batch_alter_table('alert_target', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_alert_target_user_id'), ['user_id'], unique=False)

    op.create_table('calendar_feed',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_calendar_feed_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calendar_feed')),
    sa.UniqueConstraint('key', name=op.f('uq_calendar_feed_key')),
    sa.UniqueConstraint('ref', name=op.f('uq_calendar_feed_ref'))
    )
    with op.batch_alter_table('calendar_feed', schema=None) as batch_op:
        batch_op.create_index('uq_calendar_feed_live', ['user_id'], unique=True, sqlite_where=sa.text('revoked_at IS NULL'), postgresql_where=sa.text('revoked_at IS NULL'))

    op.create_table('reach',
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('email', sa.Boolean(), nullable=False),
    sa.Column('sms', sa.Boolean(), nullable=False),
    sa.Column('alert', sa.Boolean(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('proved_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('code_until', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('changed_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_reach_user_id')),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_reach'))
    )
    op.create_table('duty_owner',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('duty', sa.String(length=100), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('given_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('given_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_duty_owner_incident_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_duty_owner_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_owner')),
    sa.UniqueConstraint('incident_id', 'duty', name=op.f('uq_duty_owner_incident_id_duty'))
    )
    op.create_table('reminder',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('duty', sa.String(length=100), nullable=False),
    sa.Column('due_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('rung', sa.String(length=12), nullable=False),
    sa.Column('level', sa.String(length=10), nullable=False),
    sa.Column('moment', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('known_since', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('made_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('overtaken', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_reminder_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reminder')),
    sa.UniqueConstraint('incident_id', 'duty', 'due_at', 'rung', name=op.f('uq_reminder_incident_id_duty_due_at_rung')),
    sa.UniqueConstraint('ref', name=op.f('uq_reminder_ref'))
    )
    op.create_table('reminder_ack',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('duty', sa.String(length=100), nullable=False),
    sa.Column('due_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('given_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('given_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_reminder_ack_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reminder_ack'))
    )
    with op.batch_alter_table('reminder_ack', schema=None) as batch_op:
        batch_op.create_index('ix_reminder_ack_duty', ['incident_id', 'duty', 'due_at'], unique=False)

    op.create_table('reminder_message',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=26), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('target_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('simulated', sa.Boolean(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.Column('lease_until', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('called_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('changed_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('provider', sa.String(length=20), nullable=False),
    sa.Column('provider_id', sa.String(length=100), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_reminder_message_incident_id')),
    sa.ForeignKeyConstraint(['target_id'], ['alert_target.id'], name=op.f('fk_reminder_message_target_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_reminder_message_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reminder_message')),
    sa.UniqueConstraint('ref', name=op.f('uq_reminder_message_ref'))
    )
    with op.batch_alter_table('reminder_message', schema=None) as batch_op:
        batch_op.create_index('ix_reminder_message_incident', ['incident_id', 'id'], unique=False)
        batch_op.create_index('ix_reminder_message_open', ['next_at'], unique=False, sqlite_where=sa.text("state IN ('waiting', 'claimed', 'calling')"), postgresql_where=sa.text("state IN ('waiting', 'claimed', 'calling')"))

    op.create_table('reminder_item',
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reminder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['reminder_message.id'], name=op.f('fk_reminder_item_message_id')),
    sa.ForeignKeyConstraint(['reminder_id'], ['reminder.id'], name=op.f('fk_reminder_item_reminder_id')),
    sa.PrimaryKeyConstraint('message_id', 'reminder_id', name=op.f('pk_reminder_item'))
    )
    with op.batch_alter_table('reminder_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reminder_item_reminder_id'), ['reminder_id'], unique=False)

    op.add_column('finding', sa.Column('remind_at', incident.store.db.UTCDateTime(timezone=True), nullable=True))
    op.create_index('ix_finding_remind', 'finding', ['remind_at'], unique=False, sqlite_where=RUNNING, postgresql_where=RUNNING)
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))



def downgrade() -> None:
    op.drop_index('ix_finding_remind', 'finding')
    op.drop_column('finding', 'remind_at')
    with op.batch_alter_table('reminder_item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reminder_item_reminder_id'))

    op.drop_table('reminder_item')
    with op.batch_alter_table('reminder_message', schema=None) as batch_op:
        batch_op.drop_index('ix_reminder_message_open', sqlite_where=sa.text("state IN ('waiting', 'claimed', 'calling')"), postgresql_where=sa.text("state IN ('waiting', 'claimed', 'calling')"))
        batch_op.drop_index('ix_reminder_message_incident')

    op.drop_table('reminder_message')
    with op.batch_alter_table('reminder_ack', schema=None) as batch_op:
        batch_op.drop_index('ix_reminder_ack_duty')

    op.drop_table('reminder_ack')
    op.drop_table('reminder')
    op.drop_table('duty_owner')
    op.drop_table('reach')
    with op.batch_alter_table('calendar_feed', schema=None) as batch_op:
        batch_op.drop_index('uq_calendar_feed_live', sqlite_where=sa.text('revoked_at IS NULL'), postgresql_where=sa.text('revoked_at IS NULL'))

    op.drop_table('calendar_feed')
    with op.batch_alter_table('alert_target', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_alert_target_user_id'))

    op.drop_table('alert_target')
