"""Text messages through Twilio: how to send, how its signed status callback is checked, and its words in ours.

Sources: twilio-oai `twilio_api_v2010`, status callback and error pages, twilio-python 9.13 (MIT).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from notifiers import wire
from notifiers.contract import (
    Answer,
    Callback,
    Event,
    Finding,
    Match,
    Message,
    Misconfigured,
    Outcome,
    Sought,
    Status,
)
from notifiers.twilio_account import Account, in_address, is_json, reporting_to

PROVIDER = "twilio"
MOST_LETTERS = 1_600  # Twilio's error 21617 beyond
LONGEST_VALIDITY = 36_000  # seconds; what Twilio takes when none is given
CLOCKS_DIFFER = timedelta(minutes=2)

STATUS = {
    "accepted": Status.ACCEPTED,
    "scheduled": Status.ACCEPTED,
    "queued": Status.ACCEPTED,
    "sending": Status.ACCEPTED,
    "sent": Status.ACCEPTED,  # handed to the carrier; some give no receipt, so it is not "delivered"
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "undelivered": Status.BOUNCED,
    "failed": Status.FAILED,
    "canceled": Status.FAILED,
}

CODES: Mapping[int, tuple[Outcome, str]] = MappingProxyType(
    {
        20003: (Outcome.STOP, "credentials_refused"),
        20429: (Outcome.LATER, "too_many_requests"),
        21211: (Outcome.REFUSED, "number_invalid"),
        21217: (Outcome.REFUSED, "number_invalid"),
        21212: (Outcome.STOP, "sender_invalid"),
        21603: (Outcome.STOP, "sender_missing"),
        21606: (Outcome.STOP, "sender_invalid"),
        21408: (Outcome.REFUSED, "country_not_enabled"),
        21612: (Outcome.REFUSED, "no_route"),
        21608: (Outcome.STOP, "trial_account"),
        21610: (Outcome.REFUSED, "person_said_stop"),
        21611: (Outcome.LATER, "queue_full"),
        21614: (Outcome.REFUSED, "number_takes_no_texts"),
        21617: (Outcome.REFUSED, "text_too_long"),  # ours to mend
        30001: (Outcome.LATER, "queue_full"),
        30002: (Outcome.STOP, "account_suspended"),
        30010: (Outcome.STOP, "price_over_limit"),
        30029: (Outcome.STOP, "retention_not_allowed"),
        30030: (Outcome.STOP, "retention_not_allowed"),
        30032: (Outcome.STOP, "sender_not_registered"),
        30034: (Outcome.STOP, "sender_not_registered"),
    }
)
"""What Twilio's error codes say when it answers a request."""

REPORTED: Mapping[str, tuple[Status, str]] = MappingProxyType(
    {
        "30001": (Status.BLOCKED, "queue_full"),
        "30002": (Status.FAILED, "account_suspended"),
        "30003": (Status.BLOCKED, "handset_unreachable"),
        "30004": (Status.BOUNCED, "blocked_by_person_or_carrier"),
        "30005": (Status.BOUNCED, "handset_unknown"),
        "30006": (Status.BOUNCED, "landline"),
        "30007": (Status.BOUNCED, "filtered_as_unwanted"),
        "30008": (Status.BLOCKED, "carrier_error"),
        "30020": (Status.BLOCKED, "provider_trouble"),
        "30021": (Status.BLOCKED, "provider_trouble"),
        "30036": (Status.BLOCKED, "validity_ran_out"),
        "30500": (Status.BLOCKED, "provider_trouble"),
    }
)
"""What the codes of failed and undelivered messages mean; blocked ones may be tried once more later."""

KEPT = ("MessageStatus", "ErrorCode", "RawDlrDoneDate", "ApiVersion", "MessagingServiceSid")


class TwilioSms:
    """Text messages through Twilio. `callback` is our public address for its reports; empty asks for none."""

    channel = "sms"
    provider = PROVIDER
    simulated = False
    asked_every = 0.1
    batch = 20  # a message is a call: small batches leave little in doubt when the power goes

    def __init__(
        self,
        account: str,
        token: str,
        *,
        sender: str = "",
        service: str = "",
        url: str = "https://api.twilio.com",
        callback: str = "",
        seconds: float = 15,
        rate: float = 0,
        calls: int = 8,
        validity: int = LONGEST_VALIDITY,
        discard_text: bool = False,
        obfuscate_number: bool = False,
    ) -> None:
        if not sender and not service:
            raise Misconfigured(
                "TOCSIN_TWILIO_FROM or TOCSIN_TWILIO_MESSAGING_SERVICE_SID: one of them must say who texts come from."
            )
        self.rate, self.calls = rate, calls
        self._account = Account(account, token, url=url, seconds=seconds, connections=calls)
        self._origin = {"MessagingServiceSid": service} if service else {"From": sender}
        self._callback = callback
        self._more: dict[str, Any] = {"ValidityPeriod": validity} if validity < LONGEST_VALIDITY else {}
        self._more |= {"ContentRetention": "discard"} if discard_text else {}
        self._more |= {"AddressRetention": "obfuscate"} if obfuscate_number else {}
        self.looks_up = 0 if obfuscate_number else 1  # numbers that are not kept find nothing

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """One answer a message, in the order of `batch`; after "stop" or "wait" the rest is not tried."""
        answers: list[Answer] = []
        held = False
        for message in batch:
            answer = Answer(message.ref, Outcome.LATER, reason="not_tried") if held else self._send(message)
            held = held or answer.outcome is Outcome.STOP or answer.wait is not None
            answers.append(answer)
        return answers

    def _send(self, message: Message) -> Answer:
        if not wire.is_number(message.to):
            return Answer(message.ref, Outcome.REFUSED, reason="number_invalid")
        if len(message.text) > MOST_LETTERS:
            return Answer(message.ref, Outcome.REFUSED, reason="text_too_long")
        form = {"To": message.to, "Body": message.text, **self._origin, **self._more}
        if self._callback:
            form["StatusCallback"] = reporting_to(self._callback, message.ref)
        return self._account.answer(message.ref, lambda: self._account.post("Messages.json", form), CODES)

    def find(self, sought: Sequence[Sought]) -> list[Finding]:
        """The texts to the same number, from our sender, made at that time; certain where their own text is the same.

        Twilio keeps no reference of ours, so the number and the text must do. No date is asked for, since one that was
        not handed on yet has none.
        """
        return [self._find(one) for one in sought]

    def _find(self, one: Sought) -> Finding:
        stream = self._account.client.messages.list
        return self._account.listed(
            one.message.ref, lambda most: stream(to=one.message.to, limit=most), lambda record: _match(record, one)
        )

    def events(self, callback: Callback) -> list[Event]:
        """What a signed status callback reports. Raises Forged. The signature covers the address and every parameter."""
        ref = in_address(callback.url)
        if is_json(callback):
            signature = self._account.json(callback)
            return [Event(f"url:{signature}"[:100], Status.UNKNOWN, ref, reason="json_report")]
        return [_event(dict(self._account.form(callback)), ref)]


def _match(record: Any, one: Sought) -> Match | None:
    """This record of Twilio's as a match, if it may be the message that is sought."""
    made = record.date_created
    if record.direction not in (None, "outbound-api") or record.to != one.message.to:
        return None
    if made is None or not one.since - CLOCKS_DIFFER <= made <= one.until + CLOCKS_DIFFER:
        return None
    if record.body and record.body != one.message.text:
        return None
    word, code = str(record.status or ""), str(record.error_code or "")
    status, reason = _said(word, code)
    return Match(wire.plain(record.sid, 100), status, made, reason, wire.plain(code, 20), certain=bool(record.body))


def _said(word: str, code: str) -> tuple[Status, str]:
    """Twilio's status and error code in our words."""
    status, reason = STATUS.get(word, Status.UNKNOWN), wire.plain(word, 40)
    if status in (Status.BOUNCED, Status.FAILED):
        return REPORTED.get(code, (status, reason))
    return status, reason


def _event(said: Mapping[str, str], ref: str) -> Event:
    word = said.get("MessageStatus") or said.get("SmsStatus") or ""
    number = said.get("MessageSid") or said.get("SmsSid") or ""
    code = said.get("ErrorCode", "")
    status, reason = _said(word, code)
    return Event(
        id=f"{wire.plain(number, 40)}:{wire.plain(word, 20)}:{wire.plain(code, 10)}",
        status=status,
        ref=ref,
        provider_id=wire.plain(number, 100),
        reason=reason,
        code=wire.plain(code, 20),
        fields={key: wire.without_people(said[key]) for key in KEPT if said.get(key)},
    )
