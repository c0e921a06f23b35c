"""What programs of ours say to one another through pipes: words and plain values, one message after the other."""

import gc
import marshal
import os
from typing import IO, Any, Final

try:
    import resource
except ImportError:  # Windows has no such bounds
    resource = None  # type: ignore[assignment]

LENGTH_BYTES: Final = 4
POLITE: Final = 5  # so much less than others such a program asks for its core: pages go first


class Gone(Exception):
    """The program at the other end ended before it had said so, or never started."""


def said(pipe: IO[bytes]) -> Any:
    """The next message: a word and what belongs to it. Raises Gone."""
    head = pipe.read(LENGTH_BYTES)
    content = pipe.read(int.from_bytes(head, "big"))
    if len(head) < LENGTH_BYTES or len(content) < int.from_bytes(head, "big"):
        raise Gone
    # Written by our own program, at the other end of a pipe that nobody else holds.
    return marshal.loads(content)  # noqa: S302  # nosec B302


def say(pipe: IO[bytes], *words: Any) -> None:
    """Pass a message on. Raises BrokenPipeError where nobody listens any more."""
    content = marshal.dumps(words)
    pipe.write(len(content).to_bytes(LENGTH_BYTES, "big"))
    pipe.write(content)
    pipe.flush()


def settle_in() -> None:
    """Begin as a program of this kind: behind others, and leaving no picture of its memory, in which keys are."""
    gc.freeze()
    if hasattr(os, "nice"):
        os.nice(POLITE)
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
