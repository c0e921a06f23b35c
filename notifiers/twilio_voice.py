"""Phone calls through Twilio: the call it makes, what it says after which key, its signed reports, and its words in ours.

The call carries only an opening: who calls, a number to call back, and "press 1 to hear it". The message itself is given
out to Twilio's signed question that follows the key, so that no machine and nobody else who picks up is told of a breach.

Sources: twilio-oai `twilio_api_v2010` (CreateCall), pages on the Call resource, Say, Gather and answering machines,
RFC 3261 for the codes of failed calls, twilio-python 9.13 (MIT).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl

from twilio.twiml.voice_response import Gather, VoiceResponse

from notifiers import spoken, wire
from notifiers.contract import Answer, Callback, Event, Message, Misconfigured, Outcome, Reply, Status
from notifiers.spoken import Script
from notifiers.twilio_account import Account, Codes, in_address, is_json, reporting_to

PROVIDER = "twilio_voice"
MOST_TWIML = 4_000  # letters of instructions that a request may carry
STEP, OPENING, MESSAGE = "step", "opening", "message"
RING_SECONDS = 35  # long enough for a machine to pick up
LONGEST_CALL = 600  # seconds
WAIT_FOR_KEY = 8  # seconds
REASON = "Important message"  # may be shown on the telephone's screen

VOICES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "en": ("en-US", "Polly.Joanna"),
        "de": ("de-DE", "Polly.Vicki"),
        "es": ("es-ES", "Polly.Lucia"),
        "fr": ("fr-FR", "Polly.Lea"),
        "ja": ("ja-JP", "Polly.Mizuki"),
        "zh-Hans": ("cmn-CN", "Polly.Zhiyu"),
        "zh-Hant": ("cmn-TW", "Google.cmn-TW-Wavenet-A"),
    }
)
"""Language and voice for each of our languages: a pair that does not fit is refused by Twilio (13520)."""

CODES: Codes = MappingProxyType(
    {
        10004: (Outcome.LATER, "too_many_requests"),  # more calls at once than the account may have
        20003: (Outcome.STOP, "credentials_refused"),
        20005: (Outcome.STOP, "account_suspended"),
        20429: (Outcome.LATER, "too_many_requests"),
        13224: (Outcome.REFUSED, "number_invalid"),
        21201: (Outcome.REFUSED, "number_invalid"),
        21205: (Outcome.STOP, "address_refused"),
        21210: (Outcome.STOP, "sender_invalid"),
        21211: (Outcome.REFUSED, "number_invalid"),
        21212: (Outcome.STOP, "sender_invalid"),
        21213: (Outcome.STOP, "sender_missing"),
        21214: (Outcome.REFUSED, "number_not_reachable"),
        21215: (Outcome.REFUSED, "country_not_enabled"),
        21216: (Outcome.REFUSED, "number_blocked"),
        21217: (Outcome.REFUSED, "number_invalid"),
        21219: (Outcome.STOP, "trial_account"),
        21606: (Outcome.STOP, "sender_invalid"),
        21608: (Outcome.STOP, "trial_account"),
        21609: (Outcome.STOP, "address_refused"),
    }
)
"""What Twilio's error codes say when it answers a request."""

CALL_STATUS: Mapping[str, tuple[Status, str]] = MappingProxyType(
    {
        "queued": (Status.ACCEPTED, "queued"),
        "initiated": (Status.ACCEPTED, "initiated"),
        "ringing": (Status.ACCEPTED, "ringing"),
        "in-progress": (Status.ACCEPTED, "picked_up"),
        "completed": (
            Status.BLOCKED,
            "no_key_pressed",
        ),  # a key that was pressed is reported by itself, and stands above
        "busy": (Status.BLOCKED, "busy"),
        "no-answer": (Status.BLOCKED, "no_answer"),
        "canceled": (Status.FAILED, "canceled"),
        "failed": (Status.BLOCKED, "call_failed"),
    }
)
DEAD_NUMBER = frozenset({"404", "410", "484", "604"})  # SIP: not found, gone, incomplete, exists nowhere
NOT_NOW = frozenset({"408", "480", "486", "487", "503", "600"})  # SIP: no answer in time, not there, busy, overloaded
MACHINES = ("machine_", "fax")

KEYS: Mapping[tuple[str, str], tuple[Status, str]] = MappingProxyType(
    {
        (OPENING, spoken.HEAR): (Status.ACKNOWLEDGED, "asked_to_hear"),
        (OPENING, spoken.CALL_BACK): (Status.ACCEPTED, "call_back_wanted"),
        (MESSAGE, spoken.HEAR): (Status.ACKNOWLEDGED, "heard_again"),
        (MESSAGE, spoken.CALL_BACK): (Status.ACKNOWLEDGED, "call_back_wanted"),
        (MESSAGE, spoken.CONFIRM): (Status.ACKNOWLEDGED, "confirmed_by_key"),
    }
)
"""What a key says: at the opening nothing was told yet; afterwards somebody has heard it."""

KEPT = ("CallStatus", "AnsweredBy", "SipResponseCode", "SequenceNumber", "CallDuration", "ErrorCode", "Digits")


class TwilioVoice:
    """Phone calls through Twilio. `company` is who calls, `phone` where to call back, `callback` our public address."""

    channel = "call"
    provider = PROVIDER
    simulated = False
    batch = 5

    def __init__(
        self,
        account: str,
        token: str,
        *,
        sender: str,
        company: str,
        phone: str = "",
        callback: str,
        url: str = "https://api.twilio.com",
        seconds: float = 15,
        rate: float = 1,
        calls: int = 2,
    ) -> None:
        if not wire.is_number(sender):
            raise Misconfigured("TOCSIN_TWILIO_VOICE_FROM: give the number that calls come from, such as +4930555010.")
        if not company.strip():
            raise Misconfigured("TOCSIN_COMPANY_NAME: a call says first who calls, so your organisation needs a name.")
        if not callback:
            raise Misconfigured(
                "TOCSIN_BASE_URL: calls need an https address that Twilio can reach: the key that somebody presses is reported there."
            )
        self.rate, self.calls = rate, calls
        self._account = Account(account, token, url=url, seconds=seconds, connections=calls)
        self._sender, self._company, self._phone, self._callback = sender, company, phone, callback

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
        if message.language not in VOICES:
            return Answer(message.ref, Outcome.REFUSED, reason="language_not_spoken")
        if not message.text.strip():
            return Answer(message.ref, Outcome.REFUSED, reason="nothing_to_say")
        twiml = self._opening(message.ref, self._script(message))
        if len(twiml) > MOST_TWIML:
            return Answer(message.ref, Outcome.REFUSED, reason="text_too_long")
        return self._account.answer(message.ref, lambda: self._call(message, twiml), CODES)

    def _call(self, message: Message, twiml: str) -> object:
        return self._account.client.calls.create(
            to=message.to,
            from_=self._sender,
            twiml=twiml,
            timeout=RING_SECONDS,
            time_limit=LONGEST_CALL,
            record=False,
            machine_detection="DetectMessageEnd",
            call_reason=REASON,
            status_callback=reporting_to(self._callback, message.ref),
            status_callback_event=["answered", "completed"],
            status_callback_method="POST",
        )

    def _script(self, message: Message) -> Script:
        return spoken.script(message.language, message.text, company=self._company, phone=self._phone)

    # What is said -----------------------------------------------------------------------------------------------------

    def _opening(self, ref: str, said: Script) -> str:
        """Who calls, and which key tells more; said twice, for a telephone is at the ear a moment after it was picked up."""
        return self._asking(ref, OPENING, said, (*said.opening, *said.opening), said.without_key)

    def _asking(self, ref: str, step: str, said: Script, words: Iterable[str], afterwards: Iterable[str]) -> str:
        response = VoiceResponse()
        action = reporting_to(self._callback, ref, **{STEP: f"{step}.{said.language}"})
        gather = Gather(num_digits=1, timeout=WAIT_FOR_KEY, action=action, method="POST")
        _say(gather, said.language, words)
        response.append(gather)
        _say(response, said.language, afterwards)
        return str(response)

    def wants(self, callback: Callback) -> str:
        """Our reference of the message whose words a signed question asks for; empty where it asks for none."""
        step, _ = _step(callback)
        return in_address(callback.url) if step and _pressed(callback) == spoken.HEAR else ""

    def reply(self, callback: Callback, message: Message | None) -> Reply | None:
        """What to say after a key; None where nothing is asked. `message` is the one that `wants` named, if it may be told."""
        step, language = _step(callback)
        if not step:
            return None
        ref, key = in_address(callback.url), _pressed(callback)
        said = spoken.script(language, message.text if message else "", company=self._company, phone=self._phone)
        if key == spoken.HEAR and message is not None:
            return _xml(self._asking(ref, MESSAGE, said, (*said.message, *said.menu), said.thanks))
        if key in (spoken.HEAR, spoken.CALL_BACK, spoken.CONFIRM):
            words = {spoken.HEAR: said.sorry, spoken.CALL_BACK: said.call_back, spoken.CONFIRM: said.thanks}[key]
            response = VoiceResponse()
            _say(response, language, words)
            return _xml(str(response))
        return _xml(self._opening(ref, said))

    # What is reported -------------------------------------------------------------------------------------------------

    def events(self, callback: Callback) -> list[Event]:
        """What a signed report or a pressed key says. Raises Forged."""
        ref = in_address(callback.url)
        if is_json(callback):
            signature = self._account.json(callback)
            return [Event(f"url:{signature}"[:100], Status.UNKNOWN, ref, reason="json_report")]
        said = dict(self._account.form(callback))
        step, _ = _step(callback)
        return [_key_event(said, step, ref) if step else _status_event(said, ref)]


def _say(into: VoiceResponse | Gather, language: str, words: Iterable[str]) -> None:
    tongue, voice = VOICES[language]
    for piece in words:
        plain = "".join(letter if letter.isprintable() else " " for letter in piece)  # XML holds no control characters
        into.say(plain, voice=voice, language=tongue)


def _xml(text: str) -> Reply:
    return Reply("text/xml; charset=utf-8", text.encode())


def _step(callback: Callback) -> tuple[str, str]:
    """The step of the call and its language that stand in the signed address; empty for a report of the call's status."""
    step, _, language = in_address(callback.url, STEP).partition(".")
    return (step, language) if step in (OPENING, MESSAGE) and language in VOICES else ("", "")


def _pressed(callback: Callback) -> str:
    return dict(parse_qsl(callback.body.decode("utf-8", "replace"), keep_blank_values=True)).get("Digits", "")[:1]


def _key_event(said: Mapping[str, str], step: str, ref: str) -> Event:
    key = said.get("Digits", "")[:1]
    status, reason = KEYS.get(
        (step, key), (Status.ACKNOWLEDGED if step == MESSAGE else Status.ACCEPTED, "other_key" if key else "no_key")
    )
    return _event(said, ref, status, reason, f"key:{step}:{key}")


def _status_event(said: Mapping[str, str], ref: str) -> Event:
    word, sip = said.get("CallStatus", ""), said.get("SipResponseCode", "")
    status, reason = CALL_STATUS.get(word, (Status.UNKNOWN, wire.plain(word, 40)))
    if word == "completed" and said.get("AnsweredBy", "").startswith(MACHINES):
        reason = "voice_mail" if said["AnsweredBy"] != "fax" else "fax"
    if word == "failed" and sip in DEAD_NUMBER:
        status, reason = Status.BOUNCED, "number_unknown"
    elif word == "failed" and sip in NOT_NOW:
        reason = "not_reachable_now"
    return _event(said, ref, status, reason, wire.plain(word, 20))


def _event(said: Mapping[str, str], ref: str, status: Status, reason: str, what: str) -> Event:
    number = wire.plain(said.get("CallSid", ""), 40)
    return Event(
        id=f"{number}:{wire.plain(what, 30)}",
        status=status,
        ref=ref,
        provider_id=number,
        at=_when(said.get("Timestamp", "")),
        reason=reason,
        code=wire.plain(said.get("SipResponseCode") or said.get("ErrorCode", ""), 20),
        fields={key: wire.without_people(said[key]) for key in KEPT if said.get(key)},
    )


def _when(stamp: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(stamp)
    except ValueError:
        return None
    return found if found.tzinfo else None
