"""Packs of laws: what was signed is taken, and nothing else."""

import zipfile
from collections.abc import Callable
from datetime import date
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from incident.domain import packs
from incident.domain.audit import Key, Malformed
from incident.domain.editions import LawText, digest_of
from incident.domain.packs import NOTE, BadPack, opened, packed

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KEY = Key("example.org/laws", PRIVATE.public_key().public_bytes_raw())
STRANGER = Key("example.org/laws", OTHER.public_key().public_bytes_raw())
LAWS = (LawText("eu/gdpr.toml", b"id = 1\n"), LawText("us/tx.toml", b"id = 2\n"))
CASES = (LawText("eu-gdpr.toml", b"[[case]]\n"),)
DAY = date(2026, 11, 22)


def a_pack(version: str = "2026.11.22", key: Key = KEY, private: Ed25519PrivateKey = PRIVATE) -> bytes:
    return packed(version, DAY, LAWS, CASES, key, private.sign)


def rewritten(data: bytes, change: Callable[[dict[str, bytes]], None], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The same zip with other entries: what somebody could do on the way."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        held = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    change(held)
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return whole.getvalue()


def signed_note_over(*paths: str) -> bytes:
    """A pack whose note is signed and lists paths that no pack may hold."""
    rows = "".join(f"{'0' * 64}  {path}\n" for path in paths)
    text = f"{packs.FORMAT}\nversion 1.0\nmade 2026-11-22\nlibrary {'0' * 64}\n{rows}"
    note = packs.signed_note(text, KEY, PRIVATE.sign(text.encode()))
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(NOTE, note)
        for path in paths:
            archive.writestr(path, b"")
    return whole.getvalue()


def test_what_was_packed_comes_out_again():
    pack = opened(a_pack(), [KEY])
    assert (pack.laws, pack.cases) == (LAWS, CASES)
    assert (pack.version, pack.made_on, pack.signed_by) == ("2026.11.22", DAY, "example.org/laws")
    assert pack.digest == digest_of(LAWS)


def test_the_same_files_make_the_same_bytes():
    assert a_pack() == a_pack()


def test_a_key_for_which_one_signature_fits_many_texts_is_never_good():
    weak = Key("example.org/laws", bytes(32))
    with pytest.raises(BadPack, match="does not fit"):
        opened(packed("1.0", DAY, LAWS, CASES, weak, lambda text: bytes(64)), [weak])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda held: held.update({"laws/us/tx.toml": b"id = 3\n"}), "not what was signed"),
        (lambda held: held.pop("laws/us/tx.toml"), "missing"),
        (lambda held: held.update({"laws/us/zz.toml": b""}), "does not list"),
        (lambda held: held.update({"../../evil.toml": b""}), "does not list"),
        (lambda held: held.update({NOTE: held[NOTE].replace(b"2026.11.22", b"2027.11.22")}), "does not fit"),
        (lambda held: held.update({NOTE: held[NOTE].split(b"\n\n")[0] + b"\n"}), "no signature"),
        (lambda held: held.update({NOTE: held[NOTE].replace("— ".encode(), b"- ")}), "cannot be read"),
        (lambda held: held.update({NOTE: b"\xff\xfe"}), "cannot be read"),
        (lambda held: held.pop(NOTE), "does not begin with"),
        (lambda held: held.update({"laws/us/tx.toml": bytes(packs.LARGEST_FILE + 1)}), "larger than any law file"),
    ],
)
def test_a_pack_that_was_changed_on_the_way_is_refused(change, words):
    with pytest.raises(BadPack, match=words):
        opened(rewritten(a_pack(), change), [KEY])


@pytest.mark.parametrize(
    "path",
    ["../evil.toml", "laws/../../evil.toml", "/etc/laws.toml", "laws/a/b/c.toml", "laws\\a.toml", "cases/a/b.toml"],
)
def test_no_path_leads_out_of_the_folder_even_when_it_is_signed(path):
    with pytest.raises(BadPack, match=r"no path of a pack|does not list"):
        opened(signed_note_over(path), [KEY])


def test_a_path_is_listed_once():
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = signed_note_over("laws/a.toml", "laws/a.toml")
    with pytest.raises(BadPack, match="no path of a pack"):
        opened(twice, [KEY])


def test_a_pack_of_nobody_we_trust_is_refused_though_the_name_is_right():
    with pytest.raises(BadPack, match="not signed by a key that this installation trusts"):
        opened(a_pack(), [])
    with pytest.raises(BadPack, match="not signed by a key"):
        opened(a_pack(key=STRANGER, private=OTHER), [KEY])


def test_a_signature_by_another_hand_under_our_keys_name_is_refused():
    with pytest.raises(BadPack, match="does not fit the pack"):
        opened(a_pack(key=KEY, private=OTHER), [KEY])


def test_a_small_file_that_unpacks_to_a_large_one_is_refused():
    bomb = rewritten(a_pack(), lambda held: held.update({NOTE: bytes(200 * 1024 * 1024)}))
    assert len(bomb) < packs.LARGEST_PACK
    with pytest.raises(BadPack, match="larger than any law file"):
        opened(bomb, [KEY])


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", bytes(1000), a_pack()[:-30], a_pack()[:200]])
def test_what_is_no_zip_is_refused(data):
    with pytest.raises(BadPack):
        opened(data, [KEY])


def test_a_file_of_any_size_is_not_read_into_memory_as_a_pack():
    with pytest.raises(BadPack, match="at most"):
        opened(bytes(packs.LARGEST_PACK + 1), [KEY])


def test_other_ways_of_packing_are_not_taken():
    with pytest.raises(BadPack, match="not taken"):
        opened(rewritten(a_pack(), lambda held: None, zipfile.ZIP_LZMA), [KEY])


@pytest.mark.parametrize("version", ["1", "v1.0", "1.0-rc1", "01.2", "1.0.0.0.0", "", "../1.0"])
def test_a_version_is_numbers_with_dots(version):
    with pytest.raises(BadPack, match="is no version"):
        a_pack(version)


def test_versions_are_compared_number_by_number():
    assert packs.newer("2026.11.9", "2026.2.22")
    assert packs.newer("2026.11.22.1", "2026.11.22")
    assert not packs.newer("2026.11.22", "2026.11.22")


def test_a_file_that_no_pack_may_hold_cannot_be_packed():
    with pytest.raises(BadPack, match="cannot go into a pack"):
        packed("1.0", DAY, (LawText("Über/x.toml", b""),), (), KEY, PRIVATE.sign)


def test_a_signing_key_is_written_and_read_in_the_form_that_others_use():
    name, seed = packs.seed_of(packs.signer_text(KEY, bytes(range(32))))
    assert (name, seed) == ("example.org/laws", bytes(range(32)))
    for bad in ("", "PRIVATE+KEY+a+b+c", packs.signer_text(KEY, bytes(31)), str(KEY)):
        with pytest.raises(Malformed):
            packs.seed_of(bad)


def test_trusted_keys_are_written_with_commas():
    assert packs.keys_of(f"{KEY}, {STRANGER}\n") == (KEY, STRANGER)
    assert packs.keys_of("") == ()
    with pytest.raises(Malformed):
        packs.keys_of("somebody")
