import os
import stat

import pytest
import tink
from tink import aead

from incident.store import keys
from incident.store.keys import KeysError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


def a_keyset():
    return tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)


def test_the_first_start_makes_a_ring_for_the_owner_alone(folder):
    keys.open_or_create(folder, database_exists=False)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_a_database_without_its_keys_is_refused_and_no_key_is_made(folder):
    with pytest.raises(KeysError, match="Put the key files back"):
        keys.open_or_create(folder, database_exists=True)
    assert not folder.exists()


def test_a_second_ring_is_never_made_over_the_first(folder):
    keys.create(folder)
    before = (folder / "master-0001.json").read_bytes()
    with pytest.raises(KeysError, match="never written over"):
        keys.create(folder)
    assert (folder / "master-0001.json").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["master-0001.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644])
def test_a_key_that_others_can_reach_stops_the_start(folder, mode):
    keys.create(folder)
    (folder / "master-0001.json").chmod(mode)
    with pytest.raises(KeysError, match="chmod 600"):
        keys.open_ring(folder)


def test_a_folder_that_others_can_write_stops_the_start(folder):
    keys.create(folder)
    folder.chmod(0o770)
    with pytest.raises(KeysError, match="chmod 700"):
        keys.open_ring(folder)


def test_a_link_in_place_of_a_key_is_not_followed(folder, tmp_path):
    keys.create(folder)
    key = folder / "master-0001.json"
    key.rename(tmp_path / "elsewhere.json")
    os.symlink(tmp_path / "elsewhere.json", key)
    with pytest.raises(OSError, match="symbolic link"):
        keys.open_ring(folder)


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe", b'{"primaryKeyId": 1}'])
def test_a_damaged_key_is_named(folder, damage):
    keys.create(folder)
    (folder / "master-0001.json").write_bytes(damage)
    with pytest.raises(KeysError, match=r"master-0001\.json is damaged"):
        keys.open_ring(folder)


def test_what_one_ring_wrapped_another_cannot_open(folder, tmp_path):
    number, wrapped = keys.create(folder).wrap(a_keyset(), b"here")
    with pytest.raises(KeysError, match="not the ones this database was sealed with"):
        keys.create(tmp_path / "other").unwrap(number, wrapped, b"here")


def test_a_wrapped_key_opens_only_at_its_place(folder):
    ring = keys.create(folder)
    number, wrapped = ring.wrap(a_keyset(), b"data_key:7")
    assert ring.unwrap(number, wrapped, b"data_key:7")
    with pytest.raises(KeysError, match="moved or changed"):
        ring.unwrap(number, wrapped, b"data_key:8")


def test_after_a_new_master_the_old_one_still_opens_until_it_is_dropped(folder):
    ring = keys.create(folder)
    number, wrapped = ring.wrap(a_keyset(), b"here")
    assert ring.add_master() == 2
    again = keys.open_ring(folder)
    assert (again.current, again.numbers) == (2, [1, 2])
    assert again.unwrap(number, wrapped, b"here")
    again.drop_master(1)
    with pytest.raises(KeysError, match="Master key 0001 is not in"):
        keys.open_ring(folder).unwrap(number, wrapped, b"here")


def test_the_master_in_use_cannot_be_dropped(folder):
    with pytest.raises(KeysError, match="in use"):
        keys.create(folder).drop_master(1)


def test_a_secret_is_made_once_and_read_ever_after(folder):
    ring = keys.create(folder)
    first = ring.secret_or_new("sessions")
    assert len(first) == 32
    assert ring.secret_or_new("sessions") == first == keys.open_ring(folder).secret("sessions")
    assert ring.secret_or_new("links") != first


def test_a_missing_secret_is_a_refusal_not_a_new_secret(folder):
    with pytest.raises(KeysError, match=r"sessions\.key is missing"):
        keys.create(folder).secret("sessions")


def test_a_secret_has_a_plain_name(folder):
    with pytest.raises(ValueError, match="Not a name"):
        keys.create(folder).secret_or_new("../outside")


def test_a_written_secret_is_never_replaced(folder):
    keys.create(folder)
    keys.write_secret(folder / "one.key", b"first")
    with pytest.raises(FileExistsError):
        keys.write_secret(folder / "one.key", b"second")
    assert keys.read_secret(folder / "one.key") == b"first"


def test_the_list_of_the_erased_outlives_the_process(folder):
    keys.create(folder).note_erased("key:ABC")
    again = keys.open_ring(folder)
    assert again.was_erased("key:ABC")
    assert not again.was_erased("key:ABCD")


def test_what_was_erased_is_noted_once_a_line_for_the_owner_alone(folder):
    ring = keys.create(folder)
    for what in ("key:ABC", "key:ABC", "person:7"):
        ring.note_erased(what)
    assert (folder / "erased.txt").read_text() == "key:ABC\nperson:7\n"
    assert stat.S_IMODE((folder / "erased.txt").stat().st_mode) == 0o600
    assert ring.erased() == frozenset({"key:ABC", "person:7"})


def test_what_another_process_erased_is_known_once_it_is_asked_for(folder):
    ring = keys.create(folder)
    keys.open_ring(folder).note_erased("key:ABC")
    assert not ring.was_erased("key:ABC")
    assert ring.erased() == frozenset({"key:ABC"})
    assert ring.was_erased("key:ABC")


def test_a_master_that_another_process_made_is_the_one_in_use_from_then_on(folder):
    ring = keys.create(folder)
    assert keys.open_ring(folder).add_master() == 2
    number, wrapped = ring.wrap(a_keyset(), b"here")
    assert (number, ring.numbers) == (2, [1, 2])
    other = keys.open_ring(folder)
    other.drop_master(1)
    assert (other.numbers, other.unwrap(2, wrapped, b"here") is not None) == ([2], True)
    ring.wrap(a_keyset(), b"here")
    assert ring.numbers == [2], "what another process dropped is forgotten"
    assert not (folder / "master-0001.json").exists()
    assert ring.add_master() == 3


def test_what_another_process_wrapped_by_a_newer_master_opens(folder):
    ring, other = keys.create(folder), keys.open_ring(folder)
    other.add_master()
    number, wrapped = other.wrap(a_keyset(), b"here")
    assert (number, ring.numbers) == (2, [1])
    ring.unwrap(number, wrapped, b"here")
    assert ring.numbers == [1, 2]


def test_a_folder_without_a_master_is_no_ring(folder, tmp_path):
    (tmp_path / "a file").write_text("master-0001.json")
    assert not keys.has_master(tmp_path / "a file")
    assert not keys.has_master(folder)
    folder.mkdir(mode=0o700)
    (folder / "master-1.json").write_text("{}")
    assert not keys.has_master(folder)
    with pytest.raises(KeysError, match="There is no key in"):
        keys.open_ring(folder)
    keys.create(folder)
    assert keys.has_master(folder)
    assert keys.open_or_create(folder, database_exists=True).numbers == [1]


def test_a_secret_that_cannot_be_written_leaves_no_draft(folder):
    keys.create(folder)
    keys.write_secret(folder / "one.key", b"first")
    with pytest.raises(FileExistsError):
        keys.write_secret(folder / "one.key", b"second")
    assert sorted(path.name for path in folder.iterdir()) == ["master-0001.json", "one.key"]
    assert stat.S_IMODE((folder / "one.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "taken"), [("a" * 40, True), ("a" * 41, False), ("A", False), ("1a", False), ("", False)]
)
def test_the_name_of_a_secret_is_short_and_begins_with_a_letter(folder, name, taken):
    ring = keys.create(folder)
    if taken:
        assert ring.secret_or_new(name) == (folder / f"{name}.key").read_bytes()
    else:
        with pytest.raises(ValueError, match="Not a name"):
            ring.secret(name)


@pytest.fixture
def written_through(folder, monkeypatch):
    """What the disk was asked to keep for good: of a file its length, of a folder the names in it, in turn."""
    seen, handles = [], []

    def noted(handle):
        kept = os.fstat(handle)
        seen.append(sorted(os.listdir(handle)) if stat.S_ISDIR(kept.st_mode) else kept.st_size)
        handles.append(handle)

    monkeypatch.setattr(os, "fsync", noted)
    yield seen
    for handle in handles:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(handle)


def test_a_secret_is_on_the_disk_before_its_name_and_the_name_before_it_counts(folder, written_through):
    folder.mkdir(mode=0o700)
    keys.write_secret(folder / "one.key", b"a secret")
    assert written_through == [8, ["one.key"]]


def test_what_is_erased_is_on_the_disk_and_so_is_the_name_of_the_list_before_it_counts(folder, written_through):
    ring = keys.create(folder)
    del written_through[:]
    ring.note_erased("key:ABC")
    assert written_through == [8, ["erased.txt", "master-0001.json"]]


def test_a_master_that_is_dropped_is_gone_from_the_disk_before_it_counts(folder, written_through):
    ring = keys.create(folder)
    ring.add_master()
    del written_through[:]
    ring.drop_master(1)
    assert written_through == [["master-0002.json"]]


def test_a_new_master_counts_on_from_one_that_another_process_made(folder):
    ring, other = keys.create(folder), keys.open_ring(folder)
    assert (other.add_master(), ring.add_master(), other.add_master()) == (2, 3, 4)
