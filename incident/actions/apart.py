"""A long list is read by one program, and sealed and marked by another, so that other cores work while the database does.

They are told the keys through pipes, never by arguments, environment or a file, and know no database. They end with their
pipes: whoever goes away, killed or not, takes them along. Run as a program, this module is the first of them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from datetime import date
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from incident.actions import contacts
from incident.actions.batches import Batch, List, Sheaf
from incident.actions.pipes import Gone, said, say, settle_in
from incident.actions.sealing_apart import SHEAF
from incident.actions.sheaves import Gatherer
from incident.domain import imports as rules
from incident.domain.errors import Invalid, Refused
from incident.domain.imports import Reading
from incident.store import files, tables
from incident.store.ciphers import Sealer
from incident.store.tables import Form

WORTH: Final = 2 * 2**20
"""Bytes of a list from which it is worth the third of a second that programs take to start."""
READS: Final = "incident.actions.apart"
SEALS: Final = "incident.actions.sealing_apart"


class Defect(Exception):
    """A defect of ours in one of the programs; says where, and nothing of what was read."""


class Job(NamedTuple):
    """What the programs have to know."""

    path: str
    stored_as: str
    keys: str
    reading: dict[str, Any]
    form: tuple[str, str, str]
    reached: int
    ref: str
    bits: int
    first: int
    today: str


def is_worth_it(size: int) -> bool:
    """Whether a list of so many bytes is quicker read apart, here."""
    return size >= WORTH and (os.cpu_count() or 1) > 1


def made(job: Job) -> Generator[Batch, None, None]:
    """The batches of a list, made apart. Raises Gone, Defect, Refused, FileNotFoundError."""
    with ExitStack() as ending:
        reads = _started(READS, subprocess.PIPE, ending)
        seals = _started(SEALS, reads.stdout, ending)
        if reads.stdin is None or reads.stdout is None or seals.stdout is None:
            raise Gone
        reads.stdout.close()  # the two have it between them
        with suppress(BrokenPipeError):  # then there is nothing to hear either
            reads.stdin.write(json.dumps(job).encode())
            reads.stdin.close()
        yield from _heard(seals.stdout)


def _started(module: str, source: int | IO[bytes] | None, ending: ExitStack) -> "subprocess.Popen[bytes]":
    """A program of ours that is killed at the end, whatever happens. Raises Gone."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    command = [sys.executable, "-P", "-m", module]
    try:
        program = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, env=environment)  # noqa: S603  (our own program)
    except OSError as error:
        raise Gone from error
    ending.enter_context(program)
    ending.callback(program.kill)
    return program


def _heard(pipe: IO[bytes]) -> Iterator[Batch]:
    while True:
        word, *rest = said(pipe)
        if word == "batch":
            yield Batch(*rest)
        elif word == "end":
            return
        elif word == "missing":
            raise FileNotFoundError
        elif word == "refused":
            raise Invalid("file", *rest)
        else:
            raise Defect(*rest)


def main() -> int:
    """Read the list that is described on standard input, and write its sheaves to standard output."""
    out, sys.stdout = sys.stdout.buffer, sys.stderr
    settle_in()
    job = Job(*json.loads(sys.stdin.buffer.read()))
    with suppress(BrokenPipeError):
        say(out, job.keys, job.ref, job.bits, job.first)
        try:
            for sheaf in sheaves(job):
                say(out, SHEAF, *sheaf)
            say(out, "end")
        except FileNotFoundError:
            say(out, "missing")
        except Refused as refusal:
            say(out, "refused", refusal.sentence)
        except BrokenPipeError:
            raise
        except Exception as error:
            say(out, "defect", _where(error))
    os._exit(0)  # whatever is left in a buffer belongs to nobody any more


def sheaves(job: Job) -> Generator[Sheaf, None, None]:
    """The rows of this list, read here."""
    key = Sealer.taken_over(job.keys)
    stream: files.Opened = files.opened(Path(job.path), key, job.stored_as)
    reader = rules.Reader(Reading.from_json(job.reading), contacts.JUDGE, date.fromisoformat(job.today))
    lines = (line for line in tables.rows(stream, Form(*job.form)) if line.number > job.reached)
    return Gatherer(List(job.ref, job.bits), key, reader).sheaves(lines, stream)


def _where(error: BaseException) -> str:
    """Its kind and its place in our program; what it says may be what somebody's row says."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"


if __name__ == "__main__":
    sys.exit(main())
