"""A sending by several workers over one PostgreSQL, as processes: killed (-9), frozen past their leases, and added in its middle.

The suite runs it with 2,000 people. `make soak-scale` runs it with SCALE="people way", 100,000 by e-mail unless said otherwise.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from incident.actions import deliveries, dispatch, notices
from incident.domain.deliveries import Course, Pace, State
from incident.domain.errors import Invalid
from incident.store import claims, dispatches, incidents
from incident.store import deliveries as rows
from incident.store import notices as notice_rows
from incident.store.db import db
from tests.builders import WHO_WRITES, a_notice, notice_row
from tests.fakes.sendgrid import KEY, FakeSendGrid
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio
from tests.journeys.cluster import Cluster
from tests.journeys.test_sending_killed import LEAD, NOW, brought_in, reported

PEOPLE, WAY = (lambda count, way: (int(count), way))(*os.environ.get("SCALE", "2000 sms").split())
PATIENCE = 120 + PEOPLE / 200
ADDRESS = {"email": "person{}@example.org", "sms": "+49151{:08}"}[WAY]
PROVIDER = {"email": "sendgrid", "sms": "twilio"}[WAY]
A_WORKER_HAS = 3  # lanes
SECONDS = 6.0  # what the sending takes at least, so that it has a middle


def a_provider():
    """The fake provider of this run, and the settings by which it is reached; so slow that there is a middle to kill in."""
    rate = max(50, int(PEOPLE / SECONDS / 2))
    if WAY == "email":
        server = FakeSendGrid()
        values = {
            "sendgrid_url": server.url,
            "sendgrid_api_key": KEY,
            "sendgrid_from": "n@company.example",
            "sendgrid_webhook_public_key": server.public_key,
            "sendgrid_rate": rate,
        }
        server.answer_seconds = 0.2
    else:
        server = FakeTwilio()
        values = {
            "twilio_url": server.url,
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_from": "+15005550006",
            "twilio_rate": rate,
        }
        server.answer_seconds = 0.02
    return server, values


def copies(server):
    """How often each address was written to, as the provider has it."""
    return Counter(one.to for one in (server.letters if WAY == "email" else server.texts))


def approved(incident):
    """A notice to everybody, submitted as soon as the workers have looked at them all, and approved."""
    ref, until = a_notice(incident, channels=("sms", "email"), now=NOW), time.monotonic() + PATIENCE
    while notice_row(incident, ref).stage != "submitted":
        try:
            revision = notice_row(incident, ref).revision
            notices.submit(incident.ref, ref, revision=revision, house=WHO_WRITES, actor="U-0AUTHOR0", now=NOW)
        except Invalid:  # they are being looked at
            assert time.monotonic() < until
            time.sleep(0.2)
        db.session.remove()
    version = notice_rows.version(notice_row(incident, ref).id, 1)
    said = {"digest": version.digest, "people": str(version.people), "house": WHO_WRITES}
    notices.approve(incident.ref, ref, **said, actor="U-0APPROV0", now=NOW)
    return ref


def begun(app, ref):
    with app.app_context():
        notice = approved(incidents.by_ref(ref))
        pace = Pace(most_back=100, at_any_hour=True)  # whenever the suite runs, somebody sleeps
        sending = dispatch.start(ref, notice, only_sandbox=False, pace=pace, actor=LEAD, now=NOW)
        db.session.remove()
    return sending


def course(cluster):
    return cluster.ask("SELECT course FROM dispatch")


def register(app, sending):
    """Every attempt: the person, its state, and the state and worker of the claim it was last handed over under."""
    with app.app_context():
        row = dispatches.anywhere(sending)
        assert {state: n for state in State if (n := row.counts.of(state))} == rows.recounted(row.id)
        assert row.counts.total == row.audience == PEOPLE
        found = [(one.person_number, State(one.state), one.claim_id) for one in rows.page(row.id, limit=2 * PEOPLE)]
        held = {one.id: one for one in db.session.query(claims.DeliveryClaim)}
        db.session.remove()
    return found, held


def killed_while_calling(server, worker):
    """Kill it when its provider has just been asked something."""
    asked = server.asked
    while server.asked == asked:
        time.sleep(0.001)
    worker.send_signal(signal.SIGKILL)
    worker.wait()


@pytest.mark.journey
def test_workers_that_die_freeze_and_come_lose_nobody_and_tell_nobody_twice(postgres, tmp_path):
    server, values = a_provider()
    with server, Cluster(postgres, "scale", tmp_path, **values) as cluster:
        app, ref = brought_in(cluster.settings, WAY, PEOPLE)
        clocks = [cluster.start("scheduler") for _ in range(2)]
        doomed, frozen = cluster.start("worker"), cluster.start("worker")
        cluster.wait(lambda: cluster.lanes() == 2 * A_WORKER_HAS and cluster.holder(), 90, "two workers and a clock")
        sending = begun(app, ref)
        told = lambda share: lambda: len(copies(server)) >= share * PEOPLE  # noqa: E731
        cluster.wait(told(0.1), PATIENCE, "a tenth is told")
        killed_while_calling(server, doomed)
        leading = next(one for one in clocks if one.pid == cluster.holder())
        leading.send_signal(signal.SIGKILL)
        added = cluster.start("worker")
        cluster.wait(told(0.3), PATIENCE, "a third is told")
        frozen.send_signal(signal.SIGSTOP)
        since = time.monotonic()
        following = next(one for one in clocks if one is not leading)
        cluster.wait(lambda: cluster.holder() == following.pid, 30, "the other scheduler has the clock")
        cluster.wait(lambda: time.monotonic() - since > 4 and cluster.lanes() == A_WORKER_HAS, 60, "one worker is left")
        frozen.send_signal(signal.SIGCONT)
        cluster.wait(lambda: course(cluster) in (Course.IN_DOUBT, Course.DONE), PATIENCE, "all is handed over")
        cluster.wait(lambda: cluster.lanes() == 2 * A_WORKER_HAS, 30, "the frozen worker is back")
        nobody_is_lost_or_told_twice(app, server, sending, {doomed.pid, frozen.pid})
        everybody_is_told_in_the_end(app, server, ref, sending, cluster)
        leave(cluster, (following, frozen, added))


@pytest.mark.journey
def test_a_worker_that_is_told_to_stop_in_the_middle_settles_what_it_began_and_leaves_no_doubt(postgres, tmp_path):
    server, values = a_provider()
    with server, Cluster(postgres, "stopped", tmp_path, **values | {f"{PROVIDER}_rate": 40}) as cluster:
        app, ref = brought_in(cluster.settings, WAY, 1_500)
        cluster.start("scheduler")
        worker = cluster.start("worker", "--lane", "sending")
        cluster.wait(lambda: cluster.lanes() == 1 and cluster.holder(), 90, "a worker and a clock")
        begun(app, ref)
        cluster.wait(lambda: len(copies(server)) > 80, 60, "it is under way")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(40) == 0, cluster.logs()
        told = cluster.ask("SELECT accepted FROM dispatch")
        assert 80 < told < 1_500
        by_it = {"who": f"%:{worker.pid}"}
        assert (
            cluster.ask("SELECT count(*) FROM delivery_claim WHERE worker LIKE :who AND state <> 'settled'", **by_it)
            == 0
        )
        assert cluster.ask("SELECT sum(size) FROM delivery_claim WHERE worker LIKE :who", **by_it) <= len(
            copies(server)
        )
        assert (cluster.ask("SELECT in_doubt FROM dispatch"), set(copies(server).values())) == (0, {1})


def nobody_is_lost_or_told_twice(app, server, sending, fallen):
    got = copies(server)
    found, held = register(app, sending)
    assert set(got.values()) == {1}
    assert sorted(number for number, *_ in found) == list(range(1, PEOPLE + 1))
    assert {state for _, state, _ in found} <= {State.ACCEPTED, State.IN_DOUBT}
    assert all(got[ADDRESS.format(number)] == 1 for number, state, _ in found if state is State.ACCEPTED)
    lost = {id_ for id_, claim in held.items() if claim.state == "lost"}
    assert {claim for _, state, claim in found if state is State.IN_DOUBT} <= lost
    assert {int(held[id_].worker.split(":")[1]) for id_ in lost} <= fallen  # a call of theirs was under way


def everybody_is_told_in_the_end(app, server, ref, sending, cluster):
    """The provider's reports settle what it has; the rest is sent again on a person's word, by the workers."""
    with app.app_context():
        reported(app, server, WAY)
        row = dispatches.anywhere(sending)
        untold = PEOPLE - len(copies(server))
        assert row.in_doubt == untold
        if untold:
            deliveries.settle_doubts(
                ref, sending, verdict="again", typed=str(untold), reason="the log has none", actor=LEAD, now=NOW
            )
        db.session.remove()
    cluster.wait(lambda: len(copies(server)) == PEOPLE, PATIENCE, "everybody is told")
    cluster.wait(lambda: course(cluster) == Course.DONE, PATIENCE, "the sending is done again")
    assert set(copies(server).values()) == {1}


def leave(cluster, processes):
    """All go when told to, and leave nothing behind: no job, no sign of life, no lease."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(30) for process in processes] == [0, 0, 0], cluster.logs()
    assert cluster.ask("SELECT count(*) FROM procrastinate_jobs WHERE status <> 'todo'") == 0
    assert (cluster.lanes(), cluster.holder()) == (0, 0)
    verified = subprocess.run(
        [sys.executable, "-m", "incident.cli", "audit", "verify"],
        env=cluster.environment,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    assert verified.returncode == 0
