"""`tocsin laws …`: no database, verdicts and exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from incident.cli.laws import laws

DESCRIBED = Path(__file__).parent.parent / "laws" / "described.json"
GDPR = {
    "id": "C-1",
    "kind": "deadline",
    "regime": "EU-GDPR",
    "facts": {
        "aware_at": "2026-03-10T14:20:00+01:00",
        "timezone": "Europe/Berlin",
        "recipient": "supervisory_authority",
    },
    "expected": {"due_utc": "2026-03-13T13:20:00Z", "match": "instant"},
}


def run(tmp_path, *args, held=None):
    if held is not None:
        file = tmp_path / "given.json"
        file.write_text(held if isinstance(held, str) else json.dumps(held), encoding="utf-8")
        args = (*args, str(file))
    return CliRunner().invoke(laws, args)


def case(**changes):
    return {**GDPR, **changes}


def test_the_library_has_no_mistakes(tmp_path):
    reply = run(tmp_path, "check")
    assert reply.exit_code == 0
    assert json.loads(run(tmp_path, "check", "--json").output)["usable"] is True


def test_cases_of_many_regimes_pass(tmp_path):
    reply = CliRunner().invoke(laws, ["cases", str(DESCRIBED)])
    count = len(json.loads(DESCRIBED.read_text(encoding="utf-8"))["cases"])
    assert reply.output.splitlines()[-1] == f"{count} passed, 0 failed, 0 skipped"
    assert reply.exit_code == 0


def test_one_verdict_a_case_and_a_last_line(tmp_path):
    reply = run(tmp_path, "cases", held={"cases": [case(), case(id="C-2")]})
    assert reply.output.splitlines() == ["pass  C-1", "pass  C-2", "2 passed, 0 failed, 0 skipped"]
    assert reply.exit_code == 0


def test_a_wrong_answer_fails_and_says_expected_and_got(tmp_path):
    wrong = case(expected={"due_utc": "2026-03-13T13:21:00Z", "match": "instant"})
    reply = run(tmp_path, "cases", held={"cases": [wrong]})
    assert "expected '2026-03-13T13:21:00Z', got '2026-03-13T13:20:00Z'" in reply.output
    assert reply.output.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"
    assert reply.exit_code == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"regime": "XX-LAW"}, "the regime 'XX-LAW'"),
        ({"kind": "riddle"}, "the kind 'riddle'"),
        ({"facts": {"aware_at": "2026-03-10T14:20:00Z", "phase_of_the_moon": True}}, "'phase_of_the_moon'"),
        ({"facts": {"dreamt_at": "2026-03-10T14:20:00Z"}}, "'dreamt_at'"),
        ({"facts": {"aware_at": "2026-03-10T14:20:00Z", "step": "encore"}}, "'encore'"),
        ({"facts": {"aware_at": "2026-03-10T14:20:00Z", "entity": "circus"}}, "'circus'"),
        ({"facts": {"aware_at": "2026-03-10T14:20:00"}}, "offset"),
        ({"facts": {"aware_at": 5}}, "ISO form"),
        ({"facts": {"aware_at": "2026-03-10T14:20:00Z", "timezone": "Mars/Base"}}, "time zone"),
        ({"facts": {"people": -5}}, "whole number"),
        ({"facts": {"timezone": 5}}, "timezone is a word"),
        ({"facts": {"entity": 5}}, "entity is a word"),
        ({"facts": {"encryption": 5}}, "encryption is an object"),
        ({"facts": {"dimensions": "all"}}, "dimensions is a list of words"),
        ({"facts": {}, "expected": {"steps": 5}}, "steps is a list"),
        ({"facts": {}, "expected": {"accepted_on": "x"}}, "accepted_on is a list"),
    ],
)
def test_what_is_not_supported_or_has_the_wrong_shape_is_skipped_by_name(tmp_path, changes, words):
    reply = run(tmp_path, "cases", held={"cases": [case(**changes)]})
    assert reply.output.startswith("skip  C-1")
    assert words in reply.output
    assert reply.output.splitlines()[-1] == "0 passed, 0 failed, 1 skipped"
    assert reply.exit_code == 1


def test_an_expectation_nobody_answers_fails(tmp_path):
    reply = run(tmp_path, "cases", held={"cases": [case(expected={"weather": "fine"})]})
    assert "fail  C-1" in reply.output


@pytest.mark.parametrize(
    ("expected", "word"),
    [
        ({"due_on": None, "due_utc": None, "match": "none"}, "pass"),
        ({"due_on": "2026-05-02", "match": "date"}, "pass"),
        ({"due_on": "2026-05-03", "match": "date"}, "fail"),
    ],
)
def test_where_the_law_gives_no_time_none_is_shown_and_the_advised_day_is_lawful(tmp_path, expected, word):
    """Japan, preliminary report: promptly; the guidelines read this as about 3 to 5 days, the day of knowing included."""
    facts = {"known_on": "2026-04-28", "timezone": "Asia/Tokyo", "case": "over_1000_persons", "step": "preliminary"}
    asked = {"id": "J", "kind": "deadline", "regime": "JP-APPI", "title": "t", "facts": facts, "expected": expected}
    held = {"format_version": 1, "cases": [asked]}
    assert run(tmp_path, "cases", held=held).output.startswith(word)


def test_further_lawful_answers_are_accepted(tmp_path):
    texas = case(
        regime="US-TX",
        facts={"determined_on": "2026-01-15", "recipient": "attorney_general", "residents_affected": 250},
        expected={
            "due_utc": "2026-02-18T05:59:59Z",
            "due_on": "2026-02-17",
            "accepted_on": ["2026-02-14", "2026-02-17"],
            "match": "date",
        },
    )
    assert run(tmp_path, "cases", held={"cases": [texas]}).exit_code == 0


@pytest.mark.parametrize(
    "held",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"cases": 5}',
        '{"cases": [5]}',
        '{"cases": [{"id": "x"}]}',
        '{"cases": [{"id": "x", "kind": "k", "facts": 1, "expected": {}}]}',
        "[" * 100_000,
    ],
)
def test_a_broken_file_is_a_sentence_and_exit_code_2(tmp_path, held):
    reply = run(tmp_path, "cases", held=held)
    assert reply.exit_code == 2
    assert "Error:" in reply.output
    assert "Traceback" not in reply.output


def test_a_file_that_is_not_there_is_exit_code_2(tmp_path):
    assert run(tmp_path, "cases", str(tmp_path / "none.json")).exit_code == 2


def test_evaluating_facts_says_what_is_owed_and_what_to_ask(tmp_path):
    facts = {"personal_data": True, "residents": {"DE": 5}, "role": "controller", "aware_at": "2026-11-18T08:10:00Z"}
    reply = run(tmp_path, "evaluate", "--law", "EU-GDPR", held=facts)
    assert reply.exit_code == 0
    assert "open      EU-GDPR/tell-authority" in reply.output
    assert "owed      EU-GDPR/register" in reply.output
    assert "? Risk to the people concerned (risk_to_people) decides 2" in reply.output


def test_evaluating_as_json_names_the_citation_and_the_confidence(tmp_path):
    facts = {"facts": {"personal_data": True, "residents": {"DE": 5}, "role": "controller", "risk_to_people": "risk"}}
    found = json.loads(run(tmp_path, "evaluate", "--json", "--law", "EU-GDPR", held=facts).output)
    first = found["findings"][0]
    assert (first["duty"], first["standing"]) == ("EU-GDPR/tell-authority", "owed")
    assert first["clock"]["state"] == "date_missing"
    assert first["cite"]["place"] == "Art. 33(1)"


@pytest.mark.parametrize("held", ["[]", '{"no_such_fact": 1}', '{"aware_at": "never"}', '{"residents": {"ZZ": 1}}'])
def test_facts_that_cannot_be_read_are_exit_code_2(tmp_path, held):
    assert run(tmp_path, "evaluate", held=held).exit_code == 2


def test_an_unknown_law_is_exit_code_2(tmp_path):
    assert run(tmp_path, "evaluate", "--law", "XX", held="{}").exit_code == 2
