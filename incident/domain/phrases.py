"""The vocabulary of facts in the language a report is written in: English, or Chinese from forms/words/zh.toml."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from incident.domain import facts, places
from incident.domain.facts import UNKNOWN, Unknown, Value, vocabulary

WORDS = Path(__file__).parent.parent / "forms" / "words"
ENGLISH = {"yes": "yes", "no": "no", "unknown": "Not known yet", "none": "none"}


@cache
def chinese() -> Mapping[str, Mapping[str, str]]:
    """The Chinese words: a table of labels, a table of fixed words, and one table for each fact with options."""
    table: dict[str, Any] = tomllib.loads((WORDS / "zh.toml").read_text(encoding="utf-8"))
    return table


def fixed(word: str, language: str) -> str:
    """Yes, no, unknown or none in a language."""
    return chinese()["fixed"][word] if language == "zh" else ENGLISH[word]


def label(key: str, language: str) -> str:
    """What a fact is called."""
    english = vocabulary()[key].label
    return chinese()["label"].get(key, english) if language == "zh" else english


def words(key: str, value: Value | Unknown, zone: tzinfo, language: str) -> str:
    """A fact's value in words; times in `zone`, which is named."""
    if value is UNKNOWN:
        return fixed("unknown", language)
    if language != "zh":
        return facts.shown(key, value, zone)
    if isinstance(value, bool):
        return fixed("yes" if value else "no", "zh")
    if isinstance(value, datetime):
        return instant(value, zone, "zh")
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    if isinstance(value, Mapping):
        return "，".join(f"{places.named(code, 'zh')} {number:,}" for code, number in value.items()) or fixed(
            "none", "zh"
        )
    if isinstance(value, tuple):
        return "、".join(_option(key, word) for word in value) or fixed("none", "zh")
    return _option(key, value) if isinstance(value, str) else facts.shown(key, value, zone)


def instant(moment: datetime, zone: tzinfo, language: str) -> str:
    """A moment in words, its zone named."""
    if language != "zh":
        return facts.time_words(moment, zone)
    local = moment.astimezone(zone)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}（{facts.zone_word(zone)}）"


def _option(key: str, word: str) -> str:
    kind = vocabulary().kinds.get(word) if key == "data_kinds" else None
    if kind:
        return kind.zh
    if key in facts.PLACE_LISTS:
        return places.named(word, "zh")
    return chinese().get(key, {}).get(word, word)
