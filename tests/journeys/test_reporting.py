"""A stranger reports a leak by keyboard alone, in both languages, reads our answer by the code and writes back; then without scripts."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from incident import clock
from incident.actions import tip_triage
from incident.domain import tip_words
from incident.domain import tips as rules
from incident.domain.access import Role
from incident.store import tips as rows
from incident.store import users
from incident.store.db import db
from tests.journeys import axe
from tests.journeys.browser import Window, opened, press
from tests.journeys.keyboard import enter_on, typed
from tests.journeys.served import Served

pytestmark = pytest.mark.journey
LIGHT = 60_000
SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    found = Served(tmp_path_factory.mktemp("reporting"), Role.LEAD)
    yield found
    found.server.close()


@pytest.fixture(scope="module")
def browser():
    with opened() as found:
        yield found


def looked_at(page: Page, name: str) -> None:
    """Nothing scrolls sideways, axe finds nothing; a picture, where somebody wants to look."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), name
    assert axe.violations(page) == [], name
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh-Hans", 390)])
def test_by_keyboard_alone(served: Served, browser: Browser, language: str, width: int):
    words = tip_words.words(language)
    stranger = Window(browser, served.url, width=width)
    weights: dict[str, int] = {}
    stranger.page.on("response", lambda got: weights.update({got.url: len(got.body())}) if got.status == 200 else None)
    page = stranger.go(f"/report/{language}")
    expect(page.locator("h1")).to_have_text(words["title"])
    looked_at(page, f"report-start-{language}")
    enter_on(page, f'a[href="/report/{language}/leak"]')
    typed(page, "#where", "https://paste.example/1")
    typed(page, "#what", "客户名单 / customer list")
    looked_at(page, f"report-form-{language}")
    enter_on(page, "form button")
    code = page.locator("#code").inner_text()
    assert re.fullmatch(r"[0-9A-Z]{5}(-[0-9A-Z]{5}){4}", code)
    looked_at(page, f"report-sent-{language}")
    answer(served, "Which folder?")
    enter_on(page, f'a[href="/report/{language}/follow-up"]')
    typed(page, "#entered", code.lower())
    enter_on(page, "form button")
    expect(page.get_by_text("Which folder?")).to_be_visible()
    assert code not in page.content()
    typed(page, "#text", "The one of today")
    enter_on(page, 'form[action$="/add"] button')
    expect(page.get_by_text("The one of today")).to_be_visible()
    looked_at(page, f"report-mine-{language}")
    enter_on(page, 'form[action$="/close"] button')
    expect(page.get_by_text(words["follow_closed"])).to_be_visible()
    assert "Which folder?" not in page.content()
    assert stranger.wrong == []
    assert sum(weights.values()) < LIGHT * 3, "all pages of the way together, with what they load"
    assert max(weights.values()) < LIGHT
    stranger.context.close()


def answer(served: Served, words: str) -> None:
    """Somebody of the team answers the newest report."""
    with served.app.app_context():
        [person] = users.every()
        [tip] = rows.page(db.select(rows.Tip), before=None, limit=1)
        tip_triage.answer(tip.ref, words, settle=False, actor=person.ref, now=clock.now())
        db.session.remove()


def test_without_scripts_a_form_that_is_sent_too_soon_waits_and_loses_nothing(served: Served, browser: Browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served.url}/report/en/other")
    page.fill("#what", "Written without a script")
    with page.expect_navigation():
        page.click("form button")
    expect(page.get_by_role("alert")).to_contain_text("more seconds")
    expect(page.locator("#what")).to_have_value("Written without a script")
    context.close()


def test_a_file_that_is_too_large_is_refused_before_it_takes_what_was_written_with_it(served, browser, tmp_path):
    large, empty = tmp_path / "large.bin", tmp_path / "😀 פתק.txt"
    large.write_bytes(b"x" * (rules.LARGEST_FILE + 1))
    empty.write_bytes(b"")
    stranger = Window(browser, served.url, width=320)
    page = stranger.go("/report/de/leak")
    page.fill("#what", "Hilfe 😱 " * 300)
    page.set_input_files("#files", large)
    page.locator("form button").click()
    assert page.locator("#files").evaluate("one => one.validationMessage") == tip_words.words("de")["errors"]["files"]
    assert page.locator("#what").input_value().startswith("Hilfe 😱")
    assert stranger.fits()
    page.set_input_files("#files", empty)
    press(page.locator("form button"), twice=True)
    code = page.locator("code").inner_text()
    for language in ("de", "ja"):
        page = stranger.go(f"/report/{language}/follow-up")
        if page.locator("[name=code]").count():
            page.fill("[name=code]", f" {code.lower()} ")
            press(page.locator("form button").first)
        expect(page.locator("main")).to_contain_text("Hilfe 😱")
        expect(page.locator("main")).to_contain_text("😀 פתק.txt")
    assert stranger.wrong == []


def test_a_colleague_makes_an_incident_of_it(served: Served, browser: Browser):
    stranger = Window(browser, served.url)
    page = stranger.go("/report/en/supplier")
    page.fill("#company", "Example Hosting")
    page.fill("#what", "Our backup server was open")
    page.fill("#noticed_at", "2026-03-05 09:00")
    with page.expect_navigation():
        page.click("form button")
    context = served.enter(browser)
    desk = context.new_page()
    desk.goto(f"{served.url}/reported/")
    expect(desk.locator("h1")).to_have_text("Reported to us")
    looked_at(desk, "desk-list")
    with desk.expect_navigation():
        desk.get_by_role("link", name=re.compile("TIP-")).first.click()
    expect(desk.get_by_text("Our backup server was open")).to_be_visible()
    looked_at(desk, "desk-report")
    desk.fill("#title", "Backup of a supplier open")
    with desk.expect_navigation():
        desk.get_by_role("button", name="Open it").click()
    expect(desk.locator("h1")).to_contain_text("Backup of a supplier open")
    assert stranger.wrong == []
    context.close()
    stranger.context.close()
