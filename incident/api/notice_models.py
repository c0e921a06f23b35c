"""What programs send and get about notices."""

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from incident.api.incidents import Strict
from incident.domain.hours import Day
from incident.domain.notices import SECTIONS
from incident.domain.pace import Pace
from incident.domain.revealing import WHY

Word = Literal["email", "sms", "letter", "call", "push", "announcement"]


class AudienceModel(Strict):
    """Whom it is for; an empty list means everybody."""

    waves: list[int] = Field(default_factory=list)
    places: list[str] = Field(default_factory=list, description="Countries, states as US-TX, groups as EU.")
    languages: list[str] = Field(default_factory=list)
    ages: list[str] = Field(default_factory=list)


class StepModel(Strict):
    """One step of the ladder: how long a channel has, and what counts as reached."""

    channel: Literal["email", "sms", "letter", "call", "push"]
    hours: int = Field(ge=1, le=2_160, description="After so many hours without that proof the next channel is tried.")
    counts: Literal["accepted", "delivered", "confirmed"]


class TextModel(Strict):
    """What it says in one language; fields such as {{ person.name }} are filled for each person."""

    subject: str = ""
    greeting: str = ""
    sections: dict[str, str] = Field(default_factory=dict, description=f"Any of {', '.join(SECTIONS)}.")
    sms: str = ""
    call: str = ""
    push_title: str = ""
    push_body: str = ""
    covers: dict[str, str] = Field(default_factory=dict, description="A law's own element, and the section it is in.")


class DraftIn(Strict):
    title: str = Field(max_length=200)
    languages: list[str] = Field(default_factory=lambda: ["en"], min_length=1)
    like: str = Field("", description="The notice of this incident whose text is to be taken.")


class ChangeIn(Strict):
    """What is left out stays as it is; a language that is new and has no text begins with the starter text."""

    revision: int = Field(description="The revision you saw, so that nobody's change is lost.")
    title: str | None = None
    languages: list[str] | None = None
    channels: list[Word] | None = Field(None, description="In order: each person gets the first that reaches them.")
    ladder: list[StepModel] | None = Field(None, description="Channels left out have their usual step.")
    despite: list[Literal["unsubscribed", "complained"]] | None = Field(
        None, description="People on these lists of the e-mail provider are written to all the same."
    )
    audience: AudienceModel | None = None
    send_at: AwareDatetime | None = None
    texts: dict[str, TextModel] = Field(default_factory=dict)


class SubmitIn(Strict):
    revision: int


class HoursModel(Strict):
    """The full hours between which texts and calls may disturb people; on Sundays from another one (`until`: never)."""

    begins: int = Field(9, ge=0, le=24)
    until: int = Field(20, ge=0, le=24)
    sunday: int = Field(12, ge=0, le=24)


class PaceModel(Strict):
    """How carefully a notice goes out. Whoever starts it may be more careful, never less."""

    canary: int = Field(0, ge=0, le=1_000_000, description="To so many first, then a person looks; 0: to all at once.")
    most_back: int = Field(10, ge=1, le=100, description="Halt above so many in a hundred refused or come back.")
    sample: int = Field(50, ge=1, le=1_000_000, description="Look at that once so many outcomes are known.")
    most_complaints: int = Field(3, ge=1, le=1_000, description="Halt above so many in a thousand complaints.")
    rates: dict[Literal["email", "sms", "letter", "call", "push"], float] = Field(
        default_factory=dict, description="Most messages a second by channel; left out: as fast as the provider allows."
    )
    at_any_hour: bool = Field(
        False, description="Urgent: texts and calls do not wait until it is day where people live."
    )

    hours: HoursModel = Field(
        default_factory=HoursModel, description="At which hours else, by the clock of where people live."
    )

    def pace(self) -> Pace:
        """As the rules take it. Raises Invalid."""
        given = self.model_dump(exclude={"hours"})
        return Pace(**given, day=Day(self.hours.begins, self.hours.until, self.hours.sunday)).checked()


class ApproveIn(Strict):
    digest: str = Field(description="The digest of the version you read.")
    people: int = Field(description="How many people it goes to.")
    pace: PaceModel = Field(default_factory=PaceModel, description="How carefully, and at which hours.")


class SendBackIn(Strict):
    digest: str
    reason: str


class ReasonIn(Strict):
    reason: str


class PublishIn(Strict):
    digest: str
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class NoticeOut(BaseModel):
    id: int
    ref: str
    incident: str
    title: str
    stage: str
    revision: int
    version: int = Field(description="The number of the last version submitted; 0 before the first.")
    digest: str = Field(description="Of that version; empty before the first.")
    people: int | None
    channels: list[str]
    ladder: list[StepModel] = Field(description="What counts as reached by each channel, and when the next is tried.")
    despite: list[str] = Field(description="Lists of the e-mail provider that are passed over.")
    languages: list[str]
    audience: dict[str, list[Any]]
    send_at: datetime | None
    drafter: str
    editors: list[str]
    drafted_at: datetime
    changed_at: datetime


class NoticeList(BaseModel):
    notices: list[NoticeOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class CiteOut(BaseModel):
    law: str
    place: str
    href: str
    confidence: str


class NeedOut(BaseModel):
    element: str
    words: str
    met: bool
    missing_in: list[str]
    section: str
    at_least: list[str] = Field(description="Services it has to offer.")
    cites: list[CiteOut]


class HurdleOut(BaseModel):
    where: str
    sentence: str
    language: str
    cites: list[CiteOut]


class DraftOut(NoticeOut):
    texts: dict[str, TextModel]
    needs: list[NeedOut]
    hurdles: list[HurdleOut] = Field(description="What stands between the draft and its submission.")
    warnings: list[HurdleOut]
    unreached: int = Field(description="How many people none of the channels reaches.")


class VersionOut(BaseModel):
    number: int
    state: str
    digest: str
    people: int
    contents: dict[str, Any]
    submitted_by: str
    submitted_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str
    pace: dict[str, Any] = Field(description="What the approval set; empty where it set nothing.")


class VersionList(BaseModel):
    versions: list[VersionOut]


class Submitted(BaseModel):
    version: int
    digest: str


class PreviewIn(BaseModel):
    language: str = ""
    channel: Word = "email"
    person: int = Field(0, ge=0, description="The person's number; 0 is the first of the audience.")


class RevealIn(PreviewIn):
    why: str = Field(description=f"One of: {', '.join(WHY)}. It stands in the record.")


class PreviewOut(BaseModel):
    person: str
    language: str
    channel: str
    subject: str
    text: str
    masked: bool
    further: int
    open: list[str] = Field(description="Fields that have no value yet.")
    segments: int | None


class TestIn(Strict):
    language: str = ""
    channel: Literal["email", "sms", "call", "push"] = Field(
        "email", description="Texts and calls go to the number that you proved under your account."
    )
    to_team: bool = Field(False, description="To everybody on the team of the incident, at their own addresses.")
    token: str = Field("", max_length=4_096, description="For push: the token of a device of yours; it is not kept.")


class Said(BaseModel):
    said: str


class Published(BaseModel):
    slug: str
    url: str
