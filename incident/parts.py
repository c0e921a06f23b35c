"""Loads parts of the program that not every process needs, when they are first needed: the one place where that is done.

A worker or a command serves no pages, and most hours print no letter. What is loaded costs every start its time, and every
process its memory for as long as it lives.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Final

PAGES: Final = "incident.app"
PERMITS: Final = "incident.web.access"


def load(name: str) -> ModuleType:
    """The module of this name, loaded now if it is not yet."""
    return import_module(name)


def load_all(package: str) -> None:
    """Load every module of a package of ours, but for the packages in it."""
    for one in iter_modules(load(package).__path__, f"{package}."):
        if not one.ispkg:
            load(one.name)


class Later:
    """Stands for a library until something of it is asked for; from then on that is the library's own."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, word: str) -> Any:
        return getattr(import_module(self._name), word)


def later(name: str) -> Any:
    """A library that is loaded by whoever first asks it for something; any thread may."""
    return Later(name)
