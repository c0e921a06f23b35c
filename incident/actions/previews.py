"""A notice as one person will read it: masked for everybody, in clear only with a line in the record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incident.actions import people, throttled
from incident.actions.ledger import transaction
from incident.actions.merging import address, values_of
from incident.domain import layouts, merges, prose, revealing, segments, starters
from incident.domain import notices as rules
from incident.domain.errors import Invalid, Missing
from incident.domain.layouts import Sheet
from incident.domain.notices import Channel, Text
from incident.domain.people import Addressee, Audience
from incident.domain.segments import Length
from incident.domain.wording import Slot, Values, for_sms
from incident.store import audiences, incidents
from incident.store import notices as rows
from incident.store.notices import Notice, NoticeVersion
from notifiers import spoken


@dataclass(frozen=True)
class Wording:
    """The text to be previewed, with the words for what is the same for everybody."""

    text: Text
    values: Values
    site: str
    california: bool = False
    coded: bool = True

    def page(self, channel: Channel) -> Sheet:
        """Return the text parsed, as it goes out by this channel. Raises Invalid."""
        personal = self.coded and channel is not Channel.ANNOUNCEMENT
        return layouts.sheet(self.text, site=self.site, california=self.california, personal=personal)


@dataclass(frozen=True)
class Preview:
    """One person's notice. `person` is their reference, "" where there is nobody yet; `further` the next one's number."""

    sheet: Sheet | None
    trouble: str
    person: str
    reads: str
    masked: bool
    further: int
    sms: Length | None
    open: tuple[str, ...]
    spoken: str = ""
    reached: bool = True  # whether this channel leads to the person at all
    care: str = ""  # who a letter is addressed to in their place, or "at_risk"


def of_version(version: NoticeVersion, language: str) -> Wording:
    """Return the wording of a submitted version."""
    layout = version.contents["layout"]
    text = rules.text_from_json(language, version.contents["texts"][language])
    coded = layout["version"] >= rules.CODED
    return Wording(text, values_of(version, language), layout["site"], layout["california"], coded)


def masked(
    incident_id: int, audience: Mapping[str, list[str]], wording: Wording, channel: Channel, number: int = 0
) -> Preview:
    """Return what the person with this number (or the next one in the audience) will read, their name masked."""
    person, further = _somebody(incident_id, Audience.from_json(audience), number)
    words = starters.words(wording.text.language)
    shown = merges.masked_person(person, words) if person else {}
    return _preview(wording, channel, shown, person, further, is_masked=True)


def reveal(
    incident: str, ref: str, number: int, wording: Wording, channel: Channel, *, why: str, actor: str, now: datetime
) -> Preview:
    """Return what this very person will read, in clear. Leaves a line with the reason.

    Raises Invalid, TooMany, and Missing if they are not in the audience.
    """
    why = revealing.reason(why)
    throttled.take(people.REVEAL, actor, now=now)
    with transaction(actor, now) as ledger:
        found = incidents.by_ref(incident)
        notice = rows.by_ref(found.id, ref) if found else None
        if found is None or notice is None:
            raise Missing()
        person, further = _somebody(found.id, Audience.from_json(notice.audience), number, with_codes=True)
        if person is None or person.number != number:
            raise Missing("This person is not in the audience of the notice.")
        ledger.write("notice.person_seen", ref, incident=incident, person=person.ref, channel=str(channel), why=why)
        shown = merges.person_values(person, starters.words(wording.text.language))
    return _preview(wording, channel, shown, person, further, is_masked=False)


def wording_of(notice: Notice, language: str, draft: Wording | None) -> Wording:
    """Return the wording that stands: of the version while one is submitted or later, else the draft's."""
    version = rows.version(notice.id, notice.number) if notice.stage not in {"draft", "withdrawn"} else None
    if version is not None and language in version.contents["texts"]:
        return of_version(version, language)
    if draft is None:
        raise Missing()
    return draft


def _somebody(
    incident_id: int, audience: Audience, number: int, *, with_codes: bool = False
) -> tuple[Addressee | None, int]:
    found = audiences.members(incident_id, audience, after=max(number - 1, 0), limit=2)
    if not found and number > 0:
        found = audiences.members(incident_id, audience, limit=2)
    if not found:
        return None, 0
    opened = people.addressees(incident_id, [found[0][0]], with_codes=with_codes)
    return opened.get(found[0][0]), found[1][1] if len(found) > 1 else 0


def _preview(
    wording: Wording, channel: Channel, shown: Values, person: Addressee | None, further: int, *, is_masked: bool
) -> Preview:
    name, reads = (person.ref, person.language) if person else ("", "")
    if person is not None and person.care and channel is Channel.LETTER and "person.for_whom" in shown:
        in_care = starters.words(wording.text.language).in_care[person.care]
        shown = {**shown, "person.name": in_care.format(name=shown["person.for_whom"])}
    try:
        page = wording.page(channel)
    except Invalid as refusal:
        return Preview(None, refusal.sentence, name, reads, is_masked, further, None, ())
    page = layouts.bound(page, _values(wording, channel, shown))
    text = "".join(piece.name if isinstance(piece, Slot) else piece for piece in page.sms.pieces)
    length = segments.length(for_sms(text)) if channel is Channel.SMS else None
    said = _spoken(wording, page) if channel is Channel.CALL else ""
    reached = person is None or channel is Channel.ANNOUNCEMENT or bool(address(person, channel))
    care = "" if person is None else "at_risk" if person.unsafe else person.care
    return Preview(page, "", name, reads, is_masked, further, length, page.fields, said, reached, care)


def _spoken(wording: Wording, page: Sheet) -> str:
    """The automatic call as text, open fields by their names; empty in a language that no voice here speaks."""
    if page.language not in spoken.AROUND:
        return ""
    text = "".join(piece.name if isinstance(piece, Slot) else piece for piece in prose.as_text(page.call).pieces)
    company, phone = (wording.values.get(name, "") for name in ("company.name", "contact.phone"))
    return spoken.transcript(spoken.script(page.language, text, company=company, phone=phone))


def _values(wording: Wording, channel: Channel, shown: Values) -> dict[str, str]:
    """Return the words for one person; an announcement has those for everybody in their place."""
    if channel is Channel.ANNOUNCEMENT:
        return dict(wording.values)
    shared = {name: value for name, value in wording.values.items() if not name.startswith("person.")}
    return shared | dict(shown)
