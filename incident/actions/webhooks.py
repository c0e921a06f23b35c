"""Endpoints of webhooks: set up, changed, given another secret, tried, switched on and off, and sent to again by hand."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from incident.actions.handovers import answer_of
from incident.actions.ledger import Ledger, instant, transaction
from incident.actions.throttled import take
from incident.domain import webhooks as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.handovers import State
from incident.domain.incidents import must_be_version
from incident.domain.users import named
from incident.store import dispatches, sealed
from incident.store import webhooks as rows
from incident.store.db import db, new_ref, new_secret_ref
from incident.store.webhooks import WebhookEndpoint
from notifiers.contract import Message, Notifier, Outcome

MOST: Final = 20
WHY: Final = {
    "address_unreadable": "Give the whole address, such as https://hooks.example.org/tocsin, without a password in it.",
    "address_not_encrypted": "The address must start with https://.",
    "address_inside": "This address is in your own network. An administrator of the machine can allow it by TOCSIN_WEBHOOKS_INSIDE.",
    "redirected": "It answers with a redirect, which is not followed. Give the address that it leads to.",
    "not_reached": "It could not be reached.",
    "answer_lost": "No answer came in time: it may have taken the event, or not.",
    "said_no": "It did not take the event.",
    "gone": "It answers that it is gone for good.",
}


class Sender(Notifier, Protocol):
    """What sends events, makes secrets, and knows which addresses may be used."""

    def new_secret(self) -> str: ...
    def trouble(self, url: str) -> str: ...


def set_up(
    name: str,
    address: str,
    types: Sequence[str],
    *,
    hears_restricted: bool,
    sender: Sender,
    actor: str,
    now: datetime,
) -> tuple[str, str]:
    """Keep an endpoint, told of what happens from now on; its reference, and its secret, shown this once. Raises Invalid."""
    label, url, wanted = _label(name), _address(address, sender), rules.wanted(types)
    with transaction(actor, now) as ledger:
        if len(rows.endpoints(limit=MOST)) >= MOST:
            raise Invalid("name", f"There are at most {MOST} endpoints. Remove one that is not used.")
        ref, secret = new_ref("W"), sender.new_secret()
        row = WebhookEndpoint(ref=ref, name=label, types=list(wanted), hears_restricted=hears_restricted)
        row.told_to, row.made_at, row.made_by = rows.size(), now, actor
        row.sealed = _sealed(ref, url, [secret])
        db.session.add(row)
        ledger.write("webhook.set_up", ref, types=len(wanted), hears_restricted=hears_restricted)
    return ref, secret


def change(
    ref: str,
    *,
    name: str,
    address: str,
    types: Sequence[str],
    hears_restricted: bool,
    revision: int,
    sender: Sender,
    actor: str,
    now: datetime,
) -> None:
    """Change an endpoint; an empty address leaves it as it is. Raises Invalid, Missing, Refused (also when out of date)."""
    label, wanted = _label(name), rules.wanted(types)
    url = _address(address, sender) if address.strip() else ""
    with transaction(actor, now) as ledger:
        row = _endpoint(ref)
        must_be_version(row.revision, revision, _versions(row, label, wanted))
        row.name, row.types, row.hears_restricted, row.revision = label, list(wanted), hears_restricted, revision + 1
        if url:
            row.sealed = _sealed(ref, url, _opened(row)[1])
            row.rests_until = None
        ledger.write("webhook.changed", ref, types=len(wanted), hears_restricted=hears_restricted, moved=bool(url))


def rotate(ref: str, *, sender: Sender, actor: str, now: datetime) -> str:
    """Give an endpoint another secret, shown this once; for a day the old one signs too. Raises Missing."""
    with transaction(actor, now) as ledger:
        row = _endpoint(ref)
        url, secrets = _opened(row)
        fresh = sender.new_secret()
        row.sealed, row.rotated_at = _sealed(ref, url, [fresh, secrets[0]]), now
        row.revision += 1
        ledger.write("webhook.rotated", ref)
    return fresh


def remove(ref: str, *, actor: str, now: datetime) -> None:
    """End an endpoint; its address and secrets are forgotten, what waits for it is not sent. Raises Missing."""
    with transaction(actor, now) as ledger:
        row = _endpoint(ref)
        row.removed_at, row.sealed = now, sealed.seal(None, _place(ref), b"")
        ledger.write("webhook.removed", ref, unsent=rows.cancel(row.id, now, "removed"))


def switch_off(ref: str, *, actor: str, now: datetime) -> None:
    """Tell an endpoint nothing until it is switched on again. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        row = _endpoint(ref)
        if row.off_at is not None:
            raise Refused("It is switched off already.")
        off(row, "by_hand", ledger)


def switch_on(ref: str, *, skip: bool, actor: str, now: datetime) -> None:
    """Tell an endpoint again: of all that it missed, or with `skip` only of what comes. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        row = _endpoint(ref)
        if row.off_at is None:
            raise Refused("It is switched on already.")
        row.off_at, row.off_why, row.failing_since, row.rests_until = None, "", None, None
        row.revision += 1
        unsent = rows.cancel(row.id, now, "skipped") if skip else 0
        if skip:
            row.told_to = rows.size()
        ledger.write("webhook.switched_on", ref, skipped=skip, unsent=unsent)


def replay(ref: str, event: str, *, actor: str, now: datetime) -> None:
    """Send one event once more, under the same id. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        row = _endpoint(ref)
        found = rows.event(event, locked=True)
        if found is None or found.endpoint_id != row.id:
            raise Missing()
        if found.state in {State.WAITING, State.CLAIMED, State.CALLING}:
            raise Refused("This event is on its way already.")
        found.state, found.reason, found.tries, found.next_at, found.changed_at = State.WAITING, "", 0, now, now
        row.rests_until = None
        ledger.write("webhook.replayed", ref, events=1, lines=[found.line])


def replay_failed(ref: str, *, actor: str, now: datetime) -> int:
    """Send once more all that failed and was never taken; how many. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        row = _endpoint(ref)
        number = rows.again(row.id, (State.FAILED, State.CANCELLED), now)
        if not number:
            raise Refused("Nothing has failed here.")
        row.rests_until = None
        ledger.write("webhook.replayed", ref, events=number)
    return number


def try_out(ref: str, *, sender: Sender, actor: str, now: datetime) -> str:
    """Send a test event; a sentence on what became of it. Raises Missing, Refused, TooMany."""
    row = _endpoint(ref, locked=False)
    if dispatches.frozen():
        raise Refused("All sending is frozen just now, tests too.")
    take("to_oneself", actor, now=now)
    text = rules.test_body(ref, instant(now))
    answer = answer_of(sender, Message(new_message_ref(), to(row, now), text), kind="webhook")
    word = "taken" if answer.outcome is Outcome.ACCEPTED else answer.reason
    with transaction(actor, now) as ledger:
        row = _endpoint(ref)
        row.tried_at, row.tried = now, word[:40]
        ledger.write("webhook.tried", ref, outcome=word, code=answer.code)
    return _told(word, answer.code)


def _versions(row: WebhookEndpoint, name: str, types: Sequence[str]) -> dict[str, tuple[str, str]]:
    return {"Name": (row.name, name), "Types of events": (" ".join(row.types), " ".join(types))}


def _told(word: str, code: str) -> str:
    if word == "taken":
        return "The endpoint took the test."
    sentence = WHY.get(word, "The endpoint did not take the test.")
    return f"{sentence} Its answer was {code}." if code else sentence


def off(row: WebhookEndpoint, why: str, ledger: Ledger) -> None:
    """Switch an endpoint off inside the caller's transaction."""
    row.off_at, row.off_why = ledger.now, why
    row.revision += 1
    ledger.write("webhook.switched_off", row.ref, why=why)


def to(row: WebhookEndpoint, now: datetime) -> str:
    """Where an event goes and what signs it, as the adapter takes it."""
    return json.dumps({"url": _opened(row)[0], "secrets": secrets_of(row, now)})


def secrets_of(row: WebhookEndpoint, now: datetime) -> list[str]:
    """The secrets that hold for an endpoint: for a day after a change the old one too."""
    _, secrets = _opened(row)
    still = row.rotated_at is not None and now < row.rotated_at + rules.OLD_SECRET
    return secrets if still else secrets[:1]


def host_of(row: WebhookEndpoint) -> str:
    """The host of an endpoint: all of its address that is shown, since the rest may be a secret."""
    url, _ = _opened(row)
    return url.split("/")[2] if url.count("/") > 1 else ""


def new_message_ref() -> str:
    """The id of one event for one endpoint."""
    return f"msg_{new_secret_ref()}"


def _endpoint(ref: str, *, locked: bool = True) -> WebhookEndpoint:
    row = rows.endpoint(ref, locked=locked)
    if row is None:
        raise Missing()
    return row


def _opened(row: WebhookEndpoint) -> tuple[str, list[str]]:
    found = json.loads(sealed.unseal(None, _place(row.ref), row.sealed) or b'{"url": "", "secrets": []}')
    return found["url"], found["secrets"]


def _sealed(ref: str, url: str, secrets: Sequence[str]) -> bytes:
    return sealed.seal(None, _place(ref), json.dumps({"url": url, "secrets": list(secrets)}).encode())


def _place(ref: str) -> str:
    return f"webhook_endpoint.sealed:{ref}"


def _address(address: str, sender: Sender) -> str:
    url = address.strip()
    if reason := sender.trouble(url):
        raise Invalid("address", WHY.get(reason, WHY["address_unreadable"]))
    return url


def _label(name: str) -> str:
    try:
        return named(name)[:80]
    except Invalid:
        raise Invalid("name", "Say in a word or two which program this is.") from None
