import io
import random
import zipfile

import pytest
import xlsxwriter

from incident.domain.errors import Invalid
from incident.domain.imports import Reason
from incident.store import tables
from incident.store.tables import Form, Row

CSV = Form("csv", "utf-8-sig", ",")
CHINESE = "姓名,邮箱,手机\r\n张伟,zhang@example.cn,13800138000\r\n王芳,wang@example.cn,13900139000\r\n"
GERMAN = "Nachname;E-Mail;Straße\r\nMüller;m@example.de;Königstraße 7\r\nGroß;g@example.de;Übergasse 3\r\n"


def read(text, form=CSV):
    content = text.encode(form.encoding) if isinstance(text, str) else text
    return list(tables.rows(io.BytesIO(content), form))


def a_workbook(rows, **options):
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, options) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if hasattr(cell, "year"):
                    sheet.write_datetime(number, column, cell, day)
                else:
                    sheet.write(number, column, cell)
    return packed.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_a_chinese_list_is_known_by_its_encoding(encoding):
    form = tables.sniffed(io.BytesIO((CHINESE * 3).encode(encoding)))
    assert (form.kind, form.delimiter) == ("csv", ",")
    assert read((CHINESE * 3).encode(encoding), form)[1].cells == ["张伟", "zhang@example.cn", "13800138000"]


def test_chinese_far_behind_plain_rows_is_still_seen():
    plain = "name,email\n" + "Ann Example,ann@example.org\n" * 20_000
    content = (plain + "张伟,zhang@example.cn\n王芳,wang@example.cn\n李娜,li@example.cn\n").encode("gb18030")
    assert tables.sniffed(io.BytesIO(content)).encoding == "gb18030"


@pytest.mark.parametrize(
    ("encoding", "expected"), [("cp1252", "cp1252"), ("latin-1", "cp1252"), ("utf-8", "utf-8-sig")]
)
def test_a_german_list_is_known_by_its_encoding_and_separator(encoding, expected):
    form = tables.sniffed(io.BytesIO(GERMAN.encode(encoding)))
    assert (form.encoding, form.delimiter) == (expected, ";")
    assert read(GERMAN.encode(encoding), form)[2].cells == ["Groß", "g@example.de", "Übergasse 3"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_found(delimiter):
    text = delimiter.join(["name", "email", "town"]) + "\n" + delimiter.join(["Ann", "a@example.org", "Rome"]) + "\n"
    assert tables.sniffed(io.BytesIO(text.encode())).delimiter == delimiter


def test_a_separator_named_by_the_file_is_taken_and_its_line_is_no_row():
    text = "sep=;\r\nname;email\r\nAnn, Dr.;a@example.org\r\n"
    form = tables.sniffed(io.BytesIO(text.encode()))
    assert form.delimiter == ";"
    assert [row.cells for row in read(text, form)] == [["name", "email"], ["Ann, Dr.", "a@example.org"]]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n \n", b"\xff\xfe"])
def test_an_empty_file_is_refused(content):
    with pytest.raises(Invalid, match="empty"):
        tables.sniffed(io.BytesIO(content))


def test_an_old_or_locked_workbook_is_refused_with_what_to_do():
    with pytest.raises(Invalid, match="Save it as XLSX"):
        tables.sniffed(io.BytesIO(b"\xd0\xcf\x11\xe0" + b"\0" * 600))


def test_rows_are_numbered_as_a_spreadsheet_numbers_them():
    rows = read("a,b\n1,2\n\n3,4")
    assert rows == [Row(1, ["a", "b"]), Row(2, ["1", "2"]), Row(3, []), Row(4, ["3", "4"])]


def test_an_address_of_several_lines_is_one_row():
    assert read('a,b\n1,"x\r\ny"\n2,z\n')[1].cells == ["1", "x\r\ny"]


def test_a_stray_quotation_mark_costs_one_row_and_no_other():
    rows = read('name,email\n"Anna,a@example.org\nBob,b@example.org\n"Carl, Jr",c@example.org\nDora,d@example.org\n')
    assert [(row.number, row.trouble) for row in rows] == [
        (1, None),
        (2, Reason.QUOTING),
        (3, None),
        (4, None),
        (5, None),
    ]
    assert rows[1].cells == ['"Anna,a@example.org']
    assert [row.cells[0] for row in rows[2:]] == ["Bob", "Carl, Jr", "Dora"]


def test_an_open_quotation_mark_in_a_long_list_costs_one_row():
    lines = ["name,email", '"Anna,a@example.org', *(f"Person {n},p{n}@example.org" for n in range(5_000))]
    rows = read("\n".join(lines))
    assert [row.number for row in rows if row.trouble] == [2]
    assert len(rows) == 5_002
    assert rows[-1].cells == ["Person 4999", "p4999@example.org"]


def test_an_open_quotation_mark_in_every_row_is_read_in_good_time():
    rows = read("name,email\n" + '"Anna,a@example.org\n' * 3_001)
    assert len(rows) >= 1_500
    assert sum(len(row.cells) if row.trouble else 0 for row in rows) <= len(rows)


def test_a_line_without_end_is_refused_and_the_next_is_read():
    rows = read("name,email\n" + "x" * 3_000_000 + "\nBob,b@example.org\n")
    assert [(row.number, row.trouble) for row in rows] == [(1, None), (2, Reason.TOO_LONG), (3, None)]
    assert rows[2].cells == ["Bob", "b@example.org"]


def test_a_giant_field_is_refused_and_the_next_row_is_read():
    rows = read("name,email\n" + "x" * 200_000 + ",a@example.org\nBob,b@example.org\n")
    assert [row.trouble for row in rows] == [None, Reason.TOO_LONG, None]


def test_bytes_outside_the_encoding_show_as_the_mark_for_them():
    assert read(b"name,email\nM\xfcller,m@example.de\n")[1].cells[0] == "M\ufffdller"


def test_whatever_the_bytes_every_line_is_in_some_row():
    dice = random.Random(7)
    for _ in range(300):
        text = "".join(dice.choice('ab,"\n\r é\0;') for _ in range(dice.randint(0, 200)))
        content = text.encode()
        seen = "".join("".join(row.cells) for row in tables.rows(io.BytesIO(content), CSV))
        wanted = [letter for letter in text if letter in "abé"]
        assert sorted(letter for letter in seen if letter in "abé") == sorted(wanted), repr(text)


def test_a_workbook_is_read_as_a_person_would_have_typed_it():
    from_day = __import__("datetime").date(2010, 1, 2)
    content = a_workbook(
        [["Name", "Tel", "Geboren", "ok"], ["Ann", 13800138000, from_day, True], [], ["Bo", 1.5, "", False]]
    )
    assert tables.sniffed(io.BytesIO(content)).kind == "xlsx"
    rows = read(content, Form("xlsx"))
    assert rows[1] == Row(2, ["Ann", "13800138000", "2010-01-02", "yes"])
    assert [row.number for row in rows] == [1, 2, 3, 4]
    assert rows[3].cells == ["Bo", "1.5", "", "no"]


def test_reading_may_stop_after_the_first_rows():
    content = a_workbook([["Name"], *([f"Person {n}"] for n in range(5_000))], constant_memory=True)
    reading = tables.rows(io.BytesIO(content), Form("xlsx"))
    assert next(reading).cells == ["Name"]
    reading.close()


@pytest.mark.parametrize("content", [b"PK\x03\x04 nothing", b"PK\x03\x04" + b"\0" * 500])
def test_a_damaged_workbook_is_refused(content):
    with pytest.raises(Invalid, match="cannot be read"):
        read(content, Form("xlsx"))


def test_a_cut_workbook_is_refused():
    with pytest.raises(Invalid, match="cannot be read"):
        read(a_workbook([["Name"], ["Ann"]])[:-200], Form("xlsx"))


def test_a_workbook_that_unpacks_without_end_is_refused():
    real = io.BytesIO(a_workbook([["Name"], ["Ann"]]))
    packed = io.BytesIO()
    with zipfile.ZipFile(real) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for part in source.infolist():
            target.writestr(part.filename, source.read(part))
        with target.open("xl/bomb.bin", "w", force_zip64=True) as bomb:
            for _ in range(65):
                bomb.write(b"\0" * 2**24)
    with pytest.raises(Invalid, match="unpacks to too much"):
        read(packed.getvalue(), Form("xlsx"))


def test_a_workbook_with_one_cell_at_the_far_corner_is_refused_not_served():
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Name")
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(Invalid, match="cannot be read"):
        read(packed.getvalue(), Form("xlsx"))


def test_a_workbook_that_repeats_one_giant_text_is_refused_not_served():
    content = a_workbook([["x" * 32_000] * 40 for _ in range(3_000)])
    with pytest.raises(Invalid, match="cannot be read"):
        read(content, Form("xlsx"))


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        (
            "big5",
            "姓名,電郵\n陳大文,chan@example.hk\n王小明,wong@example.hk\n李嘉欣,lee@example.hk\n張學友,cheung@example.hk\n",
        ),
        (
            "cp932",
            "氏名,メール\n山田太郎,yamada@example.jp\n佐藤はなこ,sato@example.jp\n鈴木いちろう,suzuki@example.jp\n",
        ),
        ("cp1251", "имя,почта\nИванов Пётр Сергеевич,ivanov@example.ru\nСидорова Мария Ивановна,sidorova@example.ru\n"),
    ],
)
def test_other_encodings_are_not_taken_for_simplified_chinese(encoding, text):
    assert tables.sniffed(io.BytesIO(text.encode(encoding))).encoding == encoding
