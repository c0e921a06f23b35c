"""Privilege: what is marked as said to or by counsel, on which ground, and what the privilege log tells of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from incident.domain.errors import Invalid, Refused

LONGEST: Final = 500


class Kind(StrEnum):
    """What can be marked."""

    NOTE = "note"
    EVIDENCE = "evidence"
    FACT = "fact"
    REPORT = "report"
    REVIEW = "review"


class Basis(StrEnum):
    """On which ground an item is withheld."""

    ATTORNEY_CLIENT = "attorney_client"
    WORK_PRODUCT = "work_product"
    COMMON_INTEREST = "common_interest"
    OTHER = "other"


BASES: Final[dict[str, str]] = {
    Basis.ATTORNEY_CLIENT: "between a lawyer and those the lawyer advises",
    Basis.WORK_PRODUCT: "prepared for or in view of proceedings",
    Basis.COMMON_INTEREST: "shared with others of the same legal interest",
    Basis.OTHER: "on another ground, named in the description",
}


@dataclass(frozen=True)
class Marked:
    """One item that is marked now."""

    ref: str
    kind: Kind
    item: str
    basis: Basis
    description: str
    at: datetime
    by: str


def description(text: str) -> str:
    """Return what the log says of the item, without what makes it privileged. Raises Invalid."""
    words = " ".join(text.replace("\0", "").split())
    if not words:
        raise Invalid("description", "Say in a few words what it is, as the log may tell it to the other side.")
    if len(words) > LONGEST:
        raise Invalid("description", f"At most {LONGEST} characters.")
    return words


def kind_and_basis(kind: str, basis: str) -> tuple[Kind, Basis]:
    """Return both as words of the lists. Raises Invalid."""
    if kind not in set(Kind):
        raise Invalid("kind", "Notes, evidence, facts, reports and the review can be marked.")
    if basis not in set(Basis):
        raise Invalid("basis", "Choose on which ground it is withheld.")
    return Kind(kind), Basis(basis)


def demand_not_marked(marked: Collection[str], report: str) -> None:
    """Raises Refused for a draft that is marked: whoever files it lifts the mark first, on purpose."""
    if report in marked:
        raise Refused("This draft is marked as privileged. Lift the mark before it goes to an authority.")


def demand_not_filed(state: str) -> None:
    """Raises Refused for a report that an authority has: what was handed over is not withheld any more."""
    if state != "draft":
        raise Refused("This report was filed. What an authority has cannot be withheld by a mark.")


QUOTING: Final[Mapping[str, tuple[Mapping[str, Any], str, Mapping[str, Any]]]] = {
    # table: what may quote any fact, emptied; the column that names the fact its times are counted from, and what tells them
    "finding": (
        {"because": [], "doubts": [], "since_then": {}},
        "anchor",
        {"clock_words": "", "start": "", "due_at": None, "was_due_at": None, "remind_at": None, "late_seconds": None},
    ),
    "grade": ({"inputs": {}, "reasons": []}, "", {}),
    "step": ({}, "due_from", {"due_words": "", "due_at": None}),
}
"""Where what was worked out from facts says their values."""


def unquoted(table: str, row: Mapping[str, Any], marked: Collection[str]) -> dict[str, Any]:
    """The row without what would tell the value of a marked fact: its reasons, and times counted from such a fact."""
    if not marked or table not in QUOTING:
        return dict(row)
    reasons, anchor, times = QUOTING[table]
    return {**row, **reasons, **(times if anchor and row[anchor] in marked else {})}
