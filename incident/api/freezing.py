"""The switch that freezes all sending of this installation, for programs."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from incident.actions import dispatch as dispatching
from incident.store import dispatches
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_sending", __name__, url_prefix="/api/v1/sending", tag="Sending")


class SwitchOut(BaseModel):
    frozen: bool
    sendings: int = Field(description="How many real sendings go on at once when it is released.")
    waiting: int = Field(description="How many people wait in them, and would be written to.")
    in_doubt: int = Field(description="How many are in doubt; a person settles them first.")


@bp.get("")
@permit("sending.freeze")
@bp.output(SwitchOut)
def state() -> dict[str, Any]:
    """Whether all sending of this installation is frozen, and what a release would let go on."""
    return {"frozen": dispatches.frozen()} | dispatches.held()._asdict()


@bp.post("/freeze")
@permit("sending.freeze")
@bp.output({}, status_code=204)
def freeze() -> str:
    """Let nothing more leave this installation."""
    dispatching.freeze(actor=actor(), now=now())
    return ""


@bp.post("/release")
@permit("sending.release")
@bp.output({}, status_code=204)
def release() -> str:
    """Let sending go on."""
    dispatching.release(actor=actor(), now=now())
    return ""
