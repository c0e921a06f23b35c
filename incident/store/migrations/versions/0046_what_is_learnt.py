"""what is learnt: factors and meeting of a review, its time line, improvements, lessons; the report a vulnerability came by"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

SAYS = "improvement_event is append-only: rows are added, never changed or removed"
GUARDS = {
    "sqlite": (
        f"CREATE TRIGGER IF NOT EXISTS improvement_event_no_update BEFORE update ON improvement_event \n"
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
        f"CREATE TRIGGER IF NOT EXISTS improvement_event_no_delete BEFORE delete ON improvement_event \n"
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
        f"CREATE TRIGGER IF NOT EXISTS improvement_event_no_insert BEFORE insert ON improvement_event "
        f"WHEN EXISTS (SELECT 1 FROM improvement_event WHERE id = NEW.id)\nBEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE TRIGGER improvement_event_no_change BEFORE UPDATE OR DELETE ON improvement_event\n"
        "FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()",
        "CREATE OR REPLACE TRIGGER improvement_event_no_truncate BEFORE TRUNCATE ON improvement_event\n"
        "FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()",
    ),
}


def upgrade() -> None:
    op.add_column("review", sa.Column("factors", sa.JSON(), nullable=False, server_default="[]"))
    _review_tables()
    _improvement_tables()
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)
    _lesson_table()
    _source_table()


def _review_tables() -> None:
    op.create_table(
        "review_meeting",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("planned_at", UTCDateTime(), nullable=False),
        sa.Column("planned_by", sa.String(20), nullable=False),
        sa.Column("reminded_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_review_meeting_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_meeting")),
        sa.UniqueConstraint("ref", name=op.f("uq_review_meeting_ref")),
    )
    op.create_index("ix_review_meeting_incident", "review_meeting", ["incident_id", "id"])
    op.create_index("ix_review_meeting_at", "review_meeting", ["at"])
    op.create_table(
        "review_moment",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("line", BigInt, nullable=True),
        sa.Column("written_at", UTCDateTime(), nullable=False),
        sa.Column("written_by", sa.String(20), nullable=False),
        sa.Column("taken_out_at", UTCDateTime(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_review_moment_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_moment")),
        sa.UniqueConstraint("ref", name=op.f("uq_review_moment_ref")),
    )
    op.create_index("ix_review_moment_incident", "review_moment", ["incident_id", "at"])


def _improvement_tables() -> None:
    op.create_table(
        "improvement",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner_id", BigInt, nullable=True),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by", sa.String(20), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_improvement_incident_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name=op.f("fk_improvement_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_improvement")),
        sa.UniqueConstraint("ref", name=op.f("uq_improvement_ref")),
    )
    op.create_index("ix_improvement_incident", "improvement", ["incident_id", "id"])
    op.create_index("ix_improvement_state_due", "improvement", ["state", "due_at", "id"])
    op.create_index("ix_improvement_owner", "improvement", ["owner_id", "state", "due_at"])
    op.create_table(
        "improvement_event",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("improvement_id", BigInt, nullable=False),
        sa.Column("did", sa.String(12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("handed_to", sa.String(20), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("done_at", UTCDateTime(), nullable=False),
        sa.Column("done_by", sa.String(20), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["improvement_id"], ["improvement.id"], name=op.f("fk_improvement_event_improvement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_improvement_event")),
    )
    op.create_index("ix_improvement_event_improvement", "improvement_event", ["improvement_id", "id"])


def _lesson_table() -> None:
    op.create_table(
        "lesson",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("incident_id", BigInt, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("target", sa.String(120), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("base", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("owner_id", BigInt, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_at", UTCDateTime(), nullable=False),
        sa.Column("proposed_by", sa.String(20), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(20), nullable=False),
        sa.Column("adopted_at", UTCDateTime(), nullable=True),
        sa.Column("adopted_by", sa.String(20), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_lesson_incident_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name=op.f("fk_lesson_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson")),
        sa.UniqueConstraint("ref", name=op.f("uq_lesson_ref")),
    )
    op.create_index("ix_lesson_incident", "lesson", ["incident_id", "id"])
    op.create_index("ix_lesson_state", "lesson", ["state", "id"])


def _source_table() -> None:
    op.create_table(
        "vulnerability_tip",
        sa.Column("vulnerability_id", BigInt, nullable=False),
        sa.Column("tip_id", BigInt, nullable=False),
        sa.Column("linked_at", UTCDateTime(), nullable=False),
        sa.Column("linked_by", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(
            ["vulnerability_id"], ["vulnerability.id"], name=op.f("fk_vulnerability_tip_vulnerability_id")
        ),
        sa.ForeignKeyConstraint(["tip_id"], ["tip.id"], name=op.f("fk_vulnerability_tip_tip_id")),
        sa.PrimaryKeyConstraint("vulnerability_id", "tip_id", name=op.f("pk_vulnerability_tip")),
    )
    op.create_index("ix_vulnerability_tip_tip", "vulnerability_tip", ["tip_id"])


def downgrade() -> None:
    for name in ("vulnerability_tip", "lesson", "improvement_event", "improvement", "review_moment", "review_meeting"):
        op.drop_table(name)
    op.drop_column("review", "factors")
