"""E-mail from strangers: each taken in once whichever way it comes, put to its report by the tag, and believed in nothing."""

import base64
import json
from datetime import timedelta
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from incident import clock, work
from incident.actions import mail_in, tip_mails, tip_triage, tips
from incident.actions import reported as reports
from incident.domain import mails
from incident.domain.access import Role
from incident.domain.handovers import State
from incident.domain.tips import LONGEST_TEXT
from incident.store import tips as rows
from incident.store.db import db
from notifiers.contract import Answer, Channels, Event, Misconfigured, Outcome, Status, Unread
from notifiers.imap_mailbox import ImapMailbox
from notifiers.memory import Memory
from notifiers.sendgrid_mail import SendgridMail
from tests import record
from tests.actions.waves import SANDBOX
from tests.builders import a_user
from tests.fakes.imap import FakeImap
from tests.naughty import STRINGS
from tests.tips import a_report, the_tip


def a_mail(text_="There is a list of customers online.", subject="Leak", sender="Jo Doe <jo@example.org>", **more):
    message = EmailMessage()
    message["From"], message["Subject"], message["To"] = sender, subject, "reports@company.example"
    message["Message-ID"] = more.get("message_id", "<1@example.org>")
    message.set_content(text_)
    if "html" in more:
        message.set_content(more["html"], subtype="html")
    for name, content in more.get("files", ()):
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes().replace(b"\n", b"\r\n")


@pytest.fixture
def imap(app):
    with FakeImap() as fake:
        app.extensions["mailbox"] = ImapMailbox.at(fake.url, seconds=5)
        yield fake
        app.extensions["mailbox"] = None


@pytest.fixture
def folder(app):
    return app.extensions["settings"].instance / "files"


def look():
    """One look at the mailbox, as the worker does it."""
    kind = work.BY_NAME["reported.read"]
    for reference in kind.due(clock.now()):
        kind.do(reference, clock.now())


def reported():
    """Every report, oldest first, as it is read."""
    refs = db.session.scalars(text("SELECT ref FROM tip ORDER BY id")).all()
    return [tip_triage.read(ref, actor="U-READER00", now=clock.now()) for ref in refs]


def test_a_mail_becomes_a_report_with_its_files_and_itself(app, imap):
    imap.put(a_mail(files=[("list.csv", b"a,b")]))
    look()
    [sheet] = reported()
    assert sheet.said == {
        "what": "Leak\n\nThere is a list of customers online.", "who": "Jo Doe", "email": "jo@example.org",
    }  # fmt: skip
    assert sheet.tip.way == "mail"
    assert [name for _, name in sheet.files] == ["mail.eml", "list.csv"]
    assert sheet.tip.code_mark is None


def test_each_mail_is_taken_in_once_however_often_one_looks_and_nothing_in_the_mailbox_changes(app, imap):
    for number in range(3):
        imap.put(a_mail(message_id=f"<{number}@example.org>", subject=f"Mail {number}"))
        look()
        look()
    assert len(reported()) == 3
    assert not [one for one in imap.said if one.startswith(("SELECT", "STORE", "UID STORE", "EXPUNGE", "UID MOVE"))]
    assert not [one for one in imap.said if "BODY[" in one], "a look marks nothing as read"


def test_a_mailbox_that_was_made_anew_is_read_again_without_doubles(app, imap):
    imap.put(a_mail())
    look()
    imap.validity += 1
    imap.put(a_mail(message_id="<2@example.org>", subject="Another"))
    look()
    assert [sheet.said["what"].partition("\n")[0] for sheet in reported()] == ["Leak", "Another"]


def test_a_mail_is_not_lost_when_the_process_ends_before_it_is_noted(app, imap, monkeypatch):
    imap.put(a_mail())
    monkeypatch.setattr(rows, "note_read", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        look()
    monkeypatch.undo()
    look()
    assert len(reported()) == 1


def test_the_same_mail_by_another_way_is_the_same(app, imap, folder):
    mail_in.take_in(b"Received: by a provider\r\n" + a_mail(), folder=folder, now=clock.now())
    imap.put(b"Received: by a mail server\r\n" + a_mail())
    look()
    assert len(reported()) == 1


def test_what_is_too_large_is_told_by_its_headers(app, imap, monkeypatch):
    monkeypatch.setattr(mail_in, "KEPT_BY_MAIL", 1_000)
    imap.put(a_mail("x" * 2_000))
    look()
    [sheet] = reported()
    assert sheet.said["what"] == f"Leak\n\n{mails.TOO_LARGE}"


@pytest.mark.parametrize(
    ("refused", "said"), [("LOGIN", "sign_in_refused"), ("EXAMINE", "no_such_folder"), ("UID", "not_understood")]
)
def test_a_mailbox_that_refuses_stops_nothing_and_the_desk_says_so(app, imap, as_, refused, said):
    imap.refuses.add(refused)
    look()
    assert rows.mailbox("imap").reason == said
    assert "cannot be read" in as_(Role.LEAD).get("/reported/").get_data(as_text=True)
    imap.refuses.clear()
    look()
    assert rows.mailbox("imap").failed_at is None


def test_a_mailbox_that_does_not_answer_is_named_without_its_account(app):
    with FakeImap() as gone:
        url = gone.url
    with pytest.raises(Unread) as trouble:
        list(ImapMailbox.at(url, seconds=1).after(0, 0, most=1, largest=1))
    assert str(trouble.value) == "unreachable"


@pytest.mark.parametrize(
    "url", ["imaps://host", "http://a:b@host", "imaps://a@host", "imaps://a:b@host:x", "imaps://a:b@host/%0d%0aX"]
)
def test_an_address_that_cannot_be_a_mailbox_is_refused_at_the_start(url):
    with pytest.raises(Misconfigured, match="TOCSIN_IMAP_URL"):
        ImapMailbox.at(url, seconds=1)


def test_a_reply_goes_to_its_report_by_the_tag_once(app, folder):
    ref = mail_in.take_in(a_mail(), folder=folder, now=clock.now())
    reply = a_mail("Here is more.", subject=f"Re: Your report [{tips.tag_for(ref)}]", files=[("more.txt", b"more")])
    for _ in range(2):
        assert mail_in.take_in(reply, folder=folder, now=clock.now()) == ref
    [sheet] = reported()
    assert [one.text for one, _ in sheet.messages] == [f"Re: Your report [{tips.tag_for(ref)}]\n\nHere is more."]
    assert len(sheet.files) == 3
    assert sheet.tip.waits


def test_a_made_up_tag_opens_a_report_of_its_own(app, folder):
    ref = a_report(folder=folder).ref
    other = mail_in.take_in(a_mail(subject=f"[{ref}-00000000]"), folder=folder, now=clock.now())
    assert other != ref
    assert not rows.messages(the_tip(ref))


def test_a_full_report_and_a_gone_one_lose_no_mail(app, folder, monkeypatch):
    ref = mail_in.take_in(a_mail(), folder=folder, now=clock.now())
    subject = f"Re: [{tips.tag_for(ref)}]"
    monkeypatch.setattr("incident.domain.tips.MOST_MESSAGES", 0)
    full = mail_in.take_in(a_mail("one", subject=subject), folder=folder, now=clock.now())
    monkeypatch.undo()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE data_key SET sealing = NULL, marking = NULL WHERE owner < 0"))
    db.session.rollback()
    gone = mail_in.take_in(a_mail("two", subject=subject), folder=folder, now=clock.now())
    assert len({ref, full, gone}) == 3


def test_html_is_read_as_words_and_never_kept_as_a_page(app, folder):
    html = "<html><head><style>x{}</style></head><body><p>Seen</p><script>evil()</script><img src=http://x/><b>too</b></body>"
    mail = mails.parsed(a_mail("", html=html))
    assert mail.text == "Seentoo" or mail.text.split() == ["Seen", "too"]
    assert "evil" not in mail.text


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff" * 500,
        b"From: =?nosuch?q?x?=\r\nSubject: =?utf-8?b?!!!?=\r\n\r\nx",
        b"Content-Type: text/plain; charset=nosuch\r\n\r\n\xff",
        b'Content-Type: text/plain; charset="utf-8\0"\r\n\r\nx',
        b"Content-Type: text/html\r\n\r\n<![CDATA[<!x",
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Subject: " + b"a" * 100_000 + b"\r\n\r\nx",
        b"\r\n\r\n" + b"<" * 10_000,
    ],
    ids=range(9),
)
def test_no_mail_is_our_mistake(app, folder, raw):
    assert mail_in.take_in(raw, folder=folder, now=clock.now())
    [sheet] = reported()
    assert 0 < len(sheet.said["what"]) <= LONGEST_TEXT


def test_a_mail_of_boxes_in_boxes_is_kept_as_a_file(app, folder):
    outer = inner = MIMEMultipart()
    for _ in range(400):
        box = MIMEMultipart()
        inner.attach(box)
        inner = box
    outer["Subject"] = "Boxes"
    try:
        raw = outer.as_bytes()
    except RecursionError:
        raw = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(2_000))
    assert mail_in.take_in(raw, folder=folder, now=clock.now())
    assert next(name for _, name in reported()[0].files) == "mail.eml"


def test_words_that_break_programs_are_words(app, folder):
    for number, naughty in enumerate(STRINGS[::15]):
        raw = b"Subject: " + naughty.encode("utf-8", "replace").replace(b"\n", b" ").replace(b"\r", b" ")
        mail_in.take_in(
            raw + b"\r\nMessage-ID: <%d>\r\n\r\n" % number + naughty.encode("utf-8", "replace"),
            folder=folder,
            now=clock.now(),
        )
    assert len(reported()) == len(STRINGS[::15])


class FakeParse:
    """SendGrid's parse webhook with a policy that signs."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        raw = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public_key = base64.b64encode(raw).decode()

    def post(self, client, fields, *, change=lambda body: body):
        parts = [
            f'--xYz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
            for name, value in fields.items()
        ]
        body = b"".join(parts) + b"--xYz--\r\n"
        signature = self._key.sign(b"1700000000" + body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "Content-Type": "multipart/form-data; boundary=xYz",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": "1700000000",
        }
        return client.post("/hooks/mail/sendgrid", data=change(body), headers=headers)


@pytest.fixture
def parse(app):
    fake = FakeParse()
    app.extensions["inbound"]["sendgrid"] = SendgridMail(fake.public_key)
    yield fake
    app.extensions["inbound"].clear()


def test_a_signed_post_becomes_a_report_once_with_every_byte_of_the_mail(app, client, parse, folder):
    raw = a_mail("Grüße, 您好", files=[("a.bin", bytes(range(256)))])
    for _ in range(2):
        assert parse.post(client, {"email": raw, "from": b"jo@example.org"}).status_code == 204
    [sheet] = reported()
    assert "Grüße, 您好" in sheet.said["what"]
    kept = {
        name: b"".join(tip_triage.take_copy(sheet.tip.ref, one.ref, folder=folder, actor="U-X", now=clock.now())[2])
        for one, name in sheet.files
    }
    assert kept == {"mail.eml": raw, "a.bin": bytes(range(256))}


def test_a_post_of_parts_is_put_together(app, client, parse):
    head = b"Content-Type: multipart/mixed;\r\n boundary=q\r\nFrom: Jo <jo@example.org>\r\nMessage-ID: <3@x>\r\nSubject: Parts"
    assert (
        parse.post(
            client, {"headers": head, "from": b"Jo <jo@example.org>", "subject": b"Parts", "text": "您好".encode()}
        ).status_code
        == 204
    )
    [sheet] = reported()
    assert sheet.said == {"what": "Parts\n\n您好", "who": "Jo", "email": "jo@example.org"}


def test_the_files_of_a_post_of_parts_are_kept_under_their_names_and_the_same_post_is_the_same_mail(
    client, parse, folder
):
    info = {"attachment1": {"filename": "名单\r\nX-Evil: 1.csv", "type": "text/csv"}, "attachment2": "odd"}
    fields = {
        "headers": b"From: Jo <jo@example.org>\r\nMessage-ID: <4@x>\r\nSubject: Parts",
        "text": "泄露的名单在附件中。".encode("gb18030"),
        "charsets": json.dumps({"text": "gb18030"}).encode(),
        "from": b"Jo <jo@example.org>",
        "attachments": b"2",
        "attachment-info": json.dumps(info).encode(),
        "attachment2": b"second",
        "attachment1": bytes(range(256)),
    }
    for _ in range(2):
        assert parse.post(client, fields).status_code == 204
    [sheet] = reported()
    assert sheet.said["what"] == "Parts\n\n泄露的名单在附件中。"
    kept = {
        name: b"".join(tip_triage.take_copy(sheet.tip.ref, one.ref, folder=folder, actor="U-X", now=clock.now())[2])
        for one, name in sheet.files
    }
    assert list(kept)[1:] == ["名单X-Evil: 1.csv", "file"]
    assert list(kept.values())[1:] == [bytes(range(256)), b"second"]


@pytest.mark.parametrize(
    "field",
    [{"charsets": b"{"}, {"charsets": b'{"text": "no-such"}'}, {"charsets": b"[1]"}, {"attachment-info": b"[" * 9_999}],
)
def test_odd_words_about_a_post_lose_neither_its_text_nor_its_files(client, parse, field):
    fields = {"from": b"jo@example.org", "subject": b"S", "text": "Grüße".encode(), "attachment1": b"x", **field}
    assert parse.post(client, fields).status_code == 204
    [sheet] = reported()
    assert sheet.said["what"] == "S\n\nGrüße"
    assert [name for _, name in sheet.files] == ["mail.eml", "file"]


def test_an_unsigned_a_changed_and_an_empty_post_change_nothing(app, client, parse):
    before = len(record.lines())
    assert (
        parse.post(
            client, {"email": a_mail()}, change=lambda body: body.replace(b"customers", b"Customers")
        ).status_code
        == 403
    )
    assert client.post("/hooks/mail/sendgrid", data=b"x").status_code == 403
    assert parse.post(client, {"nothing": b"here"}).status_code == 403
    assert len(record.lines()) == before


def test_without_a_key_there_is_no_such_door(app, client):
    assert client.post("/hooks/mail/sendgrid", data=b"x").status_code == 404


@pytest.mark.parametrize("key", ["", "x", base64.b64encode(b"no key").decode()])
def test_a_key_that_is_none_is_refused_at_the_start(key):
    with pytest.raises(Misconfigured, match="PARSE_PUBLIC_KEY"):
        SendgridMail(key)


def test_one_bad_mail_stops_no_other_and_is_kept_as_it_was(app, imap, folder, monkeypatch):
    whole = mails.parsed

    def stumbles(raw, **more):
        if b"bad" in raw:
            raise RuntimeError("a defect")
        return whole(raw, **more)

    monkeypatch.setattr(mails, "parsed", stumbles)
    for number, subject in enumerate(("bad one", "good", "bad two")):
        imap.put(a_mail(subject=subject, message_id=f"<{number}@x>"))
    look()
    look()
    said = [(sheet.said["what"].partition("\n")[0], len(sheet.files)) for sheet in reported()]
    assert said == [(mails.UNREADABLE, 1), ("good", 1), (mails.UNREADABLE, 1)]


def test_two_mails_that_nobody_can_read_are_two(app, folder):
    mails_ = [b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + bytes([number]) for number in range(2)]
    assert len({mail_in.take_in(raw, folder=folder, now=clock.now()) for raw in mails_}) == 2
    assert mails.unreadable(b"1").unlike != mails.unreadable(b"2").unlike


# our answers by e-mail


@pytest.fixture
def real(app, monkeypatch):
    email = Memory("email")
    monkeypatch.setitem(app.extensions, "channels", Channels({"email": email}, SANDBOX))
    return email


def hand_over():
    kind = work.BY_NAME["reported.mails"]
    for reference in kind.due(clock.now()):
        kind.do(reference, clock.now())


def answered(ref, words="Thank you, we look at it."):
    tip_triage.answer(ref, words, settle=False, actor=a_user(Role.LEAD).ref, now=clock.now())


def test_who_wrote_by_mail_gets_the_answer_with_a_tag_that_brings_a_reply_back(app, folder, real):
    ref = mail_in.take_in(a_mail(), folder=folder, now=clock.now())
    answered(ref)
    hand_over()
    [sent] = real.sent
    assert (sent.to, "Thank you, we look at it." in sent.text) == ("jo@example.org", True)
    assert mail_in.take_in(a_mail("Good.", subject=f"RE: {sent.subject}"), folder=folder, now=clock.now()) == ref


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_who_has_a_code_is_told_only_that_there_is_an_answer(app, folder, real, language):
    received = a_report(folder=folder, email="jo@example.org", language=language)
    answered(received.ref, "Secret words")
    hand_over()
    hand_over()
    [sent] = real.sent
    assert f"http://localhost/report/{language}/follow-up" in sent.text
    for hidden in ("Secret", received.code, received.ref):
        assert hidden not in sent.text + sent.subject


def test_without_an_address_nothing_is_sent(app, folder, real):
    answered(a_report(folder=folder).ref)
    hand_over()
    assert real.sent == []


@pytest.mark.parametrize(
    ("outcome", "state", "waits"),
    [
        (Outcome.ACCEPTED, State.ACCEPTED, False),
        (Outcome.REFUSED, State.FAILED, True),
        (Outcome.UNKNOWN, State.IN_DOUBT, True),
        (Outcome.LATER, State.WAITING, False),
    ],
)
def test_what_became_of_a_mail_is_told_and_its_report_waits_if_nobody_was_reached(
    app, folder, real, outcome, state, waits
):
    ref = mail_in.take_in(a_mail(), folder=folder, now=clock.now())
    answered(ref)
    real.send = lambda batch: [Answer(one.ref, outcome) for one in batch]
    hand_over()
    [mail] = rows.since(the_tip(ref)).mails.values()
    assert (mail.state, the_tip(ref).waits) == (state, waits)
    line = record.lines()[-1]
    assert (line.verb, record.details(line)["state"]) == ("tip.mail_settled", state)


def test_a_dead_workers_mail_is_in_doubt_and_not_sent_again(app, folder, real):
    ref = mail_in.take_in(a_mail(), folder=folder, now=clock.now())
    answered(ref)
    real.send = lambda batch: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        hand_over()
    [mail] = rows.since(the_tip(ref)).mails.values()
    assert mail.state == State.CALLING
    later = clock.now() + timedelta(hours=1)
    tip_mails.do(
        mail.ref,
        Channels({"email": Memory("email")}, SANDBOX),
        site="",
        clock=lambda: later,
        lease=timedelta(seconds=60),
    )
    [mail] = rows.since(the_tip(ref)).mails.values()
    assert mail.state == State.IN_DOUBT


def test_a_bounce_that_the_provider_reports_is_taken_in(app, folder, real):
    ref = mail_in.take_in(a_mail(), folder=folder, now=clock.now())
    answered(ref)
    hand_over()
    [mail] = rows.since(the_tip(ref)).mails.values()
    reports.take_in(mail.provider, "email", [Event("e-1", Status.BOUNCED, ref=mail.ref)], now=clock.now())
    [mail] = rows.since(the_tip(ref)).mails.values()
    assert (mail.state, the_tip(ref).waits) == (State.FAILED, True)


def test_without_a_provider_the_desk_says_that_nothing_was_sent(app, folder, as_):
    ref = mail_in.take_in(a_mail(), folder=folder, now=clock.now())
    answered(ref)
    hand_over()
    assert "not sent" in as_(Role.LEAD).get(f"/reported/{ref}").get_data(as_text=True)
