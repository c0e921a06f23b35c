"""Who is suspected of having killed a worker is tried in ever smaller company, and set aside after three deaths alone."""

import pytest

from incident.domain import suspects


def test_a_batch_that_died_is_tried_again_by_tenths_until_each_is_alone():
    sizes, size = [], 1_000
    while size > 1:
        size = suspects.company(size)
        sizes.append(size)
    assert sizes == [100, 10, 1]


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_first_death_only_makes_suspects(size):
    assert suspects.after_death("", size) == suspects.SUSPECT
    assert suspects.after_death("server_says_later", size) == suspects.SUSPECT


def test_the_third_death_alone_proves_it():
    reason, seen = suspects.SUSPECT, []
    while reason != suspects.POISON:
        reason = suspects.after_death(reason, 1)
        seen.append(reason)
    assert seen == [*suspects.ALONE, suspects.POISON]
    assert len(seen) == suspects.TRIES_ALONE == 3


@pytest.mark.parametrize("reason", sorted(suspects.REASONS))
def test_a_death_in_company_says_nothing_new_of_anybody(reason):
    assert suspects.after_death(reason, 10) == reason


def test_letters_are_printed_together_once_more_before_anybody_is_suspected():
    first = suspects.after_death("to_be_printed", 200, printing=True)
    assert (first, first in suspects.REASONS) == (suspects.ONCE, False)
    assert suspects.after_death(first, 200, printing=True) == suspects.SUSPECT


def test_a_look_that_dies_goes_on_with_ever_fewer_down_to_one():
    assert [suspects.together(deaths, 2_000) for deaths in range(6)] == [2_000, 200, 20, 2, 1, 1]
    assert suspects.alone_after(2_000) == 4
    assert suspects.alone_after(1) == 0


def test_only_three_deaths_of_a_record_that_was_alone_prove_it():
    assert [suspects.is_poison(deaths, 2_000) for deaths in (4, 5, 6, 7)] == [False, False, False, True]
