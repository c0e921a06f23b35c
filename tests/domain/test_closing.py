"""The gates of closing."""

from dataclasses import fields

import pytest

from incident.domain import closing
from incident.domain.closing import Standing
from incident.domain.errors import Invalid, Refused

DONE = Standing(reviewed=True)
COUNTS = [field.name for field in fields(Standing) if field.name != "reviewed"]


@pytest.mark.parametrize("name", COUNTS)
def test_each_thing_that_is_left_shuts_its_gate_and_is_named(name):
    found = closing.gates(Standing(reviewed=True, **{name: 2}))
    shut = [gate for gate in found if not gate.open]
    assert [gate.key for gate in shut] == [name]
    assert "2 " in shut[0].words
    with pytest.raises(Refused, match="cannot be closed yet"):
        closing.must_be_closable(found)


def test_without_a_review_it_cannot_be_closed():
    with pytest.raises(Refused, match="review is not written"):
        closing.must_be_closable(closing.gates(Standing()))


def test_with_nothing_left_it_can():
    found = closing.gates(DONE)
    closing.must_be_closable(found)
    assert all(gate.open and gate.words == "" for gate in found)


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing(steps=1), "1 mandatory step is neither finished nor left out."),
        (Standing(findings_open=2), "2 duties are open for want of a fact."),
        (Standing(findings_owed=1), "1 duty is owed and neither met nor waived."),
        (Standing(not_told=1), "1 person is perhaps not told and in nobody's care."),
        (Standing(not_told=1200), "1,200 people are perhaps not told and in nobody's care."),
    ],
)
def test_the_sentence_counts_as_people_speak(standing, words):
    assert words in [gate.words for gate in closing.gates(standing)]


@pytest.mark.parametrize("name", list(closing.QUESTIONS))
def test_a_review_answers_every_question(name):
    given = dict.fromkeys(closing.QUESTIONS, "Something.")
    assert vars(closing.review(**given)) == given
    for bad in ("", "  \n", "x" * (closing.LONGEST + 1)):
        with pytest.raises(Invalid) as refused:
            closing.review(**{**given, name: bad})
        assert refused.value.field == name


def test_closing_and_reopening_ask_for_words():
    assert closing.words_for("reason", " It came back. ", "Say why.") == "It came back."
    for bad in ("", " ", "x" * 5_001):
        with pytest.raises(Invalid):
            closing.words_for("reason", bad, "Say why.")
