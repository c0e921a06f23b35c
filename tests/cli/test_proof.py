"""`tocsin proof`: one file about one person, never over another, checked after it was written."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from incident.cli import proof as command
from incident.store import checkpoints
from tests.actions.waves import a_story


@pytest.fixture
def run(app, monkeypatch, tmp_path):
    """The command on this test's database."""
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path / "checkpoints")
    monkeypatch.setattr(command.settings, "load", lambda: SimpleNamespace())
    monkeypatch.setattr(command.start, "existing", lambda _settings: app)
    return lambda *arguments: CliRunner().invoke(command.proof, [str(one) for one in arguments])


def test_the_file_is_checked_by_the_offline_program(run, tmp_path):
    story = a_story(2)
    story.start()
    story.work()
    result = run(story.incident.ref, "P-1", tmp_path / "one.zip", "--json")
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.output)["shows"]) == 3
    kept = next((tmp_path / "checkpoints").glob("*.txt"))
    done = subprocess.run(
        [sys.executable, "-m", "incident.domain.audit", tmp_path / "one.zip", "--checkpoint", kept],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "Proven: all" in done.stdout, "P-1 of INC-" in done.stdout) == (0, True, True)


def test_a_file_that_is_there_is_never_written_over(run, tmp_path):
    (tmp_path / "one.zip").write_text("mine")
    result = run("INC-2026-0001", "P-1", tmp_path / "one.zip")
    assert (result.exit_code, (tmp_path / "one.zip").read_text()) == (2, "mine")
