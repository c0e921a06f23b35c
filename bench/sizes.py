"""Memory while sending, and processor time a person, at three sizes; each in processes of its own (`bench.send --sizes`).

One process imports the people, another sends and does nothing else, so that what it holds is what sending needs. Its peak is
reset when the sending begins: what was loaded by then is in it, what the start alone needed is not. The process is what a
worker is; one that serves pages as well, as `tocsin run` does, is shown apart.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from bench import ground

FLAT, BOUND = 1.2, 200  # times the smallest; MiB
RISE = 1.15  # times the cost a person of the smallest


class Size(NamedTuple):
    """What one size came to."""

    people: int
    rate: float
    cpu: float  # microseconds a person
    before: float  # MiB held when the sending began
    peak: float


def compare(people: int, seconds: float, connections: int) -> None:
    """Print three sizes, and what the largest is to the smallest."""
    found = [_of(count, seconds, connections) for count in (max(1, people // 100), max(1, people // 10), people)]
    for size in found:
        print(
            f"{size.people:>9,} people {size.rate:8,.0f} a second {size.cpu:6.1f} µs CPU a person,"
            f" memory {size.before:.0f} MiB at the start of the sending, {size.peak:.0f} MiB at most",
            flush=True,
        )
    least, most = found[0], max(found, key=lambda size: size.peak)
    whole = _of(people, seconds, connections, pages=True)
    print(f"{whole.people:>9,} people by a program that serves pages as well: {whole.peak:.0f} MiB at most")
    print(
        f"memory: {most.peak / least.peak:.2f} x the smallest size (must {FLAT:g}), {most.peak:.0f} MiB (must {BOUND});"
        f" cost a person: {found[-1].cpu / least.cpu:.2f} x the smallest size (must {RISE:g})"
    )


def _of(people: int, seconds: float, connections: int, *, pages: bool = False) -> Size:
    with ground.faked(seconds) as url, tempfile.TemporaryDirectory() as folder:
        given = [str(people), folder, url, str(connections)]
        one = _child("list", *given)
        stage = "serve" if pages else "send"
        rate, cpu, before, peak = map(float, _child(stage, *given, one).split())
    return Size(people, rate, cpu, before, peak)


def _child(*words: str) -> str:
    command = [sys.executable, "-m", "bench.sizes", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ground.ROOT)
    return done.stdout.strip()


def _list(people: int, folder: Path, url: str) -> str:
    app = ground.prepared(folder, url=url)
    with app.app_context():
        return ground.listed(ground.imported(people, folder), app)


def _send(people: int, folder: Path, url: str, connections: int, one: str, *, pages: bool) -> str:
    app = ground.prepared(folder, url=url, pages=pages)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = ground.peak_mib("self")
    taken = ground.sent(app, one, people, connections)
    return f"{people / taken.wall} {taken.cpu * 1e6 / people} {before} {ground.peak_mib('self')}"


def main() -> None:
    """One stage of one size: `list` prints the sending's reference, `send` what it took, `serve` the same with pages loaded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("list", "send", "serve"))
    parser.add_argument("people", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("url")
    parser.add_argument("connections", type=int)
    parser.add_argument("sending", nargs="?", default="")
    asked = parser.parse_args()
    folder = asked.folder / "instance"
    if asked.stage == "list":
        print(_list(asked.people, folder, asked.url))
    else:
        pages = asked.stage == "serve"
        print(_send(asked.people, folder, asked.url, asked.connections, asked.sending, pages=pages))


if __name__ == "__main__":
    main()
