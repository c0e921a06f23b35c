import gc

from incident import cli


def test_the_command_looks_for_garbage_seldom():
    assert gc.get_threshold()[0] == cli.garbage.AFTER
