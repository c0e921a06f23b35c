from datetime import timedelta

from sqlalchemy import text

from incident import clock
from incident.actions import checkpoints
from incident.actions.ledger import transaction
from incident.domain import editions
from incident.store import checkpoints as store
from incident.store import dispatches, jobs, leases
from incident.store.db import db
from tests.builders import an_incident


def test_health_answers_without_data_and_without_a_database(app, client):
    assert client.get("/health").json == {"status": "ok"}


def test_ready_says_how_the_installation_stands(app, client, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "folder", lambda: tmp_path)
    told = client.get("/ready").json
    assert (told["ready"], told["database"], told["last_backup"], told["last_checkpoint"], told["sending"]) == (
        True,
        "ok",
        None,
        None,
        "open",
    )
    assert told["work"] == "nobody does it"
    an_incident()
    checkpoints.sign(actor="system", now=clock.now())
    leases.hold("clock", "me", now=clock.now(), length=timedelta(minutes=1))
    with transaction("cli", clock.now()) as ledger:
        dispatches.set_frozen(True, "cli", clock.now())
        ledger.write("instance.backed_up", "B-1")
        ledger.write("sending.frozen", "sending")
    told = client.get("/ready").json
    assert (told["work"], told["sending"], told["lines_since_checkpoint"]) == ("somebody does it", "frozen", 2)
    assert None not in (told["last_backup"], told["last_checkpoint"])


def test_not_ready_when_the_record_has_lost_its_head(app, client):
    with db.engine.connect().execution_options(tocsin_write=True) as other:
        drop = {"sqlite": "DROP TRIGGER audit_head_stays", "postgresql": "ALTER TABLE audit_head DISABLE TRIGGER ALL"}
        other.execute(text(drop[db.engine.dialect.name]))
        other.execute(text("DELETE FROM audit_head"))
        other.commit()
    reply = client.get("/ready")
    assert (reply.status_code, reply.json["ready"]) == (503, False)


def test_figures_are_off_until_asked_for_and_need_the_word(app, client, monkeypatch):
    assert client.get("/metrics").status_code == 404
    monkeypatch.setattr(app.extensions["settings"], "metrics_token", _Secret("let me in"))
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer let me out"}).status_code == 404
    an_incident(title="Hidden title")
    reply = client.get("/metrics", headers={"Authorization": "Bearer let me in"})
    assert reply.status_code == 200
    assert 'tocsin_incidents{kind="incident",state="open"} 1.0' in reply.text
    assert "tocsin_sending_frozen 0.0" in reply.text
    assert 'tocsin_deliveries{state="waiting"} 0.0' in reply.text
    assert "Hidden" not in reply.text


def test_figures_say_who_holds_which_part_and_for_how_long(app, client, monkeypatch):
    monkeypatch.setattr(app.extensions["settings"], "metrics_token", _Secret("let me in"))
    assert "tocsin_work_held 0.0" in _figures(client)
    leases.hold("clock", "host-a:17:ab", now=clock.now(), length=timedelta(minutes=1))
    leases.hold("clock", "host-b:18:cd", now=clock.now(), length=timedelta(minutes=1))
    told = _figures(client)
    assert "tocsin_work_held 1.0" in told
    assert "host-b" not in told
    [line] = [one for one in told.splitlines() if one.startswith("tocsin_lease_seconds{")]
    assert line.startswith('tocsin_lease_seconds{holder="host-a:17:ab",part="clock"} 5')


def test_workers_are_told_where_there_can_be_any(app, client, monkeypatch):
    monkeypatch.setattr(app.extensions["settings"], "metrics_token", _Secret("let me in"))
    if db.engine.dialect.name != "postgresql":
        assert client.get("/ready").json["workers"] is None
        assert "tocsin_jobs" not in _figures(client)
        return
    jobs.make_tables()
    db.session.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    jobs.defer([jobs.Wanted("sending", "D-A"), jobs.Wanted("sending", "D-B")])
    db.session.commit()
    told = client.get("/ready").json["workers"]
    assert (told["lanes"], told["waiting"]) == (1, 2)
    assert 0 <= told["oldest_seconds"] < 30
    figures = _figures(client)
    assert 'tocsin_jobs{lane="sending",state="todo"} 2.0' in figures
    assert "tocsin_worker_lanes 1.0" in figures
    assert "D-A" not in figures


def _figures(client):
    return client.get("/metrics", headers={"Authorization": "Bearer let me in"}).text


class _Secret:
    def __init__(self, word):
        self._word = word

    def get_secret_value(self):
        return self._word


def test_ready_says_which_laws_are_in_use_and_that_a_file_has_a_mistake(app, client):
    try:
        broken = editions.LawText("own/broken.toml", b"id = ")
        editions.use(editions.edition("2027.1.1", editions.Origin.PACK, editions.shipped().texts, [broken]))
        told = client.get("/ready").json["laws"]
    finally:
        editions.use(None)
    assert told == {"version": "2027.1.1", "digest": editions.shipped().digest[:12], "mistakes": 1}
