"""Reads one workbook from standard input and writes its first sheet as lines of JSON; run as a program of its own.

A workbook is a packed file from a stranger: it is read apart from the service, with bounds on memory and time, so that
one that unpacks to more than it should ends this process and nothing else. Standard library and the reader alone.
The first line out is `{"sheets": […], "rows": n}`; then one list of texts a row, then `null`. Exit code 3: not a workbook we can read.
"""

import io
import json
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from importlib import import_module
from typing import Any, Final

try:
    import resource
except ImportError:  # Windows has no such bounds
    resource = None  # type: ignore[assignment]

MOST_MEMORY: Final = 3 * 2**29
MOST_SECONDS: Final = 300
MOST_UNPACKED: Final = 2**30
MOST_PARTS: Final = 2_000
MOST_WIDTH: Final = 200


def main() -> int:
    """Read, check, write. The exit code."""
    _bound()
    packed = sys.stdin.buffer.read()
    if not _is_sane(packed):
        return 3
    reader = import_module("python_calamine")  # by this program alone: whoever starts it knows its name and no more
    try:
        workbook = reader.CalamineWorkbook.from_filelike(io.BytesIO(packed))
        sheet = workbook.get_sheet_by_index(0)
    except (reader.CalamineError, OSError, ValueError, IndexError):
        return 3
    out = sys.stdout
    rows = sheet.total_height if sheet.end else 0
    out.write(json.dumps({"sheets": workbook.sheet_names, "rows": rows}) + "\n")
    encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
    for cells in sheet.iter_rows() if rows else ():
        if len(cells) > MOST_WIDTH and any(cells[MOST_WIDTH:]):
            return 3
        out.write(encode([_text(cell) for cell in cells[:MOST_WIDTH]]) + "\n")
    out.write("null\n")
    out.flush()
    return 0


def _bound() -> None:
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _is_sane(packed: bytes) -> bool:
    """A zip archive with a bounded number of parts that claim a bounded size."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return len(parts) <= MOST_PARTS and sum(part.file_size for part in parts) <= MOST_UNPACKED


def _text(cell: Any) -> str:
    """A cell as a person would have typed it: whole numbers without a point, dates as ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, date | time | timedelta):
        return str(cell)
    return "" if cell is None else str(cell)


if __name__ == "__main__":
    sys.exit(main())
