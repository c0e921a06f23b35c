"""Letters as a file for the printer: PDF/A-2b, an address for the window, a code with the opaque reference, pages n of m.

Every letter begins on the front of a sheet. Same input, same bytes. No text in it is read as markup.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

from incident import parts
from incident.domain.letters import CODE_SIDE, Form, Printed, grouped
from incident.exports.glyphs import printable
from incident.exports.pdf import TEMPLATES, fonts

if TYPE_CHECKING:
    import qrcode.constants
    import qrcode.main
    import typst
else:
    qrcode = parts.later("qrcode")
    typst = parts.later("typst")

LAYOUT = TEMPLATES / "exports" / "letters.typ"
STANDARDS: Final[list[Any]] = ["a-2b"]
MIME: Final = "application/pdf"
QUIET: Final = 4  # modules around the code
SIZES: Final = (10.0, 9.0, 8.0)  # pt, of the address
MISSING: Final = re.compile(r"\[U\+[0-9A-F]{4,6}\]")
FORGETS_AFTER: Final = 11  # files
LINES: Final = {"h1": "title", "h2": "heading", "p": "paragraph", "ul": "bullets", "ol": "numbers"}

Run = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: its reference, the lines for the window, and its text as the HTML of the message."""

    ref: str
    lines: tuple[str, ...]
    html: str
    language: str
    country: str


class Unprintable(Exception):
    """A letter holds a character that no font here has. The sentence names no person and no text."""


@dataclass(frozen=True)
class PrintFile:
    """A file for the printer, and where each letter stands in it."""

    content: bytes
    letters: tuple[Printed, ...]
    pages: int


def print_file(
    letters: Sequence[Letter], form: Form, *, name: str, sender: str, author: str, first: int, at: datetime
) -> PrintFile:
    """The letters as one file, numbered from `first`. Raises Unprintable."""
    numbered = list(enumerate(letters, first))
    inputs = {
        "title": name,
        "author": author,
        "code_side": CODE_SIDE,
        "form": {
            "paper": form.paper, "left": form.address.left, "top": form.address.top, "width": form.address.width,
            "line": form.line, "lines": form.lines, "sender_top": form.sender_top, "body_top": form.body_top,
        },
        "letters": [_plain(number, letter, sender) | {"size": size_of(letter.lines, form)} for number, letter in numbered],
    }  # fmt: skip
    compiler = typst.Compiler(
        str(LAYOUT),
        root=str(LAYOUT.parent),
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={"letters": json.dumps(inputs, ensure_ascii=False)},
    )
    try:
        content = compiler.compile(format="pdf", pdf_standards=STANDARDS, timestamp=_whole(at), pdf_tags=False)
    except typst.TypstError as error:
        if "could not be displayed" in str(error):
            raise Unprintable("A letter holds a character that no font here has.") from None
        raise
    found = json.loads(compiler.query("<size>", field="value"))
    _forget()
    pages = {entry["sequence"]: (entry["last"] - entry["pages"] + 1, entry["pages"]) for entry in found}
    printed = tuple(
        Printed(number, letter.ref, name, form.key, letter.country, letter.language, *pages[number])
        for number, letter in numbered
    )
    assert isinstance(content, bytes)
    return PrintFile(content, printed, found[-1]["last"] if found else 0)


def _forget() -> None:
    """Let the typesetter drop what it remembers of the letters: it keeps everything until ten further files were set."""
    for _ in range(FORGETS_AFTER):
        typst.compile(b"", format="pdf", font_paths=fonts(), ignore_system_fonts=True)


def check(letter: Letter, sender: str) -> None:
    """Raises Unprintable if a letter, its address or the sender's holds a character that no font here has."""
    _plain(1, letter, sender)


def _whole(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _plain(number: int, letter: Letter, sender: str) -> dict[str, Any]:
    return {
        "sequence": number,
        "ref": letter.ref,
        "grouped": grouped(letter.ref),
        "language": letter.language.partition("-")[0],
        "sender": _shown(sender),
        "lines": [_shown(line) for line in letter.lines],
        "blocks": [
            {"kind": kind, "lines": [[(_shown(text), bold) for text, bold in line] for line in lines]}
            for kind, lines in blocks(letter.html)
        ],
        "code": code(letter.ref),
    }


def _shown(text: str) -> str:
    """The text in one form of each letter. Raises Unprintable: a notice with holes in it is no notice."""
    shown = printable(text)
    if shown != text and MISSING.search(shown) and len(MISSING.findall(shown)) > len(MISSING.findall(text)):
        raise Unprintable("A letter holds a character that no font here has.")
    return shown


def code(ref: str) -> str:
    """The QR code of a reference as an SVG, quiet zone included; it holds the reference and nothing else."""
    made: qrcode.main.QRCode[Any] = qrcode.main.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M, border=0, mask_pattern=0
    )
    made.add_data(ref)
    made.make(fit=True)
    side = len(made.modules) + 2 * QUIET
    path = "".join(
        f"M{start + QUIET} {row + QUIET}h{end - start}v1h-{end - start}z"
        for row, modules in enumerate(made.modules)
        for start, end in _dark(modules)
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path d="{path}"/></svg>'


def _dark(modules: Sequence[bool | None]) -> list[tuple[int, int]]:
    """Where each run of dark modules begins and ends."""
    edges = [
        place for place, (a, b) in enumerate(zip([None, *modules], [*modules, None], strict=True)) if bool(a) != bool(b)
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


# How wide a line is ---------------------------------------------------------------------------------------------------


def width(text: str, size: float) -> float:
    """About how wide a line is in millimetres: a wide letter fills a square, a narrow one rather more than half of it."""
    return sum(1.0 if ord(letter) >= 0x2E80 else 0.68 if letter.isupper() else 0.56 for letter in text) * size * 0.3528


def size_of(lines: Sequence[str], form: Form) -> float:
    """The largest size in points at which every line of an address fits beside the code; the smallest if none does."""
    return next((size for size in SIZES if all(width(line, size) <= form.name_width for line in lines)), SIZES[-1])


def fits(lines: Sequence[str], form: Form) -> bool:
    """Whether the whole address shows in the window, beside the code, at the smallest size."""
    return len(lines) <= form.lines and all(width(line, SIZES[-1]) <= form.name_width for line in lines)


# The text of a message as blocks --------------------------------------------------------------------------------------


def blocks(html: str) -> list[tuple[str, list[list[Run]]]]:
    """The text of a message as (kind, lines of runs): what our own HTML says, links followed by their address."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    """Reads the few tags that our messages are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[list[Run]]]] = []
        self._line: list[Run] | None = None
        self._bold = False
        self._href = ""
        self._label = ""
        self._small = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in LINES:
            kind = "small" if self._small and tag == "p" else LINES[tag]
            self.found.append((kind, []))
        if tag in ("h1", "h2", "p", "li") and self.found:
            self._line = []
            self.found[-1][1].append(self._line)
        elif tag == "br" and self._line is not None:
            self._line.append(("\n", False))
        elif tag == "hr":
            self.found.append(("rule", []))
            self._small = True
        elif tag == "strong":
            self._bold = True
        elif tag == "a":
            self._href, self._label = dict(attrs).get("href") or "", ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h1", "h2", "p", "li"):
            self._line = None
        elif tag == "strong":
            self._bold = False
        elif tag == "a" and self._line is not None:
            if self._href and self._href != self._label:
                self._line.append((f" ({self._href})", self._bold))
            self._href = ""

    def handle_data(self, data: str) -> None:
        if self._line is not None and data:
            begins = not self._line or self._line[-1][0] == "\n"
            self._line.append((data.lstrip() if begins else data.replace("\n", " "), self._bold))
            self._label += data if self._href else ""
