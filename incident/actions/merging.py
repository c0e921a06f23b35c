"""Fills the texts of an approved version for the people it goes to, and finds the values texts are merged with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from zoneinfo import ZoneInfo

from incident.actions import particulars
from incident.actions.texts import ADDRESS, Texts, sheet
from incident.domain import layouts, merges, starters
from incident.domain.facts import Facts, from_json
from incident.domain.incidents import Kind
from incident.domain.layouts import Sheet
from incident.domain.notices import Channel, Text
from incident.domain.people import Addressee
from incident.domain.remedies import Offer
from incident.domain.wording import Unfilled, Values
from incident.settings import Settings
from incident.store import incidents
from incident.store.incidents import Incident
from incident.store.notices import NoticeVersion
from notifiers.contract import Message


@dataclass(frozen=True)
class House:
    """What this installation knows of the organisation that writes: names, contacts, its site, zone and senders."""

    company: Mapping[str, str]
    site: str
    zone: ZoneInfo
    senders: Mapping[str, str] = field(default_factory=dict)


def house(settings: Settings) -> House:
    """Return what the settings, and the page where they say nothing, say of the organisation."""
    settings = particulars.known(settings)
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


def writing_in(incident: Incident, house: House) -> House:
    """Return the organisation as the texts of this incident name it: those of a drill never lack a name or a contact."""
    return replace(house, company=merges.practising(house.company)) if incident.kind == Kind.DRILL else house


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
    return sheet(version.contents, language)


def values_of(version: NoticeVersion, language: str) -> Values:
    """Return the words that were frozen when the version was submitted."""
    words: Values = version.contents["values"][language]
    return words


def messages(
    version: NoticeVersion, addressees: Iterable[tuple[str, str, Addressee]], channel: str
) -> list[Message | Unfilled]:
    """Return the messages of a version for a few people, as `Texts` makes them."""
    return Texts(version.contents, channel).messages(addressees)


def address(person: Addressee, channel: Channel) -> str:
    """Return where a person is reached by a channel; "" where they are not."""
    return ADDRESS[channel](person)
