"""Letters into print files, beside the typesetter's plain pages of the same text.

Prints letters and pages a second, the peak memory after the first file and after the last, and one ratio: ours over the plain one.
`python bench/letters.py [letters]`; 1,000 if nothing is said. The plain pages have no address, code, page count or archive profile.
"""

import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import typst

from incident.domain.letters import MOST_IN_A_FILE, forms
from incident.exports.letters import Letter, print_file
from incident.exports.pdf import FONTS

LETTERS = 1_000
AT = datetime(2026, 3, 6, tzinfo=UTC)
SENTENCE = "Personal data that we hold about you was affected by a security incident. 我们已采取措施。"
PLAIN = b"""#let all = json(bytes(sys.inputs.letters))
#set page(paper: "a4", margin: 25mm)
#set text(font: ("Noto Sans SC", "Libertinus Serif"), size: 10pt)
#for one in all { pagebreak(to: "odd", weak: true); for part in one { par(part) } }
"""


def paragraphs(number: int) -> list[str]:
    """The text of one letter, two pages long."""
    return [f"Dear person {number},", *(f"{part}. " + SENTENCE * 8 for part in range(8))]


def a_letter(number: int) -> Letter:
    """One letter of that text."""
    html = "<h1>Notice</h1>" + "".join(f"<p>{part}</p>" for part in paragraphs(number))
    return Letter(
        f"01J8ZQ5T9XABCDEFGHJK{number:06d}", (f"Person {number}", "Street 1", "10117 Berlin"), html, "en", "DE"
    )


def peak() -> float:
    """The most memory held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else LETTERS
    ours = plain = 0.0
    pages, first_peak = 0, 0.0
    starts = range(1, count + 1, MOST_IN_A_FILE)
    for first in starts:
        batch = [a_letter(number) for number in range(first, min(first + MOST_IN_A_FILE, count + 1))]
        began = time.perf_counter()
        file = print_file(
            batch, forms()["din-5008-b"], name="B.pdf", sender="Example Ltd", author="Example Ltd", first=first, at=AT
        )
        ours += time.perf_counter() - began
        pages += file.pages
        first_peak = first_peak or peak()
    last_peak = peak()
    for first in starts:
        texts = [paragraphs(number) for number in range(first, min(first + MOST_IN_A_FILE, count + 1))]
        began = time.perf_counter()
        typst.compile(
            PLAIN,
            format="pdf",
            font_paths=[str(FONTS)],
            ignore_system_fonts=True,
            sys_inputs={"letters": json.dumps(texts)},
            pdf_tags=False,
        )
        plain += time.perf_counter() - began
    print(f"letters: {count:,} in {ours:.1f} s, {count / ours:.0f} letters and {pages / ours:.0f} pages a second")
    print(f"peak memory: {first_peak:.0f} MiB after the first file, {last_peak:.0f} MiB after {len(starts)}")
    print(f"plain pages: {plain:.1f} s")
    print(f"ratio {ours / plain:.2f}")


if __name__ == "__main__":
    main()
