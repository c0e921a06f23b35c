"""A long list is read, judged, sealed and marked by a program of its own, so that a second core works while the database does.

It is told the keys through a pipe, never by arguments, environment or a file, and knows no database. It ends with its pipe:
whoever goes away, killed or not, takes it along. Run as a program, this module is that program.
"""

import gc
import json
import marshal
import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from incident.actions import contacts
from incident.actions.batches import Batch, List, Maker
from incident.domain import imports as rules
from incident.domain.errors import Invalid, Refused
from incident.domain.imports import Reading
from incident.store import files, tables
from incident.store.ciphers import Sealer
from incident.store.tables import Form

try:
    import resource
except ImportError:  # Windows has no such bounds
    resource = None  # type: ignore[assignment]

WORTH: Final = 2 * 2**20
"""Bytes of a list from which it is worth the third of a second that a program takes to start."""
LENGTH_BYTES: Final = 4
POLITE: Final = 5  # so much less than others it asks for its core: pages go first


class Gone(Exception):
    """The program did not start, or ended before the list did: somebody must go on behind what it gave."""


class Defect(Exception):
    """A defect of ours in the program; says where, and nothing of what was read."""


class Job(NamedTuple):
    """What the program has to know."""

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
    command = [sys.executable, "-P", "-m", "incident.actions.apart"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    try:
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)  # noqa: S603  (our own program)
    except OSError as error:
        raise Gone from error
    with program:
        try:
            yield from _heard(program, job)
        finally:
            program.kill()


def _heard(program: subprocess.Popen[bytes], job: Job) -> Iterator[Batch]:
    if program.stdin is None or program.stdout is None:
        raise Gone
    with suppress(BrokenPipeError):  # then there is nothing to hear either
        program.stdin.write(json.dumps(job).encode())
        program.stdin.close()
    while True:
        word, *said = _received(program.stdout)
        if word == "batch":
            yield Batch(*said)
        elif word == "end":
            return
        elif word == "missing":
            raise FileNotFoundError
        elif word == "refused":
            raise Invalid("file", *said)
        else:
            raise Defect(*said)


def _received(pipe: IO[bytes]) -> Any:
    head = pipe.read(LENGTH_BYTES)
    content = pipe.read(int.from_bytes(head, "big"))
    if len(head) < LENGTH_BYTES or len(content) < int.from_bytes(head, "big"):
        raise Gone
    return marshal.loads(content)  # noqa: S302  (written by our own program, at the other end of a pipe nobody else holds)


def main() -> int:
    """Make the batches of the list that is described on standard input, and write them to standard output."""
    out, sys.stdout = sys.stdout.buffer, sys.stderr
    _settle_in()
    job = Job(*json.loads(sys.stdin.buffer.read()))
    with suppress(BrokenPipeError):
        try:
            for batch in batches(job):
                _say(out, "batch", *batch)
            _say(out, "end")
        except FileNotFoundError:
            _say(out, "missing")
        except Refused as refusal:
            _say(out, "refused", refusal.sentence)
        except BrokenPipeError:
            raise
        except Exception as error:
            _say(out, "defect", _where(error))
    os.close(out.fileno())
    os._exit(0)  # whatever is left in a buffer belongs to nobody any more


def batches(job: Job) -> Generator[Batch, None, None]:
    """The batches of this list, made here."""
    key = Sealer.taken_over(job.keys)
    stream: files.Opened = files.opened(Path(job.path), key, job.stored_as)
    reader = rules.Reader(Reading.from_json(job.reading), contacts.JUDGE, date.fromisoformat(job.today))
    lines = (line for line in tables.rows(stream, Form(*job.form)) if line.number > job.reached)
    return Maker(List(job.ref, job.bits), key, reader, job.first).batches(lines, stream)


def _settle_in() -> None:
    gc.freeze()
    if hasattr(os, "nice"):
        os.nice(POLITE)
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the keys are in this memory


def _say(out: IO[bytes], *words: Any) -> None:
    content = marshal.dumps(words)
    out.write(len(content).to_bytes(LENGTH_BYTES, "big"))
    out.write(content)
    out.flush()


def _where(error: BaseException) -> str:
    """Its kind and its place in our program; what it says may be what somebody's row says."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"


if __name__ == "__main__":
    sys.exit(main())
