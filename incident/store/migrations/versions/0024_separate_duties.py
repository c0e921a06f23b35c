"""keep what is set about who may do what, requests for roles, openings in an emergency, and who sees an incident until when"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

SAYS = "policy_in_force is append-only: rows are added, never changed or removed"
GUARDS = {
    "sqlite": (
        f"CREATE TRIGGER IF NOT EXISTS policy_in_force_no_update BEFORE update ON policy_in_force \n"
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
        f"CREATE TRIGGER IF NOT EXISTS policy_in_force_no_delete BEFORE delete ON policy_in_force \n"
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
        f"CREATE TRIGGER IF NOT EXISTS policy_in_force_no_insert BEFORE insert ON policy_in_force "
        f"WHEN EXISTS (SELECT 1 FROM policy_in_force WHERE id = NEW.id)\nBEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE TRIGGER policy_in_force_no_change BEFORE UPDATE OR DELETE ON policy_in_force\n"
        "FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()",
        "CREATE OR REPLACE TRIGGER policy_in_force_no_truncate BEFORE TRUNCATE ON policy_in_force\n"
        "FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "policy_in_force",
        sa.Column("id", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_in_force")),
        sa.Column("chosen", sa.JSON(), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
    )
    op.create_table(
        "role_request",
        sa.Column("id", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_request")),
        sa.Column("ref", sa.String(16), nullable=False),
        sa.Column(
            "user_id", BigInt, sa.ForeignKey("user_account.id", name=op.f("fk_role_request_user_id")), nullable=False
        ),
        sa.Column("held", sa.JSON(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("why", sa.String(12), nullable=False),
        sa.Column("asked_by", sa.String(16), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("decided_by", sa.String(16), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.UniqueConstraint("ref", name=op.f("uq_role_request_ref")),
    )
    op.create_index("ix_role_request_user", "role_request", ["user_id", "state"])
    op.create_table(
        "emergency",
        sa.Column("id", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency")),
        sa.Column("ref", sa.String(16), nullable=False),
        sa.Column(
            "incident_id", BigInt, sa.ForeignKey("incident.id", name=op.f("fk_emergency_incident_id")), nullable=False
        ),
        sa.Column(
            "user_id", BigInt, sa.ForeignKey("user_account.id", name=op.f("fk_emergency_user_id")), nullable=False
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("reviewed_at", UTCDateTime(), nullable=True),
        sa.Column("reviewed_by", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("reminded_at", UTCDateTime(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.UniqueConstraint("ref", name=op.f("uq_emergency_ref")),
    )
    op.create_index("ix_emergency_incident", "emergency", ["incident_id", "id"])
    op.create_table(
        "team_mail",
        sa.Column("id", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_mail")),
        sa.Column("ref", sa.String(26), nullable=False),
        sa.Column(
            "user_id", BigInt, sa.ForeignKey("user_account.id", name=op.f("fk_team_mail_user_id")), nullable=False
        ),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.UniqueConstraint("ref", name=op.f("uq_team_mail_ref")),
    )
    op.create_index("ix_team_mail_state", "team_mail", ["state", "next_at"])
    with op.batch_alter_table("membership") as batch:
        batch.add_column(sa.Column("until", UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("parts", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("capacity", sa.String(20), nullable=False, server_default=""))
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("membership") as batch:
        batch.drop_column("capacity")
        batch.drop_column("parts")
        batch.drop_column("until")
    for table in ("team_mail", "emergency", "role_request", "policy_in_force"):
        op.drop_table(table)
