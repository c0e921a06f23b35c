"""The record's format and its check: lines, Merkle tree, signed checkpoints. Standard library only.

This one file is also a program that needs nothing else of Tocsin, nor an installation of it:

    python audit.py FILE [--checkpoint FILE]… [--key KEY]… [--witness KEY]… [--stamp FILE]… [--require-checkpoint] [--address TEXT]… [--json]
    python audit.py witness NAME SECRET_FILE
    python audit.py cosign SECRET_FILE CHECKPOINT --record FILE [--checkpoint FILE]… [--key KEY]…

FILE is an export of the whole record, an excerpt of it, the bundle of one incident, or the proof that one person was told.
A witness is somebody outside who signs checkpoints too: `witness` makes the key, `cosign` adds the signature to a checkpoint.

It exits 0 when nothing is wrong, 1 when something is, 2 when it was called wrongly. That lines are not proven by anything from outside
counts as wrong only with --require-checkpoint.
docs/record.md describes the format for whoever wants to write a second verifier.
Sources: RFC 6962 section 2.1 and RFC 9162 section 2.1 (tree and proofs), RFC 8785 (canonical JSON),
RFC 8032 section 5.1 (Ed25519), C2SP signed-note, tlog-checkpoint and tlog-cosignature, RFC 3161 section 2.4 and
RFC 5652 section 5 (time stamps: what they are about, not who signed them).
"""

import argparse
import base64
import binascii
import json
import os
import re
import sys
import time
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, cast

LINE_FORMAT = "tocsin-record-1"
EXPORT_FORMAT = "tocsin-record-export-1"
EXCERPT_FORMAT = "tocsin-record-excerpt-1"
BUNDLE_FORMAT = "tocsin-bundle-1"
PROOF_FORMAT = "tocsin-proof-1"
LONGEST_LINE = 65_536  # bytes, of one line of an export
DEEPEST = 16  # levels of lists and objects inside one line
MOST_CHECKPOINTS = 10_000  # in one export
MOST_SIGNATURES = 32  # of one checkpoint
MOST_COSIGNED = 200  # checkpoints in one export, the last ones, of which a check looks at what witnesses signed
MOST_KEYS = 100  # that a record has one after the other
MOST_FINDINGS = 20  # after so many the check stops reading
WIDEST = 12  # levels of a subtree that is built at once
HIGHEST = 40  # an excerpt hides at most 2^40 lines in one row
SAFE_INTEGER = 2**53 - 1  # RFC 8785 knows no larger number

WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}")
LONG_RUN = re.compile(rb"\d{16}")
LONG_NUMBER = re.compile(rb"(?:^|[:,\[])-?\d{16}")
DIGEST = re.compile(r"[0-9a-f]{64}")
HEX = re.compile(r"[0-9a-f]+")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
FIELDS = ("actor", "at", "details", "format", "incident", "log", "seq", "subject", "verb")


class Malformed(ValueError):
    """The bytes are not of this format; the text says what is wrong with them."""


# Canonical JSON -----------------------------------------------------------------------------------------------------

_quoted = json.encoder.encode_basestring  # RFC 8785 3.2.2.2 asks for the same escapes
_plain = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def canonical(value: object, depth: int = 0) -> str:
    """The one RFC 8785 text of `value`: null, booleans, whole numbers, strings, lists, objects. Raises Malformed."""
    if isinstance(value, str):
        return str(_quoted(value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        if abs(value) > SAFE_INTEGER:
            raise Malformed("a number is larger than 2^53 - 1")
        return str(int(value))
    if depth == DEEPEST:
        raise Malformed(f"nested deeper than {DEEPEST} levels")
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
        if _is_plain(text) and _plain(value := _quick(text.decode())) == text.decode():
            return value
        value = json.loads(text, object_pairs_hook=_no_twins, parse_float=_no_number, parse_constant=_no_number)
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


def _is_plain(text: bytes) -> bool:
    """Whether Python's own encoder is sure to agree: no other alphabet, no large number, no deep nesting."""
    if not text.isascii() or text.count(b"{") + text.count(b"[") > DEEPEST:
        return False
    return not (LONG_RUN.search(text) and LONG_NUMBER.search(text))


def _no_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("an object names the same key twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise Malformed("a number is not whole")


_quick = json.JSONDecoder(parse_float=_no_number, parse_constant=_no_number).decode


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


def leaf_hashes(log: str, rows: Iterable[tuple[int, str, str, str, str, str | None, str, object]]) -> list[bytes]:
    """The leaf hashes of many lines at once: of each its place, its six fields, and something that is not asked."""
    between = f',"log":"{log}","seq":'
    rows = list(rows)
    where = {row[5]: "null" if row[5] is None else f'"{row[5]}"' for row in rows}
    return [
        sha256(
            f'\0{{"actor":"{actor}","at":"{at}","details":{details},"format":"{LINE_FORMAT}","incident":'
            f"{where[incident]}{between}{seq},"
            f'"subject":"{subject}","verb":"{verb}"}}'.encode()
        ).digest()
        for seq, actor, at, verb, subject, incident, details, _ in rows
    ]


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
    actor, at, verb, subject, where = (value[name] for name in ("actor", "at", "verb", "subject", "incident"))
    around = encoded(value["log"], value["seq"], Line(actor, at, verb, subject, where, ""))
    start = len('{"actor":"","at":"","details":') + len(actor) + len(at)
    details = text[start : start + len(text) - len(around)].decode()
    return value["log"], value["seq"], Line(actor, at, verb, subject, where, details)


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

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Put many leaf hashes at the end, by complete subtrees, at a third of the time."""
        start = 0
        while start < len(leaves):
            fits = (self.size & -self.size).bit_length() - 1 if self.size else WIDEST
            level = min(fits, WIDEST, (len(leaves) - start).bit_length() - 1)
            nodes = leaves[start : start + (1 << level)]
            start += len(nodes)
            while len(nodes) > 1:
                nodes = [
                    sha256(b"\x01" + left + right).digest() for left, right in zip(*[iter(nodes)] * 2, strict=True)
                ]
            self.add_subtree(level, nodes[0])

    def add_subtree(self, level: int, node: bytes) -> None:
        """Put the hash of a complete tree of 2^level leaves at the end. Raises Malformed where no such tree can stand."""
        if self.size & ((1 << level) - 1):
            raise Malformed(f"a tree of 2^{level} lines cannot begin after {self.size} lines")
        peaks, carry = self.peaks, self.size >> level
        while carry & 1:
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            carry >>= 1
        peaks.append(node)
        self.size += 1 << level

    def root(self) -> bytes:
        """The RFC 6962 root over all leaves so far."""
        if not self.peaks:
            return sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(entries: Iterable[bytes]) -> bytes:
    """The root over `entries`: what one line carries for a batch of many.

    Neighbours are joined level by level; a last one without neighbour moves up as it is, which gives RFC 6962's tree.
    """
    level = [sha256(b"\x00" + entry).digest() for entry in entries]
    while len(level) > 1:
        joined = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level = joined + level[2 * len(joined) :]
    return level[0] if level else sha256(b"").digest()


def path_in(entries: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from the entry at `index` to the root over `entries`, nearest first. Raises IndexError."""
    if not 0 <= index < len(entries):
        raise IndexError(index)
    path, level = [], [leaf_hash(entry) for entry in entries]
    while len(level) > 1:
        if (beside := index ^ 1) < len(level):
            path.append(level[beside])
        joined = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level, index = joined + level[2 * len(joined) :], index >> 1
    return path


def root_by(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root of `size` leaves to which the path leads from `leaf` at `index`; None where it leads nowhere.

    RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        return None
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None


# Checkpoints --------------------------------------------------------------------------------------------------------

Judge = Callable[[bytes, bytes, bytes], bool]
"""Says whether public key, message and signature fit; a program with a faster library brings its own."""

ALGORITHM = b"\x01"  # C2SP signed-note: Ed25519


COSIGNING = b"\x04"  # C2SP tlog-cosignature: Ed25519 with a time
LATEST_TIME = 2**63 - 1
NAME = re.compile(r"[!-*,-~]{1,100}")  # of a witness: no space, no plus sign


@dataclass(frozen=True)
class Key:
    """A public key with its name, as C2SP writes it: `name+id+base64`."""

    name: str
    public: bytes
    kind: bytes = ALGORITHM

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys apart."""
        return sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(self.kind + self.public)}"

    @classmethod
    def read(cls, text: str, kind: bytes = ALGORITHM) -> "Key":
        """The key written as `name+id+base64`. Raises Malformed."""
        name, _, rest = text.strip().partition("+")
        identity, _, encoded_key = rest.partition("+")
        raw = _unbase64(encoded_key)
        key = cls(name, raw[1:], kind)
        if len(raw) != 33 or raw[:1] != kind or not name or key.id.hex() != identity:
            raise Malformed("this is not an Ed25519 key in the form name+id+base64")
        return key

    @classmethod
    def read_witness(cls, text: str) -> "Key":
        """The key of a witness, which signs with a time. Raises Malformed."""
        key = cls.read(text, COSIGNING)
        if not NAME.fullmatch(key.name):
            raise Malformed("the name of a witness is 1 to 100 plain letters without spaces")
        return key


@dataclass(frozen=True)
class Witnesses:
    """The keys of those outside who sign checkpoints too, and how many of them it takes for a proof."""

    keys: tuple[Key, ...] = ()
    needed: int = 0

    @classmethod
    def read(cls, texts: Iterable[str], needed: int = 0) -> "Witnesses":
        """The witnesses with these keys; it takes all of them unless fewer are `needed`. Raises Malformed."""
        keys = tuple(Key.read_witness(text) for text in texts)
        if len({key.name for key in keys}) != len(keys) or len({key.public for key in keys}) != len(keys):
            raise Malformed("a witness was named twice")
        if not 0 <= needed <= len(keys):
            raise Malformed("more witnesses are needed than there are, or fewer than none")
        return cls(keys, needed or len(keys))


@dataclass(frozen=True)
class Checkpoint:
    """A signed note that says: the record `origin` has `size` lines, and this root."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]  # name, key id, signature

    @classmethod
    def read(cls, note: str) -> "Checkpoint":
        """The checkpoint in a signed note. Raises Malformed."""
        text, gap, tail = note.rpartition("\n\n")
        rows = text.split("\n")
        if (
            not gap
            or len(note) > LONGEST_LINE
            or len(rows) < 3
            or "" in rows
            or re.search(r"[\x00-\x09\x0b-\x1f\x7f]", note)
        ):
            raise Malformed("this is not a checkpoint (C2SP tlog-checkpoint)")
        if not re.fullmatch(r"0|[1-9]\d{0,15}", rows[1]) or not rows[0] or not tail.endswith("\n"):
            raise Malformed("this is not a checkpoint (C2SP tlog-checkpoint)")
        root = _unbase64(rows[2])
        if len(root) != 32:
            raise Malformed("the checkpoint's root is not 32 bytes")
        signatures = tuple(_signature(row) for row in tail[:-1].split("\n"))
        if len(signatures) > MOST_SIGNATURES or len({signer[:2] for signer in signatures}) != len(signatures):
            raise Malformed(f"it has more than {MOST_SIGNATURES} signatures, or two by one key")
        return cls(rows[0], int(rows[1]), root, text + "\n", signatures)

    def trouble(self, key: Key, judge: Judge | None = None) -> tuple[str, str] | None:
        """What is wrong with its signature by `key`: a kind and a sentence; None when it is right."""
        signature = self.signature(key)
        if signature is None:
            return "wrong key", f"The checkpoint of {self.size} lines was not signed with the key {key.id.hex()}."
        if not (judge or is_signed)(key.public, self.text.encode(), signature):
            return "forged signature", f"The signature of the checkpoint of {self.size} lines does not fit its text."
        return None

    def signature(self, key: Key) -> bytes | None:
        """What stands behind the id of this key; None where it has not signed."""
        own = (key.name, key.id)
        return next((signature for name, identity, signature in self.signatures if (name, identity) == own), None)

    def seen_at(self, witness: Key, judge: Judge | None = None) -> int | None:
        """When this witness signed, in seconds since 1970; None where it has not. Raises Malformed for a forged signature."""
        stamped = self.signature(witness)
        if stamped is None:
            return None
        at = int.from_bytes(stamped[:8], "big")
        text = cosigned_text(self.text, at).encode()
        if len(stamped) != 72 or at > LATEST_TIME or not (judge or is_signed)(witness.public, text, stamped[8:]):
            raise Malformed(f"what {witness.name} signed on the checkpoint of {self.size} lines does not fit its text")
        return at


def origin_of(log: str) -> str:
    """The name under which checkpoints of this record are signed."""
    return f"tocsin/{log}"


def checkpoint_text(log: str, size: int, root: bytes) -> str:
    """What is signed: origin, size and root, a line each."""
    return f"{origin_of(log)}\n{size}\n{_base64(root)}\n"


def signed_note(text: str, key: Key, signature: bytes) -> str:
    """The text with its signature, as C2SP signed-note has it."""
    return f"{text}\n{signature_line(key, signature)}"


def signature_line(key: Key, signature: bytes) -> str:
    """A line at the end of a signed note."""
    return f"\u2014 {key.name} {_base64(key.id + signature)}\n"


def cosigned_text(text: str, at: int) -> str:
    """What a witness signs at this time, in seconds since 1970, of a checkpoint's text (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {at}\n{text}"


def with_cosignatures(note: str, lines: Iterable[str]) -> str:
    """The note with the signature lines of witnesses behind its own."""
    return note + "".join(lines)


class Stamp(NamedTuple):
    """What a time stamp (RFC 3161) says: a time, in UTC, and the SHA-256 of what it is about."""

    imprint: bytes
    at: str


LARGEST_STAMP = 65_536  # bytes
SEQUENCE, INTEGER, STRING, NUMBER, WHEN, TAGGED = 0x30, 0x02, 0x04, 0x06, 0x18, 0xA0
GRANTED = (b"\x02\x01\x00", b"\x02\x01\x01")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
STAMPED_INFO = bytes.fromhex("060b2a864886f70d0109100104")
BY_SHA256 = bytes.fromhex("0609608648016503040201")
NO_STAMP = "this is not the answer of a time stamp authority (RFC 3161) in DER"
STAMPED_AT = re.compile(rb"(\d{14})(\.\d{0,8}[1-9])?Z")


def stamp_in(answer: bytes) -> Stamp:
    """What the answer of a time stamp authority says. Whether the authority signed it is not looked at. Raises Malformed."""
    if len(answer) > LARGEST_STAMP:
        raise Malformed(f"it is larger than {LARGEST_STAMP} bytes")
    status, token = _values(answer, 2)
    if _values(status)[0] not in GRANTED:
        raise Malformed("the authority granted none")
    signed = _values(_wrapped(token, SIGNED_DATA), least=3)
    said = _values(_content(_wrapped(signed[2], STAMPED_INFO), STRING), least=5)
    version, policy, about, number, at = said[:5]
    if version != GRANTED[1] or policy[0] != NUMBER or number[0] != INTEGER:
        raise Malformed(NO_STAMP)
    algorithm, imprint = _values(about, 2)
    if _values(algorithm)[0] != BY_SHA256 or len(imprint := _content(imprint, STRING)) != 32:
        raise Malformed("it is not about a SHA-256")
    return Stamp(imprint, _moment(_content(at, WHEN)))


def _moment(written: bytes) -> str:
    found = STAMPED_AT.fullmatch(written)
    try:
        at = datetime.strptime(found[1].decode() if found else "", "%Y%m%d%H%M%S")  # noqa: DTZ007 (UTC, as its Z says)
    except ValueError:
        raise Malformed("its time is none") from None
    return f"{at.isoformat()}{(found[2] or b'').decode() if found else ''}Z"


def _wrapped(raw: bytes, kind: bytes) -> bytes:
    """The one value that is wrapped with the name of its kind (RFC 5652). Raises Malformed."""
    named, inner = _values(raw, 2)
    if named != kind:
        raise Malformed(NO_STAMP)
    return _content(inner, TAGGED)


def _values(raw: bytes, exactly: int = 0, *, least: int = 1) -> list[bytes]:
    """The values of a sequence, each whole. Raises Malformed."""
    content, at = _content(raw, SEQUENCE), 0
    found: list[bytes] = []
    while at < len(content):
        start, at = at, _extent(content, at)[1]
        found.append(content[start:at])
    if len(found) < (exactly or least) or (exactly and len(found) > exactly):
        raise Malformed(NO_STAMP)
    return found


def _content(raw: bytes, tag: int) -> bytes:
    """What the one value in these bytes holds, which has this tag. Raises Malformed."""
    start, end = _extent(raw, 0)
    if raw[0] != tag or end != len(raw):
        raise Malformed(NO_STAMP)
    return raw[start:end]


def _extent(raw: bytes, at: int) -> tuple[int, int]:
    """Where what the value at this place holds begins and ends, its length written in the one way of DER. Raises Malformed."""
    head = raw[at : at + 2]
    if len(head) < 2 or head[0] & 0x1F == 0x1F:
        raise Malformed(NO_STAMP)
    start, length = at + 2, head[1]
    if length >= 0x80:
        written = raw[start : start + (length & 0x7F)]
        start, length = start + len(written), int.from_bytes(written, "big")
        if length < 0x80 or written[0] == 0:
            raise Malformed(NO_STAMP)
    if start + length > len(raw):
        raise Malformed(NO_STAMP)
    return start, start + length


def key_change_text(log: str, seq: int, old: bytes, new: bytes) -> str:
    """What the old key signs when line `seq` makes another one the record's key."""
    return f"tocsin-record-key-1\n{log}\n{seq}\n{old.hex()}\n{new.hex()}\n"


def _signature(row: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = row.partition(" ")
    name, _, code = rest.partition(" ")
    raw = _unbase64(code)
    if dash != "\u2014" or not name or len(raw) < 5:
        raise Malformed("a signature of the checkpoint cannot be read")
    return name, raw[:4], raw[4:]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _unbase64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise Malformed("base64 was expected") from None
    if _base64(raw) != text:
        raise Malformed("base64 was expected")
    return raw


# Ed25519, checking only (RFC 8032 section 5.1) ----------------------------------------------------------------------

Point = tuple[int, int, int, int]  # extended coordinates
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
BASE_Y = 4 * pow(5, -1, P) % P


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` over `message` was made with the private half of `public`."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = _point(public), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= ORDER or _times(8, key)[0] == 0:
        return False  # the last: a key of small order, for which one signature fits many texts
    challenge = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    uses = _uses(key)
    uses[0] += 1
    shared = _times(challenge, key) if uses[0] < WORTH_A_TABLE else _by_table(challenge, _table(key))
    left, right = _by_table(scalar, _table(BASE)), _plus(commitment, shared)
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


@lru_cache(64)
def _point(text: bytes) -> Point | None:
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def _plus(one: Point, two: Point) -> Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _plus(total, point)
        point, scalar = _plus(point, point), scalar >> 1
    return total


WORTH_A_TABLE = 8  # signatures by one key, before which a table costs more than it saves


@lru_cache(256)
def _uses(_key: Point) -> list[int]:
    """How often this key was asked about, counted by whoever asks."""
    return [0]


@lru_cache(8)
def _table(point: Point) -> list[list[Point]]:
    """For each six bits of a scalar, the point as often as those bits say: made once a key, then a check takes a fifth."""
    table = []
    for _ in range(43):
        row: list[Point] = [(0, 1, 1, 0)]
        for _ in range(63):
            row.append(_plus(row[-1], point))
        table.append(row)
        point = _plus(row[32], row[32])
    return table


def _by_table(scalar: int, table: list[list[Point]]) -> Point:
    total: Point = (0, 1, 1, 0)
    for row in table:
        total = _plus(total, row[scalar & 63])
        scalar >>= 6
    return total


BASE = _point(BASE_Y.to_bytes(32, "little")) or (0, 1, 1, 0)


def public_of(seed: bytes) -> bytes:
    """The public half of the Ed25519 key with this seed of 32 bytes."""
    return _written(_by_table(_halves(seed)[0], _table(BASE)))


def signature_of(seed: bytes, message: bytes) -> bytes:
    """An Ed25519 signature (RFC 8032 section 5.1.6). Not for machines that strangers can time: numbers take as long as they are."""
    scalar, prefix = _halves(seed)
    public = public_of(seed)
    once = int.from_bytes(sha512(prefix + message).digest(), "little") % ORDER
    commitment = _written(_by_table(once, _table(BASE)))
    challenge = int.from_bytes(sha512(commitment + public + message).digest(), "little") % ORDER
    return commitment + ((once + challenge * scalar) % ORDER).to_bytes(32, "little")


def _halves(seed: bytes) -> tuple[int, bytes]:
    if len(seed) != 32:
        raise Malformed("the seed of a key has 32 bytes")
    digest = sha512(seed).digest()
    return int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254, digest[32:]


def _written(point: Point) -> bytes:
    scale = pow(point[2], -1, P)
    x, y = point[0] * scale % P, point[1] * scale % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


# The check ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be: its kind in a word or two, and a sentence."""

    kind: str
    sentence: str


CHANGED_KEY = "record.key_changed"
REPLACED_KEY = "record.key_replaced"
KEY_VERBS = frozenset({CHANGED_KEY, REPLACED_KEY})


@dataclass(frozen=True)
class Reign:
    """A key of the record: it signs checkpoints of more than `since` lines, until the next one."""

    since: int
    key: str
    signed: bool = True  # by the key before it


@dataclass(frozen=True)
class Stamped:
    """A checkpoint of so many lines that a time stamp speaks of, and the time that it says, in UTC."""

    size: int
    at: str


@dataclass
class Verdict:
    """What a check found, and how far it proves anything."""

    log: str = ""
    size: int = 0
    root: str = ""
    key: str = ""  # the one in force at the end
    keys: list[Reign] = field(default_factory=list)  # all of them, the first one first
    proven: int = 0  # lines covered by a checkpoint that came from outside, or that enough witnesses signed
    witnessed: int = 0  # lines covered by a checkpoint that enough witnesses signed
    witnesses: dict[str, int] = field(
        default_factory=dict
    )  # by name: how many lines each of those asked about has seen
    needed: int = 0  # witnesses for a proof
    stamped: list[Stamped] = field(
        default_factory=list
    )  # checkpoints that time stamps speak of; who signed these is not judged
    signed: int = 0  # lines covered by any checkpoint
    hidden: int = 0  # lines of which an excerpt shows only hashes
    files: int = 0  # files of a bundle or a proof that are as its list says
    passed_over: list[int] = field(default_factory=list)  # sizes of checkpoints from outside that an excerpt hides
    restored_at: int | None = None
    incident: str = ""  # of a bundle or a proof
    person: str = ""  # of a proof
    shows: list[str] = field(default_factory=list)  # what lines of the record say of this person, in sentences
    shows_not: list[str] = field(default_factory=list)  # what a proof itself says no line can show
    addresses: dict[str, tuple[str, str]] = field(default_factory=dict)  # of a proof: delivery, salt and digest, in hex
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing wrong was found. That is not yet a proof: see `sentences`."""
        return not self.findings

    def found(self, kind: str, sentence: str) -> None:
        """Add a finding, up to the limit."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(kind, sentence))

    def sentences(self, source: str = "from outside") -> list[str]:
        """The verdict for people: what was found, what is proven by checkpoints of that `source`, and what is not."""
        if self.findings:
            told = [f"{finding.kind}: {finding.sentence}" for finding in self.findings]
            if self.restored_at is not None:
                told.append(f"The record says that it was restored from a backup at line {self.restored_at}.")
            return ["NOT IN ORDER.", *told]
        told = [f"Nothing wrong was found in {self.size} lines of the record {self.log} (root {self.root})."]
        if self.hidden:
            told.append(
                f"{self.size - self.hidden} of them are shown, of {self.hidden} only hashes: whether these leave out a "
                "line that belongs here, only the whole record can show."
            )
        if self.files:
            told.append(f"{self.incident}: all {self.files} files are those that the record speaks of.")
        if self.person:
            told += [f"{self.person} of {self.incident}: {sentence}" for sentence in self.shows]
            told += [f"Not shown by the record: {sentence}" for sentence in self.shows_not]
            told.append(
                "Texts, addresses and reports in it are those that Tocsin held when this proof was made; the record holds "
                "their digest."
            )
        told += [
            f"The checkpoint of {size} lines could not be compared with this excerpt." for size in self.passed_over
        ]
        told += [*self._on_keys(), *self._on_witnesses(), *self._on_stamps()]
        if self.witnessed == self.proven > 0:
            source = f"{source}, or seen by {self.needed} of {len(self.witnesses)} witnesses,"
        if self.proven == self.size:
            return [*told, f"Proven: all {self.size} lines stand as when the checkpoint {source} was signed."]
        if not self.proven:
            return [
                *told,
                "Tail not proven: without a checkpoint that was kept elsewhere, the whole could have been cut short or "
                "written anew. Give one.",
            ]
        return [
            *told,
            f"Proven: the first {self.proven} lines stand as when the checkpoint {source} was signed.",
            f"Tail not proven: no checkpoint {source} speaks of the last {self.size - self.proven} lines; they could have "
            "been cut short or written anew. Give a newer one.",
        ]

    def _on_keys(self) -> Iterator[str]:
        for before, reign in zip(self.keys, self.keys[1:], strict=False):
            old, new = _id_in(before.key), _id_in(reign.key)
            if reign.signed:
                yield f"The record's key was changed at line {reign.since}, from {old} to {new}, signed by {old}."
            else:
                yield (
                    f"Key replaced without the old one's signature at line {reign.since}, from {old} to {new}: that {new} is "
                    "genuine rests on where you have it from."
                )

    def _on_witnesses(self) -> Iterator[str]:
        if self.witnesses:
            each = [f"{shown(name)} {f'{seen} lines' if seen else 'none'}" for name, seen in self.witnesses.items()]
            saw = f"the first {self.witnessed} lines" if self.witnessed else "no checkpoint yet"
            yield f"Seen by {self.needed} of {len(self.witnesses)} witnesses: {saw} (of this record has seen: {', '.join(each)})."

    def _on_stamps(self) -> Iterator[str]:
        for one in self.stamped:
            yield (
                f"Stamped: a time stamp says that the checkpoint of {one.size} lines was there at {one.at}; its imprint is "
                "that of this checkpoint. Whether its authority signed it is not judged here: openssl ts -verify tells."
            )


class Check:
    """Reads a record from its start and compares it with checkpoints as it goes. `key` is the record's first one.

    Without `known` keys, those that the record names are taken at their word, as long as each signed the next one.
    With them, whatever no known key vouches for counts for nothing.
    """

    def __init__(
        self,
        log: str,
        key: Key,
        outside: Iterable[str] = (),
        judge: Judge | None = None,
        *,
        known: Collection[Key] = (),
        witnesses: Witnesses | None = None,
        stamps: Iterable[bytes] = (),
    ) -> None:
        self.key, self._judge = key, judge
        self._asked, self._known = bool(known), frozenset(one for one in known if one.name == key.name)
        self._witnesses = witnesses or Witnesses()
        self._is_trusted = not self._asked or key in self._known
        self._past: set[bytes] = {key.public}
        self._trusting = self._doubting = 0  # the most lines that checkpoints of keys vouched for, and of others, cover
        self.frontier = Frontier()
        self.verdict = Verdict(log=log, key=str(key), keys=[Reign(0, str(key))])
        self.excerpt = False
        self.bundled: set[tuple[str, str, str]] = set()  # verb, subject, details
        self.wanted: frozenset[int] = frozenset()
        self.lines: dict[int, Line] = {}  # those that are wanted
        self._agreed = self._enclosed = 0
        self._cosigned: deque[Checkpoint] = deque(maxlen=MOST_COSIGNED)  # inside
        self._cosigned_outside: list[Checkpoint] = []
        self._waiting: list[Checkpoint] = []
        self._stamps = list(self._legible(stamps))
        for note in outside:
            try:
                checkpoint = Checkpoint.read(note)
            except Malformed as error:
                self.verdict.found("not a checkpoint", f"A checkpoint from outside cannot be read: {error}.")
            else:
                self._accept(checkpoint)

    def _legible(self, stamps: Iterable[bytes]) -> Iterator[Stamp]:
        for answer in stamps:
            try:
                yield stamp_in(answer)
            except Malformed as error:
                self.verdict.found("not a stamp", f"A time stamp cannot be read: {error}.")

    def _accept(self, checkpoint: Checkpoint) -> None:
        if self._is_ours(checkpoint):
            self._waiting.append(checkpoint)
            self._waiting.sort(key=lambda waiting: waiting.size, reverse=True)
            self._meet()

    def _is_ours(self, checkpoint: Checkpoint) -> bool:
        if checkpoint.origin == origin_of(self.verdict.log):
            return True
        about = shown(checkpoint.origin)
        self.verdict.found("foreign checkpoint", f"A checkpoint is about {about}, not about this record.")
        return False

    def _is_genuine(self, checkpoint: Checkpoint, *others: Key) -> bool:
        """Whether it was signed with the key in force; of one beyond the end, with that of the end or a known one."""
        troubles = [checkpoint.trouble(key, self._judge) for key in (self.key, *others)]
        if None in troubles:
            return True
        self.verdict.found(*cast(tuple[str, str], troubles[0]))
        return False

    def _date(self, checkpoint: Checkpoint, *others: Key) -> None:
        """Note the stamps about this checkpoint as the record's key alone signed it."""
        for key in (self.key, *others) if self._stamps else ():
            if (signature := checkpoint.signature(key)) is None:
                continue
            imprint = sha256(signed_note(checkpoint.text, key, signature).encode()).digest()
            about = [stamp for stamp in self._stamps if stamp.imprint == imprint]
            if about and checkpoint.trouble(key, self._judge) is None:
                self.verdict.stamped += [Stamped(checkpoint.size, stamp.at) for stamp in about]
                self._stamps = [stamp for stamp in self._stamps if stamp.imprint != imprint]

    def change_key(self, place: int, line: Line) -> None:
        """Take a line at this place that makes another key the record's."""
        signed = line.verb == CHANGED_KEY
        said = _key_change(json.loads(line.details), signed=signed)
        if said is None or said[0] != self.key.public or said[1] in self._past or len(self._past) == MOST_KEYS:
            self.verdict.found(
                "key order",
                f"Line {place} cannot change the record's key: another one is in force, the new one was replaced before, "
                "or it does not say what such a line says.",
            )
            return
        old, new, signature = said
        text = key_change_text(self.verdict.log, place, old, new).encode()
        if signed and not (self._judge or is_signed)(old, text, signature):
            self.verdict.found("forged signature", f"The old key did not sign the change of the key at line {place}.")
            return
        self.key = Key(self.key.name, new)
        self._past.add(new)
        self._is_trusted = self.key in self._known or (signed and self._is_trusted)
        if not signed and self.key not in self._known:
            self.verdict.found(
                "key replaced",
                f"Key replaced without the old one's signature at line {place}. Whoever holds the database could have "
                f"written that. If you know from elsewhere that the new key is {self.key}, say so (--key).",
            )
        self.verdict.key = str(self.key)
        self.verdict.keys.append(Reign(place, str(self.key), signed))

    def add(self, leaf: bytes) -> None:
        """Take the next line's leaf hash."""
        self.frontier.add(leaf)
        if self._waiting and self._waiting[-1].size == self.frontier.size:
            self._meet()

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Take the leaf hashes of many lines."""
        start = 0
        while start < len(leaves):
            stop = start + self._waiting[-1].size - self.frontier.size if self._waiting else len(leaves)
            self.frontier.extend(leaves[start:stop])
            start = min(stop, len(leaves))
            if self._waiting and self._waiting[-1].size == self.frontier.size:
                self._meet()

    def add_hidden(self, level: int, node: bytes) -> None:
        """Take 2^level lines of which only the hash over all is shown. Raises Malformed where they cannot stand."""
        self.frontier.add_subtree(level, node)
        self.verdict.hidden += 1 << level
        while self._waiting and self._waiting[-1].size < self.frontier.size:
            self._pass_over(self._waiting.pop())
        self._meet()

    def _pass_over(self, checkpoint: Checkpoint, *others: Key) -> None:
        if self._is_genuine(checkpoint, *others):
            self.verdict.passed_over.append(checkpoint.size)
            self._date(checkpoint, *others)

    def _meet(self) -> None:
        while self._waiting and self._waiting[-1].size == self.frontier.size:
            checkpoint = self._waiting.pop()
            if self._is_genuine(checkpoint) and self._agrees(checkpoint):
                self.verdict.proven = self.frontier.size
                self._cosigned_outside.append(checkpoint)
                self._date(checkpoint)

    def _agrees(self, checkpoint: Checkpoint) -> bool:
        size = checkpoint.size
        if checkpoint.root != self.frontier.root():
            between = (
                f"between line {self._agreed} and line {max(size - 1, 0)} something was changed, put in or taken out"
            )
            self.verdict.found("changed", f"The first {size} lines are not those that were signed: {between}.")
            return False
        self._agreed = max(self._agreed, size)
        self.verdict.signed = max(self.verdict.signed, size)
        if self._is_trusted:
            self._trusting = max(self._trusting, size)
        else:
            self._doubting = max(self._doubting, size)
        return True

    def inside(self, note: str) -> None:
        """Take a checkpoint that stands in the record itself, right after its last line."""
        try:
            checkpoint = Checkpoint.read(note)
        except Malformed as error:
            self.verdict.found("not a checkpoint", f"After line {self.frontier.size - 1}: {error}.")
            return
        if not self._is_ours(checkpoint):
            return
        if checkpoint.size != self.frontier.size:
            said = f"A checkpoint of {checkpoint.size} lines stands after {self.frontier.size} lines"
            self.verdict.found("misplaced checkpoint", f"{said}: lines are missing, were put in, or it was moved.")
        elif self._is_genuine(checkpoint) and self._agrees(checkpoint):
            self._enclosed = checkpoint.size
            self._date(checkpoint)
            if any(checkpoint.signature(witness) is not None for witness in self._witnesses.keys):
                self._cosigned.append(checkpoint)

    def finish(self) -> Verdict:
        """The verdict, once all lines were read."""
        size = self.frontier.size
        for checkpoint in reversed(self._waiting):
            if self.excerpt:
                self._pass_over(checkpoint, *self._known)
            elif self._is_genuine(checkpoint, *self._known):
                said = f"A checkpoint from outside covers {checkpoint.size} lines, and the record has only {size}"
                self.verdict.found("tail cut", f"{said}: {checkpoint.size - size} lines at the end are missing.")
        self._waiting.clear()
        if self.excerpt and self._enclosed != size and not self.verdict.findings:
            self.verdict.found("unsigned", f"No checkpoint in the excerpt covers all of its {size} lines.")
        self._weigh_keys()
        self._hear_witnesses()
        for stamp in self._stamps:
            self.verdict.found(
                "wrong stamp", f"A time stamp of {stamp.at} is about none of the checkpoints compared here."
            )
        self.verdict.size, self.verdict.root = size, self.frontier.root().hex()
        return self.verdict

    def _weigh_keys(self) -> None:
        if self._asked and not {key.public for key in self._known} & self._past:
            self.verdict.found("wrong key", f"The record's key is {_id_in(self.verdict.key)}, not one that was given.")
        elif self._doubting > self._trusting:
            self.verdict.found(
                "wrong key",
                f"The checkpoint of {self._doubting} lines was signed with a key that no key that was given vouches for.",
            )

    def _hear_witnesses(self) -> None:
        """What each witness has seen, by the last checkpoints inside that any of them signed, and by all from outside."""
        keys, verdict = self._witnesses.keys, self.verdict
        verdict.needed = self._witnesses.needed
        seen: dict[int, set[bytes]] = {}
        for checkpoint in (*self._cosigned, *self._cosigned_outside):
            for witness in keys:
                try:
                    if checkpoint.seen_at(witness, self._judge) is not None:
                        seen.setdefault(checkpoint.size, set()).add(witness.public)
                except Malformed as error:
                    verdict.found("forged signature", f"Of a witness: {error}.")
        verdict.witnesses = {
            witness.name: max((size for size, by in seen.items() if witness.public in by), default=0)
            for witness in keys
        }
        verdict.witnessed = max((size for size, by in seen.items() if len(by) >= verdict.needed), default=0)
        verdict.proven = max(verdict.proven, verdict.witnessed)


def _key_change(details: object, *, signed: bool) -> tuple[bytes, bytes, bytes] | None:
    """The old key, the new one and the signature that a line of a change holds; None where it does not."""
    lengths = {"new": 64, "old": 64, "signature": 128} if signed else {"new": 64, "old": 64}
    others = set() if signed else {"second"}
    if not isinstance(details, dict) or set(details) != set(lengths) | others:
        return None
    if not all(isinstance(details[name], str) and HEX.fullmatch(details[name]) for name in lengths):
        return None
    if any(len(details[name]) != length for name, length in lengths.items()):
        return None
    if not signed and not (isinstance(details["second"], str) and WORD.fullmatch(details["second"])):
        return None
    old, new, signature = (bytes.fromhex(details.get(name, "")) for name in ("old", "new", "signature"))
    return old, new, signature if signed else b""


def _id_in(key: str) -> str:
    """The id in a key that is written as text; empty where there is none."""
    return key.split("+")[1] if key else ""


def verify(
    export: BinaryIO,
    outside: Iterable[str] = (),
    keys: Collection[Key] = (),
    witnesses: Witnesses | None = None,
    stamps: Iterable[bytes] = (),
) -> Verdict:
    """The verdict on an exported record or an excerpt. `outside` are checkpoints kept elsewhere, `keys` those known otherwise."""
    return _read(export, outside, keys, witnesses, stamps).finish()


def _read(
    export: BinaryIO,
    outside: Iterable[str],
    keys: Collection[Key],
    witnesses: Witnesses | None,
    stamps: Iterable[bytes],
    wanted: frozenset[int] = frozenset(),
) -> Check:
    """All rows of an export or excerpt, taken in; the lines at the `wanted` places are kept."""
    try:
        kind, log, size, own_key = _header(_row(export))
    except Malformed as error:
        nothing = Check("", Key("", b""))
        nothing.verdict.key, nothing.verdict.keys = "", []
        nothing.verdict.found("not an export", f"The first row is not the header of an export: {error}.")
        return nothing
    check = Check(log, own_key, outside, known=keys, witnesses=witnesses, stamps=stamps)
    check.excerpt, check.wanted = kind == EXCERPT_FORMAT, wanted
    checkpoints = 0
    for number in range(2, sys.maxsize):
        try:
            row = _row(export)
            if not row:
                break
            if row.startswith(b'{"checkpoint":'):
                checkpoints += 1
                if checkpoints <= MOST_CHECKPOINTS:
                    check.inside(_note(row))
            elif check.excerpt and row.startswith(b'{"hidden":'):
                check.add_hidden(*_hidden(row))
            else:
                _take(check, row, number)
        except Malformed as error:
            check.verdict.found("malformed", f"Row {number} of the file: {error}.")
        if len(check.verdict.findings) >= MOST_FINDINGS:
            check.verdict.findings[-1] = Finding("stopped", f"Too many findings; reading stopped at row {number}.")
            break
    if checkpoints > MOST_CHECKPOINTS:
        check.verdict.found("malformed", f"More than {MOST_CHECKPOINTS} checkpoints.")
    if check.frontier.size != size:
        check.verdict.found("size", f"The header speaks of {size} lines, and the file has {check.frontier.size}.")
    return check


def _take(check: Check, row: bytes, number: int) -> None:
    expected = check.frontier.size
    try:
        log, seq, line = decoded(row)
    except Malformed:
        check.add(leaf_hash(row))  # also of a bad row: the ones after it keep their places
        raise
    if line.verb in KEY_VERBS:
        check.change_key(expected, line)  # first: a checkpoint that covers the line is signed with the new key
    check.add(leaf_hash(row))
    if log != check.verdict.log:
        check.verdict.found("foreign line", f"Row {number} of the file belongs to another record ({shown(log)}).")
    elif seq != expected:
        check.verdict.found("order", f"Line {seq} stands where line {expected} belongs (row {number} of the file).")
    if line.verb == "instance.restored":
        check.verdict.restored_at = seq
    elif seq in check.wanted:
        check.lines[seq] = line
    if line.verb in (BUNDLED, PROVED):
        check.bundled.add((line.verb, line.subject, line.details))


def _row(export: BinaryIO) -> bytes:
    """The next row without its end; empty at the end of the file. Raises Malformed for a row without end."""
    row = export.readline(LONGEST_LINE + 1)
    if not row:
        return b""
    if not row.endswith(b"\n"):
        while row and not row.endswith(b"\n"):
            row = export.readline(LONGEST_LINE)
        raise Malformed(f"it is cut off, or longer than {LONGEST_LINE} bytes")
    if row == b"\n":
        raise Malformed("it is empty")
    return row[:-1]


def _header(row: bytes) -> tuple[str, str, int, Key]:
    value = parsed(row)
    if not isinstance(value, dict) or tuple(value) != ("format", "key", "log", "size"):
        raise Malformed(f"its format is neither {EXPORT_FORMAT} nor {EXCERPT_FORMAT}")
    kind, key, log, size = value.values()
    if kind not in (EXPORT_FORMAT, EXCERPT_FORMAT):
        raise Malformed(f"its format is neither {EXPORT_FORMAT} nor {EXCERPT_FORMAT}")
    if type(size) is not int or not isinstance(key, str):
        raise Malformed("size or key are of the wrong kind")
    _check_word("log", log)
    own = Key.read(key)
    if own.name != origin_of(log):
        raise Malformed("its key is not named after its record")
    return kind, log, size, own


def _hidden(row: bytes) -> tuple[int, bytes]:
    """How many lines (as a power of two) an excerpt hides here, and the hash over them."""
    value = parsed(row)
    inner = value["hidden"] if isinstance(value, dict) and tuple(value) == ("hidden",) else None
    if not isinstance(inner, dict) or tuple(inner) != ("hash", "level"):
        raise Malformed("hidden lines need a hash and a level, and nothing else")
    node, level = inner["hash"], inner["level"]
    if type(level) is not int or not 0 <= level <= HIGHEST:
        raise Malformed(f"the field 'level' is not a number from 0 to {HIGHEST}")
    if not (isinstance(node, str) and DIGEST.fullmatch(node)):
        raise Malformed("the field 'hash' is not 64 hex digits")
    return level, bytes.fromhex(node)


def _note(row: bytes) -> str:
    value = parsed(row)
    if not isinstance(value, dict) or tuple(value) != ("checkpoint",) or not isinstance(value["checkpoint"], str):
        raise Malformed("a checkpoint is not a text")
    return value["checkpoint"]


# The bundle of one incident, and the proof of one person -------------------------------------------------------------

MANIFEST = "manifest.json"
EXCERPT = "record/excerpt.jsonl"
BUNDLED = "incident.bundled"
PROOF = "proof.json"
PROVED = "person.proof_made"
PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,4}")
LARGEST_MANIFEST = 16 * 2**20  # bytes
LARGEST_PROOF = 4 * 2**20
MOST_STEPS = 1_000  # of one proof
LARGEST_DIRECTORY = 8 * 2**20  # bytes of a zip's own list of files
MOST_UNPACKED = 200  # times the size of the packed file, and the room of one more manifest
MOST_BETWEEN = 64  # bytes between two files of a zip, for sizes that are told beside them
PIECE = 2**20


class Listed(NamedTuple):
    """A file as the manifest has it."""

    path: str
    size: int
    sha256: str


def verify_bundle(
    file: BinaryIO,
    outside: Iterable[str] = (),
    keys: Collection[Key] = (),
    witnesses: Witnesses | None = None,
    stamps: Iterable[bytes] = (),
) -> Verdict:
    """The verdict on the bundle of an incident, or the proof of a person: its files, and the excerpt that speaks of them."""
    try:
        with _opened(file) as bundle:
            return _bundle(bundle, outside, keys, witnesses, stamps)
    except (
        Malformed,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        said = str(error) if isinstance(error, Malformed) else "the zip file is damaged"
        return Verdict(
            findings=[Finding("not a bundle", f"This is neither the bundle of an incident nor a proof: {said}.")]
        )


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    """The zip, once it is known not to be a trap. Raises Malformed, BadZipFile."""
    packed = file.seek(0, 2)
    bundle = zipfile.ZipFile(cast(BinaryIO, _Sparing(file)))
    infos = bundle.infolist()
    if len({info.filename for info in infos}) != len(infos):
        raise Malformed("it holds two files of one name")
    if sum(info.file_size for info in infos) > MOST_UNPACKED * packed + LARGEST_MANIFEST:
        raise Malformed("it would unpack to far more than it could hold")
    if any(info.flag_bits & 1 or info.compress_type not in (0, 8) for info in infos):
        raise Malformed("it is packed in another way than bundles are")
    if not _is_tight(infos, bundle.start_dir):
        raise Malformed("it holds something before, between or behind its files")
    return bundle


def _is_tight(infos: Sequence[zipfile.ZipInfo], end: int) -> bool:
    """Whether the files stand one behind the other from the first byte to the list: readers that pass the list over see the same."""
    place, room = 0, 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if not 0 <= info.header_offset - place <= room:
            return False
        place = info.header_offset + 30 + len(info.orig_filename.encode()) + info.compress_size
        room = MOST_BETWEEN
    return 0 <= end - place <= room


class _Sparing:
    """A file of which nobody takes more at once than a zip's list of files may have, whatever the zip says of its length."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self.seekable, self._file = file.seek, file.tell, file.seekable, file

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises Malformed when too many are asked for."""
        taken = self._file.read(min(size, LARGEST_DIRECTORY + 1) if size >= 0 else LARGEST_DIRECTORY + 1)
        if len(taken) > LARGEST_DIRECTORY:
            raise Malformed("it lists too many files")
        return taken


def _bundle(
    bundle: zipfile.ZipFile,
    outside: Iterable[str],
    keys: Collection[Key],
    witnesses: Witnesses | None,
    stamps: Iterable[bytes],
) -> Verdict:
    names = set(bundle.namelist())
    if not {MANIFEST, EXCERPT} <= names:
        raise Malformed(f"it holds no {MANIFEST} or no {EXCERPT}")
    with bundle.open(MANIFEST) as file:
        text = file.read(LARGEST_MANIFEST + 1)
    kind, incident, listed = _manifest(text)
    proof = _proof_in(bundle, incident, listed) if kind == PROOF_FORMAT else None
    with bundle.open(EXCERPT) as excerpt:
        wanted = proof.places if proof else frozenset()
        check = _read(excerpt, outside, keys, witnesses, stamps, wanted)  # type: ignore[arg-type]
    verdict = check.finish()
    spoken = canonical({"files": len(listed), "manifest": sha256(text).hexdigest()})
    by = (PROVED, proof.person) if proof else (BUNDLED, incident)
    if (*by, spoken) not in check.bundled:
        verdict.found(
            "changed file", f"No line of the record speaks of this {MANIFEST}: it was changed, or never recorded."
        )
    for path in sorted(names - {MANIFEST, EXCERPT} - {one.path for one in listed}):
        verdict.found("extra file", f"The file {shown(path)} is not in the list.")
    for one in listed:
        if trouble := _trouble(bundle, names, one):
            verdict.found(*trouble)
        if len(verdict.findings) >= MOST_FINDINGS:
            break
    verdict.files, verdict.incident = len(listed), incident
    if proof:
        _prove(check, proof)
    return verdict


def _manifest(text: bytes) -> tuple[str, str, list[Listed]]:
    """The format, the incident and the files that a manifest lists. Raises Malformed."""
    if len(text) > LARGEST_MANIFEST:
        raise Malformed(f"its {MANIFEST} is too large")
    value = parsed(text)
    if not isinstance(value, dict) or value.get("format") not in (BUNDLE_FORMAT, PROOF_FORMAT):
        raise Malformed(f"its {MANIFEST} is of neither format, {BUNDLE_FORMAT} or {PROOF_FORMAT}")
    if not isinstance(value.get("files"), list):
        raise Malformed(f"its {MANIFEST} lists no files")
    _check_word("incident", value.get("incident"))
    listed = [_listed(one) for one in value["files"]]
    if [one.path for one in listed] != sorted({one.path for one in listed}):
        raise Malformed(f"the files in its {MANIFEST} are not in order, or one stands there twice")
    return value["format"], value["incident"], listed


def _listed(value: object) -> Listed:
    if not isinstance(value, dict) or tuple(value) != ("bytes", "path", "sha256"):
        raise Malformed(f"a file in its {MANIFEST} has not just bytes, path and sha256")
    size, path, digest = value.values()
    if type(size) is not int or size < 0 or not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise Malformed(f"bytes or sha256 of a file in its {MANIFEST} cannot be")
    if not isinstance(path, str) or not PATH.fullmatch(path):
        raise Malformed(f"the name of a file in its {MANIFEST} cannot be")
    return Listed(path, size, digest)


def _trouble(bundle: zipfile.ZipFile, names: set[str], listed: Listed) -> tuple[str, str] | None:
    """What is wrong with a file of the list: a kind and a sentence; None when it is right."""
    if listed.path not in names:
        return "missing file", f"The file {shown(listed.path)} is in the list, and not there."
    digest, size = sha256(), 0
    try:
        with bundle.open(listed.path) as file:
            while (piece := file.read(PIECE)) and size <= listed.size:
                digest.update(piece)
                size += len(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        size = -1
    if (size, digest.hexdigest()) != (listed.size, listed.sha256):
        return "changed file", f"The file {shown(listed.path)} is not what the list says."
    return None


# What a line about a batch shows of one of its members ----------------------------------------------------------------

STEPS = {
    "listed": ("deliveries.made", "was put on the list"),
    "followed": ("deliveries.climbed", "was given this next attempt"),
    "handed over": ("deliveries.handed_over", "was in a batch that was begun to be handed over"),
    "settled": ("deliveries.settled", "was in a batch whose answers were written down: {state}"),
    "in doubt": ("deliveries.in_doubt", "was in a batch of which nobody knew whether it went out: {state}"),
    "reported": ("deliveries.reported", "was in a post of reports by the provider: {state}"),
}
"""By step: the verb of the line that shows it, and what it then shows."""
STATE = re.compile(r"[a-z_]{1,20}")


@dataclass(frozen=True)
class Step:
    """What one line shows of one delivery: its entry among those of a batch, and the way to the root in the line."""

    what: str
    line: int
    entry: str
    index: int
    size: int
    path: list[bytes]


class Told(NamedTuple):
    """One delivery of a proof, as far as it can be checked."""

    ref: str
    sending: str
    channel: str
    address: tuple[str, str] | None  # salt and digest
    steps: list[Step]
    shows_not: list[str]


class Proof(NamedTuple):
    """A proof of notice, as far as it can be checked."""

    incident: str
    person: str
    deliveries: list[Told]

    @property
    def places(self) -> frozenset[int]:
        """The lines that it speaks of."""
        return frozenset(step.line for told in self.deliveries for step in told.steps)


def _proof_in(bundle: zipfile.ZipFile, incident: str, listed: Sequence[Listed]) -> Proof:
    """What proof.json says. Raises Malformed; KeyError cannot be, for it is looked for first."""
    if PROOF not in {one.path for one in listed} or PROOF not in bundle.namelist():
        raise Malformed(f"it holds no {PROOF}, or does not list it")
    with bundle.open(PROOF) as file:
        text = file.read(LARGEST_PROOF + 1)
    if len(text) > LARGEST_PROOF:
        raise Malformed(f"its {PROOF} is too large")
    value = _told_by(parsed(text), {"deliveries": list, "format": str, "incident": str, "person": str})
    if (value["format"], value["incident"]) != (PROOF_FORMAT, incident):
        raise Malformed(f"its {PROOF} is not of the format {PROOF_FORMAT}, or about another incident")
    _check_word("person", value["person"])
    deliveries = [_told(one) for one in value["deliveries"]]
    if len({told.ref for told in deliveries}) != len(deliveries):
        raise Malformed(f"its {PROOF} names a delivery twice")
    if sum(len(told.steps) for told in deliveries) > MOST_STEPS:
        raise Malformed(f"its {PROOF} has more than {MOST_STEPS} steps")
    return Proof(incident, value["person"], deliveries)


def _told_by(value: object, members: Mapping[str, type]) -> dict[str, Any]:
    """An object that has at least these members, each of its kind. Raises Malformed."""
    if not isinstance(value, dict) or any(type(value.get(name)) is not kind for name, kind in members.items()):
        raise Malformed(f"its {PROOF} lacks one of {', '.join(members)}, or it is of another kind")
    return value


def _told(value: object) -> Told:
    members = {"channel": str, "not_shown": list, "ref": str, "sending": str, "steps": list}
    told = _told_by(value, members)
    for name in ("ref", "sending", "channel"):
        _check_word(name, told[name])
    if not all(isinstance(sentence, str) for sentence in told["not_shown"]):
        raise Malformed(f"its {PROOF} says in another way than by sentences what is not shown")
    address = None
    if told.get("address") is not None:
        salted = _told_by(told["address"], {"salt": str, "sha256": str})
        address = salted["salt"], salted["sha256"]
        if not (re.fullmatch(r"(?:[0-9a-f]{2}){16,64}", address[0]) and DIGEST.fullmatch(address[1])):
            raise Malformed("salt or digest of an address cannot be")
    steps = [_step(one) for one in told["steps"]]
    return Told(told["ref"], told["sending"], told["channel"], address, steps, told["not_shown"])


def _step(value: object) -> Step:
    members = {"entry": str, "index": int, "line": int, "path": list, "size": int, "what": str}
    step = _told_by(value, members)
    if len(step) != len(members) or step["what"] not in STEPS or len(step["path"]) > HIGHEST:
        raise Malformed(f"a step in its {PROOF} has another member, is of no kind there is, or too long")
    if not all(isinstance(node, str) and DIGEST.fullmatch(node) for node in step["path"]):
        raise Malformed(f"a path in its {PROOF} is not made of hashes")
    path = [bytes.fromhex(node) for node in step["path"]]
    return Step(step["what"], step["line"], step["entry"], step["index"], step["size"], path)


def _prove(check: Check, proof: Proof) -> None:
    """Hold every step against the line that it names."""
    verdict = check.verdict
    verdict.person = proof.person
    known = {told.ref for told in proof.deliveries}
    for told in proof.deliveries:
        name = f"the {told.channel} {told.ref} of the sending {told.sending}"
        for step in told.steps:
            if trouble := _step_trouble(check.lines.get(step.line), step, told, proof, known):
                verdict.found("not in line", f"{name}: step {shown(step.what)}, line {step.line}: {trouble}.")
                continue
            at, says = check.lines[step.line].at, STEPS[step.what][1]
            says = says.format(state=step.entry.rpartition(" ")[2].replace("_", " "))
            verdict.shows.append(f"{name} {says} (line {step.line}, {at}).")
        verdict.shows_not += [f"{name}: {shown(sentence, 300)[1:-1]}" for sentence in told.shows_not]
        if told.address:
            verdict.addresses[told.ref] = told.address


def _step_trouble(line: Line | None, step: Step, told: Told, proof: Proof, known: Collection[str]) -> str:
    """Why a line does not show this of the delivery; empty where it does."""
    if line is None:
        return "the line is not shown here"
    if (line.verb, line.subject, line.incident) != (STEPS[step.what][0], told.sending, proof.incident):
        return "the line is about something else"
    ref, _, said = step.entry.partition(" ")
    if ref != told.ref or not _fits(step.what, said, proof.person, known):
        return "the entry is not about this delivery"
    details = json.loads(line.details)
    if step.size != _counted(details):
        return "the line counts another number"
    root = root_by(leaf_hash(step.entry.encode()), step.index, step.size, step.path)
    if root is None or root.hex() != details.get("digest"):
        return "the entry is not among those whose root the line holds"
    return ""


def _fits(what: str, said: str, person: str, known: Collection[str]) -> bool:
    """Whether an entry may say so behind the reference of a delivery."""
    if what == "listed":
        return said == person
    if what == "followed":
        return said.startswith("after ") and said.removeprefix("after ") in known
    return said == "sending" if what == "handed over" else STATE.fullmatch(said) is not None


def _counted(details: Mapping[str, object]) -> int:
    """How many a line says that its batch has."""
    if type(details.get("count")) is int:
        return cast(int, details["count"])
    counts = details.get("states", details.get("channels"))
    numbers = list(counts.values()) if isinstance(counts, Mapping) else []
    return sum(numbers) if all(type(number) is int for number in numbers) else 0


def addressed(salt: str, address: str) -> str:
    """The digest (hex) under which a proof holds an address: SHA-256 over the bytes of the salt and of the address."""
    return sha256(bytes.fromhex(salt) + address.encode("utf-8", "surrogatepass")).hexdigest()


def shown(text: str, most: int = 80) -> str:
    """Foreign text made safe for a terminal: short, and plain ASCII."""
    return ascii(text[:most])


def main(arguments: Sequence[str] | None = None) -> int:
    """Check an exported record, or be a witness of it, from the command line; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for word, act in (("witness", _new_witness), ("cosign", _cosign)):
        if given[:1] == [word]:
            return act(given[1:])
    parser = argparse.ArgumentParser(
        prog="audit", description="Check a record or a bundle, without the program that wrote it."
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="an export or excerpt (JSON lines), a bundle or a proof (zip)"
    )
    _ask_for_what_is_known(parser)
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="KEY",
        help="the key of somebody outside who signs checkpoints too; may be repeated",
    )
    parser.add_argument(
        "--witnesses-needed", type=int, default=0, metavar="N", help="how many of them make a proof (all unless told)"
    )
    parser.add_argument(
        "--require-checkpoint",
        action="store_true",
        help="exit with 1 unless a checkpoint from outside, or enough witnesses, prove every line",
    )
    parser.add_argument(
        "--address",
        action="append",
        default=[],
        metavar="TEXT",
        help="an address of the person of a proof, exactly as it was written to: says which deliveries went there",
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    asked = parser.parse_args(given)
    try:
        verdict = _verdict(asked.file, asked, Witnesses.read(asked.witness, asked.witnesses_needed))
    except (OSError, Malformed) as error:
        parser.error(_called_wrongly(error))
    lacks = asked.require_checkpoint and verdict.proven < verdict.size
    if asked.json:
        ok = verdict.ok and not lacks
        print(json.dumps(asdict(verdict) | {"ok": ok, "sentences": verdict.sentences()}, indent=2))
    else:
        print("\n".join([*verdict.sentences(), *_whose(verdict, asked.address)]))
    return 0 if verdict.ok and not lacks else 1


def _ask_for_what_is_known(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a checkpoint kept elsewhere; may be repeated",
    )
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help="a public key of the record as you know it (name+id+base64); may be repeated",
    )
    parser.add_argument(
        "--stamp",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a time stamp (.tsr) of a checkpoint; may be repeated. Says which one it is about, not who signed it",
    )


def _verdict(path: Path, asked: argparse.Namespace, witnesses: Witnesses, *more: str) -> Verdict:
    """The verdict on a file, by the checkpoints and keys that were given. Raises OSError, Malformed."""
    keys = [Key.read(text) for text in asked.key]
    outside = [_text(path) for path in asked.checkpoint]
    stamps = [_raw(path, LARGEST_STAMP) for path in asked.stamp]
    with path.open("rb") as file:
        is_bundle = file.read(2) == b"PK"
        file.seek(0)
        return (verify_bundle if is_bundle else verify)(file, [*outside, *more], keys, witnesses, stamps)


def _text(path: Path) -> str:
    return _raw(path, LONGEST_LINE).decode("utf-8", "replace")


def _raw(path: Path, most: int) -> bytes:
    """What a file holds; of a larger one, enough to see that it is."""
    with path.open("rb") as file:
        return file.read(most + 1)


def _called_wrongly(error: Exception) -> str:
    return f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error)


# Being a witness ----------------------------------------------------------------------------------------------------

SECRET = "PRIVATE+KEY+"  # noqa: S105 (how a file with a secret begins, as Go's note package writes it)


def _new_witness(arguments: Sequence[str]) -> int:
    """Make the key of a witness: the secret into a new file, the public one on the screen."""
    parser = argparse.ArgumentParser(prog="audit witness", description="Make a key with which you sign checkpoints.")
    parser.add_argument("name", metavar="NAME", help="your name as a witness, such as auditor.example.org/record")
    parser.add_argument(
        "secret", type=Path, metavar="SECRET_FILE", help="a new file for the secret; keep it to yourself"
    )
    asked = parser.parse_args(arguments)
    seed = os.urandom(32)
    key = Key(asked.name, public_of(seed), COSIGNING)
    if not NAME.fullmatch(asked.name):
        parser.error("NAME is 1 to 100 plain letters without spaces and plus signs")
    try:
        handle = os.open(asked.secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        parser.error(_called_wrongly(error))
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{SECRET}{key.name}+{key.id.hex()}+{_base64(COSIGNING + seed)}\n")
    print(key)
    return 0


def _cosign(arguments: Sequence[str]) -> int:
    """Sign a checkpoint as a witness, once it was compared with the record; prints the checkpoint with the signature added."""
    parser = argparse.ArgumentParser(
        prog="audit cosign", description="Sign a checkpoint, once the record was found to be what it says."
    )
    parser.add_argument("secret", type=Path, metavar="SECRET_FILE", help="what `witness` wrote")
    parser.add_argument("note", type=Path, metavar="CHECKPOINT", help="the checkpoint to sign")
    parser.add_argument("--record", type=Path, required=True, metavar="FILE", help="an export or excerpt of the record")
    _ask_for_what_is_known(parser)
    asked = parser.parse_args(arguments)
    try:
        key, seed = _secret(_text(asked.secret))
        note = _text(asked.note)
        checkpoint = Checkpoint.read(note)
        verdict = _verdict(asked.record, asked, Witnesses(), note)
    except (OSError, Malformed) as error:
        parser.error(_called_wrongly(error))
    if not verdict.ok or verdict.proven < checkpoint.size:
        print("\n".join(["Not signed.", *verdict.sentences()]), file=sys.stderr)
        return 1
    if checkpoint.signature(key) is not None or len(checkpoint.signatures) >= MOST_SIGNATURES:
        parser.error("this checkpoint bears your signature already, or as many as it may")
    at = int(time.time())
    stamped = at.to_bytes(8, "big") + signature_of(seed, cosigned_text(checkpoint.text, at).encode())
    sys.stdout.buffer.write(with_cosignatures(note, [signature_line(key, stamped)]).encode())
    return 0


def _secret(text: str) -> tuple[Key, bytes]:
    """The key of a witness and its seed, as `witness` wrote them. Raises Malformed."""
    name, _, rest = text.strip().removeprefix(SECRET).partition("+")
    identity, _, code = rest.partition("+")
    raw = _unbase64(code)
    if not text.startswith(SECRET) or len(raw) != 33 or raw[:1] != COSIGNING:
        raise Malformed("this is not the secret of a witness")
    key = Key(name, public_of(raw[1:]), COSIGNING)
    if key.id.hex() != identity or not NAME.fullmatch(name):
        raise Malformed("this is not the secret of a witness")
    return key, raw[1:]


def _whose(verdict: Verdict, addresses: Iterable[str]) -> Iterator[str]:
    """For each address that was asked about, which deliveries went to it."""
    for address in addresses:
        found = [ref for ref, (salt, digest) in verdict.addresses.items() if addressed(salt, address) == digest]
        yield (
            f"Address {shown(address)}: " + (", ".join(found) if found else "none of these deliveries went there") + "."
        )


if __name__ == "__main__":
    sys.exit(main())
