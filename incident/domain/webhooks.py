"""What endpoints of other programs are told: which verbs of the record each wants, in which words, and how often it is tried.

An event is one line of the record. A line holds references, digests, numbers and words of fixed lists, never personal data;
so neither does an event. Form and schedule: the Standard Webhooks specification, 1.0.0.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from incident.domain.audit import Line
from incident.domain.errors import Invalid
from incident.domain.handovers import State
from incident.domain.verbs import VERBS

OWN: Final = ("webhook.", "webhooks.")
"""What is said of webhooks themselves is told to none of them: each event would make another."""
EVERYTHING: Final = "*"
TEST: Final = "webhook.test"
MOST_TYPES: Final = 100
WORD: Final = re.compile(r"[a-z_]+\.([a-z_]+|\*)")
RETRIES: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long to wait after each try that was not taken: three days and some hours in all; after the last one it has failed."""
SPREAD: Final = 0.2
"""A wait is up to this share shorter or longer, so that not everything that waits for one endpoint comes at once."""
PATIENCE: Final = timedelta(days=3)
"""An endpoint that took nothing for so long, while messages ran out of tries, is switched off."""
LONGEST_REST: Final = timedelta(minutes=5)
"""After a try that was not taken, the endpoint is left alone for its wait, but for no longer than this."""
OLD_SECRET: Final = timedelta(hours=24)
"""So long after a change of secret the old one signs too."""
LOG_KEPT: Final = timedelta(days=90)
"""So long the log keeps what is settled; the record keeps the lines."""

WORDS: Final = {
    State.WAITING: "waiting",
    State.CLAIMED: "being sent",
    State.CALLING: "being sent",
    State.ACCEPTED: "taken",
    State.FAILED: "failed",
    State.CANCELLED: "not wanted any more",
}


def nouns() -> dict[str, tuple[str, ...]]:
    """The types of events there are, by their noun, in the order of the list of verbs."""
    found: dict[str, list[str]] = {}
    for verb in VERBS:
        if not verb.startswith(OWN):
            found.setdefault(verb.partition(".")[0], []).append(verb)
    return {noun: tuple(verbs) for noun, verbs in found.items()}


def wanted(words: Iterable[str]) -> tuple[str, ...]:
    """The types of events that an endpoint wants, each once: a verb, `noun.*`, or `*` for all. Raises Invalid."""
    types = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    if not 0 < len(types) <= MOST_TYPES:
        raise Invalid("types", f"Name 1 to {MOST_TYPES} types of events, such as notice.approved or incident.*")
    known = nouns()
    for word in types:
        noun, _, verb = word.partition(".")
        if word != EVERYTHING and (noun not in known or (verb != EVERYTHING and word not in known[noun])):
            told = f"There is no type of event called {word}." if WORD.fullmatch(word) else "One of them is no type."
            raise Invalid("types", f"{told} Types are verbs of the record, such as notice.approved or incident.*")
    return types


def hears(types: Collection[str], verb: str) -> bool:
    """Whether an endpoint that wants these types is told of a line with this verb."""
    if verb.startswith(OWN):
        return False
    return EVERYTHING in types or verb in types or f"{verb.partition('.')[0]}.{EVERYTHING}" in types


def body(seq: int, line: Line, *, log: str, drill: bool) -> str:
    """An event as JSON: the line of the record, with its place and the record's identity, by which it can be proved."""
    data = {"line": seq, "log": log, "actor": line.actor, "subject": line.subject, "incident": line.incident}
    return _json(line.verb, line.at, {**data, "drill": drill, "details": json.loads(line.details)})


def test_body(ref: str, at: str) -> str:
    """The event that a person sends to see whether an endpoint takes anything."""
    return _json(TEST, at, {"endpoint": ref})


def _json(kind: str, at: str, data: Mapping[str, Any]) -> str:
    return json.dumps({"type": kind, "timestamp": at, "data": data}, ensure_ascii=False, separators=(",", ":"))


def spread(retries: Sequence[timedelta], share: float) -> tuple[timedelta, ...]:
    """The waits, each a little shorter or longer; `share` is a random number from 0 to 1."""
    return tuple(wait * (1 - SPREAD + 2 * SPREAD * share) for wait in retries)


def rests_until(again: datetime, now: datetime) -> datetime:
    """Until when an endpoint that did not take a message is left alone."""
    return min(again, now + LONGEST_REST)


def has_given_up(failing_since: datetime | None, now: datetime) -> bool:
    """Whether an endpoint whose message just ran out of tries is to be switched off."""
    return failing_since is not None and now - failing_since >= PATIENCE
