"""tell repeated reports by an index in the order of our references, not of the providers' random ids

An index on random ids touches a page for every report: at 300,000 reports each one cost four times what the first did.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OLD = "uq_provider_event_provider_event_id"
NEW = "ix_provider_event_ref"
REFUSE = "BEGIN SELECT RAISE(ABORT, 'provider_event is append-only: rows are added, never changed or removed'); END"
GUARDS = (
    f"CREATE TRIGGER IF NOT EXISTS provider_event_no_update BEFORE update ON provider_event \n{REFUSE}",
    f"CREATE TRIGGER IF NOT EXISTS provider_event_no_delete BEFORE delete ON provider_event \n{REFUSE}",
    "CREATE TRIGGER IF NOT EXISTS provider_event_no_insert BEFORE insert ON provider_event WHEN EXISTS "
    f"(SELECT 1 FROM provider_event WHERE id = NEW.id)\n{REFUSE}",
)
"""SQLite alters a table by copying it, and the copy has none."""


def upgrade() -> None:
    with op.batch_alter_table("provider_event") as batch:
        batch.drop_constraint(OLD, type_="unique")
        batch.create_index(NEW, ["ref", "provider", "event_id"], unique=True)
    _guard()


def downgrade() -> None:
    with op.batch_alter_table("provider_event") as batch:
        batch.drop_index(NEW)
        batch.create_unique_constraint(OLD, ["provider", "event_id"])
    _guard()


def _guard() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in GUARDS:
            op.execute(statement)
