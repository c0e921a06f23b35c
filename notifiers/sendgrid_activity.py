"""Look-ups in SendGrid's Email Activity: which of our references it has, and how those mails stand.

It is an add-on of the account, and answers six questions a minute; so each question is about many references.
Sources: the API reference "Email Activity" and its query language (Twilio SendGrid, read 2026-11-22).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from notifiers import wire
from notifiers.contract import Finding, Match, Sought, Status

AT_ONCE = 20
ASKED_EVERY = 10.0  # seconds
MOST_ANSWERS = 100  # to one question; more are never ours
STATUS = {"processed": Status.ACCEPTED, "delivered": Status.DELIVERED, "not_delivered": Status.BOUNCED}
TROUBLES = {401: "credentials_refused", 403: "credentials_refused", 404: "no_activity_kept", 429: "too_many_requests"}


def find(messages: Any, key: str, sought: Sequence[Sought]) -> list[Finding]:
    """One finding for each message sought, in their order; `messages` is the client at that address."""
    found: dict[str, Finding] = {}
    for group in _apart(sought):
        found |= {finding.ref: finding for finding in _ask(messages, key, group)}
    return [found[one.message.ref] for one in sought]


def _apart(sought: Sequence[Sought]) -> Iterator[list[Sought]]:
    """Groups in which every address occurs once: an answer names the address alone, not our reference."""
    left = list(sought)
    while left:
        taken: dict[str, Sought] = {}
        for one in left:
            taken.setdefault(one.message.to.casefold(), one)
        chosen = list(taken.values())[:AT_ONCE]
        yield chosen
        left = [one for one in left if one not in chosen]


def _ask(messages: Any, key: str, group: list[Sought]) -> list[Finding]:
    wanted = " OR ".join(f"unique_args['{key}']=\"{one.message.ref}\"" for one in group)
    try:
        reply = messages.get(query_params={"query": wanted, "limit": MOST_ANSWERS})
        if reply.status_code != 200:
            return _none(group, TROUBLES.get(reply.status_code, "provider_trouble"))
        rows = json.loads(reply.body)["messages"]
        by_address = {one.message.to.casefold(): one for one in group}
        matches: dict[str, list[Match]] = {one.message.ref: [] for one in group}
        for row in rows:
            one = by_address.get(str(row["to_email"]).casefold())
            if one is None:
                return _none(group, "answer_unclear")
            matches[one.message.ref].append(_match(row))
    except (wire.Unreached, wire.Redirected, wire.Unanswered):
        return _none(group, "not_reached")
    except (ValueError, KeyError, TypeError, RecursionError):
        return _none(group, "answer_unclear")
    if len(rows) >= MOST_ANSWERS:
        return _none(group, "too_many_to_tell")
    return [Finding(ref, tuple(found)) for ref, found in matches.items()]


def _none(group: list[Sought], trouble: str) -> list[Finding]:
    return [Finding(one.message.ref, trouble=trouble) for one in group]


def _match(row: Mapping[str, Any]) -> Match:
    """One row of the answer. It says when something last happened, not when it was taken."""
    word = str(row.get("status", ""))
    number = wire.plain(row.get("msg_id", ""), 200).split(".", 1)[0][:100]
    at = _instant(row.get("last_event_time"))
    return Match(number, STATUS.get(word, Status.UNKNOWN), at, wire.plain(word, 40), ours=True)


def _instant(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
