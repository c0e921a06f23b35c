"""Tocsin: breach incident response."""

import gc

GARBAGE_AFTER = 50_000
"""So many new objects are made before Python looks for those that hold each other; it usually looks after 700.

A quarter of the time that loading the program takes went into looking where there is none, and a twentieth of a sending's.
"""
gc.set_threshold(GARBAGE_AFTER, 20, 20)
