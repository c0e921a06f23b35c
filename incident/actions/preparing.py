"""A row for everybody before the first message goes out, and order after a worker that died."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from incident.actions import quieting, remedies, rolls
from incident.actions.dispatch import halt
from incident.actions.giving_back import give_back
from incident.actions.ledger import Ledger, transaction
from incident.actions.notices import approved_version
from incident.domain import deliveries as rules
from incident.domain import suspects
from incident.domain.deliveries import Course, Happening, State, Turn
from incident.domain.errors import Missing, Refused
from incident.domain.notices import language_for
from incident.domain.people import Digest
from incident.domain.remedies import used_by
from incident.store import claims, deliveries, dispatches, letters, notices, tallies
from incident.store.claims import DeliveryClaim, Held
from incident.store.db import db
from incident.store.deliveries import Addressed
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.notices import NoticeVersion
from incident.store.tallies import Place
from notifiers.contract import Notifier

ACTOR = "system"
PREPARED_AT_ONCE = 2_000


def prepare(ref: str, opened: Mapping[str, Notifier], *, now: datetime) -> bool:
    """Make rows for the next people of the frozen audience; whether there may be more."""
    known = dispatches.anywhere(ref)
    if known is None or known.course != Course.PREPARING:
        return False
    with transaction(ACTOR, now) as ledger:
        row = dispatches.locked(ref)
        if row is None or row.course != Course.PREPARING:
            ledger.unchanged()
            return False
        incident = incident_ref(row)
        version = approved(row)
        if version is None:
            halt(row, "approval_changed", ledger, incident)
            return False
        found = [] if row.prepared else rolls.members(row, version, limit=PREPARED_AT_ONCE)
        if not found:
            _all_prepared(row, ledger, incident)
            return False
        if not _codes_given(row, version, [number for _, number in found], ledger):
            halt(row, "codes_short", ledger, incident)
            return False
        chosen = quieting.timed(row, _chosen(row, version, found, list(opened)), now)
        refs = deliveries.add(row, chosen, now)
        _count_prepared(row, chosen, refs, ledger, incident)
        return True


def _codes_given(row: Dispatch, version: NoticeVersion, numbers: Sequence[int], ledger: Ledger) -> bool:
    """Whether these people have their codes of the remedies that the text names; a rehearsal gives none."""
    wanted = used_by(version.contents) if row.first_attempt else ()
    case = db.session.get(Incident, row.incident_id) if wanted else None
    return case is None or remedies.given_to(case, wanted, numbers, ledger)


def _chosen(
    row: Dispatch, version: NoticeVersion, found: Sequence[tuple[int, int]], opened: Sequence[str]
) -> list[Addressed]:
    """These people with the first channel that reaches them and the language they are written in."""
    ids = [id_ for id_, _ in found]
    reached, reads = deliveries.reach_of(ids), deliveries.languages_of(ids)
    written = {word: language_for(word, version.contents["languages"]) for word in set(reads.values())}
    chosen = []
    for id_, number in found:
        channel = rules.first_channel(row.channels, reached[id_], opened)
        owner = "" if channel else released_by(row, version)
        chosen.append(Addressed(id_, number, channel, owner=owner, language=written[reads[id_]]))
    return chosen


def _count_prepared(
    row: Dispatch, chosen: Sequence[Addressed], refs: Sequence[str], ledger: Ledger, incident: str
) -> None:
    places = Counter(
        Place(person.channel, person.language, State.WAITING)
        if person.channel
        else Place(deliveries.NO_CHANNEL, person.language, State.UNREACHED, "no_channel")
        for person in chosen
    )
    tallies.count(row.id, places, ledger.now)
    row.prepared_to = chosen[-1].number
    by_channel = Counter(person.channel or "none" for person in chosen)
    ledger.write(
        "deliveries.made",
        row.ref,
        incident=incident,
        first=chosen[0].number,
        last=row.prepared_to,
        channels=dict(by_channel),
        digest=rules.batch_digest((ref, f"P-{person.number}") for ref, person in zip(refs, chosen, strict=True)),
    )


def _all_prepared(row: Dispatch, ledger: Ledger, incident: str) -> None:
    """Everybody has a row: they must be exactly the people the approval is bound to."""
    digest = Digest()
    after = 0
    while found := deliveries.numbers(row.id, after=after, limit=20_000):
        digest.add(number for _, number in found)
        after = found[-1][0]
    row.prepared = True
    if (digest.count, digest.hexdigest()) != (row.audience, row.audience_digest):
        halt(row, "people_changed", ledger, incident)
        return
    row.course = rules.turned(Course(row.course), Turn.PREPARED)
    row.changed_at = ledger.now
    ledger.write("dispatch.prepared", row.ref, incident=incident, people=digest.count, unreached=row.unreached)


def take_over(row: Dispatch, *, now: datetime) -> None:
    """Settle what dead workers left: claimed only or for our own hands, back to waiting; begun to be handed over, in doubt."""
    if row.ref not in claims.dispatches_with_lost_claims(now):
        return
    with transaction(ACTOR, now) as ledger:
        row = locked(row.ref)
        incident = incident_ref(row)
        for claim in claims.run_out(row.id, now):
            # A list of calls or a print file that nobody settled is on no page: nobody can have called or posted.
            if claim.state == "claimed" or claim.provider in rules.NOBODY_OUTSIDE or claim.channel == letters.CHANNEL:
                verb, moved = _after_death(row, claim, now)
            else:
                claim.state, verb = "lost", "deliveries.in_doubt"
                doubt, since = State.IN_DOUBT, claim.claimed_at
                moved = claims.move_claimed(claim.id, doubt, now, reason="worker_died", called_at=since)
            ledger.write(
                verb, row.ref, incident=incident, claim=claim.id, count=len(moved), digest=rules.batch_digest(moved)
            )
        if not ledger.lines:
            ledger.unchanged()


def _after_death(row: Dispatch, claim: DeliveryClaim, now: datetime) -> tuple[str, list[tuple[str, str]]]:
    """Give back what a dead worker held and nobody can have got; or set aside the one record that killed it time and again."""
    claim.state = "returned"
    if rules.waits_or_not(Course(row.course)) is State.CANCELLED:
        return "deliveries.returned", claims.move_claimed(claim.id, State.CANCELLED, now, reason="stopped")
    reason = claims.suspect(claim, now, printing=claim.channel == letters.CHANNEL)
    if reason != suspects.POISON:
        return "deliveries.returned", claims.move_claimed(claim.id, State.WAITING, now, reason=reason)
    state = rules.after(State.SENDING, Happening.SET_ASIDE)
    owner = answers_for(row)
    return "deliveries.set_aside", claims.move_claimed(claim.id, state, now, reason=reason, owner=owner)


def returned(row: Dispatch, held: Held, ledger: Ledger, incident: str) -> None:
    """Give a batch back that was not handed over."""
    if not give_back(row, held.fence, ledger, incident) and not ledger.lines:
        ledger.unchanged()


def released_by(row: Dispatch, version: NoticeVersion) -> str:
    """Who answers for those whom nothing reaches, until somebody takes them: who began the sending, else who approved it."""
    return row.started_by if row.started_by != ACTOR else version.decided_by


def answers_for(row: Dispatch) -> str:
    """The same, where the version is not at hand."""
    version = notices.version(row.notice_id, row.version_number)
    return released_by(row, version) if version else row.started_by


def approved(row: Dispatch) -> NoticeVersion | None:
    """The approved version, if it still is the one this dispatch was started for."""
    try:
        version = approved_version(row.notice_ref)
    except (Refused, Missing):
        return None
    return version if (version.id, version.digest) == (row.notice_version_id, row.digest) else None


def locked(ref: str) -> Dispatch:
    """The dispatch, held until the commit. Raises Missing."""
    row = dispatches.locked(ref)
    if row is None:
        raise Missing()
    return row


def shared(ref: str) -> Dispatch:
    """The dispatch, held until the commit against all but other workers of it. Raises Missing."""
    row = dispatches.shared(ref)
    if row is None:
        raise Missing()
    return row


def incident_ref(row: Dispatch) -> str:
    """The reference of the dispatch's incident."""
    case = db.session.get(Incident, row.incident_id)
    return case.ref if case else "none"
