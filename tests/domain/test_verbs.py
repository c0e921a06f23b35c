import ast
from pathlib import Path

import pytest

from incident.domain.verbs import VERBS, Unspeakable, sentence, speakable

ACTIONS = sorted((Path(__file__).parents[2] / "incident").rglob("*.py"))


def written(path):
    """The verbs that a file writes by name."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "write"
            and call.args
        ):
            first = call.args[0]
            choices = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            if isinstance(call.func.value, ast.Name) and call.func.value.id == "ledger":
                yield from (choice.value for choice in choices if isinstance(choice, ast.Constant))


@pytest.mark.parametrize("path", [path for path in ACTIONS if list(written(path))], ids=lambda path: path.stem)
def test_every_verb_that_is_written_is_on_the_list(path):
    assert set(written(path)) <= set(VERBS)


def test_every_verb_names_its_noun_and_has_a_sentence():
    for verb, words in VERBS.items():
        noun, dot, done = verb.partition(".")
        assert (dot, noun.islower(), done.islower()) == (".", True, True), verb
        assert words == words.strip().rstrip("."), verb
        assert words[0].islower(), verb


@pytest.mark.parametrize(
    "detail",
    [
        "ana@example.org",
        "Ana Example",
        "+49 30 123 456",
        "+4930123456",
        "He said it was late.",
        "张三",
        "a\nb",
        '","verb":"x',
        "x" * 300,
        1.5,
        b"x",
    ],
)
def test_personal_data_and_free_text_cannot_be_written(detail):
    for details in ({"said": detail}, {"said": [detail]}, {"said": {"inner": detail}}):
        with pytest.raises(Unspeakable):
            speakable("note.added", "T-1", None, details)


@pytest.mark.parametrize("subject", ["", "ana@example.org", "T 1", 'T"', "-T", "x" * 129])
def test_a_subject_is_a_reference(subject):
    with pytest.raises(Unspeakable):
        speakable("note.added", subject, None, {})
    with pytest.raises(Unspeakable):
        speakable("note.added", "T-1", subject, {})


def test_references_numbers_times_and_words_of_lists_can_be_written():
    details = {
        "digest": "9f2c" * 16,
        "at": "2026-03-01T12:00:00Z",
        "level": "very high",
        "places": {"US-TX": 4},
        "late": True,
    }
    assert speakable("note.added", "T-1", None, details).startswith('{"at":"2026')


def test_unknown_verbs_odd_keys_and_endless_details_are_refused():
    with pytest.raises(Unspeakable, match=r"verbs\.py"):
        speakable("note.eaten", "T-1", None, {})
    with pytest.raises(Unspeakable):
        speakable("note.added", "T-1", None, {"a b": 1})
    with pytest.raises(Unspeakable, match="digest"):
        speakable("note.added", "T-1", None, {"all": ["x" * 100] * 100})
    with pytest.raises(Unspeakable):
        speakable("note.added", "T-1", None, {"a": {"b": {"c": {"d": {"e": 1}}}}})


def test_a_sentence_fills_in_subject_and_details():
    assert sentence("note.added", "T-1", {}) == "wrote the note T-1"
    assert (
        sentence("facts.recorded", "INC-1", {"keys": ["aware_at", "people_count"]})
        == "recorded facts: aware_at, people_count"
    )
    assert sentence("roles.changed", "U-1", {"after": []}) == "changed the roles of U-1 from – to –"
    assert sentence("some_thing.done", "X-1", {}) == "some thing: done X-1"
