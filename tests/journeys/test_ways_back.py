"""What a real browser says of the page before: by it an error leads back, and what was typed too late is kept. Nobody else learns it."""

import pytest
from playwright.sync_api import Browser, expect

from incident.domain.access import Role
from tests.journeys.browser import press
from tests.journeys.served import Served

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    found = Served(tmp_path_factory.mktemp("back"), Role.LEAD, Role.RESPONDER)
    yield found
    found.server.close()


def test_what_was_typed_under_an_older_sign_in_is_kept(here: Served, browser: Browser):
    page = here.enter(browser).new_page()
    page.goto(f"{here.url}/vulnerabilities/new")
    page.get_by_label("Short title").fill("Old library in the shop")
    page.evaluate("document.querySelector('main [name=csrf_token]').value = 'of another session'")
    press(page.get_by_role("button", name="Keep it"))
    expect(page.get_by_role("heading", name="What you typed when your session ended")).to_be_visible()
    expect(page.get_by_text("Old library in the shop").first).to_be_visible()


def test_an_error_leads_back_to_the_page_before(here: Served, browser: Browser):
    page = here.enter(browser).new_page()
    page.goto(f"{here.url}/drills/")
    with page.expect_navigation():
        page.evaluate("location.assign('/incidents/INC-2026-9999')")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    press(page.get_by_role("link", name="Back to the page before"))
    expect(page).to_have_url(f"{here.url}/drills/")


def test_a_stranger_at_a_wrong_address_is_led_to_the_check_of_messages(here: Served, browser: Browser):
    page = browser.new_page()
    page.goto(f"{here.url}/chekc")
    expect(page.get_by_role("link", name="To the desk")).to_have_count(0)
    press(page.get_by_role("link", name="See whether it is from us"))
    expect(page.get_by_role("heading", name="Is a message from us?")).to_be_visible()
