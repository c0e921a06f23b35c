import io
import zipfile
from dataclasses import replace

import docx
from hypothesis import given, settings
from hypothesis import strategies as st

from incident.exports import report
from incident.exports.document import Item, Section, Table
from incident.exports.docx import docx_bytes
from tests.exports.documents import FORM, a_sheet, an_answer

DOCUMENT = report.document(FORM, a_sheet(an_answer(answer="新", was="旧", changed=True)))


def test_title_questions_answers_and_what_was_are_in_the_file() -> None:
    paragraphs = [one.text for one in docx.Document(io.BytesIO(docx_bytes(DOCUMENT))).paragraphs]
    assert FORM.name.both() in paragraphs
    assert "可能造成的危害 / Possible harm (Art. 57(1))  [有变更]" in paragraphs
    assert {"新", "上一份报告内容：旧"} <= set(paragraphs)


def test_tables_keep_their_cells_and_repeat_their_header() -> None:
    table = Table(("Step", "When"), (("Close", "now"),), (2, 1))
    made = docx.Document(io.BytesIO(docx_bytes(replace(DOCUMENT, sections=(Section("Steps", tables=(table,)),)))))
    [grid] = made.tables
    assert [[cell.text for cell in row.cells] for row in grid.rows] == [["Step", "When"], ["Close", "now"]]
    assert "w:tblHeader" in grid.rows[0]._tr.xml


def test_the_same_report_makes_the_same_bytes() -> None:
    assert docx_bytes(DOCUMENT) == docx_bytes(DOCUMENT)


def test_no_clock_of_this_machine_is_in_the_file() -> None:
    with zipfile.ZipFile(io.BytesIO(docx_bytes(DOCUMENT))) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2026-03-06T12:00:00Z" in packed.read("docProps/core.xml")
        assert b"python-docx" not in packed.read("docProps/core.xml")


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=40))
def test_no_text_whatever_stops_the_file(text: str) -> None:
    made = docx_bytes(replace(DOCUMENT, sections=(Section(text, items=(Item(text, text),)),)))
    assert docx.Document(io.BytesIO(made)).paragraphs
