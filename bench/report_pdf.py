"""A report of 10,000 table rows as PDF/A-3a and PDF/UA-1 with its data inside, beside the typesetter's plain table.

Both set the same rows in one run, in turns. Prints the median seconds, pages, size, and the peak memory of one; the last line is one
ratio: ours over the plain one. The plain table has no tags, no archive profile, no attachment and the same fonts.
"""

import io
import json
import resource
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import typst
from pypdf import PdfReader

from incident.exports.document import Attachment, Document, Section, Table
from incident.exports.json import json_bytes
from incident.exports.pdf import FONTS, pdf

ROWS = 10_000
ROUNDS = 3
HEADER = ("Reference", "Place", "What was concerned", "State")
PLAIN = b"""#let rows = json(bytes(sys.inputs.rows))
#set page(paper: "a4", margin: 20mm)
#set text(font: ("Noto Sans SC", "Libertinus Serif"), size: 8pt)
#table(columns: (2fr, 1fr, 4fr, 1fr), ..rows.flatten())
"""


def main() -> None:
    rows = tuple(
        (f"P-{n:08d}", ("DE", "CN", "US-CA")[n % 3], f"name, e-mail address, 电话号码 ({n})", "delivered")
        for n in range(ROWS)
    )
    document = Document(
        title="Report with many rows",
        subtitle="INC-2026-0001",
        language="en",
        author="Example Ltd",
        at=datetime(2026, 3, 6, tzinfo=UTC),
        was_word="Before",
        particulars=(("Rows", f"{ROWS:,}"),),
        sections=(Section("Rows", tables=(Table(HEADER, rows, (2, 1, 4, 1)),)),),
    )
    data = Attachment("rows.json", "application/json", "The rows", json_bytes({"rows": list(rows)}))
    ours: list[float] = []
    plain: list[float] = []
    made, peak = b"", 0.0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        made = pdf(document, [data])
        ours.append(time.perf_counter() - began)
        peak = peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began = time.perf_counter()
        typst.compile(
            PLAIN,
            format="pdf",
            font_paths=[str(FONTS)],
            ignore_system_fonts=True,
            sys_inputs={"rows": json.dumps([list(HEADER), *rows])},
            pdf_tags=False,
        )
        plain.append(time.perf_counter() - began)
    pages = len(PdfReader(io.BytesIO(made)).pages)
    print(f"report: {statistics.median(ours):.2f} s, {pages} pages, {len(made) / 1e6:.1f} MB, peak {peak:.0f} MiB")
    print(f"plain table: {statistics.median(plain):.2f} s")
    print(f"ratio {statistics.median(ours) / statistics.median(plain):.2f}")


if __name__ == "__main__":
    main()
