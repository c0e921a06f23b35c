"""Laws in ready words: by when, how well read, in force or not, whose file; for the pages of the library."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from incident.domain import lawbook, places
from incident.domain.clock import Limit
from incident.domain.laws import CHANNELS, FORMS, RECIPIENTS, Bound, Confidence, Deadline, Duty, Law, anchors
from incident.exports.clausewords import condition
from incident.web import board, findings
from incident.web.languages import Word, _, said

LENGTHS: Final[Mapping[str, Word]] = {
    "h": Word("%(amount)s h"),
    "min": Word("%(amount)s min"),
    "day": Word("%(amount)s day"),
    "days": Word("%(amount)s days"),
    "working day": Word("%(amount)s working day"),
    "working days": Word("%(amount)s working days"),
    "month": Word("%(amount)s month"),
    "months": Word("%(amount)s months"),
    "days after the end of the calendar year": Word("%(amount)s days after the end of the calendar year"),
}
"""A limit alone, by its noun (`domain/clock.py`)."""
LONG: Final[Mapping[str, tuple[Word, Word]]] = {
    "h": (Word("%(amount)s hour"), Word("%(amount)s hours")),
    "min": (Word("%(amount)s minute"), Word("%(amount)s minutes")),
}
SECTORS: Final = (
    *(Word("children"), Word("critical infrastructure"), Word("finance"), Word("government"), Word("health")),
    Word("telecom"),
)
STAGES: Final = (
    *(Word("assessment"), Word("early warning"), Word("final"), Word("incident notification"), Word("initial")),
    *(Word("intermediate"), Word("supplementary")),
)
SHORT_RECIPIENTS: Final = (
    *(Word("attorney general"), Word("authority"), Word("consumer reporting agencies"), Word("controller")),
    *(Word("customers"), Word("individuals"), Word("media"), Word("ourselves"), Word("police"), Word("public")),
)
WHERE: Final = Word("European Economic Area")
"""Names that law files give, as pages print them by `said`."""


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
    return str(said(law.authority if duty.to == "authority" else RECIPIENTS.get(duty.to, duty.to)))


def _short_clock(duty: Duty) -> str:
    """The first limit of a duty, with its recipient's word, such as "72 h (authority)"."""
    limits = [deadline.bound.limit for deadline in duty.deadlines if deadline.bound]
    return f"{_length(limits[0])} ({said(duty.to.replace('_', ' '))})" if limits else ""


def _length(limit: Limit) -> str:
    return _(LENGTHS[limit.noun], amount=f"{limit.amount:,}")


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
        f"{said(FORMS[duty.form.how])} {said(duty.form.name)}".strip() if duty.form else "",
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
    return _("%(words)s from when %(moment)s", words=_long(bound.limit), moment=said(anchors()[bound.anchor].moment))


def _long(limit: Limit) -> str:
    """A limit with its unit written out: 72 hours, where lists have room for 72 h only."""
    if limit.noun not in LONG:
        return _length(limit)
    one, many = LONG[limit.noun]
    return _(one if limit.amount == 1 else many, amount=f"{limit.amount:,}")


def _instead(by: Sequence[str], days: int, says: str) -> str:
    ways = _(" and ").join(said(CHANNELS[word]) for word in by)
    return _(
        "%(ways)s%(days)s%(says)s",
        ways=ways,
        days=_(", for at least %(days)s days", days=days) if days else "",
        says=f"{_(': ')}{said(says)}" if says else "",
    )
