"""Delivery events over HTTP, signed, 100 a post, beside two plain servers that take the same posts in the same run.

    python -m bench.events [EVENTS] [--at-once 100] [--lines 4]

`careful` is what a good engineer writes in an hour: Flask and waitress, signature, each event once, the state moved, one
transaction a post, sqlite3 without an ORM. `usual` is the tutorial: the same by Flask-SQLAlchemy, object by object, one post at a time, for two at once lock each other out.
Ours is `tocsin web` itself; it also keeps each event as received, holds the order of evidence, counts, and writes the record.
Every post goes over a real socket; the posts are signed before the clock starts. Seconds are of the clock, CPU of the server.
"""

import argparse
import base64
import json
import sqlite3
import sys
import tempfile
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from waitress import serve

from bench import ground
from incident.store.db import db
from tests.fakes.sendgrid import HARD_BOUNCE, FakeSendGrid

EVENTS = 20_000
USUAL = 2_000
BOUNCED = 100  # one in so many comes back
RANK = {"processed": 1, "delivered": 2, "bounce": 3}


class Told(NamedTuple):
    """How a server did."""

    seconds: float
    posts: list[float]
    cpu: float
    memory: float


def reports(refs: list[str], count: int) -> list[dict[str, Any]]:
    """Two events a person, as SendGrid words them."""
    found: list[dict[str, Any]] = []
    for number, ref in enumerate(refs):
        usual = {
            "email": f"person{number}@example.org",
            "timestamp": 1772813000 + number // 1000,
            "smtp-id": f"<m{number // 1000}@geopod-ismtpd-1>",
            "sg_message_id": f"m{number // 1000}.recvd-5f54b5d587-7rlpt-1-64B0-3.{number % 1000}",
            "tocsin_ref": ref,
        }
        event_id = base64.urlsafe_b64encode(sha256(ref.encode()).digest()[:12]).decode()
        found.append(usual | {"event": "processed", "sg_event_id": f"p{event_id}", "send_at": 0})
        if number % BOUNCED:
            last = {"event": "delivered", "response": "250 2.0.0 OK", "tls": 1}
        else:
            last = {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": HARD_BOUNCE}
        found.append(usual | last | {"sg_event_id": f"d{event_id}"})
    return found[:count]


def posts(fake: FakeSendGrid, events: list[dict[str, Any]], at_once: int) -> list[bytes]:
    """Whole requests, signed."""
    made = []
    for start in range(0, len(events), at_once):
        body = json.dumps(events[start : start + at_once], separators=(",", ":")).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in fake.signed(body).items())
        made.append(
            f"POST /hooks/sendgrid HTTP/1.1\r\nHost: localhost\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
    return made


def fired(port: int, process: int, requests: list[bytes], lines: int) -> Told:
    """Post them all over so many connections at once."""
    waiting, taken = iter(requests), threading.Lock()
    times: list[float] = []
    wrong: list[int] = []

    def work() -> None:
        line = ground.Line(port)
        while True:
            with taken:
                one = next(waiting, None)
            if one is None:
                return
            began = time.perf_counter()
            status = line.ask(one)
            times.append(time.perf_counter() - began)
            if status != 204:
                wrong.append(status)

    before, began = ground.cpu_seconds(process), time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(lines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if wrong or len(times) != len(requests):
        raise SystemExit(f"{len(times)} of {len(requests)} posts were answered; wrong: {sorted(set(wrong))}")
    return Told(took, times, ground.cpu_seconds(process) - before, ground.peak_mib(process))


# The yardsticks ---------------------------------------------------------------------------------------------------------


def _table(path: Path, refs: list[str]) -> None:
    database = sqlite3.connect(path)
    database.executescript(
        "PRAGMA journal_mode = WAL;"
        "CREATE TABLE person (id INTEGER PRIMARY KEY, ref TEXT UNIQUE, state TEXT, rank INTEGER);"
        "CREATE TABLE event (id INTEGER PRIMARY KEY, event_id TEXT UNIQUE, ref TEXT, word TEXT, body TEXT);"
    )
    database.executemany("INSERT INTO person (ref, state, rank) VALUES (?, 'accepted', 0)", [(ref,) for ref in refs])
    database.commit()
    database.close()


def _signed(key: Any) -> bytes:
    body = request.get_data(cache=False)
    signature = base64.b64decode(request.headers["X-Twilio-Email-Event-Webhook-Signature"])
    signed = request.headers["X-Twilio-Email-Event-Webhook-Timestamp"].encode() + body
    key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    return body


def careful(path: str, key: Any) -> Flask:
    """The yardstick: one transaction a post, a set of plain statements."""
    app, held = Flask(__name__), threading.local()

    def connection() -> sqlite3.Connection:
        if not hasattr(held, "database"):
            held.database = sqlite3.connect(path, isolation_level=None, timeout=15)
            for pragma in ("synchronous = FULL", "cache_size = -32768"):
                held.database.execute(f"PRAGMA {pragma}")
        database: sqlite3.Connection = held.database
        return database

    @app.get("/health")
    def health() -> str:
        return "ok"

    @app.post("/hooks/sendgrid")
    def take() -> tuple[str, int]:
        events, database = json.loads(_signed(key)), connection()
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "INSERT OR IGNORE INTO event (event_id, ref, word, body) VALUES (?, ?, ?, ?)",
            [(one["sg_event_id"], one["tocsin_ref"], one["event"], json.dumps(one)) for one in events],
        )
        database.executemany(
            "UPDATE person SET state = ?, rank = ? WHERE ref = ? AND rank < ?",
            [(one["event"], RANK[one["event"]], one["tocsin_ref"], RANK[one["event"]]) for one in events],
        )
        database.execute("COMMIT")
        return "", 204

    return app


def usual(path: str, key: Any) -> Flask:
    """The tutorial's way: an object for each event, asked for and saved one by one."""
    app, database = Flask(__name__), SQLAlchemy()
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{path}"
    database.init_app(app)

    class Person(database.Model):  # type: ignore[name-defined]
        id = database.Column(database.Integer, primary_key=True)
        ref = database.Column(database.Text)
        state = database.Column(database.Text)
        rank = database.Column(database.Integer)

    class Event(database.Model):  # type: ignore[name-defined]
        id = database.Column(database.Integer, primary_key=True)
        event_id = database.Column(database.Text)
        ref = database.Column(database.Text)
        word = database.Column(database.Text)
        body = database.Column(database.Text)

    @app.get("/health")
    def health() -> str:
        return "ok"

    @app.post("/hooks/sendgrid")
    def take() -> tuple[str, int]:
        for one in json.loads(_signed(key)):
            if database.session.query(Event).filter_by(event_id=one["sg_event_id"]).first():
                continue
            event = Event(event_id=one["sg_event_id"], ref=one["tocsin_ref"], word=one["event"], body=json.dumps(one))
            database.session.add(event)
            person = database.session.query(Person).filter_by(ref=one["tocsin_ref"]).first()
            if person and person.rank < RANK[one["event"]]:
                person.state, person.rank = one["event"], RANK[one["event"]]
        database.session.commit()
        return "", 204

    return app


def _serve_plain(kind: str, path: str, key: str, port: int) -> None:
    public = load_der_public_key(base64.b64decode(key))
    serve({"careful": careful, "usual": usual}[kind](path, public), host="127.0.0.1", port=port, threads=16)


def plain(kind: str, requests: list[bytes], refs: list[str], key: str, lines: int) -> Told:
    """How a yardstick did with these posts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.db"
        _table(path, refs)
        with ground.served("-m", "bench.events", "--serve", kind, str(path), key, "{port}") as (port, process):
            return fired(port, process, requests, lines)


# Ours -------------------------------------------------------------------------------------------------------------------


def ours(folder: Path, fake: FakeSendGrid, requests: list[bytes], events: list[dict[str, Any]], lines: int) -> Told:
    """How `tocsin web` did; what it kept is looked at afterwards."""
    settings = ground.environment(folder, fake.public_key)
    with ground.served("-m", "incident.cli", "web", settings=settings) as (port, process):
        told = fired(port, process, requests, lines)
    database = sqlite3.connect(folder / "tocsin.db")
    [[kept]] = database.execute("SELECT count(*) FROM provider_event")
    states = dict(database.execute("SELECT state, count(*) FROM delivery GROUP BY state"))
    back = sum(1 for one in events if one["event"] == "bounce")
    arrived = sum(1 for one in events if one["event"] == "delivered")
    if (kept, states.get("bounced", 0), states.get("delivered", 0)) != (len(events), back, arrived):
        raise SystemExit(f"The events were not taken in: {kept} kept, {states}.")
    return told


def _said(name: str, count: int, told: Told) -> str:
    times = sorted(told.posts)
    return (
        f"{name:<9}{count / told.seconds:>9,.0f} events/s   post: median {times[len(times) // 2] * 1000:>6.1f} ms,"
        f" p95 {ground.p95(times) * 1000:>6.1f} ms   {told.cpu / count * 1e6:>6.1f} µs of CPU an event"
        f"   {told.memory:>4,.0f} MiB"
    )


def main() -> None:
    """Print what each of the three took, and two ratios."""
    if sys.argv[1:2] == ["--serve"]:
        _serve_plain(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
        return
    asked = argparse.ArgumentParser()
    asked.add_argument("events", nargs="?", type=int, default=EVENTS)
    asked.add_argument("--at-once", type=int, default=100)
    asked.add_argument("--lines", type=int, default=4)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, FakeSendGrid() as fake:
        instance = Path(folder) / "instance"
        app = ground.prepared(instance, public_key=fake.public_key)
        with app.app_context():
            one = ground.listed(ground.imported(-(-given.events // 2), instance), app)
            refs = ground.taken_by_the_provider(one)
            db.engine.dispose()
        events = reports(refs, given.events)
        requests = posts(fake, events, given.at_once)
        few = max(1, min(given.events, USUAL) // given.at_once)
        slow = plain("usual", requests[:few], refs[: few * given.at_once], fake.public_key, 1)
        fair = plain("careful", requests, refs, fake.public_key, given.lines)
        mine = ours(instance, fake, requests, events, given.lines)
    print(f"{given.events:,} events, {given.at_once} a post, {given.lines} connections")
    print(_said("usual", few * given.at_once, slow))
    print(_said("careful", given.events, fair))
    print(_said("tocsin", given.events, mine))
    cpu = mine.cpu / fair.cpu
    print(f"ratio    {fair.seconds / mine.seconds:.2f} of the careful server's speed, {cpu:.2f} times its CPU")


if __name__ == "__main__":
    main()
