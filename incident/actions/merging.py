"""Fills the texts of an approved version for the people it goes to, and finds the values texts are merged with."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from incident.domain import layouts, merges, starters
from incident.domain import notices as rules
from incident.domain.facts import Facts, from_json
from incident.domain.layouts import Sheet
from incident.domain.notices import Channel, Text
from incident.domain.people import MACHINE, Addressee
from incident.domain.remedies import Offer, used_by
from incident.domain.starters import Words
from incident.domain.wording import Unfilled, Values
from incident.settings import Settings
from incident.store import incidents
from incident.store.notices import NoticeVersion
from notifiers.contract import Despite, Frame, Message


@dataclass(frozen=True)
class House:
    """What this installation knows of the organisation that writes: names, contacts, its site, zone and senders."""

    company: Mapping[str, str]
    site: str
    zone: ZoneInfo
    senders: Mapping[str, str] = field(default_factory=dict)


def house(settings: Settings) -> House:
    """Return what the settings say of the organisation."""
    email = settings.sendgrid_from if settings.sendgrid_api_key.get_secret_value() else settings.smtp_from
    sms = settings.twilio_messaging_service_sid or settings.twilio_from
    return House(
        company={
            "name": settings.company_name,
            "contact": settings.contact_name,
            "email": settings.contact_email,
            "phone": settings.contact_phone,
            "address": settings.contact_address,
        },
        site=settings.base_url,
        zone=ZoneInfo(settings.time_zone),
        senders={
            "email": email or "sandbox",
            "sms": sms or "sandbox",
            "letter": _sender_line(settings),
            "push": _push_services(settings),
        },
    )


def _push_services(settings: Settings) -> str:
    """What push goes out by: the organisation's app, its site, or both."""
    app = "your app (FCM)" if settings.fcm_key_file else ""
    site = "your site (Web Push)" if settings.web_push_key.get_secret_value() else ""
    return " and ".join(part for part in (app, site) if part) or "sandbox"


def _sender_line(settings: Settings) -> str:
    """What stands above the address on a letter, so that what cannot be delivered finds its way back."""
    address = ", ".join(line.strip() for line in settings.contact_address.splitlines() if line.strip())
    return settings.letters_from or ", ".join(part for part in (settings.company_name, address) if part)


def facts_of(incident_id: int) -> Facts:
    """Return what is known of an incident now."""
    return from_json({key: row.value for key, row in incidents.current_facts(incident_id).items()})


def values(
    facts: Facts,
    languages: Iterable[str],
    *,
    ref: str,
    day: date,
    house: House,
    offers: Sequence[tuple[int, Offer]] = (),
) -> dict[str, dict[str, str]]:
    """Return, by language, the words for all fields that are the same for everybody; `offers` are the remedies by number."""
    kinds = facts.get("data_kinds", ())
    found: dict[str, dict[str, str]] = {}
    for language in languages:
        words = starters.words(language)
        found[language] = (
            merges.house_values(house.company, site=house.site, ref=ref, day=day, words=words)
            | merges.fact_values(facts, words, house.zone)
            | merges.everybody(kinds if isinstance(kinds, tuple) else (), words)
            | merges.remedy_values(offers, words)
        )
    return found


def used_values(
    texts: Sequence[Text], known: Mapping[str, Mapping[str, str]], house: House
) -> dict[str, dict[str, str]]:
    """Return those of the values that the texts use: what a version keeps and an approval is bound to."""
    used: dict[str, dict[str, str]] = {}
    for text in texts:
        fields = layouts.sheet(text, site=house.site).fields
        always = ("company.name", "notice.reference", "notice.date", "link.check")
        words = known[text.language]
        used[text.language] = {name: words[name] for name in dict.fromkeys((*fields, *always)) if name in words}
    return used


def sheet_of(version: NoticeVersion, language: str) -> Sheet:
    """Return the text of a version in one language, parsed, its shared values still in slots."""
    return _sheet(version.contents, language)


def _sheet(contents: Mapping[str, Any], language: str, channel: Channel = Channel.ANNOUNCEMENT) -> Sheet:
    text, layout = rules.text_from_json(language, contents["texts"][language]), contents["layout"]
    personal = channel is not Channel.ANNOUNCEMENT and layout["version"] >= rules.CODED
    return layouts.sheet(text, site=layout["site"], california=layout["california"], personal=personal)


def values_of(version: NoticeVersion, language: str) -> Values:
    """Return the words that were frozen when the version was submitted."""
    words: Values = version.contents["values"][language]
    return words


@dataclass(frozen=True, slots=True)
class _Tongue:
    """A text in one language, compiled: the house's words, what all share, and what fills a person's own places."""

    words: Words
    frame: Frame
    own_words: Callable[[Sequence[Addressee]], list[tuple[str, ...]]]

    def in_care(self, person: Addressee, to: str) -> tuple[Addressee, str]:
        """The same person and address, where a letter is for whoever may open it for them, in words that say so."""
        if not person.care or not to:
            return person, to
        in_care = self.words.in_care
        to = "\n".join((in_care[f"to_{person.care}"].format(name=person.for_whom), *person.address))
        return person._replace(name=in_care[person.care].format(name=person.for_whom)), to


class Texts:
    """The texts of a version by one channel, each compiled once, however many people they are written to.

    `remedies` are the numbers of those whose codes it gives to people. Calls that are not made by hand reach nobody at risk
    at home: a voice of ours would speak to whoever picks up, or to a machine.
    """

    def __init__(self, contents: Mapping[str, Any], channel: str, *, by_hand: bool = True) -> None:
        self._contents, self._kind = contents, Channel(channel)
        self.remedies = used_by(contents)
        self._to_of = ADDRESS[self._kind] if by_hand or self._kind is not Channel.CALL else _automatic
        self._tongues: dict[str, _Tongue] = {}
        self._chosen: dict[str, tuple[str, _Tongue]] = {}

    def messages(self, addressees: Iterable[tuple[str, str, Addressee]]) -> list[Message | Unfilled]:
        """Return one message for each (reference of the attempt, thread of the delivery, person), in their order.

        A person for whom a field has no value any more gets the Unfilled that names it in place of a message, so that
        nobody else waits for them and nobody is skipped in silence.
        """
        given = list(addressees)
        spoken = {person.language for _, _, person in given}
        tongues = {id(tongue): (language, tongue) for language, tongue in map(self._tongue, spoken)}
        if len(tongues) == 1:
            [(language, tongue)] = tongues.values()
            return self._in_one(given, language, tongue)
        made: dict[str, Message | Unfilled] = {}
        for language, tongue in tongues.values():
            readers = [one for one in given if self._tongue(one[2].language)[1] is tongue]
            made |= zip([ref for ref, _, _ in readers], self._in_one(readers, language, tongue), strict=True)
        return [made[ref] for ref, _, _ in given]

    def _in_one(
        self, given: Sequence[tuple[str, str, Addressee]], language: str, tongue: _Tongue
    ) -> list[Message | Unfilled]:
        """The same for people who all read one language; one by one where anybody lacks something."""
        if not given:
            return []
        refs, threads, people = zip(*given, strict=True)
        to: Sequence[str] = list(map(self._to_of, people))
        if self._kind is Channel.LETTER:
            people, to = zip(*map(tongue.in_care, people, to), strict=True)
        try:
            words = tongue.own_words(people)
        except Unfilled as gap:
            if len(given) == 1:
                return [gap]
            return [made for one in given for made in self._in_one([one], language, tongue)]
        return [*Message.framed(refs, to, language, threads, tongue.frame, words)]

    def _tongue(self, spoken: str) -> tuple[str, _Tongue]:
        return self._chosen.get(spoken) or self._choose(spoken)

    def _choose(self, spoken: str) -> tuple[str, _Tongue]:
        """The language in which somebody is written to who reads this one, and its text compiled."""
        language = rules.language_for(spoken, self._contents["languages"])
        if language not in self._tongues:
            self._tongues[language] = self._compiled(language)
        self._chosen[spoken] = language, self._tongues[language]
        return self._chosen[spoken]

    def _compiled(self, language: str) -> _Tongue:
        despite = tuple(Despite(word) for word in self._contents.get("despite", tuple(Despite)))
        page = _sheet(self._contents, language, self._kind)
        text = layouts.composed(page, self._kind, self._contents["values"][language])
        words = starters.words(language)
        return _Tongue(words, replace(text.frame, despite=despite), merges.together(words, text.fields))


def messages(
    version: NoticeVersion, addressees: Iterable[tuple[str, str, Addressee]], channel: str
) -> list[Message | Unfilled]:
    """Return the messages of a version for a few people, as `Texts` makes them."""
    return Texts(version.contents, channel).messages(addressees)


def _automatic(person: Addressee) -> str:
    return person.phone if MACHINE not in person.unsafe else ""


def address(person: Addressee, channel: Channel) -> str:
    """Return where a person is reached by a channel; "" where they are not."""
    return ADDRESS[channel](person)


ADDRESS: Mapping[Channel, Callable[[Addressee], str]] = {
    Channel.EMAIL: attrgetter("email"),
    Channel.SMS: lambda person: person.phone if "sms" not in person.unsafe else "",
    Channel.CALL: lambda person: person.phone if "call" not in person.unsafe else "",
    Channel.LETTER: lambda person: "\n".join((person.name, *person.address)) if person.address else "",
    Channel.PUSH: attrgetter("push_token"),
    Channel.ANNOUNCEMENT: lambda _: "",
}
"""Where a person is reached by each channel; "" where they are not."""
