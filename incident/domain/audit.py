"""The record's format and its check: lines, Merkle tree, signed checkpoints. Standard library only.

This one file is also a program that needs nothing else of Tocsin, nor an installation of it:

    python audit.py EXPORT [--checkpoint FILE]… [--key KEY] [--json]

It exits 0 when nothing is wrong, 1 when something is, 2 when it was called wrongly.
docs/record.md describes the format for whoever wants to write a second verifier.
Sources: RFC 6962 section 2.1 and RFC 9162 section 2.1 (tree and proofs), RFC 8785 (canonical JSON),
RFC 8032 section 5.1 (Ed25519), C2SP signed-note and tlog-checkpoint.
"""

import argparse
import base64
import binascii
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256, sha512
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn

LINE_FORMAT = "tocsin-record-1"
EXPORT_FORMAT = "tocsin-record-export-1"
LONGEST_LINE = 65_536  # bytes, of one line of an export
DEEPEST = 16  # levels of lists and objects inside one line
MOST_CHECKPOINTS = 10_000  # in one export
MOST_FINDINGS = 20  # after so many the check stops reading
SAFE_INTEGER = 2**53 - 1  # RFC 8785 knows no larger number

WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
FIELDS = ("actor", "at", "details", "format", "incident", "log", "seq", "subject", "verb")


class Malformed(ValueError):
    """The bytes are not of this format; the text says what is wrong with them."""


# Canonical JSON -----------------------------------------------------------------------------------------------------

_quoted = json.encoder.encode_basestring  # RFC 8785 3.2.2.2 asks for the same escapes


def canonical(value: object, depth: int = 0) -> str:
    """The one RFC 8785 text of `value`: null, booleans, whole numbers, strings, lists, objects. Raises Malformed."""
    if depth > DEEPEST:
        raise Malformed(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        return str(_quoted(value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        if abs(value) > SAFE_INTEGER:
            raise Malformed("a number is larger than 2^53 - 1")
        return str(int(value))
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(canonical(item, depth + 1) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ",".join(_members(value, depth)) + "}"
    raise Malformed(f"a value is a {type(value).__name__}, which the format does not know")


def _members(value: Mapping[object, object], depth: int) -> Iterator[str]:
    keys = [key for key in value if isinstance(key, str)]
    if len(keys) != len(value):
        raise Malformed("a key is not a string")
    for key in sorted(keys, key=lambda name: name.encode("utf-16-be", "surrogatepass")):
        yield f"{_quoted(key)}:{canonical(value[key], depth + 1)}"


def parsed(text: bytes) -> object:
    """The value of canonical JSON bytes. Raises Malformed for anything that has a second way of being written."""
    try:
        value = json.loads(
            text.decode(), object_pairs_hook=_no_twins, parse_float=_no_number, parse_constant=_no_number
        )
        again = canonical(value).encode()
    except RecursionError:
        raise Malformed(f"nested deeper than {DEEPEST} levels") from None
    except UnicodeError:
        raise Malformed("not UTF-8 text") from None
    except json.JSONDecodeError:
        raise Malformed("not JSON") from None
    except ValueError as error:  # also Python's own limit on digits
        raise error if isinstance(error, Malformed) else Malformed("a number is larger than 2^53 - 1") from None
    if again != text:
        raise Malformed("not in canonical form (RFC 8785)")
    return value


def _no_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("an object names the same key twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise Malformed("a number is not whole")


# Lines --------------------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """One entry of the record, as it is stored. `at` is UTC with six decimals, `details` a canonical JSON object."""

    actor: str
    at: str
    verb: str
    subject: str
    incident: str | None
    details: str


def encoded(log: str, seq: int, line: Line) -> bytes:
    """The bytes that are hashed for `line` at place `seq` (from 0) of the record `log`. Its words must be words."""
    actor, at, verb, subject, incident, details = line
    where = f'"{incident}"' if incident is not None else "null"
    return (
        f'{{"actor":"{actor}","at":"{at}","details":{details},"format":"{LINE_FORMAT}","incident":{where},'
        f'"log":"{log}","seq":{seq},"subject":"{subject}","verb":"{verb}"}}'
    ).encode()


def decoded(text: bytes) -> tuple[str, int, Line]:
    """Log, place and line of such bytes. Raises Malformed, naming the field that is wrong."""
    value = parsed(text)
    if not isinstance(value, dict):
        raise Malformed("not an object")
    if tuple(value) != FIELDS:
        odd = sorted(set(FIELDS) ^ set(value))
        raise Malformed("the fields are not those of a line: " + shown(", ".join(odd)))
    if value["format"] != LINE_FORMAT:
        raise Malformed(f"the format is not {LINE_FORMAT}")
    for name in ("actor", "log", "subject", "verb"):
        _check_word(name, value[name])
    if value["incident"] is not None:
        _check_word("incident", value["incident"])
    if not (isinstance(value["at"], str) and INSTANT.fullmatch(value["at"])):
        raise Malformed("the field 'at' is not a UTC time with six decimals")
    if type(value["seq"]) is not int or value["seq"] < 0:
        raise Malformed("the field 'seq' is not a whole number from 0")
    if not isinstance(value["details"], dict):
        raise Malformed("the field 'details' is not an object")
    line = Line(*(value[name] for name in ("actor", "at", "verb", "subject", "incident")), canonical(value["details"]))
    return value["log"], value["seq"], line


def _check_word(name: str, value: object) -> None:
    if not (isinstance(value, str) and WORD.fullmatch(value)):
        raise Malformed(f"the field '{name}' is not a plain word")


# The tree -----------------------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962: SHA-256 of 0x00 and the entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962: SHA-256 of 0x01 and both children."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """What must be kept of a tree to add leaves and give its root: one hash for each complete subtree, largest first."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    @classmethod
    def unpacked(cls, size: int, packed: bytes) -> "Frontier":
        """The frontier that `packed()` wrote. Raises Malformed where size and hashes do not fit each other."""
        if size < 0 or len(packed) != 32 * size.bit_count():
            raise Malformed("the kept hashes do not fit the number of lines")
        return cls(size, (packed[start : start + 32] for start in range(0, len(packed), 32)))

    def packed(self) -> bytes:
        """All hashes, one after the other."""
        return b"".join(self.peaks)

    def add(self, leaf: bytes) -> None:
        """Put one leaf hash at the end."""
        peaks, carry, node = self.peaks, self.size, leaf
        while carry & 1:
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            carry >>= 1
        peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The RFC 6962 root over all leaves so far."""
        if not self.peaks:
            return sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(entries: Iterable[bytes]) -> bytes:
    """The root over `entries`: what one line carries for a batch of many."""
    frontier = Frontier()
    for entry in entries:
        frontier.add(leaf_hash(entry))
    return frontier.root()


def _root(leaves: Sequence[bytes]) -> bytes:
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.root()


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Hashes that lead from leaf `index` to the root over `leaves` (leaf hashes), nearest first."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return []
    half = _split(len(leaves))
    if index < half:
        return [*inclusion_proof(leaves[:half], index), _root(leaves[half:])]
    return [*inclusion_proof(leaves[half:], index - half), _root(leaves[:half])]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from `leaf` at `index` to `root` of `size` leaves (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistency_proof(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """Hashes that show the tree over `leaves` to start with the tree of its first `old` leaves."""
    if not 0 < old <= len(leaves):
        raise IndexError(old)
    return _consistency(leaves, old, whole=True)


def _consistency(leaves: Sequence[bytes], old: int, *, whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [_root(leaves)]
    half = _split(len(leaves))
    if old <= half:
        return [*_consistency(leaves[:half], old, whole=whole), _root(leaves[half:])]
    return [*_consistency(leaves[half:], old - half, whole=False), _root(leaves[:half])]


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that `root` of `size` leaves continues `old_root` of `old` (RFC 9162 2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, step)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == root
