"""Everything a document about one incident may say, as plain values: gathered once, then read by reports and summaries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from incident.domain.enquiries import Figures
from incident.domain.facts import UNKNOWN, Facts, Unknown, Value


@dataclass(frozen=True)
class FactNow:
    """A fact as it stands: its value, where it came from, and when it was recorded."""

    value: Value | Unknown
    recorded_at: datetime
    source: str = ""
    confidence: str = ""


@dataclass(frozen=True)
class Company:
    """Who reports, and whom to ask."""

    name: str = ""
    contact_name: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    contact_address: str = ""


@dataclass(frozen=True)
class StepLine:
    """One step of a plan: what, where it stands, when it was finished."""

    title: str
    phase: str
    state: str
    finished_at: datetime | None = None
    mandatory: bool = False
    ref: str = ""
    due_at: datetime | None = None
    rule: str = ""


@dataclass(frozen=True)
class DutyLine:
    """One duty as found: what the law says, how it stands, by when and by which rule, and what became of it."""

    ref: str
    title: str
    law: str
    recipient: str
    cite: str
    state: str
    rule: str = ""
    due_at: datetime | None = None
    met_at: datetime | None = None
    late_seconds: int = 0
    reference: str = ""


@dataclass(frozen=True)
class NoticeLine:
    """One notice: where it stands, and how many it reached by each channel."""

    ref: str
    title: str
    state: str
    people: int = 0
    reached: int = 0
    first_sent_at: datetime | None = None
    channels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    simulated: int = 0
    states: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportLine:
    """One report to an authority that was filed."""

    ref: str
    title: str
    stage: str
    authority: str
    filed_at: datetime
    reference: str = ""


@dataclass(frozen=True)
class GradeLine:
    """One scale's grade that counts, as words of the scales, with its reasons; `chosen` by a person or only suggested."""

    scale: str
    level: str
    score: str = ""
    reasons: tuple[str, ...] = ()
    chosen: bool = True


@dataclass(frozen=True)
class EvidenceLine:
    """One piece of evidence: its reference, digest and size. Never its content."""

    ref: str
    description: str
    sha256: str
    size: int
    added_at: datetime


@dataclass(frozen=True)
class RemedyLine:
    """What was offered to people: for so many months, until that day; how many were given a code, and how many redeemed it."""

    ref: str
    name: str
    provider: str = ""
    months: int = 0
    until: str = ""
    given: int = 0
    redeemed: int = 0


@dataclass(frozen=True)
class ReviewLine:
    """One answer of the review after the incident."""

    label: str
    text: str


@dataclass(frozen=True)
class Seal:
    """The checkpoint of the record under which a document was made."""

    size: int
    root: str
    signed_at: datetime


@dataclass(frozen=True)
class Dossier:
    """One incident at one moment."""

    ref: str
    title: str
    kind: str
    category: str
    state: str
    opened_at: datetime
    made_at: datetime
    closed_at: datetime | None = None
    facts: Mapping[str, FactNow] = field(default_factory=dict)
    company: Company = Company()
    people_total: int = 0
    people_by_place: Mapping[str, int] = field(default_factory=dict)
    grades: tuple[GradeLine, ...] = ()
    steps: tuple[StepLine, ...] = ()
    duties: tuple[DutyLine, ...] = ()
    notices: tuple[NoticeLine, ...] = ()
    reports: tuple[ReportLine, ...] = ()
    remedies: tuple[RemedyLine, ...] = ()
    enquiries: Figures | None = None
    evidence: tuple[EvidenceLine, ...] = ()
    review: tuple[ReviewLine, ...] = ()
    factors: tuple[str, ...] = ()
    seal: Seal | None = None
    zone: tzinfo = UTC

    def known(self) -> Facts:
        """The facts alone, as rules take them."""
        return Facts({key: fact.value for key, fact in self.facts.items()})

    def value(self, key: str) -> Value | Unknown:
        """One fact's value; UNKNOWN if it was never recorded."""
        fact = self.facts.get(key)
        return fact.value if fact else UNKNOWN
