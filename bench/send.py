"""Notices sent per second to a fake SendGrid, beside two plain programs that send as many, in the same run.

    python -m bench.send [PEOPLE] [ANSWER_SECONDS] [--connections N]
    python -m bench.send PEOPLE --sizes

The library: SendGrid's own, its helper classes, 1,000 people a call; it keeps nothing and knows nobody's state.
The straight line: opens sealed contact data, fills the text, keeps durably what became of each; no approval, claim or record.
Ours also proves the approval before each batch, holds claims that survive a kill, writes the record, and counts.
The ratios are what counts; figures of one machine drift.

With `--sizes`, ours alone: a hundredth of the people, a tenth, all of them; memory while sending and processor time a person
(bench/sizes.py), each size in processes of its own.
"""

import argparse
import http.client
import json
import os
import resource
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Content, CustomArg, Email, Mail, Personalization, Substitution, To

from bench import ground, sizes
from bench.ground import Taken, measured
from tests.fakes.sendgrid import KEY

PEOPLE = 20_000
BATCH = 1_000
TEXT = "Dear {},\n\n" + "What happened, what we do, what you can do.\n" * 40


def by_library(url: str, people: int, connections: int) -> Taken:
    """The official library, with no state, so many calls at once."""

    def call(start: int) -> None:
        mail = Mail(from_email=Email("notice@company.example"))
        mail.add_content(Content("text/plain", TEXT.format("-name-")))
        for number in range(start, min(start + BATCH, people)):
            person = Personalization()
            person.add_to(To(f"person{number}@example.org"))
            person.subject = "Notice"
            person.add_custom_arg(CustomArg("tocsin_ref", str(number)))
            person.add_substitution(Substitution("-name-", f"Person {number}"))
            mail.add_personalization(person)
        answer = SendGridAPIClient(KEY, host=url).send(mail)
        if answer.status_code != 202:
            raise SystemExit(f"The library was answered {answer.status_code}.")

    def send() -> None:
        with ThreadPoolExecutor(connections) as pool:
            list(pool.map(call, range(0, people, BATCH)))

    return measured(send)


def straight_line(folder: Path, url: str, people: int) -> Taken:
    """One connection, one call after the other."""
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
    taken = measured(lambda: _send_straight(database, line, key))
    database.close()
    return taken


def _send_straight(database: sqlite3.Connection, line: http.client.HTTPConnection, key: AESGCM) -> None:
    after = 0
    page = "SELECT id, nonce, sealed FROM person WHERE id > ? ORDER BY id LIMIT ?"
    while rows := database.execute(page, (after, BATCH)).fetchall():
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
        first, last = rows[0][0], rows[-1][0]
        _set(database, "state = 'sending'", (first, last))
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        line.request("POST", "/v3/mail/send", json.dumps(mail), headers)
        answer = line.getresponse()
        answer.read()
        if answer.status != 202:
            raise SystemExit(f"The straight line was answered {answer.status}.")
        _set(database, "state = 'accepted', ref = ?", (answer.headers["X-Message-Id"], first, last))
        after = last


def _set(database: sqlite3.Connection, change: str, values: tuple[object, ...]) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.execute(f"UPDATE person SET {change} WHERE id BETWEEN ? AND ?", values)
    database.execute("COMMIT")


def ours(folder: Path, url: str, people: int, connections: int) -> Taken:
    """What Tocsin takes to send to everybody who is on the list already."""
    instance = folder / "instance"
    app = ground.prepared(instance, url=url)
    with app.app_context():
        one = ground.listed(ground.imported(people, instance), app)
    return ground.sent(app, one, people, connections)


def main() -> None:
    """Print the three and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", type=int, nargs="?", default=PEOPLE)
    parser.add_argument("seconds", type=float, nargs="?", default=0.0, help="how long an answer takes")
    parser.add_argument("--connections", type=int, default=8, help="calls at once, of ours and of the library")
    parser.add_argument("--sizes", action="store_true", help="ours alone, at three sizes, in processes of their own")
    asked = parser.parse_args()
    if asked.sizes:
        sizes.compare(asked.people, asked.seconds, asked.connections)
        return
    with ground.faked(asked.seconds) as url, tempfile.TemporaryDirectory() as folder:
        before = by_library(url, asked.people, asked.connections if asked.seconds else 1)
        straight = straight_line(Path(folder), url, asked.people)
        own = ours(Path(folder), url, asked.people, asked.connections)
        after = by_library(url, asked.people, asked.connections if asked.seconds else 1)
    library = Taken((before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2)
    for name, taken in (("library", library), ("straight line", straight), ("ours", own)):
        rate, cpu = asked.people / taken.wall, taken.cpu * 1e6 / asked.people
        print(f"{name:14} {rate:10,.0f} people a second {cpu:8.1f} µs CPU a person")
    print(
        f"ours took {own.wall / library.wall:.2f} of the library's time, {own.cpu / library.cpu:.2f} of its CPU", end=""
    )
    print(f"; {own.wall / straight.wall:.2f} and {own.cpu / straight.cpu:.2f} of the straight line's")
    if asked.seconds:
        most = asked.connections * BATCH / asked.seconds
        print(
            f"{asked.connections} connections could do {most:,.0f} a second: {asked.people / own.wall / most:.0%} of that"
        )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB, imports included")


if __name__ == "__main__":
    main()
