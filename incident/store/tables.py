"""Other people's lists, row by row: CSV in any encoding and workbooks. No row is lost, however broken the file is."""

import codecs
import csv
import io
import json
import re
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from incident import parts
from incident.domain.errors import Invalid
from incident.domain.imports import MOST_COLUMNS, Reason
from incident.store import sheet

if TYPE_CHECKING:
    import charset_normalizer
else:
    charset_normalizer = parts.later("charset_normalizer")

CSV: Final = "csv"
XLSX: Final = "xlsx"
SAMPLE: Final = 256 * 1024
LONGEST_LINE: Final = 1024 * 1024
MOST_LINES_A_ROW: Final = 100
DELIMITERS: Final = (",", ";", "\t", "|")
ENCODINGS: Final = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16, little end first, unmarked",
    "utf-16-be": "UTF-16, big end first, unmarked",
    "gb18030": "GB18030 (also GBK, GB2312)",
    "big5": "Big5",
    "cp1252": "Western European (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp932": "Japanese (Shift-JIS)",
    "euc_jp": "Japanese (EUC)",
    "cp949": "Korean (CP949)",
    "mac_roman": "Western European (old Macintosh)",
}
"""The encodings offered, by Python's name, in the order of the form."""

COMMON_CHINESE: Final = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]")
OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"
PACKED: Final = b"PK\x03\x04"


class Row(NamedTuple):
    """One row as spreadsheets number it (the first is 1), or the reason why it cannot be read."""

    number: int
    cells: list[str]
    trouble: Reason | None = None


@dataclass(frozen=True)
class Form:
    """How a list is written."""

    kind: str
    encoding: str = ""
    delimiter: str = ""


def sniffed(stream: IO[bytes]) -> Form:
    """How this list is most likely written. Raises Invalid for what is no list at all."""
    sample = _sample(stream)
    if not sample.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise Invalid("file", "The file is empty.")
    if sample.startswith(PACKED):
        return Form(XLSX)
    if sample.startswith(OLD_WORKBOOK):
        raise Invalid(
            "file",
            "This workbook is in the old format or locked by a password. Save it as XLSX without a password, or as CSV.",
        )
    encoding = _encoding(sample)
    return Form(CSV, encoding, _delimiter(sample.decode(encoding, "replace")))


def checked_form(form: Form) -> Form:
    """The form, if it can be read. Raises Invalid."""
    if form.kind == CSV and form.encoding not in ENCODINGS:
        raise Invalid("encoding", "Choose an encoding from the list.")
    if form.kind == CSV and form.delimiter not in DELIMITERS:
        raise Invalid("delimiter", "Choose a separator from the list.")
    return form


def _sample(stream: IO[bytes]) -> bytes:
    """The beginning of the file; where that is plain ASCII, with the first lines of all the rest that are not."""
    start = stream.read(SAMPLE)
    if b"\0" in start or not start.isascii():
        return start
    telling = bytearray()
    while len(telling) < SAMPLE and (line := stream.readline(LONGEST_LINE)):
        if not line.isascii():
            telling += line
    return start + bytes(telling)


def _encoding(sample: bytes) -> str:
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if sample.count(b"\0") > len(sample) // 5:
        return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
    if _is_utf8(sample):
        return "utf-8-sig"
    telling = b"\n".join(line for line in sample.splitlines() if not line.isascii())
    if _is_plainly_chinese(telling):
        return "gb18030"
    found = charset_normalizer.from_bytes(
        telling, cp_isolation=[name for name in ENCODINGS if not name.startswith("utf")]
    ).best()
    name = codecs.lookup(found.encoding).name if found else "cp1252"
    known = {codecs.lookup(encoding).name: encoding for encoding in ENCODINGS}
    return _western_first(known.get(name, "cp1252"), telling)


def _is_plainly_chinese(telling: bytes) -> bool:
    """Whether nearly all that is not ASCII are pairs of bytes for the commonest Chinese characters (GB 2312, level 1)."""
    pairs = len(COMMON_CHINESE.findall(telling)) * 2
    return pairs > 0.8 * sum(1 for byte in telling if byte > 0x7F)


def _is_utf8(sample: bytes) -> bool:
    """The sample may end within a letter."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _western_first(name: str, sample: bytes) -> str:
    """Western text is valid in many code pages that read its letters alike; then the common one is meant."""
    if name in {"cp1250", "mac_roman", "cp1254"}:
        letters = {
            character for character in sample.decode(name, "replace") if character.isalpha() and not character.isascii()
        }
        western = {
            character
            for character in sample.decode("cp1252", "replace")
            if character.isalpha() and not character.isascii()
        }
        if letters == western:
            return "cp1252"
    return name


def _delimiter(text: str) -> str:
    """The separator that cuts the first rows into the same number of columns most often; more columns win."""
    lines = [line[: csv.field_size_limit()] for line in text.splitlines()[:40]]
    if lines and (named := _named_delimiter(lines[0])):
        return named
    best, rank = ",", (0, 0)
    for delimiter in DELIMITERS:
        widths = Counter(len(cells) for cells in csv.reader(lines, delimiter=delimiter) if cells)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        if width > 1 and (count, width) > rank:
            best, rank = delimiter, (count, width)
    return best


def _named_delimiter(line: str) -> str:
    """Excel writes `sep=;` as the first line of some lists."""
    words = line.lstrip("\ufeff").strip("\r\n")
    return words[4] if len(words) == 5 and words.startswith("sep=") and words[4] in DELIMITERS else ""


def rows(stream: IO[bytes], form: Form) -> Iterator[Row]:
    """The rows of the list, in order. Raises Invalid when a workbook cannot be read to its end."""
    return _sheet_rows(stream) if form.kind == XLSX else _csv_rows(stream, form)


class _Runaway(Exception):
    """A row that does not end: an open quotation mark, or a line beyond all bounds."""


class _Lines:
    """The lines of a text, which can be put back; remembers those of the present row."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._back: deque[str] = deque()
        self.of_row: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.of_row.append(line)
        if len(line) >= LONGEST_LINE or len(self.of_row) > MOST_LINES_A_ROW:
            self._skip_rest(line)
            raise _Runaway
        return line

    def put_back(self) -> None:
        """All lines of the present row but the first are read again."""
        self._back.extendleft(reversed(self.of_row[1:]))

    def _skip_rest(self, line: str) -> None:
        while len(line) >= LONGEST_LINE and not line.endswith(("\n", "\r")):
            line = self._text.readline(LONGEST_LINE)


def _csv_rows(stream: IO[bytes], form: Form) -> Iterator[Row]:
    lines = _Lines(io.TextIOWrapper(stream, form.encoding, "replace", newline=""))
    reader = csv.reader(lines, delimiter=form.delimiter, strict=True)
    number, width = 0, 0
    while True:
        lines.of_row.clear()
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _Runaway):
            yield _broken(number, lines)
            continue
        if number == 1 and _named_delimiter(lines.of_row[0]):
            number = 0
            continue
        width = width or len(cells)
        if len(lines.of_row) > 1 and len(cells) != width:
            yield _broken(number, lines)
        else:
            yield Row(number, cells)


def _broken(number: int, lines: _Lines) -> Row:
    """Only the line with the stray quotation mark is refused; those it swallowed are read again."""
    first = lines.of_row[0].rstrip("\r\n")
    reason = Reason.TOO_LONG if len(first) > csv.field_size_limit() else Reason.QUOTING
    lines.put_back()
    return Row(number, [first[:LONGEST_LINE]], reason)


def height(stream: IO[bytes], form: Form) -> int:
    """How many rows a workbook has; 0 for CSV, which tells only at its end. Raises Invalid."""
    if form.kind == CSV:
        return 0
    with _sheet_reader(stream) as lines:
        head = lines.readline()
    if not head:
        raise Invalid("file", UNREADABLE)
    return int(json.loads(head)["rows"])


def _sheet_rows(stream: IO[bytes]) -> Iterator[Row]:
    with _sheet_reader(stream) as lines:
        if not lines.readline():
            raise Invalid("file", UNREADABLE)
        for number, line in enumerate(lines, start=1):
            if line == END:
                return
            yield Row(number, json.loads(line))
    raise Invalid("file", UNREADABLE)


@contextmanager
def _sheet_reader(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The output of a reader of its own, fed with the stream; gone when the caller is done with it."""
    command = [sys.executable, "-I", str(Path(sheet.__file__))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:  # noqa: S603  (our own program)
        if reader.stdin is None or reader.stdout is None:
            raise RuntimeError("The workbook reader has no pipes.")
        feeder = threading.Thread(target=_feed, args=(stream, reader.stdin), daemon=True)
        feeder.start()
        try:
            yield reader.stdout
        finally:
            reader.kill()
            feeder.join()


END: Final = b"null\n"
UNREADABLE: Final = (
    f"The workbook cannot be read: it is damaged, unpacks to too much, or has more than {MOST_COLUMNS} columns. "
    "Save its list as CSV and bring that."
)


def _feed(stream: IO[bytes], pipe: IO[bytes]) -> None:
    """Whatever happens to the source, the reader must see an end; it finds a cut workbook damaged."""
    with suppress(BrokenPipeError), pipe:
        while piece := stream.read(SAMPLE):
            pipe.write(piece)
