"""Forms that arrived after their sender's session had ended: kept sealed for that account, to be offered again."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import CursorResult, ForeignKey, Index, LargeBinary, String, delete, exists, insert, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store import sealed
from incident.store.db import BigInt, Model, UTCDateTime, db

KEPT = timedelta(days=2)
MOST = 10
"""Of one account; the newest are kept."""

Fields = list[tuple[str, str]]


class Kept(NamedTuple):
    """A form as it was sent: its fields in their order, the page it stood on, and whether files came with it."""

    fields: Fields
    page: str
    with_files: bool


class UnsentForm(Model):
    """One form: where it was going, and its fields in their order, sealed."""

    __tablename__ = "unsent_form"
    __table_args__ = (Index("ix_unsent_form_user", "user_id", "at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"))
    path: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)

    def kept(self) -> Kept:
        """The form as it was sent."""
        fields, page, with_files = json.loads(sealed.unseal(None, _place(self.ref), self.sealed))
        return Kept([(name, value) for name, value in fields], page, with_files)


def of(user_id: int, now: datetime) -> Sequence[UnsentForm]:
    """What is kept for one account, newest first."""
    query = select(UnsentForm).where(UnsentForm.user_id == user_id, UnsentForm.at > now - KEPT)
    return db.session.scalars(query.order_by(UnsentForm.id.desc()).limit(MOST)).all()


def by_ref(user_id: int, ref: str, now: datetime) -> UnsentForm | None:
    """One of them, if it was kept for this account and is still."""
    query = select(UnsentForm).where(UnsentForm.user_id == user_id, UnsentForm.ref == ref, UnsentForm.at > now - KEPT)
    return db.session.scalar(query)


def keep(ref: str, user_id: int, path: str, kept: Kept, now: datetime) -> None:
    """Keep a form, in a transaction of its own, without a line: nothing was done. Old ones go, and those beyond `MOST`."""
    hidden = sealed.seal(None, _place(ref), json.dumps(kept, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    newest = select(UnsentForm.id).where(UnsentForm.user_id == user_id).order_by(UnsentForm.id.desc()).limit(MOST - 1)
    surplus = UnsentForm.user_id == user_id, UnsentForm.id.not_in(newest)
    with db.engine.connect().execution_options(tocsin_write=True) as connection, connection.begin():
        connection.execute(delete(UnsentForm).where(UnsentForm.at <= now - KEPT))
        connection.execute(delete(UnsentForm).where(*surplus))
        connection.execute(insert(UnsentForm).values(ref=ref, user_id=user_id, path=path, at=now, sealed=hidden))


def forget(user_id: int, ref: str) -> None:
    """Forget one, in a transaction of its own, without a line: it was sent, or thrown away by whom it belongs to."""
    with db.engine.connect().execution_options(tocsin_write=True) as connection, connection.begin():
        connection.execute(delete(UnsentForm).where(UnsentForm.user_id == user_id, UnsentForm.ref == ref))


def has_old(now: datetime) -> bool:
    """Whether a form is kept beyond its two days."""
    return bool(db.session.scalar(select(exists().where(UnsentForm.at <= now - KEPT))))


def remove_old(now: datetime) -> int:
    """Take out what is kept beyond its two days, in the caller's transaction; how many forms that were."""
    found = db.session.execute(delete(UnsentForm).where(UnsentForm.at <= now - KEPT))
    return found.rowcount if isinstance(found, CursorResult) else 0


def forget_about(incident: str) -> int:
    """Take out every form that was going to a page of this incident, in the caller's transaction; how many that were."""
    below = or_(*(UnsentForm.path.contains(f"/{incident}{end}", autoescape=True) for end in "/?"))
    found = db.session.execute(delete(UnsentForm).where(or_(below, UnsentForm.path.endswith(f"/{incident}"))))
    return found.rowcount if isinstance(found, CursorResult) else 0


def _place(ref: str) -> str:
    return f"unsent_form.sealed:{ref}"
