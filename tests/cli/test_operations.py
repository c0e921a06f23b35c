"""Backup, restore, check and the record's commands, as an administrator runs them; each on either database."""

import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url

from incident import clock, settings, start
from incident.actions import checkpoints, evidence, intake, people
from incident.cli import tocsin
from incident.domain import audit as rules
from incident.domain.errors import Refused
from incident.store import backups, crates, dispatches, keys
from incident.store import checkpoints as signed
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.incidents import Incident, Note
from incident.store.keys import KeysError
from incident.store.sealed import Erased
from tests.conftest import DATABASES
from tests.record import verbs


def pytest_generate_tests(metafunc):
    if "place" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        metafunc.parametrize("place", DATABASES if chosen == "both" else (chosen,), indirect=True)


class Place:
    """Where an installation is, and the `tocsin` command there."""

    def __init__(self, folder, monkeypatch, server):
        self.instance, self._patch, self._server = folder / "instance", monkeypatch, server
        self.go("instance")

    def go(self, name):
        """Be another machine, with a database of its own."""
        self.instance = self.instance.parent / name
        self._patch.setenv("TOCSIN_INSTANCE", str(self.instance))
        if self._server:
            self._make_database(f"{self.instance.parent.name}_{name}".replace("-", "_"))

    def _make_database(self, name):
        engine = create_engine(self._server.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        self._patch.setenv("TOCSIN_DATABASE_URL", self._server.url(name))

    def fill_from(self, other):
        """Have what another database of the server has, as a copy of it has."""
        name = make_url(settings.load().database_url).database
        engine = create_engine(self._server.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{other}"'))
        engine.dispose()

    def app(self):
        return start.prepare(settings.load())

    def run(self, *arguments):
        """Exit code and everything that was said."""
        done = CliRunner().invoke(tocsin, [str(part) for part in arguments])
        failed = isinstance(done.exception, Exception)  # what main() answers with a sentence and 2
        return (2, f"{done.output}{done.exception}") if failed else (done.exit_code, done.output)


@pytest.fixture
def place(request, tmp_path, monkeypatch):
    for name in ("TOCSIN_DATABASE_URL", "TOCSIN_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    return Place(tmp_path, monkeypatch, server)


@pytest.fixture
def filled(place):
    """An installation with an incident, notes, a piece of evidence and a checkpoint."""
    with place.app().app_context():
        ref = intake.log(
            kind="incident",
            title="Copied",
            facts={},
            source="s",
            confidence="high",
            actor="U-0TEST000",
            now=clock.now(),
        )
        evidence.bring(
            ref,
            io.BytesIO(b"x" * 300_000),
            name="disk.img",
            brought_by="somebody",
            description="",
            folder=place.instance / "files",
            actor="U-0TEST000",
            now=clock.now(),
        )
        for _ in range(3):
            intake.add_note(ref, "seen", actor="U-0TEST000", now=clock.now())
        checkpoints.sign(actor="cli", now=clock.now())
        db.session.remove()
        db.engine.dispose()
    return place


def moved(place, keys=True):
    """Another, empty machine; the keys were brought there by hand."""
    from_here = place.instance / "keys"
    place.go("elsewhere")
    (place.instance / "keys").mkdir(parents=True, mode=0o700)
    for path in from_here.iterdir() if keys else ():
        (place.instance / "keys" / path.name).write_bytes(path.read_bytes())
        (place.instance / "keys" / path.name).chmod(0o600)


def test_a_backup_brings_everything_back_with_sending_frozen(filled, tmp_path):
    backup = tmp_path / "backup.tar"
    (filled.instance / "laws" / "insurer.toml").write_text("# the user's own law file")
    assert filled.run("backup", backup)[0] == 0
    assert backup.stat().st_mode & 0o077 == 0
    moved(filled)
    code, said = filled.run("restore", backup)
    assert (code, "Sending is frozen" in said, "Nothing wrong was found" in said) == (0, True, True)
    with filled.app().app_context():
        assert (db.session.scalar(select(Incident.title)), len(db.session.scalars(select(Note)).all())) == ("Copied", 3)
        assert dispatches.frozen()
        assert {"instance.restored", "sending.frozen"} <= set(verbs())
        (piece,) = (filled.instance / "files").iterdir()
        _, pieces = evidence.take_copy(
            "INC-" + str(clock.now().year) + "-0001",
            _evidence(),
            folder=filled.instance / "files",
            actor="U-0TEST000",
            now=clock.now(),
        )
        assert b"".join(pieces) == b"x" * 300_000
        intake.add_note(db.session.scalar(select(Incident.ref)), "numbered on", actor="U-0TEST000", now=clock.now())
    assert piece.stat().st_size > 300_000
    assert (filled.instance / "laws" / "insurer.toml").read_text() == "# the user's own law file"
    assert filled.run("check")[0] == 0


def _evidence():
    return db.session.scalar(text("SELECT ref FROM evidence"))


def test_sending_goes_on_only_when_somebody_says_they_have_compared(filled, tmp_path):
    assert filled.run("sending", "freeze")[0] == 0
    assert filled.run("sending", "release")[0] == 2
    assert filled.run("sending", "release", "--reconciled")[0] == 0
    with filled.app().app_context():
        assert not dispatches.frozen()
        assert verbs()[-2:] == ["sending.frozen", "sending.released"]


def test_a_copied_instance_starts_with_sending_frozen_and_the_original_does_not(filled, tmp_path):
    with filled.app().app_context():
        if db.engine.dialect.name != "sqlite":
            return
        db.session.remove()
        db.engine.dispose()
    original = filled.instance
    shutil.copytree(original, tmp_path / "copy")
    filled.go("copy")
    with filled.app().app_context():
        assert (dispatches.frozen(), verbs()[-2:]) == (True, ["instance.copied", "sending.frozen"])
    filled.run("sending", "release", "--reconciled")
    with filled.app().app_context():
        assert not dispatches.frozen()
    filled.go(original.name)
    with filled.app().app_context():
        assert not dispatches.frozen()


def test_a_copied_database_of_a_server_starts_with_sending_frozen(filled, tmp_path):
    with filled.app().app_context():
        if db.engine.dialect.name != "postgresql":
            return
        first = db.engine.url.database
        db.session.remove()
        db.engine.dispose()
    shutil.copytree(filled.instance, tmp_path / "copy")
    filled.go("copy")
    filled.fill_from(first)
    with filled.app().app_context():
        assert (dispatches.frozen(), verbs()[-2:]) == (True, ["instance.copied", "sending.frozen"])
    filled.run("sending", "release", "--reconciled")
    with filled.app().app_context():
        assert not dispatches.frozen()


def test_tables_of_a_newer_program_are_left_alone(filled):
    with filled.app().app_context():
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        db.session.remove()
        db.engine.dispose()
    code, said = filled.run("check")
    assert code == 2
    assert "A newer Tocsin has used this database: its tables are at 9999" in said
    assert "Traceback" not in said


def test_a_backup_holds_no_key_and_is_never_written_over(filled, tmp_path):
    backup = tmp_path / "backup.tar"
    assert filled.run("backup", backup)[0] == 0
    with tarfile.open(fileobj=io.BytesIO(unsealed(filled, backup))) as tar:
        names = tar.getnames()
    secrets = [path.read_bytes() for path in (filled.instance / "keys").iterdir()]
    assert all(
        name.startswith(("manifest.json", "database.sqlite", "tables/", "files/", "checkpoints/", "laws/"))
        for name in names
    )
    assert not any(secret in unsealed(filled, backup) for secret in secrets)
    assert b"Copied" in unsealed(filled, backup)
    assert b"Copied" not in backup.read_bytes()
    assert b"manifest" not in backup.read_bytes()
    assert filled.run("backup", backup)[0] != 0


def test_a_backup_that_a_disk_wrote_wrongly_is_not_kept(filled, tmp_path):
    backup = tmp_path / "backup.tar"
    ring = keys.open_ring(filled.instance / "keys")
    with filled.app().app_context():
        backups.make(backup, filled.instance, "2026-03-06T16:00:00Z", ring)
        lying = LyingRing(ring)
        with pytest.raises((Refused, KeysError)):
            backups.make(tmp_path / "other.tar", filled.instance, "2026-03-06T16:00:00Z", lying)
        db.session.remove()
        db.engine.dispose()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["backup.tar"]
    assert list(filled.instance.glob(".backing-up-*")) == []


class LyingRing:
    """What it wraps does not open again: as if other bytes had reached the disk."""

    def __init__(self, ring):
        self._ring = ring

    def wrap(self, key, place):
        number, wrapped = self._ring.wrap(key, place)
        return number, wrapped[:-1] + bytes([wrapped[-1] ^ 1])

    def unwrap(self, *wrapped):
        return self._ring.unwrap(*wrapped)


def test_a_backup_of_an_earlier_version_without_a_seal_is_still_read(filled, tmp_path):
    filled.run("backup", tmp_path / "sealed.tar")
    (tmp_path / "plain.tar").write_bytes(unsealed(filled, tmp_path / "sealed.tar"))
    moved(filled)
    assert filled.run("restore", tmp_path / "plain.tar")[0] == 0


def test_a_backup_does_not_open_with_other_keys(filled, tmp_path):
    filled.run("backup", tmp_path / "backup.tar")
    filled.go("elsewhere")
    keys.create(filled.instance / "keys")
    code, said = filled.run("restore", tmp_path / "backup.tar")
    assert (code, "not the ones" in said) == (2, True)


def test_without_its_keys_an_installation_does_not_start_and_makes_no_new_ones(filled):
    kept = {path.name: path.read_bytes() for path in (filled.instance / "keys").iterdir()}
    for path in (filled.instance / "keys").glob("master-*.json"):
        path.unlink()
    for command in (("check",), ("work", "--once"), ("keys", "rotate"), ("audit", "verify")):
        code, said = filled.run(*command)
        assert (code, "Put the key files back" in said, "Traceback" in said) == (2, True, False), command
    assert list((filled.instance / "keys").glob("master-*.json")) == []
    for name, content in kept.items():
        (filled.instance / "keys" / name).write_bytes(content)
        (filled.instance / "keys" / name).chmod(0o600)
    assert filled.run("check")[0] == 0


def test_what_was_erased_after_the_backup_does_not_come_back_by_it(filled, tmp_path):
    with filled.app().app_context():
        ref = db.session.scalar(select(Incident.ref))
        for name in ("Ann", "Bo"):
            people.add(ref, {"name": name, "email": f"{name}@example.org"}, actor="U-0TEST000", now=clock.now())
        other = intake.log(
            kind="incident", title="Other", facts={}, source="s", confidence="high", actor="U-0TEST000", now=clock.now()
        )
        people.add(other, {"name": "Cy", "email": "cy@example.org"}, actor="U-0TEST000", now=clock.now())
        db.session.remove()
        db.engine.dispose()
    filled.run("backup", tmp_path / "backup.tar")
    assert filled.run("erase", ref, "--person", "P-1", "--confirm", "P-1", "--why", "request")[0] == 0
    assert filled.run("erase", other, "--confirm", other)[0] == 0
    moved(filled)  # the list of the erased lies with the keys, and was copied with them
    assert filled.run("restore", tmp_path / "backup.tar")[0] == 0
    with filled.app().app_context():
        assert people.one(ref, "P-1").state == "erased"
        assert people.one(ref, "P-2").masked["email"]
        with pytest.raises(Erased):
            people.one(other, "P-1")
        assert "erasures.repeated" in verbs()


def test_a_restore_takes_no_more_than_ten_commands_and_five_minutes(filled, tmp_path):
    """The drill of docs/operations.md, as it stands there, with the places of this test."""
    text_ = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    drill = re.search(r"```drill\n(.*?)```", text_, re.DOTALL)[1].strip().splitlines()
    assert 0 < len(drill) <= 10
    began = clock.monotonic()
    shutil.copytree(filled.instance / "keys", tmp_path / "kept-keys")
    backup = tmp_path / "backup.tar"
    assert filled.run("backup", backup)[0] == 0
    filled.go("elsewhere")
    for line in drill:
        words = line.split("#")[0].split()
        if words[0] == "tocsin":
            here = {"/backup/tocsin.tar": backup, "register.csv": tmp_path / "register.csv"}
            done = [here.get(word, word) for word in words[1:]]
            assert filled.run(*done)[0] == 0, line
        elif words[0] == "cp":
            filled.instance.mkdir(exist_ok=True, mode=0o700)
            shutil.copytree(tmp_path / "kept-keys", filled.instance / "keys")
    assert clock.monotonic() - began < 300
    with filled.app().app_context():
        assert not dispatches.frozen()
        assert db.session.scalar(select(Incident.title)) == "Copied"


def test_nothing_is_restored_over_an_installation_or_without_its_keys(filled, tmp_path):
    backup = tmp_path / "backup.tar"
    filled.run("backup", backup)
    code, said = filled.run("restore", backup)
    assert (code, "already" in said) == (2, True)
    moved(filled, keys=False)
    code, said = filled.run("restore", backup)
    assert (code, "no key" in said) == (2, True)


def unsealed(place, backup):
    """What a backup has inside, with the keys of this place."""
    return crates.opened(backup, keys.open_ring(place.instance / "keys")).read()


HARMS = ("changed", "part missing", "part added", "cut", "end cut", "flipped", "no backup", "list changed")


def test_a_damaged_backup_restores_nothing(filled, tmp_path):
    whole = tmp_path / "backup.tar"
    filled.run("backup", whole)
    moved(filled)
    for harm in HARMS:
        broken = tmp_path / f"{harm}.tar"
        _break(filled, whole, broken, harm)
        assert filled.run("restore", broken)[0] != 0, harm
        left = [path for path in filled.instance.rglob("*") if path.parent.name != "keys" and path.is_file()]
        assert left == [], harm
    assert filled.run("restore", whole)[0] == 0


def _break(place, whole, broken, harm):
    raw = whole.read_bytes()
    outside = {
        "cut": raw[:-300_000],
        "end cut": raw[:-1],
        "flipped": raw[: len(raw) // 2] + bytes([raw[len(raw) // 2] ^ 1]) + raw[len(raw) // 2 + 1 :],
        "no backup": b"hello",
    }
    if harm in outside:
        broken.write_bytes(outside[harm])
        return
    with tarfile.open(fileobj=io.BytesIO(unsealed(place, whole))) as source, tarfile.open(broken, "w") as target:
        for entry in source:
            raw = source.extractfile(entry).read()
            if harm == "part missing" and entry.name.startswith("files/"):
                continue
            if harm == "changed" and entry.name.startswith("files/"):
                raw = raw[:-1] + bytes([raw[-1] ^ 1])
            if harm == "list changed" and entry.name == "manifest.json":
                raw = raw.replace(b'"size":', b'"size":1')
                entry.size = len(raw)
            target.addfile(entry, io.BytesIO(raw))
        if harm == "part added":
            extra = tarfile.TarInfo("../outside")
            extra.size = 1
            target.addfile(extra, io.BytesIO(b"x"))


def test_the_check_names_what_does_not_fit(filled):
    assert filled.run("check")[0] == 0
    with filled.app().app_context():
        with db.engine.connect().execution_options(tocsin_write=True) as other:
            guard = {"sqlite": "DROP TRIGGER note_no_update", "postgresql": "DROP TRIGGER note_no_change ON note"}
            other.execute(text(guard[db.engine.dialect.name]))
            other.execute(text("UPDATE incident SET state = 'closed'"))
            other.execute(text("UPDATE evidence SET ref = 'E-NOLINE00'"))
            columns = "ref, incident_id, title, stage, audience, channels, languages, drafter, editors, number, drafted_at, changed_at, changed_by, revision"
            values = "'N-FORGED00', 1, 't', 'approved', '{}', '[]', '[]', 'U-1', '[]', 1, :now, :now, 'U-1', 1"
            other.execute(
                text(f"INSERT INTO notice ({columns}) VALUES ({values})"), {"now": clock.now().replace(tzinfo=None)}
            )
            other.commit()
        db.session.remove()
        db.engine.dispose()
    next((filled.instance / "files").iterdir()).unlink()
    code, said = filled.run("check", "--json")
    told = json.loads(said)
    assert (code, told["ok"]) == (1, False)
    wrong = {result["about"]: " ".join(result["troubles"]) for result in told["checks"] if result["troubles"]}
    assert [word in " ".join(wrong.values()) for word in ("note_no_", "is closed, and the record", "E-NOLINE00")] == [
        True
    ] * 3
    assert len(wrong) == 5


def test_commands_that_look_do_not_make_an_installation(place):
    for command in (
        ("audit", "verify"),
        ("check",),
        ("backup", place.instance.parent / "x.tar"),
        ("audit", "checkpoint"),
    ):
        code, said = place.run(*command)
        assert (code, "no installation" in said) == (2, True)
    assert not place.instance.exists()


def test_the_record_is_verified_exported_and_signed(filled, tmp_path):
    code, note = filled.run("audit", "checkpoint")
    size = rules.Checkpoint.read(note).size
    assert (code, size > 6) == (0, True)
    (tmp_path / "outside.txt").write_text(note, encoding="utf-8")
    with filled.app().app_context():
        intake.add_note(db.session.scalar(select(Incident.ref)), "later", actor="U-0TEST000", now=clock.now())
    code, said = filled.run("audit", "verify", "--checkpoint", tmp_path / "outside.txt")
    assert (code, "speaks of the last 1 lines" in said) == (0, True)
    code, said = filled.run("audit", "export", tmp_path / "record.jsonl")
    assert code == 0
    assert rules.main([str(tmp_path / "record.jsonl"), "--checkpoint", str(tmp_path / "outside.txt")]) == 0
    assert filled.run("audit", "export", tmp_path / "record.jsonl")[0] == 2
    assert json.loads(filled.run("audit", "verify", "--json")[1])["proven"] == size + 2


def test_a_changed_record_is_found_and_not_signed(filled, tmp_path):
    with filled.app().app_context():
        intake.add_note(db.session.scalar(select(Incident.ref)), "later", actor="U-0TEST000", now=clock.now())
        last = db.session.scalar(select(AuditLine.seq).order_by(AuditLine.seq.desc()).limit(1))
        db.session.rollback()
        with db.engine.connect().execution_options(tocsin_write=True) as other:
            guard = {
                "sqlite": "DROP TRIGGER audit_line_no_update",
                "postgresql": "ALTER TABLE audit_line DISABLE TRIGGER USER",
            }
            other.execute(text(guard[db.engine.dialect.name]))
            other.execute(text("UPDATE audit_line SET actor = 'U-9' WHERE seq = :last"), {"last": last})
            other.commit()
        signed_before = signed.latest().size
        db.session.remove()
        db.engine.dispose()
    code, said = filled.run("audit", "verify")
    assert (code, f"Line {last} is not what" in said) == (1, True)
    assert filled.run("audit", "checkpoint")[0] == 1
    assert filled.run("audit", "export", tmp_path / "record.jsonl")[0] == 1
    code, said = filled.run("backup", tmp_path / "evidence.tar")
    assert (code, (tmp_path / "evidence.tar").exists(), "not in order" in said) == (1, True, True)
    with filled.app().app_context():
        assert signed.latest().size == signed_before
