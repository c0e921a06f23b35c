"""The record's keys and witnesses, for programs."""

from typing import Any

from apiflask import APIBlueprint
from flask import current_app
from pydantic import BaseModel, Field

from incident.actions import record_keys as actions
from incident.actions import witnessing
from incident.api.incidents import Strict
from incident.domain.access import MEMBER
from incident.domain.audit import LONGEST_LINE, Witnesses
from incident.store import checkpoints, record_keys, time_stamps, witnesses
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_record_keys", __name__, url_prefix="/api/v1/record", tag="Record")


class KeyOut(BaseModel):
    number: int
    key: str = Field(description="As C2SP writes it: name+id+base64.")
    since: int = Field(description="The line that made it the key; it signs checkpoints of more lines. 0 of the first.")
    at: str
    signed: bool = Field(description="Whether the key before it signed the change; true of the first.")


class WitnessOut(BaseModel):
    name: str
    key: str
    seen: int = Field(description="Lines that the largest checkpoint it signed covers; 0: it signed none.")
    seen_at: int | None = Field(description="When it signed that, by its own clock: seconds since 1970.")


class StampOut(BaseModel):
    size: int
    state: str = Field(description="verified, stored (not verified here) or failed.")
    reason: str
    stamped_at: str = Field(description="What the authority says, UTC; empty where it is not known.")


class KeysOut(BaseModel):
    keys: list[KeyOut] = Field(description="The first one first; empty before the first checkpoint.")
    witnesses: list[WitnessOut]
    needed: int = Field(description="How many witnesses make a proof.")
    seen_by_enough: int = Field(description="Lines that the largest checkpoint covers which enough witnesses signed.")
    stamp: StampOut | None = Field(description="Of the newest checkpoint; null: it was not tried yet.")


class CosignedIn(Strict):
    note: str = Field(
        min_length=1, max_length=LONGEST_LINE, description="The whole checkpoint with all its signatures."
    )


class CosignedOut(BaseModel):
    names: list[str] = Field(description="The witnesses whose signatures are new.")


@bp.get("/keys")
@permit("record.view")
@bp.output(KeysOut)
def keys() -> dict[str, Any]:
    """All keys that signed the record, who outside has seen how much of it, and the newest time stamp."""
    return _keys()


@bp.post("/keys")
@permit("record.rekey")
@bp.output(KeysOut)
def change() -> dict[str, Any]:
    """Change the key that signs the record; the old one signs that."""
    actions.rotate(actor=actor(), now=now())
    return _keys()


@bp.post("/cosignatures")
@permit(MEMBER)
@bp.input(CosignedIn, arg_name="given")
@bp.output(CosignedOut)
def take_in(given: CosignedIn) -> dict[str, Any]:
    """Take in a checkpoint that witnesses have signed: their signature counts, not who brings it."""
    by: Witnesses = current_app.extensions["settings"].witnesses()
    return {"names": witnessing.take_in(given.note, by, actor=actor(), now=now())}


def _keys() -> dict[str, Any]:
    by: Witnesses = current_app.extensions["settings"].witnesses()
    newest, seen = checkpoints.latest(), witnesses.seen_by(by.keys)
    stamp = time_stamps.of(newest.size) if newest else None
    return {
        "keys": [
            {"number": row.number, "key": str(row.key), "since": max(row.since, 0), "at": row.at, "signed": row.signed}
            for row in record_keys.every()
        ],
        "witnesses": [_witness(str(key), name, row) for key, (name, row) in zip(by.keys, seen.items(), strict=True)],
        "needed": by.needed,
        "seen_by_enough": witnesses.seen_by_enough(by),
        "stamp": stamp and {name: getattr(stamp, name) for name in StampOut.model_fields},
    }


def _witness(key: str, name: str, row: witnesses.Cosignature | None) -> dict[str, Any]:
    return {"name": name, "key": key, "seen": row.size if row else 0, "seen_at": row.seen_at if row else None}
