"""Seeing in clear what is masked: which parts of a record there are, what one may ask for, and why."""

from collections.abc import Collection, Mapping
from typing import Final

from incident.domain.errors import Invalid

WHY: Final = {
    "call": "to call or write to this person",
    "request": "to answer a request of this person",
    "correct": "to correct the record",
    "duplicate": "to decide about a duplicate",
    "proof": "to prove that a notice was given",
    "authority": "because an authority asks",
    "text": "to check the text that this person gets",
}
"""The reasons for which one may look, and the words for them; the record keeps the word on the left."""
PARTS: Final = {
    "name": "Name",
    "email": "E-mail address",
    "phone": "Telephone number",
    "address": "Postal address",
    "guardian": "Guardian",
    "reference": "Your own reference",
    "other": "All else that is kept",
}
"""The parts of a record that are shown apart, each only when it was asked for."""
FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "name": frozenset({"name", "given_name", "family_name"}),
    "email": frozenset({"email"}),
    "phone": frozenset({"phone"}),
    "address": frozenset({"address", "street", "postcode", "city", "region", "country"}),
    "guardian": frozenset({"guardian_name", "guardian_email", "guardian_phone", "guardian_address"}),
    "reference": frozenset({"reference"}),
}
AS_GIVEN: Final = "as_given:"


def reason(word: str) -> str:
    """The word of a reason. Raises Invalid."""
    if word not in WHY:
        raise Invalid("why", "Say why you need to see this person.")
    return word


def parts(asked: Collection[str]) -> tuple[str, ...]:
    """These parts in their order, each once. Raises Invalid where none is asked for, or one that there is not."""
    if not asked or not set(asked) <= PARTS.keys():
        raise Invalid("parts", "Choose what you need to see.")
    return tuple(part for part in PARTS if part in asked)


def part_of(field: str) -> str:
    """The part that a field of a record belongs to."""
    plain = field.removeprefix(AS_GIVEN)
    return next((part for part, fields in FIELDS.items() if plain in fields), "other")


def shown(record: Mapping[str, str], asked: Collection[str]) -> dict[str, str]:
    """Of a record the fields of these parts alone."""
    return {field: value for field, value in record.items() if part_of(field) in asked}
