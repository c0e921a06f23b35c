"""What changed between two texts, word by word; in writings without spaces, letter by letter."""

import re
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final, NamedTuple

TOKEN: Final = re.compile(r"\s+|[぀-ヿ㐀-鿿豈-﫿가-힯]|[^\W_]+(?:['’_-][^\W_]+)*|.", re.DOTALL)
"""Blanks, one letter of a writing that sets none, a word, or any other sign."""
SHORTEST: Final = 2
"""Fewer tokens than these that stayed between two changes are part of one change: single blanks and signs tell nothing."""


class Mark(StrEnum):
    """What became of a run of letters."""

    SAME = "same"
    OUT = "out"
    IN = "in"


class Run(NamedTuple):
    """Letters that stayed, went out or came in."""

    mark: Mark
    text: str


def words(old: str, new: str) -> tuple[Run, ...]:
    """Return the runs from `old` to `new`: those that stayed or went out make the old text, the others the new one."""
    before, after = TOKEN.findall(old), TOKEN.findall(new)
    runs: list[Run] = []
    pending: list[tuple[str, str]] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        gone, come = "".join(before[a:b]), "".join(after[c:d])
        if kind != "equal" or (pending and b - a < SHORTEST and not gone.strip() and b < len(before)):
            pending.append((gone, come))
            continue
        runs += _changed(pending)
        pending = []
        runs.append(Run(Mark.SAME, gone))
    return (*runs, *_changed(pending))


def _changed(pending: list[tuple[str, str]]) -> list[Run]:
    gone, come = ("".join(texts) for texts in zip(*pending, strict=True)) if pending else ("", "")
    return [run for run in (Run(Mark.OUT, gone), Run(Mark.IN, come)) if run.text]
