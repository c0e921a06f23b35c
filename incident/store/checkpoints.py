"""Signed checkpoints over the record: making them, keeping them as files beside the database, checking all against all."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import LargeBinary, String, Text, exists, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain import audit as rules
from incident.domain.audit import INSTANT, KEY_VERBS, WORD, Check, Frontier, Key, Line, Malformed, Verdict, Witnesses
from incident.store import audit, record_keys, sealed, time_stamps, witnesses
from incident.store.audit import AuditLine, RecordTrouble, Row
from incident.store.db import BigInt, Model, db
from incident.store.keys import write_secret
from incident.store.reading import once
from incident.store.record_keys import judge

FILE = re.compile(r"checkpoint-(\d{12})\.txt")


class Checkpoint(Model):
    """A signed statement of size and root, with the hashes needed to go on from there."""

    __tablename__ = "checkpoint"

    size: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(27))
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(Text)


# Keys ---------------------------------------------------------------------------------------------------------------


def key() -> Key:
    """The public key in force. Raises KeysError where checkpoints of an earlier version exist and the private one is gone."""
    row = record_keys.newest()
    return row.key if row else record_keys.named(_private().public_key().public_bytes_raw())


def first_key() -> Key:
    """The key with which the record began: that of the header of an export."""
    row = record_keys.at(0)
    return row.key if row else key()


def demand_key() -> None:
    """Nothing, where this record can be signed, or never was. Raises KeysError where its key is gone."""
    if latest():
        _private()


def _private() -> Ed25519PrivateKey:
    """A key is made for the very first checkpoint only; later a missing one is a reason to stop."""
    return record_keys.private(is_new=latest() is None)


# Signing ------------------------------------------------------------------------------------------------------------


@once
def latest() -> Checkpoint | None:
    """The newest checkpoint."""
    return db.session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))


def of(size: int) -> Checkpoint | None:
    """The checkpoint of so many lines."""
    return db.session.get(Checkpoint, size)


def reread() -> Frontier:
    """The tree over all lines as the table holds them now, going on from the newest checkpoint.

    Raises RecordTrouble where a line or that checkpoint is not what it was.
    """
    return go_on(_starting_point(), audit.head().size)


def _starting_point() -> Frontier:
    last = latest()
    if last is None:
        return Frontier()
    try:
        frontier = Frontier.unpacked(last.size, last.frontier)
        checkpoint = rules.Checkpoint.read(last.note)
    except Malformed as error:
        raise RecordTrouble(
            f"The newest checkpoint in the database cannot be used: {error}. Nothing was signed."
        ) from None
    row = record_keys.at(last.size)
    trouble = checkpoint.trouble(row.key if row else key(), judge)
    if trouble or (checkpoint.size, checkpoint.root) != (last.size, frontier.root()):
        raise RecordTrouble("The newest checkpoint in the database is not the one that was signed. Nothing was signed.")
    return frontier


def go_on(frontier: Frontier, size: int) -> Frontier:
    """The same tree with the lines up to `size`, each read and hashed again. Raises RecordTrouble."""
    log = audit.identity()
    for page in audit.pages(frontier.size, size):
        leaves = _sound(log, frontier.size, page) if all(_is_object(row[6]) for row in page) else []
        for place, row in enumerate(() if leaves else page, frontier.size):
            leaf, trouble = _looked_at(log, place, row)
            if trouble:
                raise RecordTrouble(f"{trouble} Nothing was signed.")
            leaves.append(leaf)
        frontier.extend(leaves)
    if frontier.size != size:
        raise RecordTrouble(f"The record should have {size} lines and has {frontier.size}. Nothing was signed.")
    return frontier


NEWEST = 20  # files of checkpoints that a quick look compares


def troubles() -> list[str]:
    """What is wrong with the record since the newest checkpoint, in sentences; what was before it rests on its signature.

    The lines since are read and hashed again, the head is compared, and so are the newest checkpoints kept as files.
    """
    head = audit.head()
    try:
        frontier = reread()
    except RecordTrouble as trouble:
        return [str(trouble).removesuffix(" Nothing was signed.")]
    found = [] if frontier.packed() == bytes(head.frontier) else ["The hashes kept while writing do not fit the lines."]
    kept = dict(_newest_files())
    notes = select(Checkpoint.size, Checkpoint.note).where(Checkpoint.size.in_(kept))
    here = {size: note for size, note in db.session.execute(notes)}
    for size, note in kept.items():
        if size > head.size:
            found.append(f"A checkpoint kept beside the database covers {size} lines; the record has {head.size}.")
        elif here.get(size) != note:
            found.append(f"The checkpoint of {size} lines in the database is not the one kept beside it.")
    return found


def _newest_files() -> list[tuple[int, str]]:
    paths = sorted((path for path in folder().glob("*.txt") if FILE.fullmatch(path.name)), key=lambda path: path.name)
    sizes = [(int(path.stem.rpartition("-")[2]), path) for path in paths[-NEWEST:]]
    return [(size, path.read_text(encoding="utf-8", errors="replace")) for size, path in sizes]


def add(frontier: Frontier, at: str) -> Checkpoint:
    """Sign what the tree says, in the caller's transaction. Raises RecordTrouble where the head says otherwise."""
    head = audit.head()
    if (head.size, bytes(head.frontier)) != (frontier.size, frontier.packed()):
        raise RecordTrouble(
            "The lines read again give another root than the one kept while writing. Nothing was signed."
        )
    private = _private()
    if record_keys.newest() is None:
        record_keys.add(
            private.public_key().public_bytes_raw(), file=record_keys.SECRET, since=record_keys.BEFORE_ALL, at=at
        )
    text = rules.checkpoint_text(head.log, head.size, frontier.root())
    note = rules.signed_note(text, key(), private.sign(text.encode()))
    made = Checkpoint(size=head.size, at=at, frontier=frontier.packed(), note=note)
    db.session.add(made)
    db.session.flush()
    return made


# Files --------------------------------------------------------------------------------------------------------------


def folder() -> Path:
    """Where checkpoints are kept as files, outside the database."""
    return sealed.ring().folder.parent / "checkpoints"


def unpublished() -> list[int]:
    """The sizes of checkpoints that have no file yet."""
    kept = {int(found[1]) for path in folder().glob("*.txt") if (found := FILE.fullmatch(path.name))}
    return sorted(set(db.session.scalars(select(Checkpoint.size))) - kept)


def publish() -> list[Path]:
    """Write a file for each checkpoint that has none; never over one that is there."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    written = []
    for made in db.session.scalars(select(Checkpoint).where(Checkpoint.size.in_(unpublished()[-500:]))):
        path = folder() / f"checkpoint-{made.size:012d}.txt"
        with suppress(FileExistsError):  # another process has just written it
            write_secret(path, made.note.encode())
            written.append(path)
    return written


def publish_stamp(size: int) -> Path | None:
    """Write the time stamp of a checkpoint beside its file; None where there is none, or the file is there."""
    stamp, path = time_stamps.of(size), folder() / f"checkpoint-{size:012d}.tsr"
    if stamp is None or not stamp.answer or path.exists():
        return None
    with suppress(FileExistsError):
        write_secret(path, bytes(stamp.answer))
    return path


def kept_outside() -> list[str]:
    """The texts of all checkpoint files of this installation."""
    paths = sorted(path for path in folder().glob("*.txt") if FILE.fullmatch(path.name))
    return [path.read_text(encoding="utf-8", errors="replace") for path in paths]


# Checking and exporting ---------------------------------------------------------------------------------------------


def verify(
    outside: Iterable[str] = (), every: int = 50_000, by: Witnesses | None = None
) -> Generator[int, None, Verdict]:
    """Steps that yield how many lines were read, and return the verdict on the whole record.

    All lines are read and hashed again; the root is compared with the head, with every checkpoint in the database, with
    those in the instance's folder and with those given in `outside`. Keys are known by the files of the key folder, which
    the database has no say in.
    """
    head = audit.head()
    notes = [*kept_outside(), *outside]
    check = Check(head.log, first_key(), notes, judge, known=record_keys.at_hand(), witnesses=by)
    return _reading(check, head.size, bytes(head.frontier), every)


def _reading(check: Check, size: int, packed: bytes, every: int) -> Generator[int, None, Verdict]:
    log = check.verdict.log
    notes = {made.size: made for made in db.session.scalars(select(Checkpoint).order_by(Checkpoint.size))}
    seen = witnesses.lines()
    strict_from = max(notes, default=0)
    ahead = sorted(size for size in notes if size > 0)
    for page in _parted(audit.pages(0, size)):
        place = check.frontier.size
        if page[0][3] in KEY_VERBS:
            check.change_key(place, Line(*page[0][1:7]))
        signed = place + len(page) <= strict_from
        leaves = (signed and _sound(log, place, page)) or list(_scrutinised(check, log, page, signed))
        while leaves:
            many = min(every - check.frontier.size % every, ahead[0] - check.frontier.size if ahead else len(leaves))
            check.extend(leaves[:many])
            leaves = leaves[many:]
            if ahead and ahead[0] == check.frontier.size:
                made = notes.pop(ahead.pop(0))
                _meet(check, made, seen.get(made.size, ()))
            if check.frontier.size % every == 0:
                yield check.frontier.size
    _compare_head(check, size, packed)
    for left in notes:
        check.verdict.found(
            "tail cut", f"A checkpoint in the database covers {left} lines; the record has {check.frontier.size}."
        )
    verdict = check.finish()
    kept = [str(row.key) for row in record_keys.every()]
    if kept and kept != [reign.key for reign in verdict.keys]:
        verdict.found("key order", "The keys in the database are not those that the record speaks of.")
    return verdict


def _parted(pages: Iterable[Sequence[Row]]) -> Iterator[Sequence[Row]]:
    """The same pages, but a line that changes the record's key begins a new one."""
    for page in pages:
        start = 0
        if not KEY_VERBS.isdisjoint([row[3] for row in page]):
            for place in [place for place, row in enumerate(page) if row[3] in KEY_VERBS and place]:
                yield page[start:place]
                start = place
        yield page[start:]


class Reading:
    """The steps of a check, to be gone through once; then `verdict` is there."""

    def __init__(self, steps: Generator[int, None, Verdict]) -> None:
        self._steps = steps
        self.verdict = Verdict()

    def __iter__(self) -> Iterator[int]:
        self.verdict = yield from self._steps


def verified(outside: Iterable[str] = (), by: Witnesses | None = None) -> Verdict:
    """The verdict, without the progress."""
    reading = Reading(verify(outside, by=by))
    for _ in reading:
        pass
    return reading.verdict


SOME_INSTANT = "0000-00-00T00:00:00.000000Z"
NO_DIGITS = str.maketrans("123456789", "0" * 9)


def _sound(log: str, place: int, page: Sequence[Row]) -> list[bytes]:
    """The leaf hashes of a page in which every line is what and where it was; empty when one is not.

    Details are not parsed here: a checkpoint covers these lines, and the other fields leave them only one reading.
    """
    leaves = rules.leaf_hashes(log, page)
    if leaves != [row[7] for row in page] or [row[0] for row in page] != list(range(place, place + len(page))):
        return []
    words = {word for row in page for word in (row[1], row[3], row[5])}
    instants = "\n".join([row[2] for row in page]).translate(NO_DIGITS)  # all at once, at a quarter of the time
    if not all(map(_is_word, words)) or instants != "\n".join([SOME_INSTANT] * len(page)):
        return []
    return leaves if all(WORD.fullmatch(word) for word in {row[4] for row in page}) else []


def _scrutinised(check: Check, log: str, page: Sequence[Row], signed: bool) -> Iterator[bytes]:
    """The leaf hashes of a page, line by line, each trouble named."""
    for place, row in enumerate(page, check.frontier.size):
        leaf, trouble = _looked_at(log, place, row, strict=not signed)
        if trouble:
            check.verdict.found("changed", trouble)
        yield leaf


def _looked_at(log: str, place: int, row: Row, *, strict: bool = True) -> tuple[bytes, str]:
    """The leaf hash of a row as it is now, and what is wrong with it, if anything."""
    seq, actor, at, verb, subject, incident, details, leaf = row
    hashed = rules.leaf_hash(rules.encoded(log, seq, Line(*row[1:7])))
    if seq != place:
        return hashed, f"Line {place} is missing; line {seq} follows in its place."
    if hashed != leaf:
        return hashed, f"Line {seq} is not what was hashed when it was written."
    if not (
        _is_word(actor) and _is_word(verb) and _is_word(incident) and WORD.fullmatch(subject) and INSTANT.fullmatch(at)
    ):
        return hashed, f"Line {seq} holds something that no line can hold."
    if strict and not _is_object(details):
        return hashed, f"The details of line {seq} are not in canonical form."
    return hashed, ""


@lru_cache(maxsize=4_096)
def _is_word(text: str | None) -> bool:
    """Actors, verbs and incidents come again and again."""
    return text is None or WORD.fullmatch(text) is not None


def _is_object(details: str) -> bool:
    try:
        return isinstance(rules.parsed(details.encode("utf-8", "surrogatepass")), dict)
    except Malformed:
        return False


def _meet(check: Check, made: Checkpoint, seen: Iterable[str]) -> None:
    check.inside(rules.with_cosignatures(made.note, seen))
    if bytes(made.frontier) != check.frontier.packed():
        check.verdict.found(
            "changed", f"The hashes kept with the checkpoint of {made.size} lines do not fit the lines."
        )


def _compare_head(check: Check, size: int, packed: bytes) -> None:
    found = check.frontier.size
    if found != size:
        check.verdict.found("size", f"The record should have {size} lines and has {found}.")
    elif check.frontier.packed() != packed:
        check.verdict.found("changed", "The hashes kept while writing do not fit the lines.")
    if db.session.scalar(select(exists().where(AuditLine.seq >= max(size, found)))):
        check.verdict.found("order", f"There are lines beyond the {size} that the record counts.")


def exported() -> Iterator[bytes]:
    """The record as JSON lines: header, lines, and each checkpoint right after the last line it covers."""
    head = audit.head()
    size, log = head.size, head.log
    opening = {"format": rules.EXPORT_FORMAT, "key": str(first_key()), "log": log, "size": size}
    yield rules.canonical(opening).encode() + b"\n"
    seen = witnesses.lines()
    notes = {
        made: rules.with_cosignatures(note, seen.get(made, ()))
        for made, note in db.session.execute(select(Checkpoint.size, Checkpoint.note))
    }
    for row in audit.rows(0, size):
        yield rules.encoded(log, row[0], Line(*row[1:7])) + b"\n"
        if row[0] + 1 in notes:
            yield rules.canonical({"checkpoint": notes[row[0] + 1]}).encode() + b"\n"


MOST_SEAMS = 500


def excerpt(shows: Callable[[Row], bool]) -> Iterator[bytes]:
    """The lines that are to be shown as an excerpt of the record, up to the newest checkpoint; of the others only hashes.

    It can be compared with the newest 500 checkpoints, at whose sizes the hidden lines are parted. Raises RecordTrouble
    where no checkpoint was signed.
    """
    last = latest()
    if last is None:
        raise RecordTrouble("No checkpoint was signed yet, so there is nothing that an excerpt could rest on.")
    size, note, log = last.size, witnesses.complete(last.note, last.size), audit.identity()
    opening = {"format": rules.EXCERPT_FORMAT, "key": str(first_key()), "log": log, "size": size}
    yield rules.canonical(opening).encode() + b"\n"
    seams = set(db.session.scalars(select(Checkpoint.size).order_by(Checkpoint.size.desc()).limit(MOST_SEAMS)))
    hidden = Hidden()
    for row in audit.rows(0, size):
        if row[0] in seams:
            yield from hidden.rows()
        if shows(row) or row[3] in KEY_VERBS:
            yield from hidden.rows()
            yield rules.encoded(log, row[0], Line(*row[1:7])) + b"\n"
            hidden.place += 1
        else:
            hidden.add(row[7])
    yield from hidden.rows()
    yield rules.canonical({"checkpoint": note}).encode() + b"\n"


def about(incident: str) -> Callable[[Row], bool]:
    """Whether a line is about this incident."""
    return lambda row: row[5] == incident


class Hidden:
    """Lines of which an excerpt shows only hashes: as few as possible, each over a complete subtree."""

    def __init__(self) -> None:
        self.place = 0
        self._trees: list[tuple[int, bytes]] = []  # level and hash, in the order of their lines

    def add(self, leaf: bytes) -> None:
        """Hide the line at the next place."""
        level, node, self.place = 0, bytes(leaf), self.place + 1
        while self._trees and self._trees[-1][0] == level and not self.place & ((2 << level) - 1):
            node = rules.node_hash(self._trees.pop()[1], node)
            level += 1
        self._trees.append((level, node))

    def rows(self) -> Iterator[bytes]:
        """What was hidden since the last time, as rows of an excerpt."""
        for level, node in self._trees:
            yield rules.canonical({"hidden": {"hash": node.hex(), "level": level}}).encode() + b"\n"
        self._trees.clear()
