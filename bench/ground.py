"""What several benches stand on: an installation with people, an approved notice, everybody on its list; and plain HTTP."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from apiflask import APIFlask
from sqlalchemy import text

from incident import start, work
from incident.actions import dispatch, imports, intake, notices, preflight, preparing, sending
from incident.cli.serve import SHARE
from incident.domain.deliveries import Pace
from incident.domain.imports import Reading
from incident.settings import Settings
from incident.store import dispatches, incidents
from incident.store import notices as notice_rows
from incident.store.db import db
from incident.store.tables import Form
from tests.builders import WHO_WRITES, a_notice, notice_row
from tests.fakes.sendgrid import KEY
from tests.journeys.installation import free_port

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ROOT = Path(__file__).parent.parent
READING = Reading(("name", "email", "country", "language"), exposed=("email",))
TICKS = os.sysconf("SC_CLK_TCK")


class Taken(NamedTuple):
    """What one program took: seconds by the clock, seconds of the processor."""

    wall: float
    cpu: float


def measured(act: Callable[[], None]) -> Taken:
    """What this took, programs included that it started and that ended meanwhile."""
    wall, cpu = time.perf_counter(), _cpu()
    act()
    return Taken(time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
    """Seconds of the processor so far, those of programs that ended included."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def prepared(folder: Path, *, public_key: str = "", url: str = "http://127.0.0.1:9", pages: bool = True) -> APIFlask:
    """An installation in this folder whose e-mail goes through SendGrid at `url`; without `pages` as a worker has it."""
    given = Settings(
        instance=folder,
        test_mode=True,
        base_url="http://localhost",
        sendgrid_url=url,
        sendgrid_api_key=KEY,
        sendgrid_from="notice@company.example",
        sendgrid_webhook_public_key=public_key,
    )
    return start.prepare(given) if pages else start.without_pages(given)


def imported(people: int, folder: Path) -> str:
    """An incident with so many people, taken in as a list; its reference. Call inside the application."""
    ref = intake.log(kind="incident", title="Bench", facts={}, source="", confidence="", actor="system", now=NOW)
    source, files = folder / "list.csv", folder / "files"
    with source.open("w") as out:
        out.write("name,email,country,language\n")
        out.writelines(f"Person {n},person{n}@example.org,DE,en\n" for n in range(people))
    with source.open("rb") as content:
        list_ref = imports.upload(ref, content, name="list.csv", folder=files, actor="system", now=NOW)
    form = Form("csv", "utf-8-sig", ",")
    imports.start(ref, list_ref, READING, form=form, has_header=True, wave=0, folder=files, actor="system", now=NOW)
    imports.run(list_ref, folder=files, clock=lambda: NOW)
    source.unlink()
    return ref


def started(ref: str) -> str:
    """The sending of an approved notice of this incident to everybody, begun and no further; its reference."""
    incident = incidents.by_ref(ref)
    assert incident is not None
    notice = approved(incident, channels=("email",))
    return dispatch.start(ref, notice, only_sandbox=False, pace=Pace(), actor="U-0BENCH00", now=NOW)


def listed(ref: str, app: APIFlask) -> str:
    """The same with everybody on its list."""
    one = started(ref)
    while preparing.prepare(one, app.extensions["channels"].real, now=NOW):
        pass
    return one


def approved(incident: incidents.Incident, *, channels: tuple[str, ...]) -> str:
    """A notice to everybody, looked at, submitted and approved by another; its reference."""
    ref = a_notice(incident, channels=channels, now=NOW)
    preflight.ask(incident.ref, ref, actor="U-0AUTHOR0", now=NOW)
    work.once()
    revision = notice_row(incident, ref).revision
    notices.submit(incident.ref, ref, revision=revision, house=WHO_WRITES, actor="U-0AUTHOR0", now=NOW)
    version = notice_rows.version(notice_row(incident, ref).id, 1)
    assert version is not None
    people = str(version.people)
    notices.approve(
        incident.ref, ref, digest=version.digest, people=people, house=WHO_WRITES, actor="U-0APPROV0", now=NOW
    )
    return ref


def taken_by_the_provider(one: str) -> list[str]:
    """Make everybody on this list accepted, as a sending through SendGrid leaves them; their references in order."""
    row = dispatches.anywhere(one)
    assert row is not None
    with db.engine.begin() as connection:
        for statement in (
            "UPDATE delivery SET state = 'accepted', provider = 'sendgrid', provider_id = 'm-1', reason = '',"
            " answered_at = made_at, called_at = made_at WHERE dispatch_id = :id",
            "UPDATE dispatch_tally SET state = 'accepted' WHERE dispatch_id = :id AND state = 'waiting'",
            "UPDATE dispatch SET accepted = waiting, waiting = 0, course = 'done' WHERE id = :id",
        ):
            if "tally" not in statement or "dispatch_tally" in db.metadata.tables:
                connection.execute(text(statement), {"id": row.id})
        refs = connection.execute(text("SELECT ref FROM delivery WHERE dispatch_id = :id ORDER BY id"), {"id": row.id})
        return [ref for (ref,) in refs]


def environment(folder: Path, public_key: str = "") -> dict[str, str]:
    """The settings of `tocsin web` in this folder, with `{port}` for its port; no message leaves it."""
    return {
        "TOCSIN_INSTANCE": str(folder),
        "TOCSIN_PORT": "{port}",
        "TOCSIN_BASE_URL": "http://localhost",
        "TOCSIN_TEST_MODE": "1",
        "TOCSIN_LOG_LEVEL": "warning",
        "TOCSIN_SENDGRID_URL": "http://127.0.0.1:9",
        "TOCSIN_SENDGRID_API_KEY": KEY,
        "TOCSIN_SENDGRID_FROM": "notice@company.example",
        "TOCSIN_SENDGRID_WEBHOOK_PUBLIC_KEY": public_key,
    }


def clean() -> dict[str, str]:
    """The environment without the settings of any installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    return kept | {"PYTHONPATH": str(ROOT)}


def sent(app: APIFlask, one: str, people: int, connections: int) -> Taken:
    """What it takes to send to everybody who waits, and to nobody less."""
    with app.app_context():
        app.extensions["channels"].real["email"].calls = connections
        wave = sending.Wave(one, app.extensions["channels"].real, lambda: datetime.now(UTC))
        usual = sys.getswitchinterval()
        sys.setswitchinterval(SHARE)  # as the `tocsin` command does
        taken = measured(lambda: wave.run(time.monotonic() + 3600))
        sys.setswitchinterval(usual)
        row = dispatches.anywhere(one)
        if row is None or (row.course, row.accepted) != ("done", people):
            raise SystemExit(f"Not everybody was sent to: {row and row.counts}.")
    return taken


@contextmanager
def faked(seconds: float) -> Iterator[str]:
    """A fake SendGrid in a process of its own, answering after so many seconds; its address."""
    words = [sys.executable, "-m", "tests.fakes.sendgrid", "--seconds", str(seconds)]
    fake = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield fake.stdout.readline().strip() if fake.stdout else ""
    finally:
        fake.kill()


@contextmanager
def served(*command: str, settings: Mapping[str, str] | None = None) -> Iterator[tuple[int, int]]:
    """Port and process number of a server that runs while the block lasts; `{port}` in the command is its port."""
    port = free_port()
    environment = clean() | {name: value.format(port=port) for name, value in (settings or {}).items()}
    words = [sys.executable, *(word.format(port=port) for word in command)]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, cwd=ROOT)
    try:
        _wait_for(port, process)
        yield port, process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"The server stopped at once: exit {process.returncode}.")
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("The server did not answer.")


def cpu_seconds(process: int) -> float:
    """What this process has used of the processor so far, its threads and the programs of its own that ended included."""
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / TICKS


def peak_mib(process: int | str, gone: float = 0.0) -> float:
    """The most memory this process has held; `gone` where it has just ended."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return gone


class Line:
    """One connection, opened anew whenever the server closed it, with nothing of a client's own cost on it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> int:
        """The status of the answer to this whole request; its body is read and dropped."""
        line = self._socket or self._opened()
        line.sendall(request)
        read = b""
        while b"\r\n\r\n" not in read:
            read += _received(line)
        head, _, body = read.partition(b"\r\n\r\n")
        left = _length(head) - len(body)
        while left > 0:
            left -= len(_received(line))
        if b"connection: close" in head.lower():
            line.close()
            self._socket = None
        return int(head[9:12])

    def _opened(self) -> socket.socket:
        self._socket = socket.create_connection(("127.0.0.1", self._port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket


def downloaded(port: int, request: bytes) -> tuple[float, int]:
    """When the first byte of the body came (`perf_counter`), and how many lines came; the request is in HTTP/1.0, whose
    answers come as they are, to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(request)
        read = b""
        while b"\r\n\r\n" not in read or read.endswith(b"\r\n\r\n"):
            read += _received(line)
        first, head = time.perf_counter(), read[:12]
        if head[-3:] != b"200":
            raise SystemExit(f"The server answered {head!r}.")
        body = read.partition(b"\r\n\r\n")[2]
        lines = body.count(b"\n")
        while got := line.recv(1 << 18):
            lines += got.count(b"\n")
    return first, lines


def _received(line: socket.socket) -> bytes:
    got = line.recv(65536)
    if not got:
        raise SystemExit("The server cut the connection.")
    return got


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]
