"""Every edition of the laws that an incident was ever assessed by, word for word: what a finding rests on stays readable.

Texts are kept once, by their digest; an edition is the list of its files. Both are only added.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import LargeBinary, String, Table, Text, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain import editions, lawbook
from incident.domain.editions import Edition, LawText, Origin
from incident.domain.lawbook import BadLaw, Law, Lawbook, read_law
from incident.store import obligations
from incident.store.db import BigInt, Model, UTCDateTime, db

AT_ONCE = 400

assessments: Table = obligations.Assessment.__table__  # type: ignore[assignment]


class LawTextRow(Model):
    """The bytes of one law file, compressed."""

    __tablename__ = "law_text"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    path: Mapped[str] = mapped_column(String(200))
    packed: Mapped[bytes] = mapped_column(LargeBinary)


class LawEdition(Model):
    """One edition: its digest, version and files, and when it was first used."""

    __tablename__ = "law_edition"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    version: Mapped[str] = mapped_column(String(40))
    origin: Mapped[str] = mapped_column(String(10))
    manifest: Mapped[str] = mapped_column(Text)
    first_used_at: Mapped[datetime] = mapped_column(UTCDateTime)


def assessed_first(incident_id: int, digest: str, counts: Mapping[str, int], now: datetime) -> bool:
    """Note the first assessment of an incident, in the caller's transaction; whether the edition it goes by is kept already."""
    kept = select(LawEdition.id).where(LawEdition.digest == digest).exists()
    row = {"incident_id": incident_id, "library": digest, "made_at": now, "counts": counts}
    return bool(db.session.scalar(insert(assessments).values(row).returning(kept)))


def keep(made: Edition, now: datetime) -> bool:
    """Keep this edition with its texts, in the caller's transaction; whether it was not there before."""
    return not is_kept(made.digest) and add(made, now)


def add(made: Edition, now: datetime) -> bool:
    """The same where it is known that it is not kept; False where another process has just done it."""
    texts = {text.digest: text for text in made.texts}
    there = _there(list(texts))
    fresh = [
        {"digest": digest, "path": text.path, "packed": _packed(text.data)}
        for digest, text in sorted(texts.items())
        if digest not in there
    ]
    if fresh:
        db.session.execute(_unless_there(LawTextRow), fresh)
    row = {
        "digest": made.digest,
        "version": made.version,
        "origin": made.origin.value,
        "manifest": editions.manifest(made.texts),
        "first_used_at": now,
    }
    return db.session.scalar(_unless_there(LawEdition).values(row).returning(LawEdition.id)) is not None


def _unless_there(table: type[Model]) -> Any:
    """An insert that leaves alone what another process has just kept."""
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing(index_elements=["digest"])


@lru_cache(maxsize=512)
def _packed(data: bytes) -> bytes:
    return zlib.compress(data, 6)


def is_kept(digest: str) -> bool:
    """Whether this edition is kept already."""
    return db.session.scalar(select(LawEdition.id).where(LawEdition.digest == digest)) is not None


def _there(digests: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for first in range(0, len(digests), AT_ONCE):
        chosen = LawTextRow.digest.in_(digests[first : first + AT_ONCE])
        found |= set(db.session.scalars(select(LawTextRow.digest).where(chosen)))
    return found


def by_digest(digest: str) -> LawEdition | None:
    """One edition as it is kept."""
    return db.session.scalar(select(LawEdition).where(LawEdition.digest == digest))


def newest_first(*, before: int | None, limit: int) -> Sequence[LawEdition]:
    """A page of the editions, newest first: those that are older than the one with id `before`."""
    query = select(LawEdition).order_by(LawEdition.id.desc()).limit(limit)
    return db.session.scalars(query if before is None else query.where(LawEdition.id < before)).all()


def edition(digest: str) -> Edition | None:
    """An edition that is kept; None where it is not, or where this program can read one of its texts no longer."""
    try:
        return _loaded(digest)
    except (LookupError, BadLaw):
        return None


@lru_cache(maxsize=8)
def _loaded(digest: str) -> Edition:
    """The edition with this digest: whatever database holds it, it is the same."""
    row = by_digest(digest)
    files = _files(row.manifest) if row else ()
    if row is None or editions.digest_of(files) != digest:
        raise LookupError(digest)
    own = [text for text in files if text.own]
    return editions.edition(row.version, Origin(row.origin), [text for text in files if not text.own], own)


def _files(manifest: str) -> tuple[LawText, ...]:
    rows = [line.split("  ", 1) for line in manifest.splitlines()]
    held = _texts([digest for digest, _ in rows])
    return tuple(LawText(path, held[digest]) for digest, path in rows if digest in held)


def _texts(digests: Sequence[str]) -> dict[str, bytes]:
    held: dict[str, bytes] = {}
    for first in range(0, len(digests), AT_ONCE):
        chosen = LawTextRow.digest.in_(digests[first : first + AT_ONCE])
        for digest, packed in db.session.execute(select(LawTextRow.digest, LawTextRow.packed).where(chosen)):
            held[digest] = zlib.decompress(packed)
    return held


def book(digest: str) -> Lawbook | None:
    """The laws of an edition that is kept; None where they can be read no longer."""
    current = editions.current()
    if current.digest == digest:
        return current.book
    held = edition(digest)
    return held.book if held else None


def of_incident(incident_id: int) -> Lawbook:
    """The laws that an incident goes by: those of its last assessment; today's where it has none or they can be read no longer."""
    was = obligations.assessment(incident_id)
    return (book(was.library) if was else None) or lawbook.library()


def text(digest: str) -> LawText | None:
    """A law file, word for word, by its digest; None where it is not kept."""
    row = db.session.scalar(select(LawTextRow).where(LawTextRow.digest == digest))
    return LawText(row.path, zlib.decompress(row.packed)) if row else None


def law(digest: str) -> Law | None:
    """The law by the digest of its file, as a finding names it; None where its text is not kept or not readable any more."""
    kept = text(digest)
    try:
        return read_law(kept.path, kept.data) if kept else None
    except BadLaw:
        return None
