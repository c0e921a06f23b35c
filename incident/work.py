"""The table of background work. The rows of the database are the queue; this says who looks for due ones, and how often.

`due(now)` gives references of what is due; `do(reference, now)` is safe to repeat and claims its rows itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from incident import clock
from incident.actions import (
    account_mails,
    asks,
    checkpoints,
    climbing,
    drills,
    emergencies,
    enquiring,
    enquiry_mails,
    imports,
    keeping,
    law_updates,
    leftovers,
    letter_files,
    letters,
    lookups,
    mail_domain,
    mail_in,
    media_mails,
    merging,
    own_facts,
    particulars,
    postings,
    preflight,
    pretending,
    reminder_messages,
    reminders,
    retention,
    reviews,
    searching,
    sending,
    stamping,
    sweeping,
    team_mails,
    tip_mails,
    webhook_events,
)
from incident.actions.ways import Ways
from incident.domain.lanes import Lane, lane_of
from incident.settings import Settings
from incident.store import dispatches, jobs
from incident.store.db import db
from incident.visits import visits
from notifiers.contract import Channels

log = structlog.get_logger()

WORTH_SECONDS = 1.0  # whatever ended sooner found little to do: the clock will see to the rest

Due = Callable[[datetime], list[str]]
Do = Callable[[str, datetime], Any]


@dataclass
class Worked:
    """How much was done, and what could not be: the kind of work with its reference, each once."""

    done: int = 0
    failed: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Kind:
    """One kind of work: its name, how often to look for it, what is due, and doing it."""

    name: str
    every_seconds: float
    due: Due
    do: Do


def stop() -> None:
    """Let what is under way in this process end as soon as it may: a sending after the call that it waits for."""
    current_app.extensions["stopping"].set()


def go_ahead() -> None:
    """Take back an earlier stop, for a process that begins to work."""
    current_app.extensions["stopping"].clear()


def _going() -> bool:
    return not current_app.extensions["stopping"].is_set()


def _channels() -> Channels:
    channels: Channels = current_app.extensions["channels"]
    return channels


def _start_scheduled(reference: str, now: datetime) -> None:
    sending.start_scheduled(reference, only_sandbox=_channels().only_sandbox, now=now)


def _take_in(reference: str, _now: datetime) -> None:
    imports.run(reference, folder=current_app.extensions["settings"].instance / "files", clock=clock.now)


def _settle_pairs(reference: str, _now: datetime) -> None:
    sweeping.do(reference, clock=clock.now, going=_going)


def _send(reference: str, _now: datetime) -> None:
    sending.work(
        reference,
        _channels(),
        clock=clock.now,
        lease=timedelta(seconds=current_app.extensions["settings"].sending_lease),
        going=_going,
    )


def _climb(reference: str, now: datetime) -> None:
    row = dispatches.anywhere(reference)
    opened = _channels().open(simulated=row is not None and row.simulated)
    while climbing.climb(reference, opened, now=now) and _going():
        now = clock.now()


def _live(reference: str, now: datetime) -> None:
    while pretending.live(reference, now=now) and _going():
        now = clock.now()


def _left_over(_now: datetime) -> list[str]:
    return letter_files.due(current_app.extensions["settings"].instance / "files")


def _tidy(reference: str, now: datetime) -> None:
    letter_files.clear(reference, current_app.extensions["settings"].instance / "files", now=now)


def _doubtful(now: datetime) -> list[str]:
    return lookups.due(_channels(), now)


def _look_up(reference: str, now: datetime) -> None:
    lookups.look_up(reference, _channels(), now=now)


def ways(settings: Settings | None = None) -> Ways:
    """How this installation reaches the people who work here."""
    settings = settings or current_app.extensions["settings"]
    return Ways(
        _channels(),
        current_app.extensions["alerts"],
        site=settings.base_url,
        zone=settings.time_zone,
        steps=settings.reminder_steps(),
        lease=timedelta(seconds=settings.sending_lease),
    )


def _told_ways() -> Ways:
    """The same with the time zone of the organisation, where a page was told it."""
    return ways(particulars.known(current_app.extensions["settings"]))


def _remind(reference: str, now: datetime) -> None:
    reminders.do(reference, now, _told_ways())


def _hand_over(reference: str, _now: datetime) -> None:
    reminder_messages.do(reference, _told_ways(), clock=clock.now)


def _print(reference: str, _now: datetime) -> None:
    settings = particulars.known(current_app.extensions["settings"])
    letters.do(
        reference,
        folder=settings.instance / "files",
        paper=letters.Paper(settings.letters, settings.letters_country, settings.company_name),
        clock=clock.now,
        lease=timedelta(seconds=settings.sending_lease),
    )


def _tell_newsrooms(reference: str, _now: datetime) -> None:
    lease = timedelta(seconds=current_app.extensions["settings"].sending_lease)
    media_mails.do(reference, _channels(), clock=clock.now, lease=lease)


def _answer(reference: str, _now: datetime) -> None:
    lease = timedelta(seconds=current_app.extensions["settings"].sending_lease)
    enquiry_mails.do(reference, _channels(), clock=clock.now, lease=lease)


def _mail_team(reference: str, _now: datetime) -> None:
    settings = current_app.extensions["settings"]
    lease = timedelta(seconds=settings.sending_lease)
    team_mails.do(reference, _channels(), site=settings.base_url, clock=clock.now, lease=lease)


def _mailbox_due(_now: datetime) -> list[str]:
    return mail_in.due(current_app.extensions["mailbox"])


def _read_mailbox(_reference: str, _now: datetime) -> None:
    folder = current_app.extensions["settings"].instance / "files"
    terms = enquiring.terms(current_app.extensions["settings"])
    mail_in.do(current_app.extensions["mailbox"], folder=folder, clock=clock.now, terms=terms)


def _mail_reporter(reference: str, _now: datetime) -> None:
    settings = current_app.extensions["settings"]
    lease = timedelta(seconds=settings.sending_lease)
    tip_mails.do(reference, _channels(), site=settings.base_url, clock=clock.now, lease=lease)


def _ask(reference: str, _now: datetime) -> None:
    settings = current_app.extensions["settings"]
    lease = timedelta(seconds=settings.sending_lease)
    asks.do(reference, current_app.extensions["webhooks"], site=settings.base_url, clock=clock.now, lease=lease)


def _post(reference: str, _now: datetime) -> None:
    settings = current_app.extensions["settings"]
    lease = timedelta(seconds=settings.sending_lease)
    webhook_events.do(reference, current_app.extensions["webhooks"], clock=clock.now, lease=lease)


def _look(reference: str, now: datetime) -> None:
    inside, outside = visits()
    house = merging.house(current_app.extensions["settings"])
    postings.do(reference, now, inside=inside, outside=outside, house=house, ways=ways())


def _check(reference: str, _now: datetime) -> None:
    settings = current_app.extensions["settings"]
    preflight.check(
        reference,
        _channels(),
        house=merging.house(settings),
        clock=clock.now,
        selectors=settings.dkim_selector_names(),
        lookup=mail_domain.texts if settings.check_dns and not settings.test_mode else mail_domain.nothing,
    )


def _own_facts_due(_now: datetime) -> list[str]:
    return own_facts.due(current_app.extensions["settings"])


def _take_up(_reference: str, _now: datetime) -> None:
    own_facts.do(current_app.extensions["settings"], clock=clock.now, going=_going)


def _unstamped(now: datetime) -> list[str]:
    return stamping.due(now) if current_app.extensions["time_stamps"] else []


def _stamp(reference: str, _now: datetime) -> None:
    by = current_app.extensions["time_stamps"]
    stamping.stamp(reference, by.ask, authority=by.name, roots=by.roots, clock=clock.now)


def _let_go(reference: str, now: datetime) -> None:
    keeping.do(reference, now, current_app.extensions["settings"].instance / "files")


def _to_search(now: datetime) -> list[str]:
    return searching.due(now) if current_app.extensions["searcher"] is not None else []


def _search(reference: str, _now: datetime) -> None:
    settings, searcher = current_app.extensions["settings"], current_app.extensions["searcher"]
    searching.do(reference, searcher, folder=settings.instance / "files", clock=clock.now)


WORK: tuple[Kind, ...] = (
    Kind("people.import", 1, imports.due, _take_in),
    Kind("people.pairs", 2, sweeping.due, _settle_pairs),
    Kind("organisation.facts", 5, _own_facts_due, _take_up),
    Kind("laws.compare", 60, law_updates.due, law_updates.do),
    Kind("notices.check", 1, preflight.due, _check),
    Kind("notices.scheduled", 15, sending.scheduled, _start_scheduled),
    Kind("deliveries.climb", 2, climbing.due, _climb),
    Kind("sending", 1, sending.due, _send),
    Kind("drills.injects", 2, drills.due, drills.do),
    Kind("sandbox.live", 2, pretending.due, _live),
    Kind("deliveries.look_up", 10, _doubtful, _look_up),
    Kind("evidence.search", 5, _to_search, _search),
    Kind("letters.print", 2, letters.due, _print),
    Kind("letters.tidy", 600, _left_over, _tidy),
    Kind("media.mails", 3, media_mails.due, _tell_newsrooms),
    Kind("reported.read", 30, _mailbox_due, _read_mailbox),
    Kind("reported.mails", 3, tip_mails.due, _mail_reporter),
    Kind("enquiries.mails", 3, enquiry_mails.due, _answer),
    Kind("announcements.look", 30, postings.due, _look),
    Kind("reminders.due", 10, reminders.due, _remind),
    Kind("reminders.send", 3, reminder_messages.due, _hand_over),
    Kind("members.end", 60, emergencies.over, emergencies.clear),
    Kind("emergencies.remind", 600, emergencies.to_remind, emergencies.remind),
    Kind("reviews.call", 600, reviews.to_call, reviews.call),
    Kind("team.mails", 5, team_mails.due, _mail_team),
    Kind("webhooks.gather", 3, webhook_events.behind, webhook_events.gather),
    Kind("webhooks.send", 2, webhook_events.due, _post),
    Kind("asks.send", 2, asks.due, _ask),
    Kind("webhooks.tidy", 3600, webhook_events.old, webhook_events.tidy),
    Kind("accounts.tokens", 3600, account_mails.ending, account_mails.remind),
    Kind("accounts.retention", 3600, retention.due, retention.do),
    Kind("data.retention", 3600, keeping.due, _let_go),
    Kind("data.leftovers", 3600, leftovers.due, leftovers.do),
    Kind("record.checkpoint", 60, checkpoints.due, checkpoints.do),
    Kind("record.stamp", 60, _unstamped, _stamp),
)


BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in WORK}


def hand_over(kind: Kind) -> int:
    """Give what is due of one kind to the workers of this installation; where none is alive, do it here. How much was due."""
    references = _due(kind)
    if not references:
        return 0
    try:
        if jobs.ready() and jobs.workers(_lost_after()):
            return given(kind, references)
    except SQLAlchemyError:
        log.exception("work.not_handed_over", kind=kind.name)
    finally:
        db.session.remove()
    return sum(_do(kind, reference) for reference in references)


def given(kind: Kind, references: Sequence[str]) -> int:
    """Have workers do this, in a commit of its own; how many were new to them."""
    new = jobs.defer(jobs.Wanted(kind.name, reference) for reference in references)
    db.session.commit()
    return new


def do(kind: str, reference: str) -> int:
    """Do one thing, for a worker that was given it; 1 if it was done. Never raises: the rows say what is still to do.

    A sending that took its whole slice and is still due is handed on at once: it needs no scheduler to go on.
    """
    began = clock.monotonic()
    done = _do(BY_NAME[kind], reference)
    if done and _going() and lane_of(kind) is Lane.SENDING and clock.monotonic() - began > WORTH_SECONDS:
        go_on(BY_NAME[kind], reference)
    return done


def go_on(kind: Kind, reference: str) -> None:
    """Hand this on to the next worker that is free, if there is more of it."""
    if reference in _due(kind):
        try:
            given(kind, [reference])
        except SQLAlchemyError:
            log.exception("work.not_handed_on", kind=kind.name)
        finally:
            db.session.remove()


def sweep() -> int:
    """Take out what dead workers were given; it is still due. How many jobs that were."""
    try:
        taken = jobs.sweep(_lost_after()) if jobs.ready() else 0
        db.session.commit()
    except SQLAlchemyError:
        log.exception("work.not_swept")
        return 0
    finally:
        db.session.remove()
    return taken


def look(kind: Kind, failed: set[str]) -> int:
    """Do all that is due of one kind; how many references were done. One failure stops none of the others, and is noted."""
    done = 0
    for reference in _due(kind, failed):
        if _going():
            done += _do(kind, reference, failed)
    return done


def once() -> Worked:
    """Do all work that is due now, and what that makes due, until nothing is left that can be done, or until told to stop."""
    worked = Worked()
    while _going() and (done := sum(look(kind, worked.failed) for kind in WORK)):
        worked.done += done
    return worked


def _lost_after() -> float:
    seconds: float = current_app.extensions["settings"].lost_after
    return seconds


def _due(kind: Kind, failed: set[str] | None = None) -> list[str]:
    try:
        return kind.due(clock.now())
    except Exception:
        log.exception("work.due_failed", kind=kind.name)
        if failed is not None:
            failed.add(kind.name)
        return []
    finally:
        db.session.remove()


def _do(kind: Kind, reference: str, failed: set[str] | None = None) -> int:
    try:
        current_app.extensions["renewal"].look()
        db.session.rollback()
        kind.do(reference, clock.now())
    except Exception:
        log.exception("work.failed", kind=kind.name, reference=reference)
        if failed is not None:
            failed.add(f"{kind.name} {reference}")
        return 0
    finally:
        db.session.remove()
    return 1
