import base64
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some

from incident.domain import audit
from incident.domain.audit import (
    Checkpoint,
    Frontier,
    Key,
    Line,
    Malformed,
    Witnesses,
    canonical,
    decoded,
    encoded,
    is_signed,
    parsed,
    verify,
)
from tests import hostile

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "audit").glob("*.json"))

RFC6962_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
RFC6962_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The vectors that implementations of Certificate Transparency share."""

KNOWN = [  # RFC 8032 section 7.1, tests 1 to 3
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]

words = some.text(some.characters(exclude_categories=["Cs"]))
values = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53) + 1, 2**53 - 1) | words,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_canonical_json_is_that_of_rfc_8785(value):
    assert canonical(value).encode() == rfc8785.dumps(value)


@given(values)
def test_what_was_written_is_read_back(value):
    assert parsed(canonical(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"b":1,"a":2}', "canonical"),
        (b'{"a": 1}', "canonical"),
        (b'{"a":1,"a":1}', "twice"),
        (b"1.0", "whole"),
        (b"1e3", "whole"),
        (b"NaN", "whole"),
        (b"9007199254740992", "larger"),
        (b"9" * 6000, "larger"),
        (b"[" * 17 + b"]" * 17, "deeper"),
        (b"[" * 60_000, "deeper"),
        (b'"\xff"', "UTF-8"),
        (b'"\\ud800"', "UTF-8"),
        (b'"\\u0041"', "canonical"),
        (b"{} {}", "JSON"),
        (b"", "JSON"),
    ],
)
def test_json_with_a_second_spelling_is_refused(text, said):
    with pytest.raises(Malformed, match=said):
        parsed(text)


def test_sixteen_levels_are_taken_in_any_alphabet():
    for inner in ("1", '"é"'):
        text = ("[" * 16 + inner + "]" * 16).encode()
        assert canonical(parsed(text)).encode() == text


def test_a_value_the_format_does_not_know_is_refused():
    for value in (1.5, b"x", {1: 2}, 2**53):
        with pytest.raises(Malformed):
            canonical(value)


def test_the_tree_gives_the_known_roots():
    leaves = [bytes.fromhex(leaf) for leaf in RFC6962_LEAVES]
    assert [audit.root_of(leaves[:count]).hex() for count in range(9)] == RFC6962_ROOTS


@given(some.lists(some.binary(max_size=8), max_size=40))
def test_a_frontier_can_be_put_aside_at_any_size_and_taken_up_again(entries):
    frontier = Frontier()
    for entry in entries:
        frontier = Frontier.unpacked(frontier.size, frontier.packed())
        frontier.add(audit.leaf_hash(entry))
    assert frontier.root() == audit.root_of(entries)


def test_a_frontier_that_does_not_fit_its_size_is_refused():
    for size, packed in ((3, b"x" * 32), (-1, b""), (1, b"")):
        with pytest.raises(Malformed):
            Frontier.unpacked(size, packed)


@pytest.mark.parametrize(("public", "message", "signature"), KNOWN)
def test_signatures_of_the_rfc_are_right_and_only_they(public, message, signature):
    raw = [bytes.fromhex(text) for text in (public, message, signature)]
    assert is_signed(*raw)
    assert not is_signed(raw[0], raw[1] + b"x", raw[2])
    assert not is_signed(raw[0], raw[1], raw[2][:63] + bytes([raw[2][63] ^ 1]))
    assert not is_signed(raw[0], raw[1], raw[2][:63])


@given(some.binary(max_size=64), some.binary(min_size=32, max_size=32), some.binary(min_size=64, max_size=64))
def test_a_random_signature_is_wrong_and_harms_nobody(message, public, signature):
    assert not is_signed(public, message, signature)


def test_a_signature_with_a_second_spelling_is_refused():
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"m")
    twin = (int.from_bytes(signature[32:], "little") + audit.ORDER).to_bytes(32, "little")
    assert is_signed(public, b"m", signature)
    assert not is_signed(public, b"m", signature[:32] + twin)


def test_a_key_reads_back_and_a_wrong_one_does_not():
    key = Key("tocsin/abc", bytes(range(32)))
    assert Key.read(str(key)) == key
    name, _, code = str(key).split("+", 2)
    for text in (f"{name}x+{key.id.hex()}+{code}", f"{name}+00000000+{code}", "", "a+b+c", str(key)[:-4]):
        with pytest.raises(Malformed):
            Key.read(text)


@pytest.mark.parametrize(
    "note", ["", "a\n1\n", "a\n1\nroot\n\n", "a\n01\n" + "A" * 43 + "=\n\nx\n", "a\n1\n\x1b\n\n\n", "\n\n\n\n\n"]
)
def test_what_is_no_checkpoint_is_refused(note):
    with pytest.raises(Malformed):
        Checkpoint.read(note)


def test_a_line_reads_back():
    line = Line("U-1", "2026-03-01T12:00:00.000000Z", "note.added", "T-1", None, '{"a":[1,"é"]}')
    assert decoded(encoded("ab", 7, line)) == ("ab", 7, line)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_each_way_to_break_a_record_is_named(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    verdict = read(case)
    assert {finding.kind for finding in verdict.findings} >= set(case["expect"])
    assert verdict.ok is (case["expect"] == [])
    assert verdict.proven == case.get("proven", 0) or case["expect"]
    told = " ".join(verdict.sentences())
    assert ("Tail not proven" in told) is (verdict.ok and verdict.proven < verdict.size)
    assert told.isprintable()


def read(case):
    keys = [Key.read(key) for key in case.get("keys", ())]
    witnesses = Witnesses.read(case.get("witnesses", ()), case.get("needed", 0))
    stamps = [base64.b64decode(stamp) for stamp in case.get("stamps", ())]
    return verify(io.BytesIO(case["export"].encode()), case.get("outside", ()), keys, witnesses, stamps)


def test_there_is_a_vector_for_every_kind_of_finding():
    kinds = {kind for path in VECTORS for kind in json.loads(path.read_text(encoding="utf-8"))["expect"]}
    named = {"changed", "foreign checkpoint", "foreign line", "forged signature", "malformed", "misplaced checkpoint"}
    named |= {"not a checkpoint", "not an export", "order", "size", "tail cut", "unsigned", "wrong key"}
    assert kinds == named | {"key order", "key replaced", "not a stamp", "wrong stamp"}


GOOD = json.loads((Path(__file__).parents[1] / "vectors" / "audit" / "good-proven.json").read_text(encoding="utf-8"))


@given(some.data())
def test_no_changed_byte_passes_a_checkpoint_from_outside(data):
    raw = bytearray(GOOD["export"].encode())
    place = data.draw(some.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(some.integers(1, 255))
    verdict = verify(io.BytesIO(bytes(raw)), GOOD["outside"])
    assert not verdict.ok


@given(some.integers(0, 26))
def test_no_missing_row_passes_a_checkpoint_from_outside(row):
    rows = GOOD["export"].splitlines(keepends=True)
    row %= len(rows)
    verdict = verify(io.BytesIO("".join(rows[:row] + rows[row + 1 :]).encode()), GOOD["outside"])
    is_checkpoint = rows[row].startswith('{"checkpoint"')
    assert verdict.ok is is_checkpoint  # one inside may go: the one from outside proves all the same


@given(some.binary(max_size=400))
def test_any_bytes_get_a_verdict(raw):
    assert not verify(io.BytesIO(raw)).ok


def test_thousands_of_bad_rows_are_cut_short():
    rows = GOOD["export"].splitlines()
    verdict = verify(io.BytesIO("\n".join([rows[0], *["[]"] * 5000]).encode()))
    assert [len(verdict.findings) <= audit.MOST_FINDINGS, "stopped" in {f.kind for f in verdict.findings}] == [
        True,
        True,
    ]


def test_the_file_alone_is_a_program(tmp_path):
    alone = shutil.copy(audit.__file__, tmp_path / "audit.py")
    (tmp_path / "record.jsonl").write_text(GOOD["export"], encoding="utf-8")
    (tmp_path / "outside").write_text(GOOD["outside"][0], encoding="utf-8")
    (tmp_path / "broken.jsonl").write_text(GOOD["export"].replace("U-1", "U-7", 1), encoding="utf-8")

    def run(*arguments):
        done = subprocess.run([sys.executable, "-I", alone, *arguments], cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    code, said = run("record.jsonl", "--checkpoint", "outside")
    assert (code, "Proven: all 12 lines" in said) == (0, True)
    code, said = run("record.jsonl")
    assert (code, "Tail not proven" in said) == (0, True)
    code, said = run("record.jsonl", "--require-checkpoint")
    assert (code, "Tail not proven" in said) == (1, True)
    assert run("record.jsonl", "--require-checkpoint", "--checkpoint", "outside")[0] == 0
    assert json.loads(run("record.jsonl", "--require-checkpoint", "--json")[1])["ok"] is False
    code, said = run("broken.jsonl", "--json")
    assert (code, json.loads(said)["findings"][0]["kind"]) == (1, "changed")
    assert run("missing.jsonl")[0] == 2
    assert run()[0] == 2
    assert run("record.jsonl", "--key", "nonsense")[0] == 2


@pytest.mark.parametrize("before", [0, 1, 5, 4096, 5000])
def test_many_leaves_at_once_make_the_same_tree_as_one_by_one(before):
    leaves = [audit.leaf_hash(str(number).encode()) for number in range(before + 9001)]
    slow, quick = Frontier(), Frontier()
    for leaf in leaves:
        slow.add(leaf)
    for leaf in leaves[:before]:
        quick.add(leaf)
    quick.extend(leaves[before : before + 4000])
    quick.extend(leaves[before + 4000 :])
    quick.extend([])
    assert (quick.size, quick.packed()) == (slow.size, slow.packed())


def test_the_hashes_of_many_lines_are_those_of_each():
    lines = [
        Line("U-1", "2026-03-01T12:00:00.000000Z", "note.added", "T-1", None, "{}"),
        Line("U-2", "2026-03-01T12:00:00.000001Z", "note.added", "T-2", "INC-1", '{"é":"\u2028"}'),
    ]
    log = "0123456789abcdef0123456789abcdef"
    each = [audit.leaf_hash(encoded(log, seq, line)) for seq, line in enumerate(lines, 7)]
    assert audit.leaf_hashes(log, [(seq, *line, None) for seq, line in enumerate(lines, 7)]) == each


def test_an_outside_checkpoint_does_not_stand_in_for_the_one_an_excerpt_ends_with():
    raw = hostile.good("excerpt")
    without = b"".join(row for row in raw.splitlines(keepends=True) if not row.startswith(b'{"checkpoint"'))
    verdict = verify(io.BytesIO(without), [hostile.NOTES[hostile.SIZE]])
    assert {finding.kind for finding in verdict.findings} == {"unsigned"}


def test_a_salt_is_whole_bytes():
    value = hostile.proof()
    value["deliveries"][0]["address"]["salt"] += "a"
    raw = hostile.packed(hostile.bound(hostile.proof_files(value), audit.PROOF_FORMAT, hostile.PERSON))
    assert {finding.kind for finding in audit.verify_bundle(io.BytesIO(raw)).findings} == {"not a bundle"}
