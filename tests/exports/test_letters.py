"""Letters read back out of the file that goes to the printer, page by page."""

import io
import re
from datetime import UTC, datetime

import pytest
import zxingcpp
from pypdf import PdfReader

from incident.domain.letters import Form, forms, grouped
from incident.exports import letters
from incident.exports.letters import Letter, PrintFile, Unprintable, blocks, print_file

AT = datetime(2026, 3, 6, 16, 0, 0, 5, tzinfo=UTC)
SENDER = "Example Ltd, Example Street 1, 10115 Berlin"
PROSE = "<h2>What happened</h2><p>On 6 March <strong>personal data</strong> was affected.</p>"
LONG = PROSE + "<p>" + "More words follow here. " * 40 + "</p>"


def ref(number: int) -> str:
    return f"01J8ZQ5T9XABCDEFGHJKMN{number:04}"


def a_letter(number: int = 1, name: str = "Ann Person", text: str = PROSE, language: str = "en") -> Letter:
    html = f"<html><head><title>Subject</title></head><body><h1>Notice</h1><p>Dear {name},</p>{text}</body></html>"
    return Letter(ref(number), (name, "Example Street 12", "10117 Berlin"), html, language, "DE")


def made(*given: Letter, form: str = "din-5008-b", first: int = 1) -> PrintFile:
    return print_file(given, forms()[form], name="B-1.pdf", sender=SENDER, author="Example Ltd", first=first, at=AT)


def pages(file: PrintFile) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(file.content)).pages]


def test_each_letter_has_its_own_address_text_and_reference_on_its_own_pages():
    file = made(a_letter(1, "Ann Person"), a_letter(2, "Ben Other"), a_letter(3, "Cem Third"))
    read = pages(file)
    assert [one.first_page for one in file.letters] == [1, 3, 5]
    for one, name in zip(file.letters, ("Ann Person", "Ben Other", "Cem Third"), strict=True):
        page = read[one.first_page - 1]
        assert page.count(name) == 2
        assert grouped(one.ref) in page
        assert "1 / 1" in page
        assert sum(other in page for other in ("Ann", "Ben", "Cem")) == 1


def test_every_letter_begins_on_the_front_of_a_sheet_and_counts_its_own_pages():
    file = made(a_letter(1, text=LONG * 3), a_letter(2), a_letter(3, text=LONG * 8), a_letter(4))
    assert all(one.first_page % 2 == 1 for one in file.letters)
    assert [one.pages for one in file.letters] == [2, 1, 3, 1]
    assert [one.sheets for one in file.letters] == [1, 1, 2, 1]
    read = pages(file)
    assert file.pages == len(read) == 9
    assert ["".join(re.findall(r"\d / \d", page)) for page in read] == [
        "1 / 2", "2 / 2", "1 / 1", "", "1 / 3", "2 / 3", "3 / 3", "", "1 / 1",
    ]  # fmt: skip
    assert not read[3].strip()


@pytest.mark.parametrize("rows", range(24, 28))
def test_what_stands_below_the_rule_is_never_parted_from_it_or_from_itself(rows: int):
    foot = "<hr><p>To check this letter, look here.</p><p>Date of this notice</p><p>Example Ltd</p>"
    file = made(a_letter(text="<p>One line.</p>" * rows + foot))
    read = pages(file)
    [holder] = [number for number, page in enumerate(read) if "To check this letter" in page]
    assert "Date of this notice" in read[holder]
    assert "Example Ltd" in read[holder].rpartition("Date of this notice")[2]
    assert holder == len(read) - 1


def test_letters_are_numbered_on_from_the_file_before():
    file = made(a_letter(1), a_letter(2), first=101)
    assert [one.sequence for one in file.letters] == [101, 102]


@pytest.mark.parametrize("form", forms().values(), ids=lambda form: form.key)
def test_address_and_code_lie_where_the_window_is(form: Form):
    file = made(a_letter(), form=form.key)
    page = PdfReader(io.BytesIO(file.content)).pages[0]
    found: dict[str, tuple[float, float]] = {}

    def see(text: str, cm: list[float], tm: list[float], _font: object, _size: float) -> None:
        for line in ("Ann Person", "10117 Berlin"):
            if text.strip() == line:
                found[line] = (*_at(cm, tm),)

    page.extract_text(visitor_text=see)
    height = float(page.mediabox.height)
    assert abs(float(page.mediabox.width) * 0.352778 - form.sheet[0]) < 0.1
    for left, bottom in found.values():
        assert form.address.left - 0.5 <= left * 0.352778 <= form.address.left + form.address.width
        assert form.address.top <= (height - bottom) * 0.352778 <= form.address.top + form.address.height
    assert len(found) == 2


def _at(cm: list[float], tm: list[float]) -> tuple[float, float]:
    return tm[4] * cm[0] + tm[5] * cm[2] + cm[4], tm[4] * cm[1] + tm[5] * cm[3] + cm[5]


def test_a_chinese_letter_is_set_in_chinese():
    file = made(
        Letter(
            ref(1),
            ("王小明", "解放路12号", "100001 北京市"),
            "<h1>个人信息泄露通知</h1><p>尊敬的王小明：</p>",
            "zh-Hans",
            "CN",
        ),
        form="cn-dl",
    )
    [page] = pages(file)
    squeezed = "".join(page.split())
    assert all(part in squeezed for part in ("王小明解放路12号100001北京市", "个人信息泄露通知", "尊敬的王小明：")), (
        page
    )


def test_what_no_font_holds_is_refused_and_never_printed_as_a_gap():
    with pytest.raises(Unprintable) as refusal:
        made(a_letter(name="Ann 😀"))
    assert "Ann" not in str(refusal.value)
    with pytest.raises(Unprintable):
        letters.check(a_letter(text="<p>한국어</p>"), SENDER)
    letters.check(a_letter(text="<p>Straße, naïve, 日本</p>"), SENDER)


def test_text_is_never_read_as_markup():
    [page] = pages(made(a_letter(name="#panic() $x$ *b*", text="<p>#import &lt;b&gt; \\ _a_</p>")))
    assert "#panic() $x$ *b*" in page
    assert "#import <b> \\ _a_" in page


def test_a_link_is_printed_with_its_address_once():
    said = blocks(
        '<p>See <a href="https://a.example/x">here</a> or <a href="https://a.example/y">https://a.example/y</a>.</p>'
    )
    assert "".join(text for text, _ in said[0][1][0]) == "See here (https://a.example/x) or https://a.example/y."


def test_the_text_becomes_blocks_with_its_bold_words():
    said = blocks(
        "<title>no</title><h1>T</h1><p>a <strong>b</strong><br>\nc</p><ul>\n<li>d</li>\n<li>e</li>\n</ul><hr><p>f</p>"
    )
    assert said == [
        ("title", [[("T", False)]]),
        ("paragraph", [[("a ", False), ("b", True), ("\n", False), ("c", False)]]),
        ("bullets", [[("d", False)], [("e", False)]]),
        ("rule", []),
        ("small", [[("f", False)]]),
    ]  # fmt: skip


def test_the_same_letters_give_the_same_bytes_and_the_file_says_that_it_is_pdf_a():
    file = made(a_letter(1), a_letter(2))
    assert file.content == made(a_letter(1), a_letter(2)).content
    claims = PdfReader(io.BytesIO(file.content)).trailer["/Root"]["/Metadata"].get_data().decode()
    assert re.search(r"pdfaid:part>2<", claims)
    assert re.search(r"pdfaid:conformance>B<", claims)


def test_the_code_holds_the_reference_alone_at_a_size_that_scanners_read():
    drawn = letters.code(ref(1))
    assert 'viewBox="0 0 33 33"' in drawn  # version 2 and the quiet zone
    assert drawn != letters.code(ref(2))
    assert letters.CODE_SIDE / 33 > 0.4  # mm a module


def test_a_long_line_makes_the_address_smaller_and_never_runs_into_the_code():
    form = forms()["din-5008-b"]
    assert letters.size_of(("Ann Person",), form) == 10.0
    assert letters.size_of(("A" + "n" * 35,), form) < 10.0
    assert letters.size_of(("n" * 300,), form) == 8.0


def drawn(svg: str, scale: int = 4) -> memoryview:
    """The drawing of a code as grey pixels, row by row."""
    found = re.search(r'viewBox="0 0 (\d+) ', svg)
    assert found
    side = int(found[1]) * scale
    grey = bytearray(b"\xff" * side * side)
    for left, top, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", svg):
        start, length = int(left) * scale, int(width) * scale
        for row in range(int(top) * scale, (int(top) + 1) * scale):
            grey[row * side + start : row * side + start + length] = bytes(length)
    return memoryview(bytes(grey)).cast("B", shape=[side, side])


@pytest.mark.parametrize("reference", [ref(1), "0" * 26, "Z" * 26, "7K3MXW2Q0N5T8V4Y6Z1A2B3C9D"])
def test_a_scanner_reads_the_reference_and_nothing_else(reference: str):
    [read] = zxingcpp.read_barcodes(drawn(letters.code(reference)))
    assert (read.text, read.format) == (reference, zxingcpp.BarcodeFormat.QRCode)
