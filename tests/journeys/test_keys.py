"""The keyboard alone leads anywhere: `/`, `g` and a letter, arrows, the palette; and what the keys do stands in the page itself."""

import pytest
from playwright.sync_api import expect

from incident import clock
from incident.actions import intake
from incident.domain.access import CASE_TEAM
from tests.journeys.browser import opened
from tests.journeys.served import Served

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An installation with one incident; its reference stands beside it."""
    served = Served(tmp_path_factory.mktemp("keys"), *CASE_TEAM)
    with served.app.app_context():
        served.ref = intake.log(
            kind="incident", title="Lost backup tape", facts={}, source="", confidence="", actor="U-1", now=clock.now()
        )
    yield served
    served.server.close()


@pytest.fixture(scope="module")
def window(place):
    with opened() as browser:
        yield place.enter(browser)


@pytest.fixture
def page(place, window):
    made = window.new_page()
    made.goto(f"{place.url}/")
    yield made
    made.close()


def test_a_letter_after_g_leads_to_a_page_and_a_number_to_a_stop_of_the_incident(place, page):
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/incidents/")
    page.goto(f"{place.url}/incidents/{place.ref}")
    page.keyboard.press("g")
    page.keyboard.press("3")
    page.wait_for_url("**/plans/")


def test_the_slash_leads_to_the_search_and_enter_to_what_was_found(place, page):
    page.keyboard.press("/")
    page.keyboard.type("backup")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Lost backup tape")).to_be_visible()


def test_the_palette_offers_what_one_may_do_and_goes_there(place, page):
    page.goto(f"{place.url}/incidents/{place.ref}")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").filter(has_text="Evidence").first).to_be_visible()
    page.keyboard.type("evid")
    expect(page.locator("#offers [aria-selected=true]")).to_contain_text("Evidence")
    page.keyboard.press("Enter")
    page.wait_for_url("**/evidence")


def test_letters_typed_into_a_field_go_nowhere(place, page):
    page.goto(f"{place.url}/incidents/{place.ref}")
    page.get_by_label("Note", exact=True).focus()
    page.keyboard.type("g i ? /")
    expect(page.get_by_label("Note", exact=True)).to_have_value("g i ? /")
    expect(page.locator("#keys")).to_be_hidden()


def test_the_list_of_keys_names_the_links_of_this_page(place, page):
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Incidents")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_arrows_walk_the_rows_of_a_list(place, page):
    page.goto(f"{place.url}/incidents/{place.ref}")
    page.keyboard.press("ArrowDown")
    expect(page.locator("main .entry a:focus")).to_have_count(1)


def test_a_due_time_goes_on_being_counted(place, page):
    page.evaluate(
        """() => { const time = document.createElement("time"); time.className = "due due--soon";
        time.dateTime = new Date(Date.now() + 90 * 60000 + 2000).toISOString(); time.dataset.at = time.dateTime;
        time.textContent = "in 9 h"; document.querySelector("main").append(time); tick(); }"""
    )
    expect(page.locator("time.due").last).to_have_text("in 1 h 30 m")
