"""Answers of the laws from memory: the same as the laws give, whatever is known, and forgotten where anything they saw differs."""

from collections import deque
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident import calendars
from incident.domain import recalled as memory
from incident.domain.facts import UNKNOWN, Facts, from_json
from incident.domain.lawbook import Lawbook, library
from incident.domain.obligations import found
from incident.domain.recalled import recalled
from tests.made_up_laws import a_duty, a_law_file, law_of

TODAY = date(2026, 11, 22)
AWARE = datetime(2026, 11, 20, 9, tzinfo=UTC)
LAW = a_law_file(
    a_duty(
        "ag",
        to="attorney_general",
        deadline='{ from = "aware_at", calendar_days = 30 }',
        more="when = { residents = { least = 250 } }",
    ),
    id_="US-XX",
    place="US-TX",
)
SOME = {
    "personal_data": st.sampled_from(["yes", "no", None]),
    "residents": st.sampled_from([None, {"US-TX": 249}, {"US-TX": 250}, {"DE": 1, "US-TX": 900}]),
    "data_kinds": st.sampled_from([None, ["email"], ["ssn", "name"]]),
    "risk_to_people": st.sampled_from([None, "unlikely", "high"]),
    "aware_at": st.sampled_from([None, "2026-11-20T09:00:00Z", "2026-11-21T09:00:00Z"]),
    "what_happened": st.sampled_from([None, "This", "That"]),
}


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(memory, "_KEPT", deque(maxlen=memory.MOST_KEPT))


def a_book():
    return Lawbook({"US-XX": law_of(LAW)})


def asked(facts, book, today=TODAY):
    return recalled(Facts(facts), book, calendars.of_law, today)


@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries(SOME))
def test_from_memory_or_not_the_answer_is_that_of_the_laws(raw):
    facts = from_json(raw)
    assert recalled(facts, library(), calendars.of_law, TODAY) == found(facts, library(), calendars.of_law, TODAY)


def test_what_no_law_reads_is_answered_from_memory():
    book = a_book()
    assert asked({"what_happened": "This"}, book) is asked({"what_happened": "That", "systems": ("mail",)}, book)


@pytest.mark.parametrize(
    "other",
    [
        {"residents": {"US-TX": 250}},
        {"residents": {"US-TX": 300}, "aware_at": AWARE},
        {"residents": {"US-TX": 300, "DE": 2}},
        {"residents": UNKNOWN},
        {},
    ],
    ids=["fewer people", "a moment", "another place", "said to be unknown", "nothing said"],
)
def test_what_a_law_reads_is_asked_again(other):
    book = a_book()
    first = asked({"residents": {"US-TX": 300}}, book)
    assert asked(other, book) is not first
    assert asked(other, book) == found(Facts(other), book, calendars.of_law, TODAY)


def test_unknown_and_never_said_are_one():
    book = a_book()
    assert asked({"residents": UNKNOWN}, book) is asked({}, book)


def test_a_number_is_no_yes_although_they_are_equal():
    book = a_book()
    assert asked({"residents": {"US-TX": 300}, "role": 1}, book) == asked(
        {"residents": {"US-TX": 300}, "role": True}, book
    )
    assert not memory._same(1, True)
    assert memory._same((1, 2), (1, 2))
    assert not memory._same({"DE": 1, "FR": 2}, {"FR": 2, "DE": 1})


def test_another_day_or_another_book_is_asked_itself():
    one, two = a_book(), a_book()
    assert asked({}, one) is not asked({}, one, today=date(2026, 11, 23))
    assert asked({}, one) is not asked({}, two)


def test_words_are_not_taken_from_an_answer_without_them():
    book = a_book()
    facts = Facts({"residents": {"US-TX": 300}, "aware_at": AWARE})
    short = recalled(facts, book, calendars.of_law, TODAY, told=False)
    assert recalled(facts, book, calendars.of_law, TODAY) != short
    assert recalled(facts, book, calendars.of_law, TODAY, told=False) is short


def test_only_the_last_answers_are_kept():
    book = a_book()
    first = asked({"residents": {"US-TX": 1}}, book)
    for number in range(2, memory.MOST_KEPT + 2):
        asked({"residents": {"US-TX": number}}, book)
    assert asked({"residents": {"US-TX": 1}}, book) is not first


def test_who_wants_to_know_which_facts_there_are_is_not_answered_from_memory(monkeypatch):
    def curious(facts, *_):
        return tuple(facts)

    monkeypatch.setattr(memory, "found", curious)
    book = a_book()
    assert asked({"residents": {}}, book) == ("residents",)
    assert asked({"residents": {}, "aware_at": AWARE}, book) == ("residents", "aware_at")
