"""A drill in a real Chromium: begun in three clicks, things come in, people decide, tell in the sandbox, end it, read how it went."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from incident import work
from incident.domain.access import Role
from incident.domain.lawbook import elements
from incident.domain.notices import SECTIONS
from incident.store import incidents
from tests.builders import a_notice, a_text
from tests.journeys.browser import opened, press
from tests.journeys.served import Served

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

COVERED = [word for word in elements() if word not in SECTIONS]
EVERYTHING = [role for role in Role if role not in (Role.AUDITOR, Role.APPROVER)]


def test_a_drill_from_beginning_to_end(tmp_path: Path):
    here = Served(tmp_path, *EVERYTHING)
    with opened() as browser:
        page = here.enter(browser).new_page()
        page.goto(here.url)
        ref = _begin(page)
        _throw_in(page)
        _work(here)
        _answer(page, ref)
        _decide(page, ref)
        _tell(here, page, ref)
        _end(page, ref)
        narrow = here.enter(browser, script=False, width=390).new_page()
        narrow.goto(f"{here.url}/incidents/{ref}/drill/report")
        expect(narrow.get_by_role("heading", name="How it went", level=1)).to_be_visible()
        assert narrow.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def _begin(page: Page) -> str:
    """Three clicks: Drills, a scenario, begin."""
    press(page.get_by_role("link", name="Drills", exact=True).first)
    press(page.get_by_role("link", name="Choose: A laptop left on a train"))
    press(page.get_by_role("button", name="Begin the drill"))
    expect(page.get_by_role("heading", name="Facilitate this drill")).to_be_visible()
    expect(page.locator(".mode")).to_contain_text("Drill")
    return page.url.split("/")[4]


def _throw_in(page: Page) -> None:
    """One of the facilitator's own, for at once; and one of the scenario's by a click."""
    page.get_by_label("From whom?").fill("The board")
    page.get_by_label("In one line").fill("How bad is it?")
    page.get_by_label("In their words").fill("We meet in an hour.")
    page.get_by_label("In how many minutes of the drill?").fill("0")
    press(page.get_by_role("button", name="Keep it"))
    expect(page.get_by_text("Kept. It comes in at its minute")).to_be_visible()
    entry = page.locator(".entry", has_text="The disk was not encrypted")
    press(entry.get_by_role("button", name="Let it in now"))
    expect(page.locator(".entry", has_text="The disk was not encrypted").get_by_text("came in")).to_be_visible()


def _work(here: Served) -> None:
    """What the scheduler does: the list is taken in, and what is due comes in."""
    with here.app.app_context():
        work.once()


def _answer(page: Page, ref: str) -> None:
    press(page.get_by_role("link", name="As the players see it"))
    entry = page.locator(".entry", has_text="How bad is it?")
    entry.get_by_text("Answer", exact=True).click()
    entry.get_by_label("What do you say?").fill("120 people, bank accounts in clear.")
    press(entry.get_by_role("button", name="Answer it"))
    expect(page.get_by_text("120 people, bank accounts in clear.")).to_be_visible()


def _decide(page: Page, ref: str) -> None:
    """A plan, and the duties as right."""
    press(page.get_by_role("link", name="Plan", exact=False).first)
    press(page.get_by_role("button", name=re.compile("Activate|Follow")).first)
    page.goto(re.sub(r"/incidents/.*", f"/incidents/{ref}/duties/", page.url))
    expect(page.get_by_text("of the drill left").first).to_be_visible()
    page.get_by_role("button", name=re.compile("Accept all")).click()
    expect(page.get_by_role("button", name=re.compile("Accept all"))).to_have_count(0)


def _tell(here: Served, page: Page, ref: str) -> None:
    with here.app.app_context():
        case = incidents.by_ref(ref)
        assert case is not None
        said = a_text(covers=dict.fromkeys(COVERED, "what_happened"))
        notice = a_notice(case, channels=("email",), stage="approved", texts=(said,))
    page.goto(f"{here.url}/incidents/{ref}/notices/{notice}")
    press(page.get_by_role("link", name="Send now"))
    press(page.get_by_role("button", name=re.compile("Rehearse with")))
    _work(here)
    page.reload()
    expect(page.get_by_text("Nobody was told by this").first).to_be_visible()


def _end(page: Page, ref: str) -> None:
    page.goto(re.sub(r"/incidents/.*", f"/incidents/{ref}/drill/lead", page.url))
    page.get_by_text("End the drill", exact=True).click()
    press(page.get_by_role("button", name="End it"))
    expect(page.get_by_role("heading", name="How it went", level=1)).to_be_visible()
    done = page.locator(".entry", has_text="A plan is followed")
    expect(done.get_by_text("in time")).to_be_visible()
    page.get_by_label("In a sentence or two").fill("Ask what is encrypted before believing it.")
    page.get_by_label("About what?").select_option("lesson")
    press(page.get_by_role("button", name="Note it"))
    press(page.get_by_role("button", name="Propose it as a lesson"))
    expect(page.get_by_text("proposed as L-").last).to_be_visible()
