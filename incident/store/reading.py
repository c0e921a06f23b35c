"""What is asked several times while one page is read is asked of the database once.

A page is put together by rooms that know nothing of each other, and several of them need the same facts, the same key, the
same counts. `once` marks such a question. Its answer is kept only while a request reads (`begin`), goes with the session, and
is dropped as soon as a transaction opens: whoever changes something sees the rows as they are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from incident.store.db import db

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

KEPT: Final = "tocsin_kept"


def begin() -> None:
    """From here on this request only reads."""
    db.session.info[KEPT] = {}


@contextmanager
def suspended() -> Iterator[None]:
    """Nothing is kept or answered from before while this lasts, nor is what was kept before it answered afterwards."""
    info: dict[str, Any] = db.session.info
    reads = info.pop(KEPT, None) is not None
    try:
        yield
    finally:
        if reads:
            info[KEPT] = {}


def keep(ask: Callable[..., Any], answer: Any, *given: Any) -> None:
    """Answer this question, as far as it is asked `once`, by what was read beside something else."""
    kept: dict[Any, Any] | None = db.session.info.get(KEPT)
    if kept is not None:
        kept[_question(ask, given, {})] = answer


def _question(ask: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return ask.__module__, ask.__qualname__, given, tuple(sorted(named.items()))


def once(ask: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """The same question, answered from memory the second time a page asks it. Its arguments must be hashable."""

    @wraps(ask)
    def asked(*given: Given.args, **named: Given.kwargs) -> Answer:
        kept: dict[Any, Answer] | None = db.session.info.get(KEPT)
        if kept is None:
            return ask(*given, **named)
        question = _question(ask, given, named)
        if question not in kept:
            kept[question] = ask(*given, **named)
        return kept[question]

    return asked
