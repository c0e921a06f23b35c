"""What the database holds of one incident, table by table, for its bundle; and what stays out of that, and why."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import LargeBinary, Select, Table, func, select

from incident.store import words
from incident.store.db import db

AT_ONCE: Final = 2_000

HELD: Final[Mapping[str, str]] = {
    # table: its column that leads to the incident, directly or through the table named after it
    "announcement": "incident_id",
    "ask_batch": "ask_id system_ask",
    "assessment": "incident_id",
    "call_attempt": "delivery_id delivery",
    "call_task": "incident_id",
    "closing": "incident_id",
    "custody": "evidence_id evidence",
    "delivery": "dispatch_id dispatch",
    "delivery_lookup": "delivery_id delivery",
    "delivery_remark": "delivery_id delivery",
    "dispatch": "incident_id",
    "dispatch_move": "dispatch_id dispatch",
    "dispatch_tally": "dispatch_id dispatch",
    "drill": "incident_id",
    "drill_inject": "incident_id",
    "drill_remark": "incident_id",
    "duty_owner": "incident_id",
    "enquiry": "incident_id",
    "enquiry_message": "incident_id",
    "erasure": "incident_id",
    "evidence": "incident_id",
    "evidence_search": "evidence_id evidence",
    "fact": "incident_id",
    "finding": "incident_id",
    "grade": "incident_id",
    "improvement": "incident_id",
    "improvement_event": "improvement_id improvement",
    "incident": "id",
    "law_update": "incident_id",
    "lesson": "incident_id",
    "letter": "batch_id letter_batch",
    "letter_batch": "incident_id",
    "letter_return": "incident_id",
    "media_copy": "incident_id",
    "note": "incident_id",
    "notice": "incident_id",
    "notice_text": "notice_id notice",
    "notice_version": "notice_id notice",
    "pair_sweep": "incident_id",
    "person_tally": "incident_id",
    "plan": "incident_id",
    "preflight": "incident_id",
    "preflight_person": "preflight_id preflight",
    "posting_check": "announcement_id announcement",
    "privilege_mark": "incident_id",
    "provider_event": "delivery_id delivery",
    "public_decision": "incident_id",
    "reminder": "incident_id",
    "remedy": "incident_id",
    "reminder_ack": "incident_id",
    "reminder_message": "incident_id",
    "report": "incident_id",
    "report_receipt": "report_id report",
    "review": "incident_id",
    "review_meeting": "incident_id",
    "review_moment": "incident_id",
    "step": "incident_id",
    "system_ask": "incident_id",
    "step_event": "step_id step",
    "wave": "incident_id",
    "vulnerability_link": "incident_id",
}

LEFT_OUT: Final[Mapping[str, tuple[str, str]]] = {
    # table: the column that leads to the incident, and why its rows stay out
    "api_token": ("incident_id", "who may see the incident concerns the team"),
    "data_key": ("incident_id", "keys are never handed out"),
    "delivery_claim": ("dispatch_id dispatch", "working state of the program"),
    "emergency": ("incident_id", "who may see the incident concerns the team"),
    "glance": ("incident_id", "when somebody last looked concerns the team"),
    "import_piece": ("import_id person_import", "personal data of the people affected"),
    "legal_hold": ("incident_id", "counsel's reasons concern the team"),
    "membership": ("incident_id", "who may see the incident concerns the team"),
    "person": ("incident_id", "personal data of the people affected"),
    "person_import": ("incident_id", "lists of the people affected"),
    "person_mark": ("incident_id", "personal data of the people affected"),
    "person_pair": ("incident_id", "personal data of the people affected"),
    "person_past": ("person_id person", "personal data of the people affected"),
    "person_refusal": ("import_id person_import", "personal data of the people affected"),
    "reminder_item": ("message_id reminder_message", "working state of the program"),
    "remedy_code": ("incident_id", "codes are for those who were given them"),
    "sandbox_message": ("incident_id", "personal data of the people affected"),
    "tip": ("incident_id", "told to us in confidence"),
    "tip_file": ("tip_id tip", "told to us in confidence"),
    "tip_mail": ("tip_id tip", "told to us in confidence"),
    "tip_message": ("tip_id tip", "told to us in confidence"),
    "vulnerability_tip": ("tip_id tip", "who told us was told in confidence"),
}

FILED: Final = {"report_file": "report_id report"}
ELSEWHERE: Final = frozenset(FILED)
"""Tables whose rows are in a bundle as files."""

WITHOUT: Final = frozenset(
    {"stored_as", "holder", "held_until", "lease_until", "fence", "version_id", "nonce", "proof_key", "mail_key"}
)
"""Columns that are about the machine; sealed and packed columns stay out by their kind."""


def rows(name: str, incident_id: int) -> Iterator[dict[str, Any]]:
    """Every row that this table holds of the incident, as values for JSON; a few at a time from the database."""
    table = db.metadata.tables[name]
    columns = [column for column in table.columns if _is_told(column)]
    kept = words.KEPT.get(name)
    sealed = [table.c.sealed] if kept else []
    query = _of(table, HELD[name], incident_id, select(*columns, *sealed)).order_by(*table.primary_key)
    found = db.session.execute(query, execution_options={"stream_results": True, "yield_per": AT_ONCE})
    for row in found.mappings():
        opened = kept.open(dict(row)) if kept and row["sealed"] else {}
        yield {column.name: _plain(opened.get(column.name, row[column.name])) for column in columns}


def counted(name: str, incident_id: int) -> int:
    """How many rows that stay out this table holds of the incident."""
    table = db.metadata.tables[name]
    return db.session.scalar(_of(table, LEFT_OUT[name][0], incident_id, select(func.count()).select_from(table))) or 0


def held_of(name: str, incident_id: int, *, only_sealed: bool = False) -> int:
    """How many rows this table has of the incident, told or not; with `only_sealed`, those in which something is sealed."""
    table = db.metadata.tables[name]
    way = HELD[name] if name in HELD else LEFT_OUT[name][0] if name in LEFT_OUT else FILED[name]
    query = _of(table, way, incident_id, select(func.count()).select_from(table))
    if only_sealed:
        query = query.where(table.c.sealed.is_not(None), func.length(table.c.sealed) > 0)
    return db.session.scalar(query) or 0


def _of(table: Table, way: str, incident_id: int, query: Select[Any]) -> Select[Any]:
    column, _, parent = way.partition(" ")
    if not parent:
        return query.where(table.c[column] == incident_id)
    above = db.metadata.tables[parent]
    further = HELD[parent] if parent in HELD else LEFT_OUT[parent][0]
    return _of(above, further, incident_id, query.join(above, above.c.id == table.c[column]))


def _is_told(column: Any) -> bool:
    return not isinstance(column.type, LargeBinary) and column.name not in WITHOUT


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
