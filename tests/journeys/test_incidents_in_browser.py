"""The pages that a lead has open all day, in a real browser: grades, the record, the desks of a sending; at every width."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from incident import clock
from incident.domain import severity
from tests.builders import an_incident
from tests.journeys import axe, keyboard
from tests.journeys.served import Served

FACTS = {
    "personal_data": True,
    "role": "controller",
    "establishments": ["DE"],
    "residents": {"DE": 500, "US-TX": 900},
    "data_kinds": ["name", "email"],
    "risk_to_people": "high",
}
CUT = """() => [...document.querySelectorAll("main select")].flatMap((box) => {
  const style = getComputedStyle(box), pen = document.createElement("canvas").getContext("2d");
  pen.font = style.font;
  const room = box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return [...box.options].filter((one) => pen.measureText(one.text).width > room).map((one) => `${box.name}: ${one.text}`);
})"""
"""The options of the page that have no room in their box."""


class Desk(Served):
    """A served installation with one incident, seen by its lead."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "lead", "privacy", "responder", zone="Europe/Berlin")
        with self.app.app_context():
            aware = (clock.now() - timedelta(hours=70)).strftime("%Y-%m-%dT%H:%M:%SZ")
            self.incident = f"/incidents/{an_incident(facts=FACTS | {'aware_at': aware}).ref}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("incidents"))
    yield made
    made.server.close()


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_no_option_of_a_grade_is_cut_off(desk: Desk, browser: Browser, language: str):
    page = desk.enter(browser, signed=desk.sign_in("lead", language=language)).new_page()
    page.goto(f"{desk.url}{desk.incident}/grades/people/edit")
    assert page.locator("main select").count() == len(severity.CAPTIONS)
    if language != "en":
        assert not re.search("[A-Za-z]", " ".join(page.locator("main option").all_text_contents()))
    for width in (320, 390, 768, 1024, 1440, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(CUT) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_no_option_above_the_list_of_incidents_is_cut_off(desk: Desk, browser: Browser, language: str):
    page = desk.enter(browser, signed=desk.sign_in("lead", language=language)).new_page()
    page.goto(f"{desk.url}/incidents/")
    for width in (320, 390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(CUT) == [], width


def test_the_record_shows_the_usual_act_and_folds_the_others_within_reach_of_the_keyboard(desk: Desk, browser: Browser):
    page = desk.enter(browser).new_page()
    page.goto(f"{desk.url}{desk.incident}/record/")
    expect(page.locator("aside .btn:visible")).to_have_text(["Check the record"])
    keyboard.unfolded(page, "aside .fold--acts:last-of-type > summary")
    expect(page.get_by_role("button", name="Download everything about this incident")).to_be_visible()
    keyboard.to(page, "aside a[href$='/record/key']")


def test_the_menus_of_the_record_open_without_script(desk: Desk, browser: Browser):
    page = desk.enter(browser, script=False).new_page()
    page.goto(f"{desk.url}{desk.incident}/record/")
    page.locator("aside summary", has_text="Take it away").click()
    with page.expect_download() as found:
        page.get_by_role("button", name="Download everything about this incident").click()
    assert found.value.suggested_filename.endswith(".zip")


def test_the_palette_finds_what_is_folded_and_opens_its_menu(desk: Desk, browser: Browser):
    page = desk.enter(browser).new_page()
    page.goto(f"{desk.url}{desk.incident}/record/")
    page.keyboard.press("Control+k")
    page.locator("#wanted").fill("download everything")
    expect(page.locator("#offers li").first).to_contain_text("Download everything about this incident")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Download everything about this incident")).to_be_focused()


def test_far_duties_of_all_incidents_unfold_by_arrows(desk: Desk, browser: Browser):
    page = desk.enter(browser).new_page()
    page.goto(f"{desk.url}/duties/")
    duty = page.locator("#timeless [data-step]").first
    expect(duty).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#day [data-step]").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#timeless > summary")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(duty).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_duties_of_all_incidents_are_whole_on_a_narrow_telephone(desk: Desk, browser: Browser, script: bool):
    page = desk.enter(browser, script=script, width=320).new_page()
    page.goto(f"{desk.url}/duties/")
    expect(page.locator("#day .due--soon").first).to_be_in_viewport()
    page.locator("#timeless > summary").click()
    expect(page.locator("#timeless [data-step]").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_arrows_walk_the_lines_of_the_record_too(desk: Desk, browser: Browser):
    page = desk.enter(browser).new_page()
    page.goto(f"{desk.url}{desk.incident}/record/")
    page.keyboard.press("ArrowDown")
    expect(page.locator("main .entry summary").first).to_be_focused()


@pytest.mark.parametrize(("language", "width", "look"), [("en", 1440, "dark"), ("zh-Hans", 390, "light")])
def test_axe_finds_nothing_on_these_pages(desk: Desk, browser: Browser, language: str, width: int, look: str):
    signed = desk.sign_in("lead", "privacy", language=language)
    page = desk.enter(browser, signed=signed, width=width, color_scheme=look).new_page()
    for address in ("/incidents/?order=due", "/duties/", desk.incident, f"{desk.incident}/record/"):
        page.goto(f"{desk.url}{address}")
        page.evaluate("for (const fold of document.querySelectorAll('main details')) fold.open = true")
        assert axe.violations(page) == [], address


def test_on_a_telephone_the_act_stands_beside_the_due_time_and_no_list_scrolls_in_itself(desk: Desk, browser: Browser):
    page = desk.enter(browser, width=390).new_page()
    page.goto(f"{desk.url}{desk.incident}/duties/?only=open")
    row = page.locator("main .entry[data-row]:not(details)").first
    due, act = row.locator(".due").first.bounding_box(), row.locator("> .btn").bounding_box()
    assert due
    assert act
    assert act["y"] < due["y"] + due["height"]
    assert row.locator(".duty").bounding_box()["width"] > 300
    assert page.evaluate("(one => one.scrollHeight <= one.clientHeight)(document.querySelector('.dutyplot__days'))")
