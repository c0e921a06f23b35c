"""Pages of the desk while a sending and an import run, beside the same pages while nothing runs, over real sockets.

    python -m bench.pages_under_load [PEOPLE] [--apart]

One installation on SQLite: a sending to so many people through a fake SendGrid in another process, a longer list being taken in, and somebody who opens five pages in turn. First `tocsin web` alone answers, then `tocsin run`, which does the work in
the same process; with `--apart` `tocsin web` again, beside `tocsin scheduler`. Times count only while both pieces of work go on.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import ground
from incident import clock
from incident.actions import imports
from incident.store.db import db
from incident.store.tables import Form
from tests.builders import a_session, a_user

PEOPLE = 20_000
LISTED = 3  # rows of the list for each person of the sending, so that the two take about as long
ROUNDS = 12
STEP = 0.05  # seconds between two pages


def prepared(folder: Path, url: str, people: int) -> tuple[list[str], str]:
    """An installation with a sending and a list, both ready to go; the pages' paths and a cookie to open them with."""
    app = ground.prepared(folder, url=url)
    with app.app_context():
        ref = ground.imported(people, folder)
        one = ground.started(ref)
        _waiting_list(ref, people, folder)
        user = a_user("lead", "privacy", "responder")
        cookie = {"sid": a_session(user), "seen": int(clock.now().timestamp())}
        db.engine.dispose()
    with app.test_request_context():
        signed = app.session_interface.get_signing_serializer(app).dumps(cookie)  # type: ignore[attr-defined]
    paths = ["/", "/incidents/", f"/incidents/{ref}", f"/incidents/{ref}/sending/{one}", "/duties/"]
    return paths, f"{app.config['SESSION_COOKIE_NAME']}={signed}"


def _waiting_list(ref: str, people: int, folder: Path) -> None:
    source, files, now = folder / "second.csv", folder / "files", clock.now()
    with source.open("w") as out:
        out.write("name,email,country,language\n")
        out.writelines(f"Second {n},second{n}@example.org,FR,en\n" for n in range(LISTED * people))
    with source.open("rb") as content:
        list_ref = imports.upload(ref, content, name="second.csv", folder=files, actor="system", now=now)
    form = Form("csv", "utf-8-sig", ",")
    imports.start(
        ref, list_ref, ground.READING, form=form, has_header=True, wave=0, folder=files, actor="system", now=now
    )


def looked(port: int, paths: list[str], cookie: str, go_on: Callable[[], bool]) -> dict[str, list[float]]:
    """Seconds that each page took, opened in turn as long as `go_on` says."""
    line, times = ground.Line(port), {path: list[float]() for path in paths}
    while go_on():
        for path in paths:
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"
            began = time.perf_counter()
            status = line.ask(request.encode())
            times[path].append(time.perf_counter() - began)
            if status != 200:
                raise SystemExit(f"{path}: {status}")
            time.sleep(STEP)
    return times


def unfinished(database: sqlite3.Connection) -> tuple[int, int]:
    """How many people of the sending and rows of the list are still to do."""
    [[sending]] = database.execute("SELECT audience - accepted FROM dispatch")
    [[listed]] = database.execute("SELECT count(*) FROM person_import WHERE state IN ('waiting', 'running')")
    return sending, listed


@contextmanager
def fake() -> Iterator[str]:
    """The address of a fake SendGrid in a process of its own."""
    command = [sys.executable, "-m", "tests.fakes.sendgrid", "--seconds", "0.05"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ground.ROOT, env=ground.clean())
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()


@contextmanager
def beside(folder: Path, url: str) -> Iterator[None]:
    """The clock and the work in a process of their own."""
    settings = {name: value.format(port="8000") for name, value in environment(folder, url).items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "incident.cli", "scheduler"],
        env=ground.clean() | settings,
        cwd=ground.ROOT,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def environment(folder: Path, url: str) -> dict[str, str]:
    """The settings of the servers."""
    return ground.environment(folder) | {"TOCSIN_SENDGRID_URL": url}


def under_load(folder: Path, url: str, paths: list[str], cookie: str, *, apart: bool) -> dict[str, list[float]]:
    """The pages while both pieces of work go on."""
    database = sqlite3.connect(folder / "tocsin.db", timeout=30)
    began, left = time.monotonic(), unfinished(database)

    def both() -> bool:
        sending, listed = unfinished(database)
        return sending > 0 and listed > 0 and time.monotonic() < began + 600

    with ground.served("-m", "incident.cli", "web" if apart else "run", settings=environment(folder, url)) as (port, _):
        if not apart:
            return looked(port, paths, cookie, both)
        with beside(folder, url):
            while unfinished(database) == left:
                time.sleep(0.05)
            return looked(port, paths, cookie, both)


def idle(folder: Path, url: str, paths: list[str], cookie: str) -> dict[str, list[float]]:
    """The pages while nothing runs."""
    rounds = iter(range(ROUNDS + 1))
    with ground.served("-m", "incident.cli", "web", settings=environment(folder, url)) as (port, _):
        times = looked(port, paths, cookie, lambda: next(rounds) < ROUNDS)
    return {path: taken[1:] for path, taken in times.items()}  # the first opening of a page reads its template


def _without_people(path: str) -> str:
    return "/".join("…" if "-" in part else part for part in path.split("/"))


def main() -> None:
    """Print each page's times and one ratio."""
    asked = argparse.ArgumentParser()
    asked.add_argument("people", nargs="?", type=int, default=PEOPLE)
    asked.add_argument("--apart", action="store_true")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as root, fake() as url:
        folder = Path(root) / "instance"
        paths, cookie = prepared(folder, url, given.people)
        calm = idle(folder, url, paths, cookie)
        busy = under_load(folder, url, paths, cookie, apart=given.apart)
    all_calm, all_busy = [[one for taken in times.values() for one in taken] for times in (calm, busy)]
    for path in paths:
        print(
            f"{_without_people(path):<28} p95 idle {ground.p95(calm[path]) * 1000:>7.1f} ms"
            f"   busy {ground.p95(busy[path]) * 1000:>7.1f} ms   {len(busy[path])} times"
        )
    print(f"load: {os.getloadavg()[0]:.1f}")
    print(f"ratio    {ground.p95(all_busy) / ground.p95(all_calm):.2f} times the idle p95, of {len(all_busy)} pages")


if __name__ == "__main__":
    main()
