import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain.clauses import Answer, BadClause, Truth, both, condition, either, holds, read
from incident.domain.facts import Facts

YES, NO, OPEN = (
    Answer(Truth.YES, ("yes",)),
    Answer(Truth.NO, ("no",)),
    Answer(Truth.OPEN, ("open",), ("minors",)),
)
CELLS = list(itertools.product((YES, NO, OPEN), repeat=2))


@pytest.mark.parametrize(("one", "other"), CELLS)
def test_all_is_no_if_one_is_no_and_open_if_one_is_open(one, other):
    truths = {one.truth, other.truth}
    expected = Truth.NO if Truth.NO in truths else Truth.OPEN if Truth.OPEN in truths else Truth.YES
    assert both((one, other)).truth is expected


@pytest.mark.parametrize(("one", "other"), CELLS)
def test_any_is_yes_if_one_is_yes_and_open_if_one_is_open(one, other):
    truths = {one.truth, other.truth}
    expected = Truth.YES if Truth.YES in truths else Truth.OPEN if Truth.OPEN in truths else Truth.NO
    assert either((one, other)).truth is expected


@given(st.lists(st.sampled_from([YES, NO, OPEN]), min_size=1, max_size=6))
def test_only_what_is_open_wants_facts(parts):
    for answer in (both(parts), either(parts)):
        assert bool(answer.wants) == (answer.truth is Truth.OPEN)


def answer(clause, place="US-TX", **facts):
    return read(clause, place)(Facts(facts))


@pytest.mark.parametrize(
    ("clause", "facts", "truth"),
    [
        ({"minors": True}, {"minors": True}, Truth.YES),
        ({"minors": True}, {"minors": False}, Truth.NO),
        ({"minors": True}, {}, Truth.OPEN),
        ({"not": {"minors": True}}, {"minors": False}, Truth.YES),
        ({"not": {"minors": True}}, {}, Truth.OPEN),
        ({"risk_to_people": ["risk", "high"]}, {"risk_to_people": "high"}, Truth.YES),
        ({"properties": "availability"}, {"properties": ("confidentiality",)}, Truth.NO),
        ({"properties": "availability"}, {"properties": ()}, Truth.NO),
        ({"residents": {"least": 250}}, {"residents": {"US-TX": 250, "US-CA": 9}}, Truth.YES),
        ({"residents": {"more": 250}}, {"residents": {"US-TX": 250}}, Truth.NO),
        ({"residents": {"least": 1}}, {"residents": {}}, Truth.NO),
        ({"residents": {"least": 1}}, {}, Truth.OPEN),
        ({"residents": {"in": "EU", "least": 5}}, {"residents": {"DE": 2, "FR": 3}}, Truth.YES),
        ({"people": {"less": 500}}, {"people_count": 499}, Truth.YES),
        ({"people": {"most": 500}}, {"residents": {"DE": 501}}, Truth.NO),
        ({"told_at_once": {"more": 10}}, {"residents": {"US-TX": 5}, "total_notified": 11}, Truth.YES),
        ({"told_at_once": {"more": 10}}, {"residents": {"US-TX": 5}}, Truth.NO),
        ({"told_at_once": {"more": 10}}, {"residents": {"US-TX": 11}, "total_notified": 0}, Truth.YES),
        ({"told_at_once": {"more": 10}}, {"total_notified": 11}, Truth.YES),
        ({"told_at_once": {"more": 10}}, {"total_notified": 10}, Truth.OPEN),
        ({"kinds": ["ssn"]}, {"data_kinds": ("name",)}, Truth.NO),
        ({"kinds": "ssn"}, {"data_kinds": ("name", "ssn")}, Truth.YES),
        ({"flags": "special"}, {"data_kinds": ("health",)}, Truth.YES),
        ({"flags": "special"}, {}, Truth.OPEN),
        ({"established": True}, {"establishments": ("US-TX",)}, Truth.YES),
        ({"established": "EU"}, {"establishments": ("GB",)}, Truth.NO),
        ({"places": "EU"}, {"residents": {"FR": 1}}, Truth.YES),
        ({"places": "EU"}, {"residents": {"GB": 1}}, Truth.OPEN),
        ({"places": "EU"}, {"residents": {"GB": 1}, "establishments": ("GB",)}, Truth.NO),
        ({"places": "EU"}, {"establishments": ("FR",)}, Truth.YES),
        ({"loss_cny": {"least": 5}}, {"loss_cny": 5}, Truth.YES),
        ({"cac_level": ["major"]}, {"pi_people_cn": 10_000_000}, Truth.OPEN),
        ({"cac_level": ["major", "particularly_major"]}, {"pi_people_cn": 10_000_000}, Truth.YES),
        ({"cac_level": ["general"]}, {"pi_people_cn": 10_000_000}, Truth.NO),
        ({"offers": "EU"}, {"markets": ("FR",)}, Truth.YES),
        ({"offers": True}, {"markets": ("FR",)}, Truth.NO),
        ({"offers": "EU"}, {}, Truth.OPEN),
        ({"cac_level": ["major"]}, {"pi_people_cn": 5}, Truth.OPEN),
        ({"cac_level": ["major"]}, {"pi_people_cn": 5, "loss_cny": 0, "qualitative_clause": "none"}, Truth.NO),
        ({"any": [{"minors": True}, {"malicious": True}]}, {"malicious": True}, Truth.YES),
        ({"all": [{"minors": True}, {"malicious": True}]}, {"malicious": False}, Truth.NO),
        ({"minors": True, "malicious": True}, {"minors": True}, Truth.OPEN),
    ],
)
def test_a_clause_answers(clause, facts, truth):
    assert answer(clause, **facts).truth is truth


def test_the_state_with_the_most_people_counts_apart_from_the_country():
    clause = {"largest_state": {"more": 500}}
    assert answer(clause, "US", residents={"US-CA": 501, "US": 4000}).truth is Truth.YES
    assert answer(clause, "US", residents={"US-CA": 500, "US-NV": 500}).truth is Truth.NO
    assert answer(clause, "US").wants == ("residents",)


def test_an_open_clause_names_the_question_that_settles_it():
    assert answer({"people": {"least": 5}}).wants == ("people_count",)
    assert answer({"told_at_once": {"least": 5}}).wants == ("residents",)
    assert answer({"cac_level": ["major"]}).wants == ("residents", "loss_cny", "qualitative_clause")


def test_reasons_are_sentences_with_numbers():
    assert answer({"residents": {"least": 250}}, residents={"US-TX": 249}).because == ("People in Texas: 249 < 250",)
    assert answer({"minors": True}, minors=False).because == ("Are children among them? no",)
    assert answer({"places": "EU"}, residents={"DE": 7}).because == ("People in the European Union: 7",)


def test_a_comparison_is_told_as_it_turned_out_also_under_a_not():
    some_people = {"people_count": 500}
    assert answer({"people": {"more": 500}}, **some_people).because == ("People concerned: 500 ≤ 500",)
    assert answer({"not": {"people": {"more": 500}}}, **some_people).because == ("People concerned: 500 ≤ 500",)
    assert answer({"people": {"least": 1, "most": 600}}, **some_people).because == ("People concerned: 500 ≥ 1 ≤ 600",)
    assert answer({"people": {"least": 5}}).because == ("People concerned: not known yet, at least 5 asked for",)


def test_equal_clauses_are_one_and_answer_once():
    one, other = read({"minors": True, "malicious": True}, "US-TX"), read({"minors": True, "malicious": True}, "FR")
    assert one is other
    facts = Facts({"minors": True, "malicious": False})
    assert one(facts) is other(facts)
    assert read({"residents": {"least": 1}}, "US-TX") is not read({"residents": {"least": 1}}, "FR")


def test_an_answer_of_other_facts_is_never_remembered_for_these():
    clause = read({"minors": True}, "FR")
    facts = Facts({"minors": True})
    assert clause(facts).truth is Truth.YES
    assert clause(facts.with_({"minors": False})).truth is Truth.NO


# ---------------------------------------------------------------- conditions of playbooks and of the grade

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
    ("raw", "truth"),
    [
        ({}, "yes"),
        ({"backup_available": False}, "yes"),
        ({"category": ["phishing", "ransomware"]}, "yes"),
        ({"data_kinds": "password"}, "yes"),
        ({"data_kinds": ["health", "genetic"]}, "no"),
        ({"flags": "credential"}, "yes"),
        ({"people_count": {"at_least": 1500}}, "yes"),
        ({"people_count": {"at_least": 1501}}, "no"),
        ({"people_count": {"at_least": 1, "at_most": 1499}}, "no"),
        ({"people_in": {"EU": 500}}, "yes"),
        ({"people_in": {"CN": 1001}}, "no"),
        ({"people_in": {"CN": 1, "EU": 501}}, "no"),
        ({"minors": True}, "open"),
        ({"contained_at": {"known": True}}, "no"),
        ({"contained_at": {"known": False}}, "yes"),
        ({"any": [{"minors": True}, {"malicious": False}]}, "open"),
        ({"minors": True, "malicious": False}, "no"),
    ],
)
def test_each_form_of_condition_of_a_playbook_answers_in_three_ways(raw, truth):
    assert holds(raw, KNOWN).truth == truth


def test_what_would_decide_an_open_condition_is_named_once_and_in_order():
    found = holds({"minors": True, "any": [{"exfiltration": "confirmed"}, {"minors": True}]}, Facts())
    assert (found.truth, found.wants) == (Truth.OPEN, ("minors", "exfiltration"))


def test_what_decided_a_condition_is_named():
    assert holds({"malicious": True, "people_in": {"CN": 1}}, KNOWN).rests == ("malicious", "residents")


@pytest.mark.parametrize(
    "raw",
    [
        {"shoe_size": 42},
        {"malicious": "yes"},
        {"malicious": 1},
        {"category": "flood"},
        {"category": {"at_least": 3}},
        {"people_count": {"about": 3}},
        {"flags": "shiny"},
        {"flags": [["shiny"]]},
        {"people_in": {"XX": 1}},
        {"people_in": ["CN"]},
        {"people_in": {"CN": "many"}},
        {"any": []},
        {"any": [{"shoe_size": 1}]},
        {"any": [{}]},
        {"not": {"category": "flood"}},
        "true",
    ],
)
def test_a_condition_that_can_never_be_answered_is_found(raw):
    with pytest.raises(BadClause):
        condition(raw)


@pytest.mark.parametrize("raw", [{"contained_at": {"known": True}}, {"people_in": {"CN": 1}}])
def test_a_law_cannot_ask_whether_something_is_known(raw):
    with pytest.raises(BadClause):
        read(raw, "FR")


def test_where_people_live_is_known_and_nobody_in_china_the_grade_does_not_ask_again():
    assert answer({"cac_level": ["major"]}, residents={"DE": 5}).wants == ("loss_cny", "qualitative_clause")
