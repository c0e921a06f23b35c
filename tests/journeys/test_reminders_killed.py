"""Reminders by real processes, a real mail server and a real target: two workers at once, one killed (-9) in the call."""

import json
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from incident import clock, start
from incident.actions import alert_targets, intake
from incident.settings import Settings
from incident.store import handovers
from incident.store import reminders as rows
from incident.store.db import db
from incident.store.reminders import ReminderMessage
from tests.builders import a_user, an_incident
from tests.fakes.http import Handler, Server
from tests.fakes.smtp import FakeSmtp
from tests.journeys.installation import Installation


class Target(Handler):
    """A chat of the team."""

    def do_POST(self) -> None:
        self.server.taken.append(json.loads(self.body()))
        self.answer(200)


@pytest.fixture
def chat():
    with Server(Target) as server:
        server.taken = []
        yield server


def prepared(place: Installation):
    """An installation with an incident whose report is due in a few hours, and its lead; their address."""
    settings = Settings(instance=place.folder, test_mode=True, base_url=place.url)
    app = start.prepare(settings)
    now = clock.now()
    aware = now - timedelta(hours=66)
    with app.app_context():
        lead = a_user("lead")
        case = an_incident(
            facts={
                "personal_data": True,
                "role": "controller",
                "establishments": ["DE"],
                "risk_to_people": "risk",
                "aware_at": aware.isoformat(),
            },
            now=aware,
        )
        intake.lead_by(case.ref, lead.ref, actor=lead.ref, now=aware)
        found = lead.email
        db.session.remove()
        db.engine.dispose()
    return app, found


def a_worker(place: Installation) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "incident.cli", "work", "--once"],
        env=place.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def states(app) -> list[str]:
    with app.app_context():
        found = [row.state for row in db.session.query(ReminderMessage).order_by(ReminderMessage.id)]
        db.session.remove()
    return found


@pytest.mark.journey
def test_two_workers_at_once_remind_once_by_mail_and_once_in_the_chat(tmp_path, chat):
    with FakeSmtp() as mail:
        place = Installation(tmp_path / "instance", smtp_url=mail.url, smtp_from="tocsin@example.org")
        app, address = prepared(place)
        with app.app_context():
            alert_targets.set_up(
                "Chat",
                f"json://127.0.0.1:{chat.server_address[1]}/hook",
                level="everybody",
                person="",
                hears_restricted=False,
                alerts=app.extensions["alerts"],
                actor="U-0ADMIN00",
                now=clock.now(),
            )
            db.session.remove()
        crew = [a_worker(place) for _ in range(2)]
        assert [one.wait(120) for one in crew] == [0, 0]
        assert a_worker(place).wait(120) == 0
        assert [one.to for one in mail.mails] == [[address]]
        assert "due in 5 h" in mail.mails[0].parsed["subject"]
        assert f"{place.url}/incidents/INC-" in mail.mails[0].parsed.get_body().get_content()
        assert len(chat.taken) == 1
        assert "INC-" in chat.taken[0]["title"]
        assert states(app) == ["accepted", "accepted"]


@pytest.mark.journey
def test_a_worker_killed_while_it_speaks_to_the_mail_server_leaves_doubt_and_no_second_mail(tmp_path):
    with socket.socket() as silent, FakeSmtp() as mail:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        place = Installation(
            tmp_path / "instance",
            smtp_url=f"smtp://127.0.0.1:{silent.getsockname()[1]}",
            smtp_from="tocsin@example.org",
            sending_lease="2",
        )
        app, _ = prepared(place)
        worker = a_worker(place)
        until = time.monotonic() + 60
        while states(app) != ["calling"] and time.monotonic() < until:
            time.sleep(0.1)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        assert states(app) == ["calling"]
        time.sleep(2.1)
        place.settings = dict(place.settings) | {"TOCSIN_SMTP_URL": mail.url}
        assert a_worker(place).wait(120) == 0
        assert (states(app), mail.mails) == (["in_doubt"], [])
        with app.app_context():
            assert handovers.due(rows.MESSAGES, clock.now()) == []
            db.session.remove()
