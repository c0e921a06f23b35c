"""What another house says of somebody who signs in there, and how it is asked: the words that sign-in shares with the provider."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class NotAsserted(Exception):
    """The provider did not assert anybody, or what came is not to be believed; `reason` is one word, with nobody's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(Exception):
    """The provider did not answer, or not as a provider does; `reason` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Errand:
    """The secrets of one way to the provider and back: `state` and `nonce` come back, `verifier` proves who asked (PKCE)."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Assertion:
    """Somebody as the provider knows them. `email` is empty unless the provider says that it has verified the address.

    `subject` is theirs for good and unique below `issuer`. `methods` are words on how they proved themselves (acr and amr).
    """

    issuer: str
    subject: str
    email: str
    methods: tuple[str, ...]
    proved_at: datetime | None


class SignOn(Protocol):
    """One provider of a single sign-on."""

    name: str
    issuer: str
    second_factor: tuple[str, ...]

    def errand(self) -> Errand:
        """Fresh secrets for one sign-in."""
        ...

    def address(self, errand: Errand, now: datetime) -> str:
        """Where the browser goes to prove who it is. Raises Unavailable."""
        ...

    def asserted(self, code: str, errand: Errand, *, issuer: str | None, now: datetime) -> Assertion:
        """Whom the code that came back stands for; `issuer` as the answer names it. Raises NotAsserted, Unavailable."""
        ...

    def way_out(self, now: datetime) -> str:
        """Where the browser ends its session at the provider; empty where it offers none, or cannot be asked."""
        ...
