"""The units for systemd are such as it takes, and they start commands that there are."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from incident.cli import tocsin

UNITS = sorted((Path(__file__).parent.parent / "docs" / "systemd").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]


def name_of(path: Path) -> str:
    return path.name


def test_there_is_one_for_each_role_and_one_for_all_of_them():
    assert [path.name for path in UNITS] == [
        "tocsin-scheduler.service",
        "tocsin-web.service",
        "tocsin-worker@.service",
        "tocsin.target",
    ]


@pytest.mark.parametrize("path", SERVICES, ids=name_of)
def test_it_starts_a_command_that_there_is_and_stops_with_the_target(path):
    text = path.read_text()
    [word] = re.findall(r"^ExecStart=/opt/tocsin/\.venv/bin/tocsin (\w+)$", text, re.MULTILINE)
    assert isinstance(tocsin.whole().commands[word], click.Command)
    assert "PartOf=tocsin.target" in text
    assert "Type=notify" in text  # systemd hears that it is ready, and not only that it was begun


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_them(tmp_path):
    for path in UNITS:
        text = path.read_text().replace("/opt/tocsin/.venv/bin/tocsin", sys.executable)
        (tmp_path / path.name.replace("@.", "@1.")).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    about_ours = [line for line in (done.stdout + done.stderr).splitlines() if "tocsin" in line]
    assert (done.returncode, about_ours) == (0, [])
