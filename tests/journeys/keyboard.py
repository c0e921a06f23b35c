"""A page used by keyboard alone: what Tab does not reach, nobody reaches."""

import pytest
from playwright.sync_api import Page

MOST_STOPS = 150
"""How often somebody presses Tab on one page, at the very most."""


def to(page: Page, selector: str) -> None:
    """Tab until this has the focus: what cannot be reached by keyboard fails here."""
    wanted = page.locator(selector).first
    for _ in range(MOST_STOPS):
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


def chosen(page: Page, selector: str) -> None:
    """Tab to a box or a button of a choice and press Space, unless it is on already."""
    to(page, selector)
    if not page.locator(selector).first.is_checked():
        page.keyboard.press("Space")
    assert page.locator(selector).first.is_checked(), f"Space does not choose {selector}"


def unfolded(page: Page, selector: str) -> None:
    """Tab to the summary of a fold and open it, unless it is open."""
    to(page, selector)
    if not page.locator(selector).first.evaluate("one => one.parentElement.open"):
        page.keyboard.press("Enter")


def brought(page: Page, selector: str, name: str, content: str) -> None:
    """Tab to a field for a file, and give it that file; the dialogue that Space opens there is the system's own."""
    to(page, selector)
    page.locator(selector).first.set_input_files({"name": name, "mimeType": "text/csv", "buffer": content.encode()})


def picked(page: Page, selector: str, value: str) -> None:
    """Tab to a list of choices and go down it until that one is chosen."""
    to(page, selector)
    box = page.locator(selector).first
    page.keyboard.press("Home")
    for _ in range(box.locator("option").count()):
        if box.input_value() == value:
            return
        page.keyboard.press("ArrowDown")
    pytest.fail(f"{value} is not among the choices of {selector}")


def picked_of(page: Page, name: str, value: str) -> None:
    """Tab to the buttons of a choice, one of which can be on, and go along them by the arrows until that one is."""
    wanted = page.locator(f"[name={name}][value='{value}']")
    for _ in range(MOST_STOPS):
        if page.evaluate("name => document.activeElement.name === name", name):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(page.locator(f"[name={name}]").count()):
        if wanted.is_checked():
            return
        page.keyboard.press("ArrowDown")
    pytest.fail(f"{value} is not reached among the choices of {name} on {page.url}")
