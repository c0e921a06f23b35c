"""Every page is valid HTML by the parser of the standard, no id twice, whatever points at an id points at one; and whole in Chinese."""

import re

import pytest
from html5lib import HTMLParser

from incident import clock
from incident.actions import members
from incident.domain.access import CASE_TEAM, Role
from incident.store import users
from incident.store.db import db
from tests import crawler
from tests.full_house import a_full_house
from tests.web.test_chinese_pages import left_in_english

POINTERS = re.compile(r'\s(?:for|aria-labelledby|aria-describedby|aria-controls|headers)="([^"]*)"')
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
IDS = re.compile(r'\sid="([^"]*)"')


def mistakes(page: str) -> list[str]:
    """What is wrong with the HTML of this page."""
    ids = IDS.findall(page)
    parser = HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(page)
    wrong = [f"line {line}: {error} {about}" for (line, _), error, about in parser.errors]
    wrong += ["a section without a heading" for one in tree.iter("section") if HEADINGS.isdisjoint(_within(one))]
    wrong += [f"no moment: {one.text}" for one in tree.iter("time") if "datetime" not in one.attrib]
    wrong += [f"twice: {one}" for one in sorted({one for one in ids if ids.count(one) > 1})]
    return wrong + [
        f"nothing is called {one}" for each in POINTERS.findall(page) for one in each.split() if one not in ids
    ]


def _within(part) -> set[str]:
    return {one.tag for one in part.iter()}


def test_every_page_is_valid_and_whole_in_chinese(app, as_):
    reader = as_(*CASE_TEAM, Role.ADMINISTRATOR)
    house = a_full_house(app.extensions["settings"].instance / "files")
    members.add(house.incident.ref, reader.ref, actor=house.actor, now=clock.now())
    users.by_ref(reader.ref).language = "zh-Hans"
    db.session.commit()
    found = dict(crawler.addresses(app, house))
    views = {address: endpoint for endpoint, address in found.items()}
    wrong, english, whole = [], [], 0
    for page, answer in crawler.pages(reader, sorted(found.values())):
        text = answer.get_data(as_text=True)
        if text.lstrip().lower().startswith("<!doctype"):
            whole += 1
            wrong += [f"{page.address}: {one}" for one in mistakes(text)]
            if '<html lang="zh-Hans"' in text:
                english += [f"{views[page.address]}: {one}" for one in left_in_english(views[page.address], text)]
    assert whole > 80
    assert wrong == []
    assert english == []


@pytest.mark.parametrize(
    "body",
    [
        "<p><div></div></p>",
        "<a href=x><a href=y></a></a>",
        '<p id="a"></p><p id="a"></p>',
        '<label for="b"></label>',
        "<table><p></table>",
        "<section><p>Something</p></section>",
        "<p><time>no deadline in law</time></p>",
    ],
)
def test_a_page_with_a_mistake_is_not_valid(body):
    assert mistakes(f"<!doctype html><html lang=en><head><title>x</title></head><body>{body}</body></html>")
