"""What a stranger or a file wrote is text in every format and on every screen: it steers, computes, links and runs nothing."""

import csv as reader
import email
import io
import json
import logging
import os
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from email import policy

import pytest
import structlog
from icalendar import Calendar
from pypdf import PdfReader
from twilio.twiml.voice_response import VoiceResponse

from incident import journal
from incident.cli import main
from incident.cli.terminal import STEERS, plain
from incident.exports import csv, letters
from incident.exports.cap import Alert, Area, Info, xml
from incident.exports.document import Document, Item, Section, Table
from incident.exports.docx import docx_bytes
from incident.exports.ics import Deadline, ics_bytes
from incident.exports.letters import Unprintable
from incident.exports.pdf import pdf
from notifiers import spoken
from notifiers.contract import Message
from notifiers.smtp_email import SmtpEmail
from notifiers.twilio_voice import _say
from tests.exports.test_letters import a_letter, made
from tests.naughty import FORMULAS, HEADERS, LETTERS, PLACES, SHAPES, STRINGS, TEMPLATES, UNSEEN

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
WHOLE = [text for text in STRINGS if not any("\ud800" <= letter <= "\udfff" for letter in text)]
"""What can be stored at all: halves of letters are refused at every door."""
FEW = [
    *HEADERS,
    *FORMULAS[:6],
    *TEMPLATES,
    *UNSEEN[:12],
    *UNSEEN[-6:],
    *LETTERS[:20:4],
    *PLACES[-8:],
    *SHAPES[:4],
    "<zq onload=zq()>",
    "</script>",
]
"""For the formats that take long to make: a few of each family."""


def has_halves(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


FEW = [text for text in FEW if not has_halves(text)]


def in_csv(texts: list[str]) -> None:
    """Each is one cell of one line, and none starts a formula."""
    table = "".join(csv.rows(("text", "end"), [(text, "end") for text in texts])).lstrip("\ufeff")
    cells = list(reader.reader(io.StringIO(table, newline="")))[1:]
    assert [len(line) for line in cells] == [2] * len(texts)
    formulas = [line[0] for line in cells if line[0].lstrip(csv.UNSEEN).startswith(csv.STARTS_A_FORMULA)]
    assert formulas == []


def in_calendars(texts: list[str]) -> None:
    """Each stays inside its summary: no component and no property of its own."""
    made = ics_bytes("x", [Deadline(f"F-{n}", text, AT, text) for n, text in enumerate(texts)], AT)
    calendar = Calendar.from_ical(made)
    events = calendar.walk("VEVENT")
    assert len(events) == len(texts)
    assert {name for event in events for name in event} == {name for name in events[0]}
    assert {part.name for part in calendar.walk()} == {"VCALENDAR", "VEVENT", "VALARM"}
    for line in made.split(b"\r\n"):
        assert not STEERS.search(line.decode().replace("\t", ""))


def in_alerts(texts: list[str]) -> None:
    """Each is the text of one element."""
    for text in texts:
        infos = (Info("en", text, text, text, text, "https://us.example/", (Area(text, "DE"),)),)
        tree = ElementTree.fromstring(xml(Alert("A-1", "us.example", text, text, AT, AT, None, False, infos)))
        assert not [one.tag for one in tree.iter() if "zq" in one.tag.lower()]


def a_document(texts: list[str]) -> Document:
    """A document in which each text stands in every place that takes one."""
    sections = tuple(
        Section("Heading", text, (Item("Question", text, (), (text,), text),), (Table(("A",), ((text,),), (1,)),))
        for text in texts
    )
    labelled = tuple(("Label", text) for text in texts)
    return Document("Title", texts[0], "en", "Author", AT, "was", labelled, sections)


def in_word(texts: list[str]) -> None:
    """No field, no link, no object, nothing outside; every part is well-formed."""
    with zipfile.ZipFile(io.BytesIO(docx_bytes(a_document(texts)))) as packed:
        parts = {name: packed.read(name).decode() for name in packed.namelist() if name.endswith((".xml", ".rels"))}
    for name, part in parts.items():
        ElementTree.fromstring(part)
        assert 'TargetMode="External"' not in part, name
    body = parts["word/document.xml"]
    for act in ("<w:fldSimple", "<w:instrText", "<w:hyperlink", "<w:object", "<w:altChunk", "<zq"):
        assert act not in body


def in_pdf(texts: list[str]) -> None:
    """No script, no action, no link, no file; what computes is printed."""
    made = pdf(a_document(texts))
    read = PdfReader(io.BytesIO(made))
    for act in (b"/JavaScript", b"/JS ", b"/Launch", b"/SubmitForm", b"/URI", b"/OpenAction", b"/RichMedia"):
        assert act not in made
    assert not [note for page in read.pages for note in page.get("/Annots", [])]
    words = "".join(page.extract_text() for page in read.pages)
    assert "ZQ49" not in words
    assert "7*7" in words


def in_letters(texts: list[str]) -> None:
    """A letter is printed with it as words, or not at all; nothing of it is a link."""
    printed = 0
    for text in texts:
        try:
            content = made(a_letter(name=letters._shown(" ".join(text.split())[:60] or "x"))).content
        except Unprintable:
            continue
        printed += 1
        assert b"/URI" not in content
        assert "ZQ49" not in "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert printed > len(texts) // 3


def in_mail(texts: list[str]) -> None:
    """One header each and no more, or the message is refused; never a second addressee."""
    smtp = SmtpEmail("smtp://127.0.0.1:1", "us@us.example", sender_name="Us", encrypted=False)
    taken = 0
    for text in texts:
        try:
            letter = smtp._letter(Message("R-1", "ann@example.org", text or "x", text, thread="D-1"))
        except ValueError:
            continue
        taken += 1
        read = email.message_from_bytes(letter, policy=policy.default)
        assert (len(read.get_all("To")), read.get_all("Bcc"), read.get_all("X-Zq")) == (1, None, None)
        assert len(read.get_all("Subject")) == 1
        assert {name.lower() for name in read} <= {
            "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type",
            "content-transfer-encoding", "content-language",
        }  # fmt: skip
    assert taken > len(texts) // 2


def in_calls(texts: list[str]) -> None:
    """What a provider is told to say holds no verb but Say."""
    for text in texts:
        answer, said = VoiceResponse(), spoken.script("en", text, company=text, phone=text)
        _say(answer, "en", [*spoken.transcript(said).splitlines(), text])
        tree = ElementTree.fromstring(str(answer))
        assert {one.tag for one in tree.iter()} <= {"Response", "Say"}


def in_logs(texts: list[str]) -> None:
    """One line of JSON each, without a control character."""
    stream, before = io.StringIO(), structlog.get_config()
    real, sys.stderr = sys.stderr, stream
    handlers = logging.getLogger().handlers[:]
    try:
        journal.begin("info")
        for text in texts:
            structlog.get_logger().info("said", word=text)
            logging.getLogger("library").warning("%s", text)
    finally:
        sys.stderr = real
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers
    lines = stream.getvalue().split("\n")[:-1]
    assert len(lines) == 2 * len(texts)
    for line in lines:
        json.loads(line)
        assert not STEERS.search(line)


def on_terminals(texts: list[str]) -> None:
    """Nothing steers the terminal or turns a line around; what is plain stays as it is."""
    assert [text for text in texts if STEERS.search(plain(text))] == []
    assert [text for text in texts if not STEERS.search(text) and plain(text) != text] == []


SINKS: dict[Callable[[list[str]], None], list[str]] = {
    in_csv: WHOLE,
    in_calendars: WHOLE,
    in_alerts: WHOLE,
    in_mail: WHOLE,
    in_calls: WHOLE,
    in_logs: WHOLE,
    on_terminals: WHOLE,
    in_word: FEW,
    in_pdf: FEW,
    in_letters: FEW[::6],
}
"""Where text goes, and which strings go there. Pages and feeds: tests/web/test_every_form.py."""


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.__name__)
def test_text_is_text(sink):
    sink(SINKS[sink])


def test_the_command_itself_prints_plainly(monkeypatch, capsys):
    """A word of the caller's own comes back in a mistake; the terminal sees no escape in it."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))  # what the command puts in their place goes again
    monkeypatch.setattr(sys, "argv", ["tocsin", "\x1b]0;zq\x07\u202ex"])
    mask = os.umask(0o077)
    with pytest.raises(SystemExit) as end:
        main()
    os.umask(mask)
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert "zq" in said
    assert not STEERS.search(said)
