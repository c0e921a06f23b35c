"""What a notice must and must not contain, what still stands in its way, and why: with a citation for each element."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from incident.domain.errors import Invalid
from incident.domain.lawbook import Channel as Way
from incident.domain.lawbook import elements
from incident.domain.layouts import Sheet, composed, sheet
from incident.domain.notices import NOT_HERE, SECTIONS, Channel, Text, speaks
from incident.domain.remedies import Owed
from incident.domain.starters import words
from incident.domain.wording import HOUSE, PERSON, Unfilled

PROMISED = ("what_happened", "what_information", "what_we_do", "what_you_can_do", "contact")
"""What every notice says, whatever law applies: the basic facts, the data, the measures, advice, and whom to ask."""
WHOLE = frozenset({Channel.EMAIL, Channel.LETTER, Channel.CALL, Channel.ANNOUNCEMENT})
"""Channels that carry all of a text; a text message or push only points to it."""
LOCKED = "{}: whoever sees the locked telephone reads it, so leave out {}. Ask to open the app, and give {{{{ link.check }}}}."
UNWRITTEN = re.compile(r"\[\s*(?:…|\.\.\.)")
ELEMENTS = {
    "what_happened": "What happened",
    "what_information": "What information was involved",
    "what_we_do": "What we are doing",
    "what_you_can_do": "What you can do",
    "what_we_offer": "What we offer",
    "contact": "Whom to contact",
}
BY_LAYOUT = frozenset({"date_of_notice"})
"""Elements that stand in every notice, whatever its texts say."""
SAME = {"nature_of_breach": "what_happened"}
"""A law's word for what a section of ours says."""
USUAL = {
    "what_happened": (
        "consequences",
        "cause",
        "dates",
        "date_of_discovery",
        "law_enforcement_delay",
        "delay_reason",
        "severity",
    ),
    "what_information": ("people_categories", "records"),
    "what_we_do": ("law_enforcement",),
    "what_you_can_do": (
        *("credit_agencies", "ftc_contact", "state_ag_contact", "agency_contacts", "freeze_advice", "statement_advice"),
        *("report_advice", "rights", "police_report_right", "credential_advice", "guardians"),
    ),
    "what_we_offer": ("enrolment",),
    "contact": ("sender", "dpo_contact", "toll_free"),
}
"""Where an element of a law usually stands; a person says where it does."""
WAYS: Mapping[Channel, tuple[str, ...]] = {
    Channel.EMAIL: ("email",),
    Channel.SMS: ("text",),
    Channel.CALL: ("call",),
    Channel.LETTER: ("letter",),
    Channel.PUSH: ("push",),
    Channel.ANNOUNCEMENT: ("website", "media"),
}
"""Our channels in the words of law files."""
CHANNELS = {
    Channel.EMAIL: "E-mail",
    Channel.SMS: "Text message",
    Channel.CALL: "Call",
    Channel.LETTER: "Letter",
    Channel.PUSH: "Push",
}
PLACES = {
    "subject": "Subject",
    "greeting": "Greeting",
    "sms": "Text message",
    "call": "Call script",
    "push_title": "Push title",
    "push_body": "Push text",
    **ELEMENTS,
}


@dataclass(frozen=True)
class Cite:
    """Where it says so."""

    law: str
    place: str
    href: str = ""
    confidence: str = ""


@dataclass(frozen=True)
class Duty:
    """One duty to tell people that is owed: the elements its notice must hold, must not hold, and where that stands.

    `services` are what it wants offered, in words; `owed` the same as a remedy is held against.
    """

    cite: Cite
    elements: tuple[str, ...]
    forbidden: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()
    owed: tuple[Owed, ...] = ()


@dataclass(frozen=True)
class Need:
    """One element that must be there: by which duties, and in which languages it is not there yet.

    `at_least` are services that it has to offer, in words.
    """

    element: str
    words: str
    cites: tuple[Cite, ...]
    missing_in: tuple[str, ...] = ()
    section: str = ""
    at_least: tuple[str, ...] = ()

    @property
    def set_aside(self) -> bool:
        """Return whether somebody decided that it does not apply here."""
        return self.section == NOT_HERE

    @property
    def met(self) -> bool:
        """Return whether every language has it."""
        return not self.missing_in


@dataclass(frozen=True)
class Hurdle:
    """One thing that keeps a notice from being submitted: where, and what to do about it."""

    where: str
    sentence: str
    language: str = ""
    cites: tuple[Cite, ...] = field(default=())


@dataclass(frozen=True)
class Crowd:
    """The audience in figures: how many, by the language they read, and who lacks what a text asks for."""

    people: int
    by_language: Mapping[str, int] = field(default_factory=dict)
    lacking: Mapping[str, int] = field(default_factory=dict)
    unreached: int = 0


def label(element: str) -> str:
    """Return an element in words."""
    return ELEMENTS.get(element) or elements().get(element) or element.replace("_", " ").capitalize()


def usual_section(element: str) -> str:
    """Return the section in which an element usually stands; "" where none is usual."""
    return next((section for section, held in USUAL.items() if element in held), "")


def needs(duties: Iterable[Duty], texts: Sequence[Text]) -> tuple[Need, ...]:
    """Return every element that must be there, those of every notice first, each once with all its citations."""
    cites: dict[str, list[Cite]] = {element: [] for element in PROMISED}
    held = tuple(duties)
    for duty in held:
        for element in (*duty.elements, *(("what_we_offer",) if duty.services else ())):
            cites.setdefault(element, []).append(duty.cite)
    offered = tuple(dict.fromkeys(service for duty in held for service in duty.services))
    return tuple(
        Need(
            element,
            label(element),
            tuple(dict.fromkeys(cites[element])),
            () if element in BY_LAYOUT else tuple(text.language for text in texts if not text.holds(element)),
            _section(element, texts),
            offered if element == "what_we_offer" else (),
        )
        for element in sorted(cites, key=_order)
    )


def _order(element: str) -> tuple[int, str]:
    return (SECTIONS.index(element), "") if element in SECTIONS else (len(SECTIONS), element)


def _section(element: str, texts: Sequence[Text]) -> str:
    if element in SECTIONS:
        return element
    return next((text.covers[element] for text in texts if element in text.covers), "")


def forbidden(duties: Iterable[Duty], texts: Sequence[Text]) -> tuple[Hurdle, ...]:
    """Return what the texts hold though a law says they must not. A warning: one text may serve several places."""
    return tuple(
        Hurdle(
            SAME.get(element, element),
            f"{label(element)}: this law does not want it in the notice.",
            text.language,
            (duty.cite,),
        )
        for duty in duties
        for element in duty.forbidden
        for text in texts
        if text.holds(SAME.get(element, element))
    )


def unnamed(duties: Iterable[Duty], channels: Sequence[Channel]) -> tuple[Hurdle, ...]:
    """Return the channels that a law does not name among its ways of telling people, and its conditions for those it does.

    Warnings: one notice may serve several places, and a further way harms nobody who is told by one the law names.
    """
    cites: dict[tuple[Channel, str], list[Cite]] = {}
    for duty in duties:
        named = {way.by: way.says for way in duty.ways}
        for channel in channels if named else ():
            if channel is Channel.ANNOUNCEMENT:
                continue
            says = next((named[word] for word in WAYS[channel] if word in named), None)
            if says is None:
                listed = ", ".join(way.label for way in duty.ways)
                cites.setdefault((channel, f"the law does not name it; it names {listed}"), []).append(duty.cite)
            elif says:
                cites.setdefault((channel, f"the law's condition is: {says}"), []).append(duty.cite)
    return tuple(
        Hurdle("channels", f"{CHANNELS[channel]}: {said}.", cites=tuple(dict.fromkeys(found)))
        for (channel, said), found in cites.items()
    )


def unlawful(duties: Iterable[Duty], channels: Sequence[Channel]) -> tuple[Hurdle, ...]:
    """Return a hurdle for each law that was read itself and names none of these channels, so that nobody would be told as it asks.

    A notice in public alone is not held against it: where a law allows that, it is by another rule.
    """
    if not set(channels) - {Channel.ANNOUNCEMENT}:
        return ()
    used = {word for channel in channels for word in WAYS[channel]}
    return tuple(
        Hurdle(
            "channels",
            f"This law wants people told by {', '.join(way.label for way in duty.ways)}: none of the channels chosen is one of these.",
            cites=(duty.cite,),
        )
        for duty in duties
        if duty.ways and duty.cite.confidence == "verified" and not used & {way.by for way in duty.ways}
    )


def sheets(texts: Sequence[Text], *, site: str, california: bool) -> tuple[dict[str, Sheet], tuple[Hurdle, ...]]:
    """Return the texts that can be read, and a hurdle for each that cannot."""
    read: dict[str, Sheet] = {}
    broken: list[Hurdle] = []
    for text in texts:
        try:
            read[text.language] = sheet(text, site=site, california=california)
        except Invalid as refusal:
            broken.append(
                Hurdle(refusal.field, f"{PLACES.get(refusal.field, refusal.field)}: {refusal.sentence}", text.language)
            )
    return read, tuple(broken)


def hurdles(
    texts: Sequence[Text],
    channels: Sequence[Channel],
    duties: Sequence[Duty],
    crowd: Crowd,
    values: Mapping[str, Mapping[str, str]],
    *,
    site: str,
    california: bool = False,
) -> tuple[Hurdle, ...]:
    """Return all that stands between the draft and its submission; nothing means it may be submitted."""
    read, broken = sheets(texts, site=site, california=california)
    return (
        *_shape(texts, channels, crowd),
        *(unlawful(duties, channels) if channels else ()),
        *broken,
        *(hurdle for text in texts for hurdle in _unwritten(text, channels)),
        *(hurdle for page in read.values() if Channel.PUSH in channels for hurdle in _on_a_locked_screen(page)),
        *_missing(needs(duties, texts)),
        *(hurdle for page in read.values() for hurdle in _valueless(page, channels, crowd, values[page.language])),
    )


def _shape(texts: Sequence[Text], channels: Sequence[Channel], crowd: Crowd) -> Iterable[Hurdle]:
    if not texts:
        yield Hurdle("languages", "Choose at least one language.")
    if not channels:
        yield Hurdle("channels", "Choose at least one channel.")
    elif not WHOLE & set(channels):
        yield Hurdle(
            "channels",
            "A text message or push alone cannot hold what the notice must say: add e-mail, letter, call or an announcement.",
        )
    if not crowd.people and set(channels) != {Channel.ANNOUNCEMENT}:
        yield Hurdle(
            "audience", "Nobody is in this audience: import people, or choose other waves, places or languages."
        )


def _unwritten(text: Text, channels: Sequence[Channel]) -> Iterable[Hurdle]:
    """Yield what this language still lacks: whole parts, and the starter text's prompts in brackets."""
    for name in _used_parts(channels):
        source = text.sections.get(name, "") if name in SECTIONS else getattr(text, name)
        place = PLACES[name]
        if UNWRITTEN.search(source):
            yield Hurdle(name, f"{place}: write what the prompt in brackets asks for, or delete it.", text.language)
        elif not source.strip() and name not in SECTIONS and name != "greeting":
            yield Hurdle(name, f"{place}: there is no text yet.", text.language)


def _on_a_locked_screen(page: Sheet) -> Iterable[Hurdle]:
    """Yield what a push must not say: whoever sees the telephone reads it."""
    for name, pattern in (("push_title", page.push_title), ("push_body", page.push_body)):
        for slot in pattern.fields:
            if slot not in HOUSE:
                yield Hurdle(name, LOCKED.format(PLACES[name], f"{{{{ {slot} }}}}"), page.language)
        said = "".join(piece for piece in pattern.pieces if isinstance(piece, str)).casefold()
        for word in words(page.language).private:
            if word in said:
                yield Hurdle(name, LOCKED.format(PLACES[name], f"“{word}”"), page.language)
                break


def _used_parts(channels: Sequence[Channel]) -> tuple[str, ...]:
    parts: list[str] = []
    if {Channel.EMAIL, Channel.LETTER, Channel.ANNOUNCEMENT} & set(channels):
        parts += ["subject", *SECTIONS]
    if {Channel.EMAIL, Channel.LETTER} & set(channels):
        parts.append("greeting")
    parts += ["sms"] if Channel.SMS in channels else []
    parts += ["call"] if Channel.CALL in channels else []
    parts += ["push_title", "push_body"] if Channel.PUSH in channels else []
    return tuple(dict.fromkeys(parts))


def _missing(found: Iterable[Need]) -> Iterable[Hurdle]:
    for need in found:
        for language in need.missing_in:
            yield Hurdle(
                need.section if need.section in SECTIONS else need.element,
                f"{need.words} is missing in {words(language).name}.",
                language,
                need.cites,
            )


def _valueless(page: Sheet, channels: Sequence[Channel], crowd: Crowd, values: Mapping[str, str]) -> Iterable[Hurdle]:
    """Yield a hurdle for each field that has no value: for nobody, or for so many people."""
    seen: set[str] = set()
    for channel in channels:
        try:
            open_fields = composed(page, channel, values).fields
        except Unfilled as gap:  # a value that is there but blank
            open_fields = (gap.field,)
        for name in open_fields:
            sentence = _why_open(name, channel, crowd)
            if sentence and sentence not in seen:
                seen.add(sentence)
                yield Hurdle(name, sentence, page.language)


def _why_open(name: str, channel: Channel, crowd: Crowd) -> str:
    if channel is Channel.ANNOUNCEMENT and name in PERSON:
        if name == "person.exposed":
            return "{{ person.exposed }}: the announcement needs the kinds of personal data; record that fact."
        return f"{{{{ {name} }}}} means one person, and the announcement speaks to everybody: put it in the greeting, the text message or the call script."
    if name in PERSON:
        lacking = crowd.lacking.get(name, 0)
        people = "1 person has" if lacking == 1 else f"{lacking:,} people have"
        return (
            f"{{{{ {name} }}}}: {people} no value for it. Complete their records, or say it without the field."
            if lacking
            else ""
        )
    return f"{{{{ {name} }}}}: there is no value for it yet. {_cure(name)}"


def _cure(name: str) -> str:
    if name.startswith("remedy."):
        return "Say it under Remedies, in each language of the notice, or leave the field out."
    if name.startswith("fact."):
        return "Record the fact, or say it without the field."
    if name == "company.name":
        return "Every notice ends with it: an administrator says it under Administration, Your organisation (or sets TOCSIN_COMPANY_NAME). A drill needs no settings."
    if name.startswith("contact."):
        return "Write it out in its place, or have an administrator say it (Administration, Your organisation)."
    return "Say it without the field."


def unspoken(crowd: Crowd, languages: Collection[str]) -> tuple[tuple[str, int], ...]:
    """Return the languages people read and the notice is not written in, most people first."""
    found = [(tag, count) for tag, count in crowd.by_language.items() if count and not speaks(tag, tuple(languages))]
    return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0])))
