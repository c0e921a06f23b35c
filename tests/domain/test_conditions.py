"""Conditions over facts: yes, no, or open for want of a fact. Never a guess."""

import pytest

from incident.domain.conditions import Answer, holds, mistakes
from incident.domain.facts import Facts

KNOWN = Facts(
    {
        "malicious": True,
        "category": "ransomware",
        "data_kinds": ("name", "password"),
        "people_count": 1500,
        "residents": {"CN": 1000, "DE": 500},
        "backup_available": False,
    }
)


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ({}, "yes"),
        ({"malicious": True}, "yes"),
        ({"malicious": False}, "no"),
        ({"backup_available": False}, "yes"),
        ({"backup_available": True}, "no"),
        ({"category": "ransomware"}, "yes"),
        ({"category": ["phishing", "ransomware"]}, "yes"),
        ({"category": ["phishing"]}, "no"),
        ({"data_kinds": "password"}, "yes"),
        ({"data_kinds": ["health", "genetic"]}, "no"),
        ({"flags": "credential"}, "yes"),
        ({"flags": ["special", "health"]}, "no"),
        ({"people_count": {"at_least": 1500}}, "yes"),
        ({"people_count": {"at_least": 1501}}, "no"),
        ({"people_count": {"at_least": 1, "at_most": 1499}}, "no"),
        ({"people_in": {"EU": 500}}, "yes"),
        ({"people_in": {"CN": 1001}}, "no"),
        ({"minors": True}, "open"),
        ({"contained_at": {"known": True}}, "no"),
        ({"contained_at": {"known": False}}, "yes"),
        ({"not": {"malicious": True}}, "no"),
        ({"not": {"minors": True}}, "open"),
        ({"any": [{"minors": True}, {"malicious": True}]}, "yes"),
        ({"any": [{"minors": True}, {"malicious": False}]}, "open"),
        ({"any": [{"malicious": False}, {"category": "insider"}]}, "no"),
        ({"all": [{"minors": True}, {"malicious": False}]}, "no"),
        ({"all": [{"minors": True}, {"malicious": True}]}, "open"),
        ({"minors": True, "malicious": False}, "no"),
        ({"minors": True, "malicious": True}, "open"),
    ],
)
def test_each_form_of_condition_answers_in_three_ways(condition, answer):
    assert holds(condition, KNOWN).answer == answer


def test_what_would_decide_an_open_condition_is_named_once_and_in_order():
    verdict = holds({"minors": True, "any": [{"exfiltration": "confirmed"}, {"minors": True}]}, Facts())
    assert (verdict.answer, verdict.open) == (Answer.OPEN, ("minors", "exfiltration"))


def test_an_unknown_fact_is_neither_true_nor_false():
    assert holds({"malicious": True}, Facts()).answer is Answer.OPEN
    assert holds({"malicious": False}, Facts()).answer is Answer.OPEN


@pytest.mark.parametrize(
    "condition",
    [
        {"shoe_size": 42},
        {"malicious": "yes"},
        {"category": "flood"},
        {"category": {"at_least": 3}},
        {"people_count": {"more": 3}},
        {"flags": "shiny"},
        {"people_in": {"XX": 1}},
        {"any": []},
        {"any": [{"shoe_size": 1}]},
        {"not": {"category": "flood"}},
        "true",
    ],
)
def test_a_condition_that_can_never_be_answered_is_found(condition):
    assert mistakes(condition)


def test_a_sound_condition_has_no_mistakes():
    sound = {
        "any": [{"category": ["insider"]}, {"not": {"people_in": {"EU": 1}}}],
        "people_count": {"at_least": 1},
        "flags": "special",
    }
    assert mistakes(sound) == []
