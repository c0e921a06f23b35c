"""A lead proves a landline and a device in a real browser, tries every way to reach people, and readiness goes by it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.fcm import FakeFcm, device
from tests.fakes.smtp import FakeSmtp
from tests.fakes.twilio_voice import FakeVoice
from tests.journeys import axe
from tests.journeys.browser import press
from tests.journeys.served import Served

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NUMBER = "+49 30 55501000"
READ_OUT = re.compile(r"Your code for Tocsin is: ([\d, ]+)\.")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[Served, FakeFcm, FakeVoice, FakeSmtp]]:
    """An installation with push, calls, texts and e-mail, each by a server of its own; its reader leads."""
    with FakeFcm() as push, FakeVoice() as voice, FakeSmtp() as mail:
        key = tmp_path / "key.json"
        key.write_text(push.key_file(), "utf-8")
        settings = {
            "fcm_key_file": key, "fcm_url": push.url, "fcm_token_url": push.token_url,
            "twilio_url": voice.url, "twilio_account_sid": voice.account, "twilio_auth_token": voice.token,
            "twilio_voice_from": "+15550001111", "twilio_from": "+15550001111", "company_name": "Example Shop",
            "smtp_url": mail.url, "smtp_from": "desk@example.org",
        }  # fmt: skip
        yield Served(tmp_path / "instance", "lead", **settings), push, voice, mail


def test_every_way_is_proved_and_tried_and_readiness_has_no_more_to_say(here, browser: Browser):
    served, push, voice, mail = here
    page = served.enter(browser, width=390).new_page()
    page.goto(f"{served.url}/readiness/")
    press(page.get_by_role("link", name="Send yourself a test under"))
    _looks_well(page)
    press(page.get_by_role("link", name="Prove your device first"))
    page.get_by_label("Token of your device").fill(device(1))
    press(page.get_by_role("button", name="Send a code by push"))
    page.get_by_label("Code", exact=True).fill(push.shown[-1].body.split()[0])
    press(page.get_by_role("button", name="Prove the device"))
    page.get_by_label("Phone number").fill(NUMBER)
    press(page.get_by_role("button", name="Call me with the code"))
    assert set(voice.play(through=served.url)) <= {200, 204}
    said = READ_OUT.search(" ".join(voice.calls[-1].said))
    assert said
    page.get_by_label("Code", exact=True).fill(said[1].replace(", ", " "))
    press(page.get_by_role("button", name="Prove the number"))
    _looks_well(page)
    page.goto(f"{served.url}/channels/")
    for channel in ("email", "call", "push"):
        press(page.locator(f'form[action="/channels/{channel}/test"] button'))
    expect(page.get_by_text("✓ works")).to_have_count(3)
    _looks_well(page)
    assert [shown.title for shown in push.shown] == ["Your code for Tocsin", "[Test] Tocsin can reach you"]
    assert len(mail.mails) == 1
    page.goto(f"{served.url}/readiness/")
    expect(page.get_by_text("and never tried")).to_have_count(1)  # texts, which nobody has tried


def _looks_well(page: Page) -> None:
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert axe.violations(page) == []
