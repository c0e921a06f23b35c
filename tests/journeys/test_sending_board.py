"""The board of a sending in a real browser: it keeps itself fresh, its picture leads to lists, and all of it works without script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.served import Served
from tests.large_sendings import a_large_sending


class Sent(Served):
    """An installation with one sending to three thousand people, seen by its lead."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "lead", "privacy", "communications")
        with self.app.app_context():
            story = a_large_sending(3_000)
            self.base = f"{self.url}/incidents/{story.incident.ref}/sending/"
            self.board = self.base + story.dispatch


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    made = Sent(tmp_path_factory.mktemp("sending"))
    yield made
    made.server.close()


def test_the_board_refreshes_in_place_and_leaves_folds_as_they_are(served: Sent, browser: Browser):
    page, wrong = served.enter(browser).new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(served.board)
    page.locator("#bar-email-all > summary").click()
    page.evaluate("document.activeElement.blur()")
    row = page.locator(".bar-row").first.element_handle()
    page.wait_for_function("row => !row.isConnected", arg=row)
    assert page.locator("#bar-email-all").evaluate("fold => fold.open") is False
    assert wrong == []


def test_a_band_of_the_picture_opens_the_list_of_those_who_went_that_way(served: Sent, browser: Browser):
    page = served.enter(browser).new_page()
    page.goto(served.board)
    count = page.locator("td a[href*='came_from=email']").first.inner_text()
    page.locator(".flow--wide a[href*='came_from=email']").first.click()
    expect(page.locator("h1")).to_have_text(f"{count} went on")


def test_two_in_doubt_are_settled_without_any_script(served: Sent, browser: Browser):
    page = served.enter(browser, script=False, width=390).new_page()
    page.goto(f"{served.base}desk/in_doubt")
    before = int(page.locator("h1").inner_text().split()[0])
    for box in page.locator("input[name=attempt]").all()[:2]:
        box.check()
    page.locator("input[name=verdict][value=sent]").check()
    page.fill("#reason", "Both are in the provider's log.")
    page.fill("#typed", "2")
    page.get_by_role("button", name="Settle them").click()
    expect(page.locator(".said").first).to_contain_text("2 settled")
    expect(page.locator("h1")).to_have_text(f"{before - 2} in doubt")


@pytest.mark.parametrize("path", ["", "/people", "/people?state=bounced", "/waits", "desk/in_doubt", "desk/unreached"])
def test_nothing_scrolls_sideways_on_a_telephone(served: Sent, browser: Browser, path: str):
    page = served.enter(browser, width=390).new_page()
    page.goto(served.base + path if path.startswith("desk") else served.board + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 391
