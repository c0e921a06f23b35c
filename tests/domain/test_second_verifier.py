"""A second verifier, written from docs/record.md alone with other libraries: it must agree with ours on every vector."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "audit").glob("*.json"))
WORD = r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}"
MEMBERS = {"actor", "at", "details", "format", "incident", "log", "seq", "subject", "verb"}


class WrongError(Exception):
    """Something is not as docs/record.md says."""


def demand(holds):
    if not holds:
        raise WrongError


def value_of(row):
    demand(len(row) < 65_536)
    try:
        value = json.loads(row, parse_float=demand_nothing, parse_constant=demand_nothing)
        demand(isinstance(value, dict) and depth(value) <= 16 and rfc8785.dumps(value) == row)
    except (ValueError, RecursionError):
        raise WrongError from None
    return value


def demand_nothing(_text):
    raise WrongError


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:half]) + root(leaves[half:])).digest()


def checkpoint(note, log, key):
    """Size and root, the signature having been checked."""
    demand(note.count("\n\n") == 1)
    text, signatures = note.split("\n\n")
    rows = text.split("\n")
    demand(len(rows) >= 3 and rows[0] == f"tocsin/{log}" and re.fullmatch(r"0|[1-9]\d*", rows[1]))
    public = base64.b64decode(key.split("+", 2)[2])[1:]
    name = f"tocsin/{log}"
    identity = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    ours = []
    for row in signatures.splitlines():
        dash, signer, code = row.split(" ")
        raw = base64.b64decode(code)
        if (dash, signer, raw[:4]) == ("—", name, identity):
            ours.append(raw[4:])
    demand(ours)
    for signature in ours:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, f"{text}\n".encode())
        except InvalidSignature:
            raise WrongError from None
    return int(rows[1]), base64.b64decode(rows[2], validate=True)


def line(value, log, seq):
    demand(set(value) == MEMBERS and value["format"] == "tocsin-record-1")
    words = [value[name] for name in ("actor", "log", "subject", "verb")] + [value["incident"] or "none"]
    demand(all(isinstance(word, str) and re.fullmatch(WORD, word) for word in words))
    demand(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value["at"]))
    demand(isinstance(value["details"], dict) and (value["log"], value["seq"]) == (log, seq))


def second_verdict(export, outside, known):
    """How many lines checkpoints from outside prove. Raises WrongError."""
    demand(export.endswith(b"\n"))
    first, *rows = export[:-1].split(b"\n")
    header = value_of(first)
    demand(set(header) == {"format", "key", "log", "size"})
    if header["format"] == "tocsin-record-excerpt-1":
        return second_verdict_on_an_excerpt(header, rows, outside, known)
    demand(header["format"] == "tocsin-record-export-1")
    log, key = header["log"], header["key"]
    demand(known in (None, key))
    leaves = []
    for row in rows:
        value = value_of(row)
        if set(value) == {"checkpoint"}:
            demand(checkpoint(value["checkpoint"], log, key) == (len(leaves), root(leaves)))
        else:
            line(value, log, len(leaves))
            leaves.append(hashlib.sha256(b"\x00" + row).digest())
    demand(header["size"] == len(leaves))
    proven = 0
    for note in outside:
        size, said = checkpoint(note, log, key)
        demand(size <= len(leaves) and said == root(leaves[:size]))
        proven = max(proven, size)
    return proven


def second_verdict_on_an_excerpt(header, rows, outside, known):
    """The tree as a map from (level, place) to hash, filled upwards; what stands where is looked up in it."""
    log, key = header["log"], header["key"]
    demand(known in (None, key))
    nodes, size, seams, last = {}, 0, {0}, None
    for row in rows:
        value = value_of(row)
        if set(value) == {"checkpoint"}:
            last = checkpoint(value["checkpoint"], log, key)
            demand(last == (size, root_in(nodes, size)))
            continue
        if set(value) == {"hidden"}:
            inner = value["hidden"]
            demand(isinstance(inner, dict) and set(inner) == {"hash", "level"} and type(inner["level"]) is int)
            demand(0 <= inner["level"] <= 40 and re.fullmatch("[0-9a-f]{64}", inner["hash"]))
            level, node = inner["level"], bytes.fromhex(inner["hash"])
        else:
            line(value, log, size)
            level, node = 0, hashlib.sha256(b"\x00" + row).digest()
        demand(size % 2**level == 0)
        place = size >> level
        nodes[level, place] = node
        size += 2**level
        seams.add(size)
        while place % 2:
            node = hashlib.sha256(b"\x01" + nodes[level, place - 1] + node).digest()
            level, place = level + 1, place // 2
            nodes[level, place] = node
    demand(last is not None and last[0] == size == header["size"])
    proven = 0
    for note in outside:
        told, said = checkpoint(note, log, key)
        if told in seams:
            demand(said == root_in(nodes, told))
            proven = max(proven, told)
    return proven


def root_in(nodes, size):
    """RFC 6962's root from the roots of the complete subtrees, the smallest ones first."""
    found, place = None, size
    for level in range(41):
        if size >> level & 1:
            place -= 1 << level
            peak = nodes[level, place >> level]
            found = peak if found is None else hashlib.sha256(b"\x01" + peak + found).digest()
    return found or hashlib.sha256(b"").digest()


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_verifier_written_from_the_document_agrees(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    asked = case["export"].encode(), case.get("outside", ()), case.get("key")
    if case["expect"]:
        with pytest.raises(WrongError):
            second_verdict(*asked)
    else:
        assert second_verdict(*asked) == case.get("proven", 0)
