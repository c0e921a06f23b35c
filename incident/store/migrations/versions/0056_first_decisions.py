"""keep when each duty was first decided on, which marking it as met no longer hides; filled from the record where that tells"""

import json
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa
from alembic import op
from incident.store.db import UTCDateTime

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

FINDING = sa.table(
    "finding",
    *(sa.column(name) for name in ("id", "ref", "incident_id", "duty", "wave", "standing", "state")),
    *(sa.column(name, UTCDateTime()) for name in ("made_at", "superseded_at", "decided_at", "first_decided_at")),
)
INCIDENT = sa.table("incident", sa.column("id"), sa.column("ref"))
LINE = sa.table("audit_line", *(sa.column(name) for name in ("seq", "at", "verb", "subject", "incident", "details")))
SETTLED = ("met", "waived")


def upgrade() -> None:
    op.add_column("finding", sa.Column("first_decided_at", UTCDateTime(), nullable=True))
    accepted = FINDING.update().where(FINDING.c.state == "accepted")
    op.execute(accepted.values(first_decided_at=FINDING.c.decided_at))
    connection = op.get_bind()
    settled = sa.select(FINDING.c.incident_id).where(FINDING.c.state.in_(SETTLED)).distinct()
    refs = sa.select(INCIDENT.c.id, INCIDENT.c.ref).where(INCIDENT.c.id.in_(settled))
    for incident_id, ref in connection.execute(refs).all():
        _fill(connection, incident_id, ref)


def _fill(connection: sa.Connection, incident_id: int, ref: str) -> None:
    """The settled findings of one incident: accepted by itself, or with all others, or settled at once."""
    rows = connection.execute(sa.select(FINDING).where(FINDING.c.incident_id == incident_id)).all()
    first, unread = _acceptances(connection, ref, rows)
    for row in rows:
        if row.state not in SETTLED or row.decided_at is None:
            continue
        known = first.get(row.ref)
        if known is None and not any(row.made_at <= at <= row.decided_at for at in unread):
            known = row.decided_at
        if known is not None:
            connection.execute(FINDING.update().where(FINDING.c.id == row.id).values(first_decided_at=known))


def _acceptances(connection: sa.Connection, ref: str, rows: list) -> tuple[dict, list]:
    """When each finding was accepted, by its reference; and when all were of which the record names only a digest that
    fits no list of findings as they stood then."""
    told = LINE.c.incident == ref, LINE.c.verb.in_(("finding.accepted", "findings.accepted"))
    query = sa.select(LINE.c.at, LINE.c.verb, LINE.c.subject, LINE.c.details).where(*told)
    first, unread = {}, []
    for at, verb, subject, details in connection.execute(query.order_by(LINE.c.seq)):
        moment = datetime.fromisoformat(at)
        if verb == "finding.accepted":
            first.setdefault(subject, moment)
            continue
        waited = sorted((row for row in rows if _waits(row, moment, first)), key=_key)
        named = [row.ref for row in waited]
        if sha256(json.dumps(named, separators=(",", ":")).encode()).hexdigest() == json.loads(details)["digest"]:
            first |= {name: moment for name in named}
        else:
            unread.append(moment)
    return first, unread


def _waits(row, moment, first) -> bool:
    """Whether this finding waited for somebody to accept it at that moment."""
    stood = row.made_at <= moment and (row.superseded_at is None or row.superseded_at > moment)
    was_settled = row.state in SETTLED and row.decided_at is not None and row.decided_at < moment
    return stood and row.standing != "open" and not was_settled and row.ref not in first


def _key(row) -> str:
    return f"{row.duty}#{row.wave.replace(' ', '-')}" if row.wave else row.duty


def downgrade() -> None:
    op.drop_column("finding", "first_decided_at")
