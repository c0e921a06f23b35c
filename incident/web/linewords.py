"""A line of the record in a reader's words: titles instead of the names that files and tables use, times in their zone."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from incident.domain import asks, lawbook, scenarios, verbs
from incident.domain.plans import playbooks
from incident.domain.scales import CAPTIONS
from incident.web.filters import when
from incident.web.languages import ENGLISH, Word, _, said, tag, tongue

MINUTE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z")
COUNTED: Final = re.compile(r"([a-z_]+) (\d[\d,]*)")
"""How a line counts by word: `accepted 12, in_doubt 1`."""
CODE: Final = re.compile(r"[a-z]+(_[a-z]+)*")
SCALES: Final = {scale.value: caption for scale, caption in CAPTIONS.items()}


ASSESSED: Final = {
    "owed": Word("%(count)s became owed"),
    "opened": Word("%(count)s became open"),
    "closed": Word("%(count)s no longer open"),
    "lifted": Word("%(count)s no longer owed"),
    "moved": Word("%(count)s due at another time"),
}
"""What an assessment may have changed; a line counts all of it, and a reader is told what is not nothing."""


def sentence(verb: str, subject: str, details: Mapping[str, Any]) -> str:
    """What the actor did, to follow their name; what no file or table knows any more stays as the line has it."""
    if verb == "findings.assessed":
        parts = [_(word, count=f"{details[key]:,}") for key, word in ASSESSED.items() if details.get(key)]
        changed = _("; ").join(parts) or _("nothing changed")
        return _("worked out again what is owed: %(changed)s", changed=changed)
    return verbs.sentence(verb, subject, {key: _in_words(key, value) for key, value in details.items()})


def _in_words(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if MINUTE.fullmatch(value):
        return when(datetime.fromisoformat(value))
    if key == "kind" and value in asks.WORDS:
        return said(asks.WORDS[value])
    if key == "language":
        return tongue(value)
    title = TITLES[key](value) if key in TITLES else None
    return f"“{said(title)}”" if title else _of_codes(value)


def _of_codes(value: str) -> str:
    """Words that the record has in code, in the language of a reader who has others; references stay letter by letter."""
    if tag() == ENGLISH:
        return value
    if CODE.fullmatch(value):
        found = value.replace("_", " ")
        words: str = said(found)
        return value if words == found else words
    counted = [COUNTED.fullmatch(part) for part in value.split(", ")]
    if None in counted:
        return value
    return _(", ").join(f"{_of_codes(one[1])} {one[2]}" for one in counted if one)


def _duty(name: str) -> str | None:
    duty = lawbook.library().duty(name)
    return duty.title if duty else None


def _playbook(name: str) -> str | None:
    book = playbooks().get(name)
    return book.title if book else None


def _step(name: str) -> str | None:
    """The title of this step, where every playbook that has it calls it the same."""
    titles = {step.title for book in playbooks().values() for step in book.steps if step.key == name}
    return titles.pop() if len(titles) == 1 else None


def _scenario(name: str) -> str | None:
    """The title of a scenario of drills, where it is still there."""
    book = scenarios.scenarios().get(name)
    return book.title if book else None


TITLES: Final[Mapping[str, Callable[[str], str | None]]] = {
    "duty": _duty,
    "playbook": _playbook,
    "scale": SCALES.get,
    "scenario": _scenario,
    "step": _step,
}
"""Under which key of the details stands the name of what."""
