"""Sendings and deliveries, for programs: the same actions as the pages."""

from dataclasses import asdict, replace
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, g, stream_with_context

from incident.actions import climbing, shortfall
from incident.actions import deliveries as actions
from incident.actions import dispatch as dispatching
from incident.api.incidents import Ref
from incident.api.scheme import a_file
from incident.api.sending_models import (
    CareIn,
    CountIn,
    CountOut,
    DeliveriesIn,
    DeliveriesOut,
    DoubtsIn,
    MailboxOut,
    MailOut,
    PlaceIn,
    ReasonIn,
    SendingOut,
    SendingsOut,
    ShortfallOut,
    StartIn,
    StoryOut,
)
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
@bp.doc(responses=a_file("The register, streamed.", "text/csv"))
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
