"""The table of work in one process: what cannot be done is said, and what is under way ends soon after the word to stop."""

import signal
import sqlite3
import subprocess
import sys

import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from incident import work
from incident.actions import sending
from incident.cli import tocsin
from incident.domain.deliveries import Course
from notifiers.contract import Answer, Outcome
from notifiers.memory import Memory
from tests.actions.waves import a_story

FULL = OperationalError("INSERT INTO line", {}, sqlite3.OperationalError("database or disk is full"))


def failing(_reference, _now):
    raise FULL


@pytest.fixture
def stopping(app):
    yield app.extensions["stopping"]
    app.extensions["stopping"].clear()


def test_what_could_not_be_done_is_named_once_and_keeps_nothing_else_back(app, monkeypatch):
    left = ["X-2"]
    broken = work.Kind("broken", 1, lambda now: ["X-1"], failing)
    sound = work.Kind("sound", 1, lambda now: list(left), lambda reference, now: left.remove(reference))
    blind = work.Kind("blind", 1, lambda now: failing("", now), lambda reference, now: None)
    monkeypatch.setattr(work, "WORK", (broken, sound, blind))
    worked = work.once()
    assert (worked.done, worked.failed) == (1, {"broken X-1", "blind"})


def test_work_once_says_by_its_exit_code_that_something_was_not_done(tmp_path, monkeypatch):
    monkeypatch.setenv("TOCSIN_INSTANCE", str(tmp_path / "instance"))
    assert CliRunner().invoke(tocsin, ["work", "--once"]).exit_code == 0
    monkeypatch.setattr(work, "WORK", (work.Kind("broken", 1, lambda now: ["X-1"], failing),))
    ran = CliRunner().invoke(tocsin, ["work", "--once"])
    assert ran.exit_code == 1
    assert "Not done: broken X-1" in ran.stderr


def test_nothing_more_is_begun_once_it_is_told_to_stop(stopping, monkeypatch):
    begun = []

    def do(reference, _now):
        begun.append(reference)
        work.stop()

    monkeypatch.setattr(work, "WORK", (work.Kind("endless", 1, lambda now: ["X-1", "X-2"], do),))
    assert (work.once().done, begun) == (1, ["X-1"])


def test_a_sending_that_is_told_to_stop_leaves_after_the_call_under_way_and_gives_the_rest_back(stopping):
    def answer(message):
        stopping.set()
        return Answer(message.ref, Outcome.ACCEPTED)

    story = a_story(20, real={"email": Memory("email", answer, batch=2)})
    story.start()
    sending.work(story.dispatch, story.channels, clock=story.clock, going=lambda: not stopping.is_set())
    assert story.counts() == {"accepted": 2, "waiting": 18}
    assert story.row().course == Course.SENDING
    stopping.clear()
    story.work()
    assert story.row().course == Course.DONE


def test_work_once_ends_soon_after_sigterm_and_leaves_nothing_claimed(tmp_path):
    program = (
        "import threading, os, signal, sys, time\n"
        "from incident import work\n"
        "from incident.cli import tocsin\n"
        "def do(reference, now):\n"
        "    print('begun', flush=True)\n"
        "    while work._going(): time.sleep(0.01)\n"
        "work.WORK = (work.Kind('long', 1, lambda now: ['X-1'], do),)\n"
        "tocsin(['work', '--once'])\n"
    )
    environment = {"TOCSIN_INSTANCE": str(tmp_path / "instance"), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert "Done: 1." in process.stdout.read()
