"""How often Python looks for garbage: set by whoever imports this, before the rest of the program is loaded."""

import gc

AFTER = 50_000
"""So many new objects are made before Python looks for those that hold each other; it usually looks after 700.

A quarter of the time that loading the program takes went into looking where there is none, and a twentieth of a sending's.
"""

gc.set_threshold(AFTER, 20, 20)
