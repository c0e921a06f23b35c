"""What an import still has to look through, packed into pieces that are only added and go when they were looked at.

Marks are random: kept one by one in their index, each batch of a long list would write most of its pages anew. So they wait
here, told apart by their first bits, and are brought into the index part by part in their own order.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store import bulk
from incident.store.db import BigInt, Model, db
from incident.store.packing import MARK, MARK_WIDTH, parted

COLUMNS: Final = ("import_id", "kind", "part", "batch", "content")


class Kind(StrEnum):
    """What a piece holds."""

    MARKS = "marks"  # of new people, not in the index yet; told apart by their first bits
    TWINS = "twins"  # who shares a mark with whom; told apart by the later one's number
    TALLY = "tally"  # how many people of a batch are alike, not counted yet


class Piece(Model):
    """Some of what an import still has to look through."""

    __tablename__ = "import_piece"
    __table_args__ = (UniqueConstraint("import_id", "kind", "part", "batch"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    import_id: Mapped[int] = mapped_column(BigInt, ForeignKey("person_import.id"))
    kind: Mapped[str] = mapped_column(String(5))
    part: Mapped[int]
    batch: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)


def keep(import_id: int, kind: Kind, batch: int, contents: Mapping[int, bytes]) -> None:
    """Keep what a batch has for each part."""
    bulk.insert(
        "import_piece", COLUMNS, [(import_id, kind.value, part, batch, some) for part, some in contents.items()]
    )


def parts(import_id: int, kind: Kind, most: int) -> list[range]:
    """The parts of which there is something, lowest first; neighbours together that hold at most so many bytes."""
    sizes = "SELECT part, sum(length(content)) FROM import_piece WHERE import_id = ? AND kind = ? GROUP BY part"
    found: list[range] = []
    room = 0
    for part, size in sorted(bulk.fetched(sizes, (import_id, kind.value))):
        room -= size
        if found and room >= 0:
            found[-1] = range(found[-1].start, part + 1)
        else:
            found.append(range(part, part + 1))
            room = most - size
    return found


def of(import_id: int, kind: Kind, some: range) -> bytes:
    """What there is of these parts, in the order in which it came."""
    mine = "SELECT content FROM import_piece WHERE import_id = ? AND kind = ? AND part >= ? AND part < ?"
    found = bulk.fetched(f"{mine} ORDER BY part, batch", (import_id, kind.value, some.start, some.stop))
    return b"".join([content for (content,) in found])


def drop(import_id: int, kind: Kind | None = None, some: range | None = None) -> None:
    """Forget some parts of one kind, or everything of this import."""
    gone = delete(Piece).where(Piece.import_id == import_id)
    if kind is not None:
        gone = gone.where(Piece.kind == kind.value)
    if some is not None:
        gone = gone.where(Piece.part >= some.start, Piece.part < some.stop)
    db.session.execute(gone, execution_options={"synchronize_session": False})


def forget(import_id: int, number: int) -> None:
    """Take the marks of one person out of what waits to be compared."""
    query = select(Piece).where(Piece.import_id == import_id, Piece.kind == Kind.MARKS.value)
    for piece in db.session.scalars(query.execution_options(yield_per=100)):
        kept = [entry for entry in parted(piece.content, MARK_WIDTH) if int(entry[MARK:-1]) != number]
        if len(kept) * MARK_WIDTH < len(piece.content):
            piece.content = b"".join(kept)
    db.session.flush()
