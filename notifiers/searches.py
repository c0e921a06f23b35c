"""What a search of a file for malware can come to: the words that evidence shares with whoever searches."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol


class NotSearched(Exception):
    """Whoever searches did not answer, or not in words that are known: to be tried again."""


@dataclass(frozen=True)
class Verdict:
    """What was found; `name` is the searcher's word for it. A file that is too large for the searcher was not searched."""

    word: Literal["nothing", "found", "too_large"]
    name: str = ""


class Searcher(Protocol):
    """Searches bytes for malware."""

    def search(self, pieces: Iterable[bytes]) -> Verdict:
        """What it says of these bytes. Raises NotSearched."""
        ...
