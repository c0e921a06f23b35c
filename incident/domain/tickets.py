"""A ticket: what a form for strangers carries so that nobody sends thousands of it, without an account or a foreign puzzle.

It says when the form was handed out and for what, and is signed, so that nothing has to be kept until it comes back. It is good
once the browser has found a number that took some work (SHA-256 with so many leading zero bits), or, where no script runs, once
some time has gone by. Each is good for one thing done: whoever takes it in keeps a mark of its nonce.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from incident.domain.errors import Refused

BITS: Final = 16
"""Leading zero bits of a proof: 65,536 tries on average, about a second of an old telephone."""
WAIT: Final = timedelta(seconds=20)
"""What goes by before a form without a proof is taken."""
LASTS: Final = timedelta(hours=12)
NONCE: Final = re.compile(r"[0-9A-Z]{26}")
PROOF: Final = re.compile(r"[0-9]{1,12}")
MAC_LETTERS: Final = 32


class Spoilt(Refused):
    """The ticket is none of ours, is for something else, or is too old: the form is handed out anew."""

    def __init__(self) -> None:
        super().__init__("This form is too old or came from elsewhere. Send it again from the page as it is now.")


class TooSoon(Refused):
    """Neither proof nor time: `left` says how long until it is taken without a proof."""

    def __init__(self, left: timedelta) -> None:
        self.left = left
        super().__init__(f"Please wait {self.seconds} seconds and send it again.")

    @property
    def seconds(self) -> int:
        """Whole seconds to wait."""
        return max(1, -int(-self.left.total_seconds() // 1))


@dataclass(frozen=True)
class Ticket:
    """A ticket that is ours: for what, since when, and what makes it unlike all others."""

    text: str
    nonce: str
    issued_at: datetime


def issued(key: bytes, purpose: str, *, nonce: str, now: datetime) -> str:
    """A ticket for this purpose, as a form carries it."""
    at = format(int(now.timestamp()), "x")
    return f"{at}.{nonce}.{_mac(key, purpose, at, nonce)}"


def opened(key: bytes, purpose: str, text: str, *, now: datetime) -> Ticket:
    """The ticket that this text is. Raises Spoilt."""
    at, _, rest = text[:200].partition(".")
    nonce, _, mac = rest.partition(".")
    genuine = hmac.compare_digest(_mac(key, purpose, at, nonce).encode(), mac.encode("utf-8", "replace"))
    if not genuine or not NONCE.fullmatch(nonce):
        raise Spoilt
    issued_at = datetime.fromtimestamp(int(at, 16), UTC)
    if not issued_at - timedelta(minutes=1) <= now <= issued_at + LASTS:
        raise Spoilt
    return Ticket(text, nonce, issued_at)


def demand_paid(ticket: Ticket, proof: str, *, now: datetime, bits: int = BITS) -> None:
    """Raises TooSoon unless the work was done or the time has gone by."""
    if is_proof(ticket.text, proof, bits):
        return
    left = ticket.issued_at + WAIT - now
    if left > timedelta(0):
        raise TooSoon(left)


def is_proof(ticket: str, proof: str, bits: int = BITS) -> bool:
    """Whether this number was found for this ticket."""
    if not PROOF.fullmatch(proof):
        return False
    digest = int.from_bytes(sha256(f"{ticket}.{proof}".encode()).digest(), "big")
    return digest >> (256 - bits) == 0


def _mac(key: bytes, purpose: str, at: str, nonce: str) -> str:
    said = "\0".join(("ticket", purpose, at, nonce)).encode("utf-8", "replace")
    return hmac.new(key, said, "sha256").hexdigest()[:MAC_LETTERS]
