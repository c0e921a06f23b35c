"""A program of its own writes batches and hands them over: what it says, and what is known when it dies."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from incident.actions import carriers, preparing
from incident.actions.carriers import Carrier
from incident.store.db import db
from incident.store.people import Person
from notifiers.sendgrid_email import SendgridEmail
from tests.actions.waves import a_story
from tests.fakes.faults import Fault, Faults
from tests.fakes.sendgrid import KEY, FakeSendGrid

pytestmark = pytest.mark.usefixtures("app")

SECONDS = 60.0


def until(is_so):
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end, "It did not come to that."
        time.sleep(0.005)


@pytest.fixture
def server():
    with FakeSendGrid(Faults()) as fake:
        yield fake


@pytest.fixture
def carried(monkeypatch):
    """Every batch goes by such a program; the programs that were started."""
    begun, start, carry = [], Carrier.started, Carrier.carry
    monkeypatch.setattr(carriers, "WORTH", 0)
    monkeypatch.setattr(carriers, "LEAST", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)

    def started(*given):
        carrier = start(*given)
        begun.append(carrier)
        carrier.batches = 0
        until(lambda: carrier.is_ready or carrier.is_gone)
        return carrier

    def counted(carrier, batch, draft):
        carrier.batches += 1
        return carry(carrier, batch, draft)

    monkeypatch.setattr(Carrier, "started", started)
    monkeypatch.setattr(Carrier, "carry", counted)
    return begun


def a_sending(server, count, batch=10):
    channel = SendgridEmail(KEY, "notice@company.example", url=server.url, seconds=SECONDS)
    channel.batch = batch
    story = a_story(count, channels=("email",), real={"email": channel})
    story.start()
    return story


def finished(story):
    """The same sending when nobody waits any more, however often something is put off."""
    for _ in range(30):
        story.work()
        if not story.counts().get("waiting"):
            return story
        story.clock.move(minutes=10)
    raise AssertionError("Somebody waits still.")


def told(server):
    return Counter(letter.to for letter in server.letters)


def test_whoever_is_written_to_by_a_program_of_its_own_gets_the_same_message_as_without(server, carried, monkeypatch):
    by_hand = a_sending(server, 25)
    monkeypatch.setattr(carriers, "WORTH", 10**9)
    by_hand.work()
    assert not carried
    alone = sorted((one.to, one.subject, len(one.text), len(one.html)) for one in server.letters)
    server.letters.clear()
    monkeypatch.setattr(carriers, "WORTH", 0)
    story = a_sending(server, 25)
    story.work()
    [carrier] = carried
    assert carrier.batches == 3
    assert sorted((one.to, one.subject, len(one.text), len(one.html)) for one in server.letters) == alone
    assert story.counts() == {"accepted": 25}
    assert {one.ref for one in server.letters} == {row.ref for row in story.rows()}
    assert all(f"Person {number(one.to)}," in one.text for one in server.letters)
    assert story.verbs().count("deliveries.handed_over") == story.verbs().count("deliveries.settled") == 3
    assert carrier._program.returncode == 0


def number(address):
    return "".join(filter(str.isdigit, address))


def test_one_who_left_the_list_and_one_whose_record_does_not_open_keep_nobody_back(server, carried):
    story = a_sending(server, 20)
    channels = story.channels.open(simulated=False)
    while preparing.prepare(story.dispatch, channels, now=story.clock()):
        pass
    broken, gone = list(db.session.scalars(select(Person).order_by(Person.id)))[2:4]
    broken.sealed, gone.state = b"\x01" + bytes(60), "removed"
    db.session.commit()
    story.work()
    assert carried[0].batches
    assert sum(told(server).values()) == 18
    reasons = {row.person_number: row.reason for row in story.rows() if row.reason}
    assert reasons == {3: "record_unreadable", 4: "taken_off"}


@pytest.mark.parametrize(
    ("fault", "counts"),
    [
        (Fault.CUT_AFTER, {"in_doubt": 10, "accepted": 20}),
        (Fault.GARBAGE, {"in_doubt": 10, "accepted": 20}),
        (Fault.TROUBLE, {"accepted": 30}),
    ],
)
def test_what_goes_wrong_at_the_provider_is_known_as_it_is_without(server, carried, fault, counts):
    server.faults.first = [fault]
    story = a_sending(server, 30)
    finished(story)
    assert carried[0].batches
    assert story.counts() == counts
    assert set(told(server).values()) == {1}


def test_when_it_is_killed_what_it_had_begun_is_in_doubt_and_all_else_is_sent_once(server, carried, monkeypatch):
    story = a_sending(server, 60)
    server.answer_seconds = 0.3
    say, killed = carriers.say, []

    def say_and_kill(*words):
        say(*words)
        if carried and carried[0].batches >= 3 and not killed:
            until(lambda: server.asked)
            killed.append(carried[0])
            carried[0]._program.send_signal(signal.SIGKILL)

    monkeypatch.setattr(carriers, "say", say_and_kill)
    story.work()
    assert killed
    server.answer_seconds = 0
    finished(story)
    counts = story.counts()
    assert set(counts) <= {"accepted", "in_doubt"}
    assert sum(counts.values()) == 60
    assert counts["in_doubt"] % 10 == 0
    assert set(told(server).values()) == {1}
    accepted = {row.ref for row in story.rows() if row.state == "accepted"}
    assert accepted <= {one.ref for one in server.letters}
    doubtful = {row.ref for row in story.rows() if row.state == "in_doubt"}
    assert {one.ref for one in server.letters} <= accepted | doubtful


def test_a_stop_that_is_meant_for_all_programs_of_a_service_lets_it_bring_its_calls_to_an_end(
    server, carried, monkeypatch
):
    story = a_sending(server, 30)
    server.answer_seconds = 0.1
    say, stopped = carriers.say, []

    def say_and_stop(*words):
        say(*words)
        for signal_ in (signal.SIGTERM, signal.SIGINT):
            if carried:
                carried[0]._program.send_signal(signal_)
                stopped.append(signal_)

    monkeypatch.setattr(carriers, "say", say_and_stop)
    story.work()
    assert stopped
    assert story.counts() == {"accepted": 30}
    assert carried[0]._program.returncode == 0


def test_it_ends_when_whoever_keeps_the_books_is_killed():
    command = (
        "import sys, time\n"
        "from incident.actions.carriers import Carrier\n"
        "from incident.store.ciphers import Gcm, Hmac, Sealer\n"
        "from notifiers.sendgrid_email import SendgridEmail\n"
        "key = Sealer(1, Gcm(bytes(32), 1), Hmac(bytes(32)))\n"
        "channel = SendgridEmail('key', 'a@company.example')\n"
        "one = Carrier.started(channel, key, {'languages': ['en']}, 'D-1')\n"
        "while not one.is_ready: time.sleep(0.01)\n"
        "print(one._program.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    keeper = subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, text=True)
    child = int(keeper.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    keeper.kill()
    keeper.wait()
    until(lambda: not alive(child))
    keeper.stdout.close()


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_neither_arguments_nor_environment_of_the_program_hold_a_secret(server, carried):
    story = a_sending(server, 10)
    seen = []
    done = carriers.Carrier.close
    carriers.Carrier.close = lambda one: (
        seen.append(one._program.pid),
        seen.append(words(one._program.pid)),
        done(one),
    )
    try:
        os.environ["TOCSIN_SENDGRID_API_KEY"] = KEY
        story.work()
    finally:
        carriers.Carrier.close = done
        del os.environ["TOCSIN_SENDGRID_API_KEY"]
    assert seen
    assert KEY.encode() not in seen[1]
    assert b"TOCSIN_" not in seen[1]


def words(process):
    return Path(f"/proc/{process}/environ").read_bytes() + Path(f"/proc/{process}/cmdline").read_bytes()


@pytest.mark.parametrize("few", ["people", "a call", "cores"])
def test_few_people_small_calls_and_a_single_core_need_no_other_program(few, monkeypatch):
    channel = SendgridEmail(KEY, "notice@company.example")
    monkeypatch.setattr(os, "cpu_count", lambda: 1 if few == "cores" else 2)
    channel.batch = 10 if few == "a call" else 1_000
    assert not carriers.is_worth_it(channel, 10 if few == "people" else 1_000_000)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    channel.batch = 1_000
    assert carriers.is_worth_it(channel, 1_000_000)
