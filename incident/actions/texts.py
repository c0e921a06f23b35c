"""The texts of an approved version, compiled once and filled for the people it goes to.

Nothing here knows the database, so that a program of its own can do it (`actions/calling_apart.py`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from incident.domain import layouts, merges, starters
from incident.domain import notices as rules
from incident.domain.layouts import Sheet
from incident.domain.notices import Channel
from incident.domain.people import MACHINE, Addressee
from incident.domain.remedies import used_by
from incident.domain.starters import Words
from incident.domain.wording import Unfilled
from notifiers.contract import Despite, Frame, Message

ADDRESS: Mapping[Channel, Callable[[Addressee], str]] = {
    Channel.EMAIL: attrgetter("email"),
    Channel.SMS: lambda person: person.phone if "sms" not in person.unsafe else "",
    Channel.CALL: lambda person: person.phone if "call" not in person.unsafe else "",
    Channel.LETTER: lambda person: "\n".join((person.name, *person.address)) if person.address else "",
    Channel.PUSH: attrgetter("push_token"),
    Channel.ANNOUNCEMENT: lambda _: "",
}
"""Where a person is reached by each channel; "" where they are not."""


def _automatic(person: Addressee) -> str:
    return person.phone if MACHINE not in person.unsafe else ""


def sheet(contents: Mapping[str, Any], language: str, channel: Channel = Channel.ANNOUNCEMENT) -> Sheet:
    """The text of these contents in one language, parsed, its shared values still in slots."""
    text, layout = rules.text_from_json(language, contents["texts"][language]), contents["layout"]
    personal = channel is not Channel.ANNOUNCEMENT and layout["version"] >= rules.CODED
    return layouts.sheet(text, site=layout["site"], california=layout["california"], personal=personal)


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
        self.contents, self._kind = contents, Channel(channel)
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
        language = rules.language_for(spoken, self.contents["languages"])
        if language not in self._tongues:
            self._tongues[language] = self._compiled(language)
        self._chosen[spoken] = language, self._tongues[language]
        return self._chosen[spoken]

    def _compiled(self, language: str) -> _Tongue:
        despite = tuple(Despite(word) for word in self.contents.get("despite", tuple(Despite)))
        page = sheet(self.contents, language, self._kind)
        text = layouts.composed(page, self._kind, self.contents["values"][language])
        words = starters.words(language)
        return _Tongue(words, replace(text.frame, despite=despite), merges.together(words, text.fields))
