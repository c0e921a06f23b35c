"""`tocsin grade FACTS.json`: no database, exit codes 0 and 2."""

import json

import pytest
from click.testing import CliRunner

from incident.cli.grade import grade

FACTS = {
    "category": "data_leak",
    "malicious": True,
    "personal_data": True,
    "data_kinds": ["name", "health"],
    "exfiltration": "confirmed",
    "people_count": 20_000,
    "residents": {"CN": 1_500_000},
}


def run(tmp_path, facts, *options):
    file = tmp_path / "facts.json"
    file.write_text(facts if isinstance(facts, str) else json.dumps(facts), encoding="utf-8")
    return CliRunner().invoke(grade, [str(file), *options])


def test_every_scale_is_told_with_formula_and_reasons(tmp_path):
    reply = run(tmp_path, FACTS)
    assert reply.exit_code == 0
    assert "Operational level: high" in reply.output
    assert "SE = DPC × EI + CB = 4 × 0.5 + 1 = 3" in reply.output
    assert "Grade in China: relatively major" in reply.output
    assert "Risk to people, suggested: a high risk" in reply.output
    assert "Could change with:" in reply.output


def test_as_json_it_can_be_read_by_programs(tmp_path):
    found = json.loads(run(tmp_path, {"facts": FACTS}, "--json").output)
    levels = {row["scale"]: row["level"] for row in found["grades"]}
    assert levels == {"operational": "high", "people": "high", "china": "relatively_major"}
    assert found["risk_to_people"]["suggested"] == "high"


def test_the_words_of_described_cases_are_understood(tmp_path):
    case = {
        "role": "controller",
        "incident_type": "ransomware",
        "dimensions": ["availability"],
        "data_categories": ["customer_contact"],
        "malicious": True,
        "encryption": {"state": "none", "key_compromised": None},
        "backup": {"available": True, "restore_hours": "few"},
        "exfiltration": "none_confirmed_by_logs",
    }
    found = json.loads(run(tmp_path, case, "--json").output)
    assert found["risk_to_people"]["suggested"] == "unlikely"


def test_a_vector_is_scored_beside_them(tmp_path):
    reply = run(tmp_path, {"category": "vulnerability"}, "--cvss", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    assert "critical 9.8" in reply.output


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        '"text"',
        '{"shoe_size": 42}',
        '{"people_count": "many"}',
        '{"category": "flood"}',
        '{"facts": 3}',
        '{"loss_cny": -5}',
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_two(tmp_path, broken):
    reply = run(tmp_path, broken)
    assert reply.exit_code == 2
    assert "Error: " in reply.output
    assert "Traceback" not in reply.output


def test_a_bad_vector_and_a_missing_file_are_too(tmp_path):
    assert run(tmp_path, FACTS, "--cvss", "nonsense").exit_code == 2
    assert CliRunner().invoke(grade, [str(tmp_path / "nowhere.json")]).exit_code == 2
