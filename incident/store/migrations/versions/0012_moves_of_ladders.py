"""keep who came from which channel, and sift those who need a person without a look at their rows"""

import sqlalchemy as sa
from alembic import op

from incident.store.db import BigInt

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CARE = "state = 'in_doubt' OR state = 'failed' OR state = 'bounced' OR state = 'unreached' OR state = 'cancelled'"
SIFTED = ["channel", "language", "reason", "owner", "current"]
CAME = """UPDATE delivery SET came_from = way.before FROM
(SELECT id, lag(channel) OVER (PARTITION BY dispatch_id, person_id ORDER BY id) AS before FROM delivery) AS way
WHERE way.id = delivery.id AND way.before <> delivery.channel"""
WENT = """INSERT INTO dispatch_move (dispatch_id, origin, target, n)
SELECT dispatch_id, came_from, channel, count(*) FROM delivery WHERE came_from <> ''
GROUP BY dispatch_id, came_from, channel"""
BACK = """INSERT INTO dispatch_move (dispatch_id, origin, target, n)
SELECT dispatch_id, last, channel, count(*) FROM
(SELECT dispatch_id, channel, delivery.current AS counts, last_value(channel) OVER
(PARTITION BY dispatch_id, person_id ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS last
FROM delivery) AS way WHERE counts AND last <> channel GROUP BY dispatch_id, last, channel
ON CONFLICT (dispatch_id, origin, target) DO UPDATE SET n = dispatch_move.n + excluded.n"""


def upgrade() -> None:
    op.add_column("delivery", sa.Column("came_from", sa.String(12), nullable=False, server_default=""))
    op.create_table(
        "dispatch_move",
        sa.Column(
            "dispatch_id",
            BigInt,
            sa.ForeignKey("dispatch.id", name=op.f("fk_dispatch_move_dispatch_id")),
            nullable=False,
        ),
        sa.Column("origin", sa.String(12), nullable=False),
        sa.Column("target", sa.String(12), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dispatch_id", "origin", "target", name=op.f("pk_dispatch_move")),
        sqlite_with_rowid=False,
    )
    for statement in (CAME, WENT, BACK):
        op.execute(statement)
    op.drop_index("ix_delivery_care", "delivery")
    _index("ix_delivery_care", ["dispatch_id", "state", "id", *SIFTED], CARE)
    _index("ix_delivery_moved", ["dispatch_id", "came_from", "channel", "id"], "came_from <> ''")


def downgrade() -> None:
    op.drop_index("ix_delivery_moved", "delivery")
    op.drop_index("ix_delivery_care", "delivery")
    _index("ix_delivery_care", ["dispatch_id", "state", "id"], CARE)
    op.drop_table("dispatch_move")
    op.drop_column("delivery", "came_from")


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "delivery", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
