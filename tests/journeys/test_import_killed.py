"""A hundred thousand rows come in while the worker is killed (-9) again and again: nobody is lost, nobody is there twice."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from incident import start
from incident.actions import counts, imports, intake
from incident.domain.imports import Reading
from incident.settings import Settings
from incident.store.db import db
from incident.store.tables import Form

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ROWS = 100_000
KILLS = 3


def a_waiting_import(settings):
    """An import of many people, every thousandth twice and every ten-thousandth broken, that waits for a worker."""
    people = [
        f"Person {n},person{n if n % 1_000 else 1}@example.org,DE" if n % 10_000 else f"Person {n},broken,DE"
        for n in range(1, ROWS + 1)
    ]
    app = start.prepare(settings)
    with app.app_context():
        ref = intake.log(kind="incident", title="t", facts={}, source="s", confidence="high", actor="system", now=NOW)
        source = settings.instance / "list.csv"
        source.write_text("\n".join(["name,email,country", *people]) + "\n")
        with source.open("rb") as content:
            list_ref = imports.upload(
                ref, content, name="l.csv", folder=settings.instance / "files", actor="system", now=NOW
            )
        form, reading = Form("csv", "utf-8-sig", ","), Reading(("name", "email", "country"))
        imports.start(
            ref,
            list_ref,
            reading,
            form=form,
            has_header=True,
            wave=0,
            folder=settings.instance / "files",
            actor="system",
            now=NOW,
        )
        db.session.remove()
    return app, ref, list_ref


def a_worker(settings):
    environment = os.environ | {
        "TOCSIN_INSTANCE": str(settings.instance),
        "TOCSIN_TEST_MODE": "1",
        "TOCSIN_BASE_URL": "http://localhost",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "incident.cli", "work", "--once"], env=environment, stdout=subprocess.DEVNULL
    )


def rows_read(path):
    with sqlite3.connect(path, timeout=30) as database:
        return database.execute("SELECT rows, step FROM person_import").fetchone()


def is_far_enough(path, seen, kill):
    """The worker is killed while it reads, and the last time while people are compared."""
    rows, step = rows_read(path)
    return rows > seen if kill < KILLS else step != "reading"


def kept(path):
    with sqlite3.connect(path, timeout=30) as database:
        return database.execute(
            "SELECT (SELECT count(*) FROM person) + (SELECT count(*) FROM person_refusal)"
        ).fetchone()[0]


@pytest.mark.journey
def test_an_import_survives_being_killed_at_any_moment(tmp_path):
    settings = Settings(instance=tmp_path / "instance", test_mode=True, base_url="http://localhost")
    app, ref, list_ref = a_waiting_import(settings)
    path, dice, seen = settings.instance / "tocsin.db", random.Random(11), 0
    for kill in range(1, KILLS + 1):
        worker = a_worker(settings)
        until = time.monotonic() + 120
        while not is_far_enough(path, seen, kill) and worker.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(dice.random() * (0.4 if kill < KILLS else 0.05))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        seen = rows_read(path)[0]
        assert kept(path) == seen
    assert seen > 0
    worker = a_worker(settings)
    assert worker.wait(timeout=240) == 0
    with app.app_context():
        row = imports.get(ref, list_ref)
        assert row.state == "done"
        assert (row.rows, row.refused, row.suspects, row.taken) == (ROWS, 10, 90, ROWS - 100)
        assert (counts.of(ref).active, counts.of(ref).suspects) == (ROWS - 100, 90)
    with sqlite3.connect(path) as database:
        assert (
            database.execute("SELECT count(*), count(DISTINCT row_no), count(DISTINCT number) FROM person").fetchone()
            == (ROWS - 10,) * 3
        )
        assert database.execute("SELECT count(*) FROM person_refusal").fetchone() == (10,)
        claims = database.execute("SELECT count(*) FROM audit_line WHERE verb = 'list.import_claimed'").fetchone()[0]
    assert claims >= 2
    verified = subprocess.run(
        [sys.executable, "-m", "incident.cli", "audit", "verify"],
        env=os.environ
        | {"TOCSIN_INSTANCE": str(settings.instance), "TOCSIN_TEST_MODE": "1", "TOCSIN_BASE_URL": "http://localhost"},
        check=False,
    )
    assert verified.returncode == 0
