"""What the desk calls the things that somebody outside told us, and what it asks of a colleague who writes them down."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from incident.domain.tips import FIELDS, Kind, Sort
from incident.web.languages import Word

ABOUT: Mapping[Kind, str] = {
    Kind.LEAK: Word("Somebody found data of yours on a page, in a forum, in an open storage or in a message."),
    Kind.ACCOUNT: Word("Sign-ins, orders or changes in an account that its owner did not make."),
    Kind.VULNERABILITY: Word("A weakness in a system or product of yours."),
    Kind.SUPPLIER: Word("A processor or service provider tells you of an incident. Legal periods may depend on it."),
    Kind.OTHER: Word("Anything else that may put personal data at risk."),
}
"""What each kind of report is."""
WORDS: Mapping[str, str] = {
    "where": Word("Where"),
    "what": Word("What they told you"),
    "since": Word("Since when, or when they saw it"),
    "account": Word("Which account"),
    "vector": Word("CVSS vector"),
    "exploited": Word("Is somebody using it already?"),
    "company": Word("Which supplier"),
    "happened_at": Word("When it happened"),
    "noticed_at": Word("When they noticed"),
    "ongoing": Word("Is it still going on?"),
    "data": Word("Which of your data"),
    "people": Word("About how many people"),
    "reference": Word("Their reference"),
    "who": Word("Who told you"),
    "email": Word("Their e-mail address"),
}
"""Each field, as the desk calls it."""
HINTS: Mapping[str, str] = {
    "where": Word("The address of a page, the name of an app or a system; not the data itself."),
    "what": Word("In their words as far as you can. No passwords."),
    "account": Word("The user name or e-mail address of the account; never a password."),
    "vector": Word("3.0, 3.1 or 4.0, such as CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"),
    "noticed_at": Word("A legal period may run from here."),
    "data": Word("Kinds of data, of whom; not the data itself."),
    "people": Word("A number; a guess is fine."),
    "reference": Word("By which the supplier knows this incident."),
    "email": Word("If they want to be told that there is an answer."),
}


def held(kind: Kind, given: Mapping[str, str]) -> dict[str, str]:
    """What was typed for another kind of report, which this kind does not ask: kept beside the form, so that none of it is lost."""
    asked = {field.name for field in FIELDS[kind]}
    return {name: given[name] for name in WORDS if name not in asked and given.get(name, "").strip()}


def in_zone(kind: Kind, given: Mapping[str, str], zone: ZoneInfo) -> dict[str, str]:
    """The same with each local time as an instant of this zone, by the clocks of its own day; what is no time stays as it is."""
    found = dict(given)
    for field in FIELDS[kind]:
        if field.sort is Sort.INSTANT and found.get(field.name, "").strip():
            found[field.name] = _with_offset(found[field.name].strip(), zone)
    return found


def _with_offset(typed: str, zone: ZoneInfo) -> str:
    try:
        at = datetime.fromisoformat(typed)
        return at.isoformat() if at.tzinfo else at.replace(tzinfo=zone).isoformat()
    except (ValueError, OverflowError):
        return typed
