"""Jobs on PostgreSQL: references alone, once while they wait, and gone with the worker that had them."""

import threading

import pytest
from sqlalchemy import text

from incident import clock, work
from incident.actions.ledger import transaction
from incident.domain.lanes import Lane
from incident.store import jobs
from incident.store.db import db
from incident.store.jobs import Wanted

A, B, C = (Wanted("sending", f"D-{letter}") for letter in "ABC")


@pytest.fixture
def engine(app):
    """The application on PostgreSQL, with the engine's tables; elsewhere there is nothing to test."""
    if db.engine.dialect.name != "postgresql":
        pytest.skip("jobs need PostgreSQL")
    db.session.rollback()
    jobs.make_tables()
    return app


def a_worker(seconds_ago=0.0):
    """A worker whose last sign of life was so long ago; its number."""
    made = text(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => :ago)) RETURNING id"
    )
    number = db.session.scalar(made, {"ago": seconds_ago})
    db.session.commit()
    return number


def waiting():
    return list(
        db.session.scalars(text("SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id"))
    )


def taken_by(worker):
    db.session.execute(text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker"), {"worker": worker})
    db.session.commit()


def test_without_postgresql_nothing_is_handed_over_and_nothing_breaks(app):
    if db.engine.dialect.name == "postgresql":
        pytest.skip("this is about SQLite")
    jobs.defer_if_anybody_works([A])
    assert not jobs.ready()


def test_what_waits_already_waits_once(engine):
    assert (jobs.defer([A, B]), jobs.defer([A, B, C, C])) == (2, 1)
    db.session.commit()
    assert waiting() == ["sending:D-A", "sending:D-B", "sending:D-C"]


def test_a_job_holds_kind_and_reference_and_nothing_else(engine):
    jobs.defer([Wanted("people.import", "L-1")])
    row = db.session.execute(text("SELECT queue_name, lock, args FROM procrastinate_jobs")).one()
    assert tuple(row) == ("long", "people.import:L-1", {"kind": "people.import", "reference": "L-1"})


def test_several_workers_share_a_sending_and_nothing_else(engine):
    jobs.defer([A, Wanted("reminders.due", "R-1")])
    locks = dict(db.session.execute(text("SELECT queueing_lock, lock FROM procrastinate_jobs")).all())
    assert locks == {"sending:D-A": None, "reminders.due:R-1": "reminders.due:R-1"}


def test_while_a_sending_is_under_way_it_may_be_given_to_one_more(engine):
    jobs.defer([A])
    taken_by(a_worker())
    assert jobs.defer([A]) == 1


def test_senders_know_how_many_share_a_rate(engine):
    assert jobs.at_work(Lane.SENDING) == 1
    jobs.defer([A, B, Wanted("people.import", "L-1")])
    taken_by(a_worker())
    assert jobs.at_work(Lane.SENDING) == 2


def test_it_goes_with_the_transaction_that_wanted_it(engine):
    a_worker()
    with transaction("cli", clock.now()) as ledger:
        ledger.write("sending.frozen", "sending")
        ledger.soon("sending", "D-A")
    with pytest.raises(RuntimeError, match="must leave a line"), transaction("cli", clock.now()) as ledger:
        ledger.soon("sending", "D-B")
    assert waiting() == ["sending:D-A"]


def test_whoever_is_second_with_the_same_reference_still_commits_the_rest(engine):
    """Another connection has the same job in an open transaction: we wait for it, find it taken, and lose nothing of ours."""
    a_worker()
    other = db.engine.connect()
    other.execute(
        text(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock) VALUES ('sending', 'x', 'sending:D-A')"
        )
    )
    threading.Timer(0.3, other.commit).start()
    with transaction("cli", clock.now()) as ledger:
        ledger.write("sending.frozen", "sending")
        ledger.soon("sending", "D-A")
        ledger.soon("sending", "D-B")
    other.close()
    assert sorted(waiting()) == ["sending:D-A", "sending:D-B"]
    assert db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'sending.frozen'")) == 1


def test_nobody_is_given_work_by_an_action_while_no_worker_lives(engine):
    a_worker(seconds_ago=1_000)
    jobs.defer_if_anybody_works([A])
    assert waiting() == []


def test_what_a_dead_worker_had_is_taken_from_it_and_what_a_living_one_has_is_left(engine):
    dead, alive = a_worker(seconds_ago=31), a_worker()
    jobs.defer([A])
    taken_by(dead)
    jobs.defer([B])
    db.session.execute(
        text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker WHERE status = 'todo'"),
        {"worker": alive},
    )
    assert (jobs.sweep(30), jobs.workers(30)) == (1, 1)
    assert list(db.session.scalars(text("SELECT queueing_lock FROM procrastinate_jobs"))) == ["sending:D-B"]


def test_a_worker_that_is_silent_for_a_day_is_forgotten(engine):
    a_worker(seconds_ago=90_000)
    jobs.sweep(30)
    assert db.session.scalar(text("SELECT count(*) FROM procrastinate_workers")) == 0


def test_the_clock_gives_to_workers_and_does_it_itself_while_there_are_none(engine):
    done = []
    kind = work.Kind("reminders.due", 1, lambda _now: ["R-1"], lambda reference, _now: done.append(reference))
    assert (work.hand_over(kind), done, waiting()) == (1, ["R-1"], [])
    a_worker()
    assert (work.hand_over(kind), done, waiting()) == (1, ["R-1"], ["reminders.due:R-1"])


def test_queues_are_told_with_the_age_of_the_oldest(engine):
    jobs.defer([A, B, Wanted("people.import", "L-1")])
    db.session.execute(text("UPDATE procrastinate_events SET at = at - interval '90 seconds'"))
    told = {(one.lane, one.state): (one.jobs, round(one.oldest, -1)) for one in jobs.standing()}
    assert told == {("sending", "todo"): (2, 90), ("long", "todo"): (1, 90)}


def test_the_tables_may_be_made_again_and_by_two_at_once(engine):
    threads = [threading.Thread(target=_made, args=(engine,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert jobs.defer([A]) == 1


def _made(app):
    with app.app_context():
        jobs.make_tables()


def test_a_newer_engine_brings_its_own_migrations_each_once_and_in_their_order(engine, tmp_path):
    (tmp_path / "03.00.00_01_old.sql").write_text("SELECT 1 / 0")
    (tmp_path / "99.00.00_50_post.sql").write_text("ALTER TABLE procrastinate_jobs RENAME novel TO of_ours")
    (tmp_path / "99.00.00_01_pre.sql").write_text(
        "ALTER TYPE procrastinate_job_status ADD VALUE 'novel'; ALTER TABLE procrastinate_jobs ADD novel integer"
    )
    jobs.make_tables(tmp_path)
    jobs.make_tables(tmp_path)
    assert db.session.scalar(text("SELECT count(of_ours) FROM procrastinate_jobs")) == 0
    assert jobs.defer([A]) == 1
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE procrastinate_jobs DROP of_ours"))
