"""What the sandbox of a drill is to pretend: its fields on the page that begins a sending, and its words on others."""

from collections.abc import Mapping
from dataclasses import fields

from flask import g

from incident.domain import digits
from incident.domain.deliveries import TONES, WORDS, State
from incident.domain.errors import Invalid
from incident.domain.pretences import SHARES, Life
from incident.domain.pretences import WORDS as ENDS
from incident.web.languages import _

SWITCH = "pretend"


def typed(form: Mapping[str, str]) -> Life | None:
    """What the sandbox is to pretend, as somebody asked for it in a drill; None where they did not. Raises Invalid."""
    if g.incident.kind != "drill" or not form.get(SWITCH):
        return None
    return Life(**{one.name: _number(form, one.name, int(getattr(Life(), one.name))) for one in fields(Life)}).checked()


def _number(form: Mapping[str, str], name: str, usual: int) -> int:
    given = digits.whole(form.get(name, "").strip() or usual)
    if given is None:
        raise Invalid(name, "Give a whole number.")
    return given


def shares(form: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Each share with its words and what is typed in its field."""
    return [(name, ENDS[name], form.get(name, str(getattr(Life(), name)))) for name in SHARES]


def words(counts: Mapping[str, int]) -> str:
    """What is pretended so far, such as "12 delivered, 1 came back"."""
    ordered = [state for state in State if counts.get(state.value)]
    return ", ".join(f"{counts[state.value]:,} {WORDS[state]}" for state in ordered)


def tag(state: str) -> tuple[str, str]:
    """The word and the tone of one pretended state."""
    return _("pretended: %(words)s", words=WORDS[State(state)]), TONES[State(state)] or "idle"
