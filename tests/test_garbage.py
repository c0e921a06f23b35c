import gc
import subprocess
import sys

import pytest

from incident import garbage

ASKED = "import gc; from incident import cli; print(gc.get_threshold()[0])"


def test_the_command_looks_for_garbage_seldom():
    asked = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert asked.stdout == f"{garbage.AFTER}\n"


@pytest.fixture
def looks():
    """The collector as it was, afterwards."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_who_serves_pages_looks_in_small_steps_and_never_among_what_was_loaded(looks):
    garbage.in_small_steps()
    assert gc.get_threshold()[0] == garbage.STEP < garbage.AFTER / 5
    assert gc.get_freeze_count() > 10_000
