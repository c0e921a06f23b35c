import subprocess
import sys
from collections.abc import Iterator

import pytest

from notifiers.contract import Message, Outcome
from notifiers.fcm_push import FcmPush
from notifiers.push import Push
from notifiers.web_push import WebPush
from tests.fakes.faults import Fault
from tests.fakes.fcm import FakeFcm, device
from tests.fakes.web_push import VAPID_KEY, FakePushService

CHECK = "https://us.example/notices/check"


@pytest.fixture
def apps() -> Iterator[FakeFcm]:
    with FakeFcm() as fake:
        yield fake


@pytest.fixture
def browsers() -> Iterator[FakePushService]:
    with FakePushService() as fake:
        yield fake


@pytest.fixture
def push(apps: FakeFcm) -> Push:
    return Push(
        [
            FcmPush(apps.key_file(), link=CHECK, url=apps.url, token_url=apps.token_url, seconds=5),
            WebPush(VAPID_KEY, contact="desk@us.example", link=CHECK, loopback=True, seconds=5),
        ],
        rate=5,
    )


def test_each_message_goes_where_its_address_belongs(push: Push, apps: FakeFcm, browsers: FakePushService):
    browser = browsers.subscribe(2)
    batch = [
        Message("R1", device(1), "Open the app", "For you"),
        Message("R2", browser.subscription, "Open the app", "For you"),
        Message("R3", "neither of both", "Open the app", "For you"),
        Message("R4", device(4), "Open the app", "For you"),
    ]
    answers = push.send(batch)
    assert [(answer.ref, answer.outcome, answer.reason) for answer in answers] == [
        ("R1", Outcome.ACCEPTED, ""),
        ("R2", Outcome.ACCEPTED, ""),
        ("R3", Outcome.REFUSED, "token_invalid"),
        ("R4", Outcome.ACCEPTED, ""),
    ]
    assert [shown.to for shown in apps.shown] == [device(1), device(4)]
    assert len(browser.shown) == 1


def test_trouble_of_one_service_does_not_keep_the_other_back(push: Push, apps: FakeFcm, browsers: FakePushService):
    apps.faults.first = [Fault.BUSY]
    browser = browsers.subscribe(1)
    answers = push.send([Message("R1", device(1), "Open"), Message("R2", browser.subscription, "Open", "For you")])
    assert [answer.outcome for answer in answers] == [Outcome.LATER, Outcome.ACCEPTED]
    assert answers[0].wait == 0.05


def test_what_push_needs_is_loaded_only_where_it_is_set_up():
    code = (
        "import sys, notifiers.registry; print([name for name in ('google.auth', 'pywebpush') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() == "[]"
