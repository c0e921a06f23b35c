"""Records under which a worker died before anything was handed over: one of them may have killed it.

They wait again, behind all others, and are tried in ever smaller company: a tenth of the batch that died, at last alone.
Whoever was only in bad company goes out with the next tenth. One that was alone three times is set aside, for a person.
"""

from typing import Final

ONCE: Final = "worker_died_once"
"""The reason of letters whose printing died for the first time: they are printed together once more, as somebody asked."""
SUSPECT: Final = "worker_died"
ALONE: Final = ("worker_died_alone", "worker_died_alone_twice")
POISON: Final = "kills_the_worker"
TRIES_ALONE: Final = len(ALONE) + 1
REASONS: Final = frozenset({SUSPECT, *ALONE})
"""Why somebody waits who is to be tried apart from all others."""
_NEXT: Final = dict(zip((SUSPECT, *ALONE), (*ALONE, POISON), strict=True))


def after_death(reason: str, size: int, *, printing: bool = False) -> str:
    """The reason of the rows of a batch of this size whose worker died, by the reason they had when it was claimed.

    A first death proves nothing, as several batches are held at once: only who was taken apart is counted.
    """
    if printing and reason not in (ONCE, *REASONS):
        return ONCE
    if size > 1 or reason not in _NEXT:
        return reason if reason in ALONE else SUSPECT
    return _NEXT[reason]


def together(deaths: int, size: int) -> int:
    """How many records are looked at together after so many deaths in a row at one place, of batches of this size at first."""
    return max(1, size // int(10**deaths))


def alone_after(size: int) -> int:
    """After how many deaths in a row one record is looked at alone."""
    deaths = 0
    while together(deaths, size) > 1:
        deaths += 1
    return deaths


def is_poison(deaths: int, size: int) -> bool:
    """Whether the next record was alone often enough to be passed by: `TRIES_ALONE` deaths with nobody beside it."""
    return deaths >= alone_after(size) + TRIES_ALONE


def company(size: int) -> int:
    """How many of a batch of this size that died are tried together next."""
    return max(1, size // 10)
