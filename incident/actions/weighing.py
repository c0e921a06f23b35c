"""Where a draft stands before the rules: as it is kept, or as somebody has typed it and not saved it yet. Changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident.actions import crowds, remedies
from incident.actions.drafts import texts_of
from incident.actions.merging import House, facts_of, values, writing_in
from incident.domain import musts, starters
from incident.domain import notices as rules
from incident.domain.musts import Crowd, Duty, Hurdle
from incident.domain.notices import Channel, Stage, Text
from incident.domain.people import FOLLOWS, Audience
from incident.domain.remedies import used_by
from incident.store import notices as rows
from incident.store.incidents import Incident
from incident.store.notices import Notice


@dataclass(frozen=True)
class Standing:
    """What is needed, what is in the way, whom it would reach."""

    texts: tuple[Text, ...]
    crowd: Crowd
    duties: tuple[Duty, ...]
    california: bool
    values: Mapping[str, Mapping[str, str]]
    hurdles: tuple[Hurdle, ...]
    warnings: tuple[Hurdle, ...]


@dataclass(frozen=True)
class Written:
    """All of a draft that decides where it stands."""

    texts: tuple[Text, ...]
    channels: tuple[Channel, ...]
    audience: Mapping[str, Any]


def written(notice: Notice) -> Written:
    """Return the draft as it is kept."""
    return Written(texts_of(notice), tuple(Channel(word) for word in notice.channels), notice.audience)


def typed(
    notice: Notice, texts: Mapping[str, Text], languages: Sequence[str], channels: Sequence[Channel], audience: Audience
) -> Written:
    """Return the draft as it would be kept of this. Raises Invalid where a part is longer than its place."""
    follows = {name: notice.audience[name] for name in FOLLOWS if name in notice.audience}
    known = [tag for tag in languages if tag in starters.languages()]
    return Written(
        tuple(rules.checked_text(texts.get(tag) or starters.text(tag)) for tag in known),
        tuple(dict.fromkeys(channels)),
        audience.to_json() | follows,
    )


def standing(
    incident: Incident,
    notice: Notice,
    *,
    house: House,
    now: datetime,
    lacking: Mapping[str, int] | None = None,
    wrote: Written | None = None,
) -> Standing:
    """Return where the draft stands, or where it would stand as somebody wrote it.

    `lacking` says how many of its people have no value for a field, where that was counted.
    """
    found = wrote or written(notice)
    audience = Audience.from_json(found.audience)
    facts = facts_of(incident.id)
    duties = (*crowds.duties(incident.id, audience, facts), *crowds.begun_for(notice.id))
    california = any(duty.cite.law == "US-CA" for duty in duties)
    crowd = crowds.crowd(incident.id, audience, found.channels, lacking or {})
    day = now.astimezone(house.zone).date()
    offers = remedies.offers(incident.id)
    tongues = [text.language for text in found.texts]
    named = writing_in(incident, house)
    known = values(facts, tongues, ref=notice.ref, day=day, house=named, offers=offers)
    hurdles = (
        *musts.hurdles(found.texts, found.channels, duties, crowd, known, site=house.site, california=california),
        *remedies.hurdles(incident.id, audience, _remedies_of(found.texts), duties, day),
        *_not_the_same(incident, notice, found),
    )
    warnings = (*musts.unnamed(duties, found.channels), *musts.forbidden(duties, found.texts))
    return Standing(found.texts, crowd, duties, california, known, hurdles, warnings)


def _remedies_of(texts: Sequence[Text]) -> tuple[int, ...]:
    """The numbers of the remedies whose codes these texts give."""
    return used_by({"texts": {text.language: rules.text_as_json(text) for text in texts}})


def _not_the_same(incident: Incident, notice: Notice, found: Written) -> tuple[Hurdle, ...]:
    """What keeps an extension back: it gives people found later the very text that the others had."""
    others = [rows.by_ref(incident.id, ref) for ref in notice.audience.get("not_listed_by", ())]
    first = next((one for one in others if one is not None and one.stage in (Stage.SENDING, Stage.SENT)), None)
    version = rows.version(first.id, first.number) if first else None
    if first is None or version is None:
        return ()
    mine = {text.language: rules.text_as_json(text) for text in found.texts}
    if rules.same_text(version.contents, mine, [str(channel) for channel in found.channels]):
        return ()
    said = f"People found later get exactly the text and channels of {first.ref}. To say something else, begin a new notice."
    return (Hurdle("what_happened", said),)
