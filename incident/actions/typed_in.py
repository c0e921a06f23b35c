"""One person's record as somebody typed it: judged field by field, and what of it changed."""

from collections.abc import Mapping
from typing import Final

from incident.actions import contacts
from incident.domain import columns, facts, places
from incident.domain import imports as lists
from incident.domain import people as rules
from incident.domain.errors import Invalid
from incident.domain.people import Age, Plain, Record

CONTACTS: Final = ("email", "phone", "guardian_email", "guardian_phone")
CORRECTABLE: Final = (
    "name", "email", "phone", "address", "guardian_name", "guardian_email", "guardian_phone", "guardian_address",
    "reference", "deceased", "no_letter", "safe_ways", "push_token",
)  # fmt: skip
PARTS: Final = {"name": ("given_name", "family_name"), "address": ("street", "postcode", "city", "region", "country")}
"""What a field stands for when a list gave it in parts; a correction replaces them all."""


def judged(before: Record, values: Mapping[str, str], plain: Plain | None = None) -> tuple[Record, Plain]:
    """The record and its plain values after `values` were typed in. Raises Invalid naming the field."""
    record = {key: value for key, value in before.items() if not key.startswith("as_given:")}
    code = _word("place", values.get("place", plain.place if plain else ""), "place")
    shown = as_shown(record)
    for field in CORRECTABLE:
        if field in values and (value := _typed(field, values[field], code)) != shown[field]:
            for part in (field, *PARTS.get(field, ())):
                record.pop(part, None)
            if value:
                record[field] = value
    if not rules.settle_marks(record, columns.says_no, columns.found_safe):
        raise Invalid(
            rules.SAFE, f"Say which ways are safe, with commas between: {', '.join(rules.SAFE_WAYS)}; or none."
        )
    if record.keys().isdisjoint({"name", "given_name", "family_name", *CONTACTS, "reference"}):
        raise Invalid("name", "Give a name, an e-mail address, a telephone number or your reference.")
    return record, Plain(
        code,
        _word("language", values.get("language", plain.language if plain else ""), "language"),
        _kinds(values.get("exposed", plain.exposed if plain else "")),
        _word("age", values.get("age", plain.age if plain else ""), "age"),
        *rules.ways(record),
        doubts="",
    )


def as_shown(record: Mapping[str, str]) -> dict[str, str]:
    """The correctable fields as a form shows them: names and addresses that came in parts are put together."""
    whole = {"name": rules.full_name(record), "address": "\n".join(rules.address_lines(record))}
    return {field: whole.get(field, record.get(field, "")) for field in CORRECTABLE}


def _typed(field: str, value: str, code: str) -> str:
    value = columns.cleaned(value, lines=field in lists.LINED)
    if len(value) > lists.LONGEST_FIELD:
        raise Invalid(field, f"At most {lists.LONGEST_FIELD} characters.")
    if value and field.endswith("email"):
        return contacts.email(value) or _invalid(field, "This is not a valid e-mail address.")
    if value and field.endswith("phone"):
        return contacts.phone(value, code[:2]) or _invalid(
            field, "This is not a valid number. Begin with + and the country code."
        )
    return value


def _invalid(field: str, sentence: str) -> str:
    raise Invalid(field, sentence)


def _word(field: str, value: str, kind: str) -> str:
    known = {"place": places.is_place, "language": columns.languages().__contains__, "age": set(Age).__contains__}
    if value and not known[kind](value):
        raise Invalid(field, "Choose one from the list.")
    return value


def _kinds(words: str) -> str:
    if unknown := set(words.split()) - set(facts.vocabulary().kinds):
        raise Invalid("exposed", f"{sorted(unknown)[0]!r} is no kind of data we know.")
    return " ".join(sorted(set(words.split())))


def changed(before: Record, record: Record, old: Plain, new: Plain) -> list[str]:
    """The names of the fields that are not what they were; `doubts` where a look settled them without a change."""
    was, now_is = as_shown(before), as_shown(record)
    fields = [field for field in CORRECTABLE if was[field] != now_is[field]]
    fields += [name for name in ("place", "language", "exposed", "age") if getattr(old, name) != getattr(new, name)]
    return fields + (["doubts"] if old.doubts and not fields else [])
