"""What tests ask of the record: its lines in order, and whether it verifies."""

import json
from typing import Any

from sqlalchemy import select

from incident.store import checkpoints
from incident.store.audit import AuditLine
from incident.store.db import db


def lines(incident: str | None = None) -> list[AuditLine]:
    """All lines, oldest first; only those about one incident, if named."""
    asked = select(AuditLine).order_by(AuditLine.seq)
    return list(db.session.scalars(asked.where(AuditLine.incident == incident) if incident else asked))


def verbs(incident: str | None = None) -> list[str]:
    """What was done, oldest first."""
    return [line.verb for line in lines(incident)]


def details(line: AuditLine) -> dict[str, Any]:
    """The details of a line."""
    found: dict[str, Any] = json.loads(line.details)
    return found


def verifies() -> bool:
    """Whether the whole record is in order."""
    return checkpoints.verified().ok
