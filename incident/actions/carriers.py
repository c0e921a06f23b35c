"""Batches that a program of its own writes and hands over (`actions/calling_apart.py`), as the one that keeps the books sees it.

A batch is passed on after it was begun in a transaction, as it would be given to a thread. Should the program end, batches
of which it had not said that they were being handed over certainly went to nobody; the others are in doubt.
"""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any, Final, Self

import structlog

from incident.actions.pipes import Gone, said, say
from incident.actions.settling import Batch
from incident.actions.writing import Draft
from incident.store.sealed import Sealer
from notifiers.contract import Alike, Answer, Notifier, Outcome, Portable

log = structlog.get_logger()

PROGRAM: Final = "incident.actions.calling_apart"
WORTH: Final = 20_000
"""People who wait from whom on it is worth the third of a second that a program takes to start."""
LEAST: Final = 100
"""Messages in a call from which on writing them costs more than passing them on."""
ROOM: Final = 1 << 20  # bytes that a pipe holds, so that nobody waits for the other while there is something to do
PATIENCE: Final = 5.0  # seconds until a program that was told to end is killed


def is_worth_it(notifier: Notifier, waiting: int) -> bool:
    """Whether so many people are told sooner by two programs, here."""
    few = waiting < WORTH or notifier.batch < LEAST or (os.cpu_count() or 1) < 2
    return not few and not notifier.simulated and isinstance(notifier, Portable)


@dataclass
class _Passed:
    """A batch that was passed on, and who waits for its answers."""

    batch: Batch
    answers: "Future[Sequence[Answer]]"
    begun: bool = False

    @property
    def refs(self) -> list[str]:
        """The references of the attempts, in their order."""
        return [member.ref for member in self.batch.held.rows]

    def none(self, reason: str) -> None:
        """Nobody was called."""
        self.answers.set_result(Alike(self.refs, Answer("", Outcome.LATER, reason=reason)))


class Carrier:
    """A program that carries the batches of one channel of one sending. It ends with `close`, or with us."""

    def __init__(self, program: "subprocess.Popen[bytes]", to: IO[bytes], heard: IO[bytes]) -> None:
        self._program, self._to, self._heard = program, to, heard
        self._passed: dict[int, _Passed] = {}
        self._lock = Lock()
        self._gone = False
        self.is_ready = False
        self._ear = Thread(target=self._listen, name="carrier", daemon=True)
        self._ear.start()

    @classmethod
    def started(cls, notifier: Notifier, key: Sealer, contents: object, thread: str) -> Self | None:
        """A program for this channel; None where none can be had."""
        keys = key.handed_over()
        if keys is None or not isinstance(notifier, Portable):
            return None
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
        command = [sys.executable, "-P", "-m", PROGRAM]
        try:
            program = subprocess.Popen(  # noqa: S603  (our own program)
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, pipesize=ROOM
            )
        except OSError:
            return None
        if program.stdin is None or program.stdout is None:
            raise RuntimeError("A program that was started with pipes has them.")
        made = cls(program, program.stdin, program.stdout)
        kind = type(notifier)
        with suppress(BrokenPipeError):
            say(made._to, keys, json.dumps(contents), thread, (kind.__module__, kind.__name__, notifier.recipe))
        return made

    @property
    def is_gone(self) -> bool:
        """Whether it ended by itself."""
        return self._gone

    def carry(self, batch: Batch, draft: Draft) -> "Future[Sequence[Answer]]":
        """Pass on a batch that was begun; its answers, later."""
        passed = _Passed(batch, Future())
        batch.began = math.inf
        with self._lock:
            self._passed[batch.held.fence] = passed
        rows = [(row.ref, row.person_id, row.person_number) for row in draft.held.rows]
        people = [tuple(row) for row in draft.envelopes.rows]
        with suppress(BrokenPipeError, ValueError):  # then it is gone, which is heard
            say(self._to, batch.held.fence, rows, people, list(draft.gone))
        if self._gone:
            self._let_go()
        return passed.answers

    def close(self) -> None:
        """End it; whatever it still carries is lost."""
        with suppress(BrokenPipeError):
            self._to.close()
        try:
            self._program.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()
        self._ear.join()
        self._heard.close()

    def _listen(self) -> None:
        try:
            while True:
                word, fence, *rest = said(self._heard)
                TAKES[word](self, fence, *rest)
        except Gone:
            pass
        finally:
            self._gone = True
            self._let_go()

    def _let_go(self) -> None:
        """What it carried when it ended: not yet begun is certainly not sent, of the rest nobody knows."""
        with self._lock:
            left, self._passed = self._passed, {}
        for passed in left.values():
            if passed.begun:
                passed.answers.set_exception(Gone())
            else:
                passed.none("not_tried")

    def _taken(self, fence: int) -> _Passed | None:
        with self._lock:
            return self._passed.pop(fence, None)

    def _ready(self, _: int) -> None:
        self.is_ready = True

    def _begun(self, fence: int) -> None:
        with self._lock:
            passed = self._passed.get(fence)
            if passed:
                passed.begun, passed.batch.began = True, time.monotonic()

    def _warning(self, _: int, event: str, fields: dict[str, str]) -> None:
        log.warning(event, **fields)

    def _unwritten(self, fence: int, kind: str) -> None:
        log.warning("sending.not_written", claim=fence, kind=kind)
        if passed := self._taken(fence):
            passed.none("cannot_be_written")

    def _lost(self, fence: int, kind: str) -> None:
        log.warning("sending.call_failed", claim=fence, kind=kind)
        if passed := self._taken(fence):
            passed.answers.set_exception(Gone())

    def _alike(self, fence: int, seconds: float, *answer: Any) -> None:
        if passed := self._taken(fence):
            passed.batch.began = time.monotonic() - seconds
            passed.answers.set_result(Alike(passed.refs, _answer(*answer)))

    def _answered(self, fence: int, seconds: float, answers: Sequence[Sequence[Any]]) -> None:
        if passed := self._taken(fence):
            passed.batch.began = time.monotonic() - seconds
            passed.answers.set_result([_answer(*answer) for answer in answers])


TAKES: Final[dict[str, Callable[..., None]]] = {
    "ready": Carrier._ready,
    "begun": Carrier._begun,
    "warning": Carrier._warning,
    "unwritten": Carrier._unwritten,
    "lost": Carrier._lost,
    "alike": Carrier._alike,
    "answered": Carrier._answered,
}


def _answer(ref: str, outcome: str, *rest: Any) -> Answer:
    return Answer(ref, Outcome(outcome), *rest)
