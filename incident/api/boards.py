"""The board of a sending in numbers, and its desks, for programs: the same as the pages."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import desks as actions
from incident.actions.desks import Chosen
from incident.api.incidents import Strict
from incident.domain.deliveries import NEEDS_OWNER, Course
from incident.domain.errors import Missing
from incident.store import climbs, dispatches, listings, moves, paces
from incident.store.listings import Wanted
from incident.web.access import actor, now, permit
from incident.web.attempts import open_channels
from incident.web.boards import SPANS

bp = APIBlueprint("api_boards", __name__, url_prefix="/api/v1/incidents/<incident>/sendings", tag="Sending")


class PlaceOut(BaseModel):
    channel: str = Field(description="`none`: no channel reaches them.")
    language: str
    state: str
    reason: str = Field(description="Only in states in which somebody must look after them.")
    people: int


class MoveOut(BaseModel):
    """How many went from one channel to another; back, where an earlier message had told them after all."""

    origin: str
    target: str
    people: int


class SetbackOut(BaseModel):
    """How many attempts were refused or came back, those that another attempt followed included."""

    channel: str
    state: str
    reason: str
    attempts: int


class AheadOut(BaseModel):
    until: datetime
    people: int = Field(description="Whose step ends by then, and not by the time before; counted as far as 10,001.")


class BoardOut(BaseModel):
    tally: list[PlaceOut]
    moves: list[MoveOut]
    setbacks: list[SetbackOut]
    setbacks_whole: bool = Field(
        description="False: so many failed (above 300,000) that they are not counted by reason."
    )
    rates: dict[str, float] = Field(description="Messages a second by channel, over the last minute.")
    first_step: datetime | None = Field(description="When the first step of the ladder ends without more proof.")
    ahead: list[AheadOut]


class WhomIn(Strict):
    """All that fit, or the attempts that are named."""

    sending: str = Field("", max_length=20, description="Only of this sending; else of every sending of the incident.")
    channel: str = Field("", max_length=12)
    language: str | None = Field(None, max_length=12)
    cause: str = Field("", max_length=40, description="Only those with this reason of failure.")
    owner: str | None = Field(None, max_length=20, description="Only in this person's care; empty: in nobody's.")
    people: int = Field(
        ge=0, description="How many this is about: it must be the number of now, at most 1,000 to decide."
    )

    def chosen(self, state: str, attempts: tuple[str, ...] = ()) -> Chosen:
        """As the action asks for it."""
        wanted = Wanted(state, self.channel, self.language, self.cause, self.owner)
        return Chosen(wanted, self.sending, attempts)


class DecideIn(WhomIn):
    attempts: list[str] = Field([], max_length=1_000, description="These attempts; none: all that fit.")
    verdict: Literal["sent", "again", "next"]
    reason: str = Field(min_length=3, max_length=500)


class HandOverIn(WhomIn):
    to: str = Field(max_length=20, description="The reference of a colleague who may see this incident.")


class DecidedOut(BaseModel):
    people: int
    left: int = Field(description="Who stays as they were: no other channel reaches them.")


class CountOut(BaseModel):
    people: int


@bp.get("/<sending>/board")
@permit("sending.view")
@bp.output(BoardOut)
def board(incident: str, sending: str) -> dict[str, Any]:
    """Who stands where, who went from channel to channel, why attempts failed, and who waits for the next step."""
    row = dispatches.by_ref(g.incident.id, sending)
    if row is None:
        raise Missing()
    standing, went = moves.standing(row.id)
    whole = row.counts.bad + sum(went.values()) <= listings.MOST_FAILED
    edges = [now() + span for _, span in SPANS]
    first, counts = climbs.ahead(row.id, edges)
    return {
        "tally": [
            {
                "channel": place.channel,
                "language": place.language,
                "state": place.state,
                "reason": place.reason,
                "people": n,
            }
            for place, n in sorted(standing.items())
        ],
        "moves": [{"origin": ends[0], "target": ends[1], "people": n} for ends, n in sorted(went.items())],
        "setbacks": [
            {"channel": one.channel, "state": one.state, "reason": one.reason, "attempts": one.n}
            for one in (listings.setbacks(row.id) if whole else ())
        ],
        "setbacks_whole": whole,
        "rates": paces.of_last_minute(row.id, now()) if row.course == Course.SENDING else {},
        "first_step": first,
        "ahead": [{"until": edge, "people": n} for edge, n in zip(edges, counts, strict=True)],
    }


@bp.post("/desk/<state>/decide")
@permit("delivery.settle")
@bp.input(DecideIn, arg_name="given")
@bp.output(DecidedOut)
def decide(incident: str, state: str, given: DecideIn) -> dict[str, int]:
    """Decide on those in one state, over one sending or all of the incident: sent, send again, or the next channel."""
    done = actions.decide(
        incident,
        given.chosen(_state(state), tuple(given.attempts)),
        given.verdict,
        typed=str(given.people),
        reason=given.reason,
        opened=open_channels(simulated=False),
        actor=actor(),
        now=now(),
    )
    return {"people": done.settled, "left": done.left}


@bp.post("/desk/<state>/care")
@permit("delivery.care")
@bp.input(HandOverIn, arg_name="given")
@bp.output(CountOut)
def care(incident: str, state: str, given: HandOverIn) -> dict[str, int]:
    """Put those in one state into somebody's care."""
    chosen = given.chosen(_state(state))
    return {"people": actions.hand_over(incident, chosen, given.to, typed=str(given.people), actor=actor(), now=now())}


def _state(state: str) -> str:
    if state not in NEEDS_OWNER:
        raise Missing()
    return state
