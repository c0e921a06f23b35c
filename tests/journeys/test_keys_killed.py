"""Turning the key ring is killed without warning, again and again: everything stays readable, and every key act has its line."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select, text

from incident import clock, start
from incident.actions import intake, people, rotating
from incident.settings import Settings
from incident.store import checkpoints, sealed
from incident.store.audit import AuditLine
from incident.store.db import db

pytestmark = [pytest.mark.journey]

INCIDENTS = 8
TURNER = """
import sys
from incident import clock, start
from incident.actions import rotating
from incident.settings import Settings
from incident.store import sealed

app = start.prepare(Settings(instance=sys.argv[1]))
wrap = sealed.wrap_anew

def told(owner):
    wrap(owner)
    print(owner, flush=True)  # before the commit: the kill comes in the middle of a transaction, too

sealed.wrap_anew = told
with app.app_context():
    rotating.rotate_keys(drop_old=True, actor="cli", now=clock.now())
"""


def test_killed_while_keys_are_turned(tmp_path):
    settings = Settings(instance=tmp_path)
    app = start.prepare(settings)
    with app.app_context():
        refs = [a_filled_incident(number) for number in range(INCIDENTS)]
        db.session.remove()
    for after in (1, 5):
        turner = subprocess.Popen(
            [sys.executable, "-c", TURNER, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd(), text=True
        )
        for _ in range(after):
            assert turner.stdout.readline().strip()
        turner.kill()
        turner.wait()
        turner.stdout.close()
        with app.app_context():  # a process that has been there all the time goes on reading, whoever turned the ring
            everybody_is_readable(refs)
            db.session.remove()
    with app.app_context():
        rotating.rotate_keys(drop_old=True, actor="cli", now=clock.now())
        assert sealed.masters_in_use() == {sealed.ring().current}
        everybody_is_readable(refs)
        the_lines_tell_what_lies_in_the_folder(tmp_path / "keys")
        assert checkpoints.verified().ok


def a_filled_incident(number):
    ref = intake.log(
        kind="incident", title="t", facts={}, source="", confidence="", actor="U-1", now=clock.now()
    )  # fmt: skip
    people.add(ref, {"name": "Jo", "email": f"jo{number}@example.org"}, actor="U-1", now=clock.now())
    return ref


def everybody_is_readable(refs):
    for number, ref in enumerate(refs):
        shown = people.look(ref, "P-1", why="proof", parts=["email"], actor=f"U-{number}", now=clock.now())
        assert shown.record == {"email": f"jo{number}@example.org"}


def the_lines_tell_what_lies_in_the_folder(folder):
    told = Counter()
    for verb, details in db.session.execute(
        select(AuditLine.verb, AuditLine.details).where(AuditLine.subject == "ring").order_by(AuditLine.seq)
    ):
        told[json.loads(details)["number"]] += 1 if verb == "keys.added" else -1
    there = {int(path.stem.removeprefix("master-")) for path in folder.glob("master-*.json")}
    assert {number for number, count in told.items() if count > 0} | ({1} & there) == there
    assert rotating.masters() == sorted(there)
    assert db.session.scalar(text("SELECT count(*) FROM data_key WHERE sealing IS NULL")) == 0
