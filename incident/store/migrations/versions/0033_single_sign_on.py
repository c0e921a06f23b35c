"""keep who is bound to the single sign-on, and whether it is shut"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt, UTCDateTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

SAYS = "sign_on_switch is append-only: rows are added, never changed or removed"
GUARDS = {
    "sqlite": (
        f"CREATE TRIGGER IF NOT EXISTS sign_on_switch_no_update BEFORE update ON sign_on_switch \n"
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
        f"CREATE TRIGGER IF NOT EXISTS sign_on_switch_no_delete BEFORE delete ON sign_on_switch \n"
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
        f"CREATE TRIGGER IF NOT EXISTS sign_on_switch_no_insert BEFORE insert ON sign_on_switch "
        f"WHEN EXISTS (SELECT 1 FROM sign_on_switch WHERE id = NEW.id)\nBEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE TRIGGER sign_on_switch_no_change BEFORE UPDATE OR DELETE ON sign_on_switch\n"
        "FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()",
        "CREATE OR REPLACE TRIGGER sign_on_switch_no_truncate BEFORE TRUNCATE ON sign_on_switch\n"
        "FOR EACH STATEMENT EXECUTE FUNCTION tocsin_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "sign_on_identity",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("ref", sa.String(16), nullable=False),
        sa.Column(
            "user_id",
            BigInt,
            sa.ForeignKey("user_account.id", name=op.f("fk_sign_on_identity_user_id")),
            nullable=False,
        ),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("bound_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("last_nonce", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_on_identity")),
        sa.UniqueConstraint("ref", name=op.f("uq_sign_on_identity_ref")),
        sa.UniqueConstraint("key", name=op.f("uq_sign_on_identity_key")),
        sa.UniqueConstraint("user_id", name=op.f("uq_sign_on_identity_user_id")),
    )
    op.create_table(
        "sign_on_switch",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("shut", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_on_switch")),
    )
    with op.batch_alter_table("user_session") as batch:
        batch.add_column(sa.Column("asserted", sa.String(64), nullable=False, server_default=""))
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("user_session") as batch:
        batch.drop_column("asserted")
    op.drop_table("sign_on_switch")
    op.drop_table("sign_on_identity")
