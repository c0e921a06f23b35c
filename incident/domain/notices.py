"""What may happen to a notice: draft → submitted → approved → sending → sent, with a second person's yes bound to a digest."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from incident.domain import ladders
from incident.domain.digits import counted
from incident.domain.errors import Invalid, Refused
from incident.domain.ladders import Step
from incident.domain.lawbook import elements
from incident.domain.people import Age, Audience
from incident.domain.wording import cleaned
from notifiers.contract import Despite

DOMAIN = b"tocsin notice version 1\n"
LAYOUT = 2  # counted up whenever what surrounds the texts changes, so that an approval does not outlive it
CODED = 2  # the first layout in which e-mails and letters tell each person a code of their own
SECTIONS = ("what_happened", "what_information", "what_we_do", "what_you_can_do", "what_we_offer", "contact")
LAST_WAVE = 1_000_000
LONGEST_TAG = 12
MOST_CHOICES = 500
FARTHEST = timedelta(days=366)
NOT_HERE = "-"
LONGEST = {"subject": 200, "greeting": 200, "sms": 1600, "call": 4000, "push_title": 80, "push_body": 240, "title": 120}
LONGEST_SECTION = 12_000


class Stage(StrEnum):
    """Where a notice stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    WITHDRAWN = "withdrawn"


class Event(StrEnum):
    """What may be done to a notice, or become of it."""

    EDIT = "edit"
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    VOID = "void"
    START = "start"
    FINISH = "finish"
    WITHDRAW = "withdraw"


class Channel(StrEnum):
    """The ways a notice can take, in the words of the channels' contract; the announcement reaches whom no other does."""

    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"
    CALL = "call"
    PUSH = "push"
    ANNOUNCEMENT = "announcement"


NEEDS_DRAFT = "Only a submitted notice can be decided on; this one is a draft."
UNDER_WAY = "This notice is being sent. Pause or stop the sending on its board; the text can no longer change."
GONE_OUT = "This notice has been sent. Write a new one: what people have read cannot change."
TAKEN_BACK = "This notice was withdrawn. Start a new draft from it."
DECIDED = "This notice is approved already."
NO_APPROVAL = "Only an approved notice can be sent."
NOT_STARTED = "The sending of this notice has not started."

TABLE: dict[tuple[Stage, Event], Stage | str] = {
    (Stage.DRAFT, Event.EDIT): Stage.DRAFT,
    (Stage.DRAFT, Event.SUBMIT): Stage.SUBMITTED,
    (Stage.DRAFT, Event.SEND_BACK): NEEDS_DRAFT,
    (Stage.DRAFT, Event.APPROVE): NEEDS_DRAFT,
    (Stage.DRAFT, Event.VOID): Stage.DRAFT,
    (Stage.DRAFT, Event.START): NO_APPROVAL,
    (Stage.DRAFT, Event.FINISH): NOT_STARTED,
    (Stage.DRAFT, Event.WITHDRAW): Stage.WITHDRAWN,
    (Stage.SUBMITTED, Event.EDIT): Stage.DRAFT,
    (Stage.SUBMITTED, Event.SUBMIT): Stage.SUBMITTED,
    (Stage.SUBMITTED, Event.SEND_BACK): Stage.DRAFT,
    (Stage.SUBMITTED, Event.APPROVE): Stage.APPROVED,
    (Stage.SUBMITTED, Event.VOID): Stage.DRAFT,
    (Stage.SUBMITTED, Event.START): NO_APPROVAL,
    (Stage.SUBMITTED, Event.FINISH): NOT_STARTED,
    (Stage.SUBMITTED, Event.WITHDRAW): Stage.WITHDRAWN,
    (Stage.APPROVED, Event.EDIT): Stage.DRAFT,
    (Stage.APPROVED, Event.SUBMIT): DECIDED,
    (Stage.APPROVED, Event.SEND_BACK): Stage.DRAFT,
    (Stage.APPROVED, Event.APPROVE): Stage.APPROVED,
    (Stage.APPROVED, Event.VOID): Stage.DRAFT,
    (Stage.APPROVED, Event.START): Stage.SENDING,
    (Stage.APPROVED, Event.FINISH): NOT_STARTED,
    (Stage.APPROVED, Event.WITHDRAW): Stage.WITHDRAWN,
    (Stage.SENDING, Event.EDIT): UNDER_WAY,
    (Stage.SENDING, Event.SUBMIT): UNDER_WAY,
    (Stage.SENDING, Event.SEND_BACK): UNDER_WAY,
    (Stage.SENDING, Event.APPROVE): UNDER_WAY,
    (Stage.SENDING, Event.VOID): UNDER_WAY,
    (Stage.SENDING, Event.START): Stage.SENDING,
    (Stage.SENDING, Event.FINISH): Stage.SENT,
    (Stage.SENDING, Event.WITHDRAW): UNDER_WAY,
    (Stage.SENT, Event.EDIT): GONE_OUT,
    (Stage.SENT, Event.SUBMIT): GONE_OUT,
    (Stage.SENT, Event.SEND_BACK): GONE_OUT,
    (Stage.SENT, Event.APPROVE): GONE_OUT,
    (Stage.SENT, Event.VOID): GONE_OUT,
    (Stage.SENT, Event.START): GONE_OUT,
    (Stage.SENT, Event.FINISH): Stage.SENT,
    (Stage.SENT, Event.WITHDRAW): GONE_OUT,
    (Stage.WITHDRAWN, Event.EDIT): TAKEN_BACK,
    (Stage.WITHDRAWN, Event.SUBMIT): TAKEN_BACK,
    (Stage.WITHDRAWN, Event.SEND_BACK): TAKEN_BACK,
    (Stage.WITHDRAWN, Event.APPROVE): TAKEN_BACK,
    (Stage.WITHDRAWN, Event.VOID): TAKEN_BACK,
    (Stage.WITHDRAWN, Event.START): TAKEN_BACK,
    (Stage.WITHDRAWN, Event.FINISH): TAKEN_BACK,
    (Stage.WITHDRAWN, Event.WITHDRAW): Stage.WITHDRAWN,
}
"""An answer for every stage and every event: the stage after it, or the sentence that says no."""


@dataclass(frozen=True)
class Text:
    """What a notice says in one language.

    `covers`: further elements that laws ask for, and the section that carries each, or NOT_HERE where somebody decided
    that it does not apply; the approver sees that.
    """

    language: str
    subject: str = ""
    greeting: str = ""
    sections: Mapping[str, str] = field(default_factory=dict)
    sms: str = ""
    call: str = ""
    push_title: str = ""
    push_body: str = ""
    covers: Mapping[str, str] = field(default_factory=dict)

    def holds(self, element: str) -> bool:
        """Return whether this text carries `element`: in its own section, or in the one said to cover it."""
        section = element if element in SECTIONS else self.covers.get(element, "")
        if section == NOT_HERE:
            return True
        return bool(self.sections.get(section, "").strip())


@dataclass(frozen=True)
class Draft:
    """Everything that will reach people and can be decided about: what an approval is bound to, but for the people."""

    ref: str
    texts: tuple[Text, ...]
    channels: tuple[Channel, ...]
    audience: Mapping[str, Any]
    senders: Mapping[str, str]
    send_at: datetime | None
    site: str = ""
    california: bool = False
    ladder: tuple[Step, ...] = ()
    despite: tuple[Despite, ...] = tuple(Despite)


def after(stage: Stage, event: Event) -> Stage:
    """Return the stage after the event. Raises Refused with the reason where the table says no."""
    answer = TABLE[stage, event]
    if isinstance(answer, Stage):
        return answer
    raise Refused(answer)


def allowed(stage: Stage, event: Event) -> bool:
    """Return whether the event may happen in this stage: whether its button is shown."""
    return isinstance(TABLE[stage, event], Stage)


def demand_second_person(approver: str, *, drafter: str, editors: Collection[str], submitter: str) -> None:
    """Raises Refused if the approver had a hand in the notice."""
    if approver == drafter:
        raise Refused("A notice needs a second person: its author cannot approve it.")
    if approver in editors:
        raise Refused("A notice needs a second person: you changed this one, so somebody else has to approve it.")
    if approver == submitter:
        raise Refused("A notice needs a second person: whoever submitted it cannot approve it.")


def demand_to_each(channels: Collection[str]) -> None:
    """Raises Refused for a notice that speaks to everybody at once: there is nobody to hand it to one by one."""
    if set(channels) == {Channel.ANNOUNCEMENT}:
        raise Refused("This notice speaks to everybody: make it public, or hand it to newsrooms, from its own page.")


def demand_same(shown: str, current: str) -> None:
    """Raises Refused unless the page that was answered showed what is there now."""
    if shown != current:
        raise Refused(
            "This page is out of date: the notice changed after you opened it. Look at it again, then decide."
        )


def demand_count(typed: str, people: int) -> None:
    """Raises Invalid unless the typed number is how many people the notice goes to (spaces and commas are fine)."""
    if counted(typed) != people:
        raise Invalid("people", f"Type the number of people this goes to: {people:,}.")


def digest(contents: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) over the canonical JSON of everything that will reach people."""
    canonical = json.dumps(contents, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(DOMAIN + canonical.encode("utf-8", "strict")).hexdigest()


def contents(draft: Draft, *, people: int, audience_digest: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a version is, as plain JSON values: the thing that is kept, compared, hashed and sent."""
    return {
        "notice": draft.ref,
        "layout": {"version": LAYOUT, "site": draft.site, "california": draft.california},
        "languages": [text.language for text in draft.texts],
        "texts": {text.language: text_as_json(text) for text in draft.texts},
        "channels": [str(channel) for channel in draft.channels],
        "ladder": ladders.as_json(draft.ladder or ladders.ladder(map(str, draft.channels))),
        "audience": {"filter": dict(draft.audience), "people": people, "digest": audience_digest},
        "senders": dict(draft.senders),
        "send_at": draft.send_at.isoformat() if draft.send_at else None,
        "values": {language: dict(words) for language, words in values.items()},
    } | ({"despite": [str(word) for word in draft.despite]} if Channel.EMAIL in draft.channels else {})


def lists_passed_over(words: Collection[str]) -> tuple[Despite, ...]:
    """Return these lists in their order, each once. Raises Invalid for a word that names none."""
    if not set(words) <= set(Despite):
        raise Invalid("despite", "Choose the lists from the page: unsubscribed, complained.")
    return tuple(word for word in Despite if word in words)


def same_text(contents: Mapping[str, Any], texts: Mapping[str, Any], channels: Sequence[str]) -> bool:
    """Return whether these texts and channels are those of a version, to the letter."""
    return dict(contents["texts"]) == dict(texts) and list(contents["channels"]) == list(channels)


def text_as_json(text: Text) -> dict[str, Any]:
    """Return the text as plain JSON values."""
    return {
        "subject": text.subject,
        "greeting": text.greeting,
        "sections": {key: text.sections.get(key, "") for key in SECTIONS},
        "sms": text.sms,
        "call": text.call,
        "push_title": text.push_title,
        "push_body": text.push_body,
        "covers": dict(text.covers),
    }


def text_from_json(language: str, values: Mapping[str, Any]) -> Text:
    """Return the text as it was kept by `text_as_json`."""
    known = {name: values.get(name, "") for name in ("subject", "greeting", "sms", "call", "push_title", "push_body")}
    return Text(language, **known, sections=dict(values.get("sections", {})), covers=dict(values.get("covers", {})))


def checked_text(text: Text) -> Text:
    """Return the text as it can be kept: cleaned. Raises Invalid where it is longer than any channel takes."""
    for name, most in LONGEST.items():
        if len(getattr(text, name, "")) > most:
            raise Invalid(name, f"Keep this under {most:,} letters; it has {len(getattr(text, name)):,}.")
    for name, value in text.sections.items():
        if name not in SECTIONS:
            raise Invalid(name, "There is no section of that name.")
        if len(value) > LONGEST_SECTION:
            raise Invalid(name, f"Keep this under {LONGEST_SECTION:,} letters; it has {len(value):,}.")
    if any(section not in (*SECTIONS, NOT_HERE) for section in text.covers.values()):
        raise Invalid("covers", "Choose one of the sections of this notice.")
    unknown = [element for element in text.covers if element in SECTIONS or element not in elements()]
    if unknown:
        raise Invalid("covers", f"{unknown[0][:40]!r} is no element that stands in a section.")
    return Text(
        text.language,
        subject=cleaned(text.subject),
        greeting=cleaned(text.greeting),
        sections={name: cleaned(value) for name, value in text.sections.items()},
        sms=cleaned(text.sms),
        call=cleaned(text.call),
        push_title=cleaned(text.push_title),
        push_body=cleaned(text.push_body),
        covers=dict(text.covers),
    )


def demand_usable(audience: Audience, send_at: datetime | None, now: datetime) -> None:
    """Raises Invalid for an audience or a time that no notice can have."""
    if any(not 1 <= wave <= LAST_WAVE for wave in audience.waves):
        raise Invalid("waves", "Choose waves from the list.")
    if max(len(audience.waves), len(audience.places), len(audience.languages), len(audience.ages)) > MOST_CHOICES:
        raise Invalid("audience", f"Choose at most {MOST_CHOICES} of each.")
    if any(len(language) > LONGEST_TAG or not language.isprintable() for language in audience.languages):
        raise Invalid("audience", "Choose languages from the list.")
    if any(age not in set(Age) for age in audience.ages):
        raise Invalid("ages", "Choose ages from the list.")
    if send_at is not None and abs(send_at - now) > FARTHEST:
        raise Invalid("send_at", "Choose a time within the coming year.")


def language_for(wanted: str, languages: Sequence[str]) -> str:
    """Return the language a person is written in: their own, one of the same tongue and script, or the first."""
    if wanted in languages:
        return wanted
    tongue = _tongue(wanted)
    return next((language for language in languages if _tongue(language) == tongue), languages[0])


def speaks(wanted: str, languages: Sequence[str]) -> bool:
    """Return whether a person who reads `wanted` finds their own language among these; none known counts as yes."""
    return not wanted or _tongue(wanted) in {_tongue(language) for language in languages}


def _tongue(language: str) -> str:
    """Return tongue and, for Chinese, script: readers of one script are not given the other for their own."""
    parts = language.replace("_", "-").lower().split("-")
    if parts[0] != "zh":
        return parts[0]
    return "zh-hant" if {"hant", "tw", "hk", "mo"} & set(parts[1:]) and "hans" not in parts else "zh-hans"
