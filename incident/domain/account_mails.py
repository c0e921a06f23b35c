"""What people are told about their own account: when tries are odd, which places are new, how soon the end of a token is told."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from incident.domain.team_mails import Kind

TOKEN_NOTICE: Final = timedelta(days=7)
TRIED: Final = {"failed": Kind.ODD_TRIES, "failed_code": Kind.ODD_CODES}
"""By the limit under which tries that failed are counted (domain/throttle.py): what their owner is told past it."""

BROWSER: Final = "a browser that this account was not used with in the last months"
NETWORK: Final = "a network that this account was not used from in the last months"


def unknown(device: str, place: str, known: Collection[tuple[str, str]]) -> str:
    """Return in words what is new about a sign-in; empty where nothing is, or nothing is known to compare with.

    `known` are (browser, network) of earlier ones; an empty network was not kept.
    """
    if not known:
        return ""
    if device not in {browser for browser, _ in known}:
        return BROWSER
    networks = {network for _, network in known if network}
    return NETWORK if place and networks and place not in networks else ""
