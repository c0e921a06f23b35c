"""A notice in several languages: the first is the source, the others are translations of it, part by part.

Of each part of a translation it is known which source text it was made over; when that changes, the part is stale until
somebody who reads both changes it too, or says that it still fits.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from typing import Final

from incident.domain.errors import Invalid
from incident.domain.notices import SECTIONS, Text
from incident.domain.wording import FIELD

PARTS: Final = ("subject", "greeting", *SECTIONS, "sms", "call", "push_title", "push_body")
SOURCE: Final = ""
"""The key under which `over` says which language the source was."""
BLOCK: Final = re.compile(r"\n\s*\n")
ITEM: Final = re.compile(r"^(?:[-*•]|\d{1,2}[.)、])\s*", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """One part of a notice in both languages: its paragraphs side by side, and what is not alike."""

    name: str
    rows: tuple[tuple[str, str], ...]
    missing: bool
    stale: bool
    uneven: bool
    fields: tuple[str, ...]

    @property
    def alike(self) -> bool:
        """Return whether nothing about this part asks for a look."""
        return not (self.missing or self.stale or self.uneven or self.fields)


def said(text: Text, part: str) -> str:
    """Return what a text says in one of its parts."""
    return text.sections.get(part, "") if part in SECTIONS else str(getattr(text, part))


def made_over(source: Text) -> dict[str, str]:
    """Return what a translation keeps of the source that it was made over: a digest of each part, and the language."""
    return {SOURCE: source.language} | {part: _digest(said(source, part)) for part in PARTS}


def brought_along(over: Mapping[str, str], was: tuple[Text, Text], now: tuple[Text, Text]) -> dict[str, str]:
    """Return what a translation is made over after a change; `was` and `now` are source and translation.

    A part that was changed in the translation is made over the source as it is now, any other over what it was made over.
    Where that is not known, it was made over the source before the change.
    """
    (source_was, mine_was), (source, mine) = was, now
    if source_was.language != source.language:
        return made_over(source)
    before = dict(over) if over.get(SOURCE) == source.language else made_over(source_was)
    fresh = made_over(source)
    return {
        part: fresh[part]
        if part == SOURCE or said(mine_was, part) != said(mine, part)
        else before.get(part, fresh[part])
        for part in (SOURCE, *PARTS)
    }


def stale(over: Mapping[str, str], source: Text) -> tuple[str, ...]:
    """Return the parts whose source changed since the translation was made over it; none where nothing is known of that."""
    if over.get(SOURCE) != source.language:
        return ()
    fresh = made_over(source)
    return tuple(part for part in PARTS if part in over and over[part] != fresh[part])


def side_by_side(source: Text, mine: Text, over: Mapping[str, str]) -> tuple[Part, ...]:
    """Return every part that either language has, paragraph beside paragraph."""
    old = stale(over, source)
    return tuple(
        _part(part, said(source, part), said(mine, part), is_stale=part in old)
        for part in PARTS
        if said(source, part).strip() or said(mine, part).strip()
    )


def demand_language(languages: Sequence[str], language: str) -> None:
    """Raises Invalid unless the notice is written in this language."""
    if language not in languages:
        raise Invalid("language", f"Choose a language that the notice is written in: {', '.join(languages)}.")


def _part(name: str, source: str, mine: str, *, is_stale: bool) -> Part:
    left, right = _paragraphs(source), _paragraphs(mine)
    missing = bool(left) and not right
    asked, given = set(FIELD.findall(source)), set(FIELD.findall(mine))
    return Part(
        name,
        tuple(zip_longest(left, right, fillvalue="")),
        missing=missing,
        stale=is_stale,
        uneven=bool(left and right) and len(left) != len(right),
        fields=() if missing else tuple(sorted(asked ^ given)),
    )


def _paragraphs(text: str) -> list[str]:
    """Return paragraphs and points of lists, each by itself."""
    found = []
    for block in BLOCK.split(text.strip()):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if any(ITEM.match(line) for line in lines):
            found += lines
        elif lines:
            found.append("\n".join(lines))
    return found


def _digest(text: str) -> str:
    return sha256(text.strip().encode()).hexdigest()[:16]
