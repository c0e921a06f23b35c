"""The facts that a text quotes by their fields, such as {{ fact.aware_at }}."""

from collections.abc import Iterable

from incident.domain.notices import Text
from incident.domain.translations import PARTS, said
from incident.domain.wording import FACT, FIELD


def facts_in(texts: Iterable[Text]) -> tuple[str, ...]:
    """Return the keys of the facts that these texts quote, each once, in the order of the parts."""
    found = (name for text in texts for part in PARTS for name in FIELD.findall(said(text, part)))
    return tuple(dict.fromkeys(name.removeprefix(FACT) for name in found if name.startswith(FACT)))
