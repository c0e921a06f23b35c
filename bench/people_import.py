"""People imported per second, beside a straight-line program that does the same work, and the bare insert of its rows.

    python -m bench.people_import [ROWS] [--postgresql]

Both read the same CSV, check address and number, compute two keyed hashes, seal each person, find duplicates and keep
everything durably in SQLite (WAL, synchronous FULL). Ours also refuses, counts, pairs duplicates, leaves lines in the
record and can be killed at any moment. The bare insert is the best that SQLite does with rows that somebody else made: one
transaction, the unique index built last; making the rows is not counted. With `--postgresql` the same import into a fresh PostgreSQL
(of the tests) is measured too. The ratio is what counts; figures of one machine drift.
"""

import csv
import hmac
import json
import os
import random
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ROWS = 100_000
ROUNDS = 3
BATCH = 5_000
EMAIL = re.compile(r"[a-z0-9._+-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}")
PHONE = re.compile(r"\+[1-9][0-9]{7,14}")


def write_list(path: Path, rows: int) -> None:
    """A list such as an administrator would export: plain, a third without a number, one in fifty a duplicate."""
    dice = random.Random(7)
    with path.open("w", newline="") as target:
        out = csv.writer(target)
        out.writerow(["customer id", "name", "email", "phone", "country", "language"])
        for n in range(rows):
            who = dice.randrange(n) if n and n % 50 == 0 else n
            number = f"+4930{10_000_000 + who}" if n % 3 else ""
            out.writerow(
                [
                    f"C{n}",
                    f"Person {who} Example",
                    f"person{who}@example.org",
                    number,
                    dice.choice(["DE", "FR", "US"]),
                    "en",
                ]
            )


def straight_line(source: Path, folder: Path) -> None:
    """The yardstick: no state, no record, no second thought."""
    key, hash_key = AESGCM(AESGCM.generate_key(256)), os.urandom(32)
    database = sqlite3.connect(folder / "straight.db", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -32768"):
        database.execute(f"PRAGMA {pragma}")
    database.execute(
        "CREATE TABLE person (id INTEGER PRIMARY KEY, email BLOB, phone BLOB, country TEXT, language TEXT, sealed BLOB)"
    )
    database.execute("CREATE UNIQUE INDEX by_email ON person (email)")
    batch: list[tuple[object, ...]] = []
    with source.open(newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            email, phone = row["email"].strip().lower(), row["phone"].strip()
            if not EMAIL.fullmatch(email) or (phone and not PHONE.fullmatch(phone)):
                continue
            nonce = os.urandom(12)
            sealed = nonce + key.encrypt(nonce, json.dumps(row, ensure_ascii=False).encode(), str(number).encode())
            marks = (hmac.digest(hash_key, text.encode(), "sha256")[:16] for text in ("e" + email, "p" + phone))
            batch.append((*marks, row["country"], row["language"], sealed))
            if len(batch) == BATCH:
                _keep(database, batch)
                batch = []
    _keep(database, batch)


def _keep(database: sqlite3.Connection, batch: list[tuple[object, ...]]) -> None:
    batch.sort(key=lambda row: row[0])  # type: ignore[arg-type,return-value]
    database.execute("BEGIN IMMEDIATE")
    database.executemany(
        "INSERT OR IGNORE INTO person (email, phone, country, language, sealed) VALUES (?, ?, ?, ?, ?)", batch
    )
    database.execute("COMMIT")


def bare_insert(source: Path, folder: Path) -> tuple[float, float]:
    """The other yardstick: seconds, and CPU seconds, that the database takes for rows of this kind and nothing else."""
    with source.open("rb") as lines:
        rows = sum(1 for _ in lines) - 1
    database = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -32768"):
        database.execute(f"PRAGMA {pragma}")
    database.execute(
        "CREATE TABLE person (id INTEGER PRIMARY KEY, email BLOB, phone BLOB, country TEXT, language TEXT, sealed BLOB)"
    )
    took = cpu = 0.0
    database.execute("BEGIN IMMEDIATE")
    for start in range(0, rows, BATCH):
        batch = [(os.urandom(16), os.urandom(16), "DE", "en", os.urandom(170)) for _ in range(min(BATCH, rows - start))]
        began, before = time.perf_counter(), time.process_time()
        database.executemany(
            "INSERT INTO person (email, phone, country, language, sealed) VALUES (?, ?, ?, ?, ?)", batch
        )
        took, cpu = took + time.perf_counter() - began, cpu + time.process_time() - before
    began, before = time.perf_counter(), time.process_time()
    database.execute("CREATE UNIQUE INDEX by_email ON person (email)")
    database.execute("COMMIT")
    return took + time.perf_counter() - began, cpu + time.process_time() - before


def ours(source: Path, folder: Path, database: str = "") -> tuple[float, float]:
    """The import as the worker does it; seconds and CPU seconds it took, without starting the program."""
    # Imported here alone, so that the straight-line program does not carry the weight of ours.
    from incident import clock, settings, start  # noqa: PLC0415
    from incident.actions import imports, intake  # noqa: PLC0415
    from incident.domain.imports import Reading  # noqa: PLC0415
    from incident.store.tables import Form  # noqa: PLC0415

    app = start.prepare(
        settings.load(instance=folder / "instance", test_mode=True, **({"database_url": database} if database else {}))
    )
    files = folder / "instance" / "files"
    with app.app_context():
        now = clock.now()
        ref = intake.log(kind="incident", title="Bench", facts={}, source="", confidence="", actor="system", now=now)
        with source.open("rb") as content:
            list_ref = imports.upload(ref, content, name="people.csv", folder=files, actor="system", now=now)
        reading = Reading(("reference", "name", "email", "phone", "country", "language"))
        form = Form("csv", "utf-8-sig", ",")
        imports.start(ref, list_ref, reading, form=form, has_header=True, wave=0, folder=files, actor="system", now=now)
        sys.setswitchinterval(0.0005)  # as `tocsin run` does
        began, before = time.perf_counter(), _cpu()
        imports.run(list_ref, folder=files, clock=clock.now)
        took = time.perf_counter() - began, _cpu() - before
        row = imports.get(ref, list_ref)
        if row.state != "done" or row.rows != row.taken + row.suspects + row.refused + row.empty:
            raise SystemExit(f"The import went wrong: {row.state}, {row.rows} rows.")
    return took


def _cpu() -> float:
    """CPU seconds of this process, and of those it started that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _measured(program: str, source: Path, database: str = "") -> dict[str, float]:
    """One run in a process of its own: seconds, CPU seconds and peak memory in MiB, with those of the programs it starts."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.people_import", "--run", program, str(source), folder, database]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return measured


class Watch(Thread):
    """Looks ten times a second how much memory the programs have that this one has started; what they share counts by shares."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0

    def run(self) -> None:
        """Until the program ends."""
        tasks, words = Path("/proc/self/task"), _read("self", "cmdline")
        while True:
            started = {
                child for task in tasks.iterdir() for child in _read("self", f"task/{task.name}/children").split()
            }
            own = [
                child for child in started if _read(child, "cmdline") != words
            ]  # others are copies of this one still
            self.most = max(self.most, sum(_kib(child, "smaps_rollup", "Pss:") for child in own))
            time.sleep(0.1)


def _read(process: str, what: str) -> str:
    try:
        return Path(f"/proc/{process}/{what}").read_text()
    except OSError:
        return ""


def _kib(process: str, where: str, what: str) -> int:
    return next((int(line.split()[1]) for line in _read(process, where).splitlines() if line.startswith(what)), 0)


def _run(program: str, source: Path, folder: Path, database: str) -> None:
    watch = Watch()
    watch.start()
    if program == "ours":
        took, cpu = ours(source, folder, database)
    elif program == "bare":
        took, cpu = bare_insert(source, folder)
    else:
        began, before = time.perf_counter(), time.process_time()
        straight_line(source, folder)
        took, cpu = time.perf_counter() - began, time.process_time() - before
    print(json.dumps({"seconds": took, "cpu": cpu, "memory": (_kib("self", "status", "VmHWM:") + watch.most) / 1024}))


def _said(name: str, rows: int, one: dict[str, float]) -> str:
    each = one["cpu"] / rows * 1e6
    return f"{name:<14}{rows / one['seconds']:>9,.0f} people/s  {each:>5.1f} µs of CPU each  {one['memory']:>4,.0f} MiB"


def _on_postgresql(source: Path) -> dict[str, float]:
    # Imported here alone, as above.
    from sqlalchemy import create_engine, text  # noqa: PLC0415

    from tests.postgres import Postgres  # noqa: PLC0415

    with Postgres(durable=True) as server:
        with create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("CREATE DATABASE bench"))
        return _measured("ours", source, server.url("bench"))


def main() -> None:
    """Print people per second of each, memory, and ratios: ours over the two yardsticks, median of the rounds."""
    if sys.argv[1:2] == ["--run"]:
        _run(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5])
        return
    words = [word for word in sys.argv[1:] if word != "--postgresql"]
    rows = int(words[0]) if words else ROWS
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "people.csv"
        write_list(source, rows)
        rounds = [
            tuple(_measured(program, source) for program in ("bare", "straight", "ours"))
            for _ in range(ROUNDS if rows <= ROWS else 1)
        ]
        other = _on_postgresql(source) if "--postgresql" in sys.argv else None
    bare, line, mine = sorted(rounds, key=lambda one: one[2]["seconds"] / one[0]["seconds"])[len(rounds) // 2]
    print(f"{rows:,} rows")
    for name, one in (("bare insert", bare), ("straight line", line), ("tocsin", mine)):
        print(_said(name, rows, one))
    if other:
        print(_said("on PostgreSQL", rows, other))
        print(f"ratio          {other['seconds'] / mine['seconds']:>9.2f}  times the time of SQLite")
    for name, yardstick in (("bare insert", bare), ("straight line", line)):
        ratio, cpu = mine["seconds"] / yardstick["seconds"], mine["cpu"] / yardstick["cpu"]
        print(f"ratio          {ratio:>9.2f}  times the {name}, {cpu:.2f} times its CPU")


if __name__ == "__main__":
    main()
