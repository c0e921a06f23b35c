"""What a journey needs around the installation: providers that answer as real ones do, a team, and two thousand messy people."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import FakeSmtp
from tests.fakes.twilio import FakeTwilio
from tests.journeys.installation import ROOT, Installation

ROLES = ("responder", "lead", "privacy", "communications", "approver", "auditor")
COMPANY = {
    "company_name": "Sample Shop",
    "contact_name": "Data protection office",
    "contact_email": "privacy@example.org",
    "contact_phone": "+49 30 5550100",
    "contact_address": "Sample Street 1, 10115 Berlin",
}
HEADER = "Kunde;Mail adresse;Handy;Strasse;Ort;Land;Bundesstaat;Sprache;Kundennummer"


@dataclass
class World:
    """The providers and the installation that knows them."""

    sendgrid: FakeSendGrid
    twilio: FakeTwilio
    smtp: FakeSmtp
    tocsin: Installation

    def add_team(self, *words: str) -> dict[str, "Caller"]:
        """One account a role (or for each word, such as `lead+privacy`), with a token each, by the name of its first role."""
        made = subprocess.run(
            [sys.executable, "-m", "tests.journeys.team", *(words or ROLES)],
            env=self.tocsin.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        return {
            role: Caller(self.tocsin.url, one["token"], one["email"], one["ref"])
            for role, one in json.loads(made.stdout).items()
        }


@contextmanager
def world(folder: Path, *, mail: str = "sendgrid", **more: str) -> Iterator[World]:
    """Fake SendGrid, Twilio and mail server on real sockets, and an installation set up for them, not started yet."""
    with FakeSendGrid() as sendgrid, FakeTwilio() as twilio, FakeSmtp() as smtp:
        by_mail = (
            {
                "sendgrid_url": sendgrid.url,
                "sendgrid_api_key": sendgrid.key,
                "sendgrid_webhook_public_key": sendgrid.public_key,
                "sendgrid_from": "notice@example.org",
            }
            if mail == "sendgrid"
            else {"smtp_url": smtp.url, "smtp_from": "notice@example.org"}
        )
        by_text = {
            "twilio_url": twilio.url,
            "twilio_account_sid": twilio.account,
            "twilio_auth_token": twilio.token,
            "twilio_from": "+15005550006",
        }
        tocsin = Installation(folder, **COMPANY, **by_mail, **by_text, **more)
        try:
            yield World(sendgrid, twilio, smtp, tocsin)
        finally:
            tocsin.__exit__()


class Caller:
    """A program with somebody's token: `get`, `post`, `put`, `patch` answer with the JSON and refuse anything unexpected."""

    def __init__(self, url: str, token: str, email: str, ref: str) -> None:
        self.url, self.token, self.email, self.ref = url, token, email, ref

    def get(self, path: str, status: int = 200) -> Any:
        """What is at this address."""
        return self.call("GET", path, None, status)

    def post(self, path: str, body: Any = None, status: int = 0) -> Any:
        """The answer to this body."""
        return self.call("POST", path, {} if body is None else body, status)

    def put(self, path: str, body: Any, status: int = 0) -> Any:
        """The answer to this body."""
        return self.call("PUT", path, body, status)

    def patch(self, path: str, body: Any, status: int = 0) -> Any:
        """The answer to this body."""
        return self.call("PATCH", path, body, status)

    def upload(self, path: str, name: str, content: bytes, **fields: str) -> Any:
        """Send a file as a form."""
        edge = "tocsin-journey-edge"
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        parts.append(
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode()
            + content
            + b"\r\n"
        )
        body = b"".join(parts) + f"--{edge}--\r\n".encode()
        return self._open(
            Request(self.url + path, body, {"Content-Type": f"multipart/form-data; boundary={edge}"}, method="POST"), 0
        )

    def call(self, method: str, path: str, body: Any, status: int) -> Any:
        """Any request; `status` 0 takes every 2xx."""
        data = None if body is None else json.dumps(body).encode()
        return self._open(
            Request(self.url + path, data, {"Content-Type": "application/json"} if data else {}, method=method), status
        )

    def _open(self, request: Request, status: int) -> Any:
        request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urlopen(request, timeout=60) as answer:
                got, content, kind = answer.status, answer.read(), answer.headers.get_content_type()
        except HTTPError as error:
            got, content, kind = error.code, error.read(), "application/json"
        expected = got == status if status else 200 <= got < 300
        assert expected, (
            f"{request.get_method()} {request.full_path if hasattr(request, 'full_path') else request.full_url}: {got} {content[:2000]!r}"
        )
        return json.loads(content) if kind.endswith("json") and content else content


@dataclass(frozen=True)
class Messy:
    """A list of people as one gets them at night, and what must become of its rows."""

    content: bytes
    rows: int
    good: int
    refused: int
    empty: int
    repeated: int


def messy_people(count: int = 2_000, encoding: str = "utf-8") -> Messy:
    """A list with odd headers, empty rows, bad addresses, repeats, Chinese names and formulas, the same every time."""
    dice, lines = random.Random(11), [HEADER]
    refused = empty = repeated = good = 0
    for number in range(1, count + 1):
        draw = dice.random()
        if draw < 0.01:
            lines.append(";;;;;;;;")
            empty += 1
        elif draw < 0.03:
            lines.append(f"Sample Person {number};no address at all;;;;DE;;de;C-{number}")
            refused += 1
        elif draw < 0.04 and good > 10:
            lines.append(f"Sample Person 1 again;person1@example.org;;;;DE;;de;C-{number}")
            repeated += 1
        else:
            lines.append(_row(number, dice))
            good += 1
    return Messy("\r\n".join(lines).encode(encoding) + b"\r\n", count, good, refused, empty, repeated)


def _row(number: int, dice: random.Random) -> str:
    country, state, language = dice.choice(
        (("DE", "", "de"), ("CN", "", "zh"), ("US", "CA", "en"), ("US", "TX", "en"), ("HK", "", "zh-Hans"))
    )
    name = (
        f"样本 {number}"
        if language.startswith("zh")
        else f"=Sample Person {number}"
        if number % 97 == 0
        else f"Sample Person {number}"
    )
    only_phone = number % 20 == 0 and country == "US"
    mail = "" if only_phone else f" Person{number}@Example.org " if number != 1 else "person1@example.org"
    phone = f"+1202555{number % 10000:04d}" if only_phone else ""
    return f"{name};{mail};{phone};Sample Street {number};Sampletown;{country};{state};{language};C-{number}"
