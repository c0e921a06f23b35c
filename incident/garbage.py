"""How often Python looks for garbage: set by whoever imports this, before the rest of the program is loaded.

Whoever serves pages looks in small steps once everything is loaded (`in_small_steps`): a look takes as long as what was
made since the last one is large, and the page that it falls into waits for it.
"""

import gc

AFTER = 50_000
"""So many new objects are made before Python looks for those that hold each other; it usually looks after 700.

A quarter of the time that loading the program takes went into looking where there is none, and a twentieth of a sending's.
"""

STEP = 5_000
"""The same where pages are served: 2 ms every ten pages instead of 20 ms every hundred."""

gc.set_threshold(AFTER, 20, 20)


def in_small_steps() -> None:
    """Look for garbage more often and each time for a shorter while; what there is by now is never garbage."""
    gc.freeze()  # looking there slows long work by a fifth
    gc.set_threshold(STEP, 10, 20)
