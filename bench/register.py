"""The register of deliveries as CSV, over HTTP and by the command, beside a straight-line program over the same rows.

    python -m bench.register [PEOPLE]

The yardstick reads the rows by one query with sqlite3, joined to their sending, and writes them with the csv module: no sign-in, no
pages, no guard against formulas. Ours goes over a real socket from `tocsin web`. First byte and all are seconds of the clock.
"""

import csv
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench import ground
from incident import clock
from incident.actions import tokens
from incident.store.db import db
from tests.builders import a_user

PEOPLE = 20_000
QUERY = """SELECT 'INC', s.ref, s.notice_ref, s.version_number, s.simulated, 'P-' || d.person_number, d.channel, d.attempt,
d.current, d.state, d.reason, d.code, d.provider, d.provider_id, d.ref, d.made_at, d.called_at, d.answered_at, d.reported_at,
d.changed_at, d.settled_by, d.owner FROM delivery d JOIN dispatch s ON s.id = d.dispatch_id ORDER BY d.id"""


class Taken(NamedTuple):
    """How long it took, what of that was the processor's, the peak of memory, and how many lines came."""

    first: float
    seconds: float
    cpu: float
    memory: float
    lines: int


def straight_line(source: str, target: str) -> None:
    """The yardstick; prints how it did."""
    before, began = time.process_time(), time.perf_counter()
    with open(target, "w", newline="") as out:
        csv.writer(out).writerows(sqlite3.connect(source).execute(QUERY))
    took = time.perf_counter() - began
    memory = ground.peak_mib(os.getpid())
    with open(target) as written:
        lines = sum(1 for _ in written)
    print(json.dumps((took, took, time.process_time() - before, memory, lines)))


def over_http(folder: Path, ref: str, token: str) -> Taken:
    """The register as a program downloads it."""
    path = f"/api/v1/incidents/{ref}/sendings/register.csv"
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    with ground.served("-m", "incident.cli", "web", settings=ground.environment(folder)) as (port, process):
        before, began = ground.cpu_seconds(process), time.perf_counter()
        first, body = ground.downloaded(port, request.encode())
        took = time.perf_counter() - began
        return Taken(first - began, took, ground.cpu_seconds(process) - before, ground.peak_mib(process), body - 1)


def by_command(folder: Path, target: Path) -> tuple[Taken, float]:
    """The register as the command writes it, and the CPU seconds of its start, which are not counted."""
    start = _commanded(folder, "--incident", "INC-1999-0001")
    whole = _commanded(folder, "--to", str(target))
    with target.open() as written:
        lines = sum(1 for _ in written) - 1
    return Taken(start.seconds, whole.seconds - start.seconds, whole.cpu - start.cpu, whole.memory, lines), start.cpu


def _commanded(folder: Path, *words: str) -> Taken:
    settings = {name: value.format(port="8000") for name, value in ground.environment(folder).items()}
    command = [sys.executable, "-m", "incident.cli", "register", "export", *words]
    before, began, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0.0
    process = subprocess.Popen(command, env=ground.clean() | settings, cwd=ground.ROOT, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, ground.peak_mib(process.pid, gone=peak))
        time.sleep(0.01)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(0, took, cpu, peak, 0)


def main() -> None:
    """Print what each took, and one ratio."""
    if sys.argv[1:2] == ["--straight"]:
        straight_line(sys.argv[2], sys.argv[3])
        return
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given) / "instance"
        app = ground.prepared(folder)
        with app.app_context():
            ref = ground.imported(people, folder)
            ground.taken_by_the_provider(ground.listed(ref, app))
            user = a_user("lead", "privacy")
            _, token = tokens.issue(user.ref, name="bench", days=1, actor=user.ref, now=clock.now())
            db.engine.dispose()
        words = [
            sys.executable,
            "-m",
            "bench.register",
            "--straight",
            str(folder / "tocsin.db"),
            f"{given}/straight.csv",
        ]
        answer = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ground.ROOT)
        line = Taken(*json.loads(answer.stdout))
        command, start = by_command(folder, Path(given) / "command.csv")
        told = {"straight": line, "http": over_http(folder, ref, token), "command": command}
    for name, one in told.items():
        if one.lines != people:
            raise SystemExit(f"{name}: {one.lines} lines of {people}.")
        print(
            f"{name:<9}{people / one.seconds:>10,.0f} people/s  first byte {one.first * 1000:>7.1f} ms"
            f"  {one.cpu / people * 1e6:>5.1f} µs of CPU each  {one.memory:>4,.0f} MiB"
        )
    print(f"the command takes {start:.1f} s of CPU to start, which is not counted")
    mine = told["http"]
    print(
        f"ratio    {mine.seconds / line.seconds:.2f} times the straight line's time, {mine.cpu / line.cpu:.2f} times its CPU"
    )


if __name__ == "__main__":
    main()
