"""keep what people ask about an incident, and what was answered"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt, UTCDateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'open'")
GOING = sa.text("state IN ('waiting', 'claimed', 'calling')")


def upgrade() -> None:
    op.create_table(
        "enquiry",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(16), nullable=False),
        sa.Column(
            "incident_id", BigInt, sa.ForeignKey("incident.id", name=op.f("fk_enquiry_incident_id")), nullable=False
        ),
        sa.Column("notice_id", BigInt, sa.ForeignKey("notice.id", name=op.f("fk_enquiry_notice_id")), nullable=True),
        sa.Column("delivery_ref", sa.String(26), nullable=False),
        sa.Column("person_number", sa.Integer(), nullable=True),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("wanted_right", sa.String(12), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("place", sa.String(6), nullable=False),
        sa.Column("owner", sa.String(20), nullable=False),
        sa.Column("merged_into", sa.String(16), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("nonce", sa.String(26), nullable=True),
        sa.Column("proof_key", sa.String(64), nullable=False),
        sa.Column("proof_until", UTCDateTime(), nullable=True),
        sa.Column("proof_tries", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enquiry")),
        sa.UniqueConstraint("ref", name=op.f("uq_enquiry_ref")),
        sa.UniqueConstraint("nonce", name=op.f("uq_enquiry_nonce")),
    )
    op.create_index("ix_enquiry_incident", "enquiry", ["incident_id", "id"])
    op.create_index("ix_enquiry_person", "enquiry", ["incident_id", "person_number"])
    op.create_index(
        "ix_enquiry_open", "enquiry", ["incident_id", "due_at", "id"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "enquiry_message",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(26), nullable=False),
        sa.Column(
            "enquiry_id",
            BigInt,
            sa.ForeignKey("enquiry.id", name=op.f("fk_enquiry_message_enquiry_id")),
            nullable=False,
        ),
        sa.Column(
            "incident_id",
            BigInt,
            sa.ForeignKey("incident.id", name=op.f("fk_enquiry_message_incident_id")),
            nullable=False,
        ),
        sa.Column("direction", sa.String(4), nullable=False),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("written_by", sa.String(20), nullable=False),
        sa.Column("written_at", UTCDateTime(), nullable=False),
        sa.Column("mail_key", sa.String(64), nullable=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("provider_id", sa.String(100), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enquiry_message")),
        sa.UniqueConstraint("ref", name=op.f("uq_enquiry_message_ref")),
        sa.UniqueConstraint("mail_key", name=op.f("uq_enquiry_message_mail_key")),
    )
    op.create_index("ix_enquiry_message_enquiry", "enquiry_message", ["enquiry_id", "id"])
    op.create_index(
        "ix_enquiry_message_going", "enquiry_message", ["state", "next_at"], sqlite_where=GOING, postgresql_where=GOING
    )


def downgrade() -> None:
    op.drop_table("enquiry_message")
    op.drop_table("enquiry")
