"""Sections of a notice: a text in a few marks (paragraphs, lists, **bold**, [links](…) to our own site) as a tree.

The tree is parsed once. It becomes HTML or plain text with slots left in it (for sending), or is filled for one person
and handed to a page, whose template writes the tags (for previews and announcements).
"""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from incident.domain.errors import Invalid
from incident.domain.wording import Pattern, Slot, Values, one_line, parsed

MARK = 0xE000  # one private letter stands for each slot while marks are read; `wording.cleaned` lets none through
ADDRESS = re.compile(r"\b(?:https?|ftp|mailto|javascript|data):[^\s)]*", re.IGNORECASE)
BULLET = re.compile(r"^[-*•]\s+(.*)$")
NUMBER = re.compile(r"^\d{1,2}[.)、]\s*(.*)$")
INLINE = re.compile(r"\*\*(?P<bold>[^*\n]{1,500})\*\*|\[(?P<label>[^\[\]\n]{1,300})\]\((?P<href>[^)\s]{1,500})\)")


class Kind(StrEnum):
    """What a block or a run of letters is."""

    PARAGRAPH = "paragraph"
    BULLETS = "bullets"
    NUMBERS = "numbers"
    LETTERS = "letters"
    SLOT = "slot"
    BOLD = "bold"
    LINK = "link"
    BREAK = "break"


@dataclass(frozen=True)
class Run:
    """Part of a line: letters, a slot's name, or bold and links with runs inside."""

    kind: Kind
    text: str = ""
    href: str = ""
    runs: tuple["Run", ...] = ()


@dataclass(frozen=True)
class Block:
    """A paragraph (one line of runs) or a list (a line of runs for each point)."""

    kind: Kind
    lines: tuple[tuple[Run, ...], ...] = field(default=())


Prose = tuple[Block, ...]


def read(text: str, *, where: str, facts: Iterable[str], site: str) -> Prose:
    """Return the tree of `text`. Raises Invalid(where): unknown field, loose braces, or a link that leaves `site`."""
    pattern = parsed(text, where=where, facts=facts)
    slots = [piece.name for piece in pattern.pieces if isinstance(piece, Slot)]
    marks = iter(range(len(slots)))
    marked = "".join(p if isinstance(p, str) else chr(MARK + next(marks)) for p in pattern.pieces)
    _keep_to_site(marked, site, where)
    reader = _Reader(slots, where)
    return tuple(reader.block(chunk) for chunk in _chunks(marked))


def fields(prose: Prose) -> tuple[str, ...]:
    """Return the names of the slots in the tree, each once."""
    return tuple(dict.fromkeys(run.text for run in _walk(prose) if run.kind is Kind.SLOT))


def bound(prose: Prose, values: Values) -> Prose:
    """Return the tree with these values as letters; slots without a value stay. The page escapes the letters."""
    return tuple(Block(b.kind, tuple(_bound(line, values) for line in b.lines)) for b in prose)


def as_html(prose: Prose, line: str = "") -> Pattern:
    """Return the tree as HTML with its slots; `line` is put into each paragraph and list as attributes."""
    pieces: list[str | Slot] = []
    for block in prose:
        pieces.extend(_HTML[block.kind](block, line))
    return Pattern(tuple(pieces))


def as_text(prose: Prose) -> Pattern:
    """Return the tree as plain text with its slots: blocks apart by an empty line, points marked."""
    pieces: list[str | Slot] = []
    for number, block in enumerate(prose):
        if number:
            pieces.append("\n\n")
        for place, line in enumerate(block.lines):
            pieces.append("\n" if place else "")
            pieces.append({Kind.BULLETS: "- ", Kind.NUMBERS: f"{place + 1}. "}.get(block.kind, ""))
            pieces.extend(_text(line))
    return Pattern(tuple(pieces))


@dataclass(frozen=True)
class _Reader:
    slots: list[str]
    where: str

    def block(self, chunk: list[str]) -> Block:
        for kind, shape in ((Kind.BULLETS, BULLET), (Kind.NUMBERS, NUMBER)):
            found = [shape.match(line) for line in chunk]
            if all(found):
                return Block(kind, tuple(self.runs(match[1]) for match in found if match))
        runs: list[Run] = []
        for number, line in enumerate(chunk):
            if number:
                runs.append(Run(Kind.BREAK))
            runs.extend(self.runs(line))
        return Block(Kind.PARAGRAPH, (tuple(runs),))

    def runs(self, line: str) -> tuple[Run, ...]:
        runs: list[Run] = []
        position = 0
        for found in INLINE.finditer(line):
            runs.extend(self.letters(line[position : found.start()]))
            runs.append(self.marked(found))
            position = found.end()
        runs.extend(self.letters(line[position:]))
        return tuple(runs)

    def marked(self, found: re.Match[str]) -> Run:
        if found["bold"]:
            return Run(Kind.BOLD, runs=self.letters(found["bold"]))
        return Run(Kind.LINK, href=self.href(found["href"]), runs=self.letters(found["label"]))

    def href(self, href: str) -> str:
        """Return the address: one of our own, or `{name}` for the slot that will hold one."""
        if len(href) == 1 and 0 <= ord(href) - MARK < len(self.slots):
            name = self.slots[ord(href) - MARK]
            if name.startswith("link."):
                return f"{{{name}}}"
        if not ADDRESS.fullmatch(href):
            raise Invalid(
                self.where, "A link needs a whole address of your own site, or a field such as {{ link.check }}."
            )
        return href

    def letters(self, text: str) -> tuple[Run, ...]:
        runs: list[Run] = []
        for part in re.split("([\ue000-\uf8ff])", text):
            if len(part) == 1 and 0 <= ord(part) - MARK < len(self.slots):
                runs.append(Run(Kind.SLOT, self.slots[ord(part) - MARK]))
            elif part:
                runs.append(Run(Kind.LETTERS, part))
        return tuple(runs)


def _chunks(text: str) -> Iterator[list[str]]:
    """Yield the lines of each block; a list ends a paragraph and the other way round, even without an empty line."""
    chunk: list[str] = []
    for raw in [*text.split("\n"), ""]:
        line = raw.strip()
        if chunk and (not line or _shape(line) != _shape(chunk[-1])):
            yield chunk
            chunk = []
        if line:
            chunk.append(line)


def _shape(line: str) -> Kind:
    if BULLET.match(line):
        return Kind.BULLETS
    return Kind.NUMBERS if NUMBER.match(line) else Kind.PARAGRAPH


def _keep_to_site(text: str, site: str, where: str) -> None:
    """Raises Invalid unless every address in the text is one of `site`: scheme, host and port all the same."""
    home = urlsplit(site)
    for found in ADDRESS.findall(text):
        try:
            there = urlsplit(found)
            same = (there.scheme.lower(), there.netloc.lower()) == (home.scheme, home.netloc.lower())
        except ValueError:
            same = False
        if not same or any(ord(letter) >= MARK and ord(letter) <= 0xF8FF for letter in found):
            raise Invalid(where, f"Links may lead to {home.netloc} only; “{one_line(found)[:60]}” leads elsewhere.")


def _walk(prose: Prose) -> Iterator[Run]:
    for block in prose:
        for line in block.lines:
            yield from _walk_runs(line)


def _walk_runs(runs: tuple[Run, ...]) -> Iterator[Run]:
    for run in runs:
        yield run
        if run.href.startswith("{"):
            yield Run(Kind.SLOT, run.href.strip("{}"))
        yield from _walk_runs(run.runs)


def _bound(runs: tuple[Run, ...], values: Values) -> tuple[Run, ...]:
    return tuple(_bound_run(run, values) for run in runs)


def _bound_run(run: Run, values: Values) -> Run:
    if run.kind is Kind.SLOT and values.get(run.text, "").strip():
        return Run(Kind.LETTERS, one_line(values[run.text]))
    href = values.get(run.href.strip("{}"), run.href) if run.href.startswith("{") else run.href
    return Run(run.kind, run.text, href, _bound(run.runs, values))


def _paragraph(block: Block, line: str) -> Iterator[str | Slot]:
    yield f"<p{line}>"
    yield from _tags(block.lines[0])
    yield "</p>\n"


def _list(block: Block, line: str) -> Iterator[str | Slot]:
    tag = "ul" if block.kind is Kind.BULLETS else "ol"
    yield f"<{tag}{line}>\n"
    for point in block.lines:
        yield "<li>"
        yield from _tags(point)
        yield "</li>\n"
    yield f"</{tag}>\n"


_HTML = {Kind.PARAGRAPH: _paragraph, Kind.BULLETS: _list, Kind.NUMBERS: _list}


def _tags(runs: tuple[Run, ...]) -> Iterator[str | Slot]:
    for run in runs:
        if run.kind is Kind.LETTERS:
            yield html.escape(run.text)
        elif run.kind is Kind.SLOT:
            yield Slot(run.text)
        elif run.kind is Kind.BREAK:
            yield "<br>\n"
        elif run.kind is Kind.BOLD:
            yield from ("<strong>", *_tags(run.runs), "</strong>")
        else:
            yield from ('<a href="', _target(run), '">', *_tags(run.runs), "</a>")


def _target(run: Run) -> str | Slot:
    return Slot(run.href.strip("{}")) if run.href.startswith("{") else html.escape(run.href, quote=True)


def _text(runs: tuple[Run, ...]) -> Iterator[str | Slot]:
    for run in runs:
        if run.kind is Kind.LETTERS:
            yield run.text
        elif run.kind is Kind.SLOT:
            yield Slot(run.text)
        elif run.kind is Kind.BREAK:
            yield "\n"
        elif run.kind is Kind.BOLD:
            yield from _text(run.runs)
        else:
            yield from (
                *_text(run.runs),
                " (",
                Slot(run.href.strip("{}")) if run.href.startswith("{") else run.href,
                ")",
            )
