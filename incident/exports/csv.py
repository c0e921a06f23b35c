"""Tables as CSV that a spreadsheet shows but never computes (RFC 4180, UTF-8, CRLF)."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from unicodedata import category

Cell = str | int | float | Decimal | bool | datetime | date | None

BYTE_ORDER_MARK = "\ufeff"
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
UNSEEN = " \u00a0\u200b\ufeff"
LINES_A_CHUNK = 500


def safe(cell: Cell) -> str:
    """The cell as text no spreadsheet takes for a formula: an apostrophe goes before text that would start one.

    Numbers keep their sign, times become ISO 8601 in UTC, yes and no are words, nothing is an empty cell.
    """
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return _instant(cell)
        case date():
            return cell.isoformat()
        case str():
            text = cell if cell.isprintable() else _without_controls(cell)
            return f"'{text}" if text.lstrip(UNSEEN).startswith(STARTS_A_FORMULA) else text
        case _:
            return str(cell)


def rows(header: Sequence[str], records: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The table in chunks of text, header first, so that a million records never stand in memory at once."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow([safe(name) for name in header])
    for count, record in enumerate(records, start=1):
        writer.writerow([safe(cell) for cell in record])
        if count % LINES_A_CHUNK == 0:
            yield page.getvalue()
            page.seek(0)
            page.truncate()
    yield page.getvalue()


def for_spreadsheet(chunks: Iterable[str]) -> Iterator[str]:
    """The chunks after the mark by which Excel knows UTF-8. For people; programs read `rows` as they are."""
    yield BYTE_ORDER_MARK
    yield from chunks


def _without_controls(text: str) -> str:
    """The text without the characters by which a terminal is commanded; tabs and line ends stay."""
    return "".join(letter for letter in text if letter in "\t\r\n" or category(letter) != "Cc")


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("A time without zone cannot be exported.")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
