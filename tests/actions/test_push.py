"""From a list with push tokens to telephones and browsers, over real sockets, and by e-mail to whom push did not prove it."""

import csv
import io
from collections import Counter

import pytest

from incident.domain.deliveries import Course, Pace
from incident.domain.imports import Reading
from incident.domain.ladders import Proof
from notifiers.fcm_push import FcmPush
from notifiers.memory import Memory
from notifiers.push import Push
from notifiers.web_push import WebPush
from tests.actions.test_imports import taken_in
from tests.actions.waves import NOW, Story
from tests.builders import a_notice, an_incident
from tests.fakes.fcm import FakeFcm, device
from tests.fakes.web_push import VAPID_KEY, FakePushService

pytestmark = pytest.mark.usefixtures("app")

CHECK = "https://us.example/notices/check"
READING = Reading(("name", "email", "push_token"), place="DE", language="en", exposed=("email",))


def a_list(tokens):
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(["name", "email", "device token"])
    for number, token in enumerate(tokens, 1):
        rows.writerow([f"Person {number}", f"person{number}@example.org", token])
    return written.getvalue()


@pytest.fixture
def services():
    with FakeFcm() as apps, FakePushService() as browsers:
        yield apps, browsers


@pytest.fixture
def story(services, tmp_path):
    """Six people: two telephones, two browsers (the second ones gone), one with nonsense for a token, one with none."""
    apps, browsers = services
    apps.dead = {device(2)}
    gone = browsers.subscribe(4)
    browsers.gone = {gone.endpoint.removeprefix(browsers.url)}
    tokens = [device(1), device(2), browsers.subscribe(3).subscription, gone.subscription, "x1", ""]
    incident = an_incident(now=NOW)
    row = taken_in(incident.ref, a_list(tokens), tmp_path, reading=READING)
    assert (row.rows, row.taken) == (6, 6)
    push = Push(
        [
            FcmPush(apps.key_file(), link=CHECK, url=apps.url, token_url=apps.token_url, seconds=5),
            WebPush(VAPID_KEY, contact="desk@us.example", link=CHECK, loopback=True, seconds=5),
        ]
    )
    ref = a_notice(incident, channels=("push", "email"), stage="approved", now=NOW)
    story = Story(incident, ref, real={"push": push, "email": Memory("email")})
    story.start(pace=Pace(most_back=100))
    story.work()
    return story


def emailed(story):
    return sorted(message.to for message in story.real["email"].sent)


def test_each_token_gets_its_push_and_whom_none_reaches_gets_an_e_mail_at_once(story, services):
    apps, browsers = services
    assert [shown.to for shown in apps.shown] == [device(1)]
    assert len(browsers.subscribe(3).shown) == 1
    assert emailed(story) == [f"person{number}@example.org" for number in (2, 4, 5, 6)]
    reasons = Counter(row.reason for row in story.rows() if row.channel == "push" and not row.current)
    assert reasons == {"token_dead": 2, "token_invalid": 1}


def test_what_is_shown_names_nobody(story, services):
    apps, browsers = services
    said = f"{apps.requests} {browsers.subscribe(3).shown} {browsers.requests}"
    assert "Person" not in said
    assert "@example.org" not in said
    assert all(row.ref not in said for row in story.rows())


def test_a_push_that_was_taken_proves_nothing_so_everybody_has_an_e_mail_a_day_later(story):
    assert story.counts() == {"accepted": 6}
    assert story.row().steps[0].counts is Proof.DELIVERED
    story.clock.move(hours=24, minutes=1)
    story.work()
    assert emailed(story) == [f"person{number}@example.org" for number in range(1, 7)]
    assert story.counts() == {"accepted": 6}
    assert {row.channel for row in story.rows() if row.current} == {"email"}


def test_a_service_account_that_is_refused_pauses_the_sending_and_calls_nobody_failed(services, tmp_path):
    apps, _ = services
    apps.refuse_sign_in = 400
    push = FcmPush(apps.key_file(), link=CHECK, url=apps.url, token_url=apps.token_url, seconds=5)
    incident = an_incident(now=NOW)
    taken_in(incident.ref, a_list([device(number) for number in (1, 2, 3)]), tmp_path, reading=READING)
    ref = a_notice(incident, channels=("push", "email"), stage="approved", now=NOW)
    story = Story(incident, ref, real={"push": push, "email": Memory("email")})
    story.start()
    story.work()
    assert (story.row().course, story.row().paused_for) == (Course.PAUSED, "credentials_refused")
    assert story.counts() == {"waiting": 3}
    assert apps.shown == []
