"""Described cases in the words of outsiders, turned into our facts by one table of words."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from incident.domain import places
from incident.domain.breach import standard
from incident.domain.errors import Invalid
from incident.domain.facts import Facts, Unknown, Value, parsed, vocabulary
from incident.domain.lawbook import HERE, Law, anchors


class Unsupported(Exception):
    """A word of the case that we do not have; the message names it."""


@cache
def words() -> Mapping[str, Any]:
    """The table of words of case_words.toml."""
    return tomllib.loads((HERE / "case_words.toml").read_text(encoding="utf-8"))


@cache
def _moments() -> Mapping[str, str]:
    return {
        word: anchor.key for anchor in anchors().values() for word in (*anchor.words, anchor.key.removesuffix("_at"))
    }


@dataclass
class _Draft:
    """The facts gathered so far."""

    law: Law | None
    values: dict[str, Value | Unknown]
    kinds: dict[str, None]
    kinds_known: bool = False


def facts_of(raw: Mapping[str, Any], law: Law | None = None) -> Facts:
    """Our facts for a described case; numbers without place belong to the place of `law`. Raises Unsupported, Invalid."""
    draft = _Draft(law, {}, {})
    for key, value in raw.items():
        _take(draft, key, value)
    _residents(draft, raw)
    _settled(draft)
    if draft.kinds_known:
        draft.values["data_kinds"] = tuple(draft.kinds)
    presumed = words()["presumed"] if law else {}
    return Facts({**presumed, **draft.values})


def _take(draft: _Draft, key: str, value: Any) -> None:
    table = words()
    stem, _, kind = key.rpartition("_")
    if kind in {"at", "on"} and (stem in _moments() or key not in vocabulary()):
        _moment(draft, key, stem, value)
    elif key in table["numbers"]:
        _number(draft, key, value)
    elif key in table["kinds"]:
        _kind(draft, key, value)
    elif key in table["answers"]:
        for ours in table["answers"][key]:
            draft.values[ours] = parsed(ours, value)
    elif key in _STRUCTURED:
        _STRUCTURED[key](draft, value)
    elif key in vocabulary() and not (key in table["sentences"] and not _is_answer(key, value)):
        draft.values[key] = parsed(key, value)
    elif key not in table["sentences"]:
        raise Unsupported(f"the word {key!r}")


def _is_answer(key: str, value: Any) -> bool:
    """Whether a word that may be a sentence is one of the answers of our vocabulary."""
    entry = vocabulary()[key]
    return not entry.options or value in {option.word for option in entry.options}


def _moment(draft: _Draft, key: str, stem: str, value: Any) -> None:
    """An instant (…_at) or a local day (…_on). The first word for a moment wins over a second one of the same meaning."""
    ours = _moments().get(stem)
    if ours is None:
        raise Unsupported(f"the moment {key!r}")
    if value is None:
        return
    try:
        moment = date.fromisoformat(value) if key.endswith("_on") else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Invalid(key, f"{key}: {value!r} is not a date or an instant in ISO form.") from None
    if isinstance(moment, datetime) and moment.utcoffset() is None:
        raise Invalid(key, f"{key}: an instant needs its offset or Z.")
    draft.values.setdefault(ours, moment)


def _number(draft: _Draft, key: str, value: Any) -> None:
    if value is None:
        return
    number = parsed("people_count", value)
    target = words()["numbers"][key]
    if target == "told":
        draft.values["total_notified"] = number
    elif target == "china":
        draft.values["pi_people_cn"] = number
    if target in {"people", "place", "china"}:
        draft.values.setdefault("people_count", number)


def _residents(draft: _Draft, raw: Mapping[str, Any]) -> None:
    """Who lives where: in the regime's place, unless the case itself says."""
    if draft.law is None or "residents" in draft.values:
        return
    largest, here = raw.get("largest_state"), _here(raw, draft.law)
    if isinstance(largest, int):
        rest = max(0, (here or largest) - largest)
        draft.values["residents"] = {f"{draft.law.place}-CA": largest, draft.law.place: rest}
    elif isinstance(here, int) and draft.law.place != "US":
        draft.values["residents"] = {_one_place(draft.law.place): here}


def _settled(draft: _Draft) -> None:
    """What the other facts settle: a hold that ended was one; harm is a risk; figures of the Chinese grade not given are none."""
    values = draft.values
    if "le_clearance_at" in values:
        values.setdefault("law_enforcement_hold", True)
    if draft.law and "risk_to_people" not in values:
        values.update(_risk_of_harm(values))
    if draft.law and {"pi_people_cn", "loss_cny"} & values.keys():
        values.setdefault("pi_people_cn", 0)
        values.setdefault("loss_cny", 0)
        values.setdefault("qualitative_clause", "none")


def _risk_of_harm(values: Mapping[str, Value | Unknown]) -> dict[str, Value | Unknown]:
    """The risk that a word about harm settles: significant harm is a high one, likely harm a risk, none likely none."""
    if values.get("significant_harm") is True:
        return {"risk_to_people": "high"}
    likely = values.get("harm_likely")
    if likely is True:
        return {"risk_to_people": "risk"}
    return {"risk_to_people": "unlikely"} if likely is False else {}


def _here(raw: Mapping[str, Any], law: Law) -> Any:
    wanted = ("place", "china", "people") if law.place == "CN" else ("place", "people")
    named = [key for target in wanted for key, kind in words()["numbers"].items() if kind == target]
    return next((raw[key] for key in named if isinstance(raw.get(key), int)), None)


def _one_place(region: str) -> str:
    return region if places.is_place(region) else "DE"


def _kind(draft: _Draft, key: str, value: Any) -> None:
    if value is None:
        return
    draft.kinds_known = True
    if value is not False:
        draft.kinds.update(dict.fromkeys(words()["kinds"][key]))


def _categories(draft: _Draft, value: Any) -> None:
    draft.kinds_known = True
    table = standard()["kind_of_word"]
    for word in value or ():
        draft.kinds.update(dict.fromkeys(table.get(word, [word if word in vocabulary().kinds else "other"])))


def _case(draft: _Draft, value: Any) -> None:
    ground = words()["case"].get(value)
    if ground is None:
        raise Unsupported(f"the ground {value!r}")
    for key, raw in ground.items():
        if key == "data_kinds":
            _categories(draft, raw)
        else:
            draft.values.setdefault(key, raw)


def _entity(draft: _Draft, value: Any) -> None:
    if value is None:
        return
    known = [option.word for option in vocabulary()["entity"].options]
    table = words()["entity"]
    found: list[str] = []
    for word in [value] if isinstance(value, str) else value:
        plain, negated, _ = word.partition("_not_")
        ours = table.get(word) or table.get(plain) or ([plain] if plain in known else ["company"] if negated else None)
        if ours is None:
            raise Unsupported(f"the entity {word!r}")
        found += ours
    draft.values["entity"] = tuple(word for word in known if word in found)


def _encryption(draft: _Draft, value: Any) -> None:
    table = value if isinstance(value, Mapping) else {"state": value}
    draft.values["encryption"] = parsed("encryption", table.get("state"))
    if table.get("key_compromised") is not None:
        draft.values["key_compromised"] = parsed("key_compromised", table["key_compromised"])


def _backup(draft: _Draft, value: Any) -> None:
    if isinstance(value, Mapping):
        draft.values["backup_available"] = parsed("backup_available", value.get("available"))


def _clause(draft: _Draft, value: Any) -> None:
    word = {True: "relatively_major", False: "none"}.get(value, value) if isinstance(value, bool) else value
    draft.values["qualitative_clause"] = parsed("qualitative_clause", word)


def _dimensions(draft: _Draft, value: Any) -> None:
    draft.values["properties"] = parsed("properties", value)


def _vulnerable(draft: _Draft, value: Any) -> None:
    if value:
        draft.values["minors"] = "children" in value


def _for_the_grade(_: _Draft, __: Any) -> None:
    """What only the suggested risk looks at."""


_STRUCTURED: Mapping[str, Callable[[_Draft, Any], None]] = {
    "data_categories": _categories,
    "case": _case,
    "entity": _entity,
    "encryption": _encryption,
    "backup": _backup,
    "qualitative_clause": _clause,
    "dimensions": _dimensions,
    "vulnerable_people": _vulnerable,
    "mitigation": _for_the_grade,
    "incident_type": _for_the_grade,
}
