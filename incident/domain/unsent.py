"""Which forms are kept when they arrive after their sender's session: those in which somebody wrote, and no secrets."""

from collections.abc import Iterable, Sequence
from typing import Final

Fields = Sequence[tuple[str, str]]

SECRET: Final = frozenset({"password", "new_password", "code", "secret", "passphrase", "private_key"})
"""A form with one of these is not kept at all."""
LEFT_OUT: Final = frozenset({"csrf_token", "unsent", "token", "credential", "over"})
"""Fields that are not kept: the proof of the page, made anew, what opens something, and the wish to overwrite. What says
over which values a page was made is kept: by it a form that comes late is refused where somebody was quicker."""
MOST_LETTERS: Final = 400_000


def worth_keeping(fields: Iterable[tuple[str, str]]) -> Fields:
    """Return the fields to keep; none where nobody wrote anything, a secret is among them, or it is too much."""
    given = list(fields)
    if any(name in SECRET and value for name, value in given):
        return ()
    kept = [(name, value) for name, value in given if name not in LEFT_OUT]
    if sum(len(name) + len(value) for name, value in kept) > MOST_LETTERS:
        return ()
    return kept if any(is_prose(value) for _, value in kept) else ()


def written(fields: Fields) -> list[tuple[str, str]]:
    """Return what somebody wrote into these fields, by their names in words."""
    return [(_in_words(name), value) for name, value in fields if is_prose(value)]


def _in_words(name: str) -> str:
    return name.replace("_", " ").replace(":", ": ").capitalize()


def is_prose(value: str) -> bool:
    """Return whether somebody wrote this: several words, or letters beyond ASCII; numbers, times and choices are none."""
    plain = value.strip()
    return any(letter.isalpha() for letter in plain) and (len(plain.split()) > 1 or not plain.isascii())
