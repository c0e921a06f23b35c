"""What is brought as a file: limited by size, count and shape, named by us, and never served as a page."""

import io
import zipfile

import pytest

from incident.domain.access import CASE_TEAM
from incident.store import imports as import_rows
from incident.store import incidents
from incident.store.db import db
from tests.builders import an_incident

TRICKS = {
    "../../../etc/passwd": "passwd",
    "..\\..\\windows\\win.ini": None,
    "/etc/cron.d/x": "x",
    "C:\\x\\y.txt": None,
    "a\x00.txt": None,
    "a\r\nSet-Cookie: zq=1": None,
    "\u202egpj.exe": None,
    "<img src=zq onerror=zq()>.html": None,
    '"; filename="zq.html': None,
    "x" * 300 + ".txt": None,
    "名单.csv": "名单.csv",
    "résumé 📎.pdf": "résumé 📎.pdf",
    ".htaccess": ".htaccess",
    "-rf": "-rf",
    "CON": "CON",
}
"""The name that a browser sends, and what is kept of it where that is said."""


@pytest.fixture
def case(as_):
    return as_(*CASE_TEAM), an_incident()


def folder_of(app):
    return app.extensions["settings"].instance / "files"


def evidence(browser, incident, name: str, content: bytes = b"log", **more: str):
    given = {"file": (io.BytesIO(content), name), "brought_by": "Somebody", "description": "A file"} | more
    return browser.post(f"/incidents/{incident.ref}/evidence", data=given)


@pytest.mark.parametrize("name", TRICKS, ids=lambda name: ascii(name)[:30])
def test_a_name_is_only_a_word(app, case, name):
    browser, incident = case
    before = set(folder_of(app).rglob("*"))
    assert evidence(browser, incident, name).status_code in {302, 422}
    db.session.rollback()
    for piece in incidents.evidence(incident.id):
        assert piece.name.isprintable()
        assert "/" not in piece.name
        assert "\\" not in piece.name
        assert TRICKS[name] in {None, piece.name}
        stored = set(folder_of(app).rglob("*")) - before
        assert {one.name for one in stored} == {piece.stored_as}
        assert piece.stored_as.isalnum()
        answer = browser.get(f"/incidents/{incident.ref}/evidence/{piece.ref}/file", buffered=True)
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "\n" not in answer.headers["Content-Disposition"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "zq" not in str(answer.headers.getlist("Set-Cookie"))
    page = browser.get(f"/incidents/{incident.ref}/evidence").text
    assert "<img src=zq" not in page


@pytest.mark.parametrize(
    "content", [b"<script>zq()</script>", b"<svg onload='zq()'/>", b"%PDF-1.4 /JS", b"\x7fELF", b"GIF89a"]
)
def test_a_file_is_never_served_as_a_page(case, content):
    browser, incident = case
    assert evidence(browser, incident, "page.html", content).status_code == 302
    [piece] = incidents.evidence(incident.id)
    answer = browser.get(f"/incidents/{incident.ref}/evidence/{piece.ref}/file", buffered=True)
    assert (answer.mimetype, answer.get_data()) == ("application/octet-stream", content)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def laughs() -> bytes:
    """A workbook whose sheet names entities that name entities."""
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    sheet = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "zq">{entities}]><worksheet><sheetData><row><c><v>&a11;</v></c></row></sheetData></worksheet>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as book:
        book.writestr("xl/worksheets/sheet1.xml", sheet)
        book.writestr("xl/workbook.xml", '<workbook><sheets><sheet name="x" sheetId="1"/></sheets></workbook>')
    return packed.getvalue()


LISTS = {
    "entities": laughs,
    "cut zip": lambda: laughs()[:200],
    "nothing": lambda: b"",
    "zero bytes": lambda: b"\0" * 10_000,
    "one endless line": lambda: b"name,email," + b"x" * 3_000_000,
    "300 columns": lambda: ",".join(f"c{n}" for n in range(300)).encode() + b"\n",
    "path as entry": lambda: _zip({"../../x.xml": b"x"}),
    "gzip": lambda: b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    "xml entity": lambda: b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "utf-16": lambda: "name,email\nÄnne,a@example.org\n".encode("utf-16"),
    "gb18030": lambda: "姓名,邮箱\n张伟,zhang@example.cn\n".encode("gb18030") * 30,
    "utf-8 with mark": lambda: b"\xef\xbb\xbfname,email\nA,a@example.org\n",
    "half letters": lambda: b"name,email\n\xed\xa0\x80,a@example.org\n",
    "bidi and look-alikes": lambda: "name,email\n\u202eeve,\u0430dmin@ex\u0430mple.org\n".encode(),
    "international domain": lambda: "name,email\nJörg,jörg@münchen.example\n".encode(),
}  # fmt: skip


def _zip(entries: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_is_read_or_refused_in_words_and_leaves_nothing_behind(app, case, kind):
    browser, incident = case
    content = LISTS[kind]()
    before = set(folder_of(app).rglob("*"))
    given = {"file": (io.BytesIO(content), "list.xlsx" if content[:2] == b"PK" else "list.csv")}
    answer = browser.post(f"/incidents/{incident.ref}/lists/", data=given)
    assert answer.status_code in {302, 422}
    if answer.status_code == 302:
        page = browser.get(answer.location)
        assert page.status_code in {200, 422}
        assert "root:" not in page.text
    else:
        assert set(folder_of(app).rglob("*")) == before
        db.session.rollback()
        assert list(import_rows.of(incident.id)) == []


def test_more_than_the_installation_takes_is_refused_before_it_is_read(app, case):
    browser, incident = case
    told = {
        "CONTENT_LENGTH": str(app.config["MAX_CONTENT_LENGTH"] + 1),
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
    }
    answer = browser.post(f"/incidents/{incident.ref}/evidence", data=b"x", environ_overrides=told)
    assert answer.status_code == 413


def test_a_form_of_thousands_of_parts_or_of_megabytes_of_text_is_refused(case):
    browser, incident = case
    many = {f"field{n}": "x" for n in range(2_500)} | {"file": (io.BytesIO(b"x"), "x")}
    assert browser.post(f"/incidents/{incident.ref}/evidence", data=many).status_code == 413
    long = {"brought_by": "x" * 5 * 2**20, "file": (io.BytesIO(b"x"), "x")}
    assert browser.post(f"/incidents/{incident.ref}/evidence", data=long).status_code == 413
    assert browser.post(f"/incidents/{incident.ref}/notes", data={"text": "x" * 5 * 2**20}).status_code in {413, 422}


@pytest.mark.parametrize("depth", [200, 100_000])
def test_json_that_is_nested_beyond_sense_is_refused(app, token_for, depth):
    body = b'{"text":' + b"[" * depth + b"]" * depth + b"}"
    incident = an_incident()
    answer = app.test_client().post(
        f"/api/v1/incidents/{incident.ref}/notes", data=body, content_type="application/json", headers=token_for("lead")
    )
    assert answer.status_code in {400, 422}
