"""keep a register of vulnerabilities, and the incidents each has to do with"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vulnerability",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("product", sa.String(200), nullable=False),
        sa.Column("cve", sa.String(30), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("exploited", sa.String(8), nullable=False),
        sa.Column("vector3", sa.String(300), nullable=False),
        sa.Column("score3", sa.Float(), nullable=True),
        sa.Column("vector4", sa.String(300), nullable=False),
        sa.Column("score4", sa.Float(), nullable=True),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("reported_at", UTCDateTime(), nullable=False),
        sa.Column("exploited_known_at", UTCDateTime(), nullable=True),
        sa.Column("fix_available_at", UTCDateTime(), nullable=True),
        sa.Column("disclosed_at", UTCDateTime(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by", sa.String(20), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vulnerability")),
        sa.UniqueConstraint("ref", name=op.f("uq_vulnerability_ref")),
    )
    op.create_index("ix_vulnerability_state", "vulnerability", ["state", "id"])
    op.create_table(
        "vulnerability_link",
        sa.Column("vulnerability_id", BigInt, nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("linked_at", UTCDateTime(), nullable=False),
        sa.Column("linked_by", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(
            ["vulnerability_id"], ["vulnerability.id"], name=op.f("fk_vulnerability_link_vulnerability_id")
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_vulnerability_link_incident_id")),
        sa.PrimaryKeyConstraint("vulnerability_id", "incident_id", name=op.f("pk_vulnerability_link")),
    )
    op.create_index("ix_vulnerability_link_incident", "vulnerability_link", ["incident_id"])


def downgrade() -> None:
    op.drop_table("vulnerability_link")
    op.drop_table("vulnerability")
