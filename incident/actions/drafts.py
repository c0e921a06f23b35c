"""A draft as it is kept: its texts, its ladder, and the digest of what a check of it depends on."""

from incident.domain import ladders
from incident.domain import notices as rules
from incident.domain.ladders import Step
from incident.domain.notices import Text
from incident.store import notices as rows
from incident.store.notices import Notice


def ladder_of(notice: Notice) -> tuple[Step, ...]:
    """Return the draft's ladder: a step for each of its channels that reaches one person."""
    return ladders.ladder(notice.channels, {step.channel: step for step in ladders.from_json(notice.ladder)})


def texts_of(notice: Notice) -> tuple[Text, ...]:
    """Return the draft's texts in the order of its languages."""
    kept = rows.texts(notice.id)
    return tuple(
        rules.text_from_json(language, kept[language].content if language in kept else {})
        for language in notice.languages
    )


def checked_by(notice: Notice) -> str:
    """Return the digest of all of the draft that decides what a check of everybody finds."""
    return rules.digest(
        {
            "notice": notice.ref,
            "texts": {text.language: rules.text_as_json(text) for text in texts_of(notice)},
            "languages": list(notice.languages),
            "channels": list(notice.channels),
            "audience": notice.audience,
        }
    )
