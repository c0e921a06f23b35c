"""say what a note is for, so that the last handover is found; know when somebody last looked at an incident"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("note", sa.Column("purpose", sa.String(10), nullable=False, server_default=""))
    op.create_index(op.f("ix_note_purpose"), "note", ["purpose", "incident_id", "id"])
    op.create_table(
        "glance",
        sa.Column(
            "user_id", BigInt, sa.ForeignKey("user_account.id", name=op.f("fk_glance_user_id")), primary_key=True
        ),
        sa.Column(
            "incident_id", BigInt, sa.ForeignKey("incident.id", name=op.f("fk_glance_incident_id")), primary_key=True
        ),
        sa.Column("seen_at", UTCDateTime, nullable=False),
        sa.Column("since", UTCDateTime, nullable=True),
        sa.PrimaryKeyConstraint("user_id", "incident_id", name=op.f("pk_glance")),
    )
    op.create_index(op.f("ix_glance_incident_id"), "glance", ["incident_id"])


def downgrade() -> None:
    op.drop_table("glance")
    op.drop_index(op.f("ix_note_purpose"), table_name="note")
    op.drop_column("note", "purpose")
