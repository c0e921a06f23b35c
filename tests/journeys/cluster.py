"""An installation on PostgreSQL whose roles are processes of their own, to be killed, frozen and added at will."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from incident.settings import Settings
from tests.postgres import Postgres

ROOT = Path(__file__).parent.parent.parent


class Cluster:
    """Its database, its settings, and the processes that were started; all of them are gone at the end."""

    def __init__(self, server: Postgres, name: str, folder: Path, **values: Any) -> None:
        self.folder, self.processes = folder, []  # type: ignore[var-annotated]
        admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        self.values = {
            "instance": folder / "instance",
            "database_url": server.url(name),
            "test_mode": True,
            "base_url": "http://localhost",
            "worker_heartbeat": 1,
            "sending_lease": 2,
            "log_level": "warning",
        } | values
        self.settings = Settings(**self.values)
        self.engine = create_engine(server.url(name), isolation_level="AUTOCOMMIT", pool_size=2)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process of this installation."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        ours = {f"TOCSIN_{name.upper()}": str(value) for name, value in self.values.items()}
        return clean | ours | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """One role, as `tocsin worker` would start it, with these variables too; its log is in the folder."""
        log = (self.folder / f"{len(self.processes)}-{words[0]}.log").open("w")
        command = [sys.executable, "-m", "incident.cli", *words]
        environment = self.environment | more
        process = subprocess.Popen(
            command, env=environment, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, text=True
        )
        self.processes.append(process)
        return process

    def ask(self, question: str, **values: Any) -> Any:
        """One value out of the database."""
        with self.engine.connect() as connection:
            return connection.execute(text(question), values).scalar()

    def lanes(self) -> int:
        """How many lanes of workers give signs of life."""
        if not self.ask("SELECT to_regclass('procrastinate_workers')"):
            return 0
        recent = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '3 seconds'"
        return int(self.ask(recent))

    def holder(self) -> int:
        """The number of the process that holds the clock; 0 when nobody does."""
        if not self.ask("SELECT to_regclass('lease')"):
            return 0
        held = self.ask("SELECT holder FROM lease WHERE name = 'clock' AND until > now()")
        return int(held.split(":")[1]) if held else 0

    def logs(self) -> str:
        """What all processes said, for a failure's message."""
        return "\n".join(f"== {path.name}\n{path.read_text()[-2000:]}" for path in sorted(self.folder.glob("*.log")))

    def wait(self, until: Callable[[], object], seconds: float, what: str) -> None:
        """Wait for something to be so. Raises AssertionError with all logs when it does not come about."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until():
                return
            time.sleep(0.05)
        raise AssertionError(f"Not within {seconds} s: {what}\n{self.logs()}")

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(20)
        self.engine.dispose()
