"""Web, scheduler and worker as processes of their own over one PostgreSQL: how they start, take over from each other, and go."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
import time_machine
from sqlalchemy import text

from incident import clock
from incident import worker as workers
from incident.settings import SettingsError
from incident.store.db import db
from tests.journeys.cluster import Cluster
from tests.journeys.installation import free_port
from tests.journeys.test_sending_killed import brought_in
from tests.postgres import Postgres

pytestmark = pytest.mark.journey


class Systemd:
    """The socket over which a service tells systemd how it is."""

    def __init__(self, path):
        self.path, self.words = str(path), []
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind(self.path)
        self.line.setblocking(False)

    def heard(self, word):
        """Whether it was ever said."""
        try:
            while said := self.line.recv(4096):
                self.words += said.decode().splitlines()
        except BlockingIOError:
            return word in self.words


def ready(port):
    """What /ready says; nothing before it answers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return {}


def children(process):
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


def left(process, seconds=40):
    """The exit code after the word to stop."""
    process.send_signal(signal.SIGTERM)
    return process.wait(seconds)


def test_all_roles_start_at_once_on_an_empty_database_and_stop_when_told(postgres, tmp_path):
    port = free_port()
    with Cluster(postgres, "roles", tmp_path, port=port, host="127.0.0.1", web_processes=2) as cluster:
        told = {role: Systemd(tmp_path / role) for role in ("web", "scheduler", "worker")}
        web, clock_, worker = (cluster.start(role, NOTIFY_SOCKET=one.path) for role, one in told.items())
        for role, one in told.items():
            cluster.wait(lambda one=one: one.heard("READY=1"), 90, f"{role} is ready")
        assert all(told[role].heard("WATCHDOG=1") for role in ("scheduler", "worker"))
        cluster.wait(lambda: (ready(port).get("workers") or {}).get("lanes") == 3, 30, "three lanes are alive")
        assert ready(port)["work"] == "somebody does it"
        cluster.wait(lambda: len(children(web)) == 2, 30, "both processes of the pages are there")
        a_request_under_way_is_finished(port, web)
        assert [left(worker), left(clock_), web.wait(40)] == [0, 0, 0], cluster.logs()
        assert all(told[role].heard("STOPPING=1") for role in ("scheduler", "worker"))
        assert (cluster.lanes(), cluster.holder()) == (0, 0)
        assert (tmp_path / "instance" / "installation").read_text().strip() == cluster.ask("SELECT log FROM audit_head")


def a_request_under_way_is_finished(port, web):
    """Its second half comes after the word to stop, and it has its answer all the same."""
    body = b"[]" + b" " * 2000
    with socket.create_connection(("127.0.0.1", port)) as line:
        head = f"POST /hooks/sendgrid HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        line.sendall(head.encode() + body[:1000])
        time.sleep(1)
        web.send_signal(signal.SIGTERM)
        time.sleep(1)
        line.sendall(body[1000:])
        assert line.recv(12) == b"HTTP/1.1 404"  # there is no such provider here


def test_the_second_scheduler_takes_over_at_once_when_the_first_is_stopped_and_does_the_work_while_no_worker_lives(
    postgres, tmp_path
):
    with Cluster(postgres, "clocks", tmp_path, worker_heartbeat=10) as cluster:
        clocks = {one.pid: one for one in (cluster.start("scheduler"), cluster.start("scheduler"))}
        cluster.wait(cluster.holder, 90, "one has the clock")
        cluster.wait(lambda: "Waiting" in cluster.logs().split("== 1-")[1], 60, "the other waits")
        first = cluster.holder()
        assert left(clocks.pop(first)) == 0
        [second] = clocks
        cluster.wait(lambda: cluster.holder() == second, 15, "the other has it, sooner than a lease ends")
        assert cluster.ask("SELECT fence FROM lease WHERE name = 'clock'") == 2
        brought_in(cluster.settings, "email", 30, taken_in=False)
        cluster.wait(lambda: cluster.ask("SELECT count(*) FROM person") == 30, 40, "the list is taken in")
        assert cluster.ask("SELECT count(*) FROM procrastinate_jobs") == 0


def test_all_come_back_when_the_database_was_away(tmp_path):
    port = free_port()
    with Postgres() as server, Cluster(server, "away", tmp_path, port=port, web_processes=1) as cluster:
        roles = [cluster.start(role) for role in ("web", "scheduler", "worker")]
        cluster.wait(
            lambda: (ready(port).get("workers") or {}).get("lanes") == 3 and cluster.holder(), 90, "all are there"
        )
        with cluster.engine.connect() as connection:
            connection.execute(text("DELETE FROM procrastinate_workers"))  # as on a standby that had not heard of them
        cluster.engine.dispose()
        server.restart()
        cluster.wait(lambda: cluster.lanes() >= 3 and cluster.holder(), 60, "clock and worker are back")
        brought_in(cluster.settings, "email", 30, taken_in=False)
        cluster.wait(lambda: cluster.ask("SELECT count(*) FROM person") == 30, 60, "the list is taken in")
        time.sleep(4)  # so that the signs of life of before count no more
        assert cluster.lanes() == ready(port)["workers"]["lanes"] == 3, cluster.logs()
        assert [process.poll() for process in roles] == [None, None, None]


def test_a_worker_on_sqlite_says_what_to_do_instead(tmp_path):
    settings = {"TOCSIN_INSTANCE": str(tmp_path / "instance"), "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    command = [sys.executable, "-m", "incident.cli", "worker"]
    done = subprocess.run(command, env=clean | settings, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "tocsin run" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_has_the_wrong_time_does_not_work(app):
    workers.demand_right_time(app)
    with time_machine.travel(clock.now().timestamp() + 60, tick=True):
        if db.engine.dialect.name == "postgresql":
            with pytest.raises(SettingsError, match="differ by 60 seconds"):
                workers.demand_right_time(app)
        else:
            workers.demand_right_time(app)
