"""A page used by keyboard alone: what Tab does not reach, nobody reaches."""

import pytest
from playwright.sync_api import Page


def to(page: Page, selector: str) -> None:
    """Tab until this has the focus: what cannot be reached by keyboard fails here."""
    wanted = page.locator(selector).first
    for _ in range(60):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} is not reached by Tab on {page.url}")


def enter_on(page: Page, selector: str) -> None:
    """Tab there and press Enter, which leads to another document."""
    to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def typed(page: Page, selector: str, words: str) -> None:
    """Tab there and type."""
    to(page, selector)
    page.keyboard.insert_text(words)
