"""Accounts: what a name, an address and a set of roles may be, and who may change whose roles."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from incident.domain.access import Role
from incident.domain.errors import Invalid, Refused

ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"]{1,185}")
INVITATION_LASTS = timedelta(days=7)
SETUP_LASTS = timedelta(hours=24)
SESSION_LASTS = timedelta(hours=16)
UNFINISHED_LASTS = timedelta(minutes=15)  # a session that still lacks its second factor
FRESH_FOR = timedelta(minutes=15)
TOKEN_DAYS_MOST = 365
RECOVERY_CODES = 10
FIRST_ROLES = (Role.ADMINISTRATOR, Role.LEAD)  # whoever sets the installation up can see its incidents, not approve


def address(raw: str) -> str:
    """The mail address as accounts keep it: trimmed, in one Unicode form, in lower case. Raises Invalid."""
    given = unicodedata.normalize("NFKC", raw).strip().lower()
    if not ADDRESS.fullmatch(given) or len(given) > 254:
        raise Invalid("email", "Give one mail address, such as someone@example.org.")
    return given


def named(raw: str) -> str:
    """The name as pages show it: trimmed, one line, at most 120 letters. Raises Invalid."""
    given = " ".join(unicodedata.normalize("NFC", raw).split())
    if not given or len(given) > 120 or any(unicodedata.category(letter) == "Cc" for letter in given):
        raise Invalid("name", "Give a name of 1 to 120 letters.")
    return given


def as_roles(words: Iterable[str]) -> list[str]:
    """The roles in their order, each once. Raises Invalid for an unknown word, for none, and for an auditor with more."""
    wanted = set(words)
    unknown = wanted - set(Role)
    if unknown:
        raise Invalid("roles", f"There is no role called {', '.join(sorted(unknown))[:80]}.")
    if not wanted:
        raise Invalid("roles", "Choose at least one role.")
    if Role.AUDITOR in wanted and len(wanted) > 1:
        raise Invalid("roles", "An auditor reads everything and changes nothing, so holds no other role.")
    return [str(role) for role in Role if role in wanted]


def regranted(
    held: Collection[str], wanted: Iterable[str], *, of: str, by: str, other_administrators: int
) -> list[str]:
    """The roles of `of` after `by`, an administrator, changed them. Raises Refused, Invalid.

    Nobody makes themselves an approver or an auditor (who sees restricted incidents), and an administrator remains.
    """
    roles = as_roles(wanted)
    if of == by:
        for role in (Role.APPROVER, Role.AUDITOR):
            if role in roles and role not in held:
                raise Refused(f"Nobody makes themselves an {role}. Ask another administrator to give you that role.")
    if Role.ADMINISTRATOR in held and Role.ADMINISTRATOR not in roles:
        demand_another_administrator(other_administrators)
    return roles


def demand_another_administrator(others: int) -> None:
    """Refuse to be left without an administrator."""
    if others < 1:
        raise Refused("This is the last administrator. Make somebody else an administrator first.")


def token_end(days: int, now: datetime) -> datetime:
    """When a token issued now for so many days expires. Raises Invalid."""
    if not 1 <= days <= TOKEN_DAYS_MOST:
        raise Invalid("days", f"A token lasts 1 to {TOKEN_DAYS_MOST} days.")
    return now + timedelta(days=days)


def is_fresh(given_at: datetime, now: datetime) -> bool:
    """Whether the password was given recently enough for a sensitive act."""
    return now - given_at <= FRESH_FOR


def device(user_agent: str) -> str:
    """The browser and system in a few words of fixed lists, for the owner to tell sessions apart."""
    browsers = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
    systems = {
        "Windows": "Windows",
        "Android": "Android",
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Mac OS": "macOS",
        "Linux": "Linux",
    }
    browser = next((word for mark, word in browsers.items() if mark in user_agent), "A browser")
    system = next((word for mark, word in systems.items() if mark in user_agent), "an unknown system")
    return f"{browser} on {system}"
