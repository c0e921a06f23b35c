"""Texts that rules say in whoever's language: the English stands in the rule, with gaps; who calls it brings the words.

A rule takes a `say` and calls it with the English and what fills it: `say("due in {span}", span=…)`. Where nobody brings
another, it is `english`. Every text that is said so has to stand in the catalogues; a test gathers them.
"""

import re
from collections.abc import Callable
from typing import Final

GAP: Final = re.compile(r"\{(\w+)\}")
"""How such a text writes the place of a value."""
Say = Callable[..., str]
"""Takes the English, and by name what fills its gaps."""


def english(text: str, /, **values: object) -> str:
    """Return the text as it stands, its gaps filled."""
    return text.format(**values) if values else text


def retold(say: Say, words: str) -> str:
    """Return what another rule or a vocabulary made, as `say` has it; what it does not know stays as it came."""
    return str(say("{words}", words=words))
