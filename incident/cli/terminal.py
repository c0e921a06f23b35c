"""What commands print is text: names and words that strangers wrote cannot steer the terminal, nor turn a line around."""

import re
import sys
from typing import Any, Final, TextIO, cast

STEERS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\r(?!\n)")
SIGN: Final = "\ufffd"


def plain(text: str) -> str:
    """The text with a sign for whatever would steer a terminal: control characters, escapes, turns of direction."""
    return STEERS.sub(SIGN, text)


class Plain:
    """A stream of text whose every word is plain; bytes that are written below it stay as they are."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it plain; how much of the text was taken."""
        self._stream.write(plain(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write them plain."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def begin() -> None:
    """Have all that this process prints be plain."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Plain):
            setattr(sys, name, cast(TextIO, Plain(stream)))
