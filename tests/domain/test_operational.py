"""The operational level, and the inputs of the severity that facts suggest."""

from pathlib import Path

import pytest

from incident.domain import clauses, enisa, operational, scales, severity
from incident.domain.breach import standard
from incident.domain.errors import Invalid
from incident.domain.facts import Facts

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("level", "values"),
    [
        ("low", {}),
        ("low", {"people_count": 99, "malicious": False}),
        ("moderate", {"people_count": 100}),
        ("moderate", {"malicious": True}),
        ("moderate", {"category": "phishing"}),
        ("low", {"category": "phishing", "malicious": False}),
        ("moderate", {"data_kinds": ("health",)}),
        ("high", {"category": "ransomware"}),
        ("moderate", {"category": "ransomware", "malicious": True, "backup_available": True}),
        ("high", {"people_count": 10_000}),
        ("high", {"malicious": True, "exfiltration": "confirmed"}),
        ("high", {"properties": ("availability",), "restore_hours": 24}),
        ("moderate", {"properties": ("availability",), "restore_hours": 23}),
        ("critical", {"category": "ransomware", "backup_available": False}),
        ("critical", {"core_function": True}),
        ("critical", {"people_count": 1_000_000}),
        ("critical", {"significant_incident": True, "still_going_on": True}),
        ("high", {"significant_incident": True, "still_going_on": False}),
        ("critical", {"loss_cny": 20_000_000}),
        ("high", {"loss_cny": 19_999_999}),
    ],
)
def test_the_highest_criterion_that_holds_gives_the_level(level, values):
    grade = operational.graded(Facts(values))
    assert grade.level.word == level
    assert grade.reasons


def test_what_could_still_raise_the_level_is_named_but_nothing_else():
    grade = operational.graded(Facts({"people_count": 1_000_000}))
    assert grade.open == ()
    assert "core_function" in operational.graded(Facts({"people_count": 10_000})).open


def test_every_criterion_can_be_answered_and_stands_in_the_documentation():
    text = (ROOT / "docs/grading.md").read_text(encoding="utf-8")
    for row in standard()["operational"]:
        assert clauses.condition(row["when"])
        assert row["text"] in text
    for level in operational.Level:
        assert operational.reaction(level.word) in text


SUGGESTED = [
    # values, dpc, ei, cb
    ({"data_kinds": ("name", "email")}, 1, 1.0, 0.5),
    ({"data_kinds": ("email",)}, 1, 0.75, 0.5),
    ({"data_kinds": ("name",)}, 1, 0.5, 0.5),
    ({"data_kinds": ("user_name",)}, 1, 0.5, 0.5),
    ({"data_kinds": ("preferences",)}, 2, 0.25, 0.5),
    ({"data_kinds": ("name", "id_number")}, 3, 1.0, 0.5),
    ({"data_kinds": ("name", "address", "payment_card_code")}, 4, 1.0, 0.5),
    ({"data_kinds": ("name", "address", "bank_statement")}, 3, 1.0, 0.5),
    ({"data_kinds": ("name", "address", "bank_statement"), "minors": True}, 4, 1.0, 0.5),
    ({"data_kinds": ("health",), "recipients": "known"}, 4, 0.25, 0.25),
    (
        {"data_kinds": ("health", "name", "email"), "encryption": "state_of_the_art", "key_compromised": False},
        4,
        0.25,
        0.5,
    ),
    (
        {"data_kinds": ("email",), "recipients": "nobody", "properties": ("availability",), "backup_available": False},
        1,
        0.75,
        0.5,
    ),
    (
        {
            "data_kinds": ("email",),
            "recipients": "nobody",
            "properties": ("availability", "integrity"),
            "backup_available": True,
            "restore_hours": 9,
        },
        1,
        0.75,
        0.5,
    ),
    ({"data_kinds": ("email",), "recipients": "public", "malicious": True}, 1, 0.75, 1.0),
]


@pytest.mark.parametrize(("values", "dpc", "ei", "cb"), SUGGESTED)
def test_facts_suggest_every_input_with_a_reason(values, dpc, ei, cb):
    inputs = severity.suggested(Facts(values))
    found = inputs.severity()
    assert (found.dpc, found.ei, found.cb) == (dpc, ei, cb)
    assert set(inputs.reasons) == set(severity.CAPTIONS)
    assert all(inputs.reasons.values())


def test_what_the_sum_leaves_out_is_flagged_beside_it():
    safe = {"encryption": "state_of_the_art", "key_compromised": False, "data_kinds": ("name",), "people_count": 101}
    assert len(severity.suggested(Facts(safe)).flags) == 2
    assert severity.suggested(Facts({"data_kinds": ("name",), "people_count": 100})).flags == ()


def test_an_input_outside_the_method_is_refused_by_name():
    with pytest.raises(Invalid) as refused:
        severity.Inputs(integrity="a bit").severity()
    assert refused.value.field == "integrity"


def test_before_the_kinds_of_data_are_known_there_is_no_severity_for_people():
    scale = {one.scale for one in scales.proposals(Facts({"personal_data": True}))}
    assert scale == {scales.Scale.OPERATIONAL}
    more = {one.scale for one in scales.proposals(Facts({"data_kinds": ("name",), "residents": {"CN": 1}}))}
    assert more == {scales.Scale.OPERATIONAL, scales.Scale.PEOPLE, scales.Scale.CHINA}


def test_every_level_has_a_word_and_a_tone():
    for levels in scales.LEVELS.values():
        for level in levels:
            assert scales.words(level)
            assert scales.tone(level) in {"late", "soon", "owed", "idle"}
    assert set(enisa.MEANING) == set(enisa.Level)
