from datetime import UTC, datetime

import pytest

from incident.domain import scenarios
from incident.domain.drills import Clockwork
from incident.domain.errors import Invalid
from incident.domain.lawbook import library
from incident.domain.scenarios import BrokenScenario

WHOLE = """
title = "A test"
summary = "Short."
brief = "Go."
playbook = "data_leak"
minutes = 100
factor = 6
people = 10
[facts]
category = "data_leak"
aware_at = "minute -10"
[[inject]]
key = "call"
minute = 10
kind = "press"
from = "A reporter"
title = "Is it true?"
text = "Well?"
answer = true
[[expect]]
key = "told"
title = "Told"
why = "So."
verbs = ["notice.approved"]
by = 60
"""


@pytest.mark.parametrize("id", sorted(scenarios.scenarios()))
def test_every_shipped_scenario_has_things_thrown_in_and_something_to_do_well(id):
    made = scenarios.named(id)
    assert len(made.injects) >= 4
    assert len(made.expected) >= 5
    asked = {one.key for one in made.injects if one.wants_answer}
    assert {one.where["key"] for one in made.expected if "drill.inject_answered" in one.verbs} <= asked
    assert made.brief
    assert made.people


@pytest.mark.parametrize("id", sorted(scenarios.scenarios()))
def test_duties_that_a_scenario_expects_are_in_the_library(id):
    for one in scenarios.named(id).expected:
        if "duty" in one.where:
            assert library().duty(one.where["duty"]) is not None


def test_injects_come_in_the_order_of_their_minutes():
    for made in scenarios.scenarios().values():
        assert [one.minute for one in made.injects] == sorted(one.minute for one in made.injects)


def test_moments_of_a_scenario_become_real_ones():
    work = Clockwork(datetime(2026, 3, 6, 12, tzinfo=UTC), 6)
    facts = scenarios.facts_at({"aware_at": "minute -60", "category": "other"}, work)
    assert facts == {"aware_at": "2026-03-06T11:50:00+00:00", "category": "other"}


def test_another_wording_is_another_digest():
    assert scenarios.scenario("a", WHOLE).digest != scenarios.scenario("a", WHOLE.replace("Well?", "Now?")).digest


def test_an_expectation_comes_back_from_its_pinned_copy():
    [one] = scenarios.scenario("a", WHOLE).expected
    assert scenarios.expected(scenarios.pinned(one)) == one


@pytest.mark.parametrize(
    ("what", "instead", "says"),
    [
        ('"data_leak"\nminutes', '"nothing"\nminutes', "no playbook"),
        ("factor = 6", "factor = 7", "out of bounds"),
        ('category = "data_leak"', 'category = "unheard"', "category"),
        ('category = "data_leak"', 'colour = "red"', "no fact 'colour'"),
        ("minute = 10\n", "minute = 500\n", "outside of the drill"),
        ('kind = "press"', 'kind = "gossip"', "gossip"),
        ("notice.approved", "notice.shouted", "no verb"),
        ("by = 60", "by = 0", "in no time"),
        ("by = 60", 'by = 60\nafter = "nobody"', "no inject"),
        ('key = "told"', 'key = "call"', "there twice"),
        ("answer = true", "answer = true\nsandbox = { bounced = 200 }", "the sandbox cannot"),
        ("answer = true", "answer = true\nsandbox = { exploded = 2 }", "the sandbox cannot"),
        ('title = "A test"', "", "title"),
    ],
)
def test_a_file_that_could_not_be_played_is_refused_with_its_mistake(what, instead, says):
    assert what in WHOLE
    with pytest.raises(BrokenScenario, match=says):
        scenarios.scenario("a", WHOLE.replace(what, instead, 1))


def test_an_unknown_scenario_is_no_scenario():
    with pytest.raises(Invalid):
        scenarios.named("nothing")
