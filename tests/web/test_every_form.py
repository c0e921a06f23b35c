"""Every field of every form takes what breaks programs: refused in words or kept as text, and never our mistake."""

import gc
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import cycle

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import delete

from incident import clock
from incident.actions import members
from incident.domain.access import CASE_TEAM, Role
from incident.store import throttle
from incident.store.db import db
from tests import crawler
from tests.builders import a_user
from tests.crawler import Form, Page
from tests.full_house import House, a_full_house
from tests.naughty import AT_LEAST, STRINGS

WHOLE = bool(os.environ.get("FUZZ"))
"""`make fuzz` types every string into every field; otherwise each field gets one of them, a half of the fields, an eighth on PostgreSQL."""
PARTS = 12 if WHOLE else 1
"""Every twelfth string is a part with a database of its own: it may be run by itself, and what was typed slows nothing down."""
ALIKE = 4  # forms of one view that differ by what they ask alone, such as the questions of duties
Kinds = Mapping[tuple[str, tuple[str, ...]], Form]
ENDS_THE_VISIT = {"signin.out", "account.end_all"}


@pytest.fixture
def calm(app: APIFlask) -> Iterator[APIFlask]:
    """The application as it is in service: a failure is a page, not an exception in the test."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    app.config["PROPAGATE_EXCEPTIONS"] = None


@pytest.fixture
def house(calm: APIFlask) -> House:
    return a_full_house(calm.extensions["settings"].instance / "files")


@pytest.fixture
def browser(house: House, as_) -> FlaskClient:
    """Somebody with every role but the auditor's, on the incident."""
    user = a_user(*CASE_TEAM, Role.ADMINISTRATOR, name="All Hands")
    members.add(house.incident.ref, user.ref, actor=house.actor, now=clock.now())
    return as_(user=user)


def test_there_are_enough_strings_and_none_twice():
    assert len(STRINGS) == len(set(STRINGS)) >= AT_LEAST


@pytest.mark.parametrize("part", range(PARTS))
def test_every_field_of_every_form_takes_what_breaks_programs(calm, house, browser, part, capsys):
    addresses = [address for _, address in crawler.addresses(calm, house)]
    found = [page for page, _ in crawler.pages(browser, addresses)]
    forms = crawler.forms(calm, found)
    assert len(forms) > 80, "the crawler finds the forms"
    answered = Counter[int]()
    gc.freeze()  # laws and code stay; looking through them again and again is a fifth of the time
    failed = [line for form, typed in attempts(forms, part) for line in tried(browser, form, typed, answered)]
    if WHOLE:
        with capsys.disabled():
            print(f"\npart {part}: {answered.total()} sendings, answers {dict(sorted(answered.items()))}")
    assert failed == []
    assert browser.get("/account/").status_code == 200, "whoever typed all this is signed in still"
    again = list(crawler.pages(browser, addresses if WHOLE or on_sqlite() else addresses[:20]))
    assert [(page.address, answer.status) for page, answer in again if answer.status_code >= 500] == []
    assert {page.address: page.acts for page, _ in again if page.acts} == {}


def attempts(forms: Kinds, part: int) -> Iterator[tuple[Form, dict[str, str]]]:
    """What is typed into which forms: one part of all strings into all fields; or one string into every other field."""
    if WHOLE:
        for number, (form, is_alike) in enumerate(told_apart(forms)):
            if not is_alike or number % PARTS == part:
                yield from ((form, typed) for typed in everything(form, STRINGS[part::PARTS]))
        return
    turn = int(not on_sqlite())
    strings = cycle(STRINGS[turn * len(STRINGS) // 2 :] + STRINGS[: turn * len(STRINGS) // 2])
    fields = ((form, one.name) for _, form in chosen(forms) for one in form.texts)
    for number, (form, name) in enumerate(fields):
        if number % (8 if turn else 2) == turn:
            yield form, {name: next(strings)}


def told_apart(forms: Kinds) -> Iterator[tuple[Form, bool]]:
    """Each form, and whether four of its kind came before it, of a view that makes many forms alike: it is in one part alone."""
    many = Counter(endpoint for endpoint, _ in chosen(forms))
    met = Counter[tuple[str, ...]]()
    for endpoint, form in chosen(forms):
        kinds = sorted({one.kind for one in form.controls}) if many[endpoint] > ALIKE else [form.action]
        met[endpoint, *kinds] += 1
        yield form, met[endpoint, *kinds] > ALIKE


def everything(form: Form, strings: list[str]) -> Iterator[dict[str, str]]:
    """Each string into each field: into all that are seen at once, each another; into hidden ones, and a tenth into all, alone."""
    seen = [one.name for one in form.texts if one.kind != "hidden"]
    for number in range(len(strings) if seen else 0):
        yield {name: strings[(number + place) % len(strings)] for place, name in enumerate(seen)}
    for one in form.texts:
        yield from ({one.name: text} for text in (strings if one.kind == "hidden" else strings[::10]))


def chosen(forms: Kinds) -> Iterator[tuple[str, Form]]:
    """The forms to try, each with its view: in the small, a few of each."""
    met = Counter[str]()
    for (endpoint, _), form in sorted(forms.items(), key=lambda item: item[0]):
        met[endpoint] += 1
        if endpoint not in ENDS_THE_VISIT and (WHOLE or met[endpoint] <= ALIKE):
            yield endpoint, form


def tried(browser: FlaskClient, form: Form, typed: dict[str, str], answered: Counter[int]) -> Iterator[str]:
    """What went wrong with one sending, if anything did."""
    answer = crawler.sent(browser, form, typed)
    answered[answer.status_code] += 1
    if answer.status_code >= 500:
        yield f"{answer.status} {form.action} { ({name: text[:40] for name, text in typed.items()})!r}"
    elif answer.status_code == 429:
        _forget_tries()
    elif answer.mimetype == "text/html" and (acts := Page(form.action, answer.get_data().decode()).acts):
        yield f"{form.action}: {acts[:3]}"


def _forget_tries() -> None:
    """So many tests of one's own channels are too many; that is tested elsewhere."""
    with db.engine.begin() as connection:
        connection.execute(delete(throttle.Throttle))


def on_sqlite() -> bool:
    """Whether this is the database on which more is tried."""
    return db.engine.dialect.name == "sqlite"
