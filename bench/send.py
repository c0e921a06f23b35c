"""Notices sent per second to a fake SendGrid, beside a straight-line program that does the same work, in the same run.

    python -m bench.send [PEOPLE] [ANSWER_SECONDS]

Both open sealed contact data, fill the text, send batches of 1,000 over one kept connection, and keep durably what became of
each person. Ours also proves the approval before each batch, holds claims that survive a kill, writes the record, and
counts. The ratio is what counts; figures of one machine drift.
"""

import http.client
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, str(Path(__file__).parent.parent))

from incident import start, work
from incident.actions import dispatch, imports, intake, sending
from incident.domain.deliveries import Pace
from incident.domain.imports import Reading
from incident.settings import Settings
from incident.store import dispatches, incidents
from incident.store.db import db
from incident.store.tables import Form
from tests.builders import a_notice
from tests.fakes.sendgrid import KEY

PEOPLE = 20_000
BATCH = 1_000
NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
TEXT = "Dear {},\n\n" + "What happened, what we do, what you can do.\n" * 40


def straight_line(folder: Path, url: str, people: int) -> float:
    """The yardstick: no approval, no claims, no record. Seconds it took to send to everybody."""
    key = AESGCM(AESGCM.generate_key(256))
    database = sqlite3.connect(folder / "straight.db", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        database.execute(f"PRAGMA {pragma}")
    database.execute(
        "CREATE TABLE person (id INTEGER PRIMARY KEY, nonce BLOB, sealed BLOB, state TEXT DEFAULT 'waiting', ref TEXT)"
    )
    database.execute("BEGIN IMMEDIATE")
    for number in range(people):
        nonce = os.urandom(12)
        record = json.dumps({"name": f"Person {number}", "email": f"person{number}@example.org"}).encode()
        database.execute("INSERT INTO person (nonce, sealed) VALUES (?, ?)", (nonce, key.encrypt(nonce, record, b"")))
    database.execute("COMMIT")
    line = http.client.HTTPConnection(urlsplit(url).netloc)
    began = time.perf_counter()
    after = 0
    while rows := database.execute(
        "SELECT id, nonce, sealed FROM person WHERE id > ? ORDER BY id LIMIT ?", (after, BATCH)
    ).fetchall():
        opened = [(id_, json.loads(key.decrypt(nonce, sealed, b""))) for id_, nonce, sealed in rows]
        mail = {
            "from": {"email": "notice@company.example"},
            "personalizations": [
                {
                    "to": [{"email": one["email"]}],
                    "subject": "Notice",
                    "custom_args": {"tocsin_ref": str(id_)},
                    "substitutions": {"-name-": one["name"]},
                }
                for id_, one in opened
            ],
            "content": [{"type": "text/plain", "value": TEXT.format("-name-")}],
        }
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE person SET state = 'sending' WHERE id BETWEEN ? AND ?", (rows[0][0], rows[-1][0]))
        database.execute("COMMIT")
        line.request(
            "POST",
            "/v3/mail/send",
            json.dumps(mail),
            {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        )
        answer = line.getresponse()
        answer.read()
        assert answer.status == 202
        database.execute("BEGIN IMMEDIATE")
        database.execute(
            "UPDATE person SET state = 'accepted', ref = ? WHERE id BETWEEN ? AND ?",
            (answer.headers["X-Message-Id"], rows[0][0], rows[-1][0]),
        )
        database.execute("COMMIT")
        after = rows[-1][0]
    return time.perf_counter() - began


def ours(folder: Path, url: str, people: int) -> tuple[float, float]:
    """Seconds that Tocsin takes to list everybody, and to send to them."""
    settings = Settings(
        instance=folder / "instance",
        test_mode=True,
        base_url="http://localhost",
        sendgrid_url=url,
        sendgrid_api_key=KEY,
        sendgrid_from="notice@company.example",
    )
    app = start.prepare(settings)
    with app.app_context():
        ref = intake.log(kind="incident", title="t", facts={}, source="s", confidence="high", actor="system", now=NOW)
        files = settings.instance / "files"
        source = settings.instance / "list.csv"
        source.write_text(
            "name,email,country,language\n"
            + "".join(f"Person {n},person{n}@example.org,DE,en\n" for n in range(people))
        )
        with source.open("rb") as content:
            list_ref = imports.upload(ref, content, name="l.csv", folder=files, actor="system", now=NOW)
        reading = Reading(("name", "email", "country", "language"), exposed=("email",))
        imports.start(
            ref,
            list_ref,
            reading,
            form=Form("csv", "utf-8-sig", ","),
            has_header=True,
            wave=0,
            folder=files,
            actor="system",
            now=NOW,
        )
        db.session.remove()
        work.once()
        incident = incidents.by_ref(ref)
        assert incident is not None
        notice = a_notice(incident, channels=("email",), stage="approved", now=NOW)
        one = dispatch.start(ref, notice, only_sandbox=False, pace=Pace(), actor="U-0BENCH00", now=NOW)
        opened = app.extensions["channels"].real
        began = time.perf_counter()
        while sending.prepare(one, opened, now=NOW):
            pass
        listed = time.perf_counter()
        sending.Wave(one, opened, lambda: datetime.now(UTC)).run(time.monotonic() + 3600)
        ended = time.perf_counter()
        row = dispatches.anywhere(one)
        assert row is not None
        assert (row.course, row.accepted) == ("done", people), (row.course, row.counts)
    return listed - began, ended - listed


def main() -> None:
    """Print both figures, their ratio, and what memory it took."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    seconds = sys.argv[2] if len(sys.argv) > 2 else "0"
    fake = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.sendgrid", "--seconds", seconds], stdout=subprocess.PIPE, text=True
    )
    assert fake.stdout is not None
    url = fake.stdout.readline().strip()
    try:
        with tempfile.TemporaryDirectory() as folder:
            yardstick = straight_line(Path(folder), url, people)
            before = resource.getrusage(resource.RUSAGE_SELF)
            listed, sent = ours(Path(folder), url, people)
            after = resource.getrusage(resource.RUSAGE_SELF)
    finally:
        fake.kill()
    print(f"straight line: {people / yardstick:10,.0f} people a second")
    print(
        f"ours:          {people / sent:10,.0f} people a second, and {people / listed:,.0f} a second to put them on the list"
    )
    print(f"ratio:         {yardstick / sent:10.2f} of the straight line's speed, {after.ru_maxrss / 1024:,.0f} MiB")
    print(
        f"CPU:           {(after.ru_utime - before.ru_utime) * 1e6 / people:10,.1f} µs a person, importing them included"
    )


if __name__ == "__main__":
    main()
