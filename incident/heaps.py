"""How the C library keeps memory for this process: set by whoever imports this, before there are threads.

Left alone, glibc gives threads heaps of their own, up to eight a core, each of which keeps what its busiest moment took; and
once a large piece was given back it takes the next ones from the heap, where they stay. Two heaps serve threads that share an
interpreter, and large pieces go back to the system at once.
"""

import ctypes
import sys
from typing import Final

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8  # of <malloc.h>
LARGE: Final = 1 << 20
"""Bytes. At an eighth of it as little memory is kept, and the kernel's work for each piece makes an e-mail a sixth dearer."""
HEAPS: Final = 2


def bound() -> bool:
    """Set these bounds; whether this system's library knows them."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none, and needs none
    if mallopt is None:
        return False
    wanted = ((ARENA_MAX, HEAPS), (MMAP_THRESHOLD, LARGE), (TRIM_THRESHOLD, LARGE))
    return all([mallopt(which, value) == 1 for which, value in wanted])


bound()
