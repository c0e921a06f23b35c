"""What a proof of notice says of one person: each attempt to tell them, and where the record shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from incident.domain.audit import PROOF_FORMAT, STEPS, addressed, path_in, root_of

STEP_WORDS = {
    "listed": "put on the list",
    "followed": "given this attempt after an earlier one",
    "handed over": "batch begun to be handed over",
    "settled": "answers of the batch written down",
    "in doubt": "batch in doubt",
    "reported": "the provider's report taken in",
}
SALT_BYTES = 32


@dataclass(frozen=True)
class Step:
    """What one line shows of one delivery: its entry in the batch, and the hashes that lead to the root in the line."""

    what: str
    line: int
    at: str
    entry: str
    index: int
    size: int
    path: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """As docs/record.md has it; the time stands in the line."""
        own = {name: getattr(self, name) for name in ("what", "line", "entry", "index", "size")}
        return own | {"path": list(self.path)}


@dataclass(frozen=True)
class Sent:
    """The letters that were handed over, the address they went to, and the salt under which it is told."""

    to: str
    salt: bytes
    subject: str
    text: str
    html: str
    language: str

    def address(self) -> dict[str, str]:
        """The address as a digest: whoever knows it can compare."""
        return {"salt": self.salt.hex(), "sha256": addressed(self.salt.hex(), self.to)}


@dataclass(frozen=True)
class Heard:
    """One report of the provider, as it was taken in."""

    id: str
    provider: str
    status: str
    reason: str
    code: str
    happened_at: datetime | None
    received_at: datetime
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Attempt:
    """One attempt to tell the person, by one channel."""

    ref: str
    sending: str
    simulated: bool
    notice: str
    version: int
    approved_digest: str
    channel: str
    attempt: int
    language: str
    state: str
    reason: str
    code: str
    provider: str
    provider_id: str
    listed_at: datetime
    handed_over_at: datetime | None
    answered_at: datetime | None
    sent: Sent | None = field(repr=False)
    heard: Sequence[Heard]
    steps: Sequence[Step]
    not_shown: Sequence[str]


@dataclass(frozen=True)
class Proof:
    """All attempts to tell one person, oldest first."""

    incident: str
    kind: str
    person: str
    log: str
    made_at: datetime
    attempts: Sequence[Attempt]

    @property
    def lines(self) -> frozenset[int]:
        """The lines of the record that its steps name."""
        return frozenset(step.line for attempt in self.attempts for step in attempt.steps)


def step(what: str, line: int, at: str, digest: object, entries: Sequence[str], ref: str) -> Step | None:
    """The step by which a line shows the delivery `ref`; None where these are not the entries whose root the line holds."""
    index = next((place for place, entry in enumerate(entries) if entry.startswith(f"{ref} ")), None)
    raw = [entry.encode() for entry in entries]
    if what not in STEPS or index is None or root_of(raw).hex() != digest:
        return None
    path = tuple(node.hex() for node in path_in(raw, index))
    return Step(what, line, at, entries[index], index, len(entries), path)


def data(proof: Proof) -> dict[str, Any]:
    """proof.json, as docs/record.md has it."""
    return {
        "deliveries": [_attempt(one) for one in proof.attempts],
        "format": PROOF_FORMAT,
        "incident": proof.incident,
        "kind": proof.kind,
        "log": proof.log,
        "made_at": _instant(proof.made_at),
        "person": proof.person,
    }


PLAIN = (
    "ref", "sending", "simulated", "notice", "version", "approved_digest", "channel", "attempt", "language", "state",
    "reason", "code", "provider", "provider_id",
)  # fmt: skip


def _attempt(one: Attempt) -> dict[str, Any]:
    sent = one.sent
    return {
        **{name: getattr(one, name) for name in PLAIN},
        **{name: _instant(getattr(one, name)) for name in ("listed_at", "handed_over_at", "answered_at")},
        "address": sent.address() if sent else None,
        "text": {name: whole(getattr(sent, name)) for name in ("subject", "text", "html", "language")}
        if sent
        else None,
        "events": [_heard(report) for report in one.heard],
        "steps": [found.data() for found in one.steps],
        "not_shown": list(one.not_shown),
    }


def _heard(report: Heard) -> dict[str, Any]:
    words = {name: whole(getattr(report, name)) for name in ("id", "provider", "status", "reason", "code")}
    times = {name: _instant(getattr(report, name)) for name in ("happened_at", "received_at")}
    return words | times | {"fields": {whole(key): whole(str(value)) for key, value in report.fields.items()}}


def whole(text: str) -> str:
    """The text without halves of letters, which no UTF-8 can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def _instant(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
