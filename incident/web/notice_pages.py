"""What the pages of one notice show: made ready here, so that the templates only print it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app, g, render_template, request

from incident.actions import announcements as announcing
from incident.actions import crowds, followups, merging, previews, remedies, translating
from incident.actions import notices as actions
from incident.actions.merging import House
from incident.actions.previews import Preview, Wording
from incident.actions.translating import Tongue
from incident.actions.weighing import Standing, Written
from incident.domain import differences, digits, ladders, layouts, musts, quotes, revealing, sizes, starters
from incident.domain import notices as rules
from incident.domain.errors import Refused
from incident.domain.facts import vocabulary
from incident.domain.notices import SECTIONS, Channel, Event, Stage
from incident.domain.pace import Pace
from incident.domain.people import Audience
from incident.domain.remedies import CODES, field
from incident.domain.wording import FACT, HOUSE, PERSON, REMEDY
from incident.store import announcements, audiences, dispatches, members, users
from incident.store import notices as rows
from incident.store.dispatches import Dispatch
from incident.store.notices import Notice, NoticeVersion
from incident.web import composing, paces, preflights, public_tasks
from incident.web.access import me, now, zone
from incident.web.answers import LOCAL
from incident.web.languages import _, tag, tongue

LARGEST_NUMBER = 999_999_999
TONES = {
    Stage.DRAFT: "idle",
    Stage.SUBMITTED: "open",
    Stage.APPROVED: "owed",
    Stage.SENDING: "soon",
    Stage.SENT: "met",
    Stage.WITHDRAWN: "idle",
}


@dataclass(frozen=True)
class Quoted:
    """A fact that a text quotes: its key, and its words in the language of the text; empty where nothing is known."""

    key: str
    words: str

    @property
    def label(self) -> str:
        """What the fact is called."""
        return vocabulary()[self.key].label


def house() -> House:
    """What the settings say of the organisation that writes."""
    return merging.house(current_app.extensions["settings"])


def compose(notice: Notice, page: composing.Sketch, wrote: Written | None = None) -> str:
    """Must contain, the text, one person's view: three columns, folded on a small screen.

    `wrote` is the draft as somebody typed it, where it was to be looked at without being saved.
    """
    language, channel = chosen(notice, page.languages)
    standing = actions.standing(g.incident, notice, house=house(), now=now(), wrote=wrote)
    hindered = page.unsent and any(composing.place(one, standing.texts) in page.errors for one in standing.hurdles)
    text = page.texts.get(language) or starters.text(language)
    version = rows.version(notice.id, notice.number)
    tongues = () if wrote else translating.tongues(notice)
    return render_template(
        "notices/compose.html",
        notice=notice,
        page=page,
        language=language,
        channel=channel,
        text=text,
        words=starters.words(language),
        languages=[(tag, starters.named(tag)) for tag in starters.languages()],
        sections=[(name, starters.words(language).headings[name]) for name in SECTIONS],
        own=starters.words(tag()).headings if language != tag() else {},
        channels=[(str(word), label) for word, label in composing.CHANNEL_WORDS.items()],
        boxes=composing.boxes(audiences.groups(g.incident.id)),
        standing=standing,
        needs=musts.needs(standing.duties, standing.texts),
        usual=musts.usual_section,
        asked_here=composing.by_place(standing, language),
        place=lambda hurdle: composing.place(hurdle, standing.texts),
        hindered=hindered,
        at_field={} if hindered else page.errors,
        waiting={tag: sum(h.language == tag for h in standing.hurdles) for tag in page.languages},
        unspoken=musts.unspoken(standing.crowd, page.languages),
        first_language=page.languages[0] if page.languages else "en",
        seen=_seen(wrote.audience if wrote else notice.audience, language, channel, standing),
        weighed=wrote is not None,
        sizes=sizes.of(standing.texts, standing.values),
        tongues={one.language: one for one in tongues},
        quoted=_quoted(standing, language),
        tone=TONES[Stage(notice.stage)],
        fields=_fields(standing, language),
        audience=composing.audience_words(wrote.audience if wrote else notice.audience, standing.crowd.people),
        ways=composing.channel_words(notice.channels),
        version=version,
        moved=_moved(standing, version),
        proofs=[(proof.value, said) for proof, said in ladders.PROOF_WORDS.items()],
        despite=[(word.value, said) for word, said in composing.DESPITE_WORDS.items()],
        check=preflights.of_notice(notice, len(standing.hurdles)),
        team=members.count(g.incident.id),
        tones=preflights.TONES,
        names=names([version] if version else [], notice, readers=tongues),
    )


def show(notice: Notice, errors: Mapping[str, str] | None = None) -> str:
    """What was submitted, in every language and channel, with what can be decided about it; what was typed where `errors` tell of it."""
    version = rows.version(notice.id, notice.number)
    language, channel = chosen(notice, version.contents["languages"] if version else None)
    shown = version.contents if version else None
    tongues = translating.tongues(notice) if _is_as_submitted(notice) else ()
    return render_template(
        "notices/show.html",
        notice=notice,
        errors=errors or {},
        typed=request.form if errors else {},
        reveal_why=revealing.WHY,
        version=version,
        contents=shown,
        language=language,
        channel=channel,
        words=starters.words(language),
        whole=_whole(version) if version else [],
        seen=_seen_of_version(notice, version, language, channel) if version else None,
        tone=TONES[Stage(notice.stage)],
        channels=[
            (word, composing.CHANNEL_WORDS[Channel(word)]) for word in (shown["channels"] if shown else notice.channels)
        ],
        audience=composing.audience_words(notice.audience, version.people if version else 0),
        ways=composing.channel_words(shown["channels"] if shown else notice.channels),
        steps=composing.ladder_words(ladders.from_json(shown.get("ladder", [])) if shown else []),
        despite=composing.despite_words(shown) if shown else "",
        names=names([version] if version else [], notice, readers=tongues),
        second=_second_person(notice, version) if version else "",
        events={str(event): rules.allowed(Stage(notice.stage), event) for event in Event},
        **_announced(notice, version),
        sendings=_sendings(version) if version else [],
        later=followups.found_later(g.incident.id, notice),
        moved=_facts_moved(notice, version) if version else [],
        needs=_needs(version) if version else (),
        quoted=_quoted_by(version) if version else [],
        tongues={one.language: one for one in tongues},
        check=preflights.of_notice(notice, 0),
        tones=preflights.TONES,
        pace=Pace(),
        careful=paces.words(Pace.from_json(version.pace), shown["channels"]) if version and shown else [],
    )


def _announced(notice: Notice, version: NoticeVersion | None) -> dict[str, Any]:
    """The public page of this version, how long laws want it to stand, and the end that follows from it."""
    shown = announcements.of_notice(notice.id) if version else ()
    row = next((one for one in shown if version and one.notice_version_id == version.id), None)
    days, cite = announcing.asked(notice.id)
    end = (now() + timedelta(days=days, hours=1)).astimezone(zone()).strftime(LOCAL) if days else ""
    page = public_tasks.pages([row])[0] if row else None
    return {"announced": row, "public_page": page, "asked_days": days, "asked_by": cite, "suggested_end": end}


def _is_as_submitted(notice: Notice) -> bool:
    """Whether the draft's texts are those of the version still."""
    return notice.stage in (Stage.SUBMITTED, Stage.APPROVED)


def _quoted_by(version: NoticeVersion) -> list[Quoted]:
    """The facts that a version quotes, with their words in its first language."""
    tags = version.contents["languages"]
    found = quotes.facts_in(rules.text_from_json(tag, version.contents["texts"][tag]) for tag in tags)
    frozen = version.contents["values"].get(tags[0], {})
    return [Quoted(key, frozen.get(FACT + key, "")) for key in found]


def _needs(version: NoticeVersion) -> tuple[musts.Need, ...]:
    """What the version must contain by what is owed today, and whether it does."""
    texts = [rules.text_from_json(tag, version.contents["texts"][tag]) for tag in version.contents["languages"]]
    audience = Audience.from_json(version.contents["audience"]["filter"])
    duties = crowds.duties(g.incident.id, audience, merging.facts_of(g.incident.id))
    return musts.needs((*duties, *crowds.begun_for(version.notice_id)), texts)


def _facts_moved(notice: Notice, version: NoticeVersion) -> list[str]:
    """Which fields of a sent text have another value by what is known now."""
    if notice.stage not in (Stage.SENDING, Stage.SENT):
        return []
    then = version.contents["values"]
    day = version.submitted_at.astimezone(house().zone).date()
    offers = remedies.offers(g.incident.id)
    facts = merging.facts_of(g.incident.id)
    named = merging.writing_in(g.incident, house())
    known = merging.values(facts, list(then), ref=notice.ref, day=day, house=named, offers=offers)
    return sorted({name for tag, words in then.items() for name, word in words.items() if known[tag].get(name) != word})


def _sendings(version: NoticeVersion) -> list[Dispatch]:
    """The sending of this version and its rehearsal, as far as they were begun."""
    found = [row for row in dispatches.of_notice(version.notice_id) if row.notice_version_id == version.id]
    return sorted(found, key=lambda row: row.simulated)


@dataclass(frozen=True)
class Whole:
    """A version's text in one language with its shared values in place: all that an approver has to read."""

    language: str
    name: str
    sheet: layouts.Sheet


def _whole(version: NoticeVersion) -> list[Whole]:
    found = []
    to_everybody = list(version.contents["channels"]) == [Channel.ANNOUNCEMENT]
    for language in version.contents["languages"]:
        values = dict(merging.values_of(version, language))
        if not to_everybody:
            values = {name: value for name, value in values.items() if name not in PERSON}
        found.append(
            Whole(language, starters.named(language), layouts.bound(merging.sheet_of(version, language), values))
        )
    return found


def _second_person(notice: Notice, version: NoticeVersion) -> str:
    """Why this reader cannot be the second person; "" if they can."""
    try:
        rules.demand_second_person(
            me().ref,
            drafter=notice.drafter,
            editors=[*notice.editors, *version.editors],
            submitter=version.submitted_by,
        )
    except Refused as refusal:
        return refusal.sentence
    return ""


def _seen(audience: Mapping[str, Any], language: str, channel: Channel, standing: Standing) -> Preview | None:
    wording = _wording(standing, language)
    return previews.masked(g.incident.id, audience, wording, channel, person_asked()) if wording else None


def person_asked() -> int:
    """Whose notice is to be seen: a number such as 12 or P-12; 0 for the first who comes."""
    number = digits.whole(digits.narrow(request.values.get("person", "")).upper().removeprefix("P-")) or 0
    return number if number <= LARGEST_NUMBER else 0


def _quoted(standing: Standing, language: str) -> list[Quoted]:
    """The facts that a text quotes, with what is known of each now."""
    known = standing.values.get(language, {})
    mine = [text for text in standing.texts if text.language == language]
    return [Quoted(key, known.get(FACT + key, "")) for key in quotes.facts_in(mine)]


def _seen_of_version(notice: Notice, version: NoticeVersion, language: str, channel: Channel) -> Preview:
    wording = previews.of_version(version, language)
    return previews.masked(g.incident.id, notice.audience, wording, channel, person_asked())


def _wording(standing: Standing, language: str) -> Wording | None:
    text = next((text for text in standing.texts if text.language == language), None)
    return Wording(text, standing.values[language], house().site, standing.california) if text else None


def draft_wording(notice: Notice, language: str) -> Wording | None:
    return _wording(actions.standing(g.incident, notice, house=house(), now=now()), language)


def _moved(standing: Standing, version: NoticeVersion | None) -> list[str]:
    """The fields whose words changed since the last version was submitted."""
    if version is None:
        return []
    frozen = version.contents["values"]
    return sorted(
        {
            name
            for language, words in frozen.items()
            for name, word in words.items()
            if name != "notice.date"
            and standing.values.get(language, {}).get(name, "") != word
            and language in standing.values
        }
    )


def _fields(standing: Standing, language: str) -> list[tuple[str, str, str]]:
    """Each field a text may use: its name, what it stands for, and its words just now."""
    values = standing.values.get(language, {})
    shared = [(name, meaning, values.get(name, "")) for name, meaning in HOUSE.items()]
    facts = [(name, "", value) for name, value in values.items() if name.startswith("fact.")]
    offered = [(name, meaning, values[name]) for name, meaning in REMEDY.items() if name in values]
    known = [name for name, number in CODES.items() if field("name", number) in values]
    own = [(name, meaning, "") for name, meaning in PERSON.items() if name not in CODES or name in known]
    return own + offered + shared + facts


def chosen(notice: Notice, languages: Sequence[str] | None = None) -> tuple[str, Channel]:
    """The language and channel that this page looks at; the first ones where none is named."""
    offered = [tag for tag in (languages or notice.languages) if tag in starters.languages()] or ["en"]
    asked = request.values.get("language", "")
    channel = request.values.get("channel", "")
    ways = [word for word in notice.channels if word in set(Channel)] or [Channel.EMAIL]
    return asked if asked in offered else offered[0], Channel(channel if channel in set(Channel) else ways[0])


def changed(old: NoticeVersion, new: NoticeVersion) -> list[tuple[str, tuple[differences.Run, ...]]]:
    """What changed from one version to another, place by place and word by word."""
    before, after = _flat(old.contents), _flat(new.contents)
    places = [place for place in dict.fromkeys((*before, *after)) if before.get(place, "") != after.get(place, "")]
    return [(place, differences.words(before.get(place, ""), after.get(place, ""))) for place in places]


def _flat(contents: dict[str, Any]) -> dict[str, str]:
    """A version as titled texts."""
    flat = {
        "Channels": composing.channel_words(contents["channels"]),
        "Ladder": "\n".join(
            f"{channel}: {said}"
            for channel, said in composing.ladder_words(ladders.from_json(contents.get("ladder", [])))
        ),
        "E-mail": composing.despite_words(contents),
        "Audience": composing.audience_words(contents["audience"]["filter"], contents["audience"]["people"]),
        "Audience, digest": contents["audience"]["digest"],
        "Senders": "\n".join(f"{channel}: {sender}" for channel, sender in sorted(contents["senders"].items())),
        "Time to send": contents["send_at"] or _("when somebody sends it"),
    }
    for language, text in contents["texts"].items():
        parts = {**text, **text["sections"]}
        for name, label in musts.PLACES.items():
            flat[f"{label} · {tongue(language)}"] = parts.get(name, "")
        flat[f"{_('Elements of laws')} · {tongue(language)}"] = "\n".join(
            f"{musts.label(element)}: {musts.ELEMENTS.get(section, 'does not apply here')}"
            for element, section in sorted(text["covers"].items())
        )
    for language, words in contents["values"].items():
        flat[f"{_('Values')} · {tongue(language)}"] = "\n".join(
            f"{name}: {value}" for name, value in sorted(words.items())
        )
    return flat


def names(versions: Sequence[NoticeVersion], *notices: Notice, readers: Iterable[Tongue] = ()) -> dict[str, str]:
    """The names of those who had a hand in these, by reference."""
    refs = {ref for version in versions for ref in (version.submitted_by, version.decided_by) if ref}
    refs |= {ref for notice in notices for ref in (notice.drafter, notice.changed_by)}
    refs |= {tongue.read_by for tongue in readers if tongue.read_by}
    return {ref: user.name for ref, user in users.by_refs(refs).items()}
