"""Hand our answers to reporters over by e-mail: claim, call, settle. No transaction is open while a provider is called.

Whoever has a code is told only that there is an answer; whoever wrote by e-mail, or told us in person, gets the answer itself.
What a dead worker had claimed waits again; what it was handing over is in doubt, and is not sent again by itself.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from incident.actions.handovers import answer_of
from incident.actions.ledger import Ledger, transaction
from incident.actions.tips import incident_ref, tag_for
from incident.domain import tip_words
from incident.domain import tips as rules
from incident.domain.handovers import ANSWERED, HELD, State, again_at, reported
from incident.domain.tips import Way
from incident.domain.wording import for_header
from incident.store import dispatches, handovers
from incident.store import tips as rows
from incident.store.db import db
from incident.store.sealed import Erased
from incident.store.tips import MAILS, Tip, TipMail, TipMessage
from notifiers.contract import Answer, Channels, Event, Message, Notifier, Outcome

ACTOR: Final = "system"
Clock = Callable[[], datetime]


def due(now: datetime) -> list[str]:
    """References of mails to hand over, and of those whose worker died; only the latter while all sending is frozen."""
    return handovers.due(MAILS, now, only_lost=dispatches.frozen())


def do(ref: str, channels: Channels, *, site: str, clock: Clock, lease: timedelta) -> None:
    """Hand one mail over: safe to repeat, to kill, and to run twice at once."""
    _take_over(ref, clock())
    fence = None if dispatches.frozen() else handovers.claim(MAILS, ref, lease=lease, now=clock())
    row = rows.mail(ref) if fence is not None else None
    if fence is None or row is None:
        return
    ready = message(row, site=site)
    if ready is None:
        _settle(ref, fence, State.CANCELLED, clock(), reason="erased")
    elif "email" not in channels.real:
        _settle(ref, fence, State.FAILED, clock(), reason="not_set_up")
    elif not dispatches.frozen() and handovers.begin_call(MAILS, ref, fence, lease=lease, now=clock()):
        notifier = channels.real["email"]
        _settle_answer(ref, fence, answer_of(notifier, ready, kind="report"), notifier, clock())


def message(row: TipMail, *, site: str) -> Message | None:
    """The mail as it goes out; None once the report was erased."""
    tip, wrote = db.session.get(Tip, row.tip_id), db.session.get(TipMessage, row.message_id)
    if tip is None or wrote is None:
        return None
    try:
        to = rows.told(tip).get("email", "")
        [said] = rows.words(tip, [wrote])
    except Erased:
        return None
    language = tip.language if tip.language in tip_words.languages() else tip_words.languages()[0]
    words = tip_words.words(language)["mail"]
    if tip.way == Way.PAGE:
        text = words["nudge"].format(address=f"{site}/report/{language}/follow-up")
        return Message(row.ref, to, text, words["nudge_subject"], "", language, row.ref)
    subject = for_header(f"{words['answer_subject']} [{tag_for(tip.ref)}]")
    return Message(row.ref, to, f"{said}\n\n-- \n{words['footer']}\n", subject, "", language, row.ref)


def _take_over(ref: str, now: datetime) -> None:
    """What a dead worker had claimed waits again; what it was handing over is in doubt."""
    handovers.give_back(MAILS, ref, now)
    row = rows.mail(ref)
    if row is None or row.state != State.CALLING or (row.lease_until and row.lease_until > now):
        return
    _settle(ref, row.fence, State.IN_DOUBT, now, reason="worker_died")


def _settle_answer(ref: str, fence: int, answer: Answer, notifier: Notifier, now: datetime) -> None:
    row = rows.mail(ref)
    tries = row.tries if row else 0
    again = again_at(rules.RETRIES, tries, now, answer.wait) if answer.outcome is Outcome.LATER else None
    state = State.WAITING if again else ANSWERED.get(answer.outcome, State.FAILED)
    _settle(ref, fence, state, now, reason=answer.reason, again=again, by=(notifier.provider, answer.provider_id))


def _settle(
    ref: str,
    fence: int,
    state: State,
    now: datetime,
    *,
    reason: str = "",
    again: datetime | None = None,
    by: tuple[str, str] = ("", ""),
) -> None:
    with transaction(ACTOR, now) as ledger:
        row = rows.mail(ref, locked=True)
        if row is None or row.fence != fence or row.state not in HELD:
            ledger.unchanged()
            return
        row.next_at, row.provider, row.provider_id = again or row.next_at, by[0][:20], by[1][:100]
        _settled(row, state, reason, ledger)


def _settled(row: TipMail, state: State, reason: str, ledger: Ledger) -> None:
    """Note what became of a mail, with its line; one that did not leave for sure makes its report wait for somebody again."""
    row.state, row.reason, row.changed_at, row.lease_until = state, reason[:40], ledger.now, None
    tip = db.session.get(Tip, row.tip_id)
    if tip is None:
        return
    if state in {State.FAILED, State.IN_DOUBT}:
        tip.waits = True
    ledger.write(
        "tip.mail_settled",
        tip.ref,
        incident=incident_ref(tip),
        state=state.value,
        mail=row.ref,
        reason=row.reason or None,
    )


def take_in(provider: str, events: Sequence[Event], ledger: Ledger) -> set[str]:
    """What a provider reports about these mails, inside the caller's transaction; the references that were ours."""
    found = {row.ref: row for row in rows.mails_by_refs({event.ref for event in events if event.ref})}
    for event in events:
        row = found.get(event.ref)
        then = reported(State(row.state), event.status) if row is not None else None
        if row is None or then is None or row.provider not in {"", provider}:
            continue
        row.provider = provider[:20]
        _settled(row, then, event.reason, ledger)
    return set(found)
