"""The Chinese four-level grade, at and around each figure of the grading guide of 2025."""

import pytest

from incident.domain import cac
from incident.domain.errors import Invalid
from incident.domain.facts import UNKNOWN, Facts


@pytest.mark.parametrize(
    ("people", "loss", "level"),
    [
        (0, 0, "general"),
        (999_999, 4_999_999, "general"),
        (1_000_000, 0, "relatively_major"),
        (9_999_999, 0, "relatively_major"),
        (10_000_000, 0, "major"),
        (99_999_999, 0, "major"),
        (100_000_000, 0, "particularly_major"),
        (0, 5_000_000, "relatively_major"),
        (0, 19_999_999, "relatively_major"),
        (0, 20_000_000, "major"),
        (0, 99_999_999, "major"),
        (0, 100_000_000, "particularly_major"),
        (1_000_000, 20_000_000, "major"),
        (10_000_000, 5_000_000, "major"),
    ],
)
def test_the_highest_figure_reached_gives_the_level(people, loss, level):
    found, required, reasons = cac.cac({"pi_people": people, "loss_cny": loss})
    assert found == level
    assert required is (level != "general")
    assert reasons


@pytest.mark.parametrize(
    ("clause", "level"), [("major", "major"), (True, "relatively_major"), ("none", "general"), (False, "general")]
)
def test_a_clause_in_words_counts_beside_the_figures(clause, level):
    assert cac.cac({"pi_people": 10, "loss_cny": 0, "qualitative_clause": clause})[0] == level


def test_a_clause_never_lowers_what_the_figures_say():
    assert cac.cac({"pi_people": 10_000_000, "qualitative_clause": "relatively_major"})[0] == "major"


def test_while_a_figure_is_unknown_the_grade_says_so():
    grade = cac.graded(Facts({"pi_people_cn": 4000, "loss_cny": UNKNOWN}))
    assert grade.open == ("loss_cny", "qualitative_clause")
    assert "as far as is known" in grade.reasons[0]


def test_people_in_china_are_counted_from_where_people_live_if_no_figure_is_given():
    facts = Facts({"residents": {"CN": 1_200_000, "DE": 9}})
    assert cac.graded(facts).level is cac.Level.RELATIVELY_MAJOR
    assert cac.concerned(facts)
    assert not cac.concerned(Facts({"residents": {"DE": 9}}))


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("pi_people", {"pi_people": "many"}),
        ("loss_cny", {"loss_cny": -1}),
        ("qualitative_clause", {"qualitative_clause": "huge"}),
    ],
)
def test_what_is_not_a_number_or_a_level_is_refused_by_name(field, facts):
    with pytest.raises(Invalid) as refused:
        cac.graded(facts)
    assert refused.value.field == field


def test_each_level_has_the_word_of_the_chinese_text():
    assert [level.zh for level in cac.Level] == ["一般", "较大", "重大", "特别重大"]


def test_a_figure_that_was_read_in_the_draft_only_says_so():
    assert "draft" in cac.cac({"pi_people": 0, "loss_cny": 20_000_000})[2][0]
    assert "draft" not in cac.cac({"pi_people": 0, "loss_cny": 100_000_000})[2][0]
