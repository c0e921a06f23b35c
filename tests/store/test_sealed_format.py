"""The bytes of sealed values, marks and files, as other code would write them: what an earlier version sealed opens for ever."""

import base64
import hashlib
import hmac
import io
import json
import os
import stat

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from incident.domain.errors import Invalid
from incident.store import files
from incident.store.ciphers import Gcm, Hmac, Sealer, Unopened, Unreadable

KEY, MARKING, NUMBER = bytes(range(32)), bytes(range(32, 64)), 0x01020304
SEALER = Sealer(7, Gcm(KEY, NUMBER), Hmac(MARKING))
NONCE = b"twelve bytes"


def by_hand(plaintext: bytes, bound_to: bytes) -> bytes:
    """As Tink's wire format and RFC 5116 say it."""
    return b"\x01\x01\x02\x03\x04" + NONCE + AESGCM(KEY).encrypt(NONCE, plaintext, bound_to)


def test_a_value_is_bound_to_its_owner_and_place_in_these_very_bytes():
    assert SEALER.unseal("person.sealed:P-1:2", by_hand(b"Ana", b"7|person.sealed:P-1:2")) == b"Ana"
    for elsewhere in (
        b"8|person.sealed:P-1:2",
        b"7|person.sealed:P-1:3",
        b"7person.sealed:P-1:2",
        b"person.sealed:P-1:2",
    ):
        with pytest.raises(Unreadable, match=r"does not open \(person\.sealed:P-1:2\)"):
            SEALER.unseal("person.sealed:P-1:2", by_hand(b"Ana", elsewhere))


def test_what_is_sealed_here_opens_by_hand():
    sealed = SEALER.seal("note.text:N-1", b"words")
    assert (sealed[:5], len(sealed)) == (b"\x01\x01\x02\x03\x04", 5 + 12 + 5 + 16)
    assert AESGCM(KEY).decrypt(sealed[5:17], sealed[17:], b"7|note.text:N-1") == b"words"


def test_an_empty_value_is_the_shortest_and_one_byte_less_is_none():
    box = Gcm(KEY, NUMBER)
    sealed = box.encrypt(b"", b"here")
    assert (len(sealed), box.decrypt(sealed, b"here")) == (33, b"")
    with pytest.raises(Unopened):
        box.decrypt(sealed[:-1], b"here")


def test_the_number_of_another_key_does_not_open_even_by_the_same_key():
    with pytest.raises(Unopened):
        Gcm(KEY, NUMBER + 1).decrypt(by_hand(b"Ana", b"x"), b"x")


def test_a_mark_is_a_keyed_hash_over_purpose_and_value_that_cannot_run_together():
    expected = hmac.new(MARKING, b"5|email|ana@example.org", hashlib.sha256).digest()[:16]
    assert SEALER.mark("email", "ana@example.org") == expected
    assert SEALER.marker("email")("ana@example.org") == expected
    assert SEALER.mark("em", "ail|x") != SEALER.mark("email", "x")


@pytest.mark.parametrize("length", [0, 1, 31, 32, 63, 64])
def test_a_key_of_any_fit_length_marks_as_the_standard_says(length):
    key = bytes(range(length))
    assert Hmac(key).compute(b"value", 32) == hmac.new(key, b"value", hashlib.sha256).digest()


def laid_out(parts: list[tuple[bytes, bytes]]) -> bytes:
    """A kept file by hand: its head, then each piece with its length in four bytes."""
    sealed = [by_hand(content, b"7|" + place) for place, content in parts]
    return b"TOCSIN-SEALED-1\n" + b"".join(len(one).to_bytes(4, "big") + one for one in sealed)


def read(path) -> bytes:
    return b"".join(files.pieces(path, SEALER, "REF"))


def test_a_file_is_laid_out_in_these_very_bytes(tmp_path):
    path = tmp_path / "kept"
    path.write_bytes(laid_out([(b"file:REF:0:more", b"one"), (b"file:REF:1:end", b"two")]))
    assert read(path) == b"onetwo"


@pytest.mark.parametrize(
    "parts",
    [
        [(b"file:REF:0:more", b"one")],
        [(b"file:REF:0:end", b"one"), (b"file:REF:1:end", b"two")],
        [(b"file:REF:1:more", b"two"), (b"file:REF:0:end", b"one")],
        [(b"file:REF:0:more", b"one"), (b"file:REF:2:end", b"three")],
        [(b"file:OTHER:0:end", b"one")],
    ],
    ids=["cut", "continued", "turned", "one left out", "of another file"],
)
def test_pieces_that_do_not_belong_so_do_not_open(tmp_path, parts):
    path = tmp_path / "kept"
    path.write_bytes(laid_out(parts))
    with pytest.raises(Unreadable, match="REF"):
        read(path)


@pytest.mark.parametrize("spoilt", [b"", b"TOCSIN-SEALED-2\n", b"TOCSIN-SEALED-1"])
def test_a_file_with_another_head_is_not_read(tmp_path, spoilt):
    path = tmp_path / "kept"
    path.write_bytes(spoilt)
    with pytest.raises(Unreadable):
        read(path)


def test_a_piece_that_claims_to_be_endless_is_not_waited_for(tmp_path):
    path = tmp_path / "kept"
    longest = 2 * files.PIECE
    path.write_bytes(b"TOCSIN-SEALED-1\n" + (longest + 1).to_bytes(4, "big") + bytes(longest + 1))
    with pytest.raises(Unreadable):
        read(path)


def test_a_piece_of_twice_the_usual_length_is_the_longest_that_is_read(tmp_path):
    path, around = tmp_path / "kept", len(by_hand(b"", b""))
    longest = b"x" * (2 * files.PIECE - around)
    path.write_bytes(laid_out([(b"file:REF:0:end", longest)]))
    assert read(path) == longest
    path.write_bytes(laid_out([(b"file:REF:0:end", longest + b"x")]))
    with pytest.raises(Unreadable):
        read(path)


def test_nothing_is_given_out_of_a_piece_that_a_broken_one_follows(tmp_path):
    path = tmp_path / "kept"
    path.write_bytes(laid_out([(b"file:REF:0:more", b"one"), (b"file:REF:1:end", b"two")])[:-1])
    with pytest.raises(Unreadable):
        next(files.pieces(path, SEALER, "REF"))


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_length_that_breaks_off_is_noticed(tmp_path, length):
    path = tmp_path / "kept"
    path.write_bytes(laid_out([(b"file:REF:0:end", b"one")]) + bytes(length))
    with pytest.raises(Unreadable):
        read(path)


def test_a_file_of_exactly_the_most_is_kept_and_one_byte_more_is_not(tmp_path):
    folder = tmp_path / "new" / "folder"
    kept = files.keep(io.BytesIO(b"x" * 1_000), folder / "kept", SEALER, "REF", most=1_000)
    assert (kept.size, kept.sha256) == (1_000, hashlib.sha256(b"x" * 1_000).hexdigest())
    assert read(folder / "kept") == b"x" * 1_000
    assert ((folder / "kept").stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    with pytest.raises(Invalid):
        files.keep(io.BytesIO(b"x" * 1_001), folder / "more", SEALER, "REF", most=1_000)
    assert [path.name for path in folder.iterdir()] == ["kept"]


def test_a_file_and_its_name_are_on_the_disk_before_it_counts_as_kept(tmp_path, monkeypatch):
    through = []

    def noted(handle):
        kept = os.fstat(handle)
        through.append(os.listdir(handle) if stat.S_ISDIR(kept.st_mode) else kept.st_size)

    monkeypatch.setattr(os, "fsync", noted)
    files.keep(io.BytesIO(b"x" * 1_000), tmp_path / "kept", SEALER, "REF", most=1_000)
    assert through == [(tmp_path / "kept").stat().st_size, ["kept"]]


def test_what_is_no_folder_is_not_taken_for_one(tmp_path):
    (tmp_path / "kept").write_bytes(b"x")
    with pytest.raises(NotADirectoryError):
        files.sync_folder(tmp_path / "kept")


def test_a_link_in_the_place_of_a_file_is_not_written_through(tmp_path):
    (tmp_path / "kept").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        files.keep(io.BytesIO(b"x"), tmp_path / "kept", SEALER, "REF", most=10)
    assert not (tmp_path / "elsewhere").exists()


def test_values_by_the_thousand_are_bound_as_single_ones_are():
    close, open_ = SEALER.closer("person.sealed:"), SEALER.opener("person.sealed:")
    assert SEALER.unseal("person.sealed:P-1:2", close("P-1:2", b"Ana")) == b"Ana"
    assert open_("P-1:2", by_hand(b"Ana", b"7|person.sealed:P-1:2")) == b"Ana"
    with pytest.raises(Unreadable, match=r"\(person\.sealed:P-1:2\)"):
        open_("P-1:2", by_hand(b"Ana", b"7|person.sealed:P-1:3"))


def test_a_file_can_be_read_as_a_stream_in_bites_of_any_size(tmp_path):
    path, content = tmp_path / "kept", bytes(range(256)) * 2_500  # more than two pieces
    files.keep(io.BytesIO(content), path, SEALER, "REF", most=len(content))
    stream = files.opened(path, SEALER, "REF")
    assert stream.readable()
    assert stream.read(10) == content[:10]
    assert 10 <= stream.given <= files.PIECE
    assert stream.read() == content[10:]
    assert (stream.given, stream.read()) == (len(content), b"")
    assert files.streamed(iter([b"", b"one", b"", b"two"])).read() == b"onetwo"


@pytest.mark.parametrize("length", [0, files.PIECE - 1, files.PIECE, files.PIECE + 1, 2 * files.PIECE])
def test_a_file_of_whole_pieces_comes_back_as_it_was(tmp_path, length):
    content = bytes(length)
    kept = files.keep(io.BytesIO(content), tmp_path / "kept", SEALER, "REF", most=length)
    assert (kept.size, read(tmp_path / "kept")) == (length, content)
    sealed = (tmp_path / "kept").read_bytes()
    assert len(sealed) == 16 + length + max(1, -(-length // files.PIECE)) * (4 + 5 + 12 + 16)


def test_keys_pass_a_pipe_in_these_very_letters():
    """Two programs of one installation may be of two releases for a moment."""
    said = json.dumps([7, NUMBER, base64.b64encode(KEY).decode(), base64.b64encode(MARKING).decode()])
    assert SEALER.handed_over() == said
    there = Sealer.taken_over(said)
    assert there.owner == 7
    assert there.unseal("x", by_hand(b"Ana", b"7|x")) == b"Ana"
    assert there.mark("email", "a") == SEALER.mark("email", "a")


def test_a_mark_has_sixteen_bytes_and_a_nonce_is_never_used_twice():
    assert len(SEALER.mark("email", "a")) == len(SEALER.marker("email")("a")) == 16
    close = SEALER.closer("person.sealed:")
    sealed = [close("P-1:2", b"Ana") for _ in range(600)]
    assert {len(one) for one in sealed} == {5 + 12 + 3 + 16}
    assert len({one[5:17] for one in sealed}) == 600
