"""mark what is privileged"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

SAYS = "privilege_mark is append-only: rows are added, never changed or removed"
GUARDS = {
    "sqlite": (
        f"CREATE TRIGGER IF NOT EXISTS privilege_mark_no_update BEFORE update ON privilege_mark \n"
        f"BEGIN SELECT RAISE(ABORT, \x27{SAYS}\x27); END",
        f"CREATE TRIGGER IF NOT EXISTS privilege_mark_no_delete BEFORE delete ON privilege_mark \n"
        f"BEGIN SELECT RAISE(ABORT, \x27{SAYS}\x27); END",
        f"CREATE TRIGGER IF NOT EXISTS privilege_mark_no_insert BEFORE insert ON privilege_mark "
        f"WHEN EXISTS (SELECT 1 FROM privilege_mark WHERE id = NEW.id)\nBEGIN SELECT RAISE(ABORT, \x27{SAYS}\x27); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE TRIGGER privilege_mark_no_change BEFORE UPDATE OR DELETE ON privilege_mark\n"
        "FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()",
        "CREATE OR REPLACE TRIGGER privilege_mark_no_truncate BEFORE TRUNCATE ON privilege_mark\n"
        "FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "privilege_mark",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(16), nullable=False),
        sa.Column(
            "incident_id",
            BigInt,
            sa.ForeignKey("incident.id", name=op.f("fk_privilege_mark_incident_id")),
            nullable=False,
        ),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("item", sa.String(60), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("basis", sa.String(20), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privilege_mark")),
        sa.UniqueConstraint("ref", name=op.f("uq_privilege_mark_ref")),
    )
    op.create_index("ix_privilege_mark_item", "privilege_mark", ["incident_id", "kind", "item", "id"])
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("privilege_mark")
