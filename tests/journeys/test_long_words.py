"""Words without a blank, as in a path, a hash or Chinese prose: pages break them, and nothing scrolls sideways on a telephone."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from incident import clock
from incident.actions import members
from incident.domain.access import CASE_TEAM, Role
from incident.store import users
from tests import crawler
from tests.full_house import a_full_house
from tests.journeys.served import Served

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

PAGES = ("grades.index", "grades.edit", "incidents.evidence", "incidents.show", "members.index", "plans.index")
"""Where people write prose that others read."""
ENDS = ("restrict", "open_up", "close", "remove", "leave")
WORDS = ("W" * 200, "漢" * 200, "مرحبا" * 40, "https://example.org/" + "a/b" * 60)
TELEPHONE = 320  # pixels


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    found = Served(tmp_path_factory.mktemp("long"), *CASE_TEAM, Role.ADMINISTRATOR)
    found.app.config["WTF_CSRF_ENABLED"] = False
    yield found
    found.server.close()


def written(here: Served, folder) -> dict[str, str]:
    """The address of each of the pages, after a long word was sent by every form on them."""
    with here.app.app_context():
        [person] = users.every()
        house = a_full_house(folder / "files")
        members.add(house.incident.ref, person.ref, actor=house.actor, now=clock.now())
        found = {name: address for name, address in crawler.addresses(here.app, house) if name in PAGES}
    browser = here.app.test_client()
    browser.set_cookie(here.app.config["SESSION_COOKIE_NAME"], here.signed)
    pages = [page for page, _ in crawler.pages(browser, found.values())]
    taken = 0
    for number, form in enumerate(crawler.forms(here.app, pages).values()):
        typed = {one.name: WORDS[number % len(WORDS)] for one in form.texts if one.kind in {"", "text", "textarea"}}
        if typed and not urlsplit(form.action).path.endswith(ENDS):
            taken += crawler.sent(browser, form, typed).status_code == 302
    assert taken >= 5
    return found


def test_a_word_without_a_blank_makes_no_page_scroll_sideways(here: Served, browser: Browser, tmp_path):
    found = written(here, tmp_path)
    page = here.enter(browser, width=TELEPHONE).new_page()
    wide = {}
    for name, address in found.items():
        page.goto(here.url + address)
        wide[name] = page.evaluate("document.documentElement.scrollWidth")
    assert len(wide) == len(PAGES)
    assert {name: width for name, width in wide.items() if width > TELEPHONE + 1} == {}
