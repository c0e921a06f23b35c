"""Documents and calendars for people come in the language of whoever asks; files for programs stay in English."""

import io
import json
import re
from datetime import timedelta
from hashlib import sha256

import pytest
from docx import Document
from flask import current_app
from flask.testing import FlaskClient
from icalendar import Calendar
from pypdf import PdfReader
from sqlalchemy import text

from incident import clock
from incident.actions import closing, drills, feeds, improvements, lessons
from incident.domain.access import Role
from incident.domain.closing import QUESTIONS
from incident.exports.catalogue import said
from incident.store import users
from incident.store.db import db
from tests.builders import a_user, an_incident

FACTS = {
    "personal_data": True, "role": "controller", "establishments": ["DE"], "residents": {"DE": 10},
    "risk_to_people": "high", "category": "data_leak", "aware_at": "2026-11-01T08:00:00Z",
}  # fmt: skip
ENGLISH_SENTENCE = re.compile(r"(?:[A-Za-z]{2,} ){4,}")


@pytest.fixture
def reader(as_) -> FlaskClient:
    person = a_user(Role.LEAD)
    person.language = "zh-Hans"
    db.session.commit()
    return as_(user=person)


def printed(made: bytes, verb: str) -> str:
    """The words of a PDF without breaks; its digest is the one in the record."""
    details = json.loads(
        str(db.session.scalar(text("SELECT details FROM audit_line WHERE verb = :verb"), {"verb": verb}))
    )
    assert details["sha256"] == sha256(made).hexdigest()
    book = PdfReader(io.BytesIO(made))
    assert book.trailer["/Root"]["/Lang"].startswith("zh")
    return "".join("".join(page.extract_text() for page in book.pages).split())


def test_the_page_for_the_board_is_in_the_language_of_whoever_asks(reader):
    an_incident(facts=FACTS, now=clock.now())
    said = printed(reader.post("/measures/board.pdf", data={"months": "6"}).data, "measures.exported")
    for words in ("事件及其处理情况", "按时履行", "不含演练", "生成于"):
        assert words in said
    assert "Drills" not in said


def test_the_summary_is_in_the_language_of_whoever_asks_and_its_data_in_english(reader):
    case = an_incident(facts=FACTS, now=clock.now())
    made = reader.post(f"/incidents/{case.ref}/summary/pdf").data
    said = printed(made, "summary.exported")
    for words in ("摘要：", "已知情况", "应履行的义务", "2026年11月1日", "尚无签署的检查点"):
        assert words in said
    [inside] = PdfReader(io.BytesIO(made)).attachments.values()
    assert json.loads(inside[0])["duties"][0]["title"].isascii()


def test_the_summary_as_a_text_document_is_in_that_language_too(reader):
    case = an_incident(facts=FACTS, now=clock.now())
    book = Document(io.BytesIO(reader.post(f"/incidents/{case.ref}/summary/docx").data))
    assert "应履行的义务" in [one.text for one in book.paragraphs]
    cells = [cell.text for table in book.tables for row in table.rows for cell in row.cells]
    assert [words for words in cells if ENGLISH_SENTENCE.search(words)] == []


def test_the_report_of_a_drill_is_in_the_language_of_whoever_asks_and_its_table_in_english(reader):
    folder = current_app.extensions["settings"].instance / "files"
    now = clock.now()
    case = drills.start(
        "lost_laptop", factor=24, house={}, folder=folder, actor=reader.ref, now=now - timedelta(hours=1)
    )
    drills.end(case, actor=reader.ref, now=now)
    said = printed(reader.post(f"/incidents/{case}/drill/report.pdf").data, "drill.exported")
    for words in ("演练总结：", "期望的做法", "主持人", "这是演练："):
        assert words in said
    assert reader.post(f"/incidents/{case}/drill/report.csv").data.startswith(b"expected,why")


def test_the_calendar_of_an_incident_names_what_is_due_in_the_language_of_whoever_asks(reader):
    case = an_incident(facts=FACTS, now=clock.now())
    made = Calendar.from_ical(reader.get(f"/incidents/{case.ref}/deadlines.ics").data)
    assert str(made["x-wr-calname"]) == f"{case.ref}：期限"
    titles = [str(one["summary"]) for one in made.walk("VEVENT")]
    assert titles
    assert [title for title in titles if not re.search("[一-龥]", title)] == []
    assert "期限：2026年" in str(made.walk("VEVENT")[0]["description"])


def test_the_calendar_at_a_secret_address_speaks_the_language_of_its_owner(reader):
    secret = feeds.issue(actor=reader.ref, now=clock.now())
    made = Calendar.from_ical(feeds.read(secret, address="192.0.2.1", site="", now=clock.now()))
    assert str(made["x-wr-calname"]) == "Tocsin：期限"


def test_the_review_is_in_the_language_of_whoever_asks_and_its_data_in_english(reader):
    case = an_incident(facts=FACTS, now=clock.now())
    by = {"actor": reader.ref, "now": clock.now()}
    closing.write_review(
        case.ref, dict.fromkeys(QUESTIONS, "We knew the door."), factors=["by.processes", "error.loss"], **by
    )
    improvements.add(
        case.ref, "Wipe old disks", owner=reader.ref, due_at=clock.now().replace(month=11, day=30, year=2026), **by
    )
    lessons.propose(case.ref, {"title": "A list on paper", "why": "It was dark.", "kind": "practice"}, **by)
    made = reader.post(f"/incidents/{case.ref}/review/file/pdf").data
    said = printed(made, "review.exported")
    for words in (
        "复盘：", "查明的情况", "原因和因素", "没有规定", "共1项，其中1项待办", "2026年11月30日", "已提出", "做法", "Weknewthedoor.",
    ):  # fmt: skip
        assert words in said
    [inside] = PdfReader(io.BytesIO(made)).attachments.values()
    assert json.loads(inside[0])["improvements"][0]["state"] == "open"


def test_the_review_as_a_text_document_holds_no_english_of_ours(reader):
    case = an_incident(facts=FACTS, now=clock.now())
    book = Document(io.BytesIO(reader.post(f"/incidents/{case.ref}/review/file/docx").data))
    texts = [one.text for one in book.paragraphs]
    texts += [cell.text for table in book.tables for row in table.rows for cell in row.cells]
    assert {"复盘尚未写。", f"事件：{case.ref}"} <= set(texts)
    assert [words for words in texts if ENGLISH_SENTENCE.search(words)] == []


def test_an_open_incident_is_being_handled_and_not_undecided(reader):
    case = an_incident(facts=FACTS, now=clock.now())
    book = Document(io.BytesIO(reader.post(f"/incidents/{case.ref}/summary/docx").data))
    cells = [cell.text for table in book.tables for row in table.rows for cell in row.cells]
    assert "处理中" in "\n".join([*cells, *(one.text for one in book.paragraphs)])
    assert "处理中" in reader.get("/incidents/").text


def test_a_moment_among_the_facts_names_its_city_and_a_law_its_time_in_that_language(reader):
    users.by_ref(reader.ref).time_zone = "Europe/Berlin"
    db.session.commit()
    case = an_incident(facts=FACTS, now=clock.now())
    page = reader.get(f"/incidents/{case.ref}/facts").text
    assert "（柏林）" in page
    assert "（Berlin）" not in page
    assert said("1 month", "zh-Hans") == "1 个月"
    assert said("30 min", "zh-Hans") == "30 分钟"
