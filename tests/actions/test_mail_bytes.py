"""An approved notice as the bytes that leave: by SendGrid and by a mail server, caught at the other end of the line."""

import json
import re
from email import message_from_bytes, policy

import pytest

from incident.actions.merging import messages
from incident.domain import starters
from incident.domain.people import Addressee
from notifiers.contract import Message
from notifiers.sendgrid_email import SendgridEmail
from notifiers.smtp_email import SmtpEmail
from tests.actions.test_notices import incident as incident  # the fixture
from tests.actions.test_notices import submit, version
from tests.builders import WHO_WRITES, a_notice, a_text
from tests.fakes.sendgrid import KEY, FakeSendGrid
from tests.fakes.smtp import FakeSmtp

KIM = Addressee(
    1, "Kim “One” <b>", "kim@example.org", "", (), "", "en", "DE", "Kim", ("email", "name"), code="1-0000000000"
)
JO = Addressee(2, "尊敬的 Jo", "jo@example.org", "", (), "", "zh-Hans", "CN", "Jo", ("email",), code="2-0000000000")
LINK = re.compile(r"https?://[^\s<>\"')]+")


@pytest.fixture
def letters(incident) -> list[Message]:
    texts = (a_text(), a_text("zh-Hans", subject="个人信息安全事件告知书"))
    ref = a_notice(incident, texts=texts)
    submit(incident, ref)
    found = messages(version(incident, ref), [("A1", "D-1.1", KIM), ("A2", "D-1.2", JO)], "email")
    assert all(isinstance(one, Message) for one in found)
    return [one for one in found if isinstance(one, Message)]


def looked_at(text: str, html: str):
    """What every e-mail of a notice must be, whatever carries it."""
    site = WHO_WRITES.site
    assert all(link.startswith(f"{site}/") for link in LINK.findall(text) + LINK.findall(html))
    assert not re.search(
        r"<(img|script|link|iframe|form|object|video|audio|base)\b|url\(|@import|background=", html, re.I
    )
    assert not re.search(r"\son[a-z]+\s*=|javascript:", html, re.I)
    assert "unsubscribe" not in (text + html).lower()


def test_by_a_mail_server(letters):
    with FakeSmtp() as server:
        email = SmtpEmail(server.url, "notice@us.example", reply_to="desk@us.example", encrypted=False, seconds=5)
        email.send(letters)
        raw = [mail.raw for mail in server.mails]
    for body, message in zip(raw, letters, strict=True):
        mail = message_from_bytes(body, policy=policy.default)
        assert set(mail) == {
            "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
            "Content-Type", "Content-Language",
        }  # fmt: skip
        assert mail["Reply-To"] == "desk@us.example"
        assert mail["Content-Language"] == message.language
        text, html = list(mail.iter_parts())
        assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
        assert not list(mail.iter_attachments())
        assert text.get_content().replace("\r\n", "\n").strip() == message.text.strip()
        looked_at(text.get_content(), html.get_content())
        assert max(map(len, body.splitlines())) <= 998, "RFC 5322 takes no longer line"


def test_by_sendgrid(letters):
    with FakeSendGrid() as server:
        email = SendgridEmail(KEY, "notice@us.example", url=server.url, reply_to="desk@us.example", seconds=5)
        email.send(letters)
        got = {letter.ref: letter for letter in server.letters}
        asked = server.payloads
    for message in letters:
        letter = got[message.ref]
        assert (letter.to, letter.subject, letter.text) == (message.to, message.subject, message.text)
        assert letter.html == message.html
        looked_at(letter.text, letter.html)
    for payload in asked:
        assert [part["type"] for part in payload["content"]] == ["text/plain", "text/html"]
        assert payload["reply_to"] == {"email": "desk@us.example"}
        kept = json.dumps([person["custom_args"] for person in payload["personalizations"]] + [payload["headers"]])
        assert not re.search(r"kim|jo@|example\.org|breach", kept, re.I)


def test_a_name_that_looks_like_html_is_shown_and_not_obeyed(letters):
    kim = letters[0]
    assert "Kim “One” <b>" in kim.text
    assert "&lt;b&gt;" in kim.html
    assert "<b>" not in kim.html.split("<h2")[0]


@pytest.mark.parametrize("language", starters.languages())
def test_every_language_says_which_it_is(incident, language):
    ref = a_notice(incident, texts=(a_text(language),))
    submit(incident, ref)
    [message] = messages(version(incident, ref), [("A1", "D-1.1", KIM._replace(language=language))], "email")
    assert isinstance(message, Message)
    assert message.language == language
    assert f'<html lang="{language}"' in message.html
