"""The record: what it adds to an action, lines in batches, fifty writers at once, and checking, inside and by the file alone.

    python -m bench.record [LINES]      (100,000 unless told; 1,000,000 for the figures of docs/speed.md)

Beside it in the same run: the same change without a line, plain hashing and inserting, and plain reading and hashing.
Processor time is that of this process; by the clock are the single commit, which waits for the disk, and the writers.
"""

import json
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import structlog
from apiflask import APIFlask
from sqlalchemy import text

from incident import clock, start
from incident.actions import checkpoints as actions
from incident.actions.ledger import instant, transaction
from incident.domain import audit as verifier
from incident.domain.audit import Line, canonical
from incident.settings import Settings
from incident.store import audit, checkpoints
from incident.store.db import db

BATCH = 10_000
SINGLE = 400
WRITERS = 50
SECONDS = 6.0  # that the writers go on
INDEXES = ("incident", "actor")
CHANGE = text("INSERT INTO counter (name, value) VALUES (:name, 1)")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    app = start.prepare(Settings(instance=folder, test_mode=True))
    lines = [_line(number) for number in range(count)]
    plain_write, plain_read = _plain(folder / "plain.db", lines)
    with app.app_context():
        _one_action()
        ours_write = _used(lambda: _append(lines))
        print(f"lines in batches of {BATCH:,}: {count / ours_write:,.0f} a second of processor time;"
              f" plain hash and insert {count / plain_write:,.0f}")  # fmt: skip
        print(f"sign over {count:,} new lines: {_used(lambda: actions.sign(actor='cli', now=clock.now())):.2f} s")
        since = min(count // 10, 50_000)
        _append(lines[:since])
        found: list[str] = []
        quick = _used(lambda: found.extend(checkpoints.troubles()))
        print(
            f"check since the newest checkpoint, {since:,} lines: {quick:.2f} s of processor time; {len(found)} findings"
        )
        actions.sign(actor="cli", now=clock.now())
        began = time.perf_counter()
        inside = _used(lambda: _demand_order(checkpoints.verified()))
        size = audit.head().size
        print(f"check all {size:,} lines inside: {inside:.2f} s of processor time, {time.perf_counter() - began:.2f} s;"
              f" plain read and hash of {count:,}: {plain_read:.2f} s")  # fmt: skip
        _offline(folder, size)
        _writers(app)
    print(f"ratio append / plain: {ours_write / plain_write:.2f}; ratio check / plain: {inside / plain_read:.2f}")


def _used(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _demand_order(verdict: verifier.Verdict) -> None:
    if not verdict.ok:
        raise SystemExit(" ".join(verdict.sentences()))


def _line(number: int) -> Line:
    details = canonical(
        {"digest": sha256(str(number).encode()).hexdigest(), "states": {"accepted": number % 1000, "failed": 3}}
    )
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


def _append(lines: list[Line]) -> None:
    db.session.rollback()
    for first in range(0, len(lines), BATCH):
        db.session.connection(execution_options={"tocsin_write": True})
        audit.append(lines[first : first + BATCH])
        db.session.commit()


def _one_action() -> None:
    """What a line adds to a durable change: in turns with the same change alone, by the clock and by processor time."""
    clocked: dict[str, list[float]] = {"with": [], "without": []}
    used = {"with": 0.0, "without": 0.0}
    for number in range(SINGLE):
        for kind, act in (("with", _with_line), ("without", _without)):
            began, before = time.perf_counter(), time.process_time()
            act(f"{kind}-{number}")
            used[kind] += time.process_time() - before
            clocked[kind].append(time.perf_counter() - began)
    ours, bare = (statistics.median(clocked[kind]) * 1000 for kind in ("with", "without"))
    more = (used["with"] - used["without"]) / SINGLE * 1000
    print(f"one line in a durable action: {more:.3f} ms of processor time more;"
          f" {ours - bare:.3f} ms by the clock, on top of {bare:.3f} ms")  # fmt: skip


def _with_line(name: str) -> None:
    with transaction("U-00000001", clock.now()) as ledger:
        db.session.execute(CHANGE, {"name": name})
        ledger.write("note.added", f"T-{name}", incident="INC-2026-0001")


def _without(name: str) -> None:
    db.session.connection(execution_options={"tocsin_write": True})
    db.session.execute(CHANGE, {"name": name})
    db.session.commit()


def _offline(folder: Path, size: int) -> None:
    """The file alone, on an export of all: seconds and memory of its own process."""
    export = folder / "record.jsonl"
    with export.open("wb") as out:
        out.writelines(checkpoints.exported())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = [sys.executable, "-c", _MEASURED, verifier.__file__, str(export)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = json.loads(done.stdout.splitlines()[-1])
    megabytes = export.stat().st_size / 2**20
    print(f"check all {size:,} lines by the file alone: {spent:.1f} s of processor time, {peak} MiB;"
          f" the export has {megabytes:,.0f} MiB")  # fmt: skip


_MEASURED = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    code = end.code
print([int(row.split()[1]) // 1024 for row in open("/proc/self/status") if row.startswith("VmHWM")][0])
sys.exit(code)
"""


def _writers(app: APIFlask) -> None:
    """Fifty who write, each about once a second: how long adding the line took them, and the whole durable action."""
    actions_, lines_ = [], []
    plain = audit.append

    def measured(added: object) -> object:
        began = time.perf_counter()
        try:
            return plain(added)  # type: ignore[arg-type]
        finally:
            lines_.append(time.perf_counter() - began)

    def write(writer: int) -> None:
        chance = random.Random(writer)
        until = time.monotonic() + SECONDS
        with app.app_context():
            number = 0
            while time.monotonic() < until:
                time.sleep(chance.random() * 2)
                began, number = time.perf_counter(), number + 1
                _with_line(f"{writer}-{number}")
                actions_.append(time.perf_counter() - began)

    audit.append = measured  # type: ignore[assignment]
    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    audit.append = plain
    print(f"{WRITERS} writers, {len(actions_) / SECONDS:.0f} actions a second: adding the line"
          f" p50 {_share(lines_, 50):.2f} ms, p99 {_share(lines_, 99):.2f} ms;"
          f" the whole durable action p50 {_share(actions_, 50):.1f} ms, p99 {_share(actions_, 99):.1f} ms")  # fmt: skip


def _share(seconds: list[float], percent: int) -> float:
    return sorted(seconds)[min(len(seconds) - 1, len(seconds) * percent // 100)] * 1000


if __name__ == "__main__":
    main()
