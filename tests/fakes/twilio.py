"""Twilio's messages as a server: takes texts as the real one does, and signs its status callbacks."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.fakes.faults import Fault, Faults
from tests.fakes.http import Handler, Server, post

ACCOUNT = "AC00000000000000000000000000000000"
TOKEN = "fake-auth-token"
MESSAGES = {
    20003: (401, "Authenticate"),
    20429: (429, "Too Many Requests"),
    21211: (400, "Invalid 'To' Phone Number"),
    21606: (400, "The 'From' phone number provided is not a valid message-capable number"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This From number has exceeded the maximum number of queued messages"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
}


@dataclass
class Text:
    """What one phone got."""

    to: str
    body: str
    sid: str
    callback: str
    made: float = 0.0
    form: dict[str, str] = field(default_factory=dict)


class FakeTwilio(Server):
    """`texts` is what went out. `refuse` gives numbers an error code at once; `undelivered` one in the callback.

    Its list of messages can be asked; `lists` are the faults of the first questions, `listed` counts them.
    """

    def __init__(self, faults: Faults | None = None, *, account: str = ACCOUNT, token: str = TOKEN) -> None:
        super().__init__(_Handler)
        self.account, self.token, self.faults = account, token, faults or Faults()
        self.texts: list[Text] = []
        self.refuse: dict[str, int] = {}
        self.undelivered: dict[str, int] = {}
        self.redirect_to = ""
        self.garbage = b"<html>\xff\xfe"
        self.lists: list[Fault] = []
        self.listed = 0
        self.questions: list[dict[str, str]] = []

    def signature(self, url: str, said: dict[str, str]) -> str:
        """As the real one signs a form posted to this address."""
        plain = url + "".join(name + said[name] for name in sorted(said))
        return base64.b64encode(hmac.digest(self.token.encode(), plain.encode(), hashlib.sha1)).decode()

    def report(self, *, through: str = "") -> list[int]:
        """Call back about every text: sent, then delivered or undelivered. `through` replaces the public base address."""
        return [self._call(text, said, through) for text in list(self.texts) for said in self._about(text)]

    def _about(self, text: Text) -> list[dict[str, str]]:
        usual = {
            "MessageSid": text.sid,
            "SmsSid": text.sid,
            "AccountSid": self.account,
            "From": "+15005550006",
            "To": text.to,
            "ApiVersion": "2010-04-01",
        }
        code = self.undelivered.get(text.to)
        if code:
            return [
                usual
                | {
                    "MessageStatus": "undelivered",
                    "SmsStatus": "undelivered",
                    "ErrorCode": str(code),
                    "RawDlrDoneDate": "2611220315",
                }
            ]
        return [usual | {"MessageStatus": word, "SmsStatus": word} for word in ("sent", "delivered")]

    def _call(self, text: Text, said: dict[str, str], through: str) -> int:
        url = text.callback
        reached = re.sub(r"^https?://[^/]+", through, url) if through else url
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": self.signature(url, said)}
        return post(reached, urlencode(said).encode(), headers)


class _Handler(Handler):
    server: FakeTwilio

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.body().decode(), keep_blank_values=True))
        with self.server.lock:
            self.server.asked += 1
        if self.server.redirect_to:
            return self.answer(307, b"", Location=self.server.redirect_to)
        if not self._is_ours():
            return self._error(20003)
        if self.path != f"/2010-04-01/Accounts/{self.server.account}/Messages.json":
            return self.answer(404, b'{"code":20404,"message":"not found","status":404}')
        fault = self.server.faults.next()
        if fault is Fault.BUSY:
            return self._error(20429, Retry_After="0.05")
        if fault is Fault.TROUBLE:
            return self.answer(500, b'{"code":20500,"message":"Internal Server Error","status":500}')
        if fault is Fault.FORBIDDEN:
            return self._error(20003)
        if fault is Fault.CUT_BEFORE:
            return self.cut()
        if len(form.get("Body", "")) > 1600:
            return self._error(21617)
        if not re.fullmatch(r"\+[1-9][0-9]{5,14}", form.get("To", "")):
            return self._error(21211)
        if form["To"] in self.server.refuse:
            return self._error(self.server.refuse[form["To"]])
        number = "SM" + secrets.token_hex(16)
        text = Text(form["To"], form["Body"], number, form.get("StatusCallback", ""), time.time(), form)
        with self.server.lock:
            self.server.texts.append(text)
        if fault is Fault.CUT_AFTER:
            return self.cut()
        if fault is Fault.DRIP:
            return self.drip(201)
        if fault is Fault.GARBAGE:
            return self.answer(201, self.server.garbage)
        said = {
            "sid": text.sid,
            "status": "accepted" if "MessagingServiceSid" in form else "queued",
            "to": text.to,
            "body": text.body,
        }
        said |= {
            "account_sid": self.server.account,
            "error_code": None,
            "date_created": time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime()),
        }
        return self.answer(201, json.dumps(said).encode(), Content_Type="application/json")

    def do_GET(self) -> None:
        """The messages to one number, the newest first, as the list of the real one."""
        with self.server.lock:
            self.server.listed += 1
            fault = self.server.lists.pop(0) if self.server.lists else Fault.NONE
        if not self._is_ours():
            return self._error(20003)
        parts = urlsplit(self.path)
        if parts.path != f"/2010-04-01/Accounts/{self.server.account}/Messages.json":
            return self.answer(404, b'{"code":20404,"message":"not found","status":404}')
        if fault is Fault.BUSY:
            return self._error(20429, Retry_After="0.05")
        if fault is Fault.TROUBLE:
            return self.answer(500, b'{"code":20500,"message":"Internal Server Error","status":500}')
        if fault is Fault.CUT_AFTER:
            return self.cut()
        if fault is Fault.GARBAGE:
            return self.answer(200, b"<html>\xff\xfe")
        asked = dict(parse_qsl(parts.query, strict_parsing=True))
        self.server.questions.append(asked)
        with self.server.lock:
            found = [self._listed(text) for text in reversed(self.server.texts) if asked.get("To") in (None, text.to)]
        page = {"messages": found[: int(asked.get("PageSize", 50))], "next_page_uri": None, "page": 0}
        return self.answer(200, json.dumps(page).encode(), Content_Type="application/json")

    def _listed(self, text: Text) -> dict[str, object]:
        code = self.server.undelivered.get(text.to)
        made = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(text.made))
        return {
            "sid": text.sid,
            "account_sid": self.server.account,
            "to": "" if text.form.get("AddressRetention") == "obfuscate" else text.to,
            "from": text.form.get("From"),
            "messaging_service_sid": text.form.get("MessagingServiceSid"),
            "body": "" if text.form.get("ContentRetention") == "discard" else text.body,
            "status": "undelivered" if code else "delivered",
            "error_code": code,
            "direction": "outbound-api",
            "date_created": made,
            "date_sent": made,
            "date_updated": made,
            "num_segments": "1",
            "num_media": "0",
            "api_version": "2010-04-01",
            "uri": f"/2010-04-01/Accounts/{self.server.account}/Messages/{text.sid}.json",
        }

    def _is_ours(self) -> bool:
        expected = base64.b64encode(f"{self.server.account}:{self.server.token}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def _error(self, code: int, **headers: str) -> None:
        status, message = MESSAGES.get(code, (400, "refused"))
        body = {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }
        self.answer(status, json.dumps(body).encode(), Content_Type="application/json", **headers)
