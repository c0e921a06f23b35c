"""A verifier written from docs/record.md alone must agree with ours on every vector and on hostile files of all kinds."""

import base64
import hashlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from incident.domain import audit
from tests import hostile
from tests.second_verifier import WrongError, imprint_of, second_verdict
from tests.vectors.audit import make

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "audit").glob("*.json"))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_verifier_written_from_the_document_agrees(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    known = [case.get(name, ()) for name in ("outside", "keys", "witnesses")]
    stamps = [base64.b64decode(stamp) for stamp in case.get("stamps", ())]
    asked = case["export"].encode(), *known, case.get("needed", 0), stamps
    if case["expect"]:
        with pytest.raises(WrongError):
            second_verdict(*asked)
    else:
        assert second_verdict(*asked) == case.get("proven", 0)


def theirs(*asked):
    try:
        return second_verdict(*asked)
    except WrongError:
        return None


def judged(count, seed):
    """How many hostile files were in order; both verifiers must say the same of each, and neither more than is true."""
    sound = 0
    for number, case in enumerate(hostile.files(count, seed)):
        mine = hostile.ours(*case.asked)
        other = theirs(*case.asked)
        assert mine == other, (seed, number, case.kind, case.insider)
        if mine is not None:
            sound += 1
            assert not hostile.is_claimed_too_much(case, mine), (seed, number, case.kind, case.insider)
    return sound


@pytest.mark.parametrize("kind", ["export", "excerpt", "bundle", "proof"])
def test_both_find_nothing_wrong_with_a_good_file(kind):
    case = hostile.good(kind), [], [hostile.KEY]
    assert hostile.ours(*case) == theirs(*case) == 0


def test_both_find_nothing_wrong_with_a_record_whose_key_was_changed_and_lost():
    known = [str(make.key_of(seed)) for seed in hostile.CHAIN]
    witnesses = [str(make.witness(name)) for name in make.WITNESS_SEEDS]
    case = hostile.good("chain"), [hostile.CHAIN_NOTES[12]], known, witnesses
    assert hostile.ours(*case) == theirs(*case) == hostile.SIZE


def test_both_judge_hostile_files_alike_and_claim_nothing_that_is_not_so():
    """`make hostile` takes 10,000; HOSTILE="files seed" as many as one likes."""
    count, seed = map(int, os.environ.get("HOSTILE", "400 1").split())
    assert judged(count, seed) > count // 100


TELLING = (0, 1, 2, 4, 5, 6, 0x18, 0x1F, 0x2E, 0x30, 0x31, 0x39, 0x5A, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0xA0, 0xFF)
"""Bytes that mean something in DER or in a time."""


def mine_of(stamp):
    try:
        return audit.stamp_in(stamp).imprint
    except audit.Malformed:
        return None


def theirs_of(stamp):
    try:
        return imprint_of(stamp)
    except WrongError:
        return None


def test_both_read_each_time_stamp_alike_whichever_of_its_bytes_is_another():
    note = make.NOTES[12]
    stamp, about, sound = make.stamped(note), hashlib.sha256(note.encode()).digest(), set()
    assert mine_of(stamp) == theirs_of(stamp) == about
    for place in range(len(stamp)):
        for byte in {*TELLING, stamp[place] ^ 1, stamp[place] ^ 0x80, (stamp[place] + 1) % 256}:
            other = stamp[:place] + bytes([byte]) + stamp[place + 1 :]
            found = mine_of(other)
            assert found == theirs_of(other), (place, byte)
            sound |= {place} if found == about and other != stamp else set()
    begins = stamp.index(about)
    assert not sound & set(range(begins, begins + 32))
    assert sound, "what is not looked into may be anything: whose signature it is, is not judged here"


def test_both_read_no_stamp_that_is_cut_or_too_large():
    stamp = make.stamped(make.NOTES[12])
    large = make.der(0x30, make.der(0x30, b"\2\1\0", bytes(audit.LARGEST_STAMP)), stamp[9:])
    for other in (*(stamp[:end] for end in range(len(stamp))), stamp + stamp, large):
        assert mine_of(other) == theirs_of(other) is None


FULL = "HOSTILE" in os.environ
ROOM = 300 * 2**20
LONGEST_SECONDS = 10


def giants(times):
    """Files that are too much of something, `times` larger than the smallest ones worth a test."""
    header = make.header(2**40, kind=audit.EXCERPT_FORMAT) + b"\n"
    export = make.header(12) + b"\n"
    hidden = make.hidden(0, bytes(32)) + b"\n"
    note = json.dumps({"checkpoint": make.signed(0, make.root([]))}, ensure_ascii=False, separators=(",", ":")) + "\n"
    yield "one row without end", export + b"9" * (40_000_000 * times)
    yield "a million rows that are nothing", export + b"x\n" * 1_000_000
    yield "nested", export + b'{"a":' * 13_000 + b"\n"
    yield "digits", export + b'{"a":' + b"9" * 65_000 + b"}\n"
    yield "hidden ones", header + hidden * (40_000 * times)
    yield "genuine checkpoints again and again", export + note.encode() * (1_300 * times)
    yield "a million empty rows", export + b"\n" * 1_000_000
    bomb = hostile.unpacked(hostile.good("proof"))
    yield "a zip that unpacks to far more", hostile.packed(bomb | {"bomb": bytes(2**26 * times), "bomb2": bytes(2**26)})
    steps = hostile.proof()
    steps["deliveries"][0]["steps"] *= 900
    files = hostile.proof_files(steps)
    yield "a proof of many steps", hostile.packed(hostile.bound(files, audit.PROOF_FORMAT, hostile.PERSON))


@pytest.mark.skipif(sys.platform != "linux", reason="Room is limited by Linux.")
def test_no_file_takes_ten_seconds_or_300_mb(tmp_path):
    """In a process of its own each, whose room is limited; the time is its own, not that of a busy machine."""
    for name, raw in giants(10 if FULL else 1):
        file = tmp_path / "file"
        file.write_bytes(raw)
        limits = {resource.RLIMIT_AS: ROOM, resource.RLIMIT_CPU: LONGEST_SECONDS}

        def limited(limits=limits):
            for limit, most in limits.items():
                resource.setrlimit(limit, (most, most))

        done = subprocess.run([sys.executable, audit.__file__, file], capture_output=True, preexec_fn=limited)
        assert (name, done.returncode, done.stderr) == (name, 1, b"")
