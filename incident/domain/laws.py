"""What a law is made of: its duties, their deadlines, citations and exemptions; the moments and elements they name."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from incident.domain.clauses import Clause, always
from incident.domain.clock import Limit

HERE = Path(__file__).parent.parent

RECIPIENTS = {
    "authority": "the authority",
    "individuals": "the people concerned",
    "attorney_general": "the Attorney General",
    "consumer_reporting_agencies": "the consumer reporting agencies",
    "media": "the media",
    "controller": "the controller",
    "police": "the police",
    "customers": "customers and recipients of the service",
    "public": "the public",
    "ourselves": "our own register",
}
KINDS = {"law": "law", "contract": "contract"}
STAGES = (
    "",
    "assessment",
    "initial",
    "early_warning",
    "incident_notification",
    "supplementary",
    "intermediate",
    "final",
)


CHANNELS = {
    "letter": "letter",
    "email": "e-mail",
    "text": "text message",
    "call": "telephone call",
    "push": "message in the app",
    "in_person": "in person",
    "fax": "fax",
    "account": "message in the account",
    "website": "notice on the website",
    "media": "notice in the media",
}
FORMS = {
    "web": "web form",
    "email": "e-mail",
    "letter": "letter",
    "phone": "telephone",
    "fax": "fax",
    "portal": "portal of the authority",
    "any": "any form",
}


class Resume(StrEnum):
    """What becomes of a clock when law enforcement no longer asks for delay."""

    AT_ONCE = "at_once"
    AFRESH = "afresh"
    PAUSED = "paused"


class Confidence(StrEnum):
    """How well a duty has been read. Never above what was read."""

    VERIFIED = "verified"
    SECONDARY = "secondary"
    MEMORY = "memory"

    @property
    def words(self) -> str:
        """The badge beside a duty."""
        return {
            Confidence.VERIFIED: "read in the law or on the authority's page",
            Confidence.SECONDARY: "read in a secondary source: have counsel confirm",
            Confidence.MEMORY: "from memory: have counsel confirm",
        }[self]


@dataclass(frozen=True)
class Anchor:
    """A moment from which laws count."""

    key: str
    label: str
    moment: str
    words: tuple[str, ...]
    same: tuple[str, ...] = ()
    to_come: bool = False


@dataclass(frozen=True)
class Citation:
    """Where the law says so, and when somebody read it there (None: nobody has)."""

    place: str
    href: str
    read_on: date | None
    source: str = ""

    @property
    def read_at(self) -> str:
        """The page where the text was really read."""
        return self.source or self.href


@dataclass(frozen=True)
class Exemption:
    """A ground on which a duty falls away once it is shown, and what must be kept, and told to whom, to rely on it."""

    says: str
    when: Clause
    keep_years: int = 0
    keep: str = ""
    tell: str = ""


@dataclass(frozen=True)
class Channel:
    """A way in which a notice may go; `says` is the law's condition for it."""

    by: str
    says: str = ""

    @property
    def label(self) -> str:
        """The way in words."""
        return CHANNELS[self.by]


@dataclass(frozen=True)
class Substitute:
    """Notice in place of telling each person: all ways of `by` together, `days` of posting, where `when` is shown.

    `contents` are elements that such a notice must hold beside those of the duty.
    """

    when: Clause
    by: tuple[str, ...]
    days: int = 0
    says: str = ""
    contents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """How a report reaches its recipient: a form or an address that the authority asks for."""

    how: str
    name: str = ""
    href: str = ""


@dataclass(frozen=True)
class Hold:
    """Whether law enforcement can make this notice wait, and how its clock goes on afterwards."""

    allowed: bool = True
    resume: Resume = Resume.AT_ONCE
    says: str = ""


@dataclass(frozen=True)
class Bound:
    """A limit from an anchor."""

    anchor: str
    limit: Limit
    lifted_if_later: bool = False
    only_if_past: bool = False


@dataclass(frozen=True)
class Deadline:
    """By when: a limit from an anchor, or the time of another duty, or only words. Several are tried in their order.

    `guideline` is what the authority advises where the law gives no time; it never makes anything due.
    """

    words: str = ""
    bound: Bound | None = None
    caps: tuple[Bound, ...] = ()
    extension: Bound | None = None
    later: Bound | None = None
    with_duty: str = ""
    guideline: Bound | None = None
    when: Clause = always
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Service:
    """What must be offered to people, and for how long."""

    what: str
    months: int
    when: Clause


@dataclass(frozen=True)
class Duty:
    """One thing a law makes us do."""

    id: str
    law: str
    title: str
    to: str
    names: frozenset[str]
    when: Clause
    unless: tuple[Exemption, ...]
    deadlines: tuple[Deadline, ...]
    cite: Citation
    confidence: Confidence
    since: date | None
    until: date | None
    stage: str = ""
    voluntary: bool = False
    before: str = ""
    contents: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    note: str = ""
    channels: tuple[Channel, ...] = ()
    substitute: tuple[Substitute, ...] = ()
    language: tuple[str, ...] = ()
    form: Form | None = None
    guardian_under: int = 0
    hold: Hold = Hold(allowed=False)

    @cached_property
    def ref(self) -> str:
        """The name of this duty among all laws, such as EU-GDPR/tell-authority."""
        return f"{self.law}/{self.id}"


@dataclass(frozen=True)
class Law:
    """One law file."""

    id: str
    name: str
    short: str
    place: str
    zone: ZoneInfo
    calendar: str
    authority: str
    scope: Clause
    trigger: Clause
    duties: tuple[Duty, ...]
    digest: str
    status: str = ""
    in_force: bool = True
    path: str = ""
    reading: str = ""
    sector: str = ""
    guardian_under: int = 0
    kind: str = "law"
    overrules: str = ""
    overrules_because: str = ""
    overruled: str = ""

    @property
    def own(self) -> bool:
        """Whether it is a file of the user; no law of the library has such an id."""
        return self.id.startswith("OWN-")

    @cached_property
    def in_order(self) -> tuple[Duty, ...]:
        """The duties, those first to which others refer."""
        return tuple(sorted(self.duties, key=lambda duty: any(deadline.with_duty for deadline in duty.deadlines)))

    def duty(self, id_: str) -> Duty | None:
        """The duty of that name."""
        return next((duty for duty in self.duties if duty.id == id_), None)


@dataclass(frozen=True)
class Lawbook:
    """All laws, by id."""

    laws: Mapping[str, Law] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Law]:
        return iter(self.laws.values())

    def __len__(self) -> int:
        return len(self.laws)

    def __contains__(self, law: object) -> bool:
        return law in self.laws

    def __getitem__(self, law: str) -> Law:
        return self.laws[law]

    def duty(self, ref: str) -> Duty | None:
        """The duty with this reference, such as EU-GDPR/tell-authority; None if no law has it any more."""
        law, _, duty = ref.partition("/")
        return self.laws[law].duty(duty) if law in self.laws else None

    @cached_property
    def digest(self) -> str:
        """One digest over paths and bytes of all files: SHA-256 over a line each, as `sha256sum` writes it."""
        lines = sorted((law.path, law.digest) for law in self)
        return hashlib.sha256("".join(f"{digest}  {path}\n" for path, digest in lines).encode()).hexdigest()


@cache
def anchors() -> Mapping[str, Anchor]:
    """The moments from which laws count, by their fact."""
    raw = tomllib.loads((HERE / "anchors.toml").read_text(encoding="utf-8"))
    return {
        row["key"]: Anchor(
            row["key"],
            row["label"],
            row["moment"],
            tuple(row["words"]),
            tuple(row.get("same", ())),
            row.get("to_come", False),
        )
        for row in raw["anchor"]
    }


@cache
def elements() -> Mapping[str, str]:
    """What a notice or report may have to say: word and label."""
    raw = tomllib.loads((HERE / "elements.toml").read_text(encoding="utf-8"))
    return {row["word"]: row["label"] for row in raw["element"]}
