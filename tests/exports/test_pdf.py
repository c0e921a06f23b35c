import io
import json
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from incident.exports import glyphs, report
from incident.exports.document import Attachment, Document, Item, Section, Table
from incident.exports.json import json_bytes
from incident.exports.pdf import pdf
from tests.exports.documents import FORM, a_sheet, an_answer

SHEET = a_sheet(an_answer(), an_answer("cause", answer="", standing="missing"))
DATA = Attachment(
    "R-7K3MXW2Q.json", "application/json", "All answers, for machines", json_bytes(report.data(FORM, SHEET))
)
MADE = pdf(report.document(FORM, SHEET), [DATA])


@pytest.fixture(scope="module")
def reader() -> PdfReader:
    return PdfReader(io.BytesIO(MADE), strict=True)


def saying(text: str) -> Document:
    document = report.document(FORM, SHEET)
    return replace(document, sections=(Section("Heading", items=(Item("Label", text),)),))


def text_of(made: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)


def tags(element: object, found: list[str]) -> list[str]:
    """The structure types below an element, in reading order."""
    node = element.get_object() if hasattr(element, "get_object") else element
    if isinstance(node, list):
        for inner in node:
            tags(inner, found)
    elif isinstance(node, dict):
        if "/S" in node and node.get("/Type") != "/MCR":
            found.append(str(node["/S"]))
        tags(node.get("/K", []), found)
    return found


# ---------------------------------------------------------------- what the file claims, and whether it holds


def test_the_file_says_that_it_is_pdf_a_3a_and_pdf_ua_1(reader: PdfReader) -> None:
    claims = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    assert re.search(r"pdfaid:part>3<", claims)
    assert re.search(r"pdfaid:conformance>A<", claims)
    assert re.search(r"pdfuaid:part>1<", claims)


def test_the_file_has_title_language_colour_intent_and_is_not_encrypted(reader: PdfReader) -> None:
    root = reader.trailer["/Root"]
    assert reader.metadata is not None
    assert reader.metadata.title == FORM.name.both()
    assert root["/Lang"] == "zh"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712  (pypdf's own boolean)
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert not reader.is_encrypted


def test_the_file_is_tagged_with_title_headings_and_paragraphs(reader: PdfReader) -> None:
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712  (pypdf's own boolean)
    found = tags(root["/StructTreeRoot"]["/K"], [])
    assert {"/Document", "/Title", "/H1", "/H2"} <= set(found), found


def test_tables_are_tagged_with_their_header_row() -> None:
    table = Table(("Step", "When"), (("Close", "now"), ("Restore", "later")), (2, 1))
    made = pdf(replace(report.document(FORM, SHEET), sections=(Section("Steps", tables=(table,)),)))
    found = tags(PdfReader(io.BytesIO(made)).trailer["/Root"]["/StructTreeRoot"]["/K"], [])
    assert (found.count("/Table"), found.count("/TH"), found.count("/TD")) == (1, 2, 4)


def test_every_font_is_inside_the_file_with_its_letters(reader: PdfReader) -> None:
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(inner)
            assert "/ToUnicode" in font.get_object()


def test_the_data_travels_inside_byte_for_byte_and_is_tied_to_the_document(reader: PdfReader) -> None:
    assert reader.attachments["R-7K3MXW2Q.json"] == [DATA.content]
    [tied] = reader.trailer["/Root"]["/AF"]
    assert (tied.get_object()["/AFRelationship"], tied.get_object()["/F"]) == ("/Data", "R-7K3MXW2Q.json")
    assert json.loads(reader.attachments["R-7K3MXW2Q.json"][0])["missing"] == ["cause"]


def test_nothing_in_the_file_runs_or_calls_out(reader: PdfReader) -> None:
    assert not {"/OpenAction", "/AA", "/AcroForm"} & set(reader.trailer["/Root"])
    assert not any("/Annots" in page for page in reader.pages)


# ---------------------------------------------------------------- what it says


def test_chinese_can_be_read_out_of_the_file() -> None:
    assert "可能遭受诈骗" in text_of(MADE)
    assert "缺失" in text_of(MADE)


@pytest.mark.parametrize(
    "text",
    ['#panic("x")', '#read("/etc/passwd")', "$ x^2 $", "*b* _i_ `c` <label> @ref \\u{41} = H", "// gone", "]#[", '"}'],
)
def test_text_is_never_read_as_markup(text: str) -> None:
    squeezed = text_of(pdf(saying(f"before {text} after"))).replace(" ", "").replace("\n", "")
    assert f"before{text}after".replace(" ", "") in squeezed


def test_a_letter_without_glyph_is_shown_by_its_code_point() -> None:
    assert "[U+1F600]" in text_of(pdf(saying("a 😀 b")))
    assert "[U+D55C]" in text_of(pdf(saying("한")))


def test_an_accent_over_a_letter_of_another_font_does_not_stop_the_file() -> None:
    made = text_of(pdf(saying("中\u0485 é я\u0489")))
    assert "中[U+0485]" in made
    assert "é" in made


def test_hidden_direction_marks_are_left_out() -> None:
    assert "safe txt.exe" in text_of(pdf(saying("safe \u202etxt.exe")))


def test_every_letter_that_is_said_to_be_held_can_be_printed() -> None:
    letters = [chr(code) for first, last in glyphs.OTHER_FONTS for code in range(first, last + 1)]
    assigned = [
        one for one in letters if unicodedata.category(one) not in {*glyphs.NEVER, *glyphs.UNSEEN, *glyphs.MARKS}
    ]
    shown = text_of(pdf(saying(" ".join(one for one in assigned if glyphs.printable(one) == one))))
    assert "[U+" not in shown


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_no_text_whatever_stops_the_file(text: str) -> None:
    assert pdf(saying(text)).startswith(b"%PDF-1.7")


def test_the_same_report_makes_the_same_bytes_and_another_moment_makes_others() -> None:
    assert pdf(report.document(FORM, SHEET), [DATA]) == MADE
    assert pdf(report.document(FORM, replace(SHEET, at=SHEET.at.replace(microsecond=7))), [DATA]) == MADE
    later = replace(SHEET, at=SHEET.at.replace(hour=13))
    assert pdf(report.document(FORM, later), [DATA]) != MADE
