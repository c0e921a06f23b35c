"""Sendings and deliveries, for programs: the same actions as the pages."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, current_app, g, stream_with_context
from pydantic import BaseModel, Field

from incident.actions import climbing, shortfall
from incident.actions import deliveries as actions
from incident.actions import dispatch as dispatching
from incident.api.incidents import Ref, Strict
from incident.api.notice_models import CiteOut, PaceModel
from incident.domain import deliveries as rules
from incident.domain.deliveries import Course, State
from incident.domain.errors import Missing
from incident.domain.pretences import Life
from incident.exports import register
from incident.store import deliveries as rows
from incident.store import dispatches, listings, loose_ends, mailbox, provider_events, registers
from incident.store.dispatches import Dispatch
from incident.store.listings import Wanted
from incident.web.access import actor, now, permit
from incident.web.paces import approved_pace
from notifiers.contract import Channels

bp = APIBlueprint("api_deliveries", __name__, url_prefix="/api/v1/incidents/<incident>/sendings", tag="Sending")
box = APIBlueprint("api_mailbox", __name__, url_prefix="/api/v1/incidents/<incident>/mailbox", tag="Sending")

PAGE = 500
LONGEST_REASON = 500


class LifeIn(Strict):
    """What the sandbox of a drill pretends: shares in a hundred, all others arrive. Nobody counts as told by it."""

    seed: int = Field(1, ge=0, le=10**9, description="The same number draws the same drill again.")
    bounced: int = Field(3, ge=0, le=100, description="Come back for good.")
    blocked: int = Field(1, ge=0, le=100, description="Come back for this time.")
    complained: int = Field(0, ge=0, le=100, description="Arrive, and the person complains.")
    late_bounced: int = Field(1, ge=0, le=100, description="Arrive, and come back later after all.")
    answered: int = Field(5, ge=0, le=100, description="Arrive, and the person confirms.")
    minutes: int = Field(5, ge=0, le=1_440, description="Most is reported within so many minutes.")


class StartIn(Strict):
    notice: str = Field(max_length=20, description="The reference of an approved notice.")
    canary: int | None = Field(
        None, ge=0, le=1_000_000, description="Send to so many first, then wait for a look; 0: to all at once."
    )
    most_back: int | None = Field(
        None, ge=1, le=100, description="Pause when more than so many in a hundred are refused or come back."
    )
    sample: int | None = Field(None, ge=1, le=1_000_000, description="Look at that once so many outcomes are known.")
    most_complaints: int | None = Field(None, ge=1, le=1_000, description="Pause above so many in a thousand.")
    rates: dict[str, float] | None = Field(None, description="Most messages a second, by channel.")
    life: LifeIn | None = Field(None, description="What the sandbox of a drill pretends; none: nothing. 409 elsewhere.")


class CountsOut(BaseModel):
    """How many people stand where; they add up to the audience once everybody is on the list."""

    waiting: int
    sending: int
    in_doubt: int
    accepted: int
    delivered: int
    confirmed: int = Field(description="A human confirmed it: by a key in a call, or to one of the team.")
    failed: int
    bounced: int
    cancelled: int
    simulated: int
    unreached: int


class SendingOut(BaseModel):
    ref: str
    notice: str
    version: int
    digest: str = Field(description="The digest that was approved.")
    simulated: bool = Field(description="True: it went to the sandbox, and nobody was told by it.")
    course: str = Field(
        description="preparing, sending, paused, stopped, in_doubt (nothing is left to send, and somebody is in doubt) or done"
    )
    paused_for: str
    audience: int
    counts: CountsOut
    unowned: int = Field(
        description="How many people who were perhaps not told are in nobody's care; counted as far as 10,001."
    )
    still_open: int = Field(
        description="Whose step of the ladder may yet end without proof, so that another channel would follow; counted as far as 10,001."
    )
    complete: bool = Field(description="Everybody was told or is in somebody's care.")
    rate: float = Field(description="Messages a second, of late.")
    started_at: datetime
    started_by: str
    finished_at: datetime | None
    pace: PaceModel = Field(description="How carefully it goes out: as approved, or more carefully.")


class SendingsOut(BaseModel):
    sendings: list[SendingOut]
    next: int | None


class PlaceIn(Strict):
    before: int | None = Field(None, description="Go on from here.")
    limit: int = Field(50, ge=1, le=100)


class DeliveriesIn(Strict):
    state: Literal[
        "",
        "waiting",
        "sending",
        "in_doubt",
        "accepted",
        "delivered",
        "confirmed",
        "failed",
        "bounced",
        "cancelled",
        "simulated",
        "unreached",
    ] = ""
    channel: str = Field("", max_length=12)
    language: str | None = Field(None, max_length=12)
    reason: str = Field("", max_length=40, description="The reason of failure, such as `mailbox_full`.")
    owner: str | None = Field(None, max_length=20, description="In this person's care; empty: in nobody's.")
    came_from: str = Field("", max_length=12, description="Only attempts that followed one by this channel.")
    every: bool = Field(False, description="With a state: earlier attempts too, not only the one that counts.")
    after: int = Field(0, ge=0, description="Go on from here.")
    limit: int = Field(100, ge=1, le=PAGE)


class DeliveryOut(BaseModel):
    attempt_ref: str
    person: str
    channel: str
    attempt: int
    current: bool = Field(description="False: a later attempt counts.")
    state: str
    reason: str
    code: str
    provider: str
    provider_id: str
    made_at: datetime
    handed_over_at: datetime | None
    answered_at: datetime | None
    reported_at: datetime | None
    changed_at: datetime
    settled_by: str
    owner: str


class DeliveriesOut(BaseModel):
    deliveries: list[DeliveryOut]
    next: int | None = Field(
        description="Go on from here; a page looks through 200,000 deliveries at most, and may hold fewer than asked for."
    )


class EventOut(BaseModel):
    provider: str
    status: str
    reason: str
    code: str
    at: datetime | None
    received_at: datetime


class StoryOut(BaseModel):
    attempts: list[DeliveryOut]
    events: list[EventOut]


class CountIn(Strict):
    people: int = Field(ge=0, description="How many this concerns: it must be the number of now.")


class ReasonIn(Strict):
    reason: str = Field(min_length=3, max_length=LONGEST_REASON)


class DoubtsIn(ReasonIn):
    verdict: Literal["sent", "again"]
    people: int = Field(ge=0, description="How many are in doubt now.")


class CareIn(Strict):
    state: Literal["in_doubt", "failed", "bounced", "unreached", "cancelled"]


class CountOut(BaseModel):
    people: int


class KeptOut(BaseModel):
    ref: str
    channel: str
    person: str | None = Field(description="Nobody for a test to oneself.")
    notice: str
    kept_at: datetime


class MailboxOut(BaseModel):
    messages: list[KeptOut]
    next: int | None


class MailOut(BaseModel):
    to: str
    subject: str
    text: str
    html: str
    language: str


class PlaceOut(BaseModel):
    place: str
    people: int


class OfferOut(BaseModel):
    """What one law says of notice in place of telling each person."""

    cite: CiteOut
    title: str
    truth: str = Field(description="yes: what is known allows it; open: `wants` are the facts that decide it; no.")
    says: str
    because: list[str]
    wants: list[str]
    by: list[str]
    days: int


class ShortfallOut(BaseModel):
    audience: int
    people: int = Field(description="How many were not told, as far as is known.")
    states: dict[str, int]
    places: list[PlaceOut]
    offers: list[OfferOut]


@bp.get("")
@permit("sending.view")
@bp.input(PlaceIn, location="query", arg_name="place")
@bp.output(SendingsOut)
def index(incident: str, place: PlaceIn) -> dict[str, Any]:
    """The sendings of an incident, newest first."""
    found = dispatches.of_incident(g.incident.id, before=place.before, limit=place.limit)
    ends = loose_ends.of([row.id for row in found])
    return {
        "sendings": [_sending(row, ends[row.id]) for row in found],
        "next": found[-1].id if len(found) == place.limit else None,
    }


@bp.post("")
@permit("notice.send")
@bp.input(StartIn, arg_name="given")
@bp.output(Ref, status_code=201)
def start(incident: str, given: StartIn) -> dict[str, str]:
    """Begin to send an approved notice; the same answer again if it is on its way already."""
    channels: Channels = current_app.extensions["channels"]
    asked = {name: value for name, value in given.model_dump(exclude={"notice", "life"}).items() if value is not None}
    pace = replace(approved_pace(given.notice), **asked) if asked else None
    ref = dispatching.start(
        incident,
        given.notice,
        only_sandbox=channels.only_sandbox,
        pace=pace,
        life=Life(**given.life.model_dump()) if given.life else None,
        actor=actor(),
        now=now(),
    )
    return {"ref": ref}


@bp.get("/register.csv")
@permit("sending.view")
@bp.doc(responses={200: "The register as CSV, streamed."})
def register_(incident: str) -> Response:
    """The register: every attempt of every sending of the incident with its state and times, as CSV."""
    lines = register.as_csv(registers.pages(g.incident.id))
    return Response(stream_with_context(lines), mimetype="text/csv")


@bp.get("/<sending>")
@permit("sending.view")
@bp.output(SendingOut)
def show(incident: str, sending: str) -> dict[str, Any]:
    """One sending with its counts."""
    return _sending(_found(sending))


@bp.get("/<sending>/deliveries")
@permit("sending.view")
@bp.input(DeliveriesIn, location="query", arg_name="wanted")
@bp.output(DeliveriesOut)
def deliveries(incident: str, sending: str, wanted: DeliveriesIn) -> dict[str, Any]:
    """Its deliveries by key, all attempts or the current ones of one state."""
    row = _found(sending)
    sought = Wanted(**wanted.model_dump(exclude={"after", "limit"}))
    found = listings.page(row.id, sought, after=wanted.after, limit=wanted.limit)
    return {"deliveries": [_delivery(one, row) for one in found.rows], "next": found.after}


@bp.get("/attempts/<attempt>")
@permit("sending.view")
@bp.output(StoryOut)
def attempt(incident: str, attempt: str) -> dict[str, Any]:
    """Every attempt to tell one person, and what the provider reported."""
    row = rows.attempt(g.incident.id, attempt)
    told = dispatches.by_id(row.dispatch_id) if row else None
    if row is None or told is None:
        raise Missing()
    tried = rows.attempts(row)
    return {
        "attempts": [_delivery(one, told) for one in tried],
        "events": provider_events.events_of([one.id for one in tried]),
    }


@bp.post("/<sending>/pause")
@permit("sending.pause")
@bp.output({}, status_code=204)
def pause(incident: str, sending: str) -> str:
    """Let nothing more go out for now."""
    dispatching.pause(incident, sending, actor=actor(), now=now())
    return ""


@bp.post("/<sending>/go-on")
@permit("sending.steer")
@bp.output({}, status_code=204)
def go_on(incident: str, sending: str) -> str:
    """Take a paused sending up again."""
    dispatching.go_on(incident, sending, actor=actor(), now=now())
    return ""


@bp.post("/<sending>/stop")
@permit("sending.steer")
@bp.input(CountIn, arg_name="given")
@bp.output(CountOut)
def stop(incident: str, sending: str, given: CountIn) -> dict[str, int]:
    """Stop for good: those still waiting are not told by it."""
    return {"people": dispatching.stop(incident, sending, typed=str(given.people), actor=actor(), now=now())}


@bp.post("/<sending>/repeat")
@permit("sending.steer")
@bp.output(CountOut)
def repeat(incident: str, sending: str) -> dict[str, int]:
    """Try the failed again, and those that came back for that time only; nobody else."""
    return {"people": dispatching.repeat_failed(incident, sending, actor=actor(), now=now())}


@bp.post("/<sending>/care")
@permit("delivery.care")
@bp.input(CareIn, arg_name="given")
@bp.output(CountOut)
def care(incident: str, sending: str, given: CareIn) -> dict[str, int]:
    """Take those of one state whom nobody looks after into your care."""
    return {"people": dispatching.take_care(incident, sending, given.state, actor=actor(), now=now())}


@bp.post("/<sending>/doubts")
@permit("delivery.settle")
@bp.input(DoubtsIn, arg_name="given")
@bp.output(CountOut)
def doubts(incident: str, sending: str, given: DoubtsIn) -> dict[str, int]:
    """Settle all in doubt at once: they were sent, or they are to be sent again."""
    settled = actions.settle_doubts(
        incident, sending, verdict=given.verdict, typed=str(given.people), reason=given.reason, actor=actor(), now=now()
    )
    return {"people": settled}


@bp.get("/<sending>/shortfall")
@permit("sending.view")
@bp.output(ShortfallOut)
def shortfall_of(incident: str, sending: str) -> dict[str, Any]:
    """Whom no channel reached, in figures, and what laws say of notice in public in their place."""
    found = shortfall.of(g.incident.id, _found(sending))
    places = [{"place": place, "people": count} for place, count in found.places]
    offers = [asdict(offer) | {"truth": offer.truth.value} for offer in found.offers]
    return {
        "audience": found.audience,
        "people": found.people,
        "states": found.states,
        "places": places,
        "offers": offers,
    }


@bp.post("/<sending>/shortfall/announcement")
@permit("notice.draft")
@bp.output(Ref, status_code=201)
def announce(incident: str, sending: str) -> dict[str, str]:
    """Draft an announcement from the notice that was sent, for those it did not reach."""
    return {"ref": shortfall.announce(incident, sending, actor=actor(), now=now())}


@bp.post("/attempts/<attempt>/sent")
@permit("delivery.settle")
@bp.input(ReasonIn, arg_name="given")
@bp.output({}, status_code=204)
def found_sent(incident: str, attempt: str, given: ReasonIn) -> str:
    """One in doubt was sent, and how you know."""
    actions.found_sent(incident, attempt, evidence=given.reason, actor=actor(), now=now())
    return ""


@bp.post("/attempts/<attempt>/again")
@permit("delivery.settle")
@bp.input(ReasonIn, arg_name="given")
@bp.output(Ref, status_code=201)
def again(incident: str, attempt: str, given: ReasonIn) -> dict[str, str]:
    """Send to one person again, as a new attempt, with the reason."""
    return {"ref": actions.send_again(incident, attempt, reason=given.reason, actor=actor(), now=now())}


@bp.post("/attempts/<attempt>/next")
@permit("delivery.settle")
@bp.input(ReasonIn, arg_name="given")
@bp.output(Ref, status_code=201)
def next_channel(incident: str, attempt: str, given: ReasonIn) -> dict[str, str]:
    """Have one person told by the next channel of the notice, with the reason."""
    channels: Channels = current_app.extensions["channels"]
    opened = list(channels.open(simulated=False))
    ref = climbing.go_to_next(incident, attempt, reason=given.reason, opened=opened, actor=actor(), now=now())
    return {"ref": ref}


@box.get("")
@permit("sending.view")
@box.input(PlaceIn, location="query", arg_name="place")
@box.output(MailboxOut)
def messages(incident: str, place: PlaceIn) -> dict[str, Any]:
    """What the sandbox took, newest first: nobody was told by any of it."""
    found = mailbox.mailbox(g.incident.id, before=place.before, limit=place.limit)
    shown = [
        {
            "ref": one.ref,
            "channel": one.channel,
            "person": f"P-{one.person_number}" if one.person_number else None,
            "notice": one.notice_ref,
            "kept_at": one.kept_at,
        }
        for one in found
    ]
    return {"messages": shown, "next": found[-1].id if len(found) == place.limit else None}


@box.get("/<message>")
@permit("mailbox.read")
@box.output(MailOut)
def message(incident: str, message: str) -> dict[str, str]:
    """One message as it would have gone out; reading it leaves a line."""
    return actions.read_message(incident, message, actor=actor(), now=now())


def _found(sending: str) -> Dispatch:
    row = dispatches.by_ref(g.incident.id, sending)
    if row is None:
        raise Missing()
    return row


def _sending(row: Dispatch, ends: loose_ends.Ends | None = None) -> dict[str, Any]:
    ends = ends or loose_ends.of([row.id])[row.id]
    counts = row.counts
    return {
        "ref": row.ref,
        "notice": row.notice_ref,
        "version": row.version_number,
        "digest": row.digest,
        "simulated": row.simulated,
        "course": row.course,
        "paused_for": row.paused_for,
        "audience": row.audience,
        "counts": {state.value: counts.of(state) for state in State},
        "unowned": ends.unowned,
        "complete": rules.is_complete(Course(row.course), counts, ends.unowned, ends.climbing)
        and not row.simulated
        and not ends.unposted,
        "still_open": ends.climbing,
        "rate": row.rate,
        "started_at": row.started_at,
        "started_by": row.started_by,
        "finished_at": row.finished_at,
        "pace": row.pace.to_json(),
    }


def _delivery(one: Any, row: Dispatch) -> dict[str, Any]:
    return dict(zip(register.COLUMNS, register.record(g.incident.ref, one, row), strict=True))
