"""The board in a real browser: answered in place, taken back, filtered and walked by keys; and the same without any script."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from waitress.server import create_server

from incident import clock, start
from incident.settings import Settings
from tests.builders import a_session, a_user, an_incident
from tests.journeys.browser import opened
from tests.journeys.installation import free_port

STATES = ("TX", "NY", "FL", "OH", "WA", "GA")


class Desk:
    """A served installation with one incident, and the cookie of its lead."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.app = start.prepare(Settings(instance=folder, port=port, test_mode=True))
        with self.app.app_context():
            user = a_user("lead", "privacy", "responder", zone="Europe/Berlin")
            cookie = {"sid": a_session(user), "seen": int(clock.now().timestamp())}
            aware = (clock.now() - timedelta(hours=50)).isoformat()
            places = {"DE": 500, **{f"US-{state}": 900 for state in STATES}}
            known = {"personal_data": True, "residents": places, "role": "controller", "aware_at": aware}
            self.path = f"/incidents/{an_incident(facts={**known, 'data_kinds': ['name', 'ssn']}).ref}/duties/"
        with self.app.test_request_context():
            signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
            self.signed = signer.dumps(cookie)
        self.server = create_server(self.app, host="127.0.0.1", port=port)
        threading.Thread(target=self.server.run, daemon=True).start()

    def enter(self, browser: Browser, *, script: bool = True, width: int = 1440) -> BrowserContext:
        """A window of the lead."""
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script)
        name = self.app.config["SESSION_COOKIE_NAME"]
        context.add_cookies([{"name": name, "value": self.signed, "domain": "127.0.0.1", "path": "/"}])
        context.set_default_timeout(15_000)
        return context


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("board"))
    yield made
    made.server.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened() as found:
        yield found


def answer(page: Page, key: str, value: str) -> None:
    """Answer a question where it stands: choose, and press its button."""
    page.locator(f"#q-{key}").evaluate("fold => { fold.open = true }")
    field = page.locator(f"#form-{key} select[name={key}]")
    if field.count():
        field.select_option(value)
        page.locator(f"#form-{key} button", has_text="Record").click()
    else:
        page.locator(f"#form-{key} button[value={value}]").click()


def test_an_answer_changes_the_board_in_place_and_undo_takes_it_back(desk: Desk, browser: Browser):
    page = desk.enter(browser).new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(f"{desk.url}{desk.path}questions")
    page.evaluate("window.untouched = true")
    answer(page, "risk_to_people", "high")
    expect(page.locator(".answered")).to_contain_text("A high risk")
    assert page.evaluate("window.untouched"), "the page was not loaded anew"
    page.goto(f"{desk.url}{desk.path}?law=EU-GDPR")
    expect(page.locator("[data-arrows]")).to_contain_text("Report to the supervisory authority")
    page.goto(f"{desk.url}{desk.path}questions?answered=risk_to_people")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".said").first).to_contain_text("became open")
    assert wrong == []


def test_filters_keys_and_folds_work_where_the_reader_is(desk: Desk, browser: Browser):
    page = desk.enter(browser).new_page()
    page.goto(f"{desk.url}{desk.path}?only=all")
    page.locator("#q").type("texas")
    expect(page.locator("[data-row]").first).to_contain_text("Texas")
    expect(page.locator("#q")).to_be_focused()
    assert "q=texas" in page.url
    page.locator("[data-step]").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.hasAttribute('data-step')")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-row] details[open]").first).to_contain_text("What could lift it")


def test_typed_text_of_another_question_survives_an_answer(desk: Desk, browser: Browser):
    page = desk.enter(browser).new_page()
    page.goto(f"{desk.url}{desk.path}questions")
    page.locator("#q-entity").evaluate("fold => { fold.open = true }")
    page.locator("#form-entity [name=entity]").nth(1).check()
    answer(page, "risk_to_people", "risk")
    expect(page.locator(".answered")).to_contain_text("A risk")
    expect(page.locator("#form-entity [name=entity]").nth(1)).to_be_checked()


def test_everything_works_without_script(desk: Desk, browser: Browser):
    page = desk.enter(browser, script=False).new_page()
    page.goto(f"{desk.url}{desk.path}?only=all&q=texas")
    expect(page.locator("[data-row]").first).to_contain_text("Texas")
    page.goto(f"{desk.url}{desk.path}questions")
    field = page.locator("#form-significant_incident")
    if not field.is_visible():
        page.locator("#q-significant_incident > summary").click()
    field.locator("button[value=no]").click()
    expect(page.locator(".answered")).to_contain_text("no")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".said").first).to_contain_text("Recorded")


@pytest.mark.parametrize("path", ["", "questions", "what-if/", "?only=all", "?only=open"])
def test_nothing_scrolls_sideways_on_a_telephone(desk: Desk, browser: Browser, path: str):
    page = desk.enter(browser, width=390).new_page()
    for address in (f"{desk.path}{path}", "/laws/", "/laws/EU-GDPR", "/laws/updates/", "/duties/"):
        page.goto(f"{desk.url}{address}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 391, address
