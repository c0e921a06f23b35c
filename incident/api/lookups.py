"""Ask a provider about those in doubt, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import current_app, g
from pydantic import BaseModel, ConfigDict, Field

from incident.actions import lookups as actions
from incident.domain.errors import Missing
from incident.domain.lookups import Verdict
from incident.store import deliveries
from incident.store import lookups as rows
from incident.web.access import actor, now, permit
from notifiers.contract import Channels

bp = APIBlueprint("api_lookups", __name__, url_prefix="/api/v1/incidents/<incident>/sendings", tag="Sending")


class AskedOut(BaseModel):
    """How many of those in doubt were asked about, by what the provider has."""

    found: int = Field(description="It certainly has the message: no longer in doubt.")
    none: int = Field(description="It has nothing that fits. They stay in doubt.")
    unclear: int = Field(description="Something fits and may be another message. They stay in doubt.")
    unanswered: int = Field(description="It could not say.")


class LookupOut(BaseModel):
    """One answer of a provider about one delivery."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    by: str
    provider: str
    verdict: str
    found: int = Field(description="How many of its messages fit.")
    provider_id: str
    status: str
    reason: str
    code: str
    made_at: datetime | None


class LookupsOut(BaseModel):
    lookups: list[LookupOut]


@bp.post("/<sending>/look-up")
@permit("delivery.settle")
@bp.output(AskedOut)
def ask(incident: str, sending: str) -> dict[str, int]:
    """Ask the providers about up to 20 of those in doubt, the never asked first. 409 where none can be asked."""
    return _counted(actions.ask(incident, sending, _channels(), actor=actor(), now=now()))


@bp.post("/attempts/<attempt>/look-up")
@permit("delivery.settle")
@bp.output(AskedOut)
def ask_one(incident: str, attempt: str) -> dict[str, int]:
    """Ask the provider about one attempt in doubt. 409 where it is in doubt no more, or its provider cannot be asked."""
    return _counted(actions.ask_one(incident, attempt, _channels(), actor=actor(), now=now()))


@bp.get("/attempts/<attempt>/look-ups")
@permit("sending.view")
@bp.output(LookupsOut)
def said(incident: str, attempt: str) -> dict[str, Any]:
    """What the provider said about one attempt whenever it was asked, oldest first."""
    row = deliveries.attempt(g.incident.id, attempt)
    if row is None:
        raise Missing()
    return {"lookups": [LookupOut.model_validate(one) for one in rows.of([row.id])]}


def _counted(asked: actions.Asked) -> dict[str, int]:
    return {word.value: asked.verdicts.get(word, 0) for word in Verdict}


def _channels() -> Channels:
    channels: Channels = current_app.extensions["channels"]
    return channels
