"""The record, for programs: lines, the check, checkpoints, the export."""

import json
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, stream_with_context
from pydantic import BaseModel, ConfigDict, Field

from incident.actions import checkpoints as actions
from incident.api.scheme import a_file
from incident.domain.errors import Missing
from incident.store import audit, witnesses
from incident.store import checkpoints as rows
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_audit", __name__, url_prefix="/api/v1/incidents/<incident>/record", tag="Record")
whole = APIBlueprint("api_record", __name__, url_prefix="/api/v1/record", tag="Record")

INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$"


class Asked(BaseModel):
    """Which lines, newest first."""

    model_config = ConfigDict(extra="forbid")

    actor: str = Field("", max_length=128, description="Only lines of this actor, such as U-7K3MXW2Q or system.")
    verb: str = Field("", max_length=128, description="Only this verb; ending in a dot, all of a noun: `notice.`")
    since: str = Field("", pattern=f"{INSTANT}|^$", description="From this time on, UTC, such as 2026-03-10T14:20:00Z.")
    until: str = Field("", pattern=f"{INSTANT}|^$", description="Before this time, UTC.")
    before: int | None = Field(None, ge=0, description="Go on from the line with this number.")
    limit: int = Field(50, ge=1, le=500)


class LineOut(BaseModel):
    seq: int = Field(description="The place of the line, from 0.")
    at: str
    actor: str
    verb: str
    subject: str
    incident: str | None
    details: dict[str, Any]
    leaf: str = Field(description="The RFC 6962 leaf hash, in hex.")


class LineList(BaseModel):
    lines: list[LineOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class FindingOut(BaseModel):
    kind: str
    sentence: str


class ReignOut(BaseModel):
    since: int = Field(description="The line that made it the key; it signs checkpoints of more lines.")
    key: str
    signed: bool = Field(description="Whether the key before it signed the change; true of the first.")


class VerdictOut(BaseModel):
    ok: bool = Field(description="Whether nothing wrong was found. `proven` says how far that is a proof.")
    log: str
    size: int
    root: str
    key: str
    keys: list[ReignOut]
    proven: int = Field(
        description="Lines covered by a checkpoint kept outside the database, or signed by enough witnesses."
    )
    witnessed: int = Field(description="Lines covered by a checkpoint that enough witnesses signed.")
    witnesses: dict[str, int] = Field(description="By the name of each witness, how many lines it has seen.")
    needed: int = Field(description="Witnesses for a proof.")
    signed: int = Field(description="Lines covered by any checkpoint.")
    restored_at: int | None
    findings: list[FindingOut]
    sentences: list[str]


class CheckpointOut(BaseModel):
    size: int
    note: str = Field(description="The signed note (C2SP). Keep it somewhere else.")
    key: str


@bp.get("")
@permit("timeline.view")
@bp.input(Asked, location="query", arg_name="asked")
@bp.output(LineList)
def index(incident: str, asked: Asked) -> dict[str, Any]:
    """Lines about one incident, newest first."""
    return _lines(incident, asked)


@whole.get("")
@permit("record.view")
@whole.input(Asked, location="query", arg_name="asked")
@whole.output(LineList)
def index_of_all(asked: Asked) -> dict[str, Any]:
    """Lines of the whole record, newest first."""
    return _lines(None, asked)


def _lines(incident: str | None, asked: Asked) -> dict[str, Any]:
    found = audit.search(
        incident=incident,
        actor=asked.actor,
        verb=asked.verb,
        since=_exact(asked.since),
        until=_exact(asked.until),
        before_seq=asked.before,
        limit=asked.limit + 1,
    )
    shown = found[: asked.limit]
    lines = [
        {name: getattr(line, name) for name in ("seq", "at", "actor", "verb", "subject", "incident")}
        | {"details": json.loads(line.details), "leaf": bytes(line.leaf).hex()}
        for line in shown
    ]
    return {"lines": lines, "before": shown[-1].seq if len(found) > asked.limit else None}


def _exact(instant: str) -> str:
    """With the six decimals that lines have, so that both compare as text."""
    return instant if not instant or "." in instant else instant.replace("Z", ".000000Z")


@whole.get("/check")
@permit("record.view")
@whole.output(VerdictOut)
def check() -> dict[str, Any]:
    """Read every line again and compare with all checkpoints of this machine."""
    verdict = rows.verified(by=current_app.extensions["settings"].witnesses())
    return asdict(verdict) | {"ok": verdict.ok, "sentences": verdict.sentences()}


@whole.get("/checkpoint")
@permit("record.view")
@whole.output(CheckpointOut)
def checkpoint() -> dict[str, Any]:
    """The newest checkpoint."""
    return _newest()


@whole.post("/checkpoint")
@permit("record.sign")
@whole.output(CheckpointOut)
def sign() -> dict[str, Any]:
    """Sign the record as it stands; the newest checkpoint."""
    actions.sign(actor=actor(), now=now())
    return _newest()


def _newest() -> dict[str, Any]:
    newest = rows.latest()
    if newest is None:
        raise Missing("No checkpoint has been signed yet.")
    return {"size": newest.size, "note": witnesses.complete(newest.note, newest.size), "key": str(rows.key())}


@whole.get("/export")
@permit("record.export")
@whole.doc(responses=a_file("JSON lines, as docs/record.md describes them.", "application/jsonl"))
def export() -> Response:
    """The whole record, to be checked without this program."""
    return Response(stream_with_context(rows.exported()), mimetype="application/jsonl")
