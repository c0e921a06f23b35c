"""What is looked at before a notice goes out, and what each look means: it stands, it warns, or it keeps the notice back.

Nothing here reads a database or a person's record twice: `Findings` are counts that a scan over everybody made, and the rest
are figures that the installation has at hand.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from incident.domain import addresses, hours, mail_domains, starters
from incident.domain.addresses import Doubt
from incident.domain.mail_domains import Standing
from incident.domain.notices import speaks

EMAIL: Final = re.compile(
    r"(?=.{3,254}$)(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,63}|xn--[A-Za-z0-9-]{1,59})"
)
"""An address as RFC 5321 writes it without quotes, in ASCII: what every provider takes."""
PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
"""A number as ITU-T E.164 writes it."""
CLIPPED: Final = 100_000
"""Bytes of HTML above which a large mailbox provider shows only the beginning of an e-mail (Gmail: 102 kB)."""
ADVISED_SMS: Final = 320  # letters; beyond that Twilio sees texts arrive less well
LONGEST_SMS: Final = 1_600  # letters, over all segments (Twilio 21617)
ONE_PERSON, PEOPLE = "1 person", "{amount} people"
WAYS: Final[Mapping[str, tuple[str, str]]] = {
    "email": ("E-mail", "no e-mail address"),
    "sms": ("Text message", "no telephone number"),
    "call": ("Call", "no telephone number"),
    "letter": ("Letter", "no postal address"),
    "push": ("Push", "no device"),
}
FIELDS: Final[Mapping[str, str]] = {
    "person.name": "no name",
    "person.for_whom": "no name of the person concerned",
    "person.exposed": "no kind of exposed data",
}


class Verdict(StrEnum):
    """What a look came to."""

    STANDS = "ok"
    WARNS = "warns"
    BLOCKS = "blocks"
    UNKNOWN = "unknown"  # could not be looked at


@dataclass(frozen=True)
class Result:
    """One look: what it came to, in a sentence, how many people it concerns, and under which word they are listed."""

    what: str
    verdict: Verdict
    title: str
    sentence: str
    people: int | None = None
    listed: str = ""  # the word of the list behind the number; empty: there is none
    until: datetime | None = None


@dataclass
class Findings:
    """What a scan over everybody found: how many, by the word under which they are listed; texts by place; sizes by language."""

    people: dict[str, int] = field(default_factory=dict)
    texts: dict[str, list[int]] = field(default_factory=dict)  # place: people, segments, longest in letters
    sizes: dict[str, int] = field(default_factory=dict)  # language: bytes of an e-mail
    alphabets: dict[str, list[str]] = field(default_factory=dict)  # language: what a text message of it is written in
    domain: list[dict[str, str]] = field(default_factory=list)

    def add(self, word: str, people: int = 1) -> None:
        """Count people under a word."""
        self.people[word] = self.people.get(word, 0) + people

    def add_text(self, place: str, segments: int, letters: int) -> None:
        """Count one text message that could go to somebody in this place."""
        row = self.texts.setdefault(place, [0, 0, 0])
        row[0], row[1], row[2] = row[0] + 1, row[1] + segments, max(row[2], letters)

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {name: getattr(self, name) for name in ("people", "texts", "sizes", "alphabets", "domain")}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Findings":
        """Read back."""
        return cls(**raw)


@dataclass(frozen=True)
class Ground:
    """What is known without a look at anybody's record.

    `lacking` are the people without a way, by channel; `first` those that each channel would try first, by place.
    """

    people: int
    channels: tuple[str, ...]
    opened: frozenset[str]
    languages: tuple[str, ...]
    lacking: Mapping[str, int]
    unreached: int
    by_language: Mapping[str, int]
    first: Mapping[str, Mapping[str, int]]
    hurdles: int
    begins: datetime
    at_any_hour: bool = False
    day: hours.Day = hours.USUAL
    held_back: int = 0  # possible duplicates that nobody decided about
    guardians: tuple[str, ...] = ()  # which laws, that are owed, want guardians told, and below which age


def is_email(address: str) -> bool:
    """Whether every provider takes this address as written."""
    return EMAIL.fullmatch(address) is not None


def is_phone(number: str) -> bool:
    """Whether this is a number with its country code and nothing else."""
    return PHONE.fullmatch(number) is not None


def results(ground: Ground, found: Findings | None, cost: str = "") -> tuple[Result, ...]:
    """Every look in the order of its weight within its kind; without `found`, those that need no scan."""
    looks = (
        *_text(ground),
        *_held_back(ground),
        *_ways(ground),
        *(_records(ground, found) if found else ()),
        *_languages(ground),
        *(_sizes(found) if found else ()),
        *(_texts(ground, found, cost) if found else ()),
        *(_letters(found) if found else ()),
        *(_in_care(ground, found) if found else ()),
        *_quiet(ground),
        *(_sender(ground, found) if found else ()),
    )
    order = {Verdict.BLOCKS: 0, Verdict.WARNS: 1, Verdict.UNKNOWN: 2, Verdict.STANDS: 3}
    return tuple(sorted(looks, key=lambda one: order[one.verdict]))


def worst(looks: Iterable[Result]) -> Verdict:
    """What all of them come to together."""
    seen = {one.verdict for one in looks}
    return next(
        (word for word in (Verdict.BLOCKS, Verdict.WARNS, Verdict.UNKNOWN) if word in seen),
        Verdict.STANDS,
    )


def counted(count: int) -> str:
    """How many people, such as "1 person" or "1,204 people"."""
    return ONE_PERSON if count == 1 else PEOPLE.format(amount=f"{count:,}")


def _text(ground: Ground) -> Iterable[Result]:
    if ground.hurdles:
        amount = f"{ground.hurdles:,}"
        one = f"{amount} thing to be mended on the compose page."
        many = f"{amount} things to be mended on the compose page."
        yield Result("text", Verdict.BLOCKS, "Text", one if ground.hurdles == 1 else many)
    if not ground.people and set(ground.channels) != {"announcement"}:
        yield Result("people", Verdict.BLOCKS, "Audience", "Nobody is in this audience.", 0)


def _held_back(ground: Ground) -> Iterable[Result]:
    """Who shares an address or a number with somebody, and stays out of the audience until a person has decided."""
    if count := ground.held_back:
        said = (
            f"{counted(count)} may be on the list already: nothing goes to them until somebody decides, under Possible "
            "duplicates. Decide before this is approved: an approval is for the people of that moment."
        )
        yield Result("duplicates", Verdict.WARNS, "Possible duplicates", said, count, "state.suspect")


def _ways(ground: Ground) -> Iterable[Result]:
    """Each channel: whether it is set up, and who has no address for it."""
    for channel in ground.channels:
        if channel not in WAYS:
            continue
        title, lacks = WAYS[channel]
        without = ground.lacking.get(channel, 0)
        if channel not in ground.opened:
            said = "It is not set up here, so it is passed over: people go on to the next channel."
            yield Result(f"way.{channel}", Verdict.WARNS, title, said)
        elif without:
            said = (
                f"{counted(without)} of {ground.people:,} in all has {lacks}."
                if without == 1
                else f"{counted(without)} of {ground.people:,} in all have {lacks}."
            )
            yield Result(f"way.{channel}", Verdict.WARNS, title, said, without, f"no.{channel}")
        else:
            yield Result(f"way.{channel}", Verdict.STANDS, title, "Everybody has an address for it.", 0)
    if ground.unreached:
        said = f"{counted(ground.unreached)} can be reached by none of these channels."
        yield Result("unreached", Verdict.WARNS, "Reached by none", said, ground.unreached, "no.way")


def _records(ground: Ground, found: Findings) -> Iterable[Result]:
    """What in people's records keeps a message from being written or from arriving."""
    gaps = [(name, found.people[f"gap.{name}"]) for name in FIELDS if found.people.get(f"gap.{name}")]
    for name, count in gaps:
        said = f"{{{{ {name} }}}}: {counted(count)} with {FIELDS[name]}. Complete their records, or say it without the field."
        yield Result(f"gap.{name}", Verdict.BLOCKS, "Fields of the text", said, count, f"gap.{name}")
    if not gaps and ground.people:
        said = f"Every field of the text has a value for each of {counted(ground.people)}."
        yield Result("gaps", Verdict.STANDS, "Fields of the text", said, 0)
    for word, title, said in (
        ("unreadable", "Records", "{} cannot be opened, so nothing can be sent to them."),
        ("poison", "Records", "{} passed by: the program died three times while it looked at this record alone."),
        ("bad.email", "E-mail addresses", "{} with an address that providers will not take as it is written."),
        ("bad.phone", "Telephone numbers", "{} with a number that is not written with its country code."),
    ):
        if count := found.people.get(word, 0):
            yield Result(word, Verdict.WARNS, title, said.format(counted(count)), count, word)


def _languages(ground: Ground) -> Iterable[Result]:
    missing = {tag: n for tag, n in ground.by_language.items() if n and tag and not speaks(tag, ground.languages)}
    for tag, count in sorted(missing.items(), key=lambda pair: (-pair[1], pair[0])):
        name = starters.named(tag) if tag in starters.languages() else tag
        get = starters.named(ground.languages[0]) if ground.languages else "nothing"
        said = f"For {counted(count)} who would read {name} there is no text: they would get {get}."
        yield Result(f"language.{tag}", Verdict.WARNS, "Languages", said, count, f"language.{tag}")
    if not missing and ground.people:
        yield Result(
            "languages", Verdict.STANDS, "Languages", "Everybody whose language is known gets it in theirs.", 0
        )


def _sizes(found: Findings) -> Iterable[Result]:
    for language, size in found.sizes.items():
        name, shown = starters.named(language), f"{max(1, round(size / 1000)):,} kB"
        if size > CLIPPED:
            said = f"An e-mail in {name} is {shown}: large mailbox providers show only its beginning."
            yield Result(f"size.{language}", Verdict.WARNS, "Size", said)
        else:
            yield Result(f"size.{language}", Verdict.STANDS, "Size", f"An e-mail in {name} is about {shown}.")


def _texts(ground: Ground, found: Findings, cost: str) -> Iterable[Result]:
    """Text messages: how many segments, what they cost, and those that are too long."""
    if "sms" not in ground.channels or not found.texts:
        return
    people, segments = (sum(row[at] for row in found.texts.values()) for at in (0, 1))
    longest = max(row[2] for row in found.texts.values())
    tried = sum(ground.first.get("sms", {}).values())
    said = (
        f"{segments:,} segments if all {counted(people)} with a number get one; it is tried first for {tried:,}."
        if segments != 1
        else f"1 segment if all {counted(people)} with a number get one; it is tried first for {tried:,}."
    )
    if cost:
        said += f" That costs {cost}."
    verdict = Verdict.STANDS
    if longest > ADVISED_SMS:
        verdict = Verdict.WARNS
        said += f" The longest has {longest:,} letters; texts of more than {ADVISED_SMS} arrive less well."
    yield Result("sms.segments", verdict, "Text messages", said, people)
    for language, letters in found.alphabets.items():
        if letters:
            costly = " ".join(letters[:8])
            said = f"In {starters.named(language)}, {costly} make{'s' if len(letters) == 1 else ''} every text longer (UCS-2, 70 letters a segment)."
            is_own_script = any(ord(letter) > 0x2FFF for letter in letters)
            yield Result(f"sms.{language}", Verdict.STANDS if is_own_script else Verdict.WARNS, "Text messages", said)
    if count := found.people.get("sms.long", 0):
        said = f"{counted(count)} would get more than {LONGEST_SMS:,} letters: the provider refuses that, and they go on to the next channel."
        yield Result("sms.long", Verdict.WARNS, "Text messages", said, count, "sms.long")


def _letters(found: Findings) -> Iterable[Result]:
    for doubt in Doubt:
        if count := found.people.get(f"letter.{doubt}", 0):
            said = f"{counted(count)}: {addresses.DOUBT_WORDS[doubt]}."
            yield Result(f"letter.{doubt}", Verdict.WARNS, "Postal addresses", said, count, f"letter.{doubt}")


CARE: Final[Mapping[str, tuple[str, str]]] = {
    "unsafe": (
        "At risk at home",
        "{} at risk at home, whom none of these channels reaches safely: nothing goes to them. Ask them, or who knows them, which way is safe.",
    ),
    "at_risk": ("At risk at home", "{} at risk at home, told only by the ways that are marked safe."),
    "minor": (
        "Minors",
        "{} under age with no guardian on record who can be written to: a letter goes to the parents or guardian, all else to the child.",
    ),
    "guardian": ("Guardians", "{} told through whoever represents them."),
    "nameless": (
        "Guardians",
        "{} told through whoever represents them, by a text that does not say whose data it is about: name them in it by the field person.for_whom.",
    ),
    "next_of_kin": ("The dead", "{} who died: a letter goes to the next of kin, and nothing else goes out."),
}
"""Who is told otherwise than others, by the word under which they are listed: title and sentence."""


def _in_care(ground: Ground, found: Findings) -> Iterable[Result]:
    """Children, represented people, the dead, and people at risk at home: how they are told, and where a person has to act."""
    for word, (title, said) in CARE.items():
        count = found.people.get(f"care.{word}", 0)
        if not count:
            continue
        sentence = said.format(counted(count))
        if word == "minor" and ground.guardians:
            sentence += f" Guardians are told by {'; '.join(ground.guardians)}."
        verdict = Verdict.WARNS if word in {"unsafe", "minor", "nameless"} else Verdict.STANDS
        yield Result(f"care.{word}", verdict, title, sentence, count, f"care.{word}")


def _quiet(ground: Ground) -> Iterable[Result]:
    """Who would be written to or called in the night, or on a Sunday morning, and waits instead."""
    for channel in hours.QUIET_CHANNELS:
        groups = ground.first.get(channel, {})
        if not sum(groups.values()):
            continue
        title = f"Hours, {WAYS[channel][0].lower()}"
        ends = {place: hours.next_fit(place, ground.begins, ground.day) for place in groups}
        waiting = sum(count for place, count in groups.items() if ends[place] > ground.begins)
        if not waiting:
            yield Result(f"quiet.{channel}", Verdict.STANDS, title, "It is a fit hour wherever they live.", 0)
        elif ground.at_any_hour:
            said = (
                f"{counted(waiting)} would be disturbed at an unfit hour where they live: this was approved as urgent."
            )
            yield Result(f"quiet.{channel}", Verdict.WARNS, title, said, waiting)
        else:
            said = f"{counted(waiting)} would wait until it is a fit hour where they live, the last of them until"
            yield Result(f"quiet.{channel}", Verdict.WARNS, title, said, waiting, until=max(ends.values()))
        if unknown := groups.get("", 0):
            said = f"Of {counted(unknown)} nobody knows where they live: they are written to at any hour."
            yield Result(f"place.{channel}", Verdict.WARNS, title, said, unknown, "place.unknown")


def _sender(ground: Ground, found: Findings) -> Iterable[Result]:
    if "email" in ground.channels and not found.domain:
        said = "There is no domain to look at: e-mail is not set up here, or its sender is no address."
        yield Result("domain", Verdict.UNKNOWN, "Sender’s domain", said)
    verdicts = {
        Standing.THERE: Verdict.STANDS,
        Standing.LACKING: Verdict.WARNS,
        Standing.WRONG: Verdict.WARNS,
        Standing.NOT_LOOKED_UP: Verdict.UNKNOWN,
    }
    for check in mail_domains.from_json(found.domain):
        yield Result(f"domain.{check.name}", verdicts[check.standing], f"Sender’s domain, {check.name}", check.sentence)


def demand_list(word: str) -> str:
    """The word of a list, if there can be one. Raises KeyError."""
    kind, _, which = word.partition(".")
    known = {
        "gap": tuple(name for name in FIELDS),
        "bad": ("email", "phone"),
        "letter": tuple(doubt.value for doubt in Doubt),
        "care": tuple(CARE),
        "no": (*WAYS, "way"),
        "sms": ("long",),
        "place": ("unknown",),
        "state": ("suspect",),
        "unreadable": ("",),
        "poison": ("",),
        "language": (which,) if which and len(which) <= 12 else (),
    }
    if which not in known[kind]:
        raise KeyError(word)
    return word
