"""keep the words of an incident sealed; ask for erasures, keep their certificates, holds, and rules of retention"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

SEALED = (
    "fact", "note", "evidence", "custody", "closing", "review", "grade", "step_event", "report", "report_file",
    "public_decision",
)  # fmt: skip
STAYS = {
    "sqlite": tuple(
        f"CREATE TRIGGER IF NOT EXISTS erasure_stays_on_{name} BEFORE {name} ON erasure WHEN OLD.state <> 'asked'\n"
        "BEGIN SELECT RAISE(ABORT, 'erasure is settled: it stays as it is'); END"
        for name in ("update", "delete")
    ),
    "postgresql": (
        "CREATE OR REPLACE TRIGGER erasure_stays BEFORE UPDATE OR DELETE ON erasure\n"
        "FOR EACH ROW WHEN (OLD.state <> 'asked') EXECUTE FUNCTION tocsin_append_only()",
        "CREATE OR REPLACE TRIGGER erasure_no_truncate BEFORE TRUNCATE ON erasure\n"
        "FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()",
    ),
}


def upgrade() -> None:
    for table in SEALED:
        op.add_column(table, sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.create_table(
        "erasure",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column(
            "incident_id", BigInt, sa.ForeignKey("incident.id", name=op.f("fk_erasure_incident_id")), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(20), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("asked_by", sa.String(20), nullable=False),
        sa.Column("asked_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(20), nullable=True),
        sa.Column("decided_at", UTCDateTime(timezone=True), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("ref", name=op.f("uq_erasure_ref")),
    )
    op.create_index("ix_erasure_incident", "erasure", ["incident_id", "id"])
    op.create_index("ix_erasure_state", "erasure", ["state", "id"])
    for statement in STAYS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_table(
        "legal_hold",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column(
            "incident_id", BigInt, sa.ForeignKey("incident.id", name=op.f("fk_legal_hold_incident_id")), nullable=False
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lifted_why", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(20), nullable=False),
        sa.Column("placed_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.String(20), nullable=True),
        sa.Column("lifted_at", UTCDateTime(timezone=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
        sa.UniqueConstraint("ref", name=op.f("uq_legal_hold_ref")),
    )
    op.create_index("ix_legal_hold_incident", "legal_hold", ["incident_id", "id"])
    op.create_table(
        "retention_rule",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("changed_by", sa.String(20), nullable=False),
        sa.Column("changed_at", UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_retention_rule")),
    )


def downgrade() -> None:
    op.drop_table("retention_rule")
    op.drop_table("legal_hold")
    op.drop_table("erasure")
    for table in SEALED:
        op.drop_column(table, "sealed")
