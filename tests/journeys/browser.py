"""A real Chromium, one window a person, with what goes wrong in it collected."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 15_000
"""How long a page may take on a busy machine before a test gives up, in milliseconds."""

expect.set_options(timeout=PATIENCE)


def chromium() -> str:
    """The path of the browser. Raises RuntimeError with what to do when there is none."""
    for name in (os.environ.get("TOCSIN_TEST_BROWSER", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    raise RuntimeError("The browser tests need Chromium; `make test` installs it on Debian.")


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser as long as the block lasts."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


def press(what: Locator, *, twice: bool = False) -> None:
    """Click what leads to another document, and wait until that one is there.

    A click by itself returns before the next document comes, so what is read right after it may still be
    the old one. Not for forms that change the page in place: wait for their words with `expect`.
    """
    with what.page.expect_navigation():
        what.dblclick() if twice else what.click()


class Window:
    """One person's browser: its page, and every error and foreign request it saw."""

    def __init__(self, browser: Browser, url: str, *, width: int = 1440) -> None:
        self.url = url
        self.wrong: list[str] = []
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": 900}, accept_downloads=True, timezone_id="Europe/Berlin", locale="en-GB"
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on(
            "console",
            lambda said: (
                self.wrong.append(said.text) if said.type == "error" and "status of 4" not in said.text else None
            ),
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on(
            "response",
            lambda answer: self.wrong.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None,
        )
        self.page.on(
            "request",
            lambda asked: (
                self.wrong.append(f"foreign: {asked.url}") if not asked.url.startswith((url, "data:")) else None
            ),
        )

    def go(self, path: str) -> Page:
        """Open an address of the installation."""
        self.page.goto(self.url + path if path.startswith("/") else path)
        return self.page

    def fits(self) -> bool:
        """Whether nothing scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"))
