"""All that a law asks of one duty, held against what is known: ways to tell, substitute notice, exceptions, services, stages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from incident.domain import clauses
from incident.domain.answers import Truth
from incident.domain.facts import Facts, vocabulary
from incident.domain.laws import CHANNELS, FORMS, RECIPIENTS, Duty, Exemption, Law, Substitute
from incident.store.obligations import FindingRow
from incident.store.reports import Report
from incident.web import findings
from incident.web.findings import Shown
from incident.web.languages import Word, _

LANGUAGES = {
    "en": Word("English"),
    "fr": Word("French"),
    "de": Word("German"),
    "es": Word("Spanish"),
    "zh": Word("Chinese"),
    "pt": Word("Portuguese"),
}


@dataclass(frozen=True)
class Held:
    """One ground or condition of the law, held against the facts."""

    says: str
    truth: str
    because: Sequence[str]
    wants: Sequence[dict[str, str]]
    keep: str = ""


@dataclass(frozen=True)
class Instead:
    """Substitute notice: how, for how long, and whether the facts allow it."""

    held: Held
    by: str
    days: int


@dataclass(frozen=True)
class Details:
    """What a page says of a duty beside its finding."""

    ways: Sequence[tuple[str, str]] = ()
    instead: Sequence[Instead] = ()
    exceptions: Sequence[Held] = ()
    services: Sequence[tuple[str, int, str]] = ()
    languages: Sequence[str] = ()
    form: tuple[str, str, str] | None = None
    guardians: str = ""
    stages: Sequence[Shown] = ()
    filed: Sequence[Report] = field(default_factory=tuple)


def of(one: Shown, facts: Facts, rows: Iterable[FindingRow], filed: Iterable[Report], now: datetime) -> Details:
    """The details of one finding; `rows` are the incident's findings, `filed` its reports."""
    law, duty = one.law, one.duty
    if law is None or duty is None:
        return Details()
    return Details(
        ways=[(way.label, way.says) for way in duty.channels],
        instead=[_instead(substitute, facts) for substitute in duty.substitute],
        exceptions=[_exception(exemption, facts) for exemption in duty.unless],
        services=[
            (_words(service.what), service.months, _truth(service.when, facts).truth) for service in duty.services
        ],
        languages=[LANGUAGES.get(code, code) for code in duty.language],
        form=(FORMS[duty.form.how], duty.form.name, duty.form.href) if duty.form else None,
        guardians=_guardians(law, duty, facts),
        stages=[findings.shown(row, now) for row in _stages(one.row, duty, rows)],
        filed=[report for report in filed if report.duty == one.row.duty],
    )


def _truth(when: clauses.Clause, facts: Facts, says: str = "", keep: str = "") -> Held:
    answer = when(facts)
    return Held(says, answer.truth.value, answer.because, [_ask(key) for key in answer.wants], keep)


def _ask(key: str) -> dict[str, str]:
    return {"key": key, "label": vocabulary()[key].label if key in vocabulary() else key}


def _instead(substitute: Substitute, facts: Facts) -> Instead:
    ways = [CHANNELS[word] for word in substitute.by]
    return Instead(_truth(substitute.when, facts, substitute.says), " and ".join(ways), substitute.days)


def _exception(exemption: Exemption, facts: Facts) -> Held:
    return _truth(exemption.when, facts, exemption.says, _kept(exemption))


def _kept(exemption: Exemption) -> str:
    """What one must keep, and tell to whom, to rely on an exception."""
    years = _(" for %(keep_years)s years", keep_years=exemption.keep_years) if exemption.keep_years else ""
    keep = (
        _("Keep %(keep)s%(years)s.", keep=exemption.keep or "the reasons in writing", years=years)
        if exemption.keep or years
        else ""
    )
    tell = _("Tell %(tell)s.", tell=RECIPIENTS.get(exemption.tell, exemption.tell)) if exemption.tell else ""
    return f"{keep} {tell}".strip()


def _guardians(law: Law, duty: Duty, facts: Facts) -> str:
    """Who is told through a guardian, where the law says so and children are, or may be, among the people."""
    age = duty.guardian_under or law.guardian_under
    if not age or duty.to != "individuals" or facts["minors"] is False:
        return ""
    youngest = facts["youngest_age"]
    if isinstance(youngest, int) and youngest >= age:
        return ""
    among = "" if facts["minors"] is True else _(" Whether children are among the people is not known yet.")
    return _("People under %(age)s are told through a parent or guardian.%(among)s", age=age, among=among)


def _stages(row: FindingRow, duty: Duty, rows: Iterable[FindingRow]) -> list[FindingRow]:
    """The duties of the same law that belong to the same report, in their order of time; none if it stands alone."""
    book = {other.duty: other for other in rows if (other.law, other.to, other.wave) == (row.law, row.to, row.wave)}
    if not duty.stage or len(book) < 2:
        return []
    return sorted(book.values(), key=lambda other: (other.due_at is None, other.due_at or other.made_at, other.id))


def _words(what: str) -> str:
    return what.replace("_", " ").replace("id theft", "identity theft")


OPEN = Truth.OPEN.value
