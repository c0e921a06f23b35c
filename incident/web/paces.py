"""How carefully a notice goes out, as a form asks for it: by whoever approves, and more carefully by whoever starts it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from flask import g

from incident.domain import digits
from incident.domain.errors import Invalid
from incident.domain.hours import Day
from incident.domain.notices import Channel
from incident.domain.pace import CHANNELS, Pace
from incident.store import notices
from incident.web.composing import CHANNEL_WORDS
from incident.web.languages import _

WHOLE = ("canary", "most_back", "most_complaints")


def typed(form: Mapping[str, str], usual: Pace) -> Pace:
    """The pace that a form asks for; what it leaves out or empty is as `usual`. Raises Invalid naming the field."""
    numbers = {name: _whole(form, name, getattr(usual, name)) for name in WHOLE}
    rates = {word: rate for word in CHANNELS if (rate := _rate(form, word, usual.rates.get(word, 0.0)))}
    urgent, day = "at_any_hour" in form, _day(form, usual.day)
    return replace(usual, **numbers, rates=rates, at_any_hour=urgent, day=day).checked()


def approved_pace(notice: str) -> Pace:
    """What the approval of this notice of the incident at hand set; the usual pace where it set nothing."""
    found = notices.by_ref(g.incident.id, notice)
    version = notices.version(found.id, found.number) if found else None
    return (Pace.from_json(version.pace) if version else None) or Pace()


def words(pace: Pace | None, channels: Sequence[str]) -> list[tuple[str, str]]:
    """What an approval says of it, line by line; nothing where it says nothing."""
    if pace is None:
        return []
    said = [
        (
            _("Halts by itself"),
            _(
                "above %(most_back)s in a hundred refused or come back, or %(most_complaints)s in a thousand complaints",
                most_back=pace.most_back,
                most_complaints=pace.most_complaints,
            ),
        ),
        (
            "First",
            _("to %(canary)s people, then a person looks", canary=format(pace.canary, ","))
            if pace.canary
            else _("to all at once"),
        ),
    ]
    said += [
        (
            _("%(channel_words)s, at most", channel_words=CHANNEL_WORDS[Channel(word)]),
            _("%(rate)s a second", rate=format(rate, "g")),
        )
        for word, rate in sorted(pace.rates.items())
    ]
    if {"sms", "call"} & set(channels):
        hours = (
            _("urgent: at any hour") if pace.at_any_hour else _("%(words)s, where people live", words=pace.day.words)
        )
        said.append((_("Texts and calls"), hours))
    return said


def _day(form: Mapping[str, str], usual: Day) -> Day:
    try:
        return Day(*(_whole(form, f"hours:{name}", hour) for name, hour in asdict(usual).items()))
    except Invalid as mistake:
        raise Invalid("hours", mistake.sentence) from mistake


def _whole(form: Mapping[str, str], name: str, usual: int) -> int:
    given = form.get(name, "").strip()
    if not given:
        return usual
    number = digits.whole(given)
    if number is None:
        raise Invalid(name, "Give a whole number.")
    return number


def _rate(form: Mapping[str, str], word: str, usual: float) -> float:
    given = form.get(f"rate:{word}")
    if given is None:
        return usual
    given = digits.narrow(given).replace(",", ".")
    if not given:
        return 0.0
    if not (given.isascii() and given.replace(".", "", 1).isdigit() and len(given) < 8):
        raise Invalid("rates", "Give a number of messages a second, such as 5 or 0.5, or nothing.")
    return float(given)
