"""first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # noqa: F401

import incident.store.db

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


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
                'CREATE OR REPLACE TRIGGER audit_line_no_change BEFORE UPDATE OR DELETE ON audit_line\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER audit_line_no_truncate BEFORE TRUNCATE ON audit_line\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER checkpoint_no_change BEFORE UPDATE OR DELETE ON checkpoint\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON checkpoint\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER closing_no_change BEFORE UPDATE OR DELETE ON closing\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER closing_no_truncate BEFORE TRUNCATE ON closing\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER custody_no_change BEFORE UPDATE OR DELETE ON custody\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER custody_no_truncate BEFORE TRUNCATE ON custody\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER delivery_remark_no_change BEFORE UPDATE OR DELETE ON delivery_remark\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER delivery_remark_no_truncate BEFORE TRUNCATE ON delivery_remark\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER fact_no_change BEFORE UPDATE OR DELETE ON fact\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER fact_no_truncate BEFORE TRUNCATE ON fact\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER grade_no_change BEFORE UPDATE OR DELETE ON grade\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER grade_no_truncate BEFORE TRUNCATE ON grade\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER note_no_change BEFORE UPDATE OR DELETE ON note\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER note_no_truncate BEFORE TRUNCATE ON note\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER provider_event_no_change BEFORE UPDATE OR DELETE ON provider_event\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER provider_event_no_truncate BEFORE TRUNCATE ON provider_event\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER review_no_change BEFORE UPDATE OR DELETE ON review\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER review_no_truncate BEFORE TRUNCATE ON review\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER step_event_no_change BEFORE UPDATE OR DELETE ON step_event\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER step_event_no_truncate BEFORE TRUNCATE ON step_event\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER report_file_no_change BEFORE UPDATE OR DELETE ON report_file\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER report_file_no_truncate BEFORE TRUNCATE ON report_file\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER report_receipt_no_change BEFORE UPDATE OR DELETE ON report_receipt\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER report_receipt_no_truncate BEFORE TRUNCATE ON report_receipt\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER report_stays BEFORE UPDATE OR DELETE ON report\n'
                "FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION tocsin_append_only()",
                'CREATE OR REPLACE TRIGGER report_no_truncate BEFORE TRUNCATE ON report\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER audit_head_no_change BEFORE UPDATE OR DELETE ON audit_head\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_head_grows()',
                'CREATE OR REPLACE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_head_grows()',
                'INSERT INTO audit_head (id, log, size, frontier)\n'
                "VALUES (1, replace(gen_random_uuid()::text, '-', ''), 0, ''::bytea) ON CONFLICT DO NOTHING"),
 'sqlite': ('CREATE TRIGGER IF NOT EXISTS audit_line_no_update BEFORE update ON audit_line \n'
            "BEGIN SELECT RAISE(ABORT, 'audit_line is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS audit_line_no_delete BEFORE delete ON audit_line \n'
            "BEGIN SELECT RAISE(ABORT, 'audit_line is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS audit_line_follows BEFORE INSERT ON audit_line\n'
            'WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), -1) + 1 FROM audit_line)\n'
            "BEGIN SELECT RAISE(ABORT, 'audit_line grows at its end, one line after the other'); END",
            'CREATE TRIGGER IF NOT EXISTS checkpoint_no_update BEFORE update ON checkpoint \n'
            "BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS checkpoint_no_delete BEFORE delete ON checkpoint \n'
            "BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS checkpoint_no_insert BEFORE insert ON checkpoint WHEN EXISTS (SELECT 1 '
            'FROM checkpoint WHERE size = NEW.size)\n'
            "BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS closing_no_update BEFORE update ON closing \n'
            "BEGIN SELECT RAISE(ABORT, 'closing is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS closing_no_delete BEFORE delete ON closing \n'
            "BEGIN SELECT RAISE(ABORT, 'closing is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS closing_no_insert BEFORE insert ON closing WHEN EXISTS (SELECT 1 FROM '
            'closing WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'closing is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS custody_no_update BEFORE update ON custody \n'
            "BEGIN SELECT RAISE(ABORT, 'custody is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS custody_no_delete BEFORE delete ON custody \n'
            "BEGIN SELECT RAISE(ABORT, 'custody is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS custody_no_insert BEFORE insert ON custody WHEN EXISTS (SELECT 1 FROM '
            'custody WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'custody is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS delivery_remark_no_update BEFORE update ON delivery_remark \n'
            "BEGIN SELECT RAISE(ABORT, 'delivery_remark is append-only: rows are added, never changed or removed'); "
            'END',
            'CREATE TRIGGER IF NOT EXISTS delivery_remark_no_delete BEFORE delete ON delivery_remark \n'
            "BEGIN SELECT RAISE(ABORT, 'delivery_remark is append-only: rows are added, never changed or removed'); "
            'END',
            'CREATE TRIGGER IF NOT EXISTS delivery_remark_no_insert BEFORE insert ON delivery_remark WHEN EXISTS '
            '(SELECT 1 FROM delivery_remark WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'delivery_remark is append-only: rows are added, never changed or removed'); "
            'END',
            'CREATE TRIGGER IF NOT EXISTS fact_no_update BEFORE update ON fact \n'
            "BEGIN SELECT RAISE(ABORT, 'fact is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS fact_no_delete BEFORE delete ON fact \n'
            "BEGIN SELECT RAISE(ABORT, 'fact is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS fact_no_insert BEFORE insert ON fact WHEN EXISTS (SELECT 1 FROM fact WHERE '
            'id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'fact is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS grade_no_update BEFORE update ON grade \n'
            "BEGIN SELECT RAISE(ABORT, 'grade is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS grade_no_delete BEFORE delete ON grade \n'
            "BEGIN SELECT RAISE(ABORT, 'grade is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS grade_no_insert BEFORE insert ON grade WHEN EXISTS (SELECT 1 FROM grade '
            'WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'grade is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS note_no_update BEFORE update ON note \n'
            "BEGIN SELECT RAISE(ABORT, 'note is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS note_no_delete BEFORE delete ON note \n'
            "BEGIN SELECT RAISE(ABORT, 'note is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS note_no_insert BEFORE insert ON note WHEN EXISTS (SELECT 1 FROM note WHERE '
            'id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'note is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS provider_event_no_update BEFORE update ON provider_event \n'
            "BEGIN SELECT RAISE(ABORT, 'provider_event is append-only: rows are added, never changed or removed'); "
            'END',
            'CREATE TRIGGER IF NOT EXISTS provider_event_no_delete BEFORE delete ON provider_event \n'
            "BEGIN SELECT RAISE(ABORT, 'provider_event is append-only: rows are added, never changed or removed'); "
            'END',
            'CREATE TRIGGER IF NOT EXISTS provider_event_no_insert BEFORE insert ON provider_event WHEN EXISTS '
            '(SELECT 1 FROM provider_event WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'provider_event is append-only: rows are added, never changed or removed'); "
            'END',
            'CREATE TRIGGER IF NOT EXISTS review_no_update BEFORE update ON review \n'
            "BEGIN SELECT RAISE(ABORT, 'review is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS review_no_delete BEFORE delete ON review \n'
            "BEGIN SELECT RAISE(ABORT, 'review is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS review_no_insert BEFORE insert ON review WHEN EXISTS (SELECT 1 FROM review '
            'WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'review is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS step_event_no_update BEFORE update ON step_event \n'
            "BEGIN SELECT RAISE(ABORT, 'step_event is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS step_event_no_delete BEFORE delete ON step_event \n'
            "BEGIN SELECT RAISE(ABORT, 'step_event is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS step_event_no_insert BEFORE insert ON step_event WHEN EXISTS (SELECT 1 '
            'FROM step_event WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'step_event is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS report_file_no_update BEFORE update ON report_file \n'
            "BEGIN SELECT RAISE(ABORT, 'report_file is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS report_file_no_delete BEFORE delete ON report_file \n'
            "BEGIN SELECT RAISE(ABORT, 'report_file is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS report_file_no_insert BEFORE insert ON report_file WHEN EXISTS (SELECT 1 '
            'FROM report_file WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'report_file is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS report_receipt_no_update BEFORE update ON report_receipt \n'
            "BEGIN SELECT RAISE(ABORT, 'report_receipt is append-only: rows are added, never changed or removed'); "
            'END',
            'CREATE TRIGGER IF NOT EXISTS report_receipt_no_delete BEFORE delete ON report_receipt \n'
            "BEGIN SELECT RAISE(ABORT, 'report_receipt is append-only: rows are added, never changed or removed'); "
            'END',
            'CREATE TRIGGER IF NOT EXISTS report_receipt_no_insert BEFORE insert ON report_receipt WHEN EXISTS '
            '(SELECT 1 FROM report_receipt WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'report_receipt is append-only: rows are added, never changed or removed'); "
            'END',
            "CREATE TRIGGER IF NOT EXISTS report_stays_on_update BEFORE update ON report WHEN OLD.state <> 'draft'\n"
            "BEGIN SELECT RAISE(ABORT, 'report is settled: it stays as it is'); END",
            "CREATE TRIGGER IF NOT EXISTS report_stays_on_delete BEFORE delete ON report WHEN OLD.state <> 'draft'\n"
            "BEGIN SELECT RAISE(ABORT, 'report is settled: it stays as it is'); END",
            'CREATE TRIGGER IF NOT EXISTS audit_head_stays BEFORE DELETE ON audit_head\n'
            "BEGIN SELECT RAISE(ABORT, 'the record keeps its head'); END",
            'CREATE TRIGGER IF NOT EXISTS audit_head_grows BEFORE UPDATE ON audit_head\n'
            'WHEN NEW.id <> OLD.id OR NEW.log <> OLD.log OR NEW.size < OLD.size\n'
            "BEGIN SELECT RAISE(ABORT, 'the record keeps its identity and only grows'); END",
            'INSERT OR IGNORE INTO audit_head (id, log, size, frontier) VALUES (1, lower(hex(randomblob(16))), 0, '
            "x'')")}


def upgrade() -> None:
    op.create_table('abode',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('place', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_abode'))
    )
    op.create_table('audit_head',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('log', sa.String(length=32), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('frontier', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_head'))
    )
    op.create_table('audit_line',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('at', sa.String(length=27), nullable=False),
    sa.Column('actor', sa.String(length=128), nullable=False),
    sa.Column('verb', sa.String(length=128), nullable=False),
    sa.Column('subject', sa.String(length=128), nullable=False),
    sa.Column('incident', sa.String(length=128), nullable=True),
    sa.Column('details', sa.Text(), nullable=False),
    sa.Column('leaf', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_audit_line'))
    )
    with op.batch_alter_table('audit_line', schema=None) as batch_op:
        batch_op.create_index('ix_audit_line_actor_seq', ['actor', 'seq'], unique=False)
        batch_op.create_index('ix_audit_line_incident_seq', ['incident', 'seq'], unique=False)

    op.create_table('checkpoint',
    sa.Column('size', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('at', sa.String(length=27), nullable=False),
    sa.Column('frontier', sa.LargeBinary(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('size', name=op.f('pk_checkpoint'))
    )
    op.create_table('counter',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('value', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_counter'))
    )
    op.create_table('invitation',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=True),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('invited_by', sa.String(length=16), nullable=False),
    sa.Column('created_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('accepted_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('key', name=op.f('uq_invitation_key')),
    sa.UniqueConstraint('ref', name=op.f('uq_invitation_ref'))
    )
    op.create_table('lease',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('holder', sa.String(length=60), nullable=False),
    sa.Column('until', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_lease'))
    )
    op.create_table('sending_switch',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('frozen', sa.Boolean(), nullable=False),
    sa.Column('by', sa.String(length=20), nullable=False),
    sa.Column('at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sending_switch'))
    )
    op.create_table('throttle',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('since', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('until', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_throttle'))
    )
    op.create_table('user_account',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('password', sa.String(length=255), nullable=True),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('time_zone', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=12), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('totp_secret', sa.Text(), nullable=True),
    sa.Column('totp_counter', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('recovery_codes', sa.JSON(), nullable=False),
    sa.Column('created_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user_account')),
    sa.UniqueConstraint('email', name=op.f('uq_user_account_email')),
    sa.UniqueConstraint('ref', name=op.f('uq_user_account_ref'))
    )
    op.create_table('api_token',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('prefix', sa.String(length=12), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_api_token_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('key', name=op.f('uq_api_token_key')),
    sa.UniqueConstraint('ref', name=op.f('uq_api_token_ref'))
    )
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_token_user_id'), ['user_id'], unique=False)

    op.create_table('incident',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('category', sa.String(length=40), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('restricted', sa.Boolean(), nullable=False),
    sa.Column('lead_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('opened_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('opened_by', sa.String(length=20), nullable=False),
    sa.Column('closed_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['lead_id'], ['user_account.id'], name=op.f('fk_incident_lead_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident')),
    sa.UniqueConstraint('ref', name=op.f('uq_incident_ref'))
    )
    with op.batch_alter_table('incident', schema=None) as batch_op:
        batch_op.create_index('ix_incident_kind_id', ['kind', 'id'], unique=False)
        batch_op.create_index('ix_incident_state_id', ['state', 'id'], unique=False)

    op.create_table('user_session',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('device', sa.String(length=80), nullable=False),
    sa.Column('started_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('fresh_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('second_factor_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('expires_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('ended_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_user_session_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user_session')),
    sa.UniqueConstraint('key', name=op.f('uq_user_session_key')),
    sa.UniqueConstraint('ref', name=op.f('uq_user_session_ref'))
    )
    with op.batch_alter_table('user_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_user_session_user_id'), ['user_id'], unique=False)

    op.create_table('assessment',
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('library', sa.String(length=64), nullable=False),
    sa.Column('made_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('counts', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_assessment_incident_id')),
    sa.PrimaryKeyConstraint('incident_id', name=op.f('pk_assessment'))
    )
    with op.batch_alter_table('assessment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_assessment_library'), ['library'], unique=False)

    op.create_table('closing',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('did', sa.String(length=10), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('done_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('done_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_closing_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_closing')),
    sa.UniqueConstraint('ref', name=op.f('uq_closing_ref'))
    )
    with op.batch_alter_table('closing', schema=None) as batch_op:
        batch_op.create_index('ix_closing_incident', ['incident_id', 'id'], unique=False)

    op.create_table('data_key',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=32), nullable=False),
    sa.Column('owner', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('master', sa.Integer(), nullable=False),
    sa.Column('sealing', sa.LargeBinary(), nullable=True),
    sa.Column('marking', sa.LargeBinary(), nullable=True),
    sa.Column('erased_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_data_key_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_data_key')),
    sa.UniqueConstraint('incident_id', name=op.f('uq_data_key_incident_id')),
    sa.UniqueConstraint('owner', name=op.f('uq_data_key_owner')),
    sa.UniqueConstraint('ref', name=op.f('uq_data_key_ref'))
    )
    with op.batch_alter_table('data_key', schema=None) as batch_op:
        batch_op.create_index('ix_data_key_master', ['master'], unique=False)

    op.create_table('evidence',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('description', sa.String(length=500), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('stored_as', sa.String(length=60), nullable=False),
    sa.Column('brought_by', sa.String(length=200), nullable=False),
    sa.Column('added_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('added_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_evidence_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_evidence')),
    sa.UniqueConstraint('ref', name=op.f('uq_evidence_ref'))
    )
    with op.batch_alter_table('evidence', schema=None) as batch_op:
        batch_op.create_index('ix_evidence_incident', ['incident_id', 'id'], unique=False)

    op.create_table('fact',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=60), nullable=False),
    sa.Column('value', sa.JSON(), nullable=False),
    sa.Column('source', sa.String(length=300), nullable=False),
    sa.Column('confidence', sa.String(length=10), nullable=False),
    sa.Column('learnt_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('recorded_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_fact_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fact'))
    )
    with op.batch_alter_table('fact', schema=None) as batch_op:
        batch_op.create_index('ix_fact_incident_key', ['incident_id', 'key', 'id'], unique=False)

    op.create_table('finding',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('law', sa.String(length=40), nullable=False),
    sa.Column('duty', sa.String(length=100), nullable=False),
    sa.Column('law_digest', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('to', sa.String(length=30), nullable=False),
    sa.Column('standing', sa.String(length=10), nullable=False),
    sa.Column('was', sa.String(length=10), nullable=False),
    sa.Column('was_due_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('because', sa.JSON(), nullable=False),
    sa.Column('wants', sa.JSON(), nullable=False),
    sa.Column('doubts', sa.JSON(), nullable=False),
    sa.Column('clock', sa.String(length=14), nullable=False),
    sa.Column('clock_words', sa.Text(), nullable=False),
    sa.Column('due_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('start', sa.String(length=40), nullable=False),
    sa.Column('anchor', sa.String(length=40), nullable=False),
    sa.Column('made_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('superseded_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('decided_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.String(length=20), nullable=False),
    sa.Column('met_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('late_seconds', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('reference', sa.String(length=200), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('since_then', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_finding_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_finding')),
    sa.UniqueConstraint('ref', name=op.f('uq_finding_ref'))
    )
    with op.batch_alter_table('finding', schema=None) as batch_op:
        batch_op.create_index('ix_finding_incident', ['incident_id', 'id'], unique=False)
        batch_op.create_index('ix_finding_standing_due', ['standing', 'state', 'due_at', 'id'], unique=False)
        batch_op.create_index('uq_finding_current', ['incident_id', 'duty'], unique=True, sqlite_where=sa.text('superseded_at IS NULL'), postgresql_where=sa.text('superseded_at IS NULL'))

    op.create_table('grade',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('scale', sa.String(length=12), nullable=False),
    sa.Column('basis', sa.String(length=10), nullable=False),
    sa.Column('level', sa.String(length=20), nullable=False),
    sa.Column('score', sa.Float(), nullable=True),
    sa.Column('inputs', sa.JSON(), nullable=False),
    sa.Column('reasons', sa.JSON(), nullable=False),
    sa.Column('open', sa.JSON(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('made_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_grade_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_grade')),
    sa.UniqueConstraint('ref', name=op.f('uq_grade_ref'))
    )
    with op.batch_alter_table('grade', schema=None) as batch_op:
        batch_op.create_index('ix_grade_incident_scale', ['incident_id', 'scale', 'basis', 'id'], unique=False)

    op.create_table('membership',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('added_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('added_by', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_membership_incident_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_membership_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_membership')),
    sa.UniqueConstraint('incident_id', 'user_id', name=op.f('uq_membership_incident_id_user_id'))
    )
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_membership_user_id'), ['user_id'], unique=False)

    op.create_table('note',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('written_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('written_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_note_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_note')),
    sa.UniqueConstraint('ref', name=op.f('uq_note_ref'))
    )
    with op.batch_alter_table('note', schema=None) as batch_op:
        batch_op.create_index('ix_note_incident', ['incident_id', 'id'], unique=False)

    op.create_table('notice',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('title', sa.String(length=120), nullable=False),
    sa.Column('stage', sa.String(length=12), nullable=False),
    sa.Column('audience', sa.JSON(), nullable=False),
    sa.Column('channels', sa.JSON(), nullable=False),
    sa.Column('languages', sa.JSON(), nullable=False),
    sa.Column('send_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('drafter', sa.String(length=20), nullable=False),
    sa.Column('editors', sa.JSON(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('drafted_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('changed_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sa.String(length=20), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_notice_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
    sa.UniqueConstraint('ref', name=op.f('uq_notice_ref'))
    )
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.create_index('ix_notice_incident', ['incident_id', 'id'], unique=False)
        batch_op.create_index('ix_notice_stage', ['stage', 'id'], unique=False)

    op.create_table('person_import',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('size', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('stored_as', sa.String(length=60), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('encoding', sa.String(length=20), nullable=False),
    sa.Column('delimiter', sa.String(length=4), nullable=False),
    sa.Column('has_header', sa.Boolean(), nullable=False),
    sa.Column('reading', sa.JSON(), nullable=False),
    sa.Column('wave', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('trouble', sa.String(length=300), nullable=False),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.Column('holder', sa.String(length=120), nullable=False),
    sa.Column('lease_until', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('cursor', sa.Integer(), nullable=False),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('taken', sa.Integer(), nullable=False),
    sa.Column('suspects', sa.Integer(), nullable=False),
    sa.Column('refused', sa.Integer(), nullable=False),
    sa.Column('empty', sa.Integer(), nullable=False),
    sa.Column('doubtful', sa.Integer(), nullable=False),
    sa.Column('uploaded_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('uploaded_by', sa.String(length=20), nullable=False),
    sa.Column('started_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_person_import_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person_import')),
    sa.UniqueConstraint('ref', name=op.f('uq_person_import_ref'))
    )
    with op.batch_alter_table('person_import', schema=None) as batch_op:
        batch_op.create_index('ix_person_import_incident', ['incident_id', 'id'], unique=False)
        batch_op.create_index('ix_person_import_to_do', ['state'], unique=False, sqlite_where=sa.text("state IN ('waiting', 'running')"), postgresql_where=sa.text("state IN ('waiting', 'running')"))

    op.create_table('person_mark',
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('mark', sa.LargeBinary(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_person_mark_incident_id')),
    sa.PrimaryKeyConstraint('incident_id', 'mark', name=op.f('pk_person_mark')),
    sqlite_with_rowid=False
    )
    op.create_table('person_pair',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('twin', sa.Integer(), nullable=False),
    sa.Column('found_by', sa.String(length=40), nullable=False),
    sa.Column('identical', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('decided_by', sa.String(length=20), nullable=False),
    sa.Column('decided_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_person_pair_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person_pair')),
    sa.UniqueConstraint('incident_id', 'number', 'twin', name=op.f('uq_person_pair_incident_id_number_twin'))
    )
    with op.batch_alter_table('person_pair', schema=None) as batch_op:
        batch_op.create_index('ix_person_pair_state', ['incident_id', 'state', 'id'], unique=False)
        batch_op.create_index('ix_person_pair_twin', ['incident_id', 'twin'], unique=False)

    op.create_table('person_tally',
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('wave', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('place', sa.String(length=6), nullable=False),
    sa.Column('language', sa.String(length=12), nullable=False),
    sa.Column('age', sa.String(length=8), nullable=False),
    sa.Column('reach', sa.Integer(), nullable=False),
    sa.Column('doubtful', sa.Boolean(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_person_tally_incident_id')),
    sa.PrimaryKeyConstraint('incident_id', 'wave', 'state', 'place', 'language', 'age', 'reach', 'doubtful', name=op.f('pk_person_tally'))
    )
    op.create_table('plan',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('playbook', sa.String(length=40), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('activated_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('activated_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_plan_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan')),
    sa.UniqueConstraint('incident_id', 'playbook', name=op.f('uq_plan_incident_id_playbook')),
    sa.UniqueConstraint('ref', name=op.f('uq_plan_ref'))
    )
    op.create_table('report',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('form', sa.String(length=40), nullable=False),
    sa.Column('form_digest', sa.String(length=64), nullable=False),
    sa.Column('stage', sa.String(length=20), nullable=False),
    sa.Column('authority', sa.String(length=200), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('zone', sa.String(length=60), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('duty', sa.String(length=100), nullable=True),
    sa.Column('previous', sa.String(length=20), nullable=True),
    sa.Column('hands', sa.JSON(), nullable=False),
    sa.Column('seen', sa.JSON(), nullable=False),
    sa.Column('missing', sa.Integer(), nullable=False),
    sa.Column('answers', sa.JSON(), nullable=True),
    sa.Column('digest', sa.String(length=64), nullable=True),
    sa.Column('made_by', sa.String(length=20), nullable=False),
    sa.Column('made_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('saved_by', sa.String(length=20), nullable=False),
    sa.Column('saved_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('filed_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('filed_by', sa.String(length=20), nullable=True),
    sa.Column('recorded_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('channel', sa.String(length=20), nullable=True),
    sa.Column('due_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('late', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_report_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report')),
    sa.UniqueConstraint('ref', name=op.f('uq_report_ref'))
    )
    with op.batch_alter_table('report', schema=None) as batch_op:
        batch_op.create_index('ix_report_incident', ['incident_id', 'id'], unique=False)

    op.create_table('review',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('went_well', sa.Text(), nullable=False),
    sa.Column('went_badly', sa.Text(), nullable=False),
    sa.Column('root_cause', sa.Text(), nullable=False),
    sa.Column('lessons', sa.Text(), nullable=False),
    sa.Column('measures', sa.Text(), nullable=False),
    sa.Column('written_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('written_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_review_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review')),
    sa.UniqueConstraint('ref', name=op.f('uq_review_ref'))
    )
    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.create_index('ix_review_incident', ['incident_id', 'id'], unique=False)

    op.create_table('sandbox_message',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=26), nullable=False),
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('person_number', sa.Integer(), nullable=True),
    sa.Column('notice_ref', sa.String(length=20), nullable=False),
    sa.Column('kept_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_sandbox_message_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sandbox_message')),
    sa.UniqueConstraint('ref', name=op.f('uq_sandbox_message_ref'))
    )
    with op.batch_alter_table('sandbox_message', schema=None) as batch_op:
        batch_op.create_index('ix_sandbox_message_incident', ['incident_id', 'id'], unique=False)

    op.create_table('wave',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('label', sa.String(length=80), nullable=False),
    sa.Column('found_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_wave_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wave')),
    sa.UniqueConstraint('incident_id', 'number', name=op.f('uq_wave_incident_id_number'))
    )
    op.create_table('custody',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('evidence_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('holder', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('moved_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('recorded_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['evidence_id'], ['evidence.id'], name=op.f('fk_custody_evidence_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_custody'))
    )
    with op.batch_alter_table('custody', schema=None) as batch_op:
        batch_op.create_index('ix_custody_evidence', ['evidence_id', 'id'], unique=False)

    op.create_table('notice_text',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('notice_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('language', sa.String(length=20), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('changed_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_notice_text_notice_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice_text')),
    sa.UniqueConstraint('notice_id', 'language', name=op.f('uq_notice_text_notice_id_language'))
    )
    op.create_table('notice_version',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('notice_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('contents', sa.JSON(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('editors', sa.JSON(), nullable=False),
    sa.Column('submitted_by', sa.String(length=20), nullable=False),
    sa.Column('submitted_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('decided_by', sa.String(length=20), nullable=False),
    sa.Column('decided_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_notice_version_notice_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice_version')),
    sa.UniqueConstraint('notice_id', 'number', name=op.f('uq_notice_version_notice_id_number'))
    )
    op.create_table('person',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('import_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('row_no', sa.Integer(), nullable=True),
    sa.Column('wave', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('place', sa.String(length=6), nullable=False),
    sa.Column('language', sa.String(length=12), nullable=False),
    sa.Column('exposed', sa.String(length=1000), nullable=False),
    sa.Column('age', sa.String(length=8), nullable=False),
    sa.Column('represented', sa.Boolean(), nullable=False),
    sa.Column('has_email', sa.Boolean(), nullable=False),
    sa.Column('has_phone', sa.Boolean(), nullable=False),
    sa.Column('has_address', sa.Boolean(), nullable=False),
    sa.Column('has_push', sa.Boolean(), nullable=False),
    sa.Column('doubts', sa.String(length=80), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('whole', sa.LargeBinary(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['person_import.id'], name=op.f('fk_person_import_id')),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_person_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person'))
    )
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.create_index('ix_person_import_row', ['import_id', 'row_no'], unique=True)
        batch_op.create_index('ix_person_incident_number', ['incident_id', 'number'], unique=True)

    op.create_table('person_refusal',
    sa.Column('import_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('row_no', sa.Integer(), nullable=False),
    sa.Column('reasons', sa.String(length=80), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['person_import.id'], name=op.f('fk_person_refusal_import_id')),
    sa.PrimaryKeyConstraint('import_id', 'row_no', name=op.f('pk_person_refusal'))
    )
    op.create_table('report_file',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('report_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['report_id'], ['report.id'], name=op.f('fk_report_file_report_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_file')),
    sa.UniqueConstraint('report_id', 'kind', name=op.f('uq_report_file_report_id_kind'))
    )
    op.create_table('report_receipt',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('report_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reference', sa.String(length=120), nullable=False),
    sa.Column('evidence', sa.String(length=20), nullable=False),
    sa.Column('recorded_by', sa.String(length=20), nullable=False),
    sa.Column('recorded_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['report_id'], ['report.id'], name=op.f('fk_report_receipt_report_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_receipt'))
    )
    with op.batch_alter_table('report_receipt', schema=None) as batch_op:
        batch_op.create_index('ix_report_receipt_report', ['report_id', 'id'], unique=False)

    op.create_table('step',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('plan_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('phase', sa.String(length=20), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('mandatory', sa.Boolean(), nullable=False),
    sa.Column('asks', sa.String(length=500), nullable=False),
    sa.Column('due_from', sa.String(length=40), nullable=False),
    sa.Column('due_hours', sa.Integer(), nullable=False),
    sa.Column('condition', sa.JSON(), nullable=False),
    sa.Column('need', sa.String(length=4), nullable=False),
    sa.Column('need_open', sa.JSON(), nullable=False),
    sa.Column('due_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('due_words', sa.String(length=300), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('owner_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('finished_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_step_incident_id')),
    sa.ForeignKeyConstraint(['owner_id'], ['user_account.id'], name=op.f('fk_step_owner_id')),
    sa.ForeignKeyConstraint(['plan_id'], ['plan.id'], name=op.f('fk_step_plan_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_step')),
    sa.UniqueConstraint('plan_id', 'key', name=op.f('uq_step_plan_id_key')),
    sa.UniqueConstraint('ref', name=op.f('uq_step_ref'))
    )
    with op.batch_alter_table('step', schema=None) as batch_op:
        batch_op.create_index('ix_step_incident_position', ['incident_id', 'position', 'id'], unique=False)
        batch_op.create_index('ix_step_owner_state', ['owner_id', 'state'], unique=False)
        batch_op.create_index('ix_step_state_due', ['state', 'due_at'], unique=False)

    op.create_table('announcement',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('slug', sa.String(length=40), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('notice_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('notice_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('languages', sa.JSON(), nullable=False),
    sa.Column('titles', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('starts_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('ends_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('published_by', sa.String(length=20), nullable=False),
    sa.Column('published_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('changed_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('taken_down_by', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_announcement_incident_id')),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_announcement_notice_id')),
    sa.ForeignKeyConstraint(['notice_version_id'], ['notice_version.id'], name=op.f('fk_announcement_notice_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_announcement')),
    sa.UniqueConstraint('notice_version_id', name=op.f('uq_announcement_notice_version_id')),
    sa.UniqueConstraint('slug', name=op.f('uq_announcement_slug'))
    )
    with op.batch_alter_table('announcement', schema=None) as batch_op:
        batch_op.create_index('ix_announcement_incident', ['incident_id', 'id'], unique=False)
        batch_op.create_index('ix_announcement_state_starts', ['state', 'starts_at', 'id'], unique=False)

    op.create_table('dispatch',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('notice_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('notice_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('notice_ref', sa.String(length=20), nullable=False),
    sa.Column('version_number', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('audience', sa.Integer(), nullable=False),
    sa.Column('audience_digest', sa.String(length=64), nullable=False),
    sa.Column('simulated', sa.Boolean(), nullable=False),
    sa.Column('channels', sa.JSON(), nullable=False),
    sa.Column('first_attempt', sa.Integer(), nullable=False),
    sa.Column('course', sa.String(length=10), nullable=False),
    sa.Column('paused_for', sa.String(length=24), nullable=False),
    sa.Column('prepared_to', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('prepared', sa.Boolean(), nullable=False),
    sa.Column('canary', sa.Integer(), nullable=False),
    sa.Column('most_back', sa.Integer(), nullable=False),
    sa.Column('sample', sa.Integer(), nullable=False),
    sa.Column('seen', sa.Integer(), nullable=False),
    sa.Column('seen_bad', sa.Integer(), nullable=False),
    sa.Column('waiting', sa.Integer(), nullable=False),
    sa.Column('sending', sa.Integer(), nullable=False),
    sa.Column('in_doubt', sa.Integer(), nullable=False),
    sa.Column('accepted', sa.Integer(), nullable=False),
    sa.Column('delivered', sa.Integer(), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.Column('bounced', sa.Integer(), nullable=False),
    sa.Column('cancelled', sa.Integer(), nullable=False),
    sa.Column('simulated_count', sa.Integer(), nullable=False),
    sa.Column('unreached', sa.Integer(), nullable=False),
    sa.Column('complained', sa.Integer(), nullable=False),
    sa.Column('rate', sa.Double(), nullable=False),
    sa.Column('holds', sa.JSON(), nullable=False),
    sa.Column('started_by', sa.String(length=20), nullable=False),
    sa.Column('started_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('changed_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('finished_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_dispatch_incident_id')),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_dispatch_notice_id')),
    sa.ForeignKeyConstraint(['notice_version_id'], ['notice_version.id'], name=op.f('fk_dispatch_notice_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispatch')),
    sa.UniqueConstraint('notice_version_id', 'simulated', name=op.f('uq_dispatch_notice_version_id_simulated')),
    sa.UniqueConstraint('ref', name=op.f('uq_dispatch_ref'))
    )
    with op.batch_alter_table('dispatch', schema=None) as batch_op:
        batch_op.create_index('ix_dispatch_course', ['course'], unique=False)
        batch_op.create_index('ix_dispatch_incident', ['incident_id', 'id'], unique=False)

    op.create_table('person_past',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('plain', sa.JSON(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('reason', sa.LargeBinary(), nullable=False),
    sa.Column('changed', sa.String(length=300), nullable=False),
    sa.Column('changed_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_person_past_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person_past')),
    sa.UniqueConstraint('person_id', 'version', name=op.f('uq_person_past_person_id_version'))
    )
    op.create_table('step_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('step_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('did', sa.String(length=12), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('evidence', sa.JSON(), nullable=False),
    sa.Column('handed_to', sa.String(length=20), nullable=False),
    sa.Column('done_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('done_by', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['step_id'], ['step.id'], name=op.f('fk_step_event_step_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_step_event'))
    )
    with op.batch_alter_table('step_event', schema=None) as batch_op:
        batch_op.create_index('ix_step_event_step', ['step_id', 'id'], unique=False)

    op.create_table('delivery',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=26), nullable=False),
    sa.Column('dispatch_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('notice_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_number', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('current', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('claim_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('due_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('provider', sa.String(length=20), nullable=False),
    sa.Column('provider_id', sa.String(length=100), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('may_pass', sa.Boolean(), nullable=False),
    sa.Column('complained', sa.Boolean(), nullable=False),
    sa.Column('owner', sa.String(length=20), nullable=False),
    sa.Column('settled_by', sa.String(length=20), nullable=False),
    sa.Column('made_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('called_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('answered_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('reported_at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('changed_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['dispatch_id'], ['dispatch.id'], name=op.f('fk_delivery_dispatch_id')),
    sa.ForeignKeyConstraint(['notice_version_id'], ['notice_version.id'], name=op.f('fk_delivery_notice_version_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_delivery_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('notice_version_id', 'person_id', 'channel', 'attempt', name=op.f('uq_delivery_notice_version_id_person_id_channel_attempt')),
    sa.UniqueConstraint('ref', name=op.f('uq_delivery_ref'))
    )
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.create_index('ix_delivery_care', ['dispatch_id', 'state', 'id'], unique=False, sqlite_where=sa.text("state IN ('in_doubt', 'failed', 'bounced', 'unreached', 'cancelled')"), postgresql_where=sa.text("state IN ('in_doubt', 'failed', 'bounced', 'unreached', 'cancelled')"))
        batch_op.create_index('ix_delivery_claim', ['claim_id'], unique=False, sqlite_where=sa.text("state = 'sending'"), postgresql_where=sa.text("state = 'sending'"))
        batch_op.create_index('ix_delivery_dispatch', ['dispatch_id', 'id'], unique=False)
        batch_op.create_index('ix_delivery_unowned', ['dispatch_id', 'state', 'owner'], unique=False, sqlite_where=sa.text("state IN ('in_doubt', 'failed', 'bounced', 'unreached', 'cancelled') AND owner = ''"), postgresql_where=sa.text("state IN ('in_doubt', 'failed', 'bounced', 'unreached', 'cancelled') AND owner = ''"))
        batch_op.create_index('ix_delivery_waiting', ['dispatch_id', 'channel', 'id'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    op.create_table('delivery_claim',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('dispatch_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('worker', sa.String(length=60), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('claimed_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('lease_until', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['dispatch_id'], ['dispatch.id'], name=op.f('fk_delivery_claim_dispatch_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_claim'))
    )
    with op.batch_alter_table('delivery_claim', schema=None) as batch_op:
        batch_op.create_index('ix_delivery_claim_open', ['lease_until'], unique=False, sqlite_where=sa.text("state IN ('claimed', 'calling')"), postgresql_where=sa.text("state IN ('claimed', 'calling')"))

    op.create_table('delivery_remark',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ref', sa.String(length=26), nullable=False),
    sa.Column('delivery_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('what', sa.String(length=12), nullable=False),
    sa.Column('by', sa.String(length=20), nullable=False),
    sa.Column('at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], name=op.f('fk_delivery_remark_delivery_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_remark')),
    sa.UniqueConstraint('ref', name=op.f('uq_delivery_remark_ref'))
    )
    with op.batch_alter_table('delivery_remark', schema=None) as batch_op:
        batch_op.create_index('ix_delivery_remark_delivery', ['delivery_id'], unique=False)

    op.create_table('provider_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('provider', sa.String(length=20), nullable=False),
    sa.Column('event_id', sa.String(length=100), nullable=False),
    sa.Column('delivery_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('ref', sa.String(length=64), nullable=False),
    sa.Column('provider_id', sa.String(length=100), nullable=False),
    sa.Column('status', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('at', incident.store.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('received_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], name=op.f('fk_provider_event_delivery_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_provider_event')),
    sa.UniqueConstraint('provider', 'event_id', name=op.f('uq_provider_event_provider_event_id'))
    )
    with op.batch_alter_table('provider_event', schema=None) as batch_op:
        batch_op.create_index('ix_provider_event_delivery', ['delivery_id'], unique=False)


    # rows that are only added: the database itself refuses the rest
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


def downgrade() -> None:
    with op.batch_alter_table('provider_event', schema=None) as batch_op:
        batch_op.drop_index('ix_provider_event_delivery')

    op.drop_table('provider_event')
    with op.batch_alter_table('delivery_remark', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_remark_delivery')

    op.drop_table('delivery_remark')
    with op.batch_alter_table('delivery_claim', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_claim_open', sqlite_where=sa.text("state IN ('claimed', 'calling')"), postgresql_where=sa.text("state IN ('claimed', 'calling')"))

    op.drop_table('delivery_claim')
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_waiting', sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
        batch_op.drop_index('ix_delivery_unowned', sqlite_where=sa.text("state IN ('in_doubt', 'failed', 'bounced', 'unreached', 'cancelled') AND owner = ''"), postgresql_where=sa.text("state IN ('in_doubt', 'failed', 'bounced', 'unreached', 'cancelled') AND owner = ''"))
        batch_op.drop_index('ix_delivery_dispatch')
        batch_op.drop_index('ix_delivery_claim', sqlite_where=sa.text("state = 'sending'"), postgresql_where=sa.text("state = 'sending'"))
        batch_op.drop_index('ix_delivery_care', sqlite_where=sa.text("state IN ('in_doubt', 'failed', 'bounced', 'unreached', 'cancelled')"), postgresql_where=sa.text("state IN ('in_doubt', 'failed', 'bounced', 'unreached', 'cancelled')"))

    op.drop_table('delivery')
    with op.batch_alter_table('step_event', schema=None) as batch_op:
        batch_op.drop_index('ix_step_event_step')

    op.drop_table('step_event')
    op.drop_table('person_past')
    with op.batch_alter_table('dispatch', schema=None) as batch_op:
        batch_op.drop_index('ix_dispatch_incident')
        batch_op.drop_index('ix_dispatch_course')

    op.drop_table('dispatch')
    with op.batch_alter_table('announcement', schema=None) as batch_op:
        batch_op.drop_index('ix_announcement_state_starts')
        batch_op.drop_index('ix_announcement_incident')

    op.drop_table('announcement')
    with op.batch_alter_table('step', schema=None) as batch_op:
        batch_op.drop_index('ix_step_state_due')
        batch_op.drop_index('ix_step_owner_state')
        batch_op.drop_index('ix_step_incident_position')

    op.drop_table('step')
    with op.batch_alter_table('report_receipt', schema=None) as batch_op:
        batch_op.drop_index('ix_report_receipt_report')

    op.drop_table('report_receipt')
    op.drop_table('report_file')
    op.drop_table('person_refusal')
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_index('ix_person_incident_number')
        batch_op.drop_index('ix_person_import_row')

    op.drop_table('person')
    op.drop_table('notice_version')
    op.drop_table('notice_text')
    with op.batch_alter_table('custody', schema=None) as batch_op:
        batch_op.drop_index('ix_custody_evidence')

    op.drop_table('custody')
    op.drop_table('wave')
    with op.batch_alter_table('sandbox_message', schema=None) as batch_op:
        batch_op.drop_index('ix_sandbox_message_incident')

    op.drop_table('sandbox_message')
    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.drop_index('ix_review_incident')

    op.drop_table('review')
    with op.batch_alter_table('report', schema=None) as batch_op:
        batch_op.drop_index('ix_report_incident')

    op.drop_table('report')
    op.drop_table('plan')
    op.drop_table('person_tally')
    with op.batch_alter_table('person_pair', schema=None) as batch_op:
        batch_op.drop_index('ix_person_pair_twin')
        batch_op.drop_index('ix_person_pair_state')

    op.drop_table('person_pair')
    op.drop_table('person_mark')
    with op.batch_alter_table('person_import', schema=None) as batch_op:
        batch_op.drop_index('ix_person_import_to_do', sqlite_where=sa.text("state IN ('waiting', 'running')"), postgresql_where=sa.text("state IN ('waiting', 'running')"))
        batch_op.drop_index('ix_person_import_incident')

    op.drop_table('person_import')
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_index('ix_notice_stage')
        batch_op.drop_index('ix_notice_incident')

    op.drop_table('notice')
    with op.batch_alter_table('note', schema=None) as batch_op:
        batch_op.drop_index('ix_note_incident')

    op.drop_table('note')
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_membership_user_id'))

    op.drop_table('membership')
    with op.batch_alter_table('grade', schema=None) as batch_op:
        batch_op.drop_index('ix_grade_incident_scale')

    op.drop_table('grade')
    with op.batch_alter_table('finding', schema=None) as batch_op:
        batch_op.drop_index('uq_finding_current', sqlite_where=sa.text('superseded_at IS NULL'), postgresql_where=sa.text('superseded_at IS NULL'))
        batch_op.drop_index('ix_finding_standing_due')
        batch_op.drop_index('ix_finding_incident')

    op.drop_table('finding')
    with op.batch_alter_table('fact', schema=None) as batch_op:
        batch_op.drop_index('ix_fact_incident_key')

    op.drop_table('fact')
    with op.batch_alter_table('evidence', schema=None) as batch_op:
        batch_op.drop_index('ix_evidence_incident')

    op.drop_table('evidence')
    with op.batch_alter_table('data_key', schema=None) as batch_op:
        batch_op.drop_index('ix_data_key_master')

    op.drop_table('data_key')
    with op.batch_alter_table('closing', schema=None) as batch_op:
        batch_op.drop_index('ix_closing_incident')

    op.drop_table('closing')
    with op.batch_alter_table('assessment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_assessment_library'))

    op.drop_table('assessment')
    with op.batch_alter_table('user_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_user_session_user_id'))

    op.drop_table('user_session')
    with op.batch_alter_table('incident', schema=None) as batch_op:
        batch_op.drop_index('ix_incident_state_id')
        batch_op.drop_index('ix_incident_kind_id')

    op.drop_table('incident')
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_api_token_user_id'))

    op.drop_table('api_token')
    op.drop_table('user_account')
    op.drop_table('throttle')
    op.drop_table('sending_switch')
    op.drop_table('lease')
    op.drop_table('invitation')
    op.drop_table('counter')
    op.drop_table('checkpoint')
    with op.batch_alter_table('audit_line', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_line_incident_seq')
        batch_op.drop_index('ix_audit_line_actor_seq')

    op.drop_table('audit_line')
    op.drop_table('audit_head')
    op.drop_table('abode')
