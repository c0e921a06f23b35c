"""Codes that prove a second thing is at hand: time-based codes (RFC 6238) and single-use recovery codes."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

STEP = 30  # seconds a code lasts
DIGITS = 6
DRIFT = 1  # steps the clocks may differ, either way
SECRET_BYTES = 20
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: nothing to mistake
ALIKE = str.maketrans("OIL", "011")
RECOVERY_LETTERS = 24  # 120 random bits: enough for a plain hash to keep them
EARLIER_LETTERS = 16  # of codes that were given out before; they stay good
ISSUER = "Tocsin"


def new_secret() -> str:
    """A new secret for a code generator, in base 32 as people may have to type it."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def as_bytes(secret: str) -> bytes:
    """The bytes of a secret in base 32. Raises ValueError."""
    return base64.b32decode(secret, casefold=True)


def code_at(secret: bytes, counter: int) -> str:
    """The code of one step (RFC 4226, section 5.3)."""
    digest = hmac.new(secret, counter.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def counter_at(now: datetime) -> int:
    """The number of the step that is running."""
    return int(now.timestamp()) // STEP


def step_of(code: str, secret: bytes, *, now: datetime, after: int, drift: int = DRIFT) -> int | None:
    """The step whose code this is, none before or at `after` (those are spent); None for a wrong code.

    `drift` is how many steps the clocks may differ: with none, a code is good for the 30 seconds of its step alone.
    """
    given = "".join(code.split())
    found = None
    for counter in range(counter_at(now) - drift, counter_at(now) + drift + 1):
        if hmac.compare_digest(code_at(secret, counter).encode(), given.encode()) and counter > after:
            found = counter
    return found


def address(secret: str, account: str) -> str:
    """What the QR code says to a code generator."""
    label = quote(f"{ISSUER}:{account}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': ISSUER, 'digits': DIGITS, 'period': STEP})}"


def grouped(text: str) -> str:
    """In groups of four, for people to read and type."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def typed(code: str) -> str:
    """A code that was read out or written down, as it was given out, however it was typed; what is none, as it is."""
    letters = "".join(letter for letter in code.upper() if letter.isalnum()).translate(ALIKE)
    if len(letters) != RECOVERY_LETTERS or not set(letters) <= set(ALPHABET):
        return code
    return grouped(letters).replace(" ", "-")


def new_recovery_code() -> str:
    """A code of 120 random bits that can be read out, such as `7K3M-XW2Q-9TRB-0HZE-5PDN-8VCA`."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LETTERS))
    return grouped(letters).replace(" ", "-")


def recovery_hash(code: str) -> str | None:
    """The hash a recovery code is kept under, however it was typed; None when it cannot be one."""
    letters = "".join(letter for letter in code.upper() if letter.isalnum()).translate(ALIKE)
    if len(letters) not in {RECOVERY_LETTERS, EARLIER_LETTERS} or not letters.isascii():
        return None
    return hashlib.sha256(f"recovery code {letters}".encode()).hexdigest()
