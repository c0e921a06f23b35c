"""Small laws that nobody passed, as law files write them: name only what matters."""

from typing import Final

from incident.domain.lawbook import parsed
from incident.domain.laws import Law

HOURS_72: Final = '{ from = "aware_at", hours = 72 }'
ZONES: Final = {"FR": "Europe/Paris", "US-TX": "America/Chicago"}


def a_duty(
    id_: str = "tell", *, to: str = "authority", deadline: str = HOURS_72, at: str = "Art. 1", more: str = ""
) -> str:
    """A duty of a law file; `at` is its article, `more` whatever lines stand below."""
    return f"""
[[duty]]
id = "{id_}"
title = "Do {id_}"
to = "{to}"
{f"deadline = {deadline}" if deadline else ""}
cite = {{ place = "{at}", href = "https://example.org/law", read_on = 2026-01-01 }}
confidence = "verified"
{more}
"""


def a_law_file(*duties: str, id_: str = "XX", place: str = "FR", authority: str = "Somebody", more: str = "") -> str:
    """A law of this place since 2020 with these duties; `more` are lines of its head."""
    head = f"""
id = "{id_}"
name = "A law"
short = "law"
place = "{place}"
zone = "{ZONES[place]}"
authority = "{authority}"
since = 2020-01-01
scope = {{ places = "{place}" }}
{more}
"""
    return head + "".join(duties)


def law_of(text: str) -> Law:
    """The law that a file of this text holds."""
    return parsed(text.encode(), "xx.toml")
