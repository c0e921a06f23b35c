"""Postal addresses: the lines as they go on a letter, and what would keep a letter from arriving."""

from collections.abc import Sequence

from incident.domain import places
from incident.domain.columns import found_place


def postal(lines: Sequence[str], country: str, *, home: str) -> tuple[str, ...]:
    """The lines for the window: to another country, its name in capitals as the last; at home, no country."""
    kept = [" ".join(line.split()) for line in lines if line.strip()]
    if kept[1:] and len(kept[-1]) > 1 and country and found_place(kept[-1], "") == (country, True):
        kept.pop()
    if country and home and country != home:
        kept.append(places.named(country, "en").upper())
    return tuple(kept)
