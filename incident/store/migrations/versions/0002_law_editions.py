"""keep every edition of the laws, and what newer laws would change"""

import sqlalchemy as sa
from alembic import op

import incident.store.db

revision = '0002'
down_revision = '0001'
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
                'CREATE OR REPLACE TRIGGER law_edition_no_change BEFORE UPDATE OR DELETE ON law_edition\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER law_edition_no_truncate BEFORE TRUNCATE ON law_edition\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER law_text_no_change BEFORE UPDATE OR DELETE ON law_text\n'
                'FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()',
                'CREATE OR REPLACE TRIGGER law_text_no_truncate BEFORE TRUNCATE ON law_text\n'
                'FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()'),
 'sqlite': ('CREATE TRIGGER IF NOT EXISTS law_edition_no_update BEFORE update ON law_edition \n'
            "BEGIN SELECT RAISE(ABORT, 'law_edition is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS law_edition_no_delete BEFORE delete ON law_edition \n'
            "BEGIN SELECT RAISE(ABORT, 'law_edition is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS law_edition_no_insert BEFORE insert ON law_edition WHEN EXISTS (SELECT 1 '
            'FROM law_edition WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'law_edition is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS law_text_no_update BEFORE update ON law_text \n'
            "BEGIN SELECT RAISE(ABORT, 'law_text is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS law_text_no_delete BEFORE delete ON law_text \n'
            "BEGIN SELECT RAISE(ABORT, 'law_text is append-only: rows are added, never changed or removed'); END",
            'CREATE TRIGGER IF NOT EXISTS law_text_no_insert BEFORE insert ON law_text WHEN EXISTS (SELECT 1 FROM '
            'law_text WHERE id = NEW.id)\n'
            "BEGIN SELECT RAISE(ABORT, 'law_text is append-only: rows are added, never changed or removed'); END")}


def upgrade() -> None:
    op.create_table('law_text',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('path', sa.String(length=200), nullable=False),
    sa.Column('packed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_law_text')),
    sa.UniqueConstraint('digest', name=op.f('uq_law_text_digest'))
    )
    op.create_table('law_edition',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('version', sa.String(length=40), nullable=False),
    sa.Column('origin', sa.String(length=10), nullable=False),
    sa.Column('manifest', sa.Text(), nullable=False),
    sa.Column('first_used_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_law_edition')),
    sa.UniqueConstraint('digest', name=op.f('uq_law_edition_digest'))
    )
    op.create_table('law_update',
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('library', sa.String(length=64), nullable=False),
    sa.Column('was', sa.String(length=64), nullable=False),
    sa.Column('assessed_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.Column('compared_at', incident.store.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_law_update_incident_id')),
    sa.PrimaryKeyConstraint('incident_id', name=op.f('pk_law_update'))
    )
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


def downgrade() -> None:
    op.drop_table('law_update')
    op.drop_table('law_edition')
    op.drop_table('law_text')
