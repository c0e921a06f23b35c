"""Runs the cases of every law: tests/laws/<law id>.toml, in the words of facts.toml.

An expectation is "owed", "owed by <instant>", "advised", "open", "open: <facts that would decide>" or "not owed".
"""

import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from incident import calendars
from incident.domain.facts import Facts, from_json, to_json
from incident.domain.lawbook import library
from incident.domain.obligations import Finding, Standing, found_in

HERE = Path(__file__).parent
TODAY = date(2026, 11, 22)


def cases() -> list[Any]:
    files = {path: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*.toml"))}
    return [
        pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
        for path, held in files.items()
        for case in held["case"]
    ]


def facts_of(case: dict[str, Any]) -> Facts:
    return from_json(
        {key: to_json(value) if isinstance(value, datetime) else value for key, value in case["facts"].items()}
    )


def said(finding: Finding, expected: str) -> str:
    """The finding in the words of the expectation: as much of it as the expectation says."""
    if finding.standing is Standing.OPEN and expected.startswith("open:"):
        return f"open: {', '.join(sorted(finding.wants))}"
    if finding.standing is Standing.OWED and expected.startswith("owed by"):
        return f"owed by {to_json(finding.clock.due) if finding.clock.due else 'no time'}"
    if finding.standing is Standing.OWED and finding.clock.due:
        return "owed by a time"
    return finding.standing.words


@pytest.mark.parametrize(("law", "case"), cases())
def test_the_law_says_what_its_case_expects(law, case):
    book = library()[law.upper()]
    findings = {one.duty.id: one for one in found_in(book, facts_of(case), calendars.of_law(book), TODAY)}
    answers = {duty: said(findings[duty], expected) for duty, expected in case["expect"].items()}
    assert answers == case["expect"]


@pytest.mark.parametrize("law", sorted(library().laws))
def test_every_law_has_cases_for_owed_not_owed_unknown_and_the_day_before_it_applied(law):
    path = HERE / f"{law.lower()}.toml"
    held = tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    answers = [answer for case in held for answer in case["expect"].values()]
    duties = {duty for case in held for duty in case["expect"]}
    assert duties == {duty.id for duty in library()[law].duties}
    assert any(answer.startswith(("owed", "advised")) for answer in answers) or not library()[law].in_force
    assert any(answer.startswith("open") for answer in answers) or not library()[law].in_force
    assert "not owed" in answers
    assert any("the day before it applied" in case["name"] for case in held)
