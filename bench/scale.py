"""Two workers against one over a durable PostgreSQL: people a second, and the processor time of workers and server.

    python -m bench.scale [PEOPLE] [ANSWER_SECONDS]

Workers, scheduler and the fake SendGrid are processes, as in an installation. The same people are sent to by one worker, by two, and
by one again; people are counted from when every worker has had its first claim. With answers of a second no worker is busy all the time, so
that the ratio shows whether they wait for each other; at 0 they share the machine's cores with the server, and it cannot be shown there
unless the machine has more cores than workers. PostgreSQL and SQLite are compared for the import by `python -m bench.size`.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.ground import cpu_seconds, imported, listed
from incident import clock, journal, start
from incident.actions import dispatch
from incident.store.db import db
from tests.fakes.sendgrid import KEY
from tests.journeys.cluster import Cluster
from tests.postgres import Postgres

PEOPLE, SECONDS = 100_000, 1.0
STEADY = """WITH came AS (SELECT max(first) AS at FROM (SELECT min(claimed_at) AS first FROM delivery_claim GROUP BY worker) AS w)
SELECT sum(size) / extract(epoch FROM (SELECT max(finished_at) FROM dispatch) - came.at) FROM delivery_claim, came
WHERE claimed_at >= came.at GROUP BY came.at"""
SHARES = "SELECT count(DISTINCT worker) FROM delivery_claim"
LONGEST = 600
WHO = "U-0BENCH00"


class Run(NamedTuple):
    """One run: people a second, by how many workers in truth, processor seconds of the workers and of PostgreSQL."""

    people: float
    shared_by: int
    workers: float
    server: float


def sent_by(workers: int, server: Postgres, folder: Path, url: str, people: int) -> Run:
    """People of a new installation, sent to by so many workers, who are all there before the first claim."""
    given = {"sendgrid_url": url, "sendgrid_api_key": KEY, "sendgrid_from": "n@company.example", "sending_lease": 60}
    with Cluster(server, "bench", folder, **given) as cluster:
        app = start.prepare(cluster.settings)
        with app.app_context():
            ref = imported(people, cluster.settings.instance)
            sending = listed(ref, app)
            dispatch.pause(ref, sending, actor=WHO, now=clock.now())
            db.session.remove()
        cluster.start("scheduler")
        ready = [cluster.start("worker", "--lane", "sending") for _ in range(workers)]
        cluster.wait(lambda: cluster.lanes() == workers and cluster.holder(), 120, "the workers are there")
        used, inside = -sum(cpu_seconds(one.pid) for one in ready), -server.cpu_seconds()
        with app.app_context():
            dispatch.go_on(ref, sending, actor=WHO, now=clock.now())
            db.session.remove()
            db.engine.dispose()
        cluster.wait(lambda: cluster.ask("SELECT course FROM dispatch") == "done", LONGEST, "the sending is done")
        used, inside = used + sum(cpu_seconds(one.pid) for one in ready), inside + server.cpu_seconds()
        return Run(float(cluster.ask(STEADY)), int(cluster.ask(SHARES)), used, inside)


def main() -> None:
    """One, two, one: the second run stands between its yardsticks."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    journal.begin("warning")
    runs = []
    with ExitStack() as stack:
        server = stack.enter_context(Postgres(durable=True))
        command = [sys.executable, "-m", "tests.fakes.sendgrid", "--seconds", str(seconds)]
        fake = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        stack.callback(fake.kill)
        assert fake.stdout is not None
        url = fake.stdout.readline().strip()
        for workers in (1, 2, 1):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            run = sent_by(workers, server, folder, url, people)
            runs.append(run)
            print(
                f"{workers} worker(s), {run.shared_by} of them had a share: {run.people:>8,.0f} people/s; processor µs a person:"
                f" workers {1e6 * run.workers / people:.1f}, PostgreSQL {1e6 * run.server / people:.1f}",
                flush=True,
            )
            time.sleep(1)
    ratio = 2 * runs[1].people / (runs[0].people + runs[2].people)
    print(f"{people:,} people, answers after {seconds:g} s: two workers against one {ratio:.2f} x (must 1.7, aim 1.9)")


if __name__ == "__main__":
    main()
