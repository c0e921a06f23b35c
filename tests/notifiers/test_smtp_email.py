import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from notifiers.contract import Message, Misconfigured, Outcome
from notifiers.smtp_email import SmtpEmail
from tests.fakes import smtp as fake_smtp
from tests.fakes.faults import Fault, Faults
from tests.fakes.smtp import FakeSmtp


def a_message(number: int = 1, **values: Any) -> Message:
    return Message(
        **{"ref": f"R{number:04}", "to": f"p{number}@example.org", "subject": "Notice", "text": "Please read."} | values
    )


def an_adapter(server: FakeSmtp, **values: Any) -> SmtpEmail:
    return SmtpEmail(server.url, "notice@company.example", **{"encrypted": False, "seconds": 5} | values)


def test_one_addressee_one_message_with_both_bodies_and_the_headers_of_an_automatic_letter():
    with FakeSmtp() as server:
        adapter = an_adapter(
            server, sender_name="公司", reply_to="privacy@company.example", bounces_to="bounces@company.example"
        )
        [answer] = adapter.send(
            [a_message(html="<p>Please read.</p>", thread="T1", language="zh-Hans", subject="关于您的信息")]
        )
        [mail] = server.mails
    letter = mail.parsed
    assert (mail.sender, mail.to) == ("bounces@company.example", ["p1@example.org"])
    assert (letter["To"], letter["From"], letter["Subject"]) == (
        "p1@example.org",
        "公司 <notice@company.example>",
        "关于您的信息",
    )
    assert letter["Message-ID"] == "<T1@company.example>" == answer.provider_id
    assert (letter["Auto-Submitted"], letter["Content-Language"], letter["Reply-To"]) == (
        "auto-generated",
        "zh-Hans",
        "privacy@company.example",
    )
    assert letter["Bcc"] is letter["Cc"] is letter["Precedence"] is letter["List-Unsubscribe"] is None
    assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]


def test_the_message_id_stays_the_same_over_attempts():
    with FakeSmtp() as server:
        adapter = an_adapter(server)
        adapter.send([a_message(1, ref="A", thread="T"), a_message(1, ref="B", thread="T")])
        assert len({mail.parsed["Message-ID"] for mail in server.mails}) == 1


def test_a_batch_goes_over_one_connection():
    with FakeSmtp() as server:
        an_adapter(server).send([a_message(number) for number in range(10)])
        assert (len(server.mails), server.connections) == (10, 1)


def test_connections_are_kept_for_the_next_batch_whatever_thread_it_runs_in():
    with FakeSmtp() as server:
        adapter = an_adapter(server)
        for start in (1, 11, 21):
            with ThreadPoolExecutor(1) as pool:
                answers = pool.submit(adapter.send, [a_message(start + number) for number in range(5)]).result()
            assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
        assert (len(server.mails), server.connections) == (15, 1)


def test_as_many_connections_as_batches_at_once_and_no_more():
    with FakeSmtp() as server:
        adapter = an_adapter(server, calls=3)
        with ThreadPoolExecutor(3) as pool:
            for _ in range(4):
                list(pool.map(adapter.send, [[a_message(number) for number in range(5)]] * 3))
        assert len(server.mails) == 60
        assert server.connections <= 3


@pytest.mark.parametrize("silently", [False, True])
def test_a_server_that_closes_a_kept_connection_gets_the_message_once_by_a_new_one(silently: bool):
    with FakeSmtp() as server:
        server.most_each, server.silently = 2, silently
        answers = an_adapter(server).send([a_message(number) for number in range(5)])
        assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED] * 5
        assert [mail.to for mail in server.mails] == [[f"p{number}@example.org"] for number in range(5)]
        assert server.connections == 3


def test_a_text_whose_answer_is_lost_on_a_kept_connection_is_not_given_twice():
    with FakeSmtp(Faults(first=[Fault.NONE, Fault.CUT_AFTER])) as server:
        answers = an_adapter(server).send([a_message(1), a_message(2)])
        assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED, Outcome.UNKNOWN]
        assert [mail.to for mail in server.mails] == [["p1@example.org"], ["p2@example.org"]]


def test_a_subject_cannot_start_a_header():
    with FakeSmtp() as server:
        [answer] = an_adapter(server).send([a_message(subject="Notice\r\nBcc: other@example.org")])
        assert (answer.outcome, server.mails) == (Outcome.REFUSED, [])


@pytest.mark.parametrize(
    ("reply", "outcome", "reason"),
    [
        (b"550 5.1.1 no such user", Outcome.REFUSED, "address_refused"),
        (b"553 not allowed", Outcome.REFUSED, "address_refused"),
        (b"554 5.6.0 bad content", Outcome.REFUSED, "message_refused"),
        (b"552 5.2.2 mailbox full", Outcome.LATER, "mailbox_full"),
        (b"450 4.2.0 greylisted", Outcome.LATER, "server_says_later"),
        (b"452 4.5.3 too many", Outcome.LATER, "server_says_later"),
        (b"550 5.7.1 relaying denied", Outcome.STOP, "policy_refused"),
        (b"421 4.3.2 closing", Outcome.LATER, "server_closing"),
    ],
)
def test_a_reply_in_our_words(reply: bytes, outcome: Outcome, reason: str):
    with FakeSmtp() as server:
        server.replies["p1@example.org"] = reply
        [answer] = an_adapter(server).send([a_message()])
        assert (answer.outcome, answer.reason, server.mails) == (outcome, reason, [])


def test_after_one_refusal_the_next_person_is_served():
    with FakeSmtp() as server:
        server.replies["p1@example.org"] = b"550 5.1.1 no such user"
        answers = an_adapter(server).send([a_message(1), a_message(2)])
        assert [answer.outcome for answer in answers] == [Outcome.REFUSED, Outcome.ACCEPTED]


def test_a_cut_before_the_text_is_not_sent_and_a_cut_after_it_is_unknown():
    with FakeSmtp(Faults(first=[Fault.CUT_BEFORE, Fault.CUT_AFTER])) as server:
        answers = an_adapter(server).send([a_message(1), a_message(2), a_message(3)])
        assert [answer.outcome for answer in answers] == [Outcome.LATER, Outcome.UNKNOWN, Outcome.ACCEPTED]


@pytest.mark.parametrize("garbage", [b"<html>502 Bad Gateway</html>", b"", b"354 go on", b"999 ?", b"-50 ?"])
def test_a_text_that_was_taken_with_an_answer_nobody_understands_is_given_once_and_unknown(garbage: bytes):
    with FakeSmtp(Faults(first=[Fault.NONE, Fault.GARBAGE])) as server:
        server.garbage = garbage
        adapter = an_adapter(server)
        adapter.send([a_message(1)])  # so that the next goes over a kept connection
        [answer] = adapter.send([a_message(2)])
        assert (answer.outcome, [mail.to for mail in server.mails]) == (
            Outcome.UNKNOWN,
            [["p1@example.org"], ["p2@example.org"]],
        )


def test_any_reply_of_success_means_that_the_text_was_taken():
    with FakeSmtp(Faults(first=[Fault.GARBAGE])) as server:
        server.garbage = b"251 2.0.0 taken, and passed on"
        [answer] = an_adapter(server).send([a_message()])
    assert answer.outcome is Outcome.ACCEPTED


def test_a_wrong_password_stops_the_wave():
    with FakeSmtp(login=("us", "right")) as server:
        adapter = SmtpEmail(f"smtp://us:wrong@127.0.0.1:{server.port}", "notice@company.example", encrypted=False)
        answers = adapter.send([a_message(1), a_message(2)])
        assert [(answer.outcome, answer.reason) for answer in answers] == [
            (Outcome.STOP, "credentials_refused"),
            (Outcome.LATER, "not_tried"),
        ]
        right = SmtpEmail(server.url, "notice@company.example", encrypted=False)
        assert right.send([a_message(1)])[0].outcome is Outcome.ACCEPTED


def test_without_encryption_nothing_is_said():
    with FakeSmtp() as server:
        [answer] = an_adapter(server, encrypted=True).send([a_message()])
        assert (answer.outcome, answer.reason, server.mails) == (Outcome.STOP, "no_encryption", [])


def test_encryption_is_used_and_the_certificate_is_checked():
    with FakeSmtp(tls=True) as server:
        stranger = an_adapter(server, encrypted=True)
        assert stranger.send([a_message()])[0].reason == "no_encryption"
        trust = ssl.create_default_context(cadata=server.certificate)
        trusting = an_adapter(server, encrypted=True, trust=trust)
        assert trusting.send([a_message()])[0].outcome is Outcome.ACCEPTED
        assert len(server.mails) == 1


def test_an_address_with_letters_beyond_ascii_needs_a_server_that_can():
    with FakeSmtp() as old, FakeSmtp(utf8=True) as new:
        message = a_message(to="用户@example.org")
        assert an_adapter(old).send([message])[0].reason == "address_needs_smtputf8"
        assert an_adapter(new).send([message])[0].outcome is Outcome.ACCEPTED
        assert new.mails[0].to == ["用户@example.org"]


def test_a_domain_beyond_ascii_is_written_in_ascii():
    with FakeSmtp() as server:
        an_adapter(server).send([a_message(to="jane@bücher.example")])
        assert server.mails[0].to == ["jane@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("url", "sender", "named"),
    [("http://x", "a@b.example", "SMTP_URL"), ("smtp://", "a@b.example", "SMTP_URL"), ("smtp://x", "", "SMTP_FROM")],
)
def test_a_wrong_setting_is_named(url: str, sender: str, named: str):
    with pytest.raises(Misconfigured, match=named):
        SmtpEmail(url, sender)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (b"220 fake", Outcome.LATER),
        (b"250 2.1.0", Outcome.LATER),
        (b"354", Outcome.LATER),
        (b"250 2.0.0 queued", Outcome.UNKNOWN),
    ],
)
def test_a_server_that_drips_its_reply_holds_nobody_longer_than_the_time_limit(
    monkeypatch, reply: bytes, outcome: Outcome
):
    said = fake_smtp._Handler._say

    def dripping(self: Any, line: bytes) -> bool:
        if not line.startswith(reply):
            return said(self, line)
        try:
            for letter in line:
                self.wfile.write(bytes([letter]))
                self.wfile.flush()
                time.sleep(0.4)
        except OSError:
            return False
        return True

    monkeypatch.setattr(fake_smtp._Handler, "_say", dripping)
    with FakeSmtp() as server:
        email = SmtpEmail(server.url, "notice@company.example", seconds=0.8, encrypted=False)
        began = time.monotonic()
        [answer] = email.send([Message("R1", "one@example.org", "text", "subject")])
    assert answer.outcome is outcome
    assert time.monotonic() - began < 5


class EncryptedFromTheStart(FakeSmtp):
    """The same server behind TLS, as on port 465."""

    def get_request(self) -> Any:
        line, address = super().get_request()
        return self.context.wrap_socket(line, server_side=True), address


def test_a_server_that_is_encrypted_from_the_start_takes_mail_over_one_kept_connection():
    with EncryptedFromTheStart(tls=True) as server:
        trust = ssl.create_default_context(cadata=server.certificate)
        url = server.url.replace("smtp://", "smtps://")
        adapter = SmtpEmail(url, "notice@company.example", seconds=5, trust=trust)
        answers = adapter.send([a_message(number) for number in range(1, 6)])
    assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
    assert (len(server.mails), server.connections) == (5, 1)
