"""What the organisation's own systems are asked to do for people's accounts, such as to end their sessions, and what became of it."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from incident.domain.digits import whole
from incident.domain.errors import Invalid, Refused
from incident.domain.handovers import State

AT_ONCE: Final = 500
"""So many accounts go in one batch."""
TYPE: Final = "asked."
MOST_HOURS: Final = 24 * 90
LONGEST_REFERENCE: Final = 200


class Kind(StrEnum):
    """What is asked."""

    RESET_PASSWORDS = "reset_passwords"
    END_SESSIONS = "end_sessions"
    REVOKE_TOKENS = "revoke_tokens"
    LOCK_ACCOUNTS = "lock_accounts"


WORDS: Final[Mapping[str, str]] = {
    Kind.RESET_PASSWORDS: "have passwords reset",
    Kind.END_SESSIONS: "end sessions",
    Kind.REVOKE_TOKENS: "revoke tokens",
    Kind.LOCK_ACCOUNTS: "lock accounts",
}


@dataclass(frozen=True)
class Standing:
    """How an ask stands: accounts in all, of those in batches that were taken, done and failed, and batches that were refused."""

    accounts: int
    taken: int
    done: int
    failed: int
    refused: int

    @property
    def left(self) -> int:
        """How many accounts nobody has said anything of."""
        return max(0, self.accounts - self.done - self.failed)

    def is_late(self, due_at: datetime | None, now: datetime) -> bool:
        """Whether it should be over by now, and is not."""
        return due_at is not None and now > due_at and bool(self.left)


def kind(word: str) -> Kind:
    """What is asked. Raises Invalid."""
    try:
        return Kind(word)
    except ValueError:
        raise Invalid("kind", "Choose what your system is asked to do.") from None


def hours(given: Any) -> int:
    """Within how many hours it is to be done. Raises Invalid."""
    number = whole(given) or 0
    if not 0 < number <= MOST_HOURS:
        raise Invalid("hours", f"Say within how many hours it is to be done, at most {MOST_HOURS:,}.")
    return number


def account(record: Mapping[str, str]) -> str:
    """Your own reference of somebody, where it says nothing about them; "" for an address, a number of theirs, or none.

    A name of an account that is an e-mail address leaves nothing opaque, so it stays here.
    """
    reference = record.get("reference", "")
    own = {record.get(word, "").casefold() for word in ("email", "phone", "name")}
    if not reference or "@" in reference or reference.casefold() in own or len(reference) > LONGEST_REFERENCE:
        return ""
    return reference


def takes(types: Collection[str]) -> bool:
    """Whether an endpoint of webhooks was set up to be asked: it names asks among its types, not everything."""
    return any(word.startswith("ask.") for word in types)


def body(
    what: str, *, ask: str, incident: str, batch: int, batches: int, due_at: str, answer_to: str,
    accounts: Sequence[str], at: str,
) -> str:  # fmt: skip
    """A batch as JSON: your own references and nothing else about anybody."""
    data = {
        "ask": ask, "incident": incident, "batch": batch, "batches": batches, "due_at": due_at,
        "answer_to": answer_to, "accounts": list(accounts),
    }  # fmt: skip
    told = {"type": TYPE + what, "timestamp": at, "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def outcome(done: Any, failed: Any, size: int) -> tuple[int, int]:
    """How many of a batch were done, and how many failed. Raises Invalid where these are no such numbers."""
    found = _whole("done", done), _whole("failed", failed)
    if sum(found) > size:
        raise Invalid("done", f"These are more than the {size:,} accounts of this batch.")
    return found


def _whole(name: str, given: Any) -> int:
    number = whole(given)
    if number is None:
        raise Invalid(name, "Give a whole number.")
    return number


def answer(raw: bytes) -> tuple[str, int, Any, Any]:
    """What a system answers: the ask, the batch, how many were done and how many failed. Raises Invalid."""
    try:
        said = json.loads(raw)
        ask, batch, done, failed = said["ask"], said["batch"], said["done"], said["failed"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Invalid("body", 'Send JSON such as {"ask": "AK-…", "batch": 1, "done": 500, "failed": 0}.') from None
    if not isinstance(ask, str) or isinstance(batch, bool) or not isinstance(batch, int):
        raise Invalid("body", "ask is a text, batch a number.")
    return ask[:20], batch, done, failed


def demand_told(state: str) -> None:
    """Raises Refused where nothing was asked yet, so that nothing can have been done."""
    if state in {State.WAITING, State.CLAIMED, State.CANCELLED}:
        raise Refused("This batch has not been handed over yet.")
