"""`tocsin bundle`: one file about one incident, never over another, checked after it was written."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from incident.cli import bundle as command
from incident.store import checkpoints
from tests.builders import an_incident


@pytest.fixture
def run(app, monkeypatch, tmp_path):
    """The command on this test's database."""
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path / "checkpoints")
    monkeypatch.setattr(command.settings, "load", lambda: SimpleNamespace())
    monkeypatch.setattr(command.start, "existing", lambda _settings: app)
    return lambda *arguments: CliRunner().invoke(command.bundle, [str(one) for one in arguments])


def test_the_file_is_checked_by_the_offline_program(run, tmp_path):
    incident = an_incident()
    result = run(incident.ref, tmp_path / "all.zip", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["incident"] == incident.ref
    kept = next((tmp_path / "checkpoints").glob("*.txt"))
    done = subprocess.run(
        [sys.executable, "-m", "incident.domain.audit", tmp_path / "all.zip", "--checkpoint", kept],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "Proven: all" in done.stdout) == (0, True)


def test_a_file_that_is_there_is_never_written_over(run, tmp_path):
    incident = an_incident()
    (tmp_path / "all.zip").write_text("mine")
    result = run(incident.ref, tmp_path / "all.zip")
    assert (result.exit_code, (tmp_path / "all.zip").read_text()) == (2, "mine")


def test_a_folder_that_cannot_be_written_to_leaves_nothing(run, tmp_path):
    assert run(an_incident().ref, tmp_path / "no" / "all.zip").exit_code == 2
