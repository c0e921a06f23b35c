"""A wave goes out while its worker is killed (-9) again and again: nobody is lost, nobody is told twice, doubt is shown."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident import start, work
from incident.actions import deliveries, dispatch, imports, intake
from incident.domain.deliveries import Pace, State
from incident.domain.imports import Reading
from incident.settings import Settings
from incident.store import deliveries as rows
from incident.store import dispatches, incidents
from incident.store.db import db
from incident.store.tables import Form
from tests.builders import a_notice
from tests.fakes.faults import Faults
from tests.fakes.sendgrid import KEY, FakeSendGrid
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
LEAD = "U-0LEAD000"


def brought_in(settings, way, count, *, taken_in=True):
    """An installation with an incident and so many people on its list; the incident's reference."""
    app = start.prepare(settings)
    column, value = ("email", "person{}@example.org") if way == "email" else ("phone", "+49151{:08}")
    lines = [f"Person {n},{value.format(n)},DE,en" for n in range(1, count + 1)]
    with app.app_context():
        ref = intake.log(kind="incident", title="t", facts={}, source="s", confidence="high", actor="system", now=NOW)
        source, files = settings.instance / "list.csv", settings.instance / "files"
        source.write_text("\n".join([f"name,{column},country,language", *lines]) + "\n")
        with source.open("rb") as content:
            list_ref = imports.upload(ref, content, name="l.csv", folder=files, actor="system", now=NOW)
        imports.start(
            ref,
            list_ref,
            Reading(("name", column, "country", "language"), exposed=("email",)),
            form=Form("csv", "utf-8-sig", ","),
            has_header=True,
            wave=0,
            folder=files,
            actor="system",
            now=NOW,
        )
        db.session.remove()
        if taken_in:
            work.once()
    return app, ref


CARRIED = (
    "import os, runpy\n"
    "from incident.actions import carriers\n"
    "from notifiers.sendgrid_email import SendgridEmail\n"
    "carriers.WORTH, SendgridEmail.batch, os.cpu_count = 0, 100, lambda: 2\n"
    "runpy.run_module('incident.cli', run_name='__main__')\n"
)
"""A worker whose batches, smaller than usual, go by a program of its own (`actions/carriers.py`)."""


def a_worker(environment):
    how = ["-c", environment["AS"]] if environment.get("AS") else ["-m", "incident.cli"]
    return subprocess.Popen([sys.executable, *how, "work", "--once"], env=environment, stdout=subprocess.DEVNULL)


def moved(path: Path) -> tuple[int, ...]:
    """Something that changes with every step of a wave."""
    with sqlite3.connect(path, timeout=30) as database:
        found: tuple[int, ...] = database.execute(
            "SELECT (SELECT count(*) FROM delivery), (SELECT count(*) FROM delivery_claim), (SELECT size FROM audit_head)"
        ).fetchone()
    return found


def killed_at_random(path, environment, dice, within=0.3):
    worker = a_worker(environment)
    before, until = moved(path), time.monotonic() + 60
    while moved(path) == before and worker.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(dice.random() * within)
    worker.send_signal(signal.SIGKILL)
    worker.wait()


@pytest.mark.journey
@pytest.mark.parametrize(
    ("way", "count", "seed", "kills", "worker"),
    [("email", 3_000, 3, 3, ""), ("email", 3_000, 5, 3, CARRIED), ("sms", 160, 4, 2, "")],
    ids=["email", "email carried", "sms"],
)
def test_a_wave_survives_being_killed_at_any_moment(tmp_path, way, count, seed, kills, worker):
    dice = random.Random(seed)
    fake = FakeSendGrid(Faults(seed)) if way == "email" else FakeTwilio(Faults(seed))
    with fake as server:
        server.answer_seconds = 0.15 if way == "email" else 0.03
        values = {
            "instance": tmp_path / "instance",
            "test_mode": True,
            "base_url": "http://localhost",
            "sending_lease": 2,
        }
        values |= (
            {
                "sendgrid_url": server.url,
                "sendgrid_api_key": KEY,
                "sendgrid_from": "n@company.example",
                "sendgrid_webhook_public_key": server.public_key,
            }
            if way == "email"
            else {
                "twilio_url": server.url,
                "twilio_account_sid": ACCOUNT,
                "twilio_auth_token": TOKEN,
                "twilio_from": "+15005550006",
            }
        )
        settings = Settings(**values)
        environment = os.environ | {f"TOCSIN_{name.upper()}": str(value) for name, value in values.items()}
        environment["AS"] = worker
        app, ref = brought_in(settings, way, count)
        path = settings.instance / "tocsin.db"
        with app.app_context():
            incident = incidents.by_ref(ref)
            notice = a_notice(incident, channels=("sms", "email"), stage="approved", now=NOW)
            pace = Pace(at_any_hour=True)  # whenever the suite runs, somebody sleeps
            sending = dispatch.start(ref, notice, only_sandbox=False, pace=pace, actor=LEAD, now=NOW)
            db.session.remove()
        for _ in range(kills):
            killed_at_random(path, environment, dice)
        finish(app, environment, sending)
        told = (
            Counter(letter.to for letter in server.letters)
            if way == "email"
            else Counter(text.to for text in server.texts)
        )
        assert set(told.values()) <= {1}
        with app.app_context():
            row = dispatches.anywhere(sending)
            counts = {state: n for state in State if (n := row.counts.of(state))}
            assert counts == rows.recounted(row.id)
            assert sum(counts.values()) == count
            assert set(counts) <= {State.ACCEPTED, State.IN_DOUBT}
            untold = count - len(told)
            assert untold <= counts.get(
                State.IN_DOUBT, 0
            )  # whoever got nothing is shown as in doubt, and nobody else is lost
            reported(app, server, way)
            row = dispatches.anywhere(sending)
            assert row.in_doubt == untold
            for start_at in range(0, untold, deliveries.SETTLED_AT_ONCE):
                deliveries.settle_doubts(
                    ref,
                    sending,
                    verdict="again",
                    typed=str(min(untold - start_at, deliveries.SETTLED_AT_ONCE)),
                    reason="no report came in three days",
                    actor=LEAD,
                    now=NOW,
                )
            db.session.remove()
        finish(app, environment, sending)
        told = (
            Counter(letter.to for letter in server.letters)
            if way == "email"
            else Counter(text.to for text in server.texts)
        )
        assert (len(told), set(told.values())) == (count, {1})
        verified = subprocess.run(
            [sys.executable, "-m", "incident.cli", "audit", "verify"],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        assert verified.returncode == 0


def finish(app, environment, sending):
    """Let a worker that is not killed do the rest, the taking over of what the dead ones held included."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        assert a_worker(environment).wait(timeout=90) == 0
        with app.app_context():
            row = dispatches.anywhere(sending)
            done = row.course in ("in_doubt", "done")
            db.session.remove()
        if done:
            return
        time.sleep(0.5)
    raise AssertionError("The wave did not come to its end.")


def reported(app, server, way):
    """The provider reports about everything it has, in its own good time."""
    client = app.test_client()
    if way == "email":
        events = server.events()
        for start_ in range(0, len(events), 500):
            body = json.dumps(events[start_ : start_ + 500]).encode()
            assert client.post("/hooks/sendgrid", data=body, headers=server.signed(body)).status_code == 204
        return
    for text in server.texts:
        for said in server._about(text):
            headers = {"X-Twilio-Signature": server.signature(text.callback, said)}
            assert (
                client.post(text.callback.removeprefix("http://localhost"), data=said, headers=headers).status_code
                == 204
            )
