"""The law library: over one incident, and over many after an update of the laws, each beside a straight-line program.

    python -m bench.laws [INCIDENTS]      (10,000 unless told)

One incident is measured in CPU time over many different ones, facts half known, with reasons, clocks and citations; beside it
a program that walks the same conditions straight from the tables, for yes, no or open alone. The update is measured by the
clock and in CPU time, once with one law written anew and once with every law, with the peak of memory early and at the end;
beside it a program that reads the same rows and facts with sqlite3 and compares nothing. The last line is the ratios.
"""

import json
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import structlog

from incident import calendars, clock, start
from incident.actions import intake, law_updates
from incident.domain import editions, places
from incident.domain.editions import Edition, LawText
from incident.domain.facts import Facts, from_json, vocabulary
from incident.domain.lawbook import library
from incident.domain.obligations import found
from incident.settings import Settings
from incident.store import law_updates as updates
from incident.store.db import db

TODAY = date(2026, 11, 22)
TEMPLATES = 40
ROUNDS = 300
MOST_MS, MOST_SECONDS = 10, 60
PLACES = ["DE", "FR", "GB", "CN", "JP", "BR", "US-TX", "US-CA", "US-NY", "US-MA", "CH", "SG", "AU", "KR", "HK"]


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    chance = random.Random(22)
    ours, straight = _one_incident(chance)
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    app = start.prepare(Settings(instance=folder, test_mode=True))
    with app.app_context():
        print(f"filling: {_fill(folder / 'tocsin.db', count, chance):,} findings of {count:,} incidents")
        one = _update(count, _anew("eu/gdpr.toml"), "one law written anew")
        every = _update(count, _anew(""), "every law written anew")
    bare = _bare(folder / "tocsin.db")
    print(f"reading the same rows with sqlite3: {bare:.1f} s of CPU")
    print(
        f"ratio one incident / straight: {ours / straight:.1f}; ratio update of every law / reading: {every / bare:.1f}"
    )
    if ours > MOST_MS or max(one, every) > MOST_SECONDS:
        raise SystemExit(f"more than {MOST_MS} ms for one incident or {MOST_SECONDS} s for an update")


# One incident ---------------------------------------------------------------------------------------------------------


def _one_incident(chance: random.Random) -> tuple[float, float]:
    """Milliseconds of CPU for the whole library over one incident, ours and straight, in turns."""
    book, tables = library(), [tomllib.loads(text.data.decode()) for text in editions.shipped().texts]
    ours, straight = [], []
    for _ in range(ROUNDS):
        raw = _facts(chance)
        facts = from_json(raw)
        began = time.process_time()
        findings = found(Facts(facts.values), book, calendars.of_law, TODAY)
        ours.append((time.process_time() - began) * 1000)
        began = time.process_time()
        _straight(tables, facts)
        straight.append((time.process_time() - began) * 1000)
    print(
        f"one incident, {len(book)} laws, {len(findings)} duties: median {statistics.median(ours):.2f} ms of CPU, "
        f"95th percentile {sorted(ours)[int(ROUNDS * 0.95)]:.2f}; straight {statistics.median(straight):.2f} ms"
    )
    return statistics.median(ours), statistics.median(straight)


def _straight(tables: list[dict[str, Any]], facts: Facts) -> int:
    """Each duty of each law by its own tables, with nothing remembered: how many may be owed."""
    held = 0
    for law in tables:
        reach = [_walk(law["scope"], law["place"], facts), _walk(law.get("trigger", {}), law["place"], facts)]
        for duty in law["duty"]:
            answers = [*reach, _walk(duty.get("when", {}), law["place"], facts)]
            lifted = [
                _walk(one["when"], law["place"], facts) for one in [*duty.get("unless", []), *law.get("unless", [])]
            ]
            held += False not in answers and True not in lifted
    return held


def _walk(table: Mapping[str, Any], place: str, facts: Facts) -> bool | None:
    return _all([_entry(key, value, place, facts) for key, value in table.items()])


def _entry(key: str, value: Any, place: str, facts: Facts) -> bool | None:
    if key == "all":
        return _all([_walk(one, place, facts) for one in value])
    if key == "any":
        found_ = [_walk(one, place, facts) for one in value]
        return True if True in found_ else None if None in found_ else False
    if key == "not":
        inner = _walk(value, place, facts)
        return None if inner is None else not inner
    known = (
        facts.get("residents") if key in {"residents", "told_at_once", "largest_state", "places"} else facts.get(key)
    )
    if key in {"kinds", "flags"}:
        held, wanted = facts.get("data_kinds"), [value] if isinstance(value, str) else value
        marks = held if key == "kinds" else {flag for word in held or () for flag in vocabulary().kinds[word].flags}
        return None if held is None else bool(set(wanted) & set(marks))
    if known is None:
        return None
    if key == "places":
        return any(number and places.within(code, place if value is True else value) for code, number in known.items())
    if isinstance(value, Mapping):
        number = places.counted(known, value.get("in", place)) if isinstance(known, Mapping) else known
        return all(
            {"least": number >= limit, "more": number > limit, "most": number <= limit, "less": number < limit}[word]
            for word, limit in value.items()
            if word != "in"
        )
    wanted = value if isinstance(value, list) else [value]
    return bool(set(known) & set(wanted)) if isinstance(known, tuple) else known in wanted


def _all(answers: list[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


# Many incidents -------------------------------------------------------------------------------------------------------


def _facts(chance: random.Random) -> dict[str, Any]:
    """The facts of an incident some hours old: half of what may be asked is known."""
    kinds = chance.sample(sorted(vocabulary().kinds), chance.randint(1, 6))
    residents = {place: chance.choice([3, 300, 700, 5000]) for place in chance.sample(PLACES, chance.randint(1, 6))}
    moment = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=chance.randint(0, 900))
    facts: dict[str, Any] = {
        "personal_data": True,
        "data_kinds": kinds,
        "residents": residents,
        "people_count": sum(residents.values()),
        "role": chance.choice(["controller", "both"]),
        "noticed_at": moment.isoformat(),
        "aware_at": (moment + timedelta(hours=2)).isoformat(),
        "properties": ["confidentiality"],
        "malicious": True,
        "establishments": ["DE"],
        "encryption": chance.choice(["none", "state_of_the_art"]),
        "risk_to_people": chance.choice(["risk", "high"]),
        "harm_likely": chance.choice([True, False]),
        "significant_harm": False,
        "entity": ["company"],
        "determined_at": (moment + timedelta(days=2)).isoformat(),
    }
    always = {"personal_data", "aware_at"}
    return {key: value for key, value in facts.items() if key in always or chance.random() < 0.7}


def _fill(path: Path, count: int, chance: random.Random) -> int:
    """Some incidents logged as people log them, and their rows copied until there are enough."""
    now = clock.now()
    for number in range(min(TEMPLATES, count)):
        intake.log(
            kind="incident", title=f"Incident {number}", facts=_facts(chance), source="bench", confidence="high",
            actor="system", now=now,
        )  # fmt: skip
    db.session.remove()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'finding' AND type = 'index' AND sql IS NOT NULL").fetchall()  # fmt: skip
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    (there,) = connection.execute("SELECT max(id) FROM incident").fetchone()
    connection.execute("BEGIN")
    for first in range(there, count, there):
        most = min(there, count - first)
        for table, names in (("incident", ("ref",)), ("fact", ()), ("finding", ("ref",)), ("assessment", ())):
            _copy(connection, table, names, first, most)
    connection.execute("COMMIT")
    for _, statement in indexes:
        connection.execute(statement)
    connection.execute("ANALYZE")
    (findings,) = connection.execute("SELECT count(*) FROM finding").fetchone()
    connection.close()
    return int(findings)


def _copy(connection: sqlite3.Connection, table: str, unique: tuple[str, ...], first: int, most: int) -> None:
    """The rows of the first incidents once more, `first` further on."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    key = "id" if table == "incident" else "incident_id"
    said = {key: f"{key} + {first}"}
    if table not in {"incident", "assessment"}:
        columns.remove("id")
    said |= {name: f"substr({name}, 1, 6) || hex({first}) || '-' || id" for name in unique}
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(said.get(name, f'"{name}"') for name in columns)
    connection.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE {key} <= {most}")


def _anew(path: str) -> Edition:
    """The library with one file, or every one, written anew; the longest limit of the GDPR is another then."""
    texts = [
        LawText(text.path, text.data.replace(b"hours = 72", b"hours = 48") + b"\n# written anew\n")
        if path in {"", text.path}
        else text
        for text in editions.shipped().texts
    ]
    return editions.edition("2099.1.1", editions.Origin.PACK, texts)


def _update(count: int, made: Edition, what: str) -> float:
    """Seconds of CPU until every incident is compared with these laws."""
    editions.use(made)
    updates.forget([row[0] for row in db.session.execute(db.text("SELECT incident_id FROM law_update"))])
    db.session.execute(db.text("UPDATE assessment SET library = :shipped"), {"shipped": editions.shipped().digest})
    db.session.commit()
    began, cpu, compared, early = time.perf_counter(), time.process_time(), 0, 0.0
    while batch := law_updates.compare(clock.now()):
        compared += batch
        db.session.remove()
        early = early or _peak()
    took, spent = time.perf_counter() - began, time.process_time() - cpu
    changed = db.session.scalar(db.text("SELECT count(*) FROM law_update"))
    if compared != count or not changed:
        raise SystemExit(f"{compared:,} of {count:,} incidents were compared, {changed:,} would change")
    print(
        f"{what}: {compared:,} incidents compared in {took:.1f} s ({spent:.1f} s of CPU), {changed:,} would change; "
        f"peak memory {early:.0f} MiB after the first batch, {_peak():.0f} MiB at the end"
    )
    return spent


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _bare(path: Path) -> float:
    """Seconds of CPU to read every finding and every fact, and to compare nothing."""
    connection = sqlite3.connect(path)
    began = time.process_time()
    held = 0
    for row in connection.execute("SELECT incident_id, duty, standing, state, due_at, met_at FROM finding"):
        held += len(row)
    for (value,) in connection.execute("SELECT value FROM fact"):
        held += (json.loads(value) if isinstance(value, str) else value) is not None
    return time.process_time() - began


if __name__ == "__main__":
    main()
