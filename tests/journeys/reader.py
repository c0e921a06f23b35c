"""Somebody of the team at a screen: signed in, in one language, at one width, by day or by night."""

import os
from pathlib import Path

from playwright.sync_api import Browser, Page

from incident.domain.access import Role
from incident.web.languages import catalogue
from tests.journeys import axe
from tests.journeys.browser import PATIENCE
from tests.journeys.served import Served

SHOTS = os.environ.get("SHOTS", "")


class Reader:
    """Somebody who leads, unless other roles are named; what goes wrong in their window is collected."""

    def __init__(
        self, here: Served, browser: Browser, language: str = "en", width: int = 1440, look: str = "light", *roles: Role
    ) -> None:
        self.here, self.browser, self.language, self.name = here, browser, language, f"{language}-{width}-{look}"
        signed = here.sign_in(*(roles or (Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS)), language=language)
        self.page: Page = here.enter(browser, width=width, signed=signed, color_scheme=look).new_page()
        self.page.set_default_timeout(PATIENCE)
        self.wrong: list[str] = []
        self.page.on(
            "request",
            lambda asked: self.wrong.append(asked.url) if not asked.url.startswith((here.url, "data:")) else None,
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def go(self, path: str) -> Page:
        """Open an address."""
        self.page.goto(self.here.url + path)
        return self.page

    def said(self, english: str) -> str:
        """A text of the interface as this person reads it."""
        return english if self.language == "en" else catalogue(self.language).text(english)

    def looks(self, name: str) -> None:
        """In their language, nothing scrolls sideways, axe finds nothing; a picture, where somebody wants to look."""
        assert self.page.locator("html").get_attribute("lang") == self.language
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), name
        if SHOTS:
            self.page.screenshot(path=str(Path(SHOTS) / f"{name}-{self.name}.png"), full_page=True)
        assert axe.violations(self.page) == [], name
