"""Letters: where the address stands on the paper, what a batch of them may become, and how a reference is read back."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from incident.domain.audit import root_of
from incident.domain.errors import Invalid, Refused

FORMS_FILE: Final = Path(__file__).parent.parent / "letter_forms.toml"
PROVIDER: Final = "print"
BY_COUNTRY: Final = "by-country"
ELSEWHERE: Final = "din-5008-b"  # where no form names the country
CODE_SIDE: Final = 15.0  # mm, the quiet zone of four modules with it
MOST_LETTERS: Final = 500  # of one batch
MOST_IN_A_FILE: Final = 100  # what is set at once: about 2.5 MB of memory a letter
LONGEST_AGO: Final = timedelta(days=60)
REFERENCE: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
AS_MEANT: Final = str.maketrans("OIL", "011", " -\t\r\n")


class Box(NamedTuple):
    """A rectangle in millimetres from the left and upper edge."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Form:
    """One kind of paper and envelope, all lengths in millimetres. `sender_top` 0: the sender stands at the head, not in the window."""

    key: str
    label: str
    source: str
    countries: frozenset[str]
    paper: str
    sheet: tuple[float, float]
    fold: float
    envelope: tuple[float, float]
    window: Box
    address: Box
    line: float
    lines: int
    sender_top: float
    body_top: float

    @property
    def name_width(self) -> float:
        """How wide a line of the address may be: the code stands beside it in the window."""
        return self.address.width - CODE_SIDE - 2

    def seen(self, slid_right: float, slid_down: float) -> Box:
        """What of the paper the window shows when the sheet lies so far (0 to 1) to the right and down in its envelope."""
        right = (self.envelope[0] - self.sheet[0]) * slid_right
        down = (self.envelope[1] - self.fold) * slid_down
        return Box(self.window.left - right, self.window.top - down, self.window.width, self.window.height)


@cache
def forms() -> Mapping[str, Form]:
    """The forms by their key."""
    read = tomllib.loads(FORMS_FILE.read_text(encoding="utf-8"))
    return {key: _form(key, entry) for key, entry in read.items()}


def _form(key: str, entry: Mapping[str, object]) -> Form:
    window, address = _numbers(entry["window"]), _numbers(entry["address"])
    sheet, envelope = _pair(entry["sheet"]), _pair(entry["envelope"])
    return Form(
        key=key,
        label=str(entry["label"]),
        source=str(entry["source"]),
        countries=frozenset(map(str, _list(entry["countries"]))),
        paper=str(entry["paper"]),
        sheet=sheet,
        fold=float(str(entry["fold"])),
        envelope=envelope,
        window=Box(window["left"], window["top"], window["width"], window["height"]),
        address=Box(address["left"], address["top"], address["width"], address["line"] * address["lines"]),
        line=address["line"],
        lines=int(address["lines"]),
        sender_top=float(str(entry.get("sender_top", 0))),
        body_top=float(str(entry["body_top"])),
    )


def _numbers(entry: object) -> dict[str, float]:
    return {name: float(value) for name, value in entry.items()} if isinstance(entry, Mapping) else {}


def _list(entry: object) -> list[object]:
    return entry if isinstance(entry, list) else []


def _pair(entry: object) -> tuple[float, float]:
    first, second = _list(entry)
    return float(str(first)), float(str(second))


def form_for(country: str, wanted: str) -> Form:
    """The form for a letter to this country: the one that the installation uses, or the country's own where it goes by that."""
    if wanted != BY_COUNTRY:
        return forms()[wanted]
    return next((form for form in forms().values() if country in form.countries), forms()[ELSEWHERE])


# References -----------------------------------------------------------------------------------------------------------


def grouped(ref: str) -> str:
    """A reference as it is printed below its code, in groups that can be read out and typed."""
    return "-".join(ref[start : start + 5] for start in range(0, len(ref), 5))


def read_reference(text: str) -> str:
    """The reference that somebody scanned or typed; empty if it cannot be one. Takes O for 0, I and L for 1."""
    letters = text.upper().translate(AS_MEANT)
    return letters if REFERENCE.fullmatch(letters) else ""


# Batches --------------------------------------------------------------------------------------------------------------


class Stage(StrEnum):
    """What is known of a batch of letters."""

    ASKED = "asked"  # somebody wants it; it is being printed into a file
    MADE = "made"  # the file is there; nobody was told by it
    POSTED = "posted"  # somebody says that it went to the post
    DROPPED = "dropped"  # thrown away before anything was posted
    EMPTY = "empty"  # no letter waited, or none could be printed


STAGE_WORDS: Final[Mapping[Stage, tuple[str, str]]] = {
    Stage.ASKED: ("being made", "owed"),
    Stage.MADE: ("printed, not posted", "soon"),
    Stage.POSTED: ("posted", "met"),
    Stage.DROPPED: ("thrown away", "idle"),
    Stage.EMPTY: ("nothing to print", "idle"),
}
CARRIES: Final[Mapping[str, str]] = {
    "mail_house": "handed to the mail house",
    "post": "posted",
    "registered": "posted as registered mail",
    "hand": "delivered by our own hands",
}


class Returned(StrEnum):
    """Why the post brought a letter back."""

    UNKNOWN = "unknown"
    MOVED = "moved"
    ADDRESS = "address"
    REFUSED = "refused"
    UNCLAIMED = "unclaimed"
    DECEASED = "deceased"
    OTHER = "other"


RETURN_WORDS: Final[Mapping[Returned, str]] = {
    Returned.UNKNOWN: "not known at the address",
    Returned.MOVED: "moved",
    Returned.ADDRESS: "address incomplete or wrong",
    Returned.REFUSED: "refused",
    Returned.UNCLAIMED: "not collected",
    Returned.DECEASED: "deceased",
    Returned.OTHER: "no reason given",
}


def demand(stage: Stage, *allowed: Stage) -> None:
    """Raises Refused unless the batch is in one of these stages."""
    if stage not in allowed:
        raise Refused(f"This batch is {STAGE_WORDS[stage][0]}.")


def size(asked: int) -> int:
    """How many letters a batch may hold. Raises Invalid."""
    if not 1 <= asked <= MOST_LETTERS:
        raise Invalid("most", f"A batch holds 1 to {MOST_LETTERS:,} letters; make several of them.")
    return asked


def posting_day(day: date | None, *, made: date, today: date) -> date:
    """The day on which the letters left. Raises Invalid for one before they were printed, or to come."""
    if day is None or day > today or day < made:
        raise Invalid("day", "Give the day they left the house: not before they were printed, and not one to come.")
    return day


@dataclass(frozen=True, slots=True)
class Printed:
    """One letter in a print file: its place in it, and what the mail house needs to know."""

    sequence: int
    ref: str
    file: str
    form: str
    country: str
    language: str
    first_page: int
    pages: int

    @property
    def sheets(self) -> int:
        """Sheets of paper when both sides are printed; each letter begins on a new sheet."""
        return (self.pages + 1) // 2


MANIFEST: Final = (
    "batch", "sequence", "reference", "file", "file_sha256", "first_page", "pages", "sheets", "country", "language",
    "format",
)  # fmt: skip


def manifest(batch: str, letters: Iterable[Printed], digests: Mapping[str, str]) -> Iterable[tuple[str | int, ...]]:
    """The rows of a manifest below its columns: one letter each; no name and no address."""
    for one in letters:
        yield (
            batch, one.sequence, one.ref, one.file, digests[one.file], one.first_page, one.pages, one.sheets,
            one.country, one.language, one.form,
        )  # fmt: skip


def digest(letters: Iterable[Printed]) -> str:
    """The RFC 6962 root (hex) over a batch: a leaf `sequence reference pages` for each letter, in order."""
    return root_of(f"{one.sequence} {one.ref} {one.pages}".encode() for one in letters).hex()


def sha256(content: bytes) -> str:
    """The digest of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
