"""A newcomer's way from the first start to an approved notice in the sandbox, counted in clicks; no setting is made, no page of docs read.

A click is a press of a link or button, a choice in a list, or a link opened that was printed or handed over. Typing is free.
"""

import re
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.browser import Window, opened, press
from tests.journeys.installation import Installation

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

PASSWORD = "seven quiet lanterns beside a river"
MOST = 25
"""Beyond so many, somebody who only wants to see how it goes has given up."""
PROMPT = re.compile(r"\[…[^\]]*\]")
UNKNOWN = re.compile(r"\{\{ fact\.\w+ \}\}")
"""What nobody knows yet in a drill that has just begun: it is written out by hand."""


class Hand:
    """Counts what it presses."""

    def __init__(self) -> None:
        self.clicks = 0

    def press(self, what: Locator) -> None:
        self.clicks += 1
        press(what)

    def open(self, window: Window, link: str) -> None:
        self.clicks += 1
        window.go(link)


def test_a_newcomer_needs_at_most_25_clicks_to_the_first_approved_notice(tmp_path: Path):
    with Installation(tmp_path / "instance") as here, opened() as browser:
        hand = Hand()
        first, second = Window(browser, here.url), Window(browser, here.url, width=390)
        _begin(hand, first, here.setup_link(), email="first@example.org")
        _begin(hand, second, _invited(hand, first))
        _drill(hand, first)
        _write(hand, first)
        _approve(hand, second, "223")
        assert hand.clicks <= MOST
        assert first.wrong == second.wrong == []


def _begin(hand: Hand, window: Window, link: str, *, email: str = "") -> None:
    hand.open(window, link)
    page = window.page
    expect(page.get_by_label("Your time zone")).to_have_value("Europe/Berlin")
    if email:
        page.get_by_label("Mail address").fill(email)
    page.get_by_label("Your name").fill("Sample Person")
    page.get_by_label("Password").fill(PASSWORD)
    hand.press(page.get_by_role("button", name="Make my account"))
    key = re.sub(r"\s", "", page.locator(".mono").first.inner_text())
    page.get_by_label("Code").fill(pyotp.TOTP(key).now())
    hand.press(page.get_by_role("button", name="Use this generator"))
    hand.press(page.get_by_role("link", name="I have kept them"))
    expect(page.get_by_role("heading", name="No incident is open")).to_be_visible()
    assert window.fits()


def _invited(hand: Hand, first: Window) -> str:
    page = first.page
    hand.press(page.get_by_role("link", name="Invite an approver"))
    expect(page.get_by_label("approver: gives the second yes")).to_be_checked()
    page.get_by_label("Mail address").fill("second@example.org")
    hand.press(page.get_by_role("button", name="Make a link"))
    link = re.search(r"http://\S+/welcome/[A-Za-z0-9_-]+", page.locator("main").inner_text())
    assert link, "the link is shown once"
    return link[0]


def _drill(hand: Hand, first: Window) -> None:
    """Begin a drill, and come to its notices once its people are there."""
    page = first.page
    hand.press(page.get_by_role("link", name="Desk", exact=True))
    expect(page.get_by_text("✓ done")).to_be_visible()
    hand.press(page.get_by_role("link", name="Hold a drill"))
    hand.press(page.get_by_role("link", name=re.compile("customer database", re.IGNORECASE)))
    hand.press(page.get_by_role("button", name="Begin"))
    people = page.locator(".rail").get_by_role("link", name=re.compile("People"))
    for _ in range(60):  # a worker takes them in meanwhile
        if re.search("[0-9]", people.inner_text()):
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(people).to_contain_text(re.compile("[0-9]"))
    hand.press(page.locator(".rail").get_by_role("link", name=re.compile("Notices")))
    hand.press(page.get_by_role("link", name="Write a notice").first)


def _write(hand: Hand, first: Window) -> None:
    page = first.page
    page.get_by_label("Title for your team").fill("To account holders")
    hand.press(page.get_by_role("button", name="Begin"))
    for box in page.locator("#compose textarea:visible, #subject").all():
        plain = UNKNOWN.sub("Monday", PROMPT.sub("We closed the way in.", box.input_value()))
        if plain != box.input_value():
            box.fill(plain)
    hand.press(page.get_by_role("button", name="Submit for approval"))
    expect(page.locator("main")).to_contain_text("is submitted. Somebody else has to approve it.")
    assert first.fits()


def _approve(hand: Hand, second: Window, people: str) -> None:
    page = second.page
    hand.press(page.get_by_role("link", name="Tocsin", exact=True))
    hand.press(page.get_by_role("link", name=re.compile("To account holders")).first)
    page.get_by_label("Type the number of people").fill(people)
    hand.press(page.get_by_role("button", name="Approve", exact=True))
    expect(page.get_by_role("status")).to_contain_text("Approved.")
    assert second.fits()
