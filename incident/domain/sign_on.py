"""A single sign-on beside one's own password: whom it may stand for, when its second factor counts, what makes a sign-in fresh.

The provider says who somebody is, never what they may do. It stands in place of the password alone: an account is made
by invitation, with a password and a second factor of its own, so that everybody still gets in when the provider is the
system that was broken into.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256

ERRAND_LASTS = timedelta(minutes=10)
"""How long somebody may take at the provider."""
NOT_LET_IN = "The single sign-on did not let you in. Sign in with your address and password; they work as ever."
SHUT = "The single sign-on is shut. Sign in with your address and password; they work as ever."


def key_of(issuer: str, subject: str) -> str:
    """Return what an identity is known by: a hash, since a subject may be an address."""
    return sha256(f"{issuer}\0{subject}".encode()).hexdigest()


def counts(methods: Collection[str], accepted: Collection[str]) -> bool:
    """Return whether the provider asked for a second factor that is taken in place of ours."""
    return not set(accepted).isdisjoint(methods)


def is_in_time(begun: datetime, now: datetime) -> bool:
    """Return whether an answer came back soon enough after its question."""
    return timedelta(0) <= now - begun <= ERRAND_LASTS


def fresh_at(proved_at: datetime | None, now: datetime) -> datetime:
    """Return when somebody last proved themselves to the provider; long ago where it does not say, or says what cannot be."""
    if proved_at is None or proved_at > now:
        return now - timedelta(days=1)
    return proved_at
