"""Writing a notice in a real browser: checked while one types, nothing typed lost; without a script by a button; a lost session."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from incident import clock
from incident.actions import people
from incident.store.db import db
from incident.store.users import Session
from tests.builders import a_notice, a_text, an_incident
from tests.journeys.browser import press
from tests.journeys.served import Served

WORDS = "Write to us at the address below, or call us."


class Writing(Served):
    """A served installation with a notice in two languages to one person, seen by who writes it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "lead", "communications", zone="Europe/Berlin")
        with self.app.app_context():
            incident = an_incident(facts={"aware_at": "2026-03-06T16:00:00Z"})
            given = {"name": "Kim One", "email": "kim@example.org", "place": "DE", "exposed": "email"}
            people.add(incident.ref, given, actor="U-0AUTHOR0", now=clock.now())
            ref = a_notice(incident, texts=(a_text("en"), a_text("de")))
            self.path = f"/incidents/{incident.ref}/notices/{ref}"


@pytest.fixture(scope="module")
def writing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writing]:
    made = Writing(tmp_path_factory.mktemp("writing"))
    yield made
    made.server.close()


def opened_at(writing: Writing, browser: Browser, *, script: bool = True) -> Page:
    page = writing.enter(browser, script=script).new_page()
    page.goto(writing.url + writing.path)
    return page


def test_what_is_missing_is_shown_while_one_types_and_nothing_typed_is_lost(writing: Writing, browser: Browser):
    page = opened_at(writing, browser)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.evaluate("window.untouched = true")
    page.locator("#what_happened").fill("A first sentence.")
    page.locator("#contact").fill("")
    expect(page.locator("#notes-contact")).to_contain_text("Whom to contact is missing")
    expect(page.locator("#before")).to_contain_text("to be mended")
    expect(page.locator("#seen")).to_contain_text("A first sentence.")
    page.locator("#contact").press_sequentially(WORDS)
    expect(page.locator("#notes-contact")).not_to_contain_text("is missing")
    expect(page.locator("#contact")).to_be_focused()
    expect(page.locator("#contact")).to_have_value(WORDS)
    expect(page.locator("#what_happened")).to_have_value("A first sentence.")
    assert page.evaluate("window.untouched"), "the page was not loaded anew"
    assert wrong == []


def test_without_a_script_a_button_checks_and_keeps_what_was_typed_in_its_field(writing: Writing, browser: Browser):
    page = opened_at(writing, browser, script=False)
    page.locator("#contact").fill("")
    page.locator("#subject").fill("Another subject")
    press(page.get_by_role("button", name="Check", exact=True))
    expect(page.locator("#weighed")).to_be_visible()
    expect(page.locator("#notes-contact")).to_contain_text("Whom to contact is missing")
    expect(page.locator("#subject")).to_have_value("Another subject")
    page.goto(writing.url + writing.path)
    expect(page.locator("#subject")).to_have_value("Notice of data breach")


def test_a_session_that_ends_while_somebody_writes_costs_no_word(writing: Writing, browser: Browser):
    page = opened_at(writing, browser, script=False)
    page.locator("#contact").fill(WORDS)
    with writing.app.app_context():
        over = clock.now() - timedelta(minutes=1)
        db.session.execute(update(Session).values(expires_at=over))
        db.session.commit()
    press(page.get_by_role("button", name="Save", exact=True))
    expect(page.locator("main")).to_contain_text("What you typed is kept")
    where = page.url.split("next=")[1]
    with writing.app.app_context():
        db.session.execute(update(Session).values(expires_at=clock.now() + timedelta(hours=1)))
        db.session.commit()
    page = writing.enter(browser, script=False).new_page()
    page.goto(writing.url + where)
    expect(page.locator("main")).to_contain_text(WORDS)
    press(page.get_by_role("button", name="Send it again"))
    expect(page.locator("#contact")).to_have_value(WORDS)
