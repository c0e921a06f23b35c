"""A short journey in a process of its own, for a test to strike: by faults of the disk, by a kill, by a power cut.

`python -m tests.journeys.stricken` loads the program once, takes orders on its standard input (JSON lists, one a line), and
carries each out in a child: `make`, `walk`, `look`, each with a folder. It answers with JSON objects, one a line. They are
written by writev, a call that no test lets fail, so what was said was said before anything else could happen.
"""

import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from incident import start
from incident.actions import checkpoints, dispatch, evidence, intake, people, sending
from incident.domain.audit import Verdict
from incident.settings import Settings
from incident.store import checkpoints as signed
from incident.store import deliveries, files, incidents, reconciliation
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.incidents import Evidence, Note
from incident.store.notices import Notice
from incident.store.people import Person
from incident.store.sealed import sealer
from notifiers.contract import Answer, Channels, Message
from notifiers.memory import Memory
from tests.actions.waves import SANDBOX, Ticking
from tests.builders import a_notice

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
LEAD = "U-0LEAD000"
PEOPLE = 5
TRIES = 3
ENDED, GAVE_UP, BROKE = 0, 3, 4
TROUBLES = (OperationalError, OSError)
"""What a disk that fails may raise; whoever sees one may try again. Anything else is a defect."""


class GaveUp(Exception):
    """The disk failed the same step again and again."""


def say(**words: Any) -> None:
    """One answer to the test."""
    os.writev(1, [json.dumps(words).encode() + b"\n"])


class Telling(Memory):
    """A provider that says whom it took a message for, before it answers."""

    def send(self, batch: Iterable[Message]) -> list[Answer]:
        """Everybody is accepted."""
        taken = list(batch)
        for message in taken:
            say(told=message.to)
        return super().send(taken)


def make(folder: Path) -> None:
    """An installation without anything in it."""
    start.prepare(Settings(instance=folder))


def walk(folder: Path) -> None:
    """From the first note to the last person told; each step is said once it is saved. Waits for SIGCONT before it begins."""
    app = start.prepare(Settings(instance=folder))
    with app.app_context():
        dispatch.release(actor=LEAD, now=NOW)  # a copied folder starts frozen
        db.session.remove()
        say(ready=os.getpid())
        os.kill(os.getpid(), signal.SIGSTOP)
        _journey(folder)


def _journey(folder: Path) -> None:
    ref = _step("incident", _log)
    incident = incidents.by_ref(ref)
    assert incident is not None
    for number in range(3):
        _step("note", lambda word=f"note {number}": intake.add_note(ref, word, actor=LEAD, now=NOW))
    for number in range(1, PEOPLE + 1):
        given = {"name": f"Person {number}", "email": f"person{number}@example.org", "place": "DE", "exposed": "email"}
        _step("person", lambda given=given: people.add(ref, given, actor=LEAD, now=NOW))
    _step("evidence", lambda: _bring(ref, folder))
    _step("checkpoint", lambda: str(checkpoints.sign(actor="system", now=NOW)))
    notice = _step("notice", lambda: a_notice(incident, channels=("email",), stage="approved", now=NOW))
    _step("dispatch", lambda: _begin(ref, notice))
    _step("sent", lambda: _send(NOW))
    _step("checkpoint", lambda: str(checkpoints.sign(actor="system", now=NOW)))


def _step(kind: str, act: Callable[[], str]) -> str:
    for _ in range(TRIES):
        try:
            ref = act()
        except TROUBLES as trouble:
            db.session.rollback()
            say(refused=kind, why=type(trouble).__name__)
        else:
            say(did=kind, ref=ref)
            return ref
    raise GaveUp(kind)


def _log() -> str:
    return intake.log(
        kind="incident", title="t", facts={}, source="a test", confidence="high", actor="U-0TEST000", now=NOW
    )


def _bring(ref: str, folder: Path) -> str:
    return evidence.bring(
        ref,
        io.BytesIO(b"evidence" * 20_000),
        name="disk.img",
        brought_by="Forensics",
        description="",
        folder=folder / "files",
        actor=LEAD,
        now=NOW,
    )


def _begin(ref: str, notice: str) -> str:
    return dispatch.start(ref, notice, only_sandbox=False, pace=None, actor=LEAD, now=NOW)


def _send(now: datetime) -> str:
    channels = Channels({"email": Telling("email", batch=2)}, SANDBOX)
    for _ in range(50):
        due = sending.due(now)
        if not due:
            return "unfinished" if _unfinished() else "everybody"
        for ref in due:
            sending.work(ref, channels, clock=Ticking(now))
    raise AssertionError("The work does not end.")


def _unfinished() -> bool:
    """Whether some sending still has somebody waiting, for instance for the end of a claim that broke off."""
    db.session.rollback()
    return any(row.finished_at is None for row in db.session.scalars(select(Dispatch)))


def look(folder: Path, said: list[dict[str, str]]) -> None:
    """What is left an hour later: what was said and is lost, whom the sending went to once it went on, what the checks find."""
    later = NOW + timedelta(hours=1)
    app = start.prepare(Settings(instance=folder))
    with app.app_context():
        lost = [one for one in said if not _is_there(one["did"], one["ref"], folder)]
        _send(later)
        stood = [_standing(row) for row in db.session.scalars(select(Dispatch))]
        found = reconciliation.run(folder)
        for due in checkpoints.due(later):
            checkpoints.do(due, later)
        checkpoints.sign(actor="system", now=later)
        verdict: Verdict = signed.verified()
        say(
            lost=lost,
            stand=dict(one for sending_ in stood for one in sending_),
            troubles=[f"{one.about}: {word}" for one in found for word in one.troubles],
            findings=[one.sentence for one in verdict.findings],
            unproven=verdict.size - verdict.proven,
        )


def _is_there(kind: str, ref: str, folder: Path) -> bool:
    if kind == "incident":
        return incidents.by_ref(ref) is not None
    if kind == "checkpoint":
        newest = signed.latest()
        return newest is not None and newest.size >= int(ref)
    if kind == "evidence":
        return _is_whole(ref, folder)
    if kind == "sent":
        return ref == "unfinished" or not _unfinished()
    if kind == "person":
        return db.session.scalar(select(Person).where(Person.number == int(ref.removeprefix("P-")))) is not None
    table: Any = {"note": Note, "notice": Notice, "dispatch": Dispatch}[kind]
    row = db.session.scalar(select(table).where(table.ref == ref))
    return row is not None and (kind != "notice" or row.stage in {"approved", "sending", "sent"})


def _is_whole(ref: str, folder: Path) -> bool:
    piece = db.session.scalar(select(Evidence).where(Evidence.ref == ref))
    if piece is None:
        return False
    key = sealer(piece.incident_id)
    return b"".join(files.pieces(folder / "files" / piece.stored_as, key, piece.stored_as)) == b"evidence" * 20_000


def _standing(row: Dispatch) -> list[tuple[str, str]]:
    """Everybody on the list of this sending's incident by address, with the state of their delivery."""
    everybody = list(db.session.scalars(select(Person.id).where(Person.incident_id == row.incident_id)))
    listed = people.addressees(row.incident_id, everybody, only_listed=True)
    states = {one.person_id: str(one.state) for one in deliveries.page(row.id, limit=1_000)}
    return [(someone.email, states.get(person_id, "nobody")) for person_id, someone in listed.items()]


ORDERS: dict[str, Callable[..., None]] = {"make": make, "walk": walk, "look": look}


def main() -> None:
    """Take orders until there are no more."""
    for line in sys.stdin:
        order, folder, *more = json.loads(line)
        child = os.fork()
        if child == 0:
            _carry_out(ORDERS[order], Path(folder), more)
        _, status = os.waitpid(child, 0)
        say(ended=os.waitstatus_to_exitcode(status))


def _carry_out(order: Callable[..., None], folder: Path, more: list[Any]) -> None:
    code = BROKE
    with suppress(BrokenPipeError):
        try:
            order(folder, *more)
            code = ENDED
        except (GaveUp, *TROUBLES):
            code = GAVE_UP
        except BaseException as error:
            say(broke="".join(traceback.format_exception(error)))
        finally:
            os._exit(code)


if __name__ == "__main__":
    main()
