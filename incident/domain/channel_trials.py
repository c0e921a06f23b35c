"""What a test of a channel says: that it is one, from whom, and that nothing happened."""

from html import escape
from typing import NamedTuple

from incident.domain.speech import Say


class Sheet(NamedTuple):
    """A letter to look at: the lines for the window of the envelope, and its text as HTML."""

    lines: tuple[str, ...]
    html: str


def message(name: str, say: Say) -> tuple[str, str]:
    """Subject and text of a test that this person sent to themselves; a voice says the text."""
    return say("[Test] Tocsin can reach you"), say(
        "This is a test, which {name} sent to themselves with Tocsin. Nothing has happened. Nobody else got it.",
        name=name,
    )


def letter(name: str, say: Say) -> Sheet:
    """A sample letter; in place of an address stands what each of its lines is."""
    shows = say(
        "Letters to people come out like this: the address where the window of the envelope is, "
        "the sender where this form has its line, and the code by which a letter that comes back is found."
    )
    nothing = say(
        "This is a test, which {name} made with Tocsin to look at. Nothing has happened, and nobody gets it by post.",
        name=name,
    )
    lines = (say("Name of the person"), say("Street and number"), say("Postcode and town"))
    html = f"<h1>{escape(say('A sample letter'))}</h1><p>{escape(nothing)}</p><p>{escape(shows)}</p>"
    return Sheet(lines, html)
