"""Two texts are compared word by word, and in writings without spaces letter by letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain.differences import Mark, words


def kept(runs, *marks):
    return "".join(run.text for run in runs if run.mark in marks)


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_runs_make_both_texts(old, new):
    runs = words(old, new)
    assert kept(runs, Mark.SAME, Mark.OUT) == old
    assert kept(runs, Mark.SAME, Mark.IN) == new


@pytest.mark.parametrize(
    ("old", "new", "gone", "come"),
    [
        ("We told the police on Monday.", "We told the police on Friday.", ["Monday"], ["Friday"]),
        ("我们已经报警。", "我们尚未报警。", ["已经"], ["尚未"]),
        ("A word", "A word", [], []),
        ("", "All new", [], ["All new"]),
        ("All gone", "", ["All gone"], []),
        ("one two three", "eins zwei drei", ["one two three"], ["eins zwei drei"]),
    ],
)
def test_only_what_changed_is_marked(old, new, gone, come):
    runs = words(old, new)
    assert [run.text for run in runs if run.mark is Mark.OUT] == gone
    assert [run.text for run in runs if run.mark is Mark.IN] == come


def test_a_field_that_was_changed_is_seen_as_a_whole():
    assert kept(words("On {{ fact.aware_at }}.", "On {{ fact.occurred_from }}."), Mark.IN) == "occurred_from"
