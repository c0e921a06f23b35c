"""The one file as the program of a witness: a key of its own, and signatures on checkpoints that it has compared."""

import json
import shutil
import stat
import subprocess
import sys
from hashlib import sha512

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from incident.domain import audit
from incident.domain.audit import Checkpoint, Key
from tests.domain.test_audit import KNOWN
from tests.vectors.audit import make

SEEDS = {  # RFC 8032 section 7.1, tests 1 to 3: the secret halves of KNOWN
    "d75a9801": "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "3d4017c3": "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "fc51cd8e": "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
}
NAME = "auditor.example.org/record"


@pytest.mark.parametrize(("public", "message", "signature"), KNOWN)
def test_signatures_are_those_of_rfc_8032(public, message, signature):
    seed = bytes.fromhex(SEEDS[public[:8]])
    assert audit.public_of(seed).hex() == public
    assert audit.signature_of(seed, bytes.fromhex(message)).hex() == signature


def test_signatures_are_those_of_another_library():
    for number in range(40):
        seed = sha512(bytes([number])).digest()[:32]
        other = Ed25519PrivateKey.from_private_bytes(seed)
        assert audit.public_of(seed) == other.public_key().public_bytes_raw()
        assert audit.signature_of(seed, seed * number) == other.sign(seed * number)


@pytest.fixture
def run(tmp_path):
    """The file alone in a folder with an export and its checkpoints; runs it there."""
    alone = shutil.copy(audit.__file__, tmp_path / "audit.py")
    (tmp_path / "record.jsonl").write_bytes(b"".join(row + b"\n" for row in make.export(make.GOOD, make.NOTES)))
    for size, note in make.NOTES.items():
        (tmp_path / f"{size}.txt").write_text(note, encoding="utf-8")

    def run(*arguments):
        done = subprocess.run([sys.executable, "-I", alone, *arguments], cwd=tmp_path, capture_output=True, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    run.folder = tmp_path
    return run


@pytest.fixture
def witness(run):
    """The public key of a witness whose secret lies in the folder."""
    code, said, _ = run("witness", NAME, "secret")
    assert code == 0
    return said.strip()


def test_a_new_witness_keeps_its_secret_for_itself(run, witness):
    secret = run.folder / "secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert Key.read_witness(witness).name == NAME
    before = secret.read_bytes()
    assert run("witness", NAME, "secret")[0] == 2
    assert secret.read_bytes() == before
    assert run("witness", "two words", "other")[0] == 2
    assert not (run.folder / "other").exists()


def test_a_witness_signs_what_it_compared_and_the_check_counts_it(run, witness):
    code, note, _ = run("cosign", "secret", "12.txt", "--record", "record.jsonl", "--checkpoint", "6.txt")
    assert (code, note.startswith(make.NOTES[12])) == (0, True)
    assert Checkpoint.read(note).seen_at(Key.read_witness(witness)) is not None
    (run.folder / "seen.txt").write_text(note, encoding="utf-8")
    code, said, _ = run("record.jsonl", "--checkpoint", "seen.txt", "--witness", witness, "--json")
    assert (code, json.loads(said)["witnessed"], json.loads(said)["witnesses"]) == (0, 12, {NAME: 12})
    assert run("cosign", "secret", "seen.txt", "--record", "record.jsonl")[0] == 2  # signed already


@pytest.mark.parametrize("why", ["another record", "cut", "earlier one contradicts", "key unknown"])
def test_a_witness_signs_nothing_that_it_did_not_find_to_be_so(run, witness, why):
    more = []
    if why == "another record":
        rows = make.export(make.with_line(3, make.changed(make.GOOD[3], "U-0", "U-9")), {})
        (run.folder / "record.jsonl").write_bytes(b"".join(row + b"\n" for row in rows))
    elif why == "cut":
        rows = make.export(make.GOOD[:9], {6: make.NOTES[6]})
        (run.folder / "record.jsonl").write_bytes(b"".join(row + b"\n" for row in rows))
    elif why == "earlier one contradicts":
        (run.folder / "6.txt").write_text(make.signed(6, bytes(32)), encoding="utf-8")
        more = ["--checkpoint", "6.txt"]
    else:
        more = ["--key", str(make.key_of(make.OTHER_SEED))]
    code, said, told = run("cosign", "secret", "12.txt", "--record", "record.jsonl", *more)
    assert (code, said, told.startswith("Not signed.")) == (1, "", True)


def test_what_is_no_secret_or_no_checkpoint_is_said_to_be_none(run, witness):
    (run.folder / "nonsense").write_text("hello", encoding="utf-8")
    (run.folder / "edited").write_text((run.folder / "secret").read_text().replace("auditor", "another"))
    for secret, note in (("nonsense", "12.txt"), ("edited", "12.txt"), ("missing", "12.txt"), ("secret", "nonsense")):
        code, said, told = run("cosign", secret, note, "--record", "record.jsonl")
        assert (code, said, "Traceback" in told) == (2, "", False)
    assert run("record.jsonl", "--witness", "nonsense")[0] == 2
    assert run("record.jsonl", "--witness", witness, "--witnesses-needed", "2")[0] == 2
