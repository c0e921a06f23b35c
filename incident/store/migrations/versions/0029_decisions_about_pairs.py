"""carry out in the background what was decided about all possible duplicates"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt, UTCDateTime

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pair_sweep",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("what", sa.String(10), nullable=False),
        sa.Column("whole", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(20), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_pair_sweep_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pair_sweep")),
        sa.UniqueConstraint("ref", name=op.f("uq_pair_sweep_ref")),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_pair_sweep_open",
        "pair_sweep",
        ["incident_id", "what"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def downgrade() -> None:
    op.drop_table("pair_sweep")
