"""Twilio's telephone as a server: takes calls as the published contract says, then plays them through to whoever picks up."""

import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen
from xml.etree import ElementTree

from tests.fakes.faults import Fault, Faults
from tests.fakes.twilio import FakeTwilio, _Handler

CONTRACT = {
    "To": "string", "From": "string", "Method": "string", "FallbackUrl": "uri", "FallbackMethod": "string",
    "StatusCallback": "uri", "StatusCallbackEvent": "list", "StatusCallbackMethod": "string", "SendDigits": "string",
    "Timeout": "integer", "Record": "boolean", "RecordingChannels": "string", "RecordingStatusCallback": "string",
    "RecordingStatusCallbackMethod": "string", "RecordingConfigurationId": "string", "SipAuthUsername": "string",
    "SipAuthPassword": "string", "MachineDetection": "string", "MachineDetectionTimeout": "integer",
    "RecordingStatusCallbackEvent": "list", "Trim": "string", "CallerId": "string",
    "MachineDetectionSpeechThreshold": "integer", "MachineDetectionSpeechEndThreshold": "integer",
    "MachineDetectionSilenceTimeout": "integer", "AsyncAmd": "string", "AsyncAmdStatusCallback": "uri",
    "AsyncAmdStatusCallbackMethod": "string", "Byoc": "string", "CallReason": "string", "CallToken": "string",
    "RecordingTrack": "string", "TimeLimit": "integer", "Url": "uri", "Twiml": "string", "ApplicationSid": "string",
}  # fmt: skip
"""CreateCallRequest of twilio_api_v2010, with the type of each name."""

FITTING = {("en-US", "Polly.Joanna"), ("cmn-CN", "Polly.Zhiyu")}
VERBS = {"Response": {"Gather", "Say"}, "Gather": {"Say"}}
ANSWERED = {"hears", "again", "call_back", "call_back_first", "confirms", "other_key", "silent", "machine"}
KEYS = {"hears": "1", "again": "11", "call_back": "12", "call_back_first": "2", "confirms": "19", "other_key": "71"}


class NotToTheContract(Exception):
    """What we asked or said is nothing that Twilio takes."""


@dataclass
class Call:
    """One call: what was asked for, and everything that was said in it, in order."""

    to: str
    form: dict[str, str]
    events: list[str]
    sid: str = field(default_factory=lambda: "CA" + secrets.token_hex(16))
    said: list[str] = field(default_factory=list)


def checked(pairs: list[tuple[str, str]]) -> str:
    """What is wrong with a request to make a call; empty where nothing is."""
    names = [name for name, _ in pairs]
    for name, value in pairs:
        kind = CONTRACT.get(name, "")
        if not kind or (names.count(name) > 1 and kind != "list"):
            return f"{name} is unknown or stands there twice"
        if kind == "integer" and not re.fullmatch(r"\d+", value):
            return f"{name} is no number"
        if kind == "boolean" and value.lower() not in {"true", "false"}:
            return f"{name} is neither true nor false"
        if kind == "uri" and not (
            urlsplit(value).scheme in {"http", "https"} and "_" not in (urlsplit(value).hostname or "_")
        ):
            return f"{name} is no address"
    if not {"To", "From"} <= set(names) or not {"Url", "Twiml", "ApplicationSid"} & set(names):
        return "To, From or what to say is missing"
    return ""


def spoken_in(twiml: str) -> ElementTree.Element:
    """The instructions, if Twilio could carry them out. Raises NotToTheContract."""
    root = ElementTree.fromstring(twiml)
    if root.tag != "Response":
        raise NotToTheContract("It begins with <Response>.")
    for outer in root.iter():
        for inner in outer:
            if inner.tag not in VERBS.get(outer.tag, set()):
                raise NotToTheContract(f"<{inner.tag}> in <{outer.tag}>")
    for say in root.iter("Say"):
        if (say.get("language"), say.get("voice")) not in FITTING or not (say.text or "").strip():
            raise NotToTheContract("voice and language do not fit, or nothing is said")
        if len((say.text or "").encode()) > 3_000:
            raise NotToTheContract("more than a voice says at once")
    return root


class FakeVoice(FakeTwilio):
    """`calls` were made; `picks_up` says by number who does: hears, again, call_back, call_back_first, confirms, other_key,
    silent, machine, busy, no-answer, or failed and a SIP code."""

    def __init__(self, faults: Faults | None = None) -> None:
        super().__init__(faults)
        self.RequestHandlerClass = _VoiceHandler
        self.calls: list[Call] = []
        self.picks_up: dict[str, str] = {}
        self.wrong: list[str] = []

    def play(self, *, through: str = "", send: Any = None, only_status: bool = False) -> list[int]:
        """Make the calls: say what is to be said, press keys, report; the statuses our side answered."""
        ask = send or self._ask
        return [status for call in list(self.calls) for status in self._play(call, ask, through, only_status)]

    def _play(self, call: Call, ask: Any, through: str, only_status: bool) -> list[int]:
        who = self.picks_up.get(call.to, "hears")
        statuses = []
        if who in ANSWERED:
            if "answered" in call.events:
                statuses.append(self._report(call, "in-progress", 1, ask, through)[0])
            if not only_status:
                statuses += self._talk(call, list(KEYS.get(who, "")), call.form["Twiml"], ask, through)
        word, _, sip = who.partition(" ")
        final = "completed" if who in ANSWERED else word
        by = {"AnsweredBy": "machine_end_beep" if who == "machine" else "human"} if who in ANSWERED else {}
        more = by | ({"SipResponseCode": sip} if sip else {})
        return [*statuses, self._report(call, final, 2, ask, through, **more)[0]]

    def _talk(self, call: Call, keys: list[str], twiml: str, ask: Any, through: str) -> list[int]:
        root = spoken_in(twiml)
        for part in root:
            call.said += [say.text or "" for say in part.iter("Say")]
            if part.tag == "Gather" and keys:
                status, body = self._report(
                    call, "in-progress", 0, ask, through, to=part.get("action", ""), Digits=keys[0]
                )
                return [status, *self._talk(call, keys[1:], body, ask, through)] if status == 200 else [status]
        return []

    def _report(
        self, call: Call, word: str, number: int, ask: Any, through: str, *, to: str = "", **more: str
    ) -> tuple[int, str]:
        url = to or call.form["StatusCallback"]
        said = {
            "CallSid": call.sid, "AccountSid": self.account, "From": call.form["From"], "To": call.to,
            "CallStatus": word, "Direction": "outbound-api", "ApiVersion": "2010-04-01", **more,
        }  # fmt: skip
        if not to:
            said |= {
                "Timestamp": format_datetime(datetime.now(UTC)),
                "CallbackSource": "call-progress-events",
                "SequenceNumber": str(number),
            }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": self.signature(url, said)}
        reached = re.sub(r"^https?://[^/]+", through, url) if through else url
        answered: tuple[int, str] = ask(reached, urlencode(said).encode(), headers)
        return answered

    @staticmethod
    def _ask(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        try:
            with urlopen(Request(url, body, headers, method="POST"), timeout=30) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as refusal:
            return refusal.code, ""


class _VoiceHandler(_Handler):
    server: FakeVoice

    def do_POST(self) -> None:
        if not self.path.endswith("/Calls.json"):
            return super().do_POST()
        pairs = parse_qsl(self.body().decode(), keep_blank_values=True)
        form = dict(pairs)
        with self.server.lock:
            self.server.asked += 1
        if self.server.redirect_to:
            return self.answer(307, b"", Location=self.server.redirect_to)
        if not self._is_ours():
            return self._error(20003)
        fault = self.server.faults.next()
        if fault is Fault.BUSY:
            return self._error(20429, Retry_After="0.05")
        if fault is Fault.TROUBLE:
            return self.answer(500, b'{"code":20500,"message":"Internal Server Error","status":500}')
        if fault is Fault.CUT_BEFORE:
            return self.cut()
        if wrong := checked(pairs) or self._unsayable(form.get("Twiml", "")):
            self.server.wrong.append(wrong)
            return self.answer(400, json.dumps({"code": 20001, "message": wrong, "status": 400}).encode())
        if not re.fullmatch(r"\+[1-9][0-9]{5,14}", form["To"]):
            return self._error(21211)
        if form["To"] in self.server.refuse:
            return self._error(self.server.refuse[form["To"]])
        call = Call(form["To"], form, [value for name, value in pairs if name == "StatusCallbackEvent"])
        with self.server.lock:
            self.server.calls.append(call)
        if fault is Fault.CUT_AFTER:
            return self.cut()
        said = {"sid": call.sid, "status": "queued", "to": call.to, "account_sid": self.server.account}
        return self.answer(201, json.dumps(said).encode(), Content_Type="application/json")

    @staticmethod
    def _unsayable(twiml: str) -> str:
        if len(twiml) > 4_000:
            return "Twiml is longer than 4,000"
        try:
            spoken_in(twiml)
        except (NotToTheContract, ElementTree.ParseError) as wrong:
            return str(wrong)
        return ""
