"""Draft, change, submit, approve, send back, withdraw a notice. Each leaves a line; no text ever stands in one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident.actions import preflight, rolls, translating
from incident.actions.drafts import ladder_of, texts_of
from incident.actions.ledger import Ledger, transaction
from incident.actions.merging import House, messages, used_values
from incident.actions.weighing import Standing, standing
from incident.domain import incidents as incident_rules
from incident.domain import ladders, starters
from incident.domain import notices as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.ladders import Step
from incident.domain.musts import Hurdle
from incident.domain.notices import Channel, Draft, Event, Stage, Text
from incident.domain.pace import Pace
from incident.domain.people import FOLLOWS, Audience
from incident.domain.wording import cleaned, one_line
from incident.store import audiences, incidents
from incident.store import notices as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.notices import Notice, NoticeText, NoticeVersion
from notifiers.contract import Despite

__all__ = [
    "approve", "approved_version", "draft", "ladder_of", "messages", "save", "send_back", "standing", "submit", "texts_of",
    "withdraw",
]  # fmt: skip

USUAL_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.LETTER)
LONGEST_REASON = 2_000


@dataclass(frozen=True)
class Change:
    """What somebody wants a draft to be."""

    title: str
    languages: tuple[str, ...]
    channels: tuple[Channel, ...]
    audience: Audience
    send_at: datetime | None
    texts: Mapping[str, Text]
    ladder: Mapping[str, Step] | None = None  # what a step is; None leaves it as it was
    despite: tuple[Despite, ...] | None = None  # lists of an e-mail provider that are passed over; None as above


def draft(
    incident: str, title: str, *, actor: str, now: datetime, languages: Sequence[str] = ("en",), like: str = ""
) -> str:
    """Begin a notice from the starter texts, or from the notice `like`; its reference. Raises Invalid, Refused, Missing."""
    with transaction(actor, now) as ledger:
        found = _open_incident(incident)
        model = _found(found, like) if like else None
        notice = drafted(found, title, ledger, languages=languages, model=model)
    return notice.ref


def drafted(
    incident: Incident,
    title: str,
    ledger: Ledger,
    *,
    languages: Sequence[str],
    model: Notice | None = None,
    channels: Sequence[Channel] = (),
    audience: Audience | None = None,
) -> Notice:
    """A new draft with its line, inside the caller's transaction. Raises Invalid."""
    of_model = {name: words for name, words in model.audience.items() if name not in FOLLOWS} if model else None
    people = audience.to_json() if audience is not None else of_model or Audience().to_json()
    notice = Notice(
        ref=new_ref("N"),
        incident_id=incident.id,
        title=_title(title),
        stage=Stage.DRAFT,
        audience=people,
        channels=[str(word) for word in channels] or list(model.channels if model else USUAL_CHANNELS),
        ladder=list(model.ladder) if model else [],
        despite=list(model.despite if model else Despite),
        languages=list(model.languages) if model else list(_languages(languages)),
        drafter=ledger.actor,
        editors=[],
        drafted_at=ledger.now,
        changed_at=ledger.now,
        changed_by=ledger.actor,
    )
    db.session.add(notice)
    db.session.flush()
    known = {tag: row.content for tag, row in rows.texts(model.id).items()} if model else {}
    for language in notice.languages:
        content = known.get(language) or rules.text_as_json(starters.text(language))
        _put_text(notice, language, content, ledger.actor, ledger.now)
    translating.follow(notice, {})
    like = model.ref if model else None
    ledger.write("notice.drafted", notice.ref, incident=incident.ref, languages=notice.languages, like=like)
    return notice


def save(incident: str, ref: str, change: Change, *, revision: int, actor: str, now: datetime) -> None:
    """Keep what was written; an approval or submission before it is void. Raises Invalid, Refused, Missing.

    Unfinished texts can be kept: only submitting asks for more than that every part fits its place.
    """
    with transaction(actor, now) as ledger:
        notice = _found(_open_incident(incident), ref)
        _demand_revision(notice, revision)
        stage = rules.after(Stage(notice.stage), Event.EDIT)
        before = fingerprint(notice, rows.texts(notice.id))
        _apply(notice, change, actor, now)
        after = fingerprint(notice, rows.texts(notice.id))
        if after == before:
            ledger.unchanged()
            return
        _void(notice, ledger, incident, reason="edited")
        notice.stage = stage
        notice.editors = sorted({*notice.editors, actor})
        notice.changed_at, notice.changed_by = now, actor
        ledger.write("notice.edited", ref, incident=incident, before=before, after=after)


def submit(incident: str, ref: str, *, revision: int, house: House, actor: str, now: datetime) -> int:
    """Put the draft before an approver, its audience frozen; the version's number. Raises Refused with what is in the way."""
    _demand_mended(incident, ref, house, now)
    lacking = preflight.lacking(incident, ref, house=house, actor=actor, now=now)
    with transaction(actor, now) as ledger:
        found = _open_incident(incident)
        notice = _found(found, ref)
        repeated = _same_submission(notice, revision, actor)
        if repeated:
            ledger.unchanged()
            return repeated
        stage = rules.after(Stage(notice.stage), Event.SUBMIT)
        _demand_revision(notice, revision)
        stands = standing(found, notice, house=house, now=now, lacking=lacking)
        _demand_clear(stands.hurdles, notice, now)
        version = _freeze(found, notice, stands, house, actor, now)
        notice.stage, notice.number = stage, version.number
        notice.changed_at, notice.changed_by = now, actor
        ledger.write(
            "notice.submitted",
            ref,
            incident=incident,
            version=version.number,
            digest=version.digest,
            people=version.people,
        )
    return version.number


def approve(
    incident: str,
    ref: str,
    *,
    digest: str,
    people: str,
    house: House,
    actor: str,
    now: datetime,
    pace: Pace | None = None,
) -> None:
    """Let the notice go out as the digest says. Raises Refused, Invalid; a change since the submission voids it first.

    `people` is what the approver typed: how many people the notice goes to. `pace` is how carefully, and at which hours;
    whoever starts the sending may be more careful, never less.
    """
    with transaction(actor, now) as ledger:
        found = _open_incident(incident)
        notice = _found(found, ref)
        stage = rules.after(Stage(notice.stage), Event.APPROVE)
        version = _current(notice)
        rules.demand_same(digest, version.digest)
        if stage == notice.stage:
            _demand_own_decision(version, actor)
            ledger.unchanged()
            return
        rules.demand_second_person(
            actor, drafter=notice.drafter, editors=[*notice.editors, *version.editors], submitter=version.submitted_by
        )
        rules.demand_count(people, version.people)
        _demand_unchanged(found, notice, version, house, now)
        notice.stage = stage
        version.state, version.decided_by, version.decided_at = "approved", actor, now
        version.pace = pace.checked().to_json() if pace else {}
        ledger.write(
            "notice.approved",
            ref,
            incident=incident,
            version=version.number,
            digest=version.digest,
            people=version.people,
            **(pace.in_a_line() if pace else {}),
        )


def send_back(incident: str, ref: str, *, digest: str, reason: str, actor: str, now: datetime) -> None:
    """Give the notice back to be changed, with the reason. Raises Refused, Invalid."""
    with transaction(actor, now) as ledger:
        notice = _found(_open_incident(incident), ref)
        stage = rules.after(Stage(notice.stage), Event.SEND_BACK)
        version = _current(notice)
        rules.demand_same(digest, version.digest)
        version.state, version.decided_by, version.decided_at = "sent_back", actor, now
        version.reason = _reason(reason)
        notice.stage = stage
        ledger.write("notice.sent_back", ref, incident=incident, version=version.number, digest=version.digest)


def withdraw(incident: str, ref: str, *, reason: str, actor: str, now: datetime) -> None:
    """Give the notice up before it was sent, with the reason. Raises Refused, Invalid."""
    with transaction(actor, now) as ledger:
        notice = _found(_open_incident(incident), ref)
        stage = rules.after(Stage(notice.stage), Event.WITHDRAW)
        if stage == notice.stage:
            ledger.unchanged()
            return
        why = _reason(reason)
        if notice.number and notice.stage != Stage.DRAFT:
            version = _current(notice)
            version.state, version.decided_by, version.decided_at, version.reason = "withdrawn", actor, now, why
        notice.stage = stage
        notice.changed_at, notice.changed_by = now, actor
        ledger.write("notice.withdrawn", ref, incident=incident, version=notice.number or None)


def approved_version(ref: str) -> NoticeVersion:
    """Return what may be sent of this notice, its digest computed anew. Raises Refused when it is not what was approved."""
    notice = rows.anywhere(ref)
    if notice is None:
        raise Missing()
    if notice.stage not in {Stage.APPROVED, Stage.SENDING, Stage.SENT}:
        raise Refused(rules.NO_APPROVAL)
    version = _current(notice)
    if version.state != "approved" or rules.digest(version.contents) != version.digest:
        raise Refused(
            "The text of this notice is not the one that was approved. Nothing of it is sent; tell an administrator."
        )
    return version


def contents_now(
    incident: Incident, notice: Notice, found: Standing, *, audience_digest: str, house: House
) -> dict[str, Any]:
    """Return what would be frozen if the draft were submitted now."""
    subject = Draft(
        ref=notice.ref,
        texts=found.texts,
        channels=tuple(Channel(word) for word in notice.channels),
        audience=notice.audience,
        senders={word: house.senders[word] for word in notice.channels if word in house.senders},
        send_at=notice.send_at,
        site=house.site,
        california=found.california,
        ladder=ladder_of(notice),
        despite=tuple(Despite(word) for word in notice.despite),
    )
    return rules.contents(subject, people=found.crowd.people, audience_digest=audience_digest, values=found.values)


def _freeze(
    incident: Incident, notice: Notice, found: Standing, house: House, actor: str, now: datetime
) -> NoticeVersion:
    count, audience_digest, numbers = rolls.frozen(incident.id, Audience.from_json(notice.audience))
    contents = contents_now(incident, notice, found, audience_digest=audience_digest, house=house)
    contents["values"] = used_values(found.texts, found.values, house)
    contents["audience"]["people"] = count
    version = NoticeVersion(
        notice_id=notice.id,
        number=notice.number + 1,
        contents=contents,
        digest=rules.digest(contents),
        people=count,
        editors=list(notice.editors),
        submitted_by=actor,
        submitted_at=now,
        numbers=numbers,
    )
    db.session.add(version)
    db.session.flush()
    return version


def _demand_unchanged(incident: Incident, notice: Notice, version: NoticeVersion, house: House, now: datetime) -> None:
    """Raises Refused if people, facts, senders or laws moved on since the submission: then it is to be submitted again."""
    found = standing(incident, notice, house=house, now=version.submitted_at)
    count, audience_digest = audiences.frozen(incident.id, Audience.from_json(notice.audience))
    if (count, audience_digest) != (version.people, version.contents["audience"]["digest"]):
        raise Refused(
            f"The audience changed since this was submitted: it had {version.people:,} people, now it has {count:,}. Send it back to be submitted again."
        )
    contents = contents_now(incident, notice, found, audience_digest=audience_digest, house=house)
    contents["values"] = used_values(found.texts, found.values, house)
    if rules.digest(contents) != version.digest:
        raise Refused(
            "Facts, senders or what the law asks for changed since this was submitted. Send it back to be submitted again."
        )
    _demand_clear(found.hurdles, notice, now)


def _demand_mended(incident: str, ref: str, house: House, now: datetime) -> None:
    """Raises Invalid with what a writer can mend, before anybody's record is opened for a text that cannot go out."""
    found = _open_incident(incident)
    notice = _found(found, ref)
    if notice.stage == Stage.DRAFT:
        _demand_clear(standing(found, notice, house=house, now=now).hurdles, notice, now)


def _demand_clear(hurdles: Sequence[Hurdle], notice: Notice, now: datetime) -> None:
    if notice.send_at is not None and notice.send_at <= now:
        raise Invalid("send_at", "The time to send lies in the past: choose a later one, or none.")
    if not hurdles:
        return
    first = hurdles[0]
    more = f" And {len(hurdles) - 1} more." if len(hurdles) > 1 else ""
    cites = "".join(f" ({cite.law}, {cite.place})" for cite in first.cites[:1])
    raise Invalid(first.where, f"It cannot be submitted yet. {first.sentence}{cites}{more}")


def _apply(notice: Notice, change: Change, actor: str, now: datetime) -> None:
    rules.demand_usable(change.audience, change.send_at, now)
    notice.title = _title(change.title)
    notice.languages = list(_languages(change.languages))
    notice.channels = [str(channel) for channel in dict.fromkeys(change.channels)]
    chosen = {step.channel: step for step in ladder_of(notice)} if change.ladder is None else change.ladder
    notice.ladder = ladders.as_json(ladders.ladder(notice.channels, chosen))
    if change.despite is not None:
        notice.despite = [str(word) for word in change.despite]
    follows = {name: notice.audience[name] for name in FOLLOWS if name in notice.audience}
    notice.audience = change.audience.to_json() | follows  # what another notice decides is not chosen on the page
    notice.send_at = change.send_at
    before = {text.language: text for text in texts_of(notice)}
    for language in notice.languages:
        text = change.texts.get(language) or starters.text(language)
        _put_text(notice, language, rules.text_as_json(rules.checked_text(text)), actor, now)
    translating.follow(notice, before)
    db.session.flush()


def _put_text(notice: Notice, language: str, content: dict[str, Any], actor: str, now: datetime) -> None:
    row = rows.texts(notice.id).get(language)
    if row is None:
        row = NoticeText(notice_id=notice.id, language=language, content=content, changed_at=now, changed_by=actor)
        db.session.add(row)
    elif row.content != content:
        row.content, row.changed_at, row.changed_by = content, now, actor


def fingerprint(notice: Notice, texts: Mapping[str, NoticeText]) -> str:
    """Return a digest of the draft as it is kept, for the line of a change."""
    return rules.digest(
        {
            "title": notice.title,
            "texts": {language: texts[language].content for language in notice.languages if language in texts},
            "languages": list(notice.languages),
            "channels": list(notice.channels),
            "ladder": ladders.as_json(ladder_of(notice)),
            "despite": list(notice.despite),
            "audience": notice.audience,
            "send_at": notice.send_at.isoformat() if notice.send_at else None,
        }
    )


def _void(notice: Notice, ledger: Ledger, incident: str, *, reason: str) -> None:
    """A submission or approval ends with the change that made it untrue."""
    if notice.stage not in {Stage.SUBMITTED, Stage.APPROVED}:
        return
    version = _current(notice)
    was = version.state
    version.state = "voided"
    ledger.write("notice.voided", notice.ref, incident=incident, version=version.number, was=was, reason=reason)


def _same_submission(notice: Notice, revision: int, actor: str) -> int:
    """Return the version's number when the same person's submit button arrives twice; else 0."""
    if notice.stage != Stage.SUBMITTED or revision != notice.revision - 1:
        return 0
    return notice.number if _current(notice).submitted_by == actor else 0


def _demand_own_decision(version: NoticeVersion, actor: str) -> None:
    if version.decided_by != actor:
        raise Refused(rules.DECIDED)


def _demand_revision(notice: Notice, revision: int) -> None:
    if revision != notice.revision:
        raise Refused(
            "Somebody else saved this notice while you had it open. Look at their version, then bring in your changes."
        )


def _open_incident(ref: str) -> Incident:
    found = incidents.by_ref(ref)
    if found is None:
        raise Missing()
    incident_rules.must_be_open(found.state)
    return found


def _found(incident: Incident, ref: str) -> Notice:
    notice = rows.by_ref(incident.id, ref)
    if notice is None:
        raise Missing()
    return notice


def _current(notice: Notice) -> NoticeVersion:
    version = rows.version(notice.id, notice.number)
    if version is None:
        raise Missing()
    return version


def _title(title: str) -> str:
    plain = one_line(title)
    if not plain:
        raise Invalid("title", "Give the notice a title for your team; the people it goes to never see it.")
    if len(plain) > rules.LONGEST["title"]:
        raise Invalid("title", f"Keep the title under {rules.LONGEST['title']} letters.")
    return plain


def _languages(languages: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(languages))
    unknown = [language for language in chosen if language not in starters.languages()]
    if unknown or not chosen:
        raise Invalid("languages", f"Choose from: {', '.join(starters.languages())}.")
    return chosen


def _reason(reason: str) -> str:
    plain = cleaned(reason).strip()
    if not plain:
        raise Invalid("reason", "Give a reason: whoever has to change it needs to know.")
    if len(plain) > LONGEST_REASON:
        raise Invalid("reason", f"Keep the reason under {LONGEST_REASON:,} letters.")
    return plain
