"""Documents as PDF that keeps: PDF/A-3a with its data inside, PDF/UA-1 for readers who listen. Same input, same bytes."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pylopdf_fonts_zh_cn

from incident import parts
from incident.exports.document import Attachment, Document
from incident.exports.glyphs import printable

if TYPE_CHECKING:
    import typst
else:
    typst = parts.later("typst")

STANDARDS: Final[list[Any]] = ["a-3a", "ua-1"]
FONTS = Path(pylopdf_fonts_zh_cn.__file__).parent
PACKAGE = Path(__file__).parent.parent
TEMPLATES = PACKAGE / "_templates" if (PACKAGE / "_templates").is_dir() else PACKAGE.parent / "templates"
LAYOUT = TEMPLATES / "exports" / "document.typ"
MIME = "application/pdf"


def pdf(document: Document, attachments: Sequence[Attachment] = ()) -> bytes:
    """The document as a file. No text in it is read as markup; a letter that the fonts lack is shown by its code point."""
    listed = [
        {"key": f"file-{number}", "name": one.name, "mime": one.mime, "description": one.description}
        for number, one in enumerate(attachments)
    ]
    inputs = {f"file-{number}": one.content.decode("utf-8") for number, one in enumerate(attachments)}
    inputs["attachments"] = json.dumps(listed)
    try:
        return _compiled(document, inputs, marks=True)
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
        return _compiled(document, inputs, marks=False)


def _compiled(document: Document, inputs: dict[str, str], *, marks: bool) -> bytes:
    compiled = typst.compile(
        LAYOUT.read_bytes(),
        format="pdf",
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={**inputs, "document": json.dumps(_printable(document.plain(), marks), ensure_ascii=False)},
        pdf_standards=STANDARDS,
        timestamp=document.at.astimezone(UTC).replace(microsecond=0),
    )
    assert isinstance(compiled, bytes)
    return compiled


@cache
def fonts() -> "typst.Fonts":
    """The fonts of the wheel and of the typesetter, found once; never those of this machine."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(FONTS)])


def _printable(value: Any, marks: bool) -> Any:
    """A JSON value with every text in it made printable."""
    if isinstance(value, str):
        return printable(value, marks=marks)
    if isinstance(value, Mapping):
        return {key: _printable(inner, marks) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner, marks) for inner in value]
    return value
