"""bring the marks of a list into their index in their own order, after it was read"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person_import", sa.Column("step", sa.String(10), server_default="reading", nullable=False))
    op.add_column("person_import", sa.Column("compared", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE person_import SET step = 'settled' WHERE state IN ('done', 'failed', 'withdrawn')")
    op.create_table(
        "import_piece",
        sa.Column("id", BigInt, nullable=False),
        sa.Column(
            "import_id",
            BigInt,
            sa.ForeignKey("person_import.id", name=op.f("fk_import_piece_import_id")),
            nullable=False,
        ),
        sa.Column("kind", sa.String(5), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_piece")),
        sa.UniqueConstraint(
            "import_id", "kind", "part", "batch", name=op.f("uq_import_piece_import_id_kind_part_batch")
        ),
    )


def downgrade() -> None:
    op.drop_table("import_piece")
    op.drop_column("person_import", "compared")
    op.drop_column("person_import", "step")
