"""What the compose page shows and reads back: strings as they were typed, so that no mistake ever costs a written text."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from incident.actions.notices import Change, ladder_of
from incident.actions.weighing import Standing
from incident.domain import digits, ladders, places, starters
from incident.domain.errors import Invalid
from incident.domain.musts import Hurdle
from incident.domain.notices import SECTIONS, Channel, Text, lists_passed_over
from incident.domain.people import AGE_WORDS, Age, Audience
from incident.store.audiences import Group
from incident.store.notices import Notice
from incident.web.answers import LOCAL, instant
from incident.web.languages import Word, _, ngettext, said, tongue
from notifiers.contract import Despite

CHANNEL_WORDS = {
    Channel.EMAIL: Word("E-mail"),
    Channel.SMS: Word("Text message"),
    Channel.LETTER: Word("Letter"),
    Channel.CALL: Word("Call"),
    Channel.PUSH: Word("Push"),
    Channel.ANNOUNCEMENT: Word("Announcement"),
}
DESPITE_WORDS = {
    Despite.UNSUBSCRIBED: Word("unsubscribed from your e-mail"),
    Despite.COMPLAINED: Word("marked an e-mail of yours as spam"),
}
SHORT_PARTS = ("subject", "greeting", "sms", "call", "push_title", "push_body")
COVER = "cover:"
NOBODY_SAID = "-"  # stands for an empty place, language or age in a box, since an empty value would not be sent


@dataclass
class Sketch:
    """The form as it stands: of the notice as kept, or of what somebody typed and could not keep yet."""

    title: str
    languages: list[str]
    channels: list[str]
    waves: list[str]
    places: list[str]
    tongues: list[str]
    ages: list[str]
    send_at: str
    texts: dict[str, Text]
    revision: int
    steps: dict[str, tuple[str, str]] = field(default_factory=dict)
    despite: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    typed: bool = False
    unsent: bool = False  # what is kept was to be submitted, and something is in the way


@dataclass(frozen=True)
class Box:
    """One thing that can be ticked, with how many people it means."""

    value: str
    label: str
    people: int


def sketch(notice: Notice, texts: Iterable[Text], zone: ZoneInfo) -> Sketch:
    """Return the form for the notice as it is kept."""
    audience = Audience.from_json(notice.audience)
    return Sketch(
        title=notice.title,
        languages=list(notice.languages),
        channels=list(notice.channels),
        waves=[str(wave) for wave in audience.waves],
        places=[place or NOBODY_SAID for place in audience.places],
        tongues=[language or NOBODY_SAID for language in audience.languages],
        ages=[age or NOBODY_SAID for age in audience.ages],
        send_at=notice.send_at.astimezone(zone).strftime(LOCAL) if notice.send_at else "",
        texts={text.language: text for text in texts},
        revision=notice.revision,
        steps={step.channel: (str(step.hours), step.counts.value) for step in ladder_of(notice)},
        despite=list(notice.despite),
    )


def typed(form: MultiDict[str, str], kept: Sketch) -> Sketch:
    """Return the form as somebody sent it; texts in languages that were not on the page stay as they are kept."""
    language = form.get("language", "")
    texts = dict(kept.texts)
    if language in starters.languages():
        texts[language] = _text(form, language, kept.texts.get(language, Text(language)))
    channels = [form.get(f"channel{place}", "") for place in range(1, len(Channel) + 1)]
    return Sketch(
        title=form.get("title", ""),
        languages=[tag for tag in dict.fromkeys(form.getlist("languages"))],
        channels=[word for word in dict.fromkeys(channels) if word],
        waves=form.getlist("waves"),
        places=form.getlist("places"),
        tongues=form.getlist("tongues"),
        ages=form.getlist("ages"),
        send_at=form.get("send_at", "").strip(),
        texts=texts,
        revision=form.get("revision", 0, type=int),
        steps={
            word: (form.get(f"hours:{word}", hours).strip(), form.get(f"counts:{word}", counts))
            for word, (hours, counts) in kept.steps.items()
        },
        despite=form.getlist("despite") if "despite_shown" in form else kept.despite,
        typed=True,
    )


def _text(form: MultiDict[str, str], language: str, kept: Text) -> Text:
    covers = {name.removeprefix(COVER): value for name, value in form.items() if name.startswith(COVER) and value}
    asked = {name.removeprefix(COVER) for name in form if name.startswith(COVER)}
    return replace(
        kept,
        **{name: _plain(form.get(name, "")) for name in SHORT_PARTS},
        sections={name: _plain(form.get(name, "")) for name in SECTIONS},
        covers={**{name: value for name, value in kept.covers.items() if name not in asked}, **covers},
    )


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def change(page: Sketch, zone: ZoneInfo) -> Change:
    """Return what the form asks for. Raises Invalid naming the field."""
    try:
        channels = tuple(Channel(word) for word in page.channels)
        waves = tuple(int(wave) for wave in page.waves)
    except ValueError:
        raise Invalid("channels", "Choose channels and waves from the lists.") from None
    audience = {
        "waves": waves,
        "places": _said(page.places),
        "languages": _said(page.tongues),
        "ages": _said(page.ages),
    }
    return Change(
        title=page.title,
        languages=tuple(page.languages),
        channels=channels,
        audience=Audience.from_json(audience),
        send_at=instant(page.send_at, zone, "send_at"),
        texts=page.texts,
        ladder={word: _step(word, hours, counts) for word, (hours, counts) in page.steps.items()},
        despite=lists_passed_over(page.despite),
    )


def _step(channel: str, hours: str, counts: str) -> ladders.Step:
    return ladders.checked(channel, digits.whole(hours) or 0, counts)


def _said(words: Iterable[str]) -> tuple[str, ...]:
    return tuple("" if word == NOBODY_SAID else word for word in words)


def boxes(groups: Iterable[Group]) -> Mapping[str, list[Box]]:
    """Return what an audience can be narrowed by, with how many people each means; alone there, most people first."""
    counts: dict[str, dict[str, int]] = {"waves": {}, "places": {}, "tongues": {}, "ages": {}}
    for group in groups:
        for name, value in (
            ("waves", str(group.wave)),
            ("places", group.place),
            ("tongues", group.language),
            ("ages", group.age),
        ):
            counts[name][value] = counts[name].get(value, 0) + group.people
    labels: dict[str, Callable[[str], str]] = {
        "waves": lambda wave: _("Wave %(wave)s", wave=wave),
        "places": lambda place: places.named(place) if place else _("place not known"),
        "tongues": lambda tag: tongue(tag) if tag else _("language not known"),
        "ages": lambda age: AGE_WORDS[Age(age)],
    }
    return {
        name: [
            Box(value or NOBODY_SAID, labels[name](value), count)
            for value, count in sorted(found.items(), key=_most_first)
        ]
        for name, found in counts.items()
    }


def place(hurdle: Hurdle, texts: Iterable[Text]) -> str:
    """Return the part of the page where a hurdle is mended: for a field without a value, the first part that uses it."""
    if "." not in hurdle.where:
        return hurdle.where
    parts = ((name, said) for text in texts if hurdle.language in ("", text.language) for name, said in _parts(text))
    return next((name for name, said in parts if hurdle.where in said), "what_happened")


def _parts(text: Text) -> list[tuple[str, str]]:
    short = {name: getattr(text, name) for name in SHORT_PARTS}
    first = [(name, short.pop(name)) for name in ("subject", "greeting")]
    return [*first, *text.sections.items(), *short.items()]


def by_place(standing: Standing, language: str) -> dict[str, list[Hurdle]]:
    """Return what is in the way in this language or in all of them, by the part of the page where it is mended."""
    found: dict[str, list[Hurdle]] = {}
    for hurdle in standing.hurdles:
        if hurdle.language in ("", language):
            found.setdefault(place(hurdle, standing.texts), []).append(hurdle)
    return found


def _most_first(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


def audience_words(audience: Mapping[str, list[str]], people: int) -> str:
    """Return the audience as a phrase, such as "48,210 people · wave 1 · DE, FR"."""
    found = Audience.from_json(audience)
    parts = [ngettext("%(people)s person", "%(people)s people", people, people=f"{people:,}")]
    if found.waves:
        parts.append(_("wave ") + ", ".join(str(wave) for wave in found.waves))
    for values, unknown in ((found.places, _("place not known")), (found.languages, _("language not known"))):
        if values:
            parts.append(", ".join(value or unknown for value in values))
    if found.ages:
        parts.append(", ".join(said(AGE_WORDS[Age(age)]) for age in found.ages))
    if found.told_by:
        parts.append(_("told by ") + ", ".join(found.told_by))
    if found.not_listed_by:
        parts.append(_("found later than ") + ", ".join(found.not_listed_by))
    return " · ".join(parts)


def ladder_words(steps: Iterable[ladders.Step]) -> list[tuple[str, str]]:
    """Return each step of a ladder: its channel, and what counts and when the next one follows."""
    return [(CHANNEL_WORDS[Channel(step.channel)], ladders.words(step)) for step in steps]


def despite_words(contents: Mapping[str, Any]) -> str:
    """Return whom a version's e-mail reaches despite a list; empty where it sends none."""
    if Channel.EMAIL not in contents["channels"]:
        return ""
    lists = [said(DESPITE_WORDS[Despite(word)]) for word in contents.get("despite", tuple(Despite))]
    return (
        _("also to those who %(said)s", said=_(" or ").join(lists))
        if lists
        else _("not to those who unsubscribed or complained")
    )


def channel_words(channels: Iterable[str]) -> str:
    """Return the channels in their order, such as "e-mail, then text message, then letter"."""
    words = [said(CHANNEL_WORDS[Channel(word)]).lower() for word in channels]
    return _(", then ").join(words) or _("no channel yet")
