"""Case files: described incidents with the answers a law gives, compared with ours. One verdict a case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from incident.domain import grading
from incident.domain.clock import Calendar, end_of
from incident.domain.described import Unsupported, facts_of, words
from incident.domain.errors import Invalid
from incident.domain.facts import Facts
from incident.domain.lawbook import Duty, Law, Lawbook
from incident.domain.obligations import Finding, Presumed, Standing, found_in

CalendarOf: TypeAlias = Callable[[Law, str | None], Calendar]

PRESUMED = Presumed(scope=True, trigger=True, silence_is_no=True)
COMMENTS = frozenset({"match", "accepted_utc", "accepted_on"})
AUTHORITIES = frozenset({"authority", "attorney_general"})
MEANT = AUTHORITIES | {"individuals", "police", "ourselves"}
LATER = ("intermediate", "final")
GROUPS = AUTHORITIES | {"individuals", "consumer_reporting_agencies", "media", "controller", "police", "public"}


@dataclass(frozen=True)
class Verdict:
    """What became of one case: pass, fail or skip, and why."""

    id: str
    word: str
    why: str = ""


@dataclass(frozen=True)
class Bench:
    """What cases are judged with."""

    book: Lawbook
    calendar_of: CalendarOf
    today: date


def judged(case: Mapping[str, Any], bench: Bench) -> Verdict:
    """The verdict on one case."""
    ref = str(case.get("id", "?"))
    try:
        _must_have_shape(case)
        answers = _KINDS[_known_kind(case)](case, bench)
    except Unsupported as error:
        return Verdict(ref, "skip", f"{error} is not supported")
    except Invalid as error:
        return Verdict(ref, "skip", error.sentence)
    expected = case["expected"]
    wrong = [
        _said(key, expected[key], answers.get(key))
        for key in expected
        if key not in COMMENTS and not _agrees(key, expected, answers)
    ]
    return Verdict(ref, "fail", "; ".join(wrong)) if wrong else Verdict(ref, "pass")


TEXTS = (
    *("recipient", "step", "timezone", "incident_type", "category", "identifier", "context", "element", "component"),
    *("reason", "case", "exfiltration", "role", "operator"),
)
LISTS = ("dimensions", "data_categories", "mitigation", "vulnerable_people", "accepted_on", "accepted_utc")


def _must_have_shape(case: Mapping[str, Any]) -> None:
    """Refuse a word whose value is not of its kind, before anything is read out of it. Raises Invalid."""
    held = {**case["facts"], **{key: case["expected"][key] for key in COMMENTS if key in case["expected"]}}
    for key, value in held.items():
        if value is None:
            continue
        if key in TEXTS and not isinstance(value, str):
            raise Invalid(key, f"{key} is a word.")
        if key in LISTS and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise Invalid(key, f"{key} is a list of words.")
        if key == "entity" and not (
            isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))
        ):
            raise Invalid(key, "entity is a word or a list of words.")
        if key in {"encryption", "backup"} and not isinstance(value, Mapping):
            raise Invalid(key, f"{key} is an object.")
    steps = case["expected"].get("steps", [])
    if not isinstance(steps, list) or not all(
        isinstance(one, Mapping) and isinstance(one.get("step"), str) for one in steps
    ):
        raise Invalid("steps", "steps is a list of objects, each with its step.")


def _known_kind(case: Mapping[str, Any]) -> str:
    kind = str(case.get("kind"))
    if kind not in _KINDS:
        raise Unsupported(f"the kind {kind!r}")
    return kind


def _said(key: str, expected: Any, got: Any) -> str:
    return f"{key}: expected {expected!r}, got {got!r}"


def _agrees(key: str, expected: Mapping[str, Any], answers: Mapping[str, Any]) -> bool:
    if key not in answers:
        return False
    wanted, got = expected[key], answers[key]
    if wanted == "conditional":
        return got in {True, False, "conditional"} and bool(answers.get("reasons"))
    if key == "steps":
        return all(_agrees_step(one, answers["steps"]) for one in wanted)
    if key in {"due_utc", "due_on"} and _accepted(expected, answers):
        return True
    if key.endswith("due_utc"):
        return _same_instant(wanted, got)
    if isinstance(wanted, float):
        return isinstance(got, (int, float)) and abs(wanted - got) < 1e-9
    return bool(wanted == got)


def _accepted(expected: Mapping[str, Any], answers: Mapping[str, Any]) -> bool:
    """Whether our answer is one of the further lawful instants or days that the case lists, or a day advised."""
    advised = answers.get("advised")
    if advised and expected.get("match") != "none":
        days = {expected.get("due_on"), *(expected.get("accepted_on") or ())}
        return _same_instant(expected.get("due_utc"), advised[0]) or advised[1] in days
    instants = expected.get("accepted_utc") or ()
    return answers["due_on"] in (expected.get("accepted_on") or ()) or any(
        _same_instant(one, answers["due_utc"]) for one in instants
    )


def _agrees_step(wanted: Mapping[str, Any], steps: Mapping[str, Any]) -> bool:
    got = steps.get(words()["step"].get(wanted["step"], wanted["step"]), {})
    return all(
        _same_instant(wanted[key], got.get(key)) or wanted[key] == got.get(key) for key in wanted if key != "step"
    )


def _same_instant(wanted: Any, got: Any) -> bool:
    if wanted is None or got is None:
        return wanted is got
    try:
        return datetime.fromisoformat(wanted) == datetime.fromisoformat(got)
    except (TypeError, ValueError):
        return False


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# ---------------------------------------------------------------- the grade's cases


def _notification(case: Mapping[str, Any], _: Bench) -> dict[str, Any]:
    """GDPR 33, 34 and 33(5): the suggested risk decides."""
    suggested = grading.notification({"incident_type": None, **case["facts"]})
    return {
        "internal_documentation": suggested.internal_documentation,
        "notify_supervisory_authority": suggested.notify_supervisory_authority,
        "communicate_to_data_subjects": suggested.communicate_to_data_subjects,
        "notify_controllers": suggested.notify_controllers,
        "reasons": suggested.reasons,
    }


def _component(case: Mapping[str, Any], _: Bench) -> dict[str, Any]:
    return {"score": grading.component(case["facts"])}


def _severity(case: Mapping[str, Any], _: Bench) -> dict[str, Any]:
    facts = case["facts"]
    severity, level = grading.enisa(facts.get("dpc"), facts.get("ei"), facts.get("cb"))
    return {"se": severity, "level": level}


def _grading(case: Mapping[str, Any], _: Bench) -> dict[str, Any]:
    level, required, reasons = grading.cac(case["facts"])
    return {"level": level, "grade": level, "report_required": required, "reasons": reasons}


# ---------------------------------------------------------------- the laws' cases


@dataclass(frozen=True)
class _Read:
    """A case read: its law, its facts, and what the law says."""

    law: Law
    facts: Facts
    calendar: Calendar
    findings: tuple[Finding, ...]

    def of(self, recipient: str) -> list[Finding]:
        """The findings for a recipient: a group such as individuals, or an authority by its short name."""
        word = recipient.strip().lower().replace(" ", "_")
        word = words()["recipient"].get(word, word)
        named = [finding for finding in self.findings if word in finding.duty.names - GROUPS]
        if named:
            return named
        if word not in GROUPS:
            return self._to(AUTHORITIES) or self._to({"police"})
        return self._to({word}) or (self._to(AUTHORITIES) or self._to({"police"}) if word in AUTHORITIES else [])

    def _to(self, groups: set[str] | frozenset[str]) -> list[Finding]:
        return [
            finding for finding in self.findings if finding.duty.to in groups and finding.duty.stage != "assessment"
        ]


def _read(case: Mapping[str, Any], bench: Bench) -> _Read:
    regime = str(case.get("regime"))
    laws = (
        [bench.book[regime]] if regime in bench.book else [law for law in bench.book if law.id.startswith(f"{regime}-")]
    )
    if not laws:
        raise Unsupported(f"the regime {regime!r}")
    reads = [_read_by(law, case["facts"], bench) for law in laws]
    return next((read for read in reads if any(duty.to in AUTHORITIES for duty in _standing(read))), reads[0])


def _read_by(law: Law, raw: Mapping[str, Any], bench: Bench) -> _Read:
    facts = facts_of(raw, law)
    calendar = bench.calendar_of(law, raw.get("timezone"))
    return _Read(law, facts, calendar, found_in(law, facts, calendar, bench.today, PRESUMED))


def _deadline(case: Mapping[str, Any], bench: Bench) -> dict[str, Any]:
    """The due time of the duty that the case asks for, and of every other that it expects."""
    read = _read(case, bench)
    asked = _asked(read, case["facts"])
    answers = {**_due(asked, read), "grade": grading.cac(case["facts"])[0], "steps": _steps(read)}
    return answers | _named(case["expected"], read)


def _asked(read: _Read, facts: Mapping[str, Any]) -> Finding | None:
    """The duty that a case means: by its recipient and step, else the one whose clock started last."""
    recipient, step = facts.get("recipient"), facts.get("step")
    chosen = read.of(recipient) if recipient else _meant(read, facts)
    if step:
        stage = words()["step"].get(step)
        if stage is None:
            raise Unsupported(f"the step {step!r}")
        chosen = _of_stage(chosen, stage)
    running = [finding for finding in chosen if finding.standing is not Standing.NOT_OWED and finding.clock.due]
    main = [finding for finding in running if finding.duty.stage != "assessment"] or running
    advised = (finding for finding in chosen if finding.standing is not Standing.NOT_OWED and finding.clock.guide)
    return max(main, key=lambda finding: _started(finding, read), default=next(advised, None))


def _of_stage(findings: list[Finding], stage: str) -> list[Finding]:
    """The findings of a stage; the second report of a law that has two is its later stage, and a law may have none."""
    later = "supplementary" if stage in LATER else stage
    for word in (stage, later, ""):
        found = [finding for finding in findings if finding.duty.stage == word]
        if found:
            return found
    return []


def _meant(read: _Read, facts: Mapping[str, Any]) -> list[Finding]:
    """Without a recipient: the authority's duties and the people's; a processor's also to its controller."""
    groups = MEANT | {"controller"} if facts.get("role") == "processor" else MEANT
    return [finding for finding in read.findings if finding.duty.to in groups] or list(read.findings)


def _started(finding: Finding, read: _Read) -> datetime:
    start = finding.clock.start
    if isinstance(start, datetime):
        return start
    return end_of(start, read.calendar.zone) if start else datetime.min.replace(tzinfo=UTC)


def _due(finding: Finding | None, read: _Read) -> dict[str, Any]:
    due = finding.clock.due if finding else None
    if due is None:
        return {"due_utc": None, "due_on": None, "advised": _advised(finding, read)}
    return {"due_utc": _iso(due), "due_on": due.astimezone(read.calendar.zone).date().isoformat()}


def _advised(finding: Finding | None, read: _Read) -> tuple[str, str] | None:
    """Instant and day that the authority advises where the law gives none: lawful for a case that expects a day."""
    guide = finding.clock.guide if finding else None
    return (_iso(guide), guide.astimezone(read.calendar.zone).date().isoformat()) if guide else None


def _steps(read: _Read) -> dict[str, dict[str, Any]]:
    steps = {finding.duty.stage: _due(finding, read) for finding in reversed(read.findings) if finding.duty.stage}
    second = steps.get("supplementary")
    return {**dict.fromkeys(LATER, second), **steps} if second else steps


def _named(expected: Mapping[str, Any], read: _Read) -> dict[str, Any]:
    """Answers to `individuals_due_on`, `attorney_general_required` and the like."""
    answers: dict[str, Any] = {}
    for key in expected:
        for ending in ("_due_on", "_due_utc", "_required"):
            recipient = key.removesuffix(ending)
            if recipient == key:
                continue
            findings = _of_prefix(recipient, read)
            if ending == "_required":
                answers[key] = any(finding.standing is Standing.OWED for finding in findings)
            else:
                answers[key] = _due(_soonest(findings), read)[ending[1:]]
    return answers


def _of_prefix(word: str, read: _Read) -> list[Finding]:
    """What `hhs_…`, `individuals_…` or `final_…` speaks of: a recipient, or a step."""
    stage = words()["step"].get(word)
    named = any(word in finding.duty.names for finding in read.findings) or word in words()["recipient"]
    if stage is None or named:
        return read.of(word)
    return [finding for finding in read.findings if finding.duty.stage == stage]


def _soonest(findings: list[Finding]) -> Finding | None:
    running = [finding for finding in findings if finding.standing is not Standing.NOT_OWED and finding.clock.due]
    return min(running, key=lambda finding: finding.clock.due or datetime.max.replace(tzinfo=UTC), default=None)


def _threshold(case: Mapping[str, Any], bench: Bench) -> dict[str, Any]:
    """Whether duties exist at these numbers; a duty that is open is not shown to exist."""
    read = _read(case, bench)
    months = [
        service.months for finding in read.findings for service in finding.services if finding.standing is Standing.OWED
    ]
    before = [duty for duty in _standing(read) if duty.before]
    return {
        **_due(_asked(read, case["facts"]), read),
        "attorney_general_before_individuals": bool(before),
        "regulator_before_individuals": bool(before),
        "id_theft_service_months": max(months, default=0),
        "grade": grading.cac(case["facts"])[0],
    } | _named(case["expected"], read)


def _standing(read: _Read) -> list[Duty]:
    return [finding.duty for finding in read.findings if finding.standing is not Standing.NOT_OWED]


_KINDS: Mapping[str, Callable[[Mapping[str, Any], Bench], dict[str, Any]]] = {
    "notification_decision": _notification,
    "severity_component": _component,
    "severity": _severity,
    "grading": _grading,
    "deadline": _deadline,
    "threshold": _threshold,
}
