"""look at public pages, keep newsrooms, and what was decided about telling the public"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt, UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

LOOKS = sa.text("look_at IS NOT NULL")
OPEN = sa.text("state IN ('waiting', 'claimed', 'calling')")
MARK_DRILLS = """UPDATE announcement SET simulated = true
WHERE EXISTS (SELECT 1 FROM incident WHERE incident.id = announcement.incident_id AND incident.kind = 'drill')"""
LOOK_AT_WHAT_STANDS = """UPDATE announcement SET look_at = starts_at
WHERE state = 'published' AND simulated = false"""


def guards(table: str) -> dict[str, tuple[str, ...]]:
    """The triggers by which both databases refuse to change or remove a row of this table."""
    refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: rows are added, never changed or removed'); END"
    again = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608  (names of ours)
    return {
        "postgresql": (
            f"CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}\n"
            "FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()",
            f"CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}\n"
            "FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()",
        ),
        "sqlite": (
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE update ON {table} \n{refusal}",
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE delete ON {table} \n{refusal}",
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_insert BEFORE insert ON {table} {again}\n{refusal}",
        ),
    }


def upgrade() -> None:
    op.add_column("announcement", sa.Column("simulated", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("announcement", sa.Column("look_at", UTCDateTime(timezone=True), nullable=True))
    op.create_index("ix_announcement_look", "announcement", ["look_at"], sqlite_where=LOOKS, postgresql_where=LOOKS)
    op.execute(MARK_DRILLS)
    op.execute(LOOK_AT_WHAT_STANDS)
    _postings()
    _public_tasks()
    _outlets()
    for table in ("posting_check", "public_decision"):
        for statement in guards(table)[op.get_bind().dialect.name]:
            op.execute(statement)


def _postings() -> None:
    op.create_table(
        "posting_check",
        sa.Column("id", BigInt, nullable=False),
        _to("announcement", "posting_check"),
        sa.Column("look", sa.String(6), nullable=False),
        sa.Column("at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("sight", sa.String(12), nullable=False),
        sa.Column("outside", sa.Boolean(), nullable=False),
        sa.Column("pages", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting_check")),
    )
    op.create_index("ix_posting_check_announcement", "posting_check", ["announcement_id", "id"])


def _public_tasks() -> None:
    op.create_table(
        "public_decision",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        _to("incident", "public_decision"),
        sa.Column("duty", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("decision", sa.String(10), nullable=False),
        _to("notice", "public_decision", nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(20), nullable=False),
        sa.Column("at", UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_decision")),
        sa.UniqueConstraint("ref", name=op.f("uq_public_decision_ref")),
    )
    op.create_index("ix_public_decision_incident", "public_decision", ["incident_id", "id"])
    op.create_index("ix_public_decision_notice", "public_decision", ["notice_id"])


def _outlets() -> None:
    op.create_table(
        "media_outlet",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(20), nullable=False),
        sa.Column("made_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("changed_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_outlet")),
        sa.UniqueConstraint("ref", name=op.f("uq_media_outlet_ref")),
    )
    op.create_table(
        "media_copy",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(26), nullable=False),
        _to("incident", "media_copy"),
        _to("notice_version", "media_copy"),
        _to("media_outlet", "media_copy", name="outlet_id"),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("provider_id", sa.String(100), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", UTCDateTime(timezone=True), nullable=True),
        sa.Column("next_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(20), nullable=False),
        sa.Column("asked_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("changed_at", UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_copy")),
        sa.UniqueConstraint("ref", name=op.f("uq_media_copy_ref")),
        sa.UniqueConstraint(
            "notice_version_id", "outlet_id", "attempt", name=op.f("uq_media_copy_notice_version_id_outlet_id_attempt")
        ),
    )
    op.create_index("ix_media_copy_incident", "media_copy", ["incident_id", "id"])
    op.create_index("ix_media_copy_open", "media_copy", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)


def _to(table: str, holder: str, *, name: str = "", nullable: bool = False) -> sa.Column[int]:
    """A column that holds the number of a row of `table`."""
    column = name or f"{table}_id"
    key = sa.ForeignKey(f"{table}.id", name=op.f(f"fk_{holder}_{column}"))
    return sa.Column(column, BigInt, key, nullable=nullable)


def downgrade() -> None:
    for table in ("media_copy", "media_outlet", "public_decision", "posting_check"):
        op.drop_table(table)
    op.drop_index("ix_announcement_look", "announcement")
    op.drop_column("announcement", "look_at")
    op.drop_column("announcement", "simulated")
