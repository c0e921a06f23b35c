"""Puts the sections of a text into their places for each channel: e-mail, letter, text message, call, push, announcement.

A `Sheet` is a text parsed and in order. Pages show it through their own tags; e-mails and letters get it as HTML and as
plain text, with only the slots left that differ from person to person.
"""

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from incident.domain import prose
from incident.domain.facts import vocabulary
from incident.domain.notices import SECTIONS, Channel, Text
from incident.domain.prose import Prose
from incident.domain.starters import Words, direction, words
from incident.domain.wording import (
    PERSON,
    Escape,
    Pattern,
    Slot,
    Values,
    for_header,
    for_html,
    for_sms,
    one_line,
    parsed,
)
from notifiers import contract
from notifiers.contract import Frame

FONT = "font-family:-apple-system,'Segoe UI','Noto Sans',sans-serif"  # no font of one script: the reader's own fits the language
BODY = f"margin:0;background:#ffffff;color:#17212e;{FONT};font-size:16px;line-height:1.5"
HEADING = "font-size:18px;line-height:1.3;margin:24px 0 8px"
SMALL = "color:#4a5868;font-size:14px;margin:0 0 8px"
PARAGRAPH = ' style="margin:0 0 12px"'


@dataclass(frozen=True)
class Part:
    """One section under its heading."""

    section: str
    heading: str
    prose: Prose


@dataclass(frozen=True)
class Sheet:
    """A text in one language, parsed, its sections in order."""

    language: str
    title: str
    subject: Pattern
    greeting: Pattern
    parts: tuple[Part, ...]
    sms: Pattern
    call: Prose
    push_title: Pattern
    push_body: Pattern
    check: Prose
    date: Pattern

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of all slots of all channels, each once."""
        patterns = (self.subject, self.greeting, self.sms, self.push_title, self.push_body, self.date)
        trees = (*(part.prose for part in self.parts), self.call, self.check)
        names = [name for pattern in patterns for name in pattern.fields]
        return tuple(dict.fromkeys(names + [name for tree in trees for name in prose.fields(tree)]))


@dataclass(frozen=True)
class Composed:
    """A message for one channel with slots for one person: subject and text as plain text, html or nothing."""

    subject: Pattern
    text: Pattern
    html: Pattern | None = None

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Return the names of the slots left, each once."""
        patterns = (self.subject, self.text, *((self.html,) if self.html else ()))
        return tuple(dict.fromkeys(name for pattern in patterns for name in pattern.fields))

    @cached_property
    def frame(self) -> Frame:
        """Return what all its messages share; a message's own words are those of `fields`."""
        return Frame(self._part(self.text), self._part(self.subject), self._part(self.html or Pattern(())))

    def _part(self, pattern: Pattern) -> contract.Part:
        letters, names = pattern.frame
        return contract.Part(letters, tuple(self.fields.index(name) for name in names))


def sheet(text: Text, *, site: str, california: bool = False, personal: bool = False) -> Sheet:
    """Return the text parsed. Raises Invalid naming the part of the text that cannot be used as it stands.

    A `personal` one tells how to check it by the person's own code, in place of the code that is everybody's.
    """
    around = words(text.language)
    keys = vocabulary().entries.keys()

    def short(name: str) -> Pattern:
        return parsed(one_line(getattr(text, name)), where=name, facts=keys)

    def tree(source: str, where: str) -> Prose:
        return prose.read(source, where=where, facts=keys, site=site)

    sections = {name: tree(text.sections.get(name, ""), name) for name in SECTIONS}
    return Sheet(
        language=text.language,
        title=_title(around, california),
        subject=short("subject"),
        greeting=short("greeting"),
        parts=tuple(_parts(sections, around, california)),
        sms=parsed(text.sms.strip(), where="sms", facts=keys),
        call=tree(text.call, "call"),
        push_title=short("push_title"),
        push_body=short("push_body"),
        check=tree(around.check_own if personal else around.check, "check"),
        date=parsed(around.date, where="date", facts=keys),
    )


def bound(page: Sheet, values: Values) -> Sheet:
    """Return the sheet with these values in every place; the page that shows it escapes them."""
    return replace(
        page,
        subject=page.subject.bound(values, one_line),
        greeting=page.greeting.bound(values, one_line),
        parts=tuple(replace(part, prose=prose.bound(part.prose, values)) for part in page.parts),
        sms=page.sms.bound(values, for_sms),
        call=prose.bound(page.call, values),
        push_title=page.push_title.bound(values, one_line),
        push_body=page.push_body.bound(values, one_line),
        check=prose.bound(page.check, values),
        date=page.date.bound(values, one_line),
    )


def composed(page: Sheet, channel: Channel, values: Values) -> Composed:
    """Return the message of this channel with `values` bound for good. Raises Unfilled for a blank value among them.

    What `values` says of everybody in place of one person is for the announcement alone.
    """
    if channel is not Channel.ANNOUNCEMENT:
        values = {name: value for name, value in values.items() if name not in PERSON}
    return _COMPOSERS[channel](page, values)


def subject_line(pattern: Pattern) -> str:
    """Return a pattern as people see it while slots are open: each slot as its name in braces."""
    return "".join(piece if isinstance(piece, str) else f"{{{{ {piece.name} }}}}" for piece in pattern.pieces)


def _title(around: Words, california: bool) -> str:
    return around.california.get("title", around.title) if california else around.title


def _parts(sections: dict[str, Prose], around: Words, california: bool) -> Iterator[Part]:
    """Yield the sections that say something. Where California's headings are owed, help offered stands under its third."""
    if california and around.california:
        sections = sections | {"what_we_do": sections["what_we_do"] + sections["what_we_offer"], "what_we_offer": ()}
    headings = {**around.headings, **(around.california if california else {})}
    for name in SECTIONS:
        if sections[name]:
            yield Part(name, headings[name], sections[name])


def _email(page: Sheet, values: Values) -> Composed:
    return Composed(
        page.subject.bound(values, for_header),
        Pattern(tuple(_text(page))).bound(values, one_line),
        Pattern(tuple(_html(page))).bound(values, for_html),
    )


def _announcement(page: Sheet, values: Values) -> Composed:
    return _email(replace(page, greeting=Pattern(())), values)


def _sms(page: Sheet, values: Values) -> Composed:
    return _plain(Pattern(()), page.sms, values, for_sms)


def _call(page: Sheet, values: Values) -> Composed:
    return _plain(page.subject, prose.as_text(page.call), values, one_line)


def _push(page: Sheet, values: Values) -> Composed:
    return _plain(page.push_title, page.push_body, values, one_line)


def _plain(subject: Pattern, text: Pattern, values: Values, escape: Escape) -> Composed:
    return Composed(subject.bound(values, for_header), text.bound(values, escape))


_COMPOSERS = {
    Channel.EMAIL: _email,
    Channel.LETTER: _email,
    Channel.SMS: _sms,
    Channel.CALL: _call,
    Channel.PUSH: _push,
    Channel.ANNOUNCEMENT: _announcement,
}


def _text(page: Sheet) -> Iterator[str | Slot]:
    """Yield the text of an e-mail or letter: headings on their own lines, blocks apart by empty ones."""
    yield page.title
    if page.greeting.pieces:
        yield from ("\n\n", *page.greeting.pieces)
    for part in page.parts:
        yield from ("\n\n", part.heading, "\n\n", *prose.as_text(part.prose).pieces)
    yield from ("\n\n", *prose.as_text(page.check).pieces, "\n\n", *page.date.pieces, "\n", Slot("company.name"), "\n")


def _html(page: Sheet) -> Iterator[str | Slot]:
    """Yield the HTML of an e-mail or letter: no picture, no script, nothing fetched from elsewhere."""
    turned = ' dir="rtl"' if direction(page.language) == "rtl" else ""
    yield f'<!doctype html>\n<html lang="{page.language}"{turned}>\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>'
    yield from _escaped(page.subject.pieces)
    yield f'</title>\n</head>\n<body style="{BODY}">\n<div style="max-width:600px;margin:0 auto;padding:24px">\n'
    yield f'<h1 style="font-size:22px;line-height:1.3;margin:0 0 16px">{for_html(page.title)}</h1>\n'
    if page.greeting.pieces:
        yield from (f"<p{PARAGRAPH}>", *_escaped(page.greeting.pieces), "</p>\n")
    for part in page.parts:
        yield f'<h2 style="{HEADING}">{for_html(part.heading)}</h2>\n'
        yield from prose.as_html(part.prose, PARAGRAPH).pieces
    yield '<hr style="border:0;border-top:1px solid #dfe4ea;margin:24px 0">\n'
    yield from prose.as_html(page.check, f' style="{SMALL}"').pieces
    yield from (f'<p style="{SMALL}">', *_escaped(page.date.pieces), "<br>\n", Slot("company.name"), "</p>\n")
    yield "</div>\n</body>\n</html>\n"


def _escaped(pieces: Iterable[str | Slot]) -> Iterator[str | Slot]:
    return (html.escape(piece) if isinstance(piece, str) else piece for piece in pieces)
