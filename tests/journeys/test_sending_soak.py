"""A wave with a ladder, through providers that fail in every way, its worker killed (-9) again and again.

The suite runs it small. `make soak` runs it with SOAK="people kills seeds", 2,000 people, 200 kills and 5 seeds unless said
otherwise. At its end the providers' own lists and the register must agree person by person.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from incident import start, work
from incident.actions import deliveries, dispatch, imports, intake
from incident.domain.deliveries import Course, Pace, State
from incident.domain.imports import Reading
from incident.settings import Settings
from incident.store import deliveries as rows
from incident.store import dispatches, incidents, tallies
from incident.store.db import db
from incident.store.tables import Form
from tests.builders import a_notice
from tests.fakes.faults import Faults
from tests.fakes.sendgrid import KEY, FakeSendGrid
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio
from tests.journeys.test_sending_killed import a_worker, killed_at_random, reported

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
LEAD = "U-0LEAD000"
PEOPLE, KILLS, SEEDS = (int(word) for word in os.environ.get("SOAK", "60 2 1").split())
EVERYTHING = {"busy": 0.03, "cut_before": 0.02, "cut_after": 0.02, "trouble": 0.02, "garbage": 0.01, "forbidden": 0.003}
EMAIL, PHONE = "person{}@example.org", "+49151{:08}"


def brought_in(settings, count):
    """An installation with an incident whose people have an address and a telephone each."""
    app = start.prepare(settings)
    lines = [f"Person {n},{EMAIL.format(n)},{PHONE.format(n)},DE,en" for n in range(1, count + 1)]
    with app.app_context():
        ref = intake.log(kind="incident", title="t", facts={}, source="s", confidence="high", actor="system", now=NOW)
        source, files = settings.instance / "list.csv", settings.instance / "files"
        source.write_text("\n".join(["name,email,phone,country,language", *lines]) + "\n")
        with source.open("rb") as content:
            list_ref = imports.upload(ref, content, name="l.csv", folder=files, actor="system", now=NOW)
        reading = Reading(("name", "email", "phone", "country", "language"), exposed=("email",))
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
    return app, ref


def values(instance, mail, phone):
    return {
        "instance": instance,
        "test_mode": True,
        "base_url": "http://localhost",
        "sending_lease": 2,
        "sendgrid_url": mail.url,
        "sendgrid_api_key": KEY,
        "sendgrid_from": "n@company.example",
        "sendgrid_webhook_public_key": mail.public_key,
        "sendgrid_time_limit": 2,
        "twilio_url": phone.url,
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TOKEN,
        "twilio_from": "+15005550006",
        "twilio_time_limit": 2,
    }


AT_REST = (Course.IN_DOUBT, Course.DONE)


def state_of(app, sending):
    with app.app_context():
        row = dispatches.anywhere(sending)
        found = Course(row.course), row.paused_for, row.waiting + row.sending
        db.session.remove()
    return found


def go_on(app, ref, sending):
    """What a person would do whom the board shows a pause."""
    with app.app_context():
        row = dispatches.anywhere(sending)
        if row.course == Course.PAUSED:
            dispatch.go_on(ref, sending, actor=LEAD, now=datetime.now(UTC))
        db.session.remove()


def finish(app, environment, ref, sending, seconds):
    """Workers that nobody kills, until nothing is left to send."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        go_on(app, ref, sending)
        assert a_worker(environment).wait(timeout=120) == 0
        if state_of(app, sending)[0] in AT_REST:
            return
        time.sleep(0.3)
    raise AssertionError(f"The wave did not come to its end: {state_of(app, sending)}")


def killed_while_calling(environment, dice, servers, most):
    """Kill a worker when the providers were just asked something: the moment that decides between lost, twice and in doubt."""
    wanted = sum(server.asked for server in servers) + dice.randint(1, most)
    worker = a_worker(environment)
    until = time.monotonic() + 60
    while sum(server.asked for server in servers) < wanted and worker.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def copies(mail, phone):
    """What each person got by each channel, as the providers have it."""
    got = Counter(("email", letter.to) for letter in mail.letters)
    return got + Counter(("sms", text.to) for text in phone.texts)


def register(app, sending):
    """Every attempt as the register has it: person, channel, attempt, state, whether it counts."""
    with app.app_context():
        row = dispatches.anywhere(sending)
        assert {state: n for state in State if (n := row.counts.of(state))} == rows.recounted(row.id)
        assert tallies.of(row.id) == {place: n for _, place, n in tallies.of_rows([row.id])}
        assert row.counts.total == row.audience == PEOPLE
        found = [(one.person_number, one.channel, one.attempt, State(one.state), one.current)
                 for one in rows.page(row.id, limit=20 * PEOPLE)]  # fmt: skip
        db.session.remove()
    return found


def address(number, channel):
    return channel, (EMAIL if channel == "email" else PHONE).format(number)


def agree(app, mail, phone, sending):
    """The register and the providers' lists, person by person, before anybody repeated anything."""
    got, listed = copies(mail, phone), register(app, sending)
    assert set(got.values()) <= {1}, "somebody got a second copy by the same channel"
    assert sorted(number for number, *_, current in listed if current) == list(range(1, PEOPLE + 1))
    had = {address(number, channel) for number, channel, *_ in listed}
    assert set(got) <= had
    for number, channel, _, state, _ in listed:
        there = got[address(number, channel)]
        if state in (State.ACCEPTED, State.DELIVERED, State.BOUNCED):
            assert there == 1, f"P-{number} is {state} by {channel}, and the provider has nothing"
        elif state is not State.IN_DOUBT:
            assert there == 0, f"P-{number} is {state} by {channel}, and the provider has it"


@pytest.mark.journey
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_the_register_and_the_providers_agree_on_every_person_whatever_failed_and_died(tmp_path, seed):
    dice = random.Random(seed)
    drip = {"drip": 0.002} if KILLS > 20 else {}
    with FakeTwilio(Faults(seed, **EVERYTHING, **drip)) as phone, FakeSendGrid(Faults(seed + 1, **EVERYTHING)) as mail:
        phone.answer_seconds, mail.answer_seconds, phone.drip_seconds = 0.02, 0.1, 4.0
        people = dice.sample(range(1, PEOPLE + 1), PEOPLE // 5)
        stopped, undelivered, bounced = (
            people[: PEOPLE // 15],
            people[PEOPLE // 15 : PEOPLE // 8],
            people[PEOPLE // 8 :],
        )
        phone.refuse = {PHONE.format(n): 21610 for n in (*stopped, *bounced)}
        phone.undelivered = {PHONE.format(n): 30003 for n in undelivered}
        mail.bounces = {EMAIL.format(n) for n in bounced}
        settings = Settings(**values(tmp_path / "instance", mail, phone))
        given = {f"TOCSIN_{name.upper()}": str(value) for name, value in values(settings.instance, mail, phone).items()}
        environment = os.environ | given
        app, ref = brought_in(settings, PEOPLE)
        with app.app_context():
            notice = a_notice(incidents.by_ref(ref), channels=("sms", "email"), stage="approved", now=NOW)
            rates = {"sms": 25.0} if KILLS > 20 else {}  # a life tells few, so that they last for all kills
            pace = Pace(most_back=100, at_any_hour=True, rates=rates)  # whenever the suite runs, somebody sleeps
            sending = dispatch.start(ref, notice, only_sandbox=False, pace=pace, actor=LEAD, now=NOW)
            db.session.remove()
        killed = 0
        while killed < KILLS and (found := state_of(app, sending))[0] not in AT_REST:
            go_on(app, ref, sending)
            share = max(1, found[2] // (KILLS - killed)) if found[2] else 12  # a life; so they last for all kills
            if killed % 3 == 2:
                killed_at_random(settings.instance / "tocsin.db", environment, dice, within=min(0.3, 0.003 * share))
            else:
                killed_while_calling(environment, dice, (mail, phone), min(12, share))
            killed += 1
        print(f"seed {seed}: {killed} kills")
        finish(app, environment, ref, sending, 120 + PEOPLE / 5)
        agree(app, mail, phone, sending)
        for _ in range(2):  # reports about texts move people on to e-mail, and those are reported on too
            reported(app, phone, "sms")
            reported(app, mail, "email")
            finish(app, environment, ref, sending, 60 + PEOPLE / 5)
        agree(app, mail, phone, sending)
        everybody_is_told_or_named(app, mail, phone, ref, sending, environment, undelivered, bounced)


def everybody_is_told_or_named(app, mail, phone, ref, sending, environment, undelivered, bounced):
    """In doubt are those alone whom no provider has; sent again on a person's word, they are told once."""
    listed, got = register(app, sending), copies(mail, phone)
    doubtful = [
        (number, channel) for number, channel, _, state, current in listed if current and state is State.IN_DOUBT
    ]
    assert all(got[address(number, channel)] == 0 for number, channel in doubtful)
    if doubtful:
        with app.app_context():
            left = len(doubtful)
            while left:
                typed = str(min(left, deliveries.SETTLED_AT_ONCE))
                said = {"verdict": "again", "reason": "the log has none", "actor": LEAD, "now": NOW}
                left -= deliveries.settle_doubts(ref, sending, typed=typed, **said)
            db.session.remove()
        mail.faults, phone.faults = Faults(1), Faults(1)
        for _ in range(3):
            finish(app, environment, ref, sending, 120)
            reported(app, phone, "sms")
            reported(app, mail, "email")
        finish(app, environment, ref, sending, 120)
    got = copies(mail, phone)
    assert set(got.values()) <= {1}
    ends = {number: (channel, state) for number, channel, _, state, current in register(app, sending) if current}
    for number, (channel, state) in ends.items():
        if number in bounced:
            assert (channel, state) == (
                "email",
                State.BOUNCED,
            )  # refused by telephone, came back by e-mail: in nobody's ladder any more
        else:
            assert state is State.DELIVERED, f"P-{number} ends {state} by {channel}"
    assert all(ends[number][0] == "email" for number in undelivered)
    command = [sys.executable, "-m", "incident.cli", "audit", "verify"]
    assert subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0
