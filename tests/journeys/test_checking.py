"""Somebody who was told checks the message by keyboard alone, in both languages, asks, confirms and sets right; we answer on the desk."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from incident import clock
from incident.actions import asker_pages, checks, enquiries, enquiring
from incident.domain import check_words
from incident.domain.access import Role
from incident.store import enquiries as rows
from incident.store.db import db
from tests.actions.waves import LEAD, a_story
from tests.journeys import axe
from tests.journeys.browser import Window, opened, press
from tests.journeys.keyboard import enter_on, typed
from tests.journeys.served import Served

pytestmark = pytest.mark.journey
LIGHT = 60_000
SHOTS = os.environ.get("SHOTS", "")


class Told(Served):
    """An installation in which two people were told by e-mail."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Role.LEAD, Role.PRIVACY)
        with self.app.app_context():
            self.story = a_story(2, channels=("email", "sms"), both=2)
            self.story.start()
            self.story.work()
            self.incident = self.story.incident.ref
            self.notice = self.story.notice
            self.codes = [checks.code_of(self.story.incident.id, self.notice, number) for number in (1, 2)]

    def asked(self) -> list[tuple[str, str, int | None]]:
        """What was asked so far: reference, kind, whose."""
        with self.app.app_context():
            found = rows.page(self.story.incident.id, state="")
            return [(row.ref, row.kind, row.person_number) for row in found]

    def answer(self, ref: str, words: str) -> None:
        """Somebody of the team answers on the page."""
        given = {"text": words, "way": "page", "simulated": True, "actor": LEAD}
        with self.app.app_context():
            enquiries.answer(self.incident, ref, **given, now=clock.now())
            db.session.remove()

    def states(self) -> dict[int, str]:
        """What became of each person's message."""
        with self.app.app_context():
            states = {row.person_number: row.state for row in self.story.rows()}
            db.session.remove()
            return states


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    found = Told(tmp_path_factory.mktemp("checking"))
    yield found
    found.server.close()


@pytest.fixture(scope="module")
def browser():
    with opened() as found:
        yield found


def looked_at(page: Page, window: Window, name: str) -> None:
    """Nothing scrolls sideways, axe finds nothing; a picture, where somebody wants to look."""
    assert window.fits(), name
    assert axe.violations(page) == [], name
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(("language", "width", "number"), [("en", 1440, 1), ("zh-Hans", 390, 2)])
def test_by_keyboard_alone(told: Told, browser, language: str, width: int, number: int):
    words, code = check_words.words(language), told.codes[number - 1]
    window = Window(browser, told.url, width=width)
    weights: dict[str, int] = {}
    window.page.on("response", lambda got: weights.update({got.url: len(got.body())}) if got.status == 200 else None)
    page = window.go(f"/check?language={language}")
    looked_at(page, window, f"check-front-{language}")
    typed(page, "#code", "n-00000000")
    enter_on(page, "form button")
    expect(page.get_by_role("alert")).to_contain_text(words["no_title"])
    looked_at(page, window, f"check-stranger-{language}")
    page.locator("#code").fill("")
    typed(page, "#code", code.lower())
    enter_on(page, "form button")
    expect(page.get_by_role("status").first).to_contain_text(words["yes_title"])
    looked_at(page, window, f"check-genuine-{language}")
    enter_on(page, f'a[href^="/check/{code}/question"]')
    typed(page, "#text", "哪些数据？ Which data?")
    looked_at(page, window, f"check-question-{language}")
    enter_on(page, "form button")
    expect(page.get_by_role("status")).to_contain_text(words["question"]["done"])
    ref = next(ref for ref, kind, whose in told.asked() if kind == "question" and whose == number)
    expect(page.get_by_role("status")).to_contain_text(ref)
    answers = page.locator("code.code").inner_text()
    assert re.fullmatch(rf"{ref}(-[0-9A-Z]{{5}}){{3}}", answers)
    assert answers not in page.url
    looked_at(page, window, f"check-done-{language}")
    enter_on(page, f'a[href^="/check/{code}"]')
    enter_on(page, f'form[action^="/check/{code}/read"] button')
    expect(page.get_by_role("status")).to_contain_text(words["read"]["done"])
    assert told.states()[number] == "confirmed"
    page = window.go(f"/check/{code}/address?language={language}")
    typed(page, "#email", f"new{number}@example.org")
    enter_on(page, "form button")
    expect(page.get_by_role("status")).to_contain_text(words["address"]["sent"])
    looked_at(page, window, f"check-proof-{language}")
    assert window.context.cookies() == []
    told.answer(ref, "您的电子邮箱地址。 Your e-mail address.")
    page = window.go(f"/check?language={language}")
    enter_on(page, 'a[href^="/check/answers"]')
    typed(page, "#entered", f"{ref}-00000-00000-00000")
    enter_on(page, "form button")
    expect(page.get_by_role("alert")).to_contain_text(words["answers"]["none"])
    looked_at(page, window, f"answers-stranger-{language}")
    typed(page, "#entered", answers.lower())
    enter_on(page, "form button")
    expect(page.get_by_text("您的电子邮箱地址。")).to_be_visible()
    expect(page.get_by_text(words["answers"]["state_answered"])).to_be_visible()
    assert answers not in page.content()
    looked_at(page, window, f"answers-mine-{language}")
    typed(page, "#text", "自何时起？ Since when?")
    enter_on(page, 'form[action*="/add"] button')
    expect(page.get_by_role("status")).to_contain_text(words["answers"]["added"])
    enter_on(page, 'form[action*="/close"] button')
    expect(page.get_by_role("status")).to_contain_text(words["answers"]["closed"])
    assert "您的电子邮箱地址。" not in page.content()
    assert window.wrong == []
    pages = {url: size for url, size in weights.items() if "/static/" not in url}
    static = sum(size for url, size in weights.items() if "/static/" in url)
    assert max(pages.values()) + static < LIGHT


def test_the_desk_answers_what_was_asked(told: Told, browser):
    page = told.enter(browser).new_page()
    page.goto(f"{told.url}/incidents/{told.incident}/enquiries/")
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / "enquiries-list.png"), full_page=True)
    ref = next(ref for ref, kind, _ in told.asked() if kind == "question")
    press(page.get_by_role("link", name=ref))
    expect(page.get_by_text("Which data?")).to_be_visible()
    assert axe.violations(page) == []
    page.get_by_label("Answer in").fill("Your e-mail address, and nothing else.")
    page.get_by_label("I gave it by telephone").check()
    press(page.get_by_role("button", name="Keep the answer"))
    expect(page.get_by_text("Your e-mail address, and nothing else.")).to_be_visible()
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / "enquiries-show.png"), full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=str(Path(SHOTS) / "enquiries-show-390-dark.png"), full_page=True)


def test_without_scripts_a_question_waits_loses_nothing_and_its_answer_is_read(told: Told, browser):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{told.url}/check/{told.codes[0]}/question?language=en")
    page.fill("#text", "Without a script?")
    press(page.locator("form button"))
    expect(page.get_by_role("alert")).to_contain_text("Nothing was lost")
    expect(page.locator("#text")).to_have_value("Without a script?")
    with told.app.app_context():
        asked = enquiries.take_in(
            told.incident, kind="question", source="phone", text="By phone?", who=enquiries.Asker(),
            terms=enquiring.terms(told.app.extensions["settings"]), actor=LEAD, now=clock.now(),
        )  # fmt: skip
        code = asker_pages.code_of(rows.anywhere(asked))
        db.session.remove()
    page.goto(f"{told.url}/check/answers?language=en")
    page.fill("#entered", code)
    press(page.locator("form button").first)
    expect(page.get_by_text("By phone?")).to_be_visible()
    context.close()
