"""`tocsin register export`: every delivery with every state and time."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from incident.cli import register as command
from incident.exports.register import COLUMNS
from notifiers.contract import Outcome
from notifiers.memory import Memory
from tests.actions.waves import a_story, answering


@pytest.fixture
def run(app, monkeypatch):
    """The command on this test's database."""
    monkeypatch.setattr(command.settings, "load", lambda: None)
    monkeypatch.setattr(command.start, "existing", lambda _settings: app)
    return lambda *arguments: CliRunner().invoke(command.register, ["export", *arguments])


def a_mixed_story():
    story = a_story(
        3,
        unreachable=1,
        real={"email": Memory("email", answering(Outcome.REFUSED, "address_refused", to="person2@example.org"))},
    )
    story.start()
    story.work()
    return story


def test_every_state_and_time_stands_in_the_table(run):
    story = a_mixed_story()
    result = run()
    assert result.exit_code == 0
    records = list(csv.DictReader(io.StringIO(result.output.lstrip("\ufeff"))))
    assert list(records[0]) == list(COLUMNS)
    assert [(one["person"], one["state"], one["reason"]) for one in records] == [
        ("P-1", "accepted", ""),
        ("P-2", "failed", "address_refused"),
        ("P-3", "unreached", "no_channel"),
    ]
    assert records[0]["incident"] == story.incident.ref
    assert records[0]["handed_over_at"].startswith("2026-03-06T16:00:00")
    assert "example.org" not in result.output


def test_json_lines_hold_the_same(run):
    a_mixed_story()
    lines = [json.loads(line) for line in run("--json").output.splitlines()]
    assert [line["state"] for line in lines] == ["accepted", "failed", "unreached"]
    assert set(lines[0]) == set(COLUMNS)
    assert lines[0]["handed_over_at"] == "2026-03-06T16:00:00Z"


def test_one_incident_can_be_asked_for_and_an_unknown_one_is_named(run):
    story, other = a_mixed_story(), a_mixed_story()
    lines = [
        json.loads(line) for line in run("--format", "jsonl", "--incident", other.incident.ref).output.splitlines()
    ]
    assert {line["incident"] for line in lines} == {other.incident.ref} != {story.incident.ref}
    result = run("--incident", "INC-1999-0001")
    assert (result.exit_code, "there is no" in result.output) == (2, True)


def test_a_file_that_exists_is_never_written_over(run, tmp_path):
    a_mixed_story()
    file = tmp_path / "register.csv"
    assert run("--to", str(file)).exit_code == 0
    before = file.read_bytes()
    assert before.count(b"\r\n") == 4
    result = run("--to", str(file))
    assert (result.exit_code, file.read_bytes() == before) == (2, True)
