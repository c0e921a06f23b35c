"""The desk of enquiries by keyboard alone, in both languages: asked on the page, drafted, joined, answered, read; asked by law."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from incident import clock
from incident.actions import enquiries, enquiring
from incident.domain import check_words
from incident.store.db import db
from tests.actions.waves import LEAD
from tests.journeys import axe
from tests.journeys.browser import Window
from tests.journeys.keyboard import enter_on, picked, picked_of, typed, unfolded
from tests.journeys.reader import Reader
from tests.journeys.test_checking import Told

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

ASKED = {
    "en": ("Which of my data was copied, and since when?", "Which data of mine was copied? And since when was it?"),
    "zh-Hans": ("我的哪些数据被复制了？从什么时候开始？", "请问我的哪些数据被复制了？从什么时候开始的？"),
}
ANSWER = {
    "en": "Your name and e-mail address, since 3 March.",
    "zh-Hans": "您的姓名和电子邮箱地址，自三月三日起。",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    found = Told(tmp_path_factory.mktemp("enquiries"))
    yield found
    found.server.close()


def answered_before(told: Told, language: str) -> str:
    """What somebody asked by telephone in this language, and was told; its reference."""
    at = clock.now()
    with told.app.app_context():
        ref = enquiries.take_in(
            told.incident, kind="question", source="phone", text=ASKED[language][0], language=language,
            who=enquiring.Asker(), terms=enquiring.terms(told.app.extensions["settings"]), actor=LEAD, now=at,
        )  # fmt: skip
        enquiries.answer(
            told.incident, ref, text=ANSWER[language], way="phone", simulated=True, actor=LEAD, now=clock.now()
        )
        db.session.remove()
    return ref


def asks(window: Window, code: str, language: str) -> str:
    """Somebody asks on the public page by keyboard; the code by which they read the answer."""
    page = window.go(f"/check/{code}/question?language={language}")
    typed(page, "#text", ASKED[language][1])
    enter_on(page, "form button")
    expect(page.get_by_role("status")).to_contain_text(check_words.words(language)["question"]["done"])
    return page.locator("code.code").inner_text()


@pytest.mark.parametrize(
    ("language", "width", "look", "number"), [("en", 1440, "dark", 1), ("zh-Hans", 390, "light", 2)]
)
def test_asked_drafted_joined_answered_and_read(
    told: Told, browser: Browser, language: str, width: int, look: str, number: int
):
    before = answered_before(told, language)
    outside = Window(browser, told.url, width=width)
    first, second = (asks(outside, told.codes[number - 1], language) for _ in range(2))
    desk = Reader(told, browser, language, width, look)
    _join(desk, told, twice=second[:11], into=first[:11])
    _answer_from_a_draft(desk, told, first[:11], before, language)
    _is_read(outside, first, second, language)
    page = desk.go(f"/incidents/{told.incident}/enquiries/{first[:11]}")
    expect(page.locator("main")).to_contain_text(desk.said("read on the page: %(when)s").partition("%")[0].strip())
    assert desk.wrong == outside.wrong == []


def _join(desk: Reader, told: Told, *, twice: str, into: str) -> None:
    """Both wait with the promised time on a clock; the second one is joined to the first, which alone goes on waiting."""
    page = desk.go(f"/incidents/{told.incident}/enquiries/")
    for ref in (twice, into):
        expect(page.locator(".entry", has_text=ref).locator(".due")).to_have_count(1)
    desk.looks("enquiries-waiting")
    enter_on(page, f"main a[href$='/{twice}']")
    unfolded(page, "details:has(#into) > summary")
    typed(page, "#into", into)
    enter_on(page, "details:has(#into) form button")
    expect(page.locator("main")).to_contain_text(into)
    page = desk.go(f"/incidents/{told.incident}/enquiries/")
    expect(page.locator(".entry", has_text=twice)).to_have_count(0)


def _answer_from_a_draft(desk: Reader, told: Told, ref: str, before: str, language: str) -> None:
    page = desk.go(f"/incidents/{told.incident}/enquiries/{ref}")
    expect(page.locator("aside")).to_contain_text(desk.said("by the code of their own message"))
    enter_on(page, "form[action$='/owner'] button")
    expect(page.locator("aside")).not_to_contain_text(desk.said("nobody yet"))
    enter_on(page, f"main a[href*='draft={before}']")
    expect(page.locator("#text")).to_have_value(ANSWER[language])
    picked_of(page, "way", "page")
    desk.looks("enquiries-draft")
    enter_on(page, "form[action$='/answer'] button")
    expect(page.get_by_role("status")).to_contain_text(desk.said("Kept."))
    expect(page.locator(".top__tags .due")).to_have_count(0)
    desk.looks("enquiries-answered")


def _is_read(window: Window, first: str, second: str, language: str) -> None:
    """Whoever asked reads the answer under the first code, and under the second where it was joined to."""
    words = check_words.words(language)["answers"]
    page = window.go(f"/check/answers?language={language}")
    typed(page, "#entered", second.lower())
    enter_on(page, "form button")
    expect(page.locator("main")).to_contain_text(first[:11])
    assert ANSWER[language] not in page.content()
    enter_on(page, 'form[action*="/close"] button')
    typed(page, "#entered", first.lower())
    enter_on(page, "form button")
    expect(page.get_by_text(ANSWER[language])).to_be_visible()
    expect(page.get_by_text(words["state_answered"])).to_be_visible()
    assert window.fits()
    assert axe.violations(page) == []


@pytest.mark.parametrize(("language", "width", "look"), [("en", 390, "dark"), ("zh-Hans", 1440, "light")])
def test_a_question_by_telephone_turns_out_to_be_a_request_under_a_law(
    told: Told, browser: Browser, language: str, width: int, look: str
):
    desk = Reader(told, browser, language, width, look)
    page = desk.go(f"/incidents/{told.incident}/enquiries/new")
    _written_down(page, language)
    expect(page.get_by_role("status")).to_contain_text(desk.said("Taken in. Its clock runs from now."))
    expect(page.locator(".entry").first).to_contain_text(desk.said("They said"))
    promised = page.locator(".top__tags time.due").get_attribute("datetime")
    unfolded(page, "details:has(#right) > summary")
    picked(page, "#right", "access")
    picked(page, "#place", "DE")
    desk.looks("enquiries-hand-over")
    enter_on(page, "details:has(#right) form button")
    expect(page.get_by_role("status")).to_contain_text(
        desk.said("It is a request now, with the clock of the law from the day it came in.")
    )
    expect(page.locator("aside")).to_contain_text(re.compile(r"12\(3\)|第12条"))
    expect(page.locator("aside")).to_contain_text({"en": "Germany", "zh-Hans": "德国"}[language])
    assert page.locator(".top__tags time.due").get_attribute("datetime") != promised
    typed(page, "#text", ANSWER[language])
    picked_of(page, "way", "phone")
    picked_of(page, "decision", "granted")
    desk.looks("enquiries-request")
    enter_on(page, "form[action$='/answer'] button")
    expect(page.locator(".top__tags")).to_contain_text(desk.said("granted"))
    assert desk.wrong == []


def _written_down(page: Page, language: str) -> None:
    """Somebody asks by telephone for a copy of what is held of them."""
    picked(page, "#source", "phone")
    typed(page, "#text", "A copy of all that you hold of me, please. 请给我一份副本。")
    picked(page, "#language", language)
    enter_on(page, "main form button.btn-primary")
