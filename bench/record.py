"""The record: lines appended in batches and one a commit, and a whole record verified, beside plain hashing and inserting.

    python bench/record.py [LINES]      (300,000 unless told)

Batches and checks are measured in CPU time, single commits by the clock. The last line is two ratios of the same run: appending over hash-and-insert, and verifying over read-and-hash.
"""

import sqlite3
import statistics
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import structlog
from sqlalchemy import text

from incident import clock, start
from incident.actions import checkpoints as actions
from incident.actions.ledger import instant, transaction
from incident.domain.audit import Line, canonical
from incident.settings import Settings
from incident.store import audit, checkpoints
from incident.store.db import db

BATCH = 10_000
SINGLE = 400
INDEXES = ("incident", "actor")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    app = start.prepare(Settings(instance=folder, test_mode=True))
    lines = [_line(number) for number in range(count)]
    plain_write, plain_read = _plain(folder / "plain.db", lines)
    with app.app_context():
        ours_write, one, bare = _append(lines), *_singles()
        began = time.process_time()
        actions.sign(actor="cli", now=clock.now())
        signing = time.process_time() - began
        began = time.process_time()
        verdict = checkpoints.verified()
        ours_read = time.process_time() - began
    if not verdict.ok or verdict.size <= count:
        raise SystemExit(" ".join(verdict.sentences()))
    print(
        f"append in batches of {BATCH:,}: {count / ours_write:,.0f} lines/s; plain hash and insert {count / plain_write:,.0f}"
    )
    print(f"one line with its own commit: {one:.3f} ms on top of a durable change of {bare:.3f} ms")
    print(f"sign the first checkpoint over all: {signing:.2f} s")
    print(f"verify {verdict.size:,} lines: {ours_read:.2f} s of CPU; plain read and hash {plain_read:.2f} s")
    print(f"ratio append / plain: {ours_write / plain_write:.2f}; ratio verify / plain: {ours_read / plain_read:.2f}")


def _line(number: int) -> Line:
    details = canonical({"digest": f"{number:064x}", "states": {"accepted": number % 1000, "failed": 3}})
    incident = f"INC-2026-{number % 50:04d}"
    return Line(
        f"U-{number % 7:08d}", instant(clock.now()), "deliveries.settled", f"S-{number % 900:08d}", incident, details
    )


def _plain(path: Path, lines: list[Line]) -> tuple[float, float]:
    """Seconds to hash and insert each line with a straight loop into the same columns and indexes, and to read and hash."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "CREATE TABLE line (seq INTEGER PRIMARY KEY, at, actor, verb, subject, incident, details, leaf BLOB)",
        *(f"CREATE INDEX by_{column} ON line ({column}, seq)" for column in INDEXES),
    ):
        connection.execute(statement)
    began = time.process_time()
    for first in range(0, len(lines), BATCH):
        rows = [
            (seq, *line, sha256("|".join(map(str, line)).encode()).digest())
            for seq, line in enumerate(lines[first : first + BATCH], first)
        ]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    written = time.process_time() - began
    began = time.process_time()
    chain = b""
    for *words, leaf in connection.execute(
        "SELECT at, actor, verb, subject, incident, details, leaf FROM line ORDER BY seq"
    ):
        chain = sha256(chain + leaf + sha256("|".join(words).encode()).digest()).digest()
    return written, time.process_time() - began


def _append(lines: list[Line]) -> float:
    began = time.process_time()
    for first in range(0, len(lines), BATCH):
        db.session.connection(execution_options={"tocsin_write": True})
        audit.append(lines[first : first + BATCH])
        db.session.commit()
    return time.process_time() - began


def _singles() -> tuple[float, float]:
    """Median milliseconds that a line adds to a durable change, and those of the change; both in turns."""
    with_line, without = [], []
    change = text("INSERT INTO counter (name, value) VALUES (:name, 1)")
    for number in range(SINGLE):
        began = time.perf_counter()
        with transaction("U-00000001", clock.now()) as ledger:
            db.session.execute(change, {"name": f"a{number}"})
            ledger.write("note.added", f"T-{number}", incident="INC-2026-0001")
        with_line.append(time.perf_counter() - began)
        began = time.perf_counter()
        db.session.connection(execution_options={"tocsin_write": True})
        db.session.execute(change, {"name": f"b{number}"})
        db.session.commit()
        without.append(time.perf_counter() - began)
    bare = statistics.median(without) * 1000
    return statistics.median(with_line) * 1000 - bare, bare


if __name__ == "__main__":
    main()
