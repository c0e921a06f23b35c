"""Targets of the team's alerts: a chat, a pager, a push service. Their addresses are secrets: sealed, never shown again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

import structlog

from incident.actions.ledger import transaction
from incident.actions.throttled import take
from incident.actions.users import LANGUAGES
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.reminders import Level
from incident.domain.users import named
from incident.exports.catalogue import speaker
from incident.store import dispatches, reach, sealed, users
from incident.store.db import db, new_ref, new_secret_ref
from incident.store.reach import AlertTarget
from incident.store.users import User
from notifiers.contract import Answer, Message, Outcome

log = structlog.get_logger()

MOST: Final = 50
LONGEST_ADDRESS: Final = 1_000
WHY: Final = {
    "target_unknown": "This is not an address that apprise knows. It looks like slack://… or jsons://host/path.",
    "target_not_encrypted": "This kind of target speaks without encryption. Use its encrypted form, such as jsons:// for json://.",
    "address_inside": "This address is in your own network. An administrator of the machine can allow it by TOCSIN_ALERTS_INSIDE.",
    "target_refused": "This kind of target would use this machine itself, which is not allowed.",
    "target_says_no": "The target refused the alert. Look at its address and its rights.",
    "not_reached": "The target could not be reached.",
    "answer_lost": "No answer came: the alert may have arrived, or not.",
}


class Alerts(Protocol):
    """What sends alerts, and knows kinds of targets."""

    def send(self, batch: Sequence[Message]) -> list[Answer]: ...
    def kind(self, url: str) -> tuple[str, str]: ...


def set_up(
    name: str,
    address: str,
    *,
    level: str,
    person: str,
    hears_restricted: bool,
    language: str = "en",
    alerts: Alerts,
    actor: str,
    now: datetime,
) -> str:
    """Keep a target; its reference. `person` makes it that person's own, who is told in their own language. Raises Invalid."""
    label = _label(name)
    kind = _kind(address.strip(), alerts)
    if level not in list(Level):
        raise Invalid("level", "Choose from when on this target is told.")
    if language not in LANGUAGES:
        raise Invalid("language", "Choose a language that the interface has.")
    with transaction(actor, now) as ledger:
        if len(reach.targets(limit=MOST + 1)) >= MOST:
            raise Invalid("name", f"There are at most {MOST} targets. Remove one that is not used.")
        user = users.by_ref(person) if person else None
        if person and (user is None or not user.active):
            raise Invalid("person", "Choose somebody who works here, or nobody for the whole team.")
        ref = new_ref("A")
        row = AlertTarget(ref=ref, name=label, kind=kind, user_id=user.id if user else None, level=level, made_by=actor)
        row.hears_restricted, row.language, row.made_at = hears_restricted, language, now
        row.sealed = sealed.seal(None, f"alert_target.sealed:{ref}", address.strip().encode())
        db.session.add(row)
        ledger.write(
            "alert.set_up", ref, kind=_word(kind), level=level, person=person, hears_restricted=hears_restricted
        )
    return ref


def remove(ref: str, *, actor: str, now: datetime) -> None:
    """End a target; its address is forgotten. Raises Missing."""
    with transaction(actor, now) as ledger:
        row = reach.target(ref)
        if row is None:
            raise Missing()
        row.removed_at = now
        row.sealed = sealed.seal(None, f"alert_target.sealed:{ref}", b"")
        ledger.write("alert.removed", ref)


def try_out(ref: str, *, alerts: Alerts, actor: str, now: datetime) -> str:
    """Send a test to a target; a sentence on what became of it. Raises Missing, Refused, TooMany."""
    row = reach.target(ref)
    if row is None:
        raise Missing()
    if dispatches.frozen():
        raise Refused("All sending is frozen just now, tests too.")
    take("to_oneself", actor, now=now)
    address = sealed.unseal(None, f"alert_target.sealed:{ref}", row.sealed).decode()
    language = spoken(row, next(iter(reach.people([row.user_id] if row.user_id else [])), None))
    say = speaker(language)
    text = say("This is a test of the team's alerts. Nothing is due.")
    message = Message(new_secret_ref(), address, text, say("[Test] Tocsin"), language=language)
    answer = _answer(alerts, message)
    with transaction(actor, now) as ledger:
        held = reach.target(ref)
        if held is None:
            raise Missing()
        held.tried_at, held.tried = now, answer.reason or answer.outcome.value
        ledger.write("alert.tried", ref, outcome=answer.outcome.value, reason=answer.reason)
    if answer.outcome is Outcome.ACCEPTED:
        return "The target took the test."
    return WHY.get(answer.reason, "The target did not take the test.")


def spoken(target: AlertTarget | None, user: User | None) -> str:
    """The language of what goes to this person, or to this target of the team."""
    return user.language if user else target.language if target else "en"


def _answer(alerts: Alerts, message: Message) -> Answer:
    try:
        [answer] = alerts.send([message])
    except Exception as error:  # the contract: an exception means that nobody knows what happened
        log.warning("alert.answer_lost", reason=type(error).__name__)
        return Answer(message.ref, Outcome.UNKNOWN, reason="answer_lost")
    return answer


def _kind(address: str, alerts: Alerts) -> str:
    if not 0 < len(address) <= LONGEST_ADDRESS or "\n" in address:
        raise Invalid("address", WHY["target_unknown"])
    kind, reason = alerts.kind(address)
    if reason:
        raise Invalid("address", WHY.get(reason, WHY["target_unknown"]))
    return kind[:40]


def _label(name: str) -> str:
    try:
        return named(name)[:80]
    except Invalid:
        raise Invalid("name", "Say in a word or two which target this is.") from None


def _word(kind: str) -> str:
    """The kind as a word of the record: letters and digits only."""
    return "".join(letter for letter in kind.lower() if letter.isascii() and letter.isalnum())[:40]
