"""A page that is out of date: what its form was made over is compared with what stands now, before anything is written."""

import json
from collections.abc import Mapping
from hashlib import sha256

from incident.domain.errors import Refused

SENTENCE = "Somebody changed this while you had it open. Nothing was saved."


class Stale(Refused):
    """It was changed since the page was made; `versions` gives by label what stands now and what was sent."""

    def __init__(self, versions: Mapping[str, tuple[str, str]] | None = None, sentence: str = SENTENCE) -> None:
        super().__init__(sentence)
        self.versions = dict(versions or {})


def seen_mark(*values: object) -> str:
    """What a form carries of the values that it was made over: 16 hex digits, from which they cannot be read."""
    text = json.dumps(values, ensure_ascii=True, sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()[:16]


def demand_seen(seen: str | None, *stands: object, versions: Mapping[str, tuple[str, str]] | None = None) -> None:
    """Raises Stale where a form was made over something else than stands now; without `seen` nothing is compared."""
    if seen is not None and seen != seen_mark(*stands):
        raise Stale(versions)
