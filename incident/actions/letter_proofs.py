"""A letter that the sandbox kept, set as it would be printed: for rehearsals, since nothing of them goes to the printer."""

from collections.abc import Mapping
from datetime import datetime

from incident.actions.merging import House
from incident.domain import letters as rules
from incident.domain.errors import Refused
from incident.exports.letters import Letter, Unprintable, print_file


def proof(ref: str, message: Mapping[str, str], *, form: str, house: House, at: datetime, country: str = "") -> bytes:
    """Return one message as the PDF of its letter to this country. Raises Refused where a character has no font here."""
    lines = tuple(line for line in message["to"].split("\n") if line.strip())
    letter = Letter(ref, lines, message["html"], message["language"], "")
    chosen = rules.form_for(country, form or rules.BY_COUNTRY)
    sender, author = house.senders.get("letter", ""), house.company.get("name", "")
    try:
        made = print_file([letter], chosen, name=f"{ref}.pdf", sender=sender, author=author, first=1, at=at)
    except Unprintable as trouble:
        raise Refused(str(trouble)) from None
    return made.content
