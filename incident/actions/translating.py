"""What a notice says in its further languages: over which source each part was made, and who has read it in both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incident.actions.drafts import texts_of
from incident.actions.ledger import transaction
from incident.domain import incidents as incident_rules
from incident.domain import notices as rules
from incident.domain import starters
from incident.domain import translations as translation_rules
from incident.domain.errors import Missing
from incident.domain.notices import Text
from incident.domain.translations import Part
from incident.store import incidents
from incident.store import notices as rows
from incident.store.notices import Notice, NoticeText


@dataclass(frozen=True)
class Tongue:
    """How a notice stands in one language. `draft`: shipped words that nobody here who speaks it has read."""

    language: str
    is_source: bool
    stale: tuple[str, ...]
    missing: tuple[str, ...]
    draft: bool
    read_by: str
    read_at: datetime | None


def follow(notice: Notice, before: Mapping[str, Text]) -> None:
    """Note over which source each translation is made now, inside the caller's transaction; `before` are the texts until then."""
    kept = rows.texts(notice.id)
    now = {tag: rules.text_from_json(tag, row.content) for tag, row in kept.items()}
    source = now[notice.languages[0]]
    for language in notice.languages:
        row, mine = kept[language], now[language]
        if mine != before.get(language, mine):
            row.read_by, row.read_at = "", None
        if language == source.language:
            continue
        was = before.get(source.language, source), before.get(language, mine)
        over = translation_rules.brought_along(row.over or {}, was, (source, mine))
        if over != row.over:
            row.over = over


def confirm(incident: str, ref: str, language: str, *, seen: str, actor: str, now: datetime) -> None:
    """Say that one reads this language and that its text says what it should: what the source says, where it is not that.

    Raises Invalid, Refused, Missing.

    `seen` is the digest of both texts as they were shown.
    """
    with transaction(actor, now) as ledger:
        found = incidents.by_ref(incident)
        notice = rows.by_ref(found.id, ref) if found else None
        if found is None or notice is None:
            raise Missing()
        incident_rules.must_be_open(found.state)
        translation_rules.demand_language(notice.languages, language)
        texts = {text.language: text for text in texts_of(notice)}
        source, row = texts[notice.languages[0]], rows.texts(notice.id)[language]
        rules.demand_same(seen, shown(source, texts[language]))
        if language != source.language:
            row.over = translation_rules.made_over(source)
        row.read_by, row.read_at = actor, now
        ledger.write("notice.translation_read", ref, incident=incident, language=language, digest=seen)


def shown(source: Text, mine: Text) -> str:
    """Return the digest of a source and its translation as a page shows them."""
    return rules.digest({text.language: rules.text_as_json(text) for text in (source, mine)})


def tongues(notice: Notice) -> tuple[Tongue, ...]:
    """Return how the notice stands in each of its languages, in their order."""
    kept = rows.texts(notice.id)
    texts = texts_of(notice)
    return tuple(_tongue(text, texts[0], kept.get(text.language)) for text in texts)


def parts(notice: Notice, language: str) -> tuple[Part, ...]:
    """Return source and translation side by side. Raises Invalid for a language that the notice is not written in."""
    translation_rules.demand_language(notice.languages, language)
    texts = {text.language: text for text in texts_of(notice)}
    kept = rows.texts(notice.id).get(language)
    return translation_rules.side_by_side(
        texts[notice.languages[0]], texts[language], (kept.over if kept else {}) or {}
    )


def _tongue(mine: Text, source: Text, kept: NoticeText | None) -> Tongue:
    compared = translation_rules.side_by_side(source, mine, (kept.over if kept else {}) or {})
    is_source = mine.language == source.language
    return Tongue(
        mine.language,
        is_source,
        () if is_source else tuple(part.name for part in compared if part.stale),
        () if is_source else tuple(part.name for part in compared if part.missing),
        draft=starters.words(mine.language).draft and not (kept and kept.read_by),
        read_by=kept.read_by if kept else "",
        read_at=kept.read_at if kept else None,
    )
