"""What proves who somebody is, as it is kept: passwords as argon2id hashes, code secrets sealed, all else as SHA-256.

Passwords go through a keyed hash first, so that a copy of the database without the key ring is no use to a guesser.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import select

from incident.domain.errors import Invalid
from incident.store import sealed
from incident.store.db import db
from incident.store.keys import KeysError
from incident.store.users import User

SHORTEST, LONGEST = 12, 128
STRONG_ENOUGH = 3  # of 4, by zxcvbn's estimate
OURS = "tocsin"
SHORTEST_WORD, OWN_LETTERS = 3, 8  # letters of a word of the context, and letters that must be left without such words
JUDGED = 72  # letters; longer ones are strong by then, and the estimate grows slow
HASHER = PasswordHasher()  # argon2id, 64 MiB, 3 passes (RFC 9106, second choice)
AT_ONCE = BoundedSemaphore(2)  # a flood of sign-ins waits here instead of taking all memory
KEY = "sign-in"


def password_hash(password: str) -> str:
    """The hash to keep."""
    with AT_ONCE:
        return HASHER.hash(_peppered(password))


def is_password(stored: str | None, password: str) -> bool:
    """Whether this is the password of the stored hash, to its last letter; takes as long when there is none to compare with."""
    to_compare = stored if len(password) <= LONGEST else None
    with AT_ONCE:
        try:
            return HASHER.verify(to_compare or _nobodys(), _peppered(password[:LONGEST])) and to_compare is not None
        except VerificationError:
            return False


def demand_strong(password: str, *, known: tuple[str, ...] = ()) -> None:
    """Raises Invalid for a password that is too short, or that a guesser would soon try (`known`: the owner's words)."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(
            "new_password", f"A password has {SHORTEST} to {LONGEST} letters; four or five random words do well."
        )
    if len(_of_ones_own(password, known)) < OWN_LETTERS:
        raise Invalid(
            "new_password", "It is little more than your name, address or ours. Four or five random words do well."
        )
    from zxcvbn import zxcvbn  # noqa: PLC0415  its lists of words take 12 MiB, which only a process that sets passwords needs

    found = zxcvbn(password[:JUDGED], user_inputs=[OURS, *known])
    if found["score"] < STRONG_ENOUGH:
        hint = found["feedback"]["warning"] or "It would soon be guessed."
        raise Invalid("new_password", f"{hint.rstrip('.')}. Four or five random words do well.")


def _of_ones_own(password: str, known: tuple[str, ...]) -> str:
    """What is left of a password without the words of its context: the owner's, and ours."""
    left = password.lower()
    for word in {OURS, *(part for text in known for part in re.split(r"[\W_]+", text.lower()))}:
        if len(word) >= SHORTEST_WORD:
            left = left.replace(word, "")
    return left


def seal_secret(user_ref: str, secret: bytes) -> str:
    """The secret of a code generator, sealed to its account. Inside a write transaction."""
    return sealed.seal(None, _place(user_ref), secret).hex()


def opened_secret(user_ref: str, kept: str) -> bytes:
    """The secret again. Raises Unreadable when it was changed or moved."""
    return sealed.unseal(None, _place(user_ref), bytes.fromhex(kept))


def new_secret() -> str:
    """256 random bits, to be given out once; the tables keep `key_of` it."""
    return secrets.token_urlsafe(32)


def key_of(secret: str) -> str:
    """SHA-256 of a secret that nobody can guess, as the tables keep it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def counting_key(limit: str, *parts: str) -> str:
    """The key under which tries are counted: a keyed hash, so that the table names nobody."""
    return hmac.new(_pepper(), "\0".join(("throttle", limit, *parts)).encode(), "sha256").hexdigest()


def _place(user_ref: str) -> str:
    return f"user_account.totp_secret:{user_ref}"


def _peppered(password: str) -> bytes:
    given = unicodedata.normalize("NFKC", password)
    return hmac.new(_pepper(), b"password\0" + given.encode(), "sha256").digest()


def demand_key() -> None:
    """Nothing, where passwords can be checked, or there are none yet. Raises KeysError where their key is gone."""
    if _are_any():
        sealed.ring().secret(KEY)


def _pepper() -> bytes:
    """The key of all sign-ins; made only as long as no password depends on it. Raises KeysError when it is missing."""
    ring = sealed.ring()
    try:
        return ring.secret(KEY)
    except KeysError:
        if _are_any():
            raise
        return ring.secret_or_new(KEY)


def _are_any() -> bool:
    return db.session.scalar(select(User.id).where(User.password.is_not(None)).limit(1)) is not None


@cache
def _nobodys() -> str:
    return HASHER.hash(secrets.token_bytes(32))
