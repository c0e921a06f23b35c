"""A worker is killed (-9) again and again while it gives people their codes: no code goes to two people, nobody has two."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import defaultdict

import pytest

from incident.store import remedies as rows
from incident.store.db import db
from incident.store.remedies import RemedyCode
from incident.store.sealed import sealer
from tests import record
from tests.actions.waves import Story
from tests.journeys.giving import AT_ONCE
from tests.journeys.installation import ROOT
from tests.remedies import a_story

pytestmark = pytest.mark.journey

PEOPLE, CODES = 12, 15


class Killer:
    """The program of `giving`; each order is a worker of it."""

    def __init__(self, story: Story, settings) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        ours = {
            "TOCSIN_INSTANCE": str(settings.instance),
            "TOCSIN_DATABASE_URL": settings.database_url,
            "TOCSIN_TEST_MODE": "1",
            "TOCSIN_BASE_URL": "http://localhost",
        }
        self.told: dict[str, set[str]] = defaultdict(set)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.giving", story.dispatch],
            env=clean | ours | {"PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def work(self, statements: int, hours: int) -> int:
        """Let one worker work until that statement; how it ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([statements, hours]), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            heard = json.loads(line)
            assert "broke" not in heard, heard
            if "ended" in heard:
                return int(heard["ended"])
            self.told[heard["to"]] |= set(re.findall(r"CODE-\d{4}", heard["text"]))
        raise AssertionError("The program itself is gone.")

    def end(self) -> None:
        """No more orders."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


def codes_of(story: Story) -> dict[int, str]:
    """Who has which code, as the rows say; nobody has two of them, and the remedy counts them."""
    db.session.expire_all()
    held = [row.person for row in db.session.scalars(db.select(RemedyCode)) if row.person is not None]
    assert len(held) == len(set(held)), "a person has two codes"
    assert rows.of_incident(story.incident.id)[0].given == len(held)
    found = rows.codes(story.incident.id, held, sealer(story.incident.id))
    db.session.rollback()
    return {number: words[0] for number, words in found.items()}


def test_codes_survive_a_worker_killed_at_every_statement(app, built):
    story = a_story(PEOPLE, CODES)
    story.start()
    db.session.remove()
    killer = Killer(story, built.settings)
    before: dict[int, str] = {}
    killed = 0
    while len(before) < PEOPLE:
        killed += 1
        assert killer.work(killed, hours=killed) == -signal.SIGKILL
        now = codes_of(story)
        assert before.items() <= now.items(), "a code that somebody had went to another"
        assert len(set(now.values())) == len(now), "one code was given to two people"
        assert len(now) % AT_ONCE == 0, "half of a transaction was kept"
        before = now
    assert killed > 4 * PEOPLE // AT_ONCE
    assert killer.work(0, hours=killed + 1) == 0
    killer.end()
    codes = codes_of(story)
    assert sorted(codes) == list(range(1, PEOPLE + 1))
    assert sorted(codes.values()) == [f"CODE-{number:04}" for number in range(PEOPLE)], "none is lost on the way"
    for address, seen in killer.told.items():
        number = int(re.search(r"\d+", address)[0])
        assert seen == {codes[number]}, "what was handed over holds the person's own code alone"
    story.clock.move(hours=killed + 1)
    assert sum(story.counts().values()) == PEOPLE
    assert record.verifies()
