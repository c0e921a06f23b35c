import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text, update

from incident import start
from incident.actions.ledger import transaction
from incident.domain.errors import Invalid
from incident.settings import Settings
from incident.store import files, keys, sealed
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.keys import KeysError
from incident.store.sealed import DataKey, Erased, Unreadable

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)


@pytest.fixture
def incidents(app):
    with transaction("system", NOW) as ledger:
        rows = [
            Incident(ref=f"INC-2026-000{n}", kind="incident", title="t", opened_at=NOW, opened_by="system")
            for n in (1, 2)
        ]
        db.session.add_all(rows)
        ledger.write("incident.opened", "INC-2026-0001")
    return [row.id for row in rows]


def test_a_sealed_value_opens_at_its_place_in_its_incident_alone(incidents):
    first, second = incidents
    kept = sealed.seal(first, "note.text:N-1", b"a secret")
    assert b"secret" not in kept
    assert sealed.unseal(first, "note.text:N-1", kept) == b"a secret"
    for incident, place in (
        (first, "note.text:N-2"),
        (first, "note.title:N-1"),
        (second, "note.text:N-1"),
        (None, "note.text:N-1"),
    ):
        with pytest.raises(Unreadable):
            sealed.unseal(incident, place, kept)


@pytest.mark.parametrize("position", [0, 5, 20, -1])
def test_a_changed_byte_is_noticed(incidents, position):
    kept = bytearray(sealed.seal(incidents[0], "here", b"a secret"))
    kept[position] ^= 1
    with pytest.raises(Unreadable):
        sealed.unseal(incidents[0], "here", bytes(kept))


def test_a_mark_is_the_same_for_the_same_value_and_purpose_of_one_incident_only(incidents):
    first, second = incidents
    one = sealed.mark(first, "email", "a@example.org")
    assert len(one) == 16
    assert one == sealed.mark(first, "email", "a@example.org")
    others = [(first, "email", "b@example.org"), (first, "phone", "a@example.org"), (second, "email", "a@example.org")]
    assert one not in {sealed.mark(*other) for other in others}
    assert sealed.mark(first, "a", "1|b") != sealed.mark(first, "a|1", "b")


def test_a_key_made_outside_an_action_outlives_the_roll_back_that_follows(incidents):
    kept = sealed.seal(incidents[0], "here", b"a secret")
    db.session.rollback()
    assert sealed.unseal(incidents[0], "here", kept) == b"a secret"


def test_a_key_made_in_an_action_that_failed_is_gone_with_it(incidents):
    with pytest.raises(RuntimeError, match="must leave a line"), transaction("system", NOW):
        sealed.seal(incidents[0], "here", b"a secret")
    assert db.session.scalar(select(DataKey).where(DataKey.owner == incidents[0])) is None


def test_a_destroyed_key_leaves_nothing_to_open(incidents):
    first, second = incidents
    kept, other = sealed.seal(first, "here", b"a secret"), sealed.seal(second, "here", b"another")
    with transaction("system", NOW) as ledger:
        assert sealed.destroy(first, now=NOW)
        assert not sealed.destroy(first, now=NOW)
        ledger.write("incident.opened", "INC-2026-0001")
    assert sealed.is_erased(first)
    with pytest.raises(Erased):
        sealed.unseal(first, "here", kept)
    with pytest.raises(Erased):
        sealed.seal(first, "here", b"again")
    assert sealed.unseal(second, "here", other) == b"another"


def test_what_a_restored_database_brings_back_stays_erased(incidents, tmp_path):
    old = sealed.ring()
    sealed.attach(keys.create(tmp_path / "keys"))
    try:
        kept = sealed.seal(incidents[0], "here", b"a secret")
        db.session.rollback()
        sealed.ring().note_erased(sealed.key_ref(incidents[0]))
        with pytest.raises(Erased):
            sealed.unseal(incidents[0], "here", kept)
        with transaction("system", NOW) as ledger:
            assert sealed.erase_again(now=NOW) == 1
            assert sealed.erase_again(now=NOW) == 0
            ledger.write("incident.opened", "INC-2026-0001")
        assert sealed.is_erased(incidents[0])
    finally:
        sealed.attach(old)


def test_other_keys_are_refused_at_the_start(incidents, tmp_path):
    sealed.seal(incidents[0], "here", b"a secret")
    old = sealed.ring()
    sealed.check()
    try:
        sealed.attach(keys.create(tmp_path / "keys"))
        with pytest.raises(KeysError, match=r"not the ones this database was sealed with|is not in"):
            sealed.check()
    finally:
        sealed.attach(old)


def test_a_data_key_moved_to_another_incident_does_not_open(incidents):
    first, second = incidents
    sealed.seal(first, "here", b"a secret")
    sealed.seal(second, "here", b"another")
    db.session.rollback()
    taken = db.session.scalar(select(DataKey.sealing).where(DataKey.owner == first))
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(update(DataKey).where(DataKey.owner == second).values(sealing=taken))
    with pytest.raises(KeysError, match="moved or changed"):
        sealed.sealer(second)


def test_a_data_key_is_bound_to_its_column_and_its_incident_in_these_very_bytes(incidents):
    """What an earlier release wrapped opens for ever."""
    sealed.seal(incidents[0], "here", b"a secret")
    row = db.session.scalars(select(DataKey).where(DataKey.owner == incidents[0])).one()
    for column, wrapped in (("sealing", row.sealing), ("marking", row.marking)):
        sealed.ring().unwrap(row.master, wrapped, f"data_key.{column}:{incidents[0]}".encode())


def test_rotation_wraps_every_key_anew_and_may_stop_in_between(incidents, tmp_path):
    old = sealed.ring()
    try:
        sealed.attach(keys.create(tmp_path / "keys"))
        values = {owner: sealed.seal(owner, "here", b"a secret") for owner in incidents}
        sealed.ring().add_master()
        for owner in sealed.to_wrap_anew(1):
            rewrapped(owner)
        assert sealed.masters_in_use() == {1, 2}
        for owner in sealed.to_wrap_anew(10):
            rewrapped(owner)
        assert (sealed.masters_in_use(), sealed.to_wrap_anew(10)) == ({2}, [])
        sealed.ring().drop_master(1)
        assert all(sealed.unseal(owner, "here", kept) == b"a secret" for owner, kept in values.items())
    finally:
        sealed.attach(old)


def rewrapped(owner):
    with transaction("system", NOW) as ledger:
        sealed.wrap_anew(owner)
        ledger.write("incident.opened", "INC-2026-0001")


def test_no_key_and_no_secret_stands_in_the_database_in_clear(incidents):
    sealed.seal(incidents[0], "here", b"a secret")
    rows = db.session.execute(text("SELECT sealing, marking FROM data_key")).all()
    assert all(len(bytes(value)) > 100 for row in rows for value in row)


@pytest.mark.parametrize("size", [0, 1, files.PIECE - 1, files.PIECE, files.PIECE + 1, 3 * files.PIECE])
def test_a_kept_file_is_sealed_and_comes_back_byte_for_byte(incidents, tmp_path, size):
    content = (b"0123456789" * (size // 10 + 1))[:size]
    key = sealed.sealer(incidents[0])
    kept = files.keep(io.BytesIO(content), tmp_path / "a", key, "F-1", most=10**9)
    assert kept.size == size
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert size < 10 or content[:10] not in (tmp_path / "a").read_bytes()
    assert files.opened(tmp_path / "a", key, "F-1").read() == content
    with pytest.raises(Unreadable):
        list(files.pieces(tmp_path / "a", key, "F-2"))


@pytest.mark.parametrize("cut", [1, 5, 30, files.PIECE])
def test_a_kept_file_that_was_cut_or_continued_is_noticed(incidents, tmp_path, cut):
    key = sealed.sealer(incidents[0])
    files.keep(io.BytesIO(b"x" * (2 * files.PIECE)), tmp_path / "a", key, "F-1", most=10**9)
    whole = (tmp_path / "a").read_bytes()
    for spoilt in (whole[:-cut], whole + whole[-cut:], whole[: len(whole) // 2] + whole[len(whole) // 2 + cut :]):
        (tmp_path / "a").write_bytes(spoilt)
        with pytest.raises(Unreadable):
            list(files.pieces(tmp_path / "a", key, "F-1"))


def test_the_last_piece_cannot_be_cut_off_whole(incidents, tmp_path):
    key = sealed.sealer(incidents[0])
    files.keep(io.BytesIO(b"x" * (2 * files.PIECE)), tmp_path / "a", key, "F-1", most=10**9)
    whole = (tmp_path / "a").read_bytes()
    first = len(files.HEAD) + 4 + int.from_bytes(whole[len(files.HEAD) : len(files.HEAD) + 4], "big")
    (tmp_path / "a").write_bytes(whole[:first])
    with pytest.raises(Unreadable):
        list(files.pieces(tmp_path / "a", key, "F-1"))


def test_a_file_beyond_the_limit_leaves_nothing_behind(incidents, tmp_path):
    key = sealed.sealer(incidents[0])
    with pytest.raises(Invalid, match="larger than 1 MiB"):
        files.keep(io.BytesIO(b"x" * (2**20 + 1)), tmp_path / "a", key, "F-1", most=2**20)
    assert not (tmp_path / "a").exists()


def test_a_kept_file_is_never_written_over(incidents, tmp_path):
    key = sealed.sealer(incidents[0])
    files.keep(io.BytesIO(b"first"), tmp_path / "a", key, "F-1", most=100)
    with pytest.raises(FileExistsError):
        files.keep(io.BytesIO(b"second"), tmp_path / "a", key, "F-1", most=100)
    assert files.opened(tmp_path / "a", key, "F-1").read() == b"first"


def test_a_database_with_another_rings_keys_does_not_start(tmp_path):
    settings = Settings(instance=tmp_path / "instance", test_mode=True, base_url="http://localhost")
    with start.prepare(settings).app_context():
        with transaction("system", NOW) as ledger:
            sealed.seal(None, "here", b"a secret")
            ledger.write("incident.opened", "INC-2026-0001")
        db.session.remove()
    folder = settings.instance / "keys"
    (folder / "master-0001.json").unlink()
    keys.create(folder)
    with pytest.raises(KeysError, match="not the ones this database was sealed with"):
        start.prepare(settings)


def test_a_kept_key_is_opened_once_and_not_used_once_its_row_was_destroyed(incidents):
    first, second = incidents
    box = sealed.seal(first, "note.text:N-1", b"words")
    key = sealed.Kept()
    assert key(first).unseal("note.text:N-1", box) == b"words"
    assert key(first) is key(first)
    assert key(second) is not key(first)
    with transaction("system", NOW) as ledger:
        sealed.destroy(first, now=NOW)
        ledger.write("incident.opened", "INC-2026-0001")
    with pytest.raises(Erased):
        key(first)
    assert key(second) is key(second)
