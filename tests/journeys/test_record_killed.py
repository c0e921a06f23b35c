"""A process that writes is killed without warning: what was acknowledged is there, and no change is without its line."""

import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from incident import clock, start
from incident.actions import checkpoints
from incident.settings import Settings
from incident.store import checkpoints as signed
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.incidents import Note

WRITER = """
import sys
from incident import clock, start
from incident.actions import checkpoints, intake
from incident.settings import Settings

app = start.prepare(Settings(instance=sys.argv[1]))
with app.app_context():
    ref = intake.log(kind="incident", title="t", facts={}, source="", confidence="", actor="U-1", now=clock.now())
    for number in range(1_000_000):
        intake.add_note(ref, f"note {number}", actor="U-1", now=clock.now())
        print(number, flush=True)
        if number % 25 == 24:
            checkpoints.sign(actor="system", now=clock.now())
"""


def test_killed_while_writing_and_signing(tmp_path):
    acknowledged = 0
    for pause in (0.3, 0.7, 0.1):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd(), text=True
        )
        assert writer.stdout.readline() == "0\n"
        time.sleep(pause)
        writer.kill()
        acknowledged += 1 + len([row for row in writer.stdout.read().splitlines(keepends=True) if row.endswith("\n")])
        writer.wait()
    app = start.prepare(Settings(instance=tmp_path))
    with app.app_context():
        notes = db.session.scalar(select(func.count()).select_from(Note))
        lines = db.session.scalar(select(func.count()).where(AuditLine.verb == "note.added"))
        assert notes == lines
        assert acknowledged <= notes <= acknowledged + 3
        verdict = signed.verified()
        assert verdict.findings == []
        for reference in checkpoints.due(clock.now()):
            checkpoints.do(reference, clock.now())
        checkpoints.sign(actor="system", now=clock.now())
        verdict = signed.verified()
        assert (verdict.findings, verdict.proven) == ([], verdict.size)
