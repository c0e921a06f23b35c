"""What witnesses outside signed on checkpoints: kept beside them, line by line, as it was handed in."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import BigInteger, ForeignKey, Select, String, Text, UniqueConstraint, distinct, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain import audit as rules
from incident.domain.audit import Key, Witnesses
from incident.store.db import BigInt, Model, db


class Cosignature(Model):
    """That one witness saw one checkpoint, by its own clock, and the line that shows it."""

    __tablename__ = "cosignature"
    __table_args__ = (UniqueConstraint("size", "public"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    size: Mapped[int] = mapped_column(BigInt, ForeignKey("checkpoint.size"))
    witness: Mapped[str] = mapped_column(String(100))
    public: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[int] = mapped_column(BigInteger)
    line: Mapped[str] = mapped_column(Text)
    taken_at: Mapped[str] = mapped_column(String(27))


def add(size: int, witness: Key, *, seen_at: int, line: str, at: str) -> None:
    """Keep what a witness signed, in the caller's transaction."""
    row = Cosignature(size=size, witness=witness.name, public=witness.public.hex(), seen_at=seen_at, line=line)
    row.taken_at = at
    db.session.add(row)


def of(size: int) -> Sequence[Cosignature]:
    """Who signed this checkpoint, first come first."""
    return db.session.scalars(select(Cosignature).where(Cosignature.size == size).order_by(Cosignature.id)).all()


def lines(sizes: Collection[int] | None = None) -> dict[int, list[str]]:
    """By checkpoint, the lines of its witnesses; of all checkpoints, or of these."""
    asked = select(Cosignature.size, Cosignature.line).order_by(Cosignature.id)
    found: dict[int, list[str]] = {}
    for size, line in db.session.execute(asked if sizes is None else asked.where(Cosignature.size.in_(sizes))):
        found.setdefault(size, []).append(line)
    return found


def seen_by(keys: Iterable[Key]) -> dict[str, Cosignature | None]:
    """By name, the largest checkpoint that each of these witnesses signed; None where it signed none."""
    return {key.name: db.session.scalar(_largest(key)) for key in keys}


def seen_by_enough(by: Witnesses) -> int:
    """How many lines the largest checkpoint covers that as many of these witnesses signed as it takes; 0 where none is."""
    if not by.keys:
        return 0
    theirs = Cosignature.public.in_([key.public.hex() for key in by.keys])
    asked = select(Cosignature.size).where(theirs).group_by(Cosignature.size)
    enough = asked.having(func.count(distinct(Cosignature.public)) >= by.needed)
    return db.session.scalar(enough.order_by(Cosignature.size.desc()).limit(1)) or 0


def _largest(key: Key) -> Select[Cosignature]:
    mine = select(Cosignature).where(Cosignature.public == key.public.hex(), Cosignature.witness == key.name)
    return mine.order_by(Cosignature.size.desc()).limit(1)


def complete(note: str, size: int) -> str:
    """A checkpoint with all that witnesses signed on it."""
    return rules.with_cosignatures(note, lines({size}).get(size, ()))
