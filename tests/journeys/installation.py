"""A real installation in a folder of its own: the `tocsin` command as a process, killed and started again at will."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent.parent
TOCSIN = (sys.executable, "-m", "incident.cli")
LONGEST_LOG = 6_000  # characters
LINK = re.compile(r"(http://\S+/\S*[A-Za-z0-9_-]{20,}\S*)")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


PATIENCE = 120
"""How long a start may take on a busy machine, in seconds; a test that proves how quick it is measures that itself."""


class Installation:
    """`tocsin run` with these settings; `url` once it answers, `said` what it printed."""

    begun: ClassVar[deque["Installation"]] = deque(maxlen=4)
    """The last ones of this process, whose words a failed test shows."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings: Mapping[str, str] = {
            "TOCSIN_INSTANCE": str(folder),
            "TOCSIN_PORT": str(self.port),
            "TOCSIN_BASE_URL": self.url,
            "TOCSIN_TEST_MODE": "1",
            "TOCSIN_LOG_LEVEL": "warning",
        } | {f"TOCSIN_{name.upper()}": value for name, value in settings.items()}
        self.process: subprocess.Popen[str] | None = None
        self.said: list[str] = []
        self.log = folder.parent / f"{folder.name}.log"
        self.starts = 0
        self.begun.append(self)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the command: this installation's settings and nobody else's."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        return clean | dict(self.settings) | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

    def start(self, seconds: float = PATIENCE) -> None:
        """Start it and wait until it answers."""
        self.said = []
        self.starts += 1
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*TOCSIN, "run"],
                env=self.environment,
                cwd=self.folder.parent,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"It stopped at once: {self.told()}")
            try:
                with urlopen(f"{self.url}/health", timeout=10):
                    return
            except (URLError, OSError):
                time.sleep(0.1)
        raise AssertionError(f"It did not answer within {seconds} s: {self.told()}")

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.said.append(line.rstrip())

    def told(self) -> str:
        """How it stands, and the last that it printed and logged: for a person who looks why a test failed."""
        state = "not started" if self.process is None else f"exit code {self.process.poll()}"
        log = self.log.read_text(errors="replace")[-LONGEST_LOG:] if self.log.exists() else ""
        return "\n".join((f"{self.folder}: started {self.starts} times, {state}", *self.said, log))

    def setup_link(self, seconds: float = 10) -> str:
        """The one-time link that it printed at the first start."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for line in self.said:
                if "Tocsin is at" not in line and (found := LINK.search(line)):
                    return found[1]
            time.sleep(0.05)
        raise AssertionError(f"No set-up link was printed: {self.said}")

    def kill(self) -> None:
        """As a power cut would: no word, no clean-up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> int:
        """As an administrator would; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def run(self, *words: str, check: bool = True, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """One `tocsin` command in this installation."""
        done = subprocess.run(
            [*TOCSIN, *words],
            env=self.environment,
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            timeout=120,
            input=given,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"tocsin {' '.join(words)}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def __enter__(self) -> "Installation":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)
