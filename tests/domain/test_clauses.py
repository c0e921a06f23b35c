import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain.clauses import Answer, Truth, both, either, read
from incident.domain.facts import Facts

YES, NO, OPEN = (
    Answer(Truth.YES, ("yes",)),
    Answer(Truth.NO, ("no",)),
    Answer(Truth.OPEN, ("open",), frozenset({"minors"})),
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
        ({"cac_level": ["major"]}, {"pi_people_cn": 10_000_000}, Truth.YES),
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
    assert answer(clause, "US").wants == {"residents"}


def test_an_open_clause_names_the_question_that_settles_it():
    assert answer({"people": {"least": 5}}).wants == {"people_count"}
    assert answer({"told_at_once": {"least": 5}}).wants == {"residents"}
    assert answer({"cac_level": ["major"]}).wants == {"residents", "loss_cny", "qualitative_clause"}


def test_reasons_are_sentences_with_numbers():
    assert answer({"residents": {"least": 250}}, residents={"US-TX": 249}).because == (
        "People in Texas: 249, the law asks for at least 250",
    )
    assert answer({"minors": True}, minors=False).because == ("Are children among them? no",)
    assert answer({"places": "EU"}, residents={"DE": 7}).because == ("People in the European Union: 7",)
