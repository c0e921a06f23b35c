"""check notices before they go out, and keep with an approval how carefully that may be"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("state IN ('waiting', 'running')")


def upgrade() -> None:
    op.add_column("notice_version", sa.Column("pace", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("dispatch", sa.Column("most_complaints", sa.Integer(), server_default="3", nullable=False))
    op.add_column("dispatch", sa.Column("seen_complained", sa.Integer(), server_default="0", nullable=False))
    op.add_column("dispatch", sa.Column("rates", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("dispatch", sa.Column("at_any_hour", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "preflight",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column(
            "incident_id", BigInt, sa.ForeignKey("incident.id", name=op.f("fk_preflight_incident_id")), nullable=False
        ),
        sa.Column("notice_id", BigInt, sa.ForeignKey("notice.id", name=op.f("fk_preflight_notice_id")), nullable=False),
        sa.Column("bound", sa.String(64), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("people_digest", sa.String(64), nullable=False),
        sa.Column("corrected_to", BigInt, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(120), nullable=False),
        sa.Column("lease_until", UTCDateTime(timezone=True), nullable=True),
        sa.Column("asked_by", sa.String(20), nullable=False),
        sa.Column("asked_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preflight")),
        sa.UniqueConstraint("ref", name=op.f("uq_preflight_ref")),
    )
    op.create_index("ix_preflight_notice", "preflight", ["notice_id", "id"])
    op.create_index("ix_preflight_to_do", "preflight", ["state"], sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)
    op.create_table(
        "preflight_person",
        sa.Column(
            "preflight_id",
            BigInt,
            sa.ForeignKey("preflight.id", name=op.f("fk_preflight_person_preflight_id")),
            nullable=False,
        ),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("preflight_id", "what", "number", name=op.f("pk_preflight_person")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("preflight_person")
    op.drop_table("preflight")
    for column in ("at_any_hour", "rates", "seen_complained", "most_complaints"):
        op.drop_column("dispatch", column)
    op.drop_column("notice_version", "pace")
