"""`tocsin laws check`: whether the laws of this installation can be relied on, and what nobody has tried."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from incident import calendars, clock
from incident.cli import shelf as library
from incident.domain.casebook import BadCases, Trial, cases_of
from incident.domain.editions import Edition, LawText
from incident.domain.lawbook import BadLaw, Confidence, Law
from incident.store import shelf
from incident.store.shelf import Shelf

MOST_SHOWN = 20


@dataclass
class Report:
    """What the check found."""

    version: str = ""
    origin: str = ""
    digest: str = ""
    laws: int = 0
    duties: int = 0
    own: list[str] = field(default_factory=list)
    confidence: dict[str, int] = field(default_factory=dict)
    cases: int = 0
    mistakes: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@click.command()
@click.argument("only", nargs=-1, metavar="[LAW]…")
@click.option(
    "--cases",
    "given",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="The folder with the library's cases, one file a law; without it, those of a checkout or of the pack in use.",
)
@click.option("--strict", is_flag=True, help="What no case tries is a mistake too.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def check(only: tuple[str, ...], given: Path | None, strict: bool, as_json: bool) -> None:
    """Check every law file, your own too: citation, words, places, periods, links, and its cases.

    Exit 1 if something is wrong. What no case tries is listed, and wrong with --strict.
    """
    where = library.here()
    try:
        report = checked(shelf.read(where), where, only, given)
    except BadLaw as error:
        report = Report(mistakes=str(error).splitlines())
    wrong = bool(report.mistakes or (strict and report.gaps))
    if as_json:
        click.echo(json.dumps({"usable": not wrong, **asdict(report)}, ensure_ascii=False))
    else:
        _tell(report, strict)
    sys.exit(1 if wrong else 0)


def checked(made: Edition, where: Shelf, only: tuple[str, ...], given: Path | None) -> Report:
    """What is wrong with an edition, and what its cases leave untried."""
    strange = [law for law in only if law not in made.book]
    if strange:
        raise library.Unusable(f"There is no law {strange[0]!r} in the library.")
    laws = [law for law in made.book if not only or law.id in only]
    duties = [duty for law in laws for duty in law.duties]
    counts = Counter(duty.confidence for duty in duties)
    report = Report(
        version=made.version,
        origin=made.origin.value,
        digest=made.digest,
        laws=len(laws),
        duties=len(duties),
        own=[law.id for law in laws if law.own],
        confidence={word.value: counts[word] for word in Confidence},
        mistakes=[f"{sentence} ({one.instead})" for one in made.mistakes for sentence in one.sentences],
    )
    report.mistakes += made.faults
    _try(report, laws, {text.path: text for text in made.texts}, where, given)
    return report


def _try(report: Report, laws: list[Law], texts: dict[str, LawText], where: Shelf, given: Path | None) -> None:
    """Run the cases of each law; a law without any is a mistake, unless no cases of the library are at hand at all."""
    untried = 0
    for law in laws:
        folder = library.cases_folder(where, law, given)
        if folder is None:
            untried += 1
            continue
        try:
            report.cases += _tried(report, law, texts[law.path], folder)
        except BadCases as error:
            report.mistakes.append(str(error))
    if untried:
        report.notes.append(f"The cases of {untried} laws are not at hand: give their folder with --cases.")


def _tried(report: Report, law: Law, text: LawText, folder: Path) -> int:
    held = library.cases_text(folder, law)
    cases = cases_of(held) if held else ()
    if not cases:
        report.mistakes.append(f"{law.id}: there is no case for it ({folder / library.case_file(law)}).")
        return 0
    trial = Trial(law, text, cases, calendars.of_law(law), clock.now().date())
    report.mistakes += [f"{sentence}." for sentence in trial.failures()]
    report.gaps += [f"{sentence}." for sentence in trial.gaps()]
    return len(cases)


def _tell(report: Report, strict: bool) -> None:
    for line in _lines(report, strict):
        click.echo(line)


def _lines(report: Report, strict: bool) -> Iterator[str]:
    yield from report.mistakes
    shown = report.gaps if strict else report.gaps[:MOST_SHOWN]
    yield from (f"untried: {sentence}" for sentence in shown)
    if len(shown) < len(report.gaps):
        yield f"untried: and {len(report.gaps) - len(shown)} more; --strict lists all."
    yield from report.notes
    if report.laws:
        own = f", {len(report.own)} of them your own" if report.own else ""
        yield f"{report.laws} laws{own}, {report.duties} duties, {report.cases} cases, version {report.version}, {report.digest[:12]}"
        yield from (f"  {report.confidence[word.value]:4} {word.words}" for word in Confidence)
    yield f"mistakes: {len(report.mistakes)}, things that no case tries: {len(report.gaps)}"
