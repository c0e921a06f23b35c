"""The folder of laws in an instance: own files, packs, and which library is in use."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from incident.domain import editions, lawbook
from incident.domain.editions import LawText, Origin
from incident.domain.errors import Refused
from incident.domain.packs import packed
from incident.store import releasing, shelf
from incident.store.releasing import Signer
from incident.store.shelf import Shelf
from tests.domain.test_editions import a_law

SHIPPED = editions.shipped().texts


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return releasing.make(tmp_path / "release.key", "example.org/laws")


@pytest.fixture
def here(tmp_path: Path, signer: Signer) -> Shelf:
    shelf.make_folders(tmp_path / "instance")
    return Shelf(tmp_path / "instance", (signer.key,))


@pytest.fixture(autouse=True)
def back_to_what_was() -> Iterator[None]:
    before = shelf._standing.shelf, shelf._standing.stamp
    yield
    shelf._standing.shelf, shelf._standing.stamp = before
    editions.use(None)


def a_pack(signer: Signer, version: str = "2027.1.1", laws: tuple[LawText, ...] = SHIPPED[:3]) -> bytes:
    return packed(version, date(2027, 1, 1), laws, (), signer.key, signer.sign)


def own(here: Shelf, name: str = "insurer.toml", id_: str = "OWN-INSURER", hours: int = 24, text: str = "") -> Path:
    path = here.folder / name
    path.write_text(text or a_law(id_, 'kind = "contract"', hours), encoding="utf-8")
    return path


def test_an_instance_without_files_of_its_own_uses_what_the_program_brings(here: Shelf):
    made = shelf.read(here)
    assert (made.origin, made.digest) == (Origin.SHIPPED, editions.shipped().digest)


def test_an_own_file_is_read_beside_the_library(here: Shelf):
    own(here)
    made = shelf.read(here)
    assert "OWN-INSURER" in made.book
    assert made.library_digest == editions.shipped().digest


def test_a_running_program_takes_up_a_changed_file(here: Shelf):
    path = own(here)
    shelf.open_(here)
    first = lawbook.library()["OWN-INSURER"].digest
    own(here, hours=48)
    shelf.refresh()
    assert lawbook.library()["OWN-INSURER"].digest != first
    path.unlink()
    shelf.refresh()
    assert "OWN-INSURER" not in lawbook.library()


def test_looking_again_reads_nothing_while_nothing_changed(here: Shelf):
    own(here)
    first = shelf.open_(here)
    assert shelf.refresh() is first


def test_the_last_text_in_order_stands_in_for_a_broken_one_even_after_a_restart(here: Shelf):
    own(here)
    good = shelf.open_(here).book["OWN-INSURER"].digest
    own(here, text="id = ")
    made = shelf.open_(here)
    assert made.book["OWN-INSURER"].digest == good
    assert "last text" in made.mistakes[0].instead


def test_a_deleted_file_leaves_nothing_that_could_stand_in_for_it(here: Shelf):
    path = own(here)
    shelf.open_(here)
    path.unlink()
    shelf.open_(here)
    assert list((here.folder / "in-order").iterdir()) == []


def test_a_file_that_cannot_be_read_is_a_mistake_that_is_shown(here: Shelf):
    own(here, text="#" * (shelf.LARGEST_OWN + 1))
    (mistake,) = shelf.read(here).mistakes
    assert "larger than" in mistake.sentences[0]


def test_a_pipe_or_a_device_in_the_folder_is_a_mistake_and_is_never_read(here: Shelf):
    os.mkfifo(here.folder / "pipe.toml")
    (here.folder / "endless.toml").symlink_to("/dev/zero")
    assert [mistake.path for mistake in shelf.read(here).mistakes] == ["own/endless.toml", "own/pipe.toml"]


def test_an_installed_pack_is_in_use_and_the_own_files_stay(here: Shelf, signer: Signer):
    path = own(here)
    before = path.read_bytes()
    pack = shelf.install(here, a_pack(signer))
    made = shelf.read(here)
    assert (made.version, made.origin, made.library_digest) == ("2027.1.1", Origin.PACK, pack.digest)
    assert len(made.book) == 4
    assert path.read_bytes() == before


def test_the_earlier_pack_is_kept_and_can_be_used_again(here: Shelf, signer: Signer):
    shelf.install(here, a_pack(signer))
    shelf.install(here, a_pack(signer, "2027.2.1", SHIPPED[:4]))
    assert shelf.versions(here) == ["2027.2.1", "2027.1.1"]
    shelf.choose(here, "2027.1.1")
    assert len(shelf.read(here).book) == 3
    shelf.choose(here, "")
    assert shelf.read(here).origin is Origin.SHIPPED


def test_an_older_version_is_refused_unless_told(here: Shelf, signer: Signer):
    shelf.install(here, a_pack(signer))
    with pytest.raises(Refused, match="not newer than 2027"):
        shelf.install(here, a_pack(signer, "2026.12.31"))
    with pytest.raises(Refused, match="the one in use"):
        shelf.install(here, a_pack(signer))
    shelf.install(here, a_pack(signer, "2026.12.31"), older=True)
    assert shelf.read(here).version == "2026.12.31"


def test_a_pack_of_one_version_is_never_written_over(here: Shelf, signer: Signer):
    shelf.install(here, a_pack(signer))
    with pytest.raises(Refused, match="never written over"):
        shelf.install(here, a_pack(signer, laws=SHIPPED[:2]), older=True)
    assert len(shelf.read(here).book) == 3


def test_a_pack_signed_by_somebody_else_is_refused_and_leaves_nothing(here: Shelf, tmp_path: Path):
    stranger = releasing.make(tmp_path / "other.key", "example.org/laws")
    with pytest.raises(Refused, match="not signed by a key"):
        shelf.install(here, a_pack(stranger))
    assert list(here.packs.iterdir()) == []


def test_a_pack_that_this_program_cannot_read_is_refused_and_leaves_nothing(here: Shelf, signer: Signer):
    newer = LawText("xx/law.toml", a_law(more='moon = "full"').encode())
    with pytest.raises(Refused, match=r"a newer one may(.|\n)*'moon', which means nothing here"):
        shelf.install(here, a_pack(signer, laws=(newer,)))
    assert list(here.packs.iterdir()) == []


def test_a_pack_with_a_place_that_nobody_knows_is_refused(here: Shelf, signer: Signer):
    nowhere = LawText("xx/law.toml", a_law().replace("FR", "FX").encode())
    with pytest.raises(Refused, match="'place' names 'FX'"):
        shelf.install(here, a_pack(signer, laws=(nowhere,)))
    assert list(here.packs.iterdir()) == []


def test_an_installed_pack_that_was_changed_on_the_disk_is_not_used(here: Shelf, signer: Signer):
    shelf.install(here, a_pack(signer))
    path = next((here.packs / "2027.1.1" / "laws").rglob("*.toml"))
    path.write_bytes(path.read_bytes() + b"\n# and more")
    made = shelf.read(here)
    assert made.origin is Origin.SHIPPED
    assert "not what was signed" in made.mistakes[0].sentences[0]
    assert "is used instead" in made.mistakes[0].instead


def test_a_pack_is_not_used_once_its_key_is_trusted_no_longer(here: Shelf, signer: Signer):
    shelf.install(here, a_pack(signer))
    made = shelf.read(Shelf(here.instance, ()))
    assert made.origin is Origin.SHIPPED
    assert "not signed by a key that this installation trusts" in made.mistakes[0].sentences[0]


@pytest.mark.parametrize("said", ["../../etc", "9999.1", "\x00", "two words"])
def test_a_pack_in_use_that_is_not_there_is_a_mistake_and_no_crash(here: Shelf, said: str):
    (here.packs / "in-use").write_text(said)
    made = shelf.read(here)
    assert made.origin is Origin.SHIPPED
    assert made.mistakes


def test_a_signing_key_is_for_its_owner_alone_and_never_written_over(signer: Signer, tmp_path: Path):
    path = tmp_path / "release.key"
    assert path.stat().st_mode & 0o077 == 0
    assert releasing.read(path).key == signer.key
    with pytest.raises(Refused, match="never written over"):
        releasing.make(path, "example.org/laws")
    with pytest.raises(Refused, match="key's name"):
        releasing.make(tmp_path / "x.key", "two words")
    path.chmod(0o644)
    with pytest.raises(Refused, match="Others on this machine"):
        releasing.read(path)
