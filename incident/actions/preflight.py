"""Look at a notice and at everybody it goes to before it goes out, in the background, batch by batch.

Every record is opened once and looked at by nobody; what is kept are counts, and numbers of people under the word of what
was found. A check is bound to the draft and to the people: a change of either makes it one of the past.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import structlog

from incident.actions import crowds, mail_domain, people, remedies
from incident.actions.drafts import checked_by, texts_of
from incident.actions.ledger import transaction
from incident.actions.merging import House, address, facts_of, values, writing_in
from incident.domain import addresses, layouts, merges, musts, segments, starters, suspects
from incident.domain import incidents as incident_rules
from incident.domain import mail_domains as domains
from incident.domain import notices as rules
from incident.domain import preflight as looks
from incident.domain.deliveries import first_channel
from incident.domain.errors import Invalid, Missing
from incident.domain.hours import USUAL, Day
from incident.domain.notices import Channel
from incident.domain.people import MINORS, Addressee, Audience, Reach, State
from incident.domain.preflight import Findings, Ground, Result
from incident.domain.remedies import CODES, EXAMPLE
from incident.domain.starters import Words
from incident.domain.wording import PERSON, Pattern, Slot, Unfilled, Values, for_sms
from incident.store import audiences, incidents, preflights
from incident.store import notices as notice_rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.notices import Notice
from incident.store.preflights import Claimed, Preflight
from incident.store.sealed import Erased, Unreadable
from notifiers.contract import Channels

log = structlog.get_logger()

ACTOR: Final = "system"
AT_ONCE: Final = 2_000
IN_A_REQUEST: Final = 5_000
"""So many names are opened while somebody waits for the answer (a tenth of a second); more are opened in the background."""
EXAMPLES: Final = dict.fromkeys(CODES, EXAMPLE)
"""Codes are given when the sending begins: until then a text is weighed with an example."""
BITS: Final[Mapping[str, Reach]] = {
    "email": Reach.EMAIL, "sms": Reach.PHONE, "call": Reach.PHONE, "letter": Reach.ADDRESS, "push": Reach.PUSH,
}  # fmt: skip
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Tongue:
    """A draft in one language, made ready for a look at each of its readers."""

    words: Words
    fields: tuple[str, ...]
    sms: Pattern | None = None
    size: int = 0  # bytes of an e-mail, fields as their names


@dataclass(frozen=True)
class Plan:
    """What everybody is held against."""

    channels: frozenset[str]
    languages: tuple[str, ...]
    tongues: Mapping[str, Tongue]


@dataclass(frozen=True)
class Standing:
    """What a page shows: the newest check, whether it still holds, and every look."""

    run: Preflight | None
    holds: bool
    results: tuple[Result, ...]

    @property
    def verdict(self) -> looks.Verdict:
        """What all of it comes to; unknown until everybody was looked at, unless something keeps it back already."""
        found = looks.worst(self.results)
        return found if self.holds or found is looks.Verdict.BLOCKS else looks.Verdict.UNKNOWN


# Ask for a check, and read it --------------------------------------------------------------------------------------------


def ask(incident: str, ref: str, *, actor: str, now: datetime) -> str:
    """Have the notice and its people checked; the reference of the check. One that waits or runs is not doubled. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        case, notice = _found(incident, ref)
        incident_rules.must_be_open(case.state)
        bound, last = checked_by(notice), preflights.latest(notice.id)
        if last is not None and last.is_under_way and last.bound == bound:
            ledger.unchanged()
            return last.ref
        row = Preflight(
            ref=new_ref("K"),
            incident_id=case.id,
            notice_id=notice.id,
            bound=bound,
            people=_people(case.id, notice),
            corrected_to=preflights.last_correction(),
            asked_by=actor,
            asked_at=now,
        )
        db.session.add(row)
        db.session.flush()
        preflights.forget_lists(notice.id)
        ledger.write("preflight.asked", row.ref, incident=incident, notice=ref, people=row.people)
    return row.ref


def ask_unless_it_holds(incident: str, ref: str, *, actor: str, now: datetime) -> None:
    """Have everybody checked unless that was done for this very text and these people. Raises Missing, Refused."""
    case, notice = _found(incident, ref)
    last = preflights.latest(notice.id)
    if last is None or last.state == "failed" or not is_fresh(case.id, notice, last):
        ask(incident, ref, actor=actor, now=now)


def standing(
    case: Incident,
    notice: Notice,
    channels: Channels,
    *,
    hurdles: int,
    now: datetime,
    at_any_hour: bool = False,
    day: Day = USUAL,
    cost: Callable[[Mapping[str, int]], str] | None = None,
) -> Standing:
    """Where the notice stands: what needs no check, and what the newest check found if it still holds. Changes nothing."""
    run = preflights.latest(notice.id)
    holds = run is not None and run.is_done and is_fresh(case.id, notice, run)
    ground = ground_of(case, notice, channels, hurdles=hurdles, now=now, at_any_hour=at_any_hour, day=day)
    found = Findings.from_json(run.found) if run is not None and holds else None
    priced = cost({place: row[1] for place, row in found.texts.items()}) if cost and found else ""
    return Standing(run, holds, looks.results(ground, found, priced))


def is_fresh(incident_id: int, notice: Notice, run: Preflight) -> bool:
    """Whether nothing that a check depends on changed since it was asked for."""
    return (
        run.bound == checked_by(notice)
        and run.people == _people(incident_id, notice)
        and not preflights.corrected_since(incident_id, run.corrected_to)
    )


def listed(case: Incident, notice: Notice, what: str, *, after: int = 0, limit: int = 50) -> list[int]:
    """The numbers of the people behind a look, by number. Raises Missing."""
    try:
        looks.demand_list(what)
    except KeyError:
        raise Missing() from None
    audience = Audience.from_json(notice.audience)
    if what == "no.way":
        what = "no." + "+".join(word for word in notice.channels if word in BITS)
    if what.startswith(("no.", "language.", "place.", "state.")):
        return audiences.lacking(case.id, audience, what, after=after, limit=limit)
    run = preflights.latest(notice.id)
    return preflights.listed(run.id, what, after=after, limit=limit) if run else []


def lacking(incident: str, ref: str, *, house: House, actor: str, now: datetime) -> dict[str, int]:
    """Who lacks what the draft asks of each person, before it is submitted. Raises Invalid while many are still looked at."""
    case, notice = _found(incident, ref)
    incident_rules.must_be_open(case.state)
    audience = Audience.from_json(notice.audience)
    read, _ = musts.sheets(texts_of(notice), site=house.site, california=False)
    fields = frozenset(name for page in read.values() for name in page.fields)
    if not crowds.NAMES & fields or _people(case.id, notice) <= IN_A_REQUEST:
        return crowds.lacking(case.id, audience, fields)
    run = preflights.latest(notice.id)
    if run is not None and run.is_done and is_fresh(case.id, notice, run):
        found = Findings.from_json(run.found).people
        return {name: found[f"gap.{name}"] for name in fields if found.get(f"gap.{name}")}
    ask(incident, ref, actor=actor, now=now)
    raise Invalid(
        "preflight",
        "Everybody’s record is being looked at, so that nobody gets a text with a gap. Submit it again once that is done.",
    )


def ground_of(
    case: Incident,
    notice: Notice,
    channels: Channels,
    *,
    hurdles: int,
    now: datetime,
    at_any_hour: bool = False,
    day: Day = USUAL,
) -> Ground:
    """What is known of the audience without opening a record: from the tally of people."""
    opened = channels.open(simulated=channels.only_sandbox or case.kind == "drill")
    ways = [word for word in notice.channels if word in BITS]
    lacks: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    first: dict[str, Counter[str]] = {}
    unreached = total = minors = 0
    audience = Audience.from_json(notice.audience)
    for group in audiences.counted(case.id, audience):
        reached = {word: bool(Reach(group.reach) & BITS[word]) for word in ways}
        total += group.people
        minors += group.people if group.age in MINORS else 0
        languages[group.language] += group.people
        lacks.update({word: group.people for word in ways if not reached[word]})
        unreached += group.people if ways and not any(reached.values()) else 0
        way = first_channel(ways, reached, list(opened))
        first.setdefault(way, Counter())[group.place] += group.people
    return Ground(
        people=total,
        channels=tuple(notice.channels),
        opened=frozenset(opened),
        languages=tuple(notice.languages),
        lacking=lacks,
        unreached=unreached,
        by_language=languages,
        first=first,
        hurdles=hurdles,
        begins=max(now, notice.send_at) if notice.send_at else now,
        at_any_hour=at_any_hour,
        day=day,
        held_back=sum(group.people for group in audiences.counted(case.id, audience, State.SUSPECT)),
        guardians=crowds.guardians(case.id, audience) if minors else (),
    )


# The work behind it ---------------------------------------------------------------------------------------------------------


def due(now: datetime) -> list[str]:
    """The checks that wait, or whose worker is gone."""
    return preflights.to_do(now)


def check(
    ref: str,
    channels: Channels,
    *,
    house: House,
    clock: Clock,
    selectors: Sequence[str] = (),
    lookup: mail_domain.Lookup = mail_domain.texts,
) -> None:
    """Look at everybody: safe to repeat, to kill and to run twice at once. Goes on where a dead worker stopped."""
    held = preflights.claim(ref, now=clock())
    if held is None:
        return
    notice = notice_rows.by_id(held.notice_id)
    if notice is None or checked_by(notice) != held.bound:
        _end(held, Findings(), "failed", "", clock())
        return
    plan, found = _plan(notice, house, clock()), Findings.from_json(held.found)
    try:
        checked = _scan(held, Audience.from_json(notice.audience), plan, found, clock)
    except Erased:
        _end(held, Findings(), "failed", "", clock())
        return
    if checked is None:
        return
    found.sizes = {tag: tongue.size for tag, tongue in plan.tongues.items() if tongue.size}
    email = channels.real.get("email") if "email" in notice.channels else None
    if email is not None:
        sender = house.senders.get("email", "")
        found.domain = domains.as_json(
            mail_domain.checked(sender, provider=email.provider, chosen=selectors, lookup=lookup)
        )
    _, digest = audiences.frozen(held.incident_id, Audience.from_json(notice.audience))
    _end(held, found, "done", digest, clock(), checked=checked)


def _scan(held: Claimed, audience: Audience, plan: Plan, found: Findings, clock: Clock) -> int | None:
    """Everybody behind the place that was reached; how many were looked at, None where another worker took it over.

    Where a worker died, the records that may have killed it are looked at in ever smaller company (`domain.suspects`).
    """
    after, checked, deaths = held.cursor, held.checked, held.deaths
    doubt_to = _in_doubt(held, audience)
    while batch := audiences.members(held.incident_id, audience, after=after, limit=suspects.together(deaths, AT_ONCE)):
        passed_by = suspects.is_poison(deaths, AT_ONCE)
        listed = _looked_at(held.incident_id, batch, plan, found, passed_by=passed_by)
        after, checked = batch[-1][1], checked + len(batch)
        deaths = min(deaths, suspects.alone_after(AT_ONCE)) if after < doubt_to else 0
        kept = preflights.keep(
            held,
            cursor=after,
            checked=checked,
            found=found.to_json(),
            listed=listed,
            now=clock(),
            deaths=deaths,
            doubt_to=doubt_to,
        )
        if not kept:
            return None
    return checked


def _in_doubt(held: Claimed, audience: Audience) -> int:
    """The number of the last record that may have killed the worker before; 0 where none died."""
    if not held.deaths or held.doubt_to > held.cursor:
        return held.doubt_to
    batch = audiences.members(held.incident_id, audience, after=held.cursor, limit=AT_ONCE)
    return batch[-1][1] if batch else 0


def _looked_at(
    incident_id: int, batch: Sequence[tuple[int, int]], plan: Plan, found: Findings, *, passed_by: bool
) -> list[tuple[str, int]]:
    """Count what a look at each finds; the words with the number of whom each concerns. Who is passed by is not opened."""
    known = {} if passed_by else _opened(incident_id, [id_ for id_, _ in batch])
    closed = "poison" if passed_by else "unreadable"
    listed = []
    for id_, number in batch:
        for word in _look(known[id_], plan, found) if id_ in known else [closed]:
            found.add(word)
            listed.append((word, number))
    return listed


def _end(held: Claimed, found: Findings, state: str, digest: str, now: datetime, *, checked: int = 0) -> None:
    with transaction(ACTOR, now) as ledger:
        row = preflights.locked(held.ref)
        notice = notice_rows.by_id(held.notice_id)
        if row is None or notice is None or (row.fence, row.state) != (held.fence, "running"):
            ledger.unchanged()
            return
        row.state, row.ended_at, row.people_digest, row.found = state, now, digest, found.to_json()
        row.people = checked if state == "done" else row.people
        case = db.session.get(Incident, row.incident_id)
        ref = case.ref if case else "none"
        if state == "done":
            ledger.write(
                "preflight.finished",
                row.ref,
                incident=ref,
                notice=notice.ref,
                people=checked,
                digest=digest,
                found=dict(sorted(found.people.items())),
            )
        else:
            ledger.write("preflight.broken_off", row.ref, incident=ref, notice=notice.ref)


def _plan(notice: Notice, house: House, now: datetime) -> Plan:
    day: date = now.astimezone(house.zone).date()
    offers = remedies.offers(notice.incident_id)
    facts = facts_of(notice.incident_id)
    named = writing_in(incidents.by_ids([notice.incident_id])[notice.incident_id], house)
    known = values(facts, notice.languages, ref=notice.ref, day=day, house=named, offers=offers)
    read, _ = musts.sheets(texts_of(notice), site=house.site, california=False)
    channels = [Channel(word) for word in notice.channels if word in BITS]
    tongues = {tag: _tongue(page, channels, known[tag]) for tag, page in read.items()}
    return Plan(frozenset(map(str, channels)), tuple(notice.languages), tongues)


def _tongue(page: layouts.Sheet, channels: Iterable[Channel], known: Values) -> Tongue:
    """What the text asks of each of its readers, over all its channels. A shared value that is not there is no one person's."""
    fields: dict[str, None] = {}
    sms, size = None, 0
    for channel in channels:
        try:
            made = layouts.composed(page, channel, known)
        except Unfilled:
            continue
        fields |= dict.fromkeys(name for name in made.fields if name in PERSON and name not in CODES)
        sms = made.text if channel is Channel.SMS else sms
        size = _size(made) if channel is Channel.EMAIL else size
    return Tongue(starters.words(page.language), tuple(fields), sms, size)


def _size(made: layouts.Composed) -> int:
    patterns = (made.subject, made.text, *((made.html,) if made.html else ()))
    return sum(len(layouts.subject_line(pattern).encode()) for pattern in patterns)


def _opened(incident_id: int, ids: Sequence[int]) -> dict[int, Addressee]:
    """Everybody's open record; one that does not open keeps nobody else back."""
    try:
        return people.addressees(incident_id, ids)
    except Unreadable:
        found: dict[int, Addressee] = {}
        for id_ in ids:
            try:
                found |= people.addressees(incident_id, [id_])
            except Unreadable:
                log.warning("preflight.unreadable")
        return found


def _look(person: Addressee, plan: Plan, found: Findings) -> list[str]:
    """The words under which this person is listed; what their text message weighs is counted on the way."""
    tongue = plan.tongues.get(rules.language_for(person.language, plan.languages))
    words = []
    if tongue is not None:
        words += [f"gap.{name}" for name in merges.gaps(person, tongue.words, tongue.fields)]
        if tongue.sms is not None and person.phone:
            words += _weighed(person, tongue, found)
    words += _cared_for(person, plan)
    if "care.guardian" in words and tongue is not None and "person.for_whom" not in tongue.fields:
        words.append("care.nameless")
    if person.email and "email" in plan.channels and not looks.is_email(person.email):
        words.append("bad.email")
    if person.phone and plan.channels & {"sms", "call"} and not looks.is_phone(person.phone):
        words.append("bad.phone")
    if person.address and "letter" in plan.channels:
        lines = (person.name, *person.address)
        words += [f"letter.{doubt}" for doubt in addresses.doubts(lines, person.place)]
    return words


def _cared_for(person: Addressee, plan: Plan) -> list[str]:
    """The words for somebody who is told otherwise than others: through somebody else, or by safe ways alone."""
    words = []
    if person.unsafe:
        reached = any(address(person, Channel(word)) for word in plan.channels)
        words.append("care.at_risk" if reached else "care.unsafe")
    if person.care:
        words.append("care.minor" if person.care == "guardian" else "care.next_of_kin")
    elif person.name != person.for_whom:
        words.append("care.guardian")
    return words


def _weighed(person: Addressee, tongue: Tongue, found: Findings) -> list[str]:
    """Count this person's text message; listed where it is longer than a provider takes."""
    text = _sms(person, tongue)
    length = segments.length(text)
    found.add_text(person.place[:2], length.segments, len(text))
    seen = found.alphabets.setdefault(tongue.words.language, [])
    for letter in length.costly[:8]:
        if letter not in seen and len(seen) < 8:
            seen.append(letter)
    return ["sms.long"] if len(text) > looks.LONGEST_SMS else []


def _sms(person: Addressee, tongue: Tongue) -> str:
    """The text message as this person gets it; a value that is lacking is left out, for it is counted elsewhere."""
    own = EXAMPLES | merges.person_values(person, tongue.words)
    pieces = tongue.sms.pieces if tongue.sms else ()
    return "".join(for_sms(own.get(one.name, "")) if isinstance(one, Slot) else one for one in pieces)


def _people(incident_id: int, notice: Notice) -> int:
    return sum(group.people for group in audiences.counted(incident_id, Audience.from_json(notice.audience)))


def _found(incident: str, ref: str) -> tuple[Incident, Notice]:
    case = incidents.by_ref(incident)
    notice = notice_rows.by_ref(case.id, ref) if case else None
    if case is None or notice is None:
        raise Missing()
    return case, notice
