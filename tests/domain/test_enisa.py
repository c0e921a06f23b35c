"""The ENISA severity: SE = DPC x EI + CB."""

import pytest

from incident.domain import enisa
from incident.domain.errors import Invalid
from incident.domain.facts import vocabulary


@pytest.mark.parametrize(
    ("dpc", "ei", "cb", "se", "level"),
    [
        (1, 0.25, 0, 0.25, "low"),
        (3, 0.5, 0.25, 1.75, "low"),
        (2, 1, 0, 2, "medium"),
        (2, 0.75, 1.25, 2.75, "medium"),
        (3, 1, 0, 3, "high"),
        (3, 0.75, 1.5, 3.75, "high"),
        (4, 1, 0, 4, "very_high"),
        (4, 1, 2, 6, "very_high"),
        (4, 0.75, {"confidentiality": 0.5, "malicious_intent": 0.5}, 4, "very_high"),
    ],
)
def test_severity_and_band_follow_the_formula(dpc, ei, cb, se, level):
    assert enisa.enisa(dpc, ei, cb) == (se, level)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("dpc", (0.5, 1, 0)),
        ("dpc", (5, 1, 0)),
        ("dpc", (True, 1, 0)),
        ("dpc", (float("nan"), 1, 0)),
        ("ei", (2, 0.6, 0)),
        ("cb", (2, 1, 3)),
        ("cb", (2, 1, -0.25)),
        ("cb", (2, 1, {"confidentiality": "much"})),
    ],
)
def test_inputs_outside_the_method_are_refused_by_name(field, values):
    with pytest.raises(Invalid) as refused:
        enisa.severity(*values)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("facts", "score"),
    [
        ({"component": "DPC", "category": "simple", "base": 1, "adjust": 2}, 3),
        ({"component": "DPC", "category": "behavioural", "adjust": -1}, 1),
        ({"component": "DPC", "category": "financial", "base": 3, "adjust": -2}, 1),
        ({"component": "DPC", "category": "sensitive", "base": 4, "adjust": 1}, 4),
        ({"component": "DPC", "category": "simple", "base": 1, "adjust": -1}, 1),
        ({"component": "CB", "element": "confidentiality", "state": "known_recipients"}, 0.25),
        ({"component": "CB", "element": "integrity", "state": "altered_recoverable"}, 0.25),
        ({"component": "CB", "element": "integrity", "state": "altered_not_recoverable"}, 0.5),
        ({"component": "CB", "element": "availability", "state": "recoverable"}, 0),
        ({"component": "CB", "element": "availability", "state": "permanent"}, 0.5),
        ({"component": "CB", "element": "malicious_intent", "state": True}, 0.5),
        ({"component": "CB", "element": "malicious_intent", "state": False}, 0),
    ],
)
def test_components_score_as_the_annexes_say(facts, score):
    assert enisa.component(facts) == score


@pytest.mark.parametrize(
    ("identifier", "context", "score"),
    [
        ("full_name", "shared by many people in the country", 0.25),
        ("full_name", "combined with date of birth and e-mail address", 1),
        ("full_name", "few people share it", 0.5),
        ("full_name", "unique in a small town", 0.75),
        ("email", "used as primary identifier", 0.75),
        ("email", "does not reveal who it is", 0.25),
        ("picture", "vague, from a distant camera", 0.25),
        ("picture", "clear and linked to additional information", 1),
        ("picture", "clear", 0.75),
        ("code", "not linkable to anyone", 0.25),
        ("code", "reveals data about the individual", 0.75),
        ("code", "key list was in the breach too", 1),
        ("id_card_number", "no other information", 0.25),
        ("id_card_number", "with date of birth", 0.75),
        ("passport", "together with the full name and a photo", 1),
    ],
)
def test_the_ease_of_identification_depends_on_the_circumstances(identifier, context, score):
    assert enisa.component({"component": "EI", "identifier": identifier, "context": context}) == score


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("component", {"component": "XX"}),
        ("category", {"component": "DPC", "category": "secret"}),
        ("adjust", {"component": "DPC", "category": "simple", "adjust": 0.5}),
        ("identifier", {"component": "EI", "identifier": "shoe size"}),
        ("element", {"component": "CB", "element": "beauty", "state": "true"}),
        ("state", {"component": "CB", "element": "availability", "state": "a bit"}),
    ],
)
def test_words_outside_the_method_are_refused_by_name(field, facts):
    with pytest.raises(Invalid) as refused:
        enisa.component(facts)
    assert refused.value.field == field


def test_every_kind_of_data_has_a_base_score():
    assert {kind.enisa for kind in vocabulary().kinds.values()} <= set(enisa.BASE)


@pytest.mark.parametrize(
    ("identifier", "row"),
    [
        ("e-mail", "email"),
        ("telephone number", "telephone"),
        ("home_address", "telephone"),
        ("photo", "picture"),
        ("alias", "code"),
        ("initials", "code"),
        ("nickname", "code"),
        ("social_security_number", "id_number"),
        ("ID card", "id_number"),
        ("passport_number", "id_number"),
        ("driving licence", "id_number"),
        ("name", "full_name"),
    ],
)
def test_other_words_for_an_identifier_belong_to_the_same_row(identifier, row):
    assert enisa.ei_score(identifier, "") == enisa.ei_score(row, "")
