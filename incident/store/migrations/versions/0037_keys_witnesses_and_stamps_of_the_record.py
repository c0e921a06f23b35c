"""keep the record's public keys, what witnesses signed on checkpoints, and time stamps"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

TABLES = {"record_key": "number", "cosignature": "id", "time_stamp": "id"}
"""Each with the column that numbers its rows: they are added, never changed or removed."""


def upgrade() -> None:
    op.create_table(
        "record_key",
        sa.Column("number", BigInt, autoincrement=False, nullable=False),
        sa.Column("public", sa.String(64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.String(40), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_record_key")),
        sa.UniqueConstraint("public", name=op.f("uq_record_key_public")),
    )
    op.create_table(
        "cosignature",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("size", BigInt, sa.ForeignKey("checkpoint.size", name=op.f("fk_cosignature_size")), nullable=False),
        sa.Column("witness", sa.String(100), nullable=False),
        sa.Column("public", sa.String(64), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cosignature")),
        sa.UniqueConstraint("size", "public", name=op.f("uq_cosignature_size_public")),
    )
    op.create_table(
        "time_stamp",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("size", BigInt, sa.ForeignKey("checkpoint.size", name=op.f("fk_time_stamp_size")), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("authority", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("stamped_at", sa.String(27), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_stamp")),
    )
    op.create_index("ix_time_stamp_size", "time_stamp", ["size", "id"])
    for table, number in TABLES.items():
        for statement in guards(op.get_bind().dialect.name, table, number):
            op.execute(statement)


def guards(dialect: str, table: str, number: str) -> Iterator[str]:
    says = f"{table} is append-only: rows are added, never changed or removed"
    if dialect == "sqlite":
        taken = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {number} = NEW.{number})"
        for name, when in (("update", ""), ("delete", ""), ("insert", taken)):
            yield (
                f"CREATE TRIGGER IF NOT EXISTS {table}_no_{name} BEFORE {name} ON {table} {when}\n"
                f"BEGIN SELECT RAISE(ABORT, '{says}'); END"
            )
        return
    for name, what, each in (("no_change", "UPDATE OR DELETE", "ROW"), ("no_truncate", "TRUNCATE", "STATEMENT")):
        yield (
            f"CREATE OR REPLACE TRIGGER {table}_{name} BEFORE {what} ON {table}\n"
            f"FOR EACH {each} EXECUTE FUNCTION tocsin_append_only()"
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
