"""What a page says of the organisation counts for the next e-mail, by the page and by the worker, in a program that runs on."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.fakes.smtp import FakeSmtp
from tests.journeys.installation import Installation

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

PATIENCE = 30.0  # seconds
TEST = "administration/channels/email/test"
SUBJECT = "[Test] Tocsin can reach you"


def call(tocsin: Installation, token: str, method: str, path: str, **body: Any) -> Any:
    """What the API answers."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = Request(f"{tocsin.url}/api/v1/{path}", json.dumps(body).encode(), headers, method=method)
    with urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or b"null")


def newest(mail: FakeSmtp, after: int) -> list[tuple[str, str, str]]:
    """Subject, From and Reply-To of what came behind the first so many mails, once there is some."""
    until = time.monotonic() + PATIENCE
    while len(mail.mails) <= after and time.monotonic() < until:
        time.sleep(0.1)
    heads = [one.parsed for one in mail.mails[after:]]
    return [(head["Subject"], head["From"], head["Reply-To"]) for head in heads]


def test_the_next_mail_of_page_and_worker_bears_the_name_that_was_just_said(tmp_path: Path):
    with FakeSmtp() as mail:
        tocsin = Installation(tmp_path / "instance", smtp_url=mail.url, smtp_from="desk@example.org")
        made = json.loads(
            subprocess.run(
                [sys.executable, "-m", "tests.journeys.team", "administrator", "lead"],
                env=tocsin.environment, capture_output=True, text=True, check=True, timeout=120,
            ).stdout
        )  # fmt: skip
        boss = made["administrator"]["token"]
        with tocsin:
            call(tocsin, boss, "POST", TEST)
            assert (SUBJECT, "desk@example.org", None) in newest(mail, 0)
            said = {"company_name": "Example Shop", "contact_email": "privacy@example.org"}
            call(tocsin, boss, "PATCH", "administration/organisation", **said)
            call(tocsin, boss, "POST", TEST)
            assert (SUBJECT, "Example Shop <desk@example.org>", "privacy@example.org") in newest(mail, 0)
            call(tocsin, boss, "PATCH", "administration/organisation", company_name="Another Shop")
            before = len(mail.mails)
            call(tocsin, boss, "PUT", f"team/{made['lead']['ref']}/roles", roles=["lead", "responder"])
            told = newest(mail, before)  # by the worker
            assert {(sender, to) for _, sender, to in told} == {
                ("Another Shop <desk@example.org>", "privacy@example.org")
            }
