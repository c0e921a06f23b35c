"""`tocsin laws …`: ask the law library, and run files of cases; the other commands on laws stand in files of their own."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from incident import calendars, clock
from incident.actions import what_if
from incident.cli import lawcheck, lawpacks, lawpaper, lawupdates
from incident.cli import shelf as library
from incident.cli.shelf import Unusable
from incident.domain.clock import Calendar
from incident.domain.described import Unsupported, facts_of
from incident.domain.errors import Invalid
from incident.domain.facts import Facts, to_json
from incident.domain.lawbook import Law, Lawbook
from incident.domain.lawcases import Bench, Verdict, judged
from incident.domain.obligations import Finding, Standing, found
from incident.domain.questions import questions
from incident.domain.settlements import Difference

CASE_KEYS = ("id", "kind", "facts", "expected")


@click.group()
def laws() -> None:
    """The law library: what is owed, by when, and why. Only diff and accept look into the database."""


for command in (
    lawcheck.check,
    lawpacks.install,
    lawpacks.key,
    lawpacks.pack,
    lawpacks.use,
    lawpacks.version,
    lawpaper.document,
    lawupdates.accept,
    lawupdates.diff,
):
    laws.add_command(command)


@laws.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--law", "only", multiple=True, help="Only this law; repeat for several.")
@click.option("--all", "everything", is_flag=True, help="Show what is not owed too.")
@click.option(
    "--change",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Say instead what would change if the facts in this file were so too; null makes one unknown.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def evaluate(file: Path, only: tuple[str, ...], everything: bool, change: Path | None, as_json: bool) -> None:
    """Say what is owed, open or not owed for the facts in FILE (a JSON object; words of facts.toml or of case files)."""
    raw, book = _described(file), _book(only)
    facts = _facts(file, raw)
    if change is not None:
        made = what_if.between(facts, _facts(change, {**raw, **_described(change)}), book, clock.now())
        click.echo(json.dumps(asdict(made) | {"words": made.words()}) if as_json else "\n".join(_changed(made)))
        return
    findings = found(facts, book, calendars.of_law, clock.now().date())
    shown = [finding for finding in findings if everything or finding.standing is not Standing.NOT_OWED]
    if as_json:
        click.echo(
            json.dumps({"findings": [_row(one) for one in shown], "questions": _asked(findings)}, ensure_ascii=False)
        )
        return
    for finding in shown:
        click.echo(_told(finding, book[finding.duty.law]))
    for one in questions(findings, clock.now())[:5]:
        could = f", could lift {len(one.lifts)}" if one.lifts else ""
        click.echo(f"? {one.label} ({one.key}) decides {len(one.duties)}{could}")
    counts = Counter(finding.standing for finding in findings)
    click.echo(", ".join(f"{counts[standing]} {standing.words}" for standing in Standing))


def _described(file: Path) -> dict[str, Any]:
    raw = _json(file)
    held = raw.get("facts", raw) if isinstance(raw, dict) else None
    if not isinstance(held, dict):
        raise Unusable(f"{file}: give one JSON object of facts.")
    return held


def _facts(file: Path, raw: dict[str, Any]) -> Facts:
    try:
        return facts_of(raw)
    except (Invalid, Unsupported) as error:
        raise Unusable(f"{file}: {error if isinstance(error, Invalid) else f'{error} is not known'}") from None


def _asked(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    return [
        {"fact": one.key, "question": one.label, "decides": len(one.duties), "could_lift": len(one.lifts)}
        for one in questions(findings, clock.now())
    ]


def _changed(made: Difference) -> list[str]:
    """The difference in lines, and in a sentence."""
    named = asdict(made).items()
    return [f"{lawupdates.CHANGES[word]:17} {ref}" for word, refs in named for ref in refs] + [made.words()]


@laws.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def cases(file: Path, as_json: bool) -> None:
    """Run the cases of FILE: one verdict each, then a last line. Exit 0 only if none failed and none was skipped."""
    bench = Bench(_book(()), _calendar, clock.now().date())
    verdicts = [judged(case, bench) for case in _cases(file)]
    counts = Counter(verdict.word for verdict in verdicts)
    if as_json:
        click.echo(
            json.dumps([{"id": one.id, "verdict": one.word, "why": one.why} for one in verdicts], ensure_ascii=False)
        )
    else:
        for verdict in verdicts:
            click.echo(_line(verdict))
        click.echo(f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped")
    sys.exit(0 if set(counts) <= {"pass"} else 1)


def _line(verdict: Verdict) -> str:
    return f"{verdict.word}  {verdict.id}" + (f"  {verdict.why}" if verdict.why else "")


def _cases(file: Path) -> list[dict[str, Any]]:
    raw = _json(file)
    rows = raw.get("cases") if isinstance(raw, dict) else None
    if not isinstance(rows, list):
        raise Unusable(f'{file}: give a JSON object with a list of "cases".')
    for number, row in enumerate(rows, 1):
        missing = [key for key in CASE_KEYS if not isinstance(row, dict) or key not in row]
        if missing:
            raise Unusable(f"{file}: case {number} has no {missing[0]!r}.")
        if not isinstance(row["facts"], dict) or not isinstance(row["expected"], dict):
            raise Unusable(f"{file}: case {number}: facts and expected are objects.")
    return rows


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"{file}: cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Unusable(f"{file}: is not JSON: {error}.") from None


def _book(only: tuple[str, ...]) -> Lawbook:
    book = library.edition().book
    strange = [law for law in only if law not in book]
    if strange:
        raise Unusable(f"There is no law {strange[0]!r} in the library.")
    return Lawbook({law: book[law] for law in only}) if only else book


def _calendar(law: Law, timezone: str | None) -> Calendar:
    """The authority's calendar in the zone a case names; a law of the Union takes the holidays of that zone's country."""
    if not timezone:
        return calendars.of_law(law)
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise Invalid("timezone", f"{timezone!r} is no time zone.") from None
    place = calendars.country_of_zone(timezone) if law.calendar == "EU" else ""
    return calendars.calendar(place or law.calendar, zone)


def _row(finding: Finding) -> dict[str, Any]:
    duty, running = finding.duty, finding.clock
    return {
        "duty": finding.ref,
        "title": duty.title,
        "to": duty.to,
        "standing": finding.standing.value,
        "because": list(finding.because),
        "trace": finding.trace,
        "wants": sorted(finding.wants),
        "unless": list(finding.doubts),
        "clock": {
            "state": running.state.value,
            "due": to_json(running.due) if running.due else None,
            "words": running.words,
        },
        "cite": {"place": duty.cite.place, "href": duty.cite.href},
        "confidence": duty.confidence.value,
    }


def _told(finding: Finding, law: Law) -> str:
    due = f"by {to_json(finding.clock.due)}" if finding.clock.due else finding.clock.words
    wants = f" (needs {', '.join(sorted(finding.wants))})" if finding.wants else ""
    return f"{finding.standing.words:9} {finding.ref}: {finding.duty.title}, {due}{wants}\n          {law.short}, {finding.trace}"
