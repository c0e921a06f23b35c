"""Erasing what can identify people: who may decide it, what stops it, and what the certificate says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from incident.domain.audit import canonical
from incident.domain.errors import Invalid, Refused

FORMAT: Final = "tocsin-erasure-1"
LONGEST_REASON: Final = 2_000
LEAST_REASON: Final = 8
WHY: Final = {
    "request": "the person asked for it",
    "purpose": "nothing needs it any more",
    "retention": "its time to be kept is over",
    "order": "an authority or a court ordered it",
    "mistake": "it should never have been here",
}
"""The reasons for which data is erased, and the words for them; the record keeps the word on the left."""
PERSON_GOES: Final = (
    ("person", "contact record", "name, addresses, numbers, references and all other columns of the list"),
    ("person_past", "earlier forms", "what the record said before corrections, with the reasons for them"),
    ("person_mark", "blind indexes", "by which the person could be found again"),
    ("sandbox_message", "messages kept by the sandbox", "with address and text"),
    ("enquiry", "enquiries", "who asked, and every word of theirs and ours"),
    ("remedy_code", "codes of remedies", "the person's own codes, by which a service is redeemed"),
    ("person_import", "lists as files", "the files of lists, by which the person came, that had been taken in"),
    (
        "letter_batch",
        "printed letters as files",
        "print files that a letter to the person stood in, and that were posted",
    ),
    ("unsent_form", "forms that came late", "forms about the incident that had arrived after a session had ended"),
    ("repeat", "kept answers", "answers that were kept for programs, in case they ask again"),
)
PERSON_STAYS: Final = (
    ("person", "the number, with place, language, kinds of data and age group, by which counts are made"),
    ("delivery", "what became of each message to the number: channel, times, state, the provider's own number"),
    ("call_attempt", "notes on calls, sealed by the key of the incident, until that is destroyed"),
    ("delivery_remark", "remarks on deliveries, sealed by the key of the incident, until that is destroyed"),
    ("audit_line", "lines of the record: references, digests and times"),
)
INCIDENT_STAYS: Final = (
    ("person", "numbers, with place, language, kinds of data and age group, by which counts are made"),
    ("delivery", "what became of each message to each number: channel, times, state, the provider's own number"),
    ("notice_version", "the texts that were approved, with empty places for names"),
    ("fact", "facts that are numbers, times, places or choices"),
    ("finding", "what was owed, why, by when and when it was met"),
    ("report", "that it was filed: form, stage, authority, times, and the digests of what it said"),
    ("report_receipt", "the authority's reference"),
    ("evidence", "the digests and sizes of what was kept"),
    ("audit_line", "lines of the record: references, digests and times"),
)


class State(StrEnum):
    """Where an erasure stands."""

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True)
class Gone:
    """One kind of thing that was destroyed: where it stood, how many there were, and their digests where they had some."""

    table: str
    what: str
    count: int
    digests: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the certificate holds it."""
        told: dict[str, Any] = {"count": self.count, "table": self.table, "what": self.what}
        return told | ({"sha256": list(self.digests)} if self.digests else {})


def reason(word: str) -> str:
    """The word of a reason. Raises Invalid."""
    if word not in WHY:
        raise Invalid("why", "Say why it is erased.")
    return word


def demand_typed(typed: str, ref: str) -> None:
    """Raises Invalid unless the reference was typed again."""
    if typed.strip() != ref:
        raise Invalid("confirm", f"Type the reference {ref} to confirm.")


def demand_free(hold: str | None) -> None:
    """Raises Refused while a hold stands; `hold` is its reason."""
    if hold is not None:
        raise Refused(f"A legal hold stands over this incident, so nothing of it is erased. Its reason: {hold}")


def demand_second(actor: str, *, asked_by: str) -> None:
    """Raises Refused for whoever asked: another person has to agree."""
    if actor == asked_by:
        raise Refused("You asked for this erasure, so somebody else has to agree to it.")


def hold_reason(field: str, text: str) -> str:
    """The words for which a hold is placed or lifted. Raises Invalid."""
    words = text.replace("\0", "").strip()
    if len(words) < LEAST_REASON:
        raise Invalid(field, "Say in a sentence why; it is shown to everybody who wants to erase something.")
    if len(words) > LONGEST_REASON:
        raise Invalid(field, f"At most {LONGEST_REASON:,} characters.")
    return words


def body(
    *, ref: str, incident: str, person: str, why: str, asked: tuple[str, str], decided: tuple[str, str],
    gone: Sequence[Gone], stays: Sequence[tuple[str, str, int | None]],
) -> dict[str, Any]:  # fmt: skip
    """What happened, as plain values: the part of a certificate that the record's line has the digest of."""
    return {
        "asked": {"at": asked[1], "by": asked[0]},
        "decided": {"at": decided[1], "by": decided[0]},
        "erasure": ref,
        "format": FORMAT,
        "gone": [one.to_json() for one in gone],
        "incident": incident,
        "person": person,
        "stays": [{"count": count, "table": table, "what": what} for table, what, count in stays],
        "why": why,
    }


def digest(of: Mapping[str, Any]) -> str:
    """The SHA-256 (hex) that the record's line has of a certificate's body."""
    return sha256(canonical(dict(of)).encode()).hexdigest()


def certificate(of: Mapping[str, Any], *, log: str, line: int, leaf: str, lines: tuple[int, int, int]) -> str:
    """The whole certificate as canonical JSON: the body, and where the record speaks of it.

    `line` is the number of the line of this erasure and `leaf` its hash; `lines` are the first and the last line about the
    incident and how many there are, all of which stay.
    """
    first, last, count = lines
    record = {"count": count, "first": first, "last": last, "leaf": leaf, "line": line, "log": log}
    return canonical({"body": dict(of), "digest": digest(of), "record": record})
