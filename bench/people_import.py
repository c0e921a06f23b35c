"""People imported per second, beside a straight-line program that does the same work, in the same run.

    python -m bench.people_import [ROWS]

Both read the same CSV, check address and number, compute two keyed hashes, seal each person, find duplicates and keep
everything durably in SQLite (WAL, synchronous FULL). Ours also refuses, counts, pairs duplicates, leaves lines in the
record and can be killed at any moment. The ratio is what counts; figures of one machine drift.
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


def ours(source: Path, folder: Path) -> float:
    """The import as the worker does it; the seconds it took, without starting the program."""
    # Imported here alone, so that the straight-line program does not carry the weight of ours.
    from incident import clock, settings, start  # noqa: PLC0415
    from incident.actions import imports, intake  # noqa: PLC0415
    from incident.domain.imports import Reading  # noqa: PLC0415
    from incident.store.tables import Form  # noqa: PLC0415

    app = start.prepare(settings.load(instance=folder / "instance", test_mode=True))
    files = folder / "instance" / "files"
    with app.app_context():
        now = clock.now()
        ref = intake.log(kind="incident", title="Bench", facts={}, source="", confidence="", actor="system", now=now)
        with source.open("rb") as content:
            list_ref = imports.upload(ref, content, name="people.csv", folder=files, actor="system", now=now)
        reading = Reading(("reference", "name", "email", "phone", "country", "language"))
        form = Form("csv", "utf-8-sig", ",")
        imports.start(ref, list_ref, reading, form=form, has_header=True, wave=0, folder=files, actor="system", now=now)
        began = time.perf_counter()
        imports.run(list_ref, folder=files, clock=clock.now)
        took = time.perf_counter() - began
        row = imports.get(ref, list_ref)
        if row.state != "done" or row.rows != row.taken + row.suspects + row.refused + row.empty:
            raise SystemExit(f"The import went wrong: {row.state}, {row.rows} rows.")
    return took


def _measured(program: str, source: Path) -> dict[str, float]:
    """One run in a process of its own: seconds, CPU seconds and peak memory in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.people_import", "--run", program, str(source), folder]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return measured


def _run(program: str, source: Path, folder: Path) -> None:
    before = time.process_time()
    began = time.perf_counter()
    if program == "ours":
        took = ours(source, folder)
    else:
        straight_line(source, folder)
        took = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": took, "cpu": time.process_time() - before, "memory": memory}))


def main() -> None:
    """Print rows per second of both, memory, and one ratio (ours over the straight line, median of the rounds)."""
    if sys.argv[1:2] == ["--run"]:
        _run(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "people.csv"
        write_list(source, rows)
        rounds = [(_measured("straight", source), _measured("ours", source)) for _ in range(ROUNDS)]
    ratios = sorted(mine["seconds"] / line["seconds"] for line, mine in rounds)
    line, mine = sorted(rounds, key=lambda pair: pair[1]["seconds"] / pair[0]["seconds"])[len(rounds) // 2]
    print(f"{rows:,} rows")
    print(f"straight line  {rows / line['seconds']:>9,.0f} people/s  {line['memory']:>6,.0f} MiB")
    print(f"tocsin         {rows / mine['seconds']:>9,.0f} people/s  {mine['memory']:>6,.0f} MiB")
    print(
        f"ratio          {ratios[len(ratios) // 2]:>9.2f}  times the straight line (of {ROUNDS} rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)})"
    )


if __name__ == "__main__":
    main()
