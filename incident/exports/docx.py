"""Documents as DOCX, for authorities and counsel who edit. Same input, same bytes."""

import io
import unicodedata
import zipfile
from datetime import UTC
from typing import TYPE_CHECKING, Any

from incident import parts
from incident.exports.document import Document, Item, Section, Table

if TYPE_CHECKING:
    import docx
    from docx import oxml, shared
    from docx.document import Document as Word
    from docx.enum import text as colours
    from docx.oxml import ns
else:
    docx = parts.later("docx")
    oxml, ns = parts.later("docx.oxml"), parts.later("docx.oxml.ns")
    shared, colours = parts.later("docx.shared"), parts.later("docx.enum.text")

MIME = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
LATIN, CHINESE = "Calibri", "Microsoft YaHei"
QUIET = (0x4A, 0x58, 0x68)
INK = (0x17, 0x21, 0x2E)
LANGUAGES = {"en": "en-GB", "zh": "zh-CN"}
COLONS = {"en": ": ", "zh": "："}
EARLIEST = (1980, 1, 1, 0, 0, 0)


def docx_bytes(document: Document) -> bytes:
    """The document as a file."""
    word = docx.Document()
    _set_up(word, document)
    word.add_heading(_clean(document.title), level=0)
    _small(word, document.subtitle)
    was = f"{document.was_word}{COLONS[document.language]}"
    _particulars(word, document.particulars, COLONS[document.language])
    for item in document.summary:
        _item(word, item, was)
    for section in document.sections:
        _section(word, section, was)
    if document.closing:
        _small(word, document.closing)
    written = io.BytesIO()
    word.save(written)
    return _settled(written.getvalue())


def _set_up(word: "Word", document: Document) -> None:
    properties = word.core_properties
    properties.title, properties.author, properties.subject = (
        _clean(document.title),
        _clean(document.author),
        _clean(document.subtitle),
    )
    properties.comments, properties.keywords, properties.language = "", "", LANGUAGES[document.language]
    properties.created = properties.modified = document.at.astimezone(UTC).replace(tzinfo=None)
    properties.last_modified_by, properties.revision = "", 1
    page = word.sections[0]
    page.page_width, page.page_height = shared.Mm(210), shared.Mm(297)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = shared.Mm(20)
    page.footer.paragraphs[0].text = _clean(document.subtitle)
    for name in ("Normal", "Title", "Heading 1", "Heading 2"):
        _style(word.styles[name], document.language)
    word.styles["Normal"].font.size = shared.Pt(10)
    word.styles["Title"].font.size = shared.Pt(20)
    word.styles["Heading 1"].font.size = shared.Pt(13)
    word.styles["Heading 2"].font.size = shared.Pt(10)


def _style(style: Any, language: str) -> None:
    style.font.name, style.font.color.rgb = LATIN, shared.RGBColor(*INK)
    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(ns.qn(f"w:{theme}"), None)
    fonts.set(ns.qn("w:eastAsia"), CHINESE)
    spoken = oxml.OxmlElement("w:lang")
    spoken.set(ns.qn("w:val"), LANGUAGES["en"])
    spoken.set(ns.qn("w:eastAsia"), LANGUAGES["zh"])
    properties.append(spoken)


def _section(word: "Word", section: Section, was_word: str) -> None:
    word.add_heading(_clean(section.heading), level=1)
    if section.text:
        word.add_paragraph(_clean(section.text))
    for item in section.items:
        _item(word, item, was_word)
    for table in section.tables:
        _table(word, table)


def _item(word: "Word", item: Item, was_word: str) -> None:
    heading = word.add_heading(_clean(item.label), level=2)
    for mark in item.marks:
        run = heading.add_run(f"  [{_clean(mark.word)}]")
        run.font.highlight_color = colours.WD_COLOR_INDEX.YELLOW if mark.tone != "plain" else None
    if item.text:
        word.add_paragraph(_clean(item.text))
    if item.was:
        _small(word, f"{was_word}{item.was}")
    for note in item.notes:
        _small(word, note)


def _particulars(word: "Word", rows: tuple[tuple[str, str], ...], colon: str) -> None:
    for name, value in rows:
        paragraph = word.add_paragraph()
        paragraph.paragraph_format.space_after = shared.Pt(2)
        paragraph.add_run(f"{_clean(name)}{colon}").font.color.rgb = shared.RGBColor(*QUIET)
        paragraph.add_run(_clean(value))


def _table(word: "Word", table: Table) -> None:
    grid = word.add_table(rows=1, cols=len(table.header), style="Table Grid")
    for cell, name in zip(grid.rows[0].cells, table.header, strict=True):
        cell.text = _clean(name)
    repeated = oxml.OxmlElement("w:tblHeader")
    grid.rows[0]._tr.get_or_add_trPr().append(repeated)
    for row in table.rows:
        for cell, value in zip(grid.add_row().cells, row, strict=True):
            cell.text = _clean(value)


def _small(word: "Word", text: str) -> None:
    run = word.add_paragraph().add_run(_clean(text))
    run.font.size, run.font.color.rgb = shared.Pt(8), shared.RGBColor(*QUIET)


def _clean(text: str) -> str:
    """The text without what XML cannot hold."""
    return "".join(
        letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in {"Cc", "Cs", "Cn"}
    )


def _settled(made: bytes) -> bytes:
    """The same parts packed without the clock of this machine, so that the file's digest says something."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist(), key=lambda part: (part != "[Content_Types].xml", part)):
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            target.writestr(entry, source.read(name))
    return packed.getvalue()
