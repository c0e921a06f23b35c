"""A push is read by whoever sees the telephone: its text says nothing of the person, the facts or what happened."""

from dataclasses import replace

import pytest

from incident.domain import musts, starters
from incident.domain.errors import Invalid
from incident.domain.ladders import USUAL, checked, words
from incident.domain.notices import Channel
from tests.domain.test_musts import TEXT, found

WAYS = (Channel.PUSH, Channel.EMAIL)


def hurdles(**changes):
    return [
        (one.where, one.sentence)
        for one in found(replace(TEXT, **changes), channels=WAYS)
        if one.where.startswith("push")
    ]


@pytest.mark.parametrize("language", starters.languages())
def test_the_starter_text_of_every_language_gives_nothing_away(language):
    page = musts.sheet(starters.text(language), site="https://us.example")
    assert list(musts._on_a_locked_screen(page)) == []
    assert set(page.push_body.fields) == {"company.name", "link.check"}


@pytest.mark.parametrize(
    ("part", "text", "named"),
    [
        ("push_title", "For {{ person.name }}", "{{ person.name }}"),
        ("push_body", "Your {{ person.exposed }}", "{{ person.exposed }}"),
        ("push_body", "It began {{ fact.began_at }}", "{{ fact.began_at }}"),
        ("push_body", "A data Breach at our shop", "“breach”"),
        ("push_title", "Your data", "“your data”"),
        ("push_body", "Please change your PASSWORD", "“password”"),
    ],
)
def test_what_gives_something_away_is_named_and_stands_in_the_way(part, text, named):
    [(where, sentence)] = hurdles(**{part: text})
    assert where == part
    assert named in sentence


def test_without_push_its_text_stands_in_nobodys_way():
    text = replace(TEXT, push_body="A breach")
    assert not [one for one in found(text, channels=(Channel.EMAIL,)) if one.where == "push_body"]


def test_chinese_words_are_looked_for_in_chinese():
    page = musts.sheet(replace(starters.text("zh-Hans"), push_body="您的个人信息已泄露"), site="https://us.example")
    [hurdle] = musts._on_a_locked_screen(page)
    assert "“泄露”" in hurdle.sentence


def test_the_ladder_says_so_in_words():
    assert words(USUAL["push"]).startswith("counts for nothing by itself")
    assert "reported as delivered" in words(USUAL["sms"])


def test_a_push_that_was_only_taken_can_count_for_nothing():
    with pytest.raises(Invalid, match="proves nothing"):
        checked("push", 24, "accepted")
    assert checked("push", 24, "delivered").channel == "push"
    assert checked("email", 24, "accepted").channel == "email"
