"""The second of two programs that make batches apart: it seals and marks what the first has read (`actions/apart.py`).

It gets the keys from the first, through the pipe between them, and ends with it, or when nobody listens any more.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any, Final

from incident.actions.batches import List, Maker, Sheaf
from incident.actions.pipes import Gone, said, say, settle_in
from incident.store.ciphers import Sealer

SHEAF: Final = "sheaf"


def main() -> int:
    """Turn sheaves on standard input into batches on standard output; whatever else is said is passed on."""
    heard, out, sys.stdout = sys.stdin.buffer, sys.stdout.buffer, sys.stderr
    settle_in()
    last: list[tuple[Any, ...]] = []
    with suppress(BrokenPipeError, Gone):
        keys, ref, bits, first = said(heard)
        maker = Maker(List(ref, bits), Sealer.taken_over(keys), first)
        for batch in maker.batches(_sheaves(heard, last)):
            say(out, "batch", *batch)
        for words in last:
            say(out, *words)
    os._exit(0)  # whatever is left in a buffer belongs to nobody any more


def _sheaves(heard: IO[bytes], last: list[tuple[Any, ...]]) -> Iterator[Sheaf]:
    while True:
        word, *rest = said(heard)
        if word != SHEAF:
            last.append((word, *rest))
            return
        yield Sheaf(*rest)


if __name__ == "__main__":
    sys.exit(main())
