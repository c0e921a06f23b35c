"""How long a notice is in each language, how hard to read, and how many segments its text message takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from incident.domain import readability, segments
from incident.domain.notices import Text
from incident.domain.readability import Reading
from incident.domain.segments import Length
from incident.domain.wording import FIELD, Values, for_sms


@dataclass(frozen=True)
class Size:
    """The measures of one text. `sms` is with the values that are the same for everybody; others count as their names."""

    language: str
    reading: Reading
    sms: Length
    push: int


def of(texts: Sequence[Text], values: Mapping[str, Values]) -> tuple[Size, ...]:
    """Return the measures of each text, in their order."""
    return tuple(_size(text, values.get(text.language, {})) for text in texts)


def _size(text: Text, values: Values) -> Size:
    whole = "\n\n".join(section for section in text.sections.values() if section.strip())
    return Size(
        text.language,
        readability.read(_filled(whole, values), text.language),
        segments.length(for_sms(_filled(text.sms, values))),
        len(_filled(text.push_title, values)) + len(_filled(text.push_body, values)),
    )


def _filled(text: str, values: Values) -> str:
    return FIELD.sub(lambda field: values.get(field[1], "") or field[1], text)
