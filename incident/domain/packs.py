"""A law pack: a library with its cases in one signed file, that another installation can check before it takes it.

A pack is a zip with `pack.note` and the files that the note lists. The note (C2SP signed-note) says format, version, day, the
library's digest, and a line a file as `sha256sum` writes it; whoever releases it signs that text, so that the signature
covers every byte. docs/law-packs.md describes it for whoever wants to make or check one without this program.
"""

import base64
import binascii
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from io import BytesIO

from incident.domain.audit import ALGORITHM, Key, Malformed, is_signed, signed_note
from incident.domain.editions import LawText, digest_of
from incident.domain.errors import Refused

FORMAT = "tocsin-laws-1"
NOTE = "pack.note"
LAWS, CASES = "laws/", "cases/"
PATH = re.compile(
    r"laws/[a-z0-9][a-z0-9_-]{0,59}(/[a-z0-9][a-z0-9_-]{0,59})?\.toml|cases/[a-z0-9][a-z0-9_-]{0,59}\.toml"
)
VERSION = re.compile(r"(0|[1-9]\d{0,5})(\.(0|[1-9]\d{0,5})){1,3}")
ROW = re.compile(r"([0-9a-f]{64})  (\S+)")
DAY_ZERO = (1980, 1, 1, 0, 0, 0)
MOST_FILES = 4_000
LARGEST_PACK = 16 * 1024 * 1024
LARGEST_FILE = 512 * 1024
LARGEST_NOTE = 1024 * 1024
LARGEST_WHOLE = 64 * 1024 * 1024
PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    struct.error,
)


class BadPack(Refused):
    """A file is not a pack that can be taken; the sentence says why."""


@dataclass(frozen=True)
class Pack:
    """What a pack holds: its version, its day, the law files, their cases, and the name of the key that signed it."""

    version: str
    made_on: date
    laws: tuple[LawText, ...]
    cases: tuple[LawText, ...]
    signed_by: str
    note: str

    @property
    def digest(self) -> str:
        """The digest over the law files."""
        return digest_of(self.laws)


def newer(one: str, other: str) -> bool:
    """Whether version `one` comes after `other`, number by number."""
    return _numbers(one) > _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def checked_version(text: str) -> str:
    """A version such as 2026.11.22. Raises BadPack."""
    if not VERSION.fullmatch(text):
        raise BadPack(f"{text[:40]!r} is no version: give numbers with dots, such as 2026.11.22.")
    return text


# Making one -----------------------------------------------------------------------------------------------------------


def note_text(version: str, made_on: date, laws: Sequence[LawText], cases: Sequence[LawText]) -> str:
    """What is signed: the head, then a line for each file of the pack."""
    rows = sorted((prefix + text.path, text.digest) for prefix, held in _parts(laws, cases) for text in held)
    head = f"{FORMAT}\nversion {checked_version(version)}\nmade {made_on}\nlibrary {digest_of(laws)}\n"
    return head + "".join(f"{digest}  {path}\n" for path, digest in rows)


def _parts(laws: Sequence[LawText], cases: Sequence[LawText]) -> tuple[tuple[str, Sequence[LawText]], ...]:
    return (LAWS, laws), (CASES, cases)


def packed(
    version: str,
    made_on: date,
    laws: Sequence[LawText],
    cases: Sequence[LawText],
    key: Key,
    sign: Callable[[bytes], bytes],
) -> bytes:
    """The pack as bytes, the same for the same files, day and key. Raises BadPack for a path that no pack may hold."""
    text = note_text(version, made_on, laws, cases)
    note = signed_note(text, key, sign(text.encode()))
    held = {prefix + one.path: one.data for prefix, texts in _parts(laws, cases) for one in texts}
    strange = [path for path in held if not PATH.fullmatch(path)]
    if strange:
        raise BadPack(f"{strange[0]!r} cannot go into a pack: small letters, digits, - and _, at most one folder deep.")
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in ((NOTE, note.encode()), *sorted(held.items())):
            entry = zipfile.ZipInfo(path, DAY_ZERO)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(entry, data)
    return whole.getvalue()


# Taking one -----------------------------------------------------------------------------------------------------------


def opened(data: bytes, keys: Iterable[Key]) -> Pack:
    """The pack in these bytes, signed by one of `keys`, every file as it was signed. Raises BadPack; nothing is half-read."""
    if len(data) > LARGEST_PACK:
        raise BadPack(f"A pack has at most {LARGEST_PACK:,} bytes; this file has {len(data):,}.")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
            if not entries or entries[0].filename != NOTE:
                raise BadPack(f"This is not a law pack: it does not begin with {NOTE}.")
            note = _read(archive, entries[0], LARGEST_NOTE).decode("utf-8")
            signer = signed_by(note, keys)
            files = _files(archive, entries[1:], listed(note))
    except BadPack:
        raise
    except DAMAGED as error:
        raise BadPack(f"This file cannot be read as a law pack ({type(error).__name__}).") from None
    return held_by(note, files, signer)


def held_by(note: str, files: Mapping[str, bytes], signer: str) -> Pack:
    """The pack of a note that was checked and the files that were found with it. Raises BadPack where they do not agree."""
    version, made_on, library = _head(note)
    rows = listed(note)
    missing = sorted(rows.keys() - files.keys())
    if missing:
        raise BadPack(f"The pack is not whole: {len(missing)} of its files are missing, such as {missing[0]}.")
    for path, data in files.items():
        if rows.get(path) != sha256(data).hexdigest():
            raise BadPack(f"{path[:120]!r} is not what was signed.")
    laws, cases = (_texts(files, prefix) for prefix in (LAWS, CASES))
    if not laws or digest_of(laws) != library:
        raise BadPack("The digest over the law files is not the one that was signed.")
    return Pack(version, made_on, laws, cases, signer, note)


def _texts(files: Mapping[str, bytes], prefix: str) -> tuple[LawText, ...]:
    return tuple(
        LawText(path.removeprefix(prefix), data) for path, data in sorted(files.items()) if path.startswith(prefix)
    )


def _files(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], rows: Mapping[str, str]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    whole = 0
    for entry in entries:
        if entry.filename not in rows or entry.filename in files:
            raise BadPack(f"The pack holds {entry.filename[:120]!r}, which its note does not list, or holds it twice.")
        files[entry.filename] = _read(archive, entry, LARGEST_FILE)
        whole += len(files[entry.filename])
        if whole > LARGEST_WHOLE:
            raise BadPack("Unpacked, the pack is larger than any library; nothing was taken.")
    return files


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """The bytes of one entry, never more than `most`, whatever its header says."""
    if entry.compress_type not in PLAIN or entry.flag_bits & 0x1:
        raise BadPack(f"{entry.filename[:120]!r} is packed in a way that is not taken.")
    with archive.open(entry) as source:
        data = source.read(most + 1)
    if len(data) > most:
        raise BadPack(f"{entry.filename[:120]!r} is larger than any law file; nothing was taken.")
    return data


def _head(note: str) -> tuple[str, date, str]:
    rows = note.split("\n")
    words = [row.split(" ") for row in rows[1:4]]
    if rows[0] != FORMAT or [word[0] for word in words] != ["version", "made", "library"]:
        raise BadPack(f"The note is not of the form {FORMAT}; a newer version of the program may read it.")
    try:
        return checked_version(words[0][1]), date.fromisoformat(words[1][1]), words[2][1]
    except (IndexError, ValueError):
        raise BadPack("The head of the note cannot be read.") from None


def listed(note: str) -> dict[str, str]:
    """Path and SHA-256 of every file that the note lists. Raises BadPack for a path that no pack may hold."""
    body = note.rpartition("\n\n")[0].split("\n")[4:]
    if len(body) > MOST_FILES:
        raise BadPack(f"The note lists more than {MOST_FILES:,} files.")
    rows: dict[str, str] = {}
    for row in body:
        found = ROW.fullmatch(row)
        if not found or not PATH.fullmatch(found[2]) or found[2] in rows:
            raise BadPack(f"The note lists {row[:120]!r}, which is no path of a pack.")
        rows[found[2]] = found[1]
    return rows


def signed_by(note: str, keys: Iterable[Key]) -> str:
    """The name of the trusted key that signed this note. Raises BadPack where none did, or one did not."""
    text, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise BadPack("The note of the pack carries no signature.")
    trusted = {(key.name, key.id): key for key in keys}
    found = ""
    for name, identity, signature in map(_signature, tail[:-1].split("\n")):
        key = trusted.get((name, identity))
        if key is None:
            continue
        if not is_signed(key.public, f"{text}\n".encode(), signature):
            raise BadPack(f"The signature of {name[:80]!r} does not fit the pack: it was changed after it was signed.")
        found = found or name
    if not found:
        raise BadPack(
            "The pack is not signed by a key that this installation trusts. "
            "Put the releaser's public key, which you know from elsewhere, into TOCSIN_LAWS_KEYS."
        )
    return found


def _signature(row: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = row.partition(" ")
    name, _, code = rest.partition(" ")
    try:
        raw = base64.b64decode(code.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if dash != "\u2014" or not name or len(raw) < 5:
        raise BadPack("A signature of the pack cannot be read.")
    return name, raw[:4], raw[4:]


def keys_of(text: str) -> tuple[Key, ...]:
    """The public keys written with commas, each as name+id+base64. Raises Malformed."""
    return tuple(Key.read(part) for part in text.replace("\n", ",").split(",") if part.strip())


# The releaser's own key -----------------------------------------------------------------------------------------------

PRIVATE = "PRIVATE+KEY+"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")


def signer_text(key: Key, seed: bytes) -> str:
    """A signing key as C2SP signed-note writes it: PRIVATE+KEY+name+id+base64."""
    code = base64.b64encode(ALGORITHM + seed).decode()
    return f"{PRIVATE}{key.name}+{key.id.hex()}+{code}\n"


def seed_of(text: str) -> tuple[str, bytes]:
    """Name and 32 secret bytes of a signing key. Raises Malformed."""
    name, _, rest = text.strip().removeprefix(PRIVATE).partition("+")
    _, _, code = rest.partition("+")
    try:
        raw = base64.b64decode(code.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if not text.startswith(PRIVATE) or len(raw) != 33 or raw[:1] != ALGORITHM or not NAME.fullmatch(name):
        raise Malformed("this is not a signing key in the form PRIVATE+KEY+name+id+base64")
    return name, raw[1:]
