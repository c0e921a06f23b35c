"""Endpoints of webhooks and their logs, for programs."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from incident.actions import webhooks as actions
from incident.actions.webhook_events import text_of
from incident.api.incidents import Strict
from incident.domain.errors import Missing
from incident.domain.webhooks import nouns
from incident.store import webhooks as rows
from incident.store.webhooks import WebhookEndpoint, WebhookEvent
from incident.web.access import actor, now, permit
from incident.web.webhooks import sender

bp = APIBlueprint("api_webhooks", __name__, url_prefix="/api/v1/webhooks", tag="Webhooks")


class EndpointIn(Strict):
    name: str = Field(min_length=1, max_length=80)
    address: str = Field(
        min_length=1, max_length=1_000, description="https, in a public network unless that is allowed."
    )
    types: list[str] = Field(
        min_length=1, max_length=100, description="Verbs of the record such as notice.approved, incident.* or *."
    )
    hears_restricted: bool = False


class EndpointChange(Strict):
    name: str = Field(min_length=1, max_length=80)
    address: str = Field("", max_length=1_000, description="Empty: it stays as it is.")
    types: list[str] = Field(min_length=1, max_length=100)
    hears_restricted: bool
    revision: int = Field(ge=0, le=2**31 - 1, description="The revision you saw, so that nobody's change is lost.")


class EndpointOut(BaseModel):
    ref: str
    name: str
    host: str = Field(description="The host of its address; the rest is not shown again.")
    types: list[str]
    hears_restricted: bool
    revision: int
    made_at: datetime
    taken_at: datetime | None = Field(description="When it last took an event.")
    failing_since: datetime | None
    off_at: datetime | None = Field(description="Since when it is switched off.")
    off_why: str = Field(description="by_hand, gone, failing; empty while it is on.")
    rotated_at: datetime | None
    events: dict[str, int] = Field(description="How many events stand in each state.")


class Query(Strict):
    after: str = Field("", max_length=20)
    limit: int = Field(50, ge=1, le=200)


class EndpointList(BaseModel):
    endpoints: list[EndpointOut]
    after: str | None


class Secret(BaseModel):
    ref: str
    secret: str = Field(description="Shown this once. It signs each event as Standard Webhooks says.")


class Said(BaseModel):
    said: str


class On(Strict):
    skip: bool = Field(False, description="Leave out what it missed.")


class EventQuery(Strict):
    state: Literal["", "waiting", "claimed", "calling", "accepted", "failed", "cancelled"] = ""
    before: int | None = Field(None, ge=1, le=2**63 - 1)
    limit: int = Field(50, ge=1, le=200)


class EventOut(BaseModel):
    ref: str = Field(description="The header webhook-id: a repeat has the same.")
    type: str
    line: int = Field(description="The place of its line in the record.")
    state: str
    tries: int
    reason: str
    code: str = Field(description="The number of the last answer.")
    made_at: datetime
    changed_at: datetime
    next_at: datetime


class EventBody(EventOut):
    body: str = Field(description="What is sent, to the letter.")


class EventList(BaseModel):
    events: list[EventOut]
    before: int | None


class Number(BaseModel):
    events: int


@bp.get("")
@permit("webhook.change")
@bp.input(Query, location="query", arg_name="query")
@bp.output(EndpointList)
def index(query: Query) -> dict[str, Any]:
    """The endpoints in use."""
    found = list(rows.endpoints(after=query.after, limit=query.limit + 1))
    page = found[: query.limit]
    counts = rows.counts([one.id for one in page])
    return {
        "endpoints": [_shown(one, counts.get(one.id, {})) for one in page],
        "after": page[-1].ref if len(found) > query.limit else None,
    }


@bp.get("/types")
@permit("webhook.change")
@bp.output({}, status_code=200)
def types() -> dict[str, list[str]]:
    """The types of events there are, by noun."""
    return {noun: list(verbs) for noun, verbs in nouns().items()}


@bp.post("")
@permit("webhook.change")
@bp.input(EndpointIn, arg_name="given")
@bp.output(Secret, status_code=201)
def set_up(given: EndpointIn) -> dict[str, str]:
    """Set an endpoint up; nothing is sent by that."""
    ref, secret = actions.set_up(**given.model_dump(), sender=sender(), actor=actor(), now=now())
    return {"ref": ref, "secret": secret}


@bp.get("/<ref>")
@permit("webhook.change")
@bp.output(EndpointOut)
def show(ref: str) -> dict[str, Any]:
    """One endpoint."""
    row = _endpoint(ref)
    return _shown(row, rows.counts([row.id]).get(row.id, {}))


@bp.put("/<ref>")
@permit("webhook.change")
@bp.input(EndpointChange, arg_name="given")
@bp.output(EndpointOut)
def change(ref: str, given: EndpointChange) -> dict[str, Any]:
    """Change an endpoint."""
    actions.change(ref, **given.model_dump(), sender=sender(), actor=actor(), now=now())
    row = _endpoint(ref)
    return _shown(row, rows.counts([row.id]).get(row.id, {}))


@bp.delete("/<ref>")
@permit("webhook.change")
@bp.output({}, status_code=204)
def remove(ref: str) -> str:
    """End an endpoint; its address and secrets are forgotten."""
    actions.remove(ref, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/secret")
@permit("webhook.change")
@bp.output(Secret)
def rotate(ref: str) -> dict[str, str]:
    """Give it another secret; for 24 hours the old one signs too."""
    return {"ref": ref, "secret": actions.rotate(ref, sender=sender(), actor=actor(), now=now())}


@bp.post("/<ref>/test")
@permit("webhook.change")
@bp.output(Said)
def try_out(ref: str) -> dict[str, str]:
    """Send it a test event."""
    return {"said": actions.try_out(ref, sender=sender(), actor=actor(), now=now())}


@bp.post("/<ref>/off")
@permit("webhook.change")
@bp.output({}, status_code=204)
def switch_off(ref: str) -> str:
    """Tell it nothing for now."""
    actions.switch_off(ref, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/on")
@permit("webhook.change")
@bp.input(On, arg_name="given")
@bp.output({}, status_code=204)
def switch_on(ref: str, given: On) -> str:
    """Tell it again: of all that it missed, or only of what comes."""
    actions.switch_on(ref, skip=given.skip, actor=actor(), now=now())
    return ""


@bp.get("/<ref>/events")
@permit("webhook.change")
@bp.input(EventQuery, location="query", arg_name="query")
@bp.output(EventList)
def log(ref: str, query: EventQuery) -> dict[str, Any]:
    """What became of its events, newest first."""
    found = rows.log(_endpoint(ref).id, state=query.state, before=query.before, limit=query.limit + 1)
    page = found[: query.limit]
    return {"events": [_told(one) for one in page], "before": page[-1].id if len(found) > query.limit else None}


@bp.get("/<ref>/events/<event>")
@permit("webhook.change")
@bp.output(EventBody)
def event(ref: str, event: str) -> dict[str, Any]:
    """One event, with what is sent."""
    row, found = _endpoint(ref), rows.event(event)
    line = rows.line(found.line) if found is not None and found.endpoint_id == row.id else None
    if found is None or line is None:
        raise Missing()
    return _told(found) | {"body": text_of(line)}


@bp.post("/<ref>/events/<event>/again")
@permit("webhook.change")
@bp.output({}, status_code=204)
def replay(ref: str, event: str) -> str:
    """Send one event once more, under the same id."""
    actions.replay(ref, event, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/events/again")
@permit("webhook.change")
@bp.output(Number)
def replay_failed(ref: str) -> dict[str, int]:
    """Send once more all that failed or was left out."""
    return {"events": actions.replay_failed(ref, actor=actor(), now=now())}


def _endpoint(ref: str) -> WebhookEndpoint:
    row = rows.endpoint(ref)
    if row is None:
        raise Missing()
    return row


def _shown(row: WebhookEndpoint, counts: dict[str, int]) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in EndpointOut.model_fields if name not in {"host", "events"}}
    return plain | {"host": actions.host_of(row), "events": counts}


def _told(row: WebhookEvent) -> dict[str, Any]:
    return {name: getattr(row, name) for name in EventOut.model_fields if name != "type"} | {"type": row.verb}
