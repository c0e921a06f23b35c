import stat

from tests.journeys.installation import Installation


def test_what_the_commands_write_is_for_its_owner_alone(tmp_path):
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o755)
    Installation(folder).run("work", "--once")
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert (folder / "tocsin.db") in written
    assert [path.name for path in written if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
