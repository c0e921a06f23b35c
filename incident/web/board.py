"""The board of one incident's duties: what the reader asked to see of them, in which order, the many same ones folded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from incident.domain import lawbook, places
from incident.domain.clock import NEVER
from incident.domain.dues import ClockState
from incident.domain.lawbook import RECIPIENTS, Confidence, Duty, Law
from incident.domain.obligations import Standing
from incident.store.obligations import FindingRow
from incident.web import findings, marks
from incident.web.languages import Word, _

VIEWS = {
    "owed": Word("Owed"),
    "open": Word("Open"),
    "not_owed": Word("Not owed"),
    "settled": Word("Met and waived"),
    "all": Word("All"),
}
ORDER = (
    ClockState.RUNNING,
    ClockState.DATE_MISSING,
    ClockState.NONE_IN_LAW,
    ClockState.ON_HOLD,
    ClockState.NOT_STARTED,
)
MANY = 4
"""From so many duties on, one fold stands for those that differ in nothing but the state or province."""


@dataclass(frozen=True)
class Sought:
    """What the reader wants to see: empty words ask for everything."""

    only: str = "owed"
    q: str = ""
    to: str = ""
    place: str = ""
    law: str = ""
    confidence: str = ""
    fold: str = "yes"

    def but(self, **changes: str) -> dict[str, Any]:
        """The same as arguments of an address, with changes; what is as usual is left out."""
        said = {one.name: getattr(self, one.name) for one in fields(self)} | changes
        usual = Sought()
        return {name: word for name, word in said.items() if word != getattr(usual, name) or name == "only"}

    @property
    def narrowed(self) -> bool:
        """Whether anything but the standing is asked for."""
        return any((self.q, self.to, self.place, self.law, self.confidence))


def sought(args: Mapping[str, str]) -> Sought:
    """What an address asks for; a word that nobody offers asks for nothing."""
    given = {one.name: args.get(one.name, "").strip()[:100] for one in fields(Sought)}
    return Sought(
        only=given["only"] if given["only"] in VIEWS else "owed",
        q=given["q"],
        to=given["to"] if given["to"] in RECIPIENTS else "",
        place=given["place"],
        law=given["law"],
        confidence=given["confidence"] if given["confidence"] in set(Confidence) else "",
        fold="no" if given["fold"] == "no" else "yes",
    )


def kept(rows: Iterable[FindingRow], asked: Sought) -> list[FindingRow]:
    """The findings that fit all that was asked for but the standing."""
    return [row for row in rows if _fits(row, asked)] if asked.narrowed else list(rows)


def _fits(row: FindingRow, asked: Sought) -> bool:
    law, duty = _law_and_duty(row)
    return (
        asked.to in {"", row.to}
        and asked.law in {"", row.law}
        and asked.confidence in {"", duty.confidence if duty else ""}
        and (not asked.place or (law is not None and _lies_in(law.place, asked.place)))
        and all(part in _haystack(row, law, duty) for part in asked.q.lower().split())
    )


def _law_and_duty(row: FindingRow) -> tuple[Law | None, Duty | None]:
    book = lawbook.library()
    return book.laws.get(row.law), book.duty(row.duty)


def _lies_in(place: str, region: str) -> bool:
    return place == region or place.startswith(f"{region}-")


def _haystack(row: FindingRow, law: Law | None, duty: Duty | None) -> str:
    named = (law.name, law.short, law.authority, places.named(law.place), country(law.place)) if law else ()
    return " ".join((row.title, row.duty, row.ref, row.wave, duty.cite.place if duty else "", *named)).lower()


def country(code: str) -> str:
    """The name of the country (or the group of countries) of a place, as a heading."""
    name = places.named(code.partition("-")[0]).removeprefix("the ")
    return name[:1].upper() + name[1:]


def is_in(row: FindingRow, only: str) -> bool:
    """Whether a finding belongs to a view."""
    return only in ("all", view_of(row))


def view_of(row: FindingRow) -> str:
    """The view that shows a finding, but for the one that shows all."""
    if row.state in findings.SETTLED:
        return "settled"
    return "owed" if row.standing == "advised" else row.standing


def by_due(row: FindingRow) -> tuple[int, datetime, str]:
    """Dated ones first; then those to do at once though the law names no time; last those whose clock has not started."""
    if row.standing == Standing.NOT_OWED:
        return len(ORDER) + 1, NEVER, row.duty
    return (0 if row.due_at else 1 + ORDER.index(ClockState(row.clock))), row.due_at or NEVER, row.duty


@dataclass(frozen=True)
class Item:
    """One line of the board: a duty, or many that differ only in their state or province."""

    rows: Sequence[FindingRow]
    title: str = ""

    @property
    def key(self) -> str:
        """Names the item in an address."""
        return self.rows[0].ref


def items(rows: Iterable[FindingRow], *, fold: bool, now: datetime) -> list[Item]:
    """The findings in their order; folded at the place of the first of each fold."""
    ordered = sorted(rows, key=by_due)
    alike: dict[Any, list[FindingRow]] = {}
    for row in ordered:
        alike.setdefault(_likeness(row, now) if fold else row.ref, []).append(row)
    found: list[Item] = []
    for held in alike.values():
        if len(held) >= MANY:
            found.append(Item(held, _fold_title(held)))
        else:
            found.extend(Item((row,)) for row in held)
    return sorted(found, key=lambda item: by_due(item.rows[0]))


def _likeness(row: FindingRow, now: datetime) -> Any:
    """What those that may be folded have in common; a late one stands alone, for it must be seen."""
    law, _ = _law_and_duty(row)
    mark = marks.look(row, now)
    if law is None or "-" not in law.place or mark == "late":
        return row.ref
    return law.place.partition("-")[0], row.to, mark, row.state, row.wave


def _fold_title(held: Sequence[FindingRow]) -> str:
    law, __ = _law_and_duty(held[0])
    where = country(law.place) if law else ""
    verb = _("Report to") if held[0].to == "authority" else _("Tell")
    wave = f", {held[0].wave}" if held[0].wave else ""
    return _(
        "%(verb)s %(recipients)s: %(held)s laws of states (%(where)s%(wave)s)",
        verb=verb,
        recipients=RECIPIENTS[held[0].to],
        held=len(held),
        where=where,
        wave=wave,
    )


@dataclass(frozen=True)
class Facets:
    """What the filters offer: only what this incident's duties have, with how often."""

    to: Sequence[tuple[str, str]]
    places: Sequence[tuple[str, str]]
    confidence: Sequence[tuple[str, str]]


def facets(rows: Iterable[FindingRow]) -> Facets:
    """The filters' words, by name."""
    book = lawbook.library()
    held = list(rows)
    laws = [law for row in held if (law := book.laws.get(row.law))]
    known = {law.place for law in laws} | {law.place.partition("-")[0] for law in laws}
    recipients = {row.to for row in held}
    return Facets(
        to=[(word, label) for word, label in RECIPIENTS.items() if word in recipients],
        places=sorted(((code, _place_label(code)) for code in known), key=lambda one: one[1]),
        confidence=[(word.value, findings.CONFIDENCE_WORDS[word]) for word in Confidence],
    )


def _place_label(code: str) -> str:
    return places.named(code) if "-" not in code else f"{country(code)}: {places.named(code)}"


def counted(rows: Iterable[FindingRow]) -> dict[str, int]:
    """How many findings stand: by standing for those not settled, and how many are met or waived."""
    found = {"owed": 0, "advised": 0, "open": 0, "not_owed": 0, "met": 0, "waived": 0}
    for row in rows:
        found[row.state if row.state in findings.SETTLED else row.standing] += 1
    return found
