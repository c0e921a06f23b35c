"""Who the organisation is, as administrators may say it on a page where neither environment nor file says it."""

import re
from collections.abc import Mapping
from typing import Final

from incident.domain import users, zones
from incident.domain.errors import Invalid
from incident.domain.facts import UNKNOWN, parsed

NAMES: Final = (
    "company_name",
    "contact_name",
    "contact_email",
    "contact_phone",
    "contact_address",
    "time_zone",
    "company_places",
    "company_kinds",
    "company_operator",
)
"""The settings that may be given so; their names are those of the environment in small letters."""
FACTS: Final = {"company_places": "establishments", "company_kinds": "entity", "company_operator": "operator"}
"""Those that are facts of every incident, with the fact's key: laws ask for them."""
LONGEST: Final = 200
LONGEST_KINDS: Final = 1_000
LONGEST_ADDRESS: Final = 500
PHONE: Final = re.compile(r"\+?[0-9][0-9 ()/.-]{4,38}[0-9]")


def checked(wanted: Mapping[str, str]) -> dict[str, str]:
    """What was given, tidied up; "" takes a value back. Raises Invalid with the field's name, also for an unknown one."""
    for name in wanted:
        if name not in NAMES:
            raise Invalid(name, f"This is not set here; what is: {', '.join(NAMES)}.")
    return {name: _read(name, _tidy(name, words)) for name, words in wanted.items()}


def _tidy(name: str, words: str) -> str:
    """One line for all but the postal address, which keeps its lines."""
    lines = [" ".join(line.split()) for line in words.splitlines()]
    most = {"contact_address": LONGEST_ADDRESS, "company_kinds": LONGEST_KINDS}.get(name, LONGEST)
    told = ("\n" if name == "contact_address" else " ").join(line for line in lines if line)
    if len(told) > most or not told.replace("\n", "").isprintable():
        raise Invalid(name, f"Write at most {most} letters, and nothing that cannot be printed.")
    return told


def _read(name: str, words: str) -> str:
    if not words:
        return words
    if name == "contact_email":
        return _mail(words)
    if name == "contact_phone" and not PHONE.fullmatch(words):
        raise Invalid(name, "Give a telephone number, such as +49 30 5550100.")
    if name == "time_zone" and words not in zones.known():
        raise Invalid(name, "Choose a time zone from the list, such as Europe/Berlin.")
    if name == "company_places":
        return _places(words)
    return _chosen(name, words) if name in FACTS else words


def _mail(words: str) -> str:
    try:
        users.address(words)
    except Invalid as error:
        raise Invalid("contact_email", error.sentence) from None
    return words


def _chosen(name: str, words: str) -> str:
    """Words of a fact's list with commas, each once, in the order of the list."""
    try:
        value = parsed(FACTS[name], words)
    except Invalid as error:
        raise Invalid(name, error.sentence) from None
    if value is UNKNOWN:
        return ""
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _places(words: str) -> str:
    """Codes with commas, each once, in large letters."""
    codes = list(dict.fromkeys(code.strip().upper() for code in words.replace(";", ",").split(",") if code.strip()))
    try:
        parsed("establishments", codes)
    except Invalid as error:
        raise Invalid("company_places", error.sentence) from None
    return ",".join(codes)
