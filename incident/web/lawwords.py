"""Laws in ready words: by when, how well read, in force or not, whose file; for the pages of the library."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from incident.domain import lawbook, places
from incident.domain.laws import CHANNELS, FORMS, RECIPIENTS, Bound, Confidence, Deadline, Duty, Law, anchors
from incident.exports.clausewords import condition
from incident.web import board, findings
from incident.web.languages import _, said


@dataclass(frozen=True)
class LawRow:
    """One law as a row of the library."""

    law: Law
    country: str
    place: str
    recipients: str
    clocks: str
    confidence: Sequence[tuple[str, str, int]]
    badges: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class DutyWords:
    """One duty of a law in words."""

    duty: Duty
    to: str
    clocks: Sequence[str]
    confidence: tuple[str, str, str]
    contents: Sequence[str]
    forbidden: Sequence[str]
    ways: Sequence[tuple[str, str]]
    instead: Sequence[str]
    form: str


@dataclass(frozen=True)
class Conditions:
    """When a law applies and its duties are owed, in words: to whom it speaks, what sets it off, and each duty's own condition."""

    scope: str = ""
    trigger: str = ""
    duties: Mapping[str, str] = field(default_factory=dict)
    shared: Sequence[tuple[str, str]] = ()


def conditions(law: Law, text: str) -> Conditions:
    """The conditions of a law file; nothing where its text is not at hand."""
    raw = tomllib.loads(text) if text else {}
    return Conditions(
        condition(raw.get("scope"), law.place, said),
        condition(raw.get("trigger"), law.place, said),
        {str(duty.get("id")): condition(duty.get("when"), law.place, said) for duty in raw.get("duty", ())},
        [(str(one.get("says", "")), condition(one.get("when"), law.place, said)) for one in raw.get("unless", ())],
    )


def row(law: Law) -> LawRow:
    """The law as a row."""
    told = list(dict.fromkeys(recipient(duty, law) for duty in law.duties))
    clocks = [words for duty in law.duties for words in (_short_clock(duty),) if words]
    return LawRow(
        law,
        board.country(law.place),
        places.named(law.place) if "-" in law.place else board.country(law.place),
        _(", ").join(said(one) for one in told),
        _("; ").join(dict.fromkeys(clocks)),
        confidences(law.duties),
        badges(law),
    )


def confidences(duties: Iterable[Duty]) -> list[tuple[str, str, int]]:
    """How many duties were read how well: word, tone, number."""
    counted = Counter(duty.confidence for duty in duties)
    return [
        (findings.CONFIDENCE_WORDS[word], findings.CONFIDENCE_TONES[word], counted[word])
        for word in Confidence
        if counted[word]
    ]


def badges(law: Law) -> list[tuple[str, str, str]]:
    """What is special of a law: word, tone, and what it means."""
    found: list[tuple[str, str, str]] = []
    if law.own:
        found.append((_("your own file"), "owed", _("From a law file of this installation, not from the library.")))
    if law.kind != "law":
        found.append((law.kind, "idle", _("A duty by contract, not by law.")))
    if law.overruled:
        found.append(("overruled", "late", law.overruled))
    if not law.in_force:
        found.append((_("not in force"), "idle", law.status or _("It does not apply yet, or no longer.")))
    if law.sector:
        found.append((law.sector.replace("_", " "), "idle", _("Only for this sector.")))
    return found


def recipient(duty: Duty, law: Law) -> str:
    """To whom a duty is, by name where it is the law's authority."""
    return law.authority if duty.to == "authority" else said(RECIPIENTS.get(duty.to, duty.to))


def _short_clock(duty: Duty) -> str:
    """The first limit of a duty, with its recipient's word, such as "72 h (authority)"."""
    limits = [deadline.bound.limit.words() for deadline in duty.deadlines if deadline.bound]
    return f"{said(limits[0])} ({said(duty.to.replace('_', ' '))})" if limits else ""


def duty_words(duty: Duty, law: Law) -> DutyWords:
    """One duty in words."""
    known = lawbook.elements()
    own = duty.confidence
    return DutyWords(
        duty,
        recipient(duty, law),
        [clock(deadline, law) for deadline in duty.deadlines] or [_("no deadline in law")],
        (findings.CONFIDENCE_WORDS[own], findings.CONFIDENCE_TONES[own], own.words),
        [known[word] for word in duty.contents],
        [known[word] for word in duty.forbidden],
        [(way.label, way.says) for way in duty.channels],
        [_instead(other.by, other.days, other.says) for other in duty.substitute],
        f"{FORMS[duty.form.how]} {duty.form.name}".strip() if duty.form else "",
    )


def clock(deadline: Deadline, law: Law) -> str:
    """One alternative of a clock in words."""
    parts = []
    if deadline.bound:
        parts.append(_bound(deadline.bound))
    elif deadline.with_duty:
        other = law.duty(deadline.with_duty)
        parts.append(_("not later than “%(title)s”", title=said(other.title) if other else deadline.with_duty))
    else:
        parts.append(_("no deadline in law"))
    parts += [_("at the latest %(bound)s", bound=_bound(cap)) for cap in deadline.caps]
    parts += [_("or %(bound)s, if later", bound=_bound(deadline.later))] if deadline.later else []
    parts += [_("%(bound)s more", bound=_bound(deadline.extension))] if deadline.extension else []
    parts += [_("the authority advises %(bound)s", bound=_bound(deadline.guideline))] if deadline.guideline else []
    words = f" ({said(deadline.words)})" if deadline.words else ""
    since = _(", from %(day)s", day=_day(deadline.since)) if deadline.since else ""
    until = _(", until %(day)s", day=_day(deadline.until)) if deadline.until else ""
    return f"{_('; ').join(parts)}{words}{since}{until}"


def _day(day: date) -> str:
    return str(said(f"{day.day} {day:%b %Y}"))


def _bound(bound: Bound) -> str:
    return _("%(words)s from “%(label)s”", words=said(bound.limit.words()), label=said(anchors()[bound.anchor].label))


def _instead(by: Sequence[str], days: int, says: str) -> str:
    ways = _(" and ").join(said(CHANNELS[word]) for word in by)
    return _(
        "%(ways)s%(days)s%(says)s",
        ways=ways,
        days=_(", for at least %(days)s days", days=days) if days else "",
        says=f"{_(': ')}{said(says)}" if says else "",
    )
