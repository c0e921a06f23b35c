"""What a law file gets wrong beside its form, and what its cases leave untried."""

from datetime import date

import pytest

from incident.domain.casebook import BadCases, Trial, cases_of
from incident.domain.clock import Calendar
from incident.domain.editions import LawText
from incident.domain.lawbook import parsed
from incident.domain.lawcheck import faults
from tests.domain.test_editions import a_law

TODAY = date(2026, 11, 22)
DEADLINE = 'deadline = { from = "aware_at", hours = 72 }'
RICH = a_law(
    id_="XX-LAW",
    hours=72,
    more='unless = [ { says = "Encrypted", when = { encryption = ["state_of_the_art"] } } ]',
).replace(DEADLINE, f"{DEADLINE}\nwhen = {{ residents = {{ more = 500 }} }}")
CASES = """
[[case]]
name = "501 people: owed"
facts = { residents = { FR = 501 }, encryption = "none", aware_at = 2026-03-06T16:00:00Z }
expect = { tell = "owed by 2026-03-09T16:00:00Z" }
[[case]]
name = "500 people: not owed"
facts = { residents = { FR = 500 }, encryption = "none", aware_at = 2026-03-06T16:00:00Z }
expect = { tell = "not owed" }
[[case]]
name = "encrypted: not owed"
facts = { residents = { FR = 501 }, encryption = "state_of_the_art", aware_at = 2026-03-06T16:00:00Z }
expect = { tell = "not owed" }
[[case]]
name = "nobody knows how many: open"
facts = { establishments = ["FR"], aware_at = 2026-03-06T16:00:00Z }
expect = { tell = "open: residents" }
[[case]]
name = "the day before it applied"
facts = { residents = { FR = 501 }, encryption = "none", aware_at = 2019-12-31T16:00:00Z }
expect = { tell = "not owed" }
"""


def text(held: str, path: str = "xx/law.toml") -> LawText:
    return LawText(path, held.encode())


def trial(cases: str = CASES, law: str = RICH) -> Trial:
    read = parsed(law.encode(), "xx/law.toml")
    return Trial(read, text(law), cases_of(text(cases, "xx-law.toml")), Calendar("FR", read.zone), TODAY)


def without(number: int) -> str:
    parts = CASES.split("[[case]]")
    return "[[case]]".join([*parts[:number], *parts[number + 1 :]])


def test_a_file_in_order_has_no_fault():
    assert faults("xx/law.toml", RICH.encode()) == ()


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ('place = "FR"', 'place = "FX"', "'place' names 'FX'"),
        ('zone = "Europe/Paris"', 'zone = "Europe/Paris"\ncalendar = "FX"', "'calendar' names 'FX'"),
        ('scope = { places = "FR" }', 'scope = { places = "FX" }', "a clause with 'places' names 'FX'"),
        ("{ more = 500 }", '{ more = 500, in = "FX" }', "a clause with 'residents' names 'FX'"),
        ("residents = { more = 500 }", 'any = [ { not = { established = "FX" } } ]', "'established' names 'FX'"),
        (DEADLINE, f"{DEADLINE}\nuntil = 2019-01-01", "ends on 2019-01-01, which is not after 2020-01-01"),
        ("hours = 72 }", "hours = 72, since = 2024-01-01, until = 2023-01-01 }", "the deadline 1 ends on 2023-01-01"),
        (
            DEADLINE,
            'deadline = [ { from = "aware_at", hours = 72 }, { from = "aware_at", hours = 24, since = 2024-01-01 } ]',
            "the deadlines 1 and 2 are in force at once",
        ),
    ],
)
def test_each_fault_is_said_with_its_place(was, now, words):
    assert was in RICH
    (sentence,) = faults("xx/law.toml", RICH.replace(was, now).encode())
    assert words in sentence


def test_deadlines_that_follow_each_other_or_have_a_condition_do_not_overlap():
    follow = 'deadline = [ { from = "aware_at", hours = 72, until = 2024-01-01 }, { words = "promptly", since = 2024-01-01 } ]'
    chosen = 'deadline = [ { from = "aware_at", hours = 24, when = { minors = true } }, { words = "promptly" } ]'
    assert faults("xx/law.toml", RICH.replace(DEADLINE, follow).encode()) == ()
    assert faults("xx/law.toml", RICH.replace(DEADLINE, chosen).encode()) == ()


def test_cases_for_everything_leave_no_gap_and_no_failure():
    assert list(trial().failures()) == []
    assert list(trial().gaps()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "in which something is owed"),
        (2, "just misses the threshold (tell: residents in FR, more than 500): with 500"),
        (3, "shows the exception “Encrypted”"),
        (4, "in which a fact is unknown and a duty open"),
        (5, "on the day before it applied"),
    ],
)
def test_each_case_that_is_left_out_is_missed(number, words):
    assert list(trial(without(number)).gaps()) == [f"XX-LAW: no case {words}"]


def test_the_number_that_just_meets_a_threshold_is_missed_where_all_are_far_above():
    gaps = list(trial(CASES.replace("FR = 501", "FR = 9000")).gaps())
    assert gaps == ["XX-LAW: no case just meets the threshold (tell: residents in FR, more than 500): with 501"]


def test_a_duty_that_no_case_names_is_missed():
    second = RICH + RICH[RICH.index("[[duty]]") :].replace('id = "tell"', 'id = "tell-again"')
    assert list(trial(law=second).gaps()) == ["XX-LAW: no case names the duty tell-again"]


def test_a_law_that_is_not_in_force_needs_only_a_case_in_which_nothing_is_owed():
    law = RICH.replace('name = "A law"', 'name = "A law"\nin_force = false')
    only = '[[case]]\nname = "not in force"\nfacts = { residents = { FR = 501 } }\nexpect = { tell = "not owed" }'
    assert list(trial(only, law).gaps()) == []


def test_an_expectation_that_does_not_come_out_is_said_with_what_came():
    wrong = CASES.replace("2026-03-09T16", "2026-03-10T16")
    assert list(trial(wrong).failures()) == [
        "XX-LAW, “501 people: owed”: tell: expected 'owed by 2026-03-10T16:00:00Z', got 'owed by 2026-03-09T16:00:00Z'"
    ]
    strange = CASES.replace('tell = "open: residents"', 'sing = "open"')
    assert list(trial(strange).failures()) == ["XX-LAW, “nobody knows how many: open”: there is no duty 'sing'"]


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ("[[case]", "not a TOML file"),
        ('[[case]]\nname = "x"', "has 'name', 'facts' and 'expect'"),
        ('[[case]]\nname = "x"\nfacts = { moon = 1 }\nexpect = {}', "moon"),
        ("case = 5", "has 'name', 'facts' and 'expect'"),
    ],
)
def test_a_file_of_cases_that_cannot_be_used_says_why(held, words):
    with pytest.raises(BadCases, match=words):
        cases_of(text(held, "xx-law.toml"))
