"""Send a text to oneself before anybody else gets it. A trial is marked as one and never counts as telling anybody."""

from datetime import datetime

import structlog

from incident.actions.ledger import transaction
from incident.actions.previews import Wording
from incident.actions.settling import packed
from incident.domain import layouts, merges, starters
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.notices import Channel
from incident.domain.people import Addressee
from incident.domain.wording import Unfilled, for_header, for_html, for_text
from incident.store import dispatches, incidents, mailbox, notices
from incident.store.db import new_secret_ref
from incident.store.sealed import sealer
from notifiers.contract import Channels, Message, Notifier, Outcome

log = structlog.get_logger()

MARK = "[Test] "
LOST = "The provider’s answer was lost: the test may arrive, or not."
SAMPLE_KINDS = ("email", "name")


def send(
    incident: str, ref: str, wording: Wording, *, to: str, name: str, channels: Channels, actor: str, now: datetime
) -> str:
    """Send the e-mail of this text to the one who asks; a sentence on what became of it. Raises Refused, Invalid, Missing.

    In a drill and without a provider it stays in the sandbox. The line is written before the message is handed over.
    """
    with transaction(actor, now) as ledger:
        found = incidents.by_ref(incident)
        notice = notices.by_ref(found.id, ref) if found else None
        if found is None or notice is None:
            raise Missing()
        if dispatches.frozen():
            raise Refused("All sending is frozen just now, tests too.")
        notifier = _notifier(channels, is_drill=found.kind == "drill")
        message = _message(wording, new_secret_ref(), to, name)
        ledger.write(
            "notice.tested", ref, incident=incident, channel="email", attempt=message.ref, simulated=notifier.simulated
        )
        if notifier.simulated:
            _keep(found.id, ref, message, now)
    if notifier.simulated:
        return "The test is in the sandbox’s mailbox: no provider is set, or this is a drill."
    return _words(notifier, message)


def _notifier(channels: Channels, *, is_drill: bool) -> Notifier:
    opened = channels.open(simulated=is_drill or "email" not in channels.real)
    return opened["email"]


def _message(wording: Wording, ref: str, to: str, name: str) -> Message:
    """Return the e-mail as if the one who asks were affected, marked as a test."""
    language = wording.text.language
    page = layouts.sheet(wording.text, site=wording.site, california=wording.california)
    made = layouts.composed(page, Channel.EMAIL, wording.values)
    somebody = Addressee(0, name, to, "", (), "", language, "", name, SAMPLE_KINDS)
    words = merges.person_values(somebody, starters.words(language))
    try:
        return Message(
            ref=ref,
            to=to,
            subject=MARK + made.subject.filled(words, for_header),
            text=made.text.filled(words, for_text),
            html=made.html.filled(words, for_html) if made.html else "",
            language=language,
            thread=ref,
        )
    except Unfilled as gap:
        raise Invalid(gap.field, f"{gap.sentence} Add it first, or say it without the field.") from None


def _keep(incident_id: int, notice_ref: str, message: Message, now: datetime) -> None:
    sealed = sealer(incident_id).seal(f"sandbox_message.sealed:{message.ref}", packed(message))
    mailbox.keep_messages(
        [
            {
                "incident_id": incident_id,
                "ref": message.ref,
                "channel": "email",
                "person_number": None,
                "notice_ref": notice_ref,
                "kept_at": now,
                "sealed": sealed,
            }
        ]
    )


def _words(notifier: Notifier, message: Message) -> str:
    try:
        (answer,) = notifier.send([message])
    except Exception as error:  # the contract: an exception means that nobody knows what happened
        log.warning("trial.answer_lost", provider=notifier.provider, reason=type(error).__name__)
        return LOST
    if answer.outcome is Outcome.ACCEPTED:
        return "The test is on its way to your own address."
    if answer.outcome is Outcome.UNKNOWN:
        return LOST
    return f"The provider did not take the test: {answer.reason.replace('_', ' ') or 'no reason given'}."
