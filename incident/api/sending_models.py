"""What programs send and get about sendings and deliveries."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from incident.api.incidents import Strict
from incident.api.notice_models import CiteOut, PaceModel

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
