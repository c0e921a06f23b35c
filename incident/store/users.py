"""People who work here: accounts, their sessions, invitations, personal tokens."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import JSON, ColumnElement, ForeignKey, String, Text, select, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident.store.db import BigInt, Model, UTCDateTime, db, new_ref
from incident.store.reading import once


class User(Model):
    """One account. The secret of the second factor is sealed; passwords and recovery codes are hashes."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password: Mapped[str | None] = mapped_column(String(255))
    roles: Mapped[list[str]] = mapped_column(JSON)
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    language: Mapped[str] = mapped_column(String(12), default="en")
    active: Mapped[bool] = mapped_column(default=True)
    totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_counter: Mapped[int] = mapped_column(BigInt, default=0)  # the last code's place in time; older codes are spent
    recovery_codes: Mapped[list[str]] = mapped_column(JSON, default=list)  # SHA-256 of the unspent ones
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def has_second_factor(self) -> bool:
        """Whether a code generator is set up, so that a sign-in can be completed."""
        return self.totp_secret is not None


class Session(Model):
    """One signed-in browser. The cookie holds the secret, the row its SHA-256; an ended row ends the session."""

    __tablename__ = "user_session"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"), index=True)
    device: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    fresh_at: Mapped[datetime] = mapped_column(UTCDateTime)  # when the password was last given
    second_factor_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    place: Mapped[str] = mapped_column(String(64), default="", server_default="")  # keyed hash of the network
    asserted: Mapped[str] = mapped_column(String(64), default="", server_default="")  # by whom, at the single sign-on
    user: Mapped[User] = relationship()


class Invitation(Model):
    """A one-time way in: for a named address, or (no address) for whoever sets this installation up first."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    roles: Mapped[list[str]] = mapped_column(JSON)
    invited_by: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ApiToken(Model):
    """A personal token for programs; its rights are its owner's, at every moment, and no more than its scope leaves of them."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"), index=True)
    scope: Mapped[str] = mapped_column(String(8), default="write", server_default="write")
    incident_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("incident.id"))  # None: all its owner sees
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User] = relationship()


def names(ids: Iterable[int | None]) -> dict[int | None, str]:
    """The names of these people, by number."""
    wanted = {id_ for id_ in ids if id_ is not None}
    found = db.session.execute(select(User.id, User.name).where(User.id.in_(wanted))) if wanted else ()
    return {id_: name for id_, name in found}


def by_ref(ref: str, *, locked: bool = False) -> User | None:
    """The account with this reference; `locked` holds its row until the transaction ends."""
    return _one(User.ref == ref, locked=locked)


def by_email(email: str, *, locked: bool = False) -> User | None:
    """The account with this address, as `domain.users.address` writes it."""
    return _one(User.email == email, locked=locked)


def _one(condition: ColumnElement[bool], *, locked: bool) -> User | None:
    query = select(User).where(condition)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


@once
def every(*, after: str = "", most: int = 1000) -> Sequence[User]:
    """Accounts by reference, ended ones too, beginning behind `after`."""
    return db.session.scalars(select(User).where(User.ref > after).order_by(User.ref).limit(most)).all()


def by_refs(refs: Iterable[str]) -> dict[str, User]:
    """The accounts with these references, by reference: for showing names in a list with one query."""
    wanted = set(refs)
    if not wanted:
        return {}
    return {user.ref: user for user in db.session.scalars(select(User).where(User.ref.in_(wanted)))}


def refs_by_id() -> dict[int, str]:
    """The reference of every account, by its number: for lists that name a lead."""
    return {number: ref for number, ref in db.session.execute(select(User.id, User.ref))}


def holders(role: str, *, locked: bool = False, ended_too: bool = False) -> list[User]:
    """Active accounts, or also `ended_too`, that hold the role; `locked` keeps others from changing any account meanwhile."""
    query = select(User).order_by(User.id)
    if not ended_too:
        query = query.where(User.active.is_(True))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    return [user for user in db.session.scalars(query) if role in user.roles]


def begin_session(
    user: User, *, key: str, device: str, now: datetime, expires_at: datetime, place: str = ""
) -> Session:
    """A new session that still lacks its second factor, inside the caller's transaction."""
    begun = Session(ref=new_ref("S"), key=key, user=user, device=device, place=place)
    begun.started_at, begun.fresh_at, begun.expires_at = now, now, expires_at
    db.session.add(begun)
    return begun


def session_by_key(key: str, now: datetime) -> Session | None:
    """The live session with this key and its account, in one query."""
    return db.session.scalar(
        select(Session)
        .options(joinedload(Session.user))
        .where(Session.key == key, Session.ended_at.is_(None), Session.expires_at > now)
    )


def session_past(key: str, since: datetime) -> Session | None:
    """The session with this key and its account, though it ran out, unless that was before `since` or somebody ended it."""
    return db.session.scalar(
        select(Session)
        .options(joinedload(Session.user))
        .where(Session.key == key, Session.ended_at.is_(None), Session.expires_at > since)
    )


def session_by_ref(ref: str, now: datetime) -> Session | None:
    """The live session with this reference and its account."""
    live = Session.ref == ref, Session.ended_at.is_(None), Session.expires_at > now
    return db.session.scalar(select(Session).options(joinedload(Session.user)).where(*live))


def session_of(user_ref: str, ref: str) -> Session | None:
    """One session of this account, ended or not."""
    return db.session.scalar(select(Session).join(Session.user).where(User.ref == user_ref, Session.ref == ref))


def sessions_of(user_id: int, now: datetime) -> Sequence[Session]:
    """The account's live sessions, latest first."""
    query = select(Session).where(Session.user_id == user_id, Session.ended_at.is_(None), Session.expires_at > now)
    return db.session.scalars(query.order_by(Session.id.desc())).all()


def places_of(user_id: int, *, but: int) -> set[tuple[str, str]]:
    """Browser and network of every sign-in of this account that was completed and is still kept."""
    query = select(Session.device, Session.place).where(Session.user_id == user_id, Session.id != but)
    return {(device, place) for device, place in db.session.execute(query.where(Session.second_factor_at.is_not(None)))}


def end_sessions(user_id: int, now: datetime, *, but: int | None = None) -> None:
    """Sign the account out everywhere (but in the session with the id `but`)."""
    query = update(Session).where(Session.user_id == user_id, Session.ended_at.is_(None))
    db.session.execute((query if but is None else query.where(Session.id != but)).values(ended_at=now))


def revoke_tokens(user_id: int, now: datetime) -> None:
    """End every token of the account."""
    db.session.execute(
        update(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None)).values(revoked_at=now)
    )


def token_by_key(key: str, now: datetime) -> ApiToken | None:
    """The live token with this key and its account, in one query."""
    return db.session.scalar(
        select(ApiToken)
        .options(joinedload(ApiToken.user))
        .where(ApiToken.key == key, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)
    )


def token_of(user_id: int, ref: str) -> ApiToken | None:
    """One token of this account, ended or not."""
    return db.session.scalar(select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.ref == ref))


def token_by_ref(ref: str, *, locked: bool = False) -> ApiToken | None:
    """One token, whoever it belongs to."""
    query = select(ApiToken).where(ApiToken.ref == ref)
    return db.session.scalar(query.with_for_update() if locked else query)


def tokens_ending(now: datetime, *, within: timedelta) -> Sequence[ApiToken]:
    """Tokens in use that end soon, and that were issued for longer than that."""
    query = select(ApiToken).where(ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)
    query = query.where(ApiToken.expires_at <= now + within, ApiToken.created_at <= now - within)
    return db.session.scalars(query.order_by(ApiToken.id).limit(500)).all()


def tokens_of(user_id: int) -> Sequence[ApiToken]:
    """The account's tokens, latest first, ended ones too."""
    return db.session.scalars(select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id.desc())).all()


def invitation_by_key(key: str, now: datetime, *, locked: bool = False) -> Invitation | None:
    """The invitation with this key, while it can still be taken up."""
    query = select(Invitation).where(Invitation.key == key, *_open(now))
    return db.session.scalar(query.with_for_update() if locked else query)


def invitation_by_ref(ref: str) -> Invitation | None:
    """The invitation with this reference, whatever became of it."""
    return db.session.scalar(select(Invitation).where(Invitation.ref == ref))


def open_invitations(now: datetime) -> Sequence[Invitation]:
    """Invitations that can still be taken up, latest first."""
    return db.session.scalars(select(Invitation).where(*_open(now)).order_by(Invitation.id.desc())).all()


def revoke_invitations(invited_by: str, now: datetime) -> None:
    """Take back what this person still has out: who may not invite any more, lets nobody in."""
    mine = update(Invitation).where(Invitation.invited_by == invited_by, *_open(now))
    db.session.execute(mine.values(revoked_at=now))


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > now
