"""bound what a token of a program may do: read alone, one incident alone"""

import sqlalchemy as sa
from alembic import op
from incident.store.db import BigInt

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("api_token") as batch:
        batch.add_column(sa.Column("scope", sa.String(8), nullable=False, server_default="write"))
        batch.add_column(sa.Column("incident_id", BigInt, nullable=True))
        batch.create_foreign_key(op.f("fk_api_token_incident_id"), "incident", ["incident_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("api_token") as batch:
        batch.drop_constraint(op.f("fk_api_token_incident_id"), type_="foreignkey")
        batch.drop_column("incident_id")
        batch.drop_column("scope")
