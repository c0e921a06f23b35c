"""Whether database, record, counters and files tell the same story; what does not is named by reference."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import String, Table, exists, func, inspect, literal, select, text

from incident.domain.deliveries import Course
from incident.store import checkpoints, own, tallies
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.dispatches import COLUMN, Dispatch
from incident.store.guards import guards
from incident.store.imports import PersonImport
from incident.store.incidents import Evidence, Incident
from incident.store.notices import Notice
from incident.store.reports import Report
from incident.store.sealed import DataKey

MOST = 20  # troubles of one kind that are named
RECORDED = (
    "closing", "dispatch", "evidence", "incident", "media_outlet", "note", "notice", "plan", "public_decision", "report",
    "review", "user_account",
)  # fmt: skip
"""Tables whose rows have a reference of their own, each born with a line about it."""


@dataclass(frozen=True)
class Result:
    """One thing that was compared, and what did not fit."""

    about: str
    troubles: tuple[str, ...]


def run(instance: Path) -> list[Result]:
    """All comparisons, in the order in which one would look."""
    checks: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
        ("The database is sound", _sound),
        ("Its guards are in place", _guards),
        ("The record is in order and fits its checkpoints", _record),
        ("Everything in the tables has its line in the record", _lines),
        ("States are those that the record says", _states),
        ("The counts of every sending add up", _sendings),
        ("Every row of every list is accounted for", _lists),
        ("Every piece of evidence has its file", lambda: _files(instance)),
        ("Playbooks and scenarios of your own can be followed", _own),
    )
    return [Result(about, first(find())) for about, find in checks]


def first(troubles: Iterator[str]) -> tuple[str, ...]:
    """The first troubles of one kind; that there are more is said, not listed."""
    found: list[str] = []
    for trouble in troubles:
        if len(found) == MOST:
            return (*found, "and more of the kind")
        found.append(trouble)
    return tuple(found)


def _own() -> Iterator[str]:
    """Mistakes in files that people wrote: each is left out until it is mended."""
    yield from own.refresh().mistakes
    yield from own.scenario_mistakes()


def _sound() -> Iterator[str]:
    if db.engine.dialect.name != "sqlite":
        return  # PostgreSQL checks pages and keys by itself
    for (said,) in db.session.execute(text("PRAGMA integrity_check")):
        if said != "ok":
            yield str(said)
    for row in db.session.execute(text("PRAGMA foreign_key_check")):
        yield f"Row {row[1]} of {row[0]} points to a row of {row[2]} that is not there."


def _guards() -> Iterator[str]:
    """Every trigger that the first migration made must still be there."""
    tables = {table.name for table in db.metadata.sorted_tables}
    wanted = {word[-1] for word in map(_named, guards(db.engine.dialect.name, tables)) if word}
    asked = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
    }
    there = set(db.session.scalars(text(asked[db.engine.dialect.name])))
    for name in sorted(wanted - there):
        yield f"The guard {name} is missing: somebody took it away."


def _named(statement: str) -> list[str]:
    """The words of a CREATE … TRIGGER up to its name; nothing for other statements."""
    words = statement.split()
    return words[: words.index("BEFORE")] if "TRIGGER" in words[:4] and "BEFORE" in words else []


def _record() -> Iterator[str]:
    yield from (f"{found.kind}: {found.sentence}" for found in checkpoints.verified().findings)


def _lines() -> Iterator[str]:
    """One pass over the subjects of all lines strikes off every reference that has one."""
    left = {ref: table for table in _tables(RECORDED) for ref in db.session.scalars(select(table.c.ref))}
    about = {ref: table.name for ref, table in left.items()}
    for subject in db.session.scalars(select(AuditLine.subject).execution_options(yield_per=10_000)):
        about.pop(subject, None)
    for ref, table in sorted(about.items()):
        yield f"{ref} is in the table {table}, and no line speaks of it."


def _tables(names: Collection[str]) -> Iterator[Table]:
    there = set(inspect(db.engine).get_table_names())
    yield from (table for table in db.metadata.sorted_tables if table.name in names and table.name in there)


def _states() -> Iterator[str]:
    """An incident is closed or restricted when its newest such line says so."""
    ends = {"closed": "incident.closed", "reopened": "incident.reopened"}
    yield from _differing(Incident.state == "closed", ends["closed"], ends["reopened"], "closed")
    yield from _differing(Incident.restricted, "incident.restricted", "incident.unrestricted", "restricted")
    yield from _decided()


DECIDED = (
    (Notice, Notice.stage, ("approved", "sending", "sent"), "notice.approved"),
    (Report, Report.state, ("filed",), "report.filed"),
)
"""States that only a decision leads to: there must be its line."""


def _decided() -> Iterator[str]:
    for table, state, reached, verb in DECIDED:
        line = exists().where(
            AuditLine.incident == Incident.ref, AuditLine.verb == verb, AuditLine.subject == table.ref
        )
        asked = select(table.ref, state).join(Incident, Incident.id == table.incident_id)
        for ref, word in db.session.execute(asked.where(state.in_(reached), ~line)):
            yield f"{ref} is {word}, and no line says {verb}."


def _differing(now: object, on: str, off: str, word: str) -> Iterator[str]:
    newest = (
        select(AuditLine.verb)
        .where(AuditLine.incident == Incident.ref, AuditLine.verb.in_((on, off)))
        .order_by(AuditLine.seq.desc())
        .limit(1)
        .correlate(Incident)
        .scalar_subquery()
    )
    said = func.coalesce(newest, literal(off, String)) == on
    for ref, is_so in db.session.execute(select(Incident.ref, now).where(said != now)):  # type: ignore[call-overload]
        yield f"{ref} is {'' if is_so else 'not '}{word}, and the record says otherwise."


def _sendings() -> Iterator[str]:
    """The counters of each dispatch and its tally against its deliveries, counted: the slow way, on purpose."""
    counted: dict[int, tallies.Moves] = {}
    for dispatch_id, place, n in tallies.of_rows():
        counted.setdefault(dispatch_id, Counter())[place] = n
    for dispatch in db.session.scalars(select(Dispatch).order_by(Dispatch.id)):
        found = counted.get(dispatch.id, Counter())
        yield from _miscounted(dispatch, found)
        if dispatch.prepared and found.total() != dispatch.audience:
            yield f"{dispatch.ref} was approved for {dispatch.audience} people, and {found.total()} stand on its list."
        if dispatch.course == Course.DONE and not dispatch.simulated and dispatch.sending + dispatch.in_doubt:
            yield f"{dispatch.ref} is done, and {dispatch.sending + dispatch.in_doubt} of it are being sent or in doubt."


def _miscounted(dispatch: Dispatch, found: tallies.Moves) -> Iterator[str]:
    totals: Counter[str] = Counter()
    for place, n in found.items():
        totals[place.state] += n
    for state, column in COLUMN.items():
        if getattr(dispatch, column) != totals[state]:
            yield f"{dispatch.ref} counts {getattr(dispatch, column)} {state.value}, and {totals[state]} are."
    tally = tallies.of(dispatch.id)
    for place in sorted({*tally, *found}):
        if tally[place] != found[place]:
            where = " ".join(
                (place.channel, place.language or "in no language", place.state.value, place.reason)
            ).strip()
            yield f"{dispatch.ref} tallies {tally[place]} {where}, and {found[place]} are."


def _lists() -> Iterator[str]:
    """taken + possible duplicates + refused + empty = rows read, for every list."""
    for brought in db.session.scalars(select(PersonImport).order_by(PersonImport.id)):
        total = brought.taken + brought.suspects + brought.refused + brought.empty
        if total != brought.rows:
            yield f"{brought.ref} read {brought.rows} rows and accounts for {total}."


def _files(instance: Path) -> Iterator[str]:
    query = select(Evidence.ref, Evidence.stored_as).join(DataKey, DataKey.owner == Evidence.incident_id)
    for ref, stored_as in db.session.execute(query.where(DataKey.sealing.is_not(None))):
        if not (instance / "files" / stored_as).is_file():
            yield f"The file of {ref} is not in the folder."
