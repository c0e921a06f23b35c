"""Passkeys and security keys of people who work here: public keys alone, and what the library needs to check their answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import ForeignKey, LargeBinary, String, select, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident import parts
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.users import User

if TYPE_CHECKING:
    import webauthn
    from webauthn import helpers
    from webauthn.helpers import exceptions, structs
else:
    webauthn = parts.later("webauthn")
    helpers = parts.later("webauthn.helpers")
    exceptions = parts.later("webauthn.helpers.exceptions")
    structs = parts.later("webauthn.helpers.structs")

NAME = "Tocsin"


class Passkey(Model):
    """One authenticator of one account. A removed one stays, so that the record's reference still means something."""

    __tablename__ = "passkey"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"), index=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the credential's id
    credential: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInt)
    last_challenge: Mapped[str] = mapped_column(String(64), default="")
    name: Mapped[str] = mapped_column(String(80))
    synced: Mapped[bool]
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User] = relationship()


@dataclass(frozen=True)
class Place:
    """Where the keys belong: the name of this installation's host, and its whole origin."""

    host: str
    origin: str


@dataclass(frozen=True)
class Registered:
    """A new authenticator as its answer described it."""

    credential: bytes
    public_key: bytes
    sign_count: int
    synced: bool


class NotProven(Exception):
    """The answer of an authenticator does not prove what was asked."""


def place(base_url: str) -> Place | None:
    """Where keys of this installation belong; None where browsers offer none: by number, or without encryption elsewhere."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    named = any(letter.isalpha() for letter in host) and ":" not in host
    if not named or (parts.scheme != "https" and host != "localhost"):
        return None
    return Place(host, f"{parts.scheme}://{parts.netloc}")


def challenge_of(options: str) -> str:
    """The challenge in these options, as it comes back."""
    found: str = json.loads(options)["challenge"]
    return found


def to_register(where: Place, user: User) -> str:
    """What a browser is asked for a new key, as JSON; keys that are there already are not offered again."""
    options = webauthn.generate_registration_options(
        rp_id=where.host,
        rp_name=NAME,
        user_id=user.ref.encode(),
        user_name=user.email,
        user_display_name=user.name,
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=row.credential) for row in of(user.id)],
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.PREFERRED,
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        ),
    )
    return webauthn.options_to_json(options)


def to_prove(where: Place, user: User | None) -> str:
    """What a browser is asked as proof, as JSON: by one of this person's keys, or (nobody known yet) by any with a PIN or finger."""
    options = webauthn.generate_authentication_options(
        rp_id=where.host,
        allow_credentials=[structs.PublicKeyCredentialDescriptor(id=row.credential) for row in of(user.id)]
        if user
        else None,
        user_verification=structs.UserVerificationRequirement.PREFERRED
        if user
        else structs.UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def registered(where: Place, answer: str, challenge: str) -> Registered:
    """The new key, if the answer is good for this challenge and place. Raises NotProven."""
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=helpers.base64url_to_bytes(challenge),
            expected_rp_id=where.host,
            expected_origin=where.origin,
        )
    except (exceptions.WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise NotProven(type(error).__name__) from None
    return Registered(
        found.credential_id, found.credential_public_key, found.sign_count, bool(found.credential_backed_up)
    )


def proven(where: Place, answer: str, challenge: str, row: Passkey, *, by_person: bool) -> int:
    """The key's new count, if the answer proves it is at hand (`by_person`: with a PIN or finger). Raises NotProven."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=helpers.base64url_to_bytes(challenge),
            expected_rp_id=where.host,
            expected_origin=where.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=by_person,
        )
    except (exceptions.WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise NotProven(type(error).__name__) from None
    return found.new_sign_count


def named_in(answer: str) -> str:
    """The key (SHA-256) of the credential that an answer speaks of. Raises NotProven."""
    try:
        return key_of(helpers.base64url_to_bytes(json.loads(answer)["id"]))
    except (ValueError, KeyError, TypeError) as error:
        raise NotProven(type(error).__name__) from None


def key_of(credential: bytes) -> str:
    """How a credential is found: the SHA-256 of its id."""
    return sha256(credential).hexdigest()


def shown(credential: bytes) -> str:
    """A credential's id as browsers write it."""
    return helpers.bytes_to_base64url(credential)


def by_key(key: str, *, locked: bool = False) -> Passkey | None:
    """The key in use with this digest, with its account."""
    query = select(Passkey).options(joinedload(Passkey.user, innerjoin=True))
    query = query.where(Passkey.key == key, Passkey.removed_at.is_(None))
    if locked:
        query = query.with_for_update(of=Passkey).execution_options(populate_existing=True)
    return db.session.scalar(query)


def of(user_id: int) -> Sequence[Passkey]:
    """The keys of this account that are in use, in the order they came."""
    query = select(Passkey).where(Passkey.user_id == user_id, Passkey.removed_at.is_(None))
    return db.session.scalars(query.order_by(Passkey.id)).all()


def one(user_id: int, ref: str) -> Passkey | None:
    """One key of this account that is in use."""
    mine = Passkey.user_id == user_id, Passkey.ref == ref, Passkey.removed_at.is_(None)
    return db.session.scalar(select(Passkey).where(*mine))


def remove_all(user_id: int, now: datetime) -> None:
    """End every key of the account."""
    mine = update(Passkey).where(Passkey.user_id == user_id, Passkey.removed_at.is_(None))
    db.session.execute(mine.values(removed_at=now))
