"""The board in a real browser: answered in place, taken back, filtered and walked by keys; and the same without any script."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from incident import clock
from tests.builders import an_incident
from tests.journeys.served import Served

STATES = ("TX", "NY", "FL", "OH", "WA", "GA")


class Desk(Served):
    """A served installation with one incident, seen by its lead."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "lead", "privacy", "responder", zone="Europe/Berlin")
        with self.app.app_context():
            aware = (clock.now() - timedelta(hours=50)).isoformat()
            places = {"DE": 500, **{f"US-{state}": 900 for state in STATES}}
            known = {"personal_data": True, "residents": places, "role": "controller", "aware_at": aware}
            self.path = f"/incidents/{an_incident(facts={**known, 'data_kinds': ['name', 'ssn']}).ref}/duties/"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("board"))
    yield made
    made.server.close()


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
