"""offer remedies to people, and give each person one code of them"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

IS_FREE = sa.text("person IS NULL")


def upgrade() -> None:
    op.create_table(
        "remedy",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(120), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("coded", sa.Boolean(), nullable=False),
        sa.Column("how", sa.JSON(), nullable=False),
        sa.Column("codes", sa.Integer(), nullable=False),
        sa.Column("given", sa.Integer(), nullable=False),
        sa.Column("redeemed", sa.Integer(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by", sa.String(20), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_remedy_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remedy")),
        sa.UniqueConstraint("ref", name=op.f("uq_remedy_ref")),
        sa.UniqueConstraint("incident_id", "number", name=op.f("uq_remedy_incident_id_number")),
    )
    op.create_index("ix_remedy_until", "remedy", ["until"])
    op.create_table(
        "remedy_code",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("remedy_id", BigInt, nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("mark", sa.LargeBinary(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=True),
        sa.Column("given_at", UTCDateTime(), nullable=True),
        sa.Column("redeemed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["remedy_id"], ["remedy.id"], name=op.f("fk_remedy_code_remedy_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_remedy_code_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remedy_code")),
        sa.UniqueConstraint("incident_id", "mark", name=op.f("uq_remedy_code_incident_id_mark")),
        sa.UniqueConstraint("remedy_id", "serial", name=op.f("uq_remedy_code_remedy_id_serial")),
        sa.UniqueConstraint("remedy_id", "person", name=op.f("uq_remedy_code_remedy_id_person")),
    )
    op.create_index(
        "ix_remedy_code_free", "remedy_code", ["remedy_id", "serial"], sqlite_where=IS_FREE, postgresql_where=IS_FREE
    )
    op.create_index("ix_remedy_code_person", "remedy_code", ["incident_id", "person"])


def downgrade() -> None:
    op.drop_table("remedy_code")
    op.drop_table("remedy")
