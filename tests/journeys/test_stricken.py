"""A disk that fails, fills up or loses its power, and a process killed at any write: what was acknowledged is there afterwards.

The suite strikes a few times. `make soak-disk` strikes DISK="faults cuts" times, 300 and 60 unless said otherwise.
"""

import fcntl
import json
import os
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.installation import ROOT
from tests.journeys.stricken import ENDED, GAVE_UP

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

FAULTS, CUTS = (int(word) for word in os.environ.get("DISK", "4 2").split())
CALLS = ("pwrite64", "write", "fdatasync", "fsync", "ftruncate", "link", "linkat", "unlink", "mkdir")
"""By which calls a walk changes the disk: SQLite writes by the first, everything else by the second."""
BLOWS = ("signal=KILL:when={}", "error=EIO:when={}", "error=ENOSPC:when={}+", "error=EIO:when={}+")
"""A kill; one write that fails; a disk that is full from then on; one that fails from then on."""
SHUTDOWN = (2 << 30) | (4 << 16) | (ord("X") << 8) | 125  # EXT4_IOC_SHUTDOWN of linux/fs/ext4
STEPS = 19  # answers of an undisturbed walk before its end
WITHOUT_FLUSH = struct.pack("I", 2)


@dataclass
class Walk:
    """What was heard of one walk."""

    did: list[dict[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    ended: int = ENDED


class Walker:
    """The program of `stricken`, loaded once; each order is a child of it."""

    def __init__(self, folder: Path) -> None:
        self._log = (folder / "walker.log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.stricken"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self._early = b""

    def order(self, *words: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([str(words[0]), str(words[1]), *words[2:]]).encode() + b"\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while b"\n" not in self._early:
            more = os.read(self._process.stdout.fileno(), 65_536)
            assert more, "The walker itself is gone."
            self._early += more
        line, _, self._early = self._early.partition(b"\n")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def make(self, folder: Path) -> None:
        self.order("make", folder)
        assert self.hear() == {"ended": ENDED}

    def begun(self, folder: Path) -> int:
        """The process of a walk that is ready and stopped."""
        self.order("walk", folder)
        pid: int = self.hear()["ready"]
        while Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "T":
            time.sleep(0.001)
        return pid

    def waiting(self) -> int:
        """How many answers were given that nobody has heard yet."""
        assert self._process.stdout is not None
        heard = select.poll()  # select() knows no descriptors beyond 1,023, and a long run of tests has that many
        heard.register(self._process.stdout, select.POLLIN)
        while heard.poll(0):
            self._early += os.read(self._process.stdout.fileno(), 65_536)
        return self._early.count(b"\n")

    def rest(self) -> Iterator[dict[str, Any]]:
        """Everything it says until it ends, that included."""
        heard: dict[str, Any] = {}
        while "ended" not in heard:
            heard = self.hear()
            yield heard

    def look(self, folder: Path, walk: Walk) -> dict[str, Any]:
        """What is left of it; whom it tells from here on is added to the walk."""
        self.order("look", folder, walk.did)
        found: dict[str, Any] = {}
        for heard in self.rest():
            _take(walk, heard)
            found |= heard
        assert found["ended"] == ENDED, found
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


def _take(walk: Walk, heard: dict[str, Any]) -> None:
    assert "broke" not in heard, heard["broke"]
    if "did" in heard:
        walk.did.append(heard)
    elif "told" in heard:
        walk.told.append(heard["told"])
    elif "ended" in heard and isinstance(heard["ended"], int):
        walk.ended = heard["ended"]


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    made = Walker(tmp_path_factory.mktemp("walker"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def fresh(walker: Walker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation without anything in it, to be copied."""
    folder = tmp_path_factory.mktemp("fresh") / "instance"
    walker.make(folder)
    return folder


# Faults of system calls -----------------------------------------------------------------------------------------------


@contextmanager
def traced(pid: int, log: Path, *blow: str) -> Iterator[None]:
    """The stopped process goes on under strace, which lets a call fail or kills at it, if a blow is named."""
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(pid), "-o", str(log), "-e", f"trace={','.join(CALLS)}", *blow],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        if "attached" not in said:
            os.kill(pid, signal.SIGKILL)
            pytest.skip(f"strace may not look at another process here: {said.strip()}")
        os.kill(pid, signal.SIGCONT)
        yield
    finally:
        tracer.terminate()
        tracer.communicate()


@pytest.fixture(scope="module")
def calls(walker: Walker, fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int]]:
    """Every change of the disk in an undisturbed walk, in its order: the call, and the how-manieth of its kind it is."""
    if shutil.which("strace") is None:
        pytest.skip("There is no strace on this machine; `make test` installs it where it may.")
    folder = tmp_path_factory.mktemp("undisturbed")
    walk, log = Walk(), folder / "calls.txt"
    shutil.copytree(fresh, folder / "instance")
    pid = walker.begun(folder / "instance")
    with traced(pid, log):
        for heard in walker.rest():
            _take(walk, heard)
    assert walk.ended == ENDED
    assert judged(walk, walker.look(folder / "instance", walk)) == []
    counted: Counter[str] = Counter()
    found = []
    for name in re.findall(rf"^{pid} +(\w+)\(", log.read_text(), re.MULTILINE):
        counted[name] += 1
        found.append((name, counted[name]))
    return found


def blows(calls: list[tuple[str, int]], count: int) -> list[tuple[str, str]]:
    """So many blows, spread over the whole walk, each kind in turn; the same ones every time."""
    dice = random.Random(11)
    width = len(calls) / count
    chosen = [calls[min(len(calls) - 1, int((place + dice.random()) * width))] for place in range(count)]
    return [
        (f"inject={name}:{BLOWS[place % len(BLOWS)].format(number)}", name)
        for place, (name, number) in enumerate(chosen)
    ]


def judged(walk: Walk, found: dict[str, Any]) -> list[str]:
    """What must not be, in words; nothing where all is well."""
    wrong = [f"lost: {one['did']} {one['ref']}" for one in found["lost"]]
    wrong += [f"told {times} times: {to}" for to, times in Counter(walk.told).items() if times > 1]
    for to, state in found["stand"].items():
        if state not in {"accepted", "in_doubt"}:
            wrong.append(f"{to} is {state} in the end")
        if state == "accepted" and to not in walk.told:
            wrong.append(f"{to} counts as told and was not")
    wrong += [f"{to} was told and is on no list" for to in walk.told if to not in found["stand"]]
    wrong += found["troubles"] + found["findings"]
    return wrong + [f"{found['unproven']} lines cannot be proven"] * bool(found["unproven"])


def test_whatever_call_fails_or_is_the_last_nothing_acknowledged_is_lost(walker, fresh, calls, tmp_path):
    wrong: dict[str, list[str]] = {}
    ended: Counter[int] = Counter()
    for blow, _ in blows(calls, FAULTS):
        folder = tmp_path / "instance"
        shutil.copytree(fresh, folder)
        walk = Walk()
        with traced(walker.begun(folder), tmp_path / "calls.txt", "-e", blow):
            for heard in walker.rest():
                _take(walk, heard)
        ended[walk.ended] += 1
        if found := judged(walk, walker.look(folder, walk)):
            wrong[blow] = found
        shutil.rmtree(folder)
    assert wrong == {}
    assert ended.keys() <= {ENDED, GAVE_UP, -signal.SIGKILL}
    assert ended[-signal.SIGKILL] > 0
    assert ended[ENDED] > 0


# Power cuts -----------------------------------------------------------------------------------------------------------


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    """The file system inside this file, by a loop device."""
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-o", "loop", str(image), str(place)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"No file can be mounted as a disk here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def disk(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is a disk with a fresh installation on it."""
    if shutil.which("mkfs.ext4") is None or os.getuid() != 0:
        pytest.skip("A disk in a file needs mkfs.ext4 and the rights of root.")
    folder = tmp_path_factory.mktemp("disk")
    image = folder / "disk.img"
    with image.open("wb") as empty:
        empty.truncate(64 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    with mounted(image, folder / "mounted") as place:
        shutil.copytree(fresh, place / "instance")
    return image


def cut_power(place: Path) -> None:
    """The disk stops where it stands: what was not written through is gone, the journal of the file system included."""
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, SHUTDOWN, WITHOUT_FLUSH)
    finally:
        os.close(handle)


def test_when_the_power_goes_nothing_acknowledged_is_lost(walker, disk, tmp_path):
    dice, image, wrong = random.Random(3), tmp_path / "disk.img", {}
    for cut in range(CUTS):
        subprocess.run(["cp", "--sparse=always", str(disk), str(image)], check=True)
        after = round((cut + dice.random()) * STEPS / CUTS)
        walk = Walk()
        with mounted(image, tmp_path / "mounted") as place:
            _walk_until_the_cut(walker, walk, place, after, dice.random() * 0.03)
        with mounted(image, tmp_path / "mounted") as place:
            if found := judged(walk, walker.look(place / "instance", walk)):
                wrong[f"after {after}"] = found
    assert wrong == {}


def _walk_until_the_cut(walker: Walker, walk: Walk, place: Path, after: int, wait: float) -> None:
    pid = walker.begun(place / "instance")
    os.kill(pid, signal.SIGCONT)
    rest = walker.rest()
    for _ in range(after):
        _take(walk, next(rest, {}))
    time.sleep(wait)
    before = walker.waiting()
    cut_power(place)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    for number, heard in enumerate(rest):
        if number < before and "broke" not in heard:  # what is said when the power is gone, nobody hears
            _take(walk, heard)
