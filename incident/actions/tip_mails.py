"""Our answers to reporters, on their way by e-mail.

Whoever has a code is told only that there is an answer; whoever wrote by e-mail, or told us in person, gets the answer itself.
One that did not leave for sure makes its report wait for somebody again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from incident.actions import single_mails
from incident.actions.ledger import Ledger
from incident.actions.single_mails import Clock, Room
from incident.actions.tips import incident_ref, tag_for
from incident.domain import tip_words
from incident.domain import tips as rules
from incident.domain.handovers import State
from incident.domain.tips import Way
from incident.domain.wording import for_header
from incident.store import tips as rows
from incident.store.db import db
from incident.store.sealed import Erased
from incident.store.tips import MAILS, Tip, TipMail, TipMessage
from notifiers.contract import Channels, Event, Message


def due(now: datetime) -> list[str]:
    """References of mails to hand over, and of those whose worker died; only the latter while all sending is frozen."""
    return single_mails.due(_room(""), now)


def do(ref: str, channels: Channels, *, site: str, clock: Clock, lease: timedelta) -> None:
    """Hand one mail over: safe to repeat, to kill, and to run twice at once."""
    single_mails.do(_room(site), ref, channels, clock=clock, lease=lease)


def take_in(provider: str, events: Sequence[Event], ledger: Ledger) -> set[str]:
    """What a provider reports about these mails, inside the caller's transaction; the references that were ours."""
    return single_mails.take_in(_room(""), provider, events, ledger)


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


def _settled(row: TipMail, ledger: Ledger) -> None:
    tip = db.session.get(Tip, row.tip_id)
    if tip is None:
        return
    if row.state in {State.FAILED, State.IN_DOUBT}:
        tip.waits = True
    details = {"state": row.state, "mail": row.ref, "reason": row.reason or None}
    ledger.write("tip.mail_settled", tip.ref, incident=incident_ref(tip), **details)


def _room(site: str) -> Room[TipMail]:
    """The room of these mails; those who follow their report on the page are led to it on this site."""
    return Room(
        kind="report",
        rows=MAILS,
        retries=rules.RETRIES,
        gone="erased",
        read=rows.mail,
        by_refs=rows.mails_by_refs,
        ready=partial(message, site=site),
        settled=_settled,
    )
