"""keep what somebody outside tells us, what was said since by both sides, and how far the mailbox was read"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

SAYS = "tip_message is append-only: rows are added, never changed or removed"
GUARDS = {
    "sqlite": (
        f"CREATE TRIGGER IF NOT EXISTS tip_message_no_update BEFORE update ON tip_message \n"
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
        f"CREATE TRIGGER IF NOT EXISTS tip_message_no_delete BEFORE delete ON tip_message \n"
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
        f"CREATE TRIGGER IF NOT EXISTS tip_message_no_insert BEFORE insert ON tip_message "
        f"WHEN EXISTS (SELECT 1 FROM tip_message WHERE id = NEW.id)\nBEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE TRIGGER tip_message_no_change BEFORE UPDATE OR DELETE ON tip_message\n"
        "FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()",
        "CREATE OR REPLACE TRIGGER tip_message_no_truncate BEFORE TRUNCATE ON tip_message\n"
        "FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "tip",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("settled_at", UTCDateTime(), nullable=True),
        sa.Column("taken_by", sa.String(20), nullable=False),
        sa.Column("incident_id", BigInt, sa.ForeignKey("incident.id", name=op.f("fk_tip_incident_id")), nullable=True),
        sa.Column("original_id", BigInt, sa.ForeignKey("tip.id", name=op.f("fk_tip_original_id")), nullable=True),
        sa.Column("code_mark", sa.LargeBinary(), nullable=True),
        sa.Column("ticket_mark", sa.LargeBinary(), nullable=True),
        sa.Column("place_mark", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tip")),
        sa.UniqueConstraint("ref", name=op.f("uq_tip_ref")),
        sa.UniqueConstraint("code_mark", name=op.f("uq_tip_code_mark")),
        sa.UniqueConstraint("ticket_mark", name=op.f("uq_tip_ticket_mark")),
    )
    op.create_index("ix_tip_state", "tip", ["state", "id"])
    op.create_index("ix_tip_incident", "tip", ["incident_id", "id"])
    op.create_index("ix_tip_original", "tip", ["original_id"])
    op.create_index("ix_tip_place_mark", "tip", ["place_mark"])
    op.create_table(
        "tip_message",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("tip_id", BigInt, sa.ForeignKey("tip.id", name=op.f("fk_tip_message_tip_id")), nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("written_by", sa.String(20), nullable=False),
        sa.Column("written_at", UTCDateTime(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tip_message")),
        sa.UniqueConstraint("ref", name=op.f("uq_tip_message_ref")),
        sa.UniqueConstraint("mark", name=op.f("uq_tip_message_mark")),
    )
    op.create_index("ix_tip_message_tip_id", "tip_message", ["tip_id"])
    op.create_table(
        "tip_file",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("tip_id", BigInt, sa.ForeignKey("tip.id", name=op.f("fk_tip_file_tip_id")), nullable=False),
        sa.Column("ref", sa.String(20), nullable=False),
        sa.Column("size", BigInt, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("stored_as", sa.String(60), nullable=False),
        sa.Column("added_at", UTCDateTime(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tip_file")),
        sa.UniqueConstraint("ref", name=op.f("uq_tip_file_ref")),
    )
    op.create_index("ix_tip_file_tip_id", "tip_file", ["tip_id"])
    op.create_table(
        "tip_mail",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(26), nullable=False),
        sa.Column("tip_id", BigInt, sa.ForeignKey("tip.id", name=op.f("fk_tip_mail_tip_id")), nullable=False),
        sa.Column(
            "message_id", BigInt, sa.ForeignKey("tip_message.id", name=op.f("fk_tip_mail_message_id")), nullable=False
        ),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("provider_id", sa.String(100), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("next_at", UTCDateTime(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tip_mail")),
        sa.UniqueConstraint("ref", name=op.f("uq_tip_mail_ref")),
    )
    op.create_index("ix_tip_mail_tip_id", "tip_mail", ["tip_id"])
    open_ = sa.text("state IN ('waiting', 'claimed', 'calling')")
    op.create_index("ix_tip_mail_open", "tip_mail", ["id"], sqlite_where=open_, postgresql_where=open_)
    op.create_table(
        "tip_mailbox",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("validity", BigInt, nullable=False),
        sa.Column("last_uid", BigInt, nullable=False),
        sa.Column("read_at", UTCDateTime(), nullable=True),
        sa.Column("failed_at", UTCDateTime(), nullable=True),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tip_mailbox")),
    )
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for table in ("tip_mailbox", "tip_mail", "tip_file", "tip_message", "tip"):
        op.drop_table(table)
