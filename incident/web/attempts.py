"""One person's delivery with all its attempts, the sandbox's mailbox, and the switch that freezes all sending."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import climbing, letter_proofs, merging
from incident.actions import deliveries as actions
from incident.actions import dispatch as dispatching
from incident.domain import deliveries as rules
from incident.domain import ladders
from incident.domain.deliveries import Course, State
from incident.domain.errors import Missing
from incident.exports import csv
from incident.exports.letters import MIME
from incident.store import deliveries as rows
from incident.store import dispatches, frozen, mailbox, provider_events
from incident.store import pretences as rows_of_drills
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.web import bar, boardwords, lookups, pretences
from incident.web.access import actor, now, permit
from incident.web.boards import standing
from incident.web.deliveries import CHANNEL_LABELS, MEANINGS, names, reason_words
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.pages import named
from notifiers.contract import Channels

bp = Blueprint("attempts", __name__, url_prefix="/incidents/<incident>/sending")
desk = Blueprint("sending", __name__, url_prefix="/desk/sending")

PAGE = 50
MOST_RECONCILED = 50
REMARK_WORDS = {
    "found_sent": Word("found that it was sent"),
    "sent_again": Word("had it sent again"),
    "next_channel": Word("had the next channel tried"),
}


@bp.get("/attempts/<attempt>")
@permit("sending.view")
def show(incident: str, attempt: str) -> str:
    """Everything known of telling one person: attempts, answers, reports, remarks."""
    row = rows.attempt(g.incident.id, attempt)
    if row is None:
        raise Missing()
    tried = rows.attempts(row)
    ids = [one.id for one in tried]
    remarks = rows.remarks_of(ids)
    told = dispatches.by_id(row.dispatch_id)
    evidence = lookups.evidence(ids)
    return render_template(
        "deliveries/attempt.html",
        row=row,
        dispatch=told,
        tried=tried,
        events=provider_events.events_of(ids),
        evidence=evidence,
        pretended=pretences.tag(row.pretended) if row.pretended else None,
        may_ask=lookups.may_ask(row.channel, row.state) and told is not None and not told.simulated,
        remarks=list(zip(remarks, actions.remarks(g.incident.id, remarks), strict=True)),
        words=rules.WORDS,
        tones=rules.TONES,
        meaning=MEANINGS[State(row.state)],
        labels=CHANNEL_LABELS,
        reasons=reason_words,
        may_repeat=may_repeat(row, told),
        may_go_on=may_go_on(row, told, tried),
        remark_words=REMARK_WORDS,
        people=names(
            [word for one in tried for word in (one.owner, one.settled_by) if word]
            + [remark.by for remark in remarks]
            + [one.by for one in evidence]
        ),
    )


def may_repeat(row: Delivery, told: Dispatch | None) -> bool:
    """Whether one more attempt may follow this one; none does in a sending that was stopped for good."""
    if told is None or told.simulated or told.course == Course.STOPPED or not row.current:
        return False
    wanted = row.state in (State.FAILED, State.BOUNCED, State.IN_DOUBT, State.CANCELLED)
    return wanted and row.reason not in rules.NOBODY_THERE


def may_go_on(row: Delivery, told: Dispatch | None, tried: Sequence[Delivery]) -> bool:
    """Whether another channel of the notice is left that a person may ask for."""
    if told is None or told.simulated or told.course == Course.STOPPED:
        return False
    if not row.current or row.state not in ladders.MAY_GO_ON:
        return False
    opened = open_channels(simulated=told.simulated)
    past = [ladders.Tried(one.id, one.channel, one.attempt, State(one.state), one.reason) for one in tried]
    reached = rows.reach_of([row.person_id]).get(row.person_id, {})
    return bool(ladders.next_channel(told.steps, past, reached, opened))


def open_channels(*, simulated: bool) -> Collection[str]:
    """The channels that a sending may use here."""
    channels: Channels = current_app.extensions["channels"]
    return list(channels.open(simulated=simulated))


@bp.post("/attempts/<attempt>/next")
@permit("delivery.settle")
def next_channel(incident: str, attempt: str) -> ResponseReturnValue:
    """Have the next channel tried for this person."""
    opened = open_channels(simulated=False)
    fresh = climbing.go_to_next(
        incident, attempt, reason=request.form.get("reason", ""), opened=opened, actor=actor(), now=now()
    )
    flash("The next channel is tried.", "met")
    return redirect(url_for(".show", incident=incident, attempt=fresh))


@bp.post("/attempts/<attempt>/sent")
@permit("delivery.settle")
def found_sent(incident: str, attempt: str) -> ResponseReturnValue:
    """It was sent, says a person."""
    actions.found_sent(incident, attempt, evidence=request.form.get("reason", ""), actor=actor(), now=now())
    flash("Kept as accepted, with how you know.", "met")
    return redirect(url_for(".show", incident=incident, attempt=attempt))


@bp.post("/attempts/<attempt>/again")
@permit("delivery.settle")
def again(incident: str, attempt: str) -> ResponseReturnValue:
    """Send it once more."""
    fresh = actions.send_again(incident, attempt, reason=request.form.get("reason", ""), actor=actor(), now=now())
    flash("It will be sent again, as a new attempt.", "met")
    return redirect(url_for(".show", incident=incident, attempt=fresh))


# The sandbox's mailbox ------------------------------------------------------------------------------------------------


@bp.get("/mailbox/")
@permit("sending.view")
@named(Word("Mailbox of the sandbox"))
def mails(incident: str) -> str:
    """What the sandbox took, newest first; opening one leaves a line."""
    before = request.args.get("before", type=int)
    found = list(mailbox.mailbox(g.incident.id, before=before, limit=PAGE + 1))
    more = url_for(".mails", incident=incident, before=found[PAGE - 1].id) if len(found) > PAGE else ""
    pretended = {ref: pretences.tag(state) for ref, state in rows_of_drills.of_refs([one.ref for one in found]).items()}
    return render_template(
        "deliveries/mailbox.html", found=found[:PAGE], more=more, labels=CHANNEL_LABELS, pretended=pretended
    )


@bp.get("/mailbox.csv")
@permit("sending.view")
def mails_table(incident: str) -> Response:
    """The same list as CSV; no address and no text stands in it."""

    def lines() -> Iterator[tuple[Any, ...]]:
        before: int | None = None
        while found := mailbox.mailbox(g.incident.id, before=before, limit=500):
            for one in found:
                yield (
                    one.ref,
                    one.channel,
                    f"P-{one.person_number}" if one.person_number else "test",
                    one.notice_ref,
                    one.kept_at,
                )
            before = found[-1].id

    return csv_answer(
        csv.rows(("message", "channel", "person", "notice", "kept (UTC)"), lines()), f"{incident}-mailbox.csv"
    )


@bp.get("/mailbox/<message>")
@permit("mailbox.read")
def mail(incident: str, message: str) -> str:
    """One message as its reader would have got it."""
    kept = mailbox.kept_message(g.incident.id, message)
    if kept is None:
        raise Missing()
    opened = actions.read_message(incident, message, actor=actor(), now=now())
    return render_template("deliveries/mail.html", kept=kept, mail=opened, labels=CHANNEL_LABELS)


@bp.get("/mailbox/<message>/letter.pdf")
@permit("mailbox.read")
def mail_as_letter(incident: str, message: str) -> Response:
    """A letter of the sandbox as it would lie in the envelope; looking leaves a line."""
    kept = mailbox.kept_message(g.incident.id, message)
    if kept is None or kept.channel != "letter":
        raise Missing()
    opened = actions.read_message(incident, message, actor=actor(), now=now())
    settings = current_app.extensions["settings"]
    made = letter_proofs.proof(message, opened, form=settings.letters, house=merging.house(settings), at=kept.kept_at)
    answer = Response(made, mimetype=MIME)
    answer.headers["Content-Disposition"] = f'inline; filename="{message}.pdf"'
    return answer


# The switch -----------------------------------------------------------------------------------------------------------


@desk.get("/")
@permit("sending.freeze")
@named(Word("Freeze or release sending"))
def switch() -> str:
    """Whether anything may go out of this installation at all."""
    state = dispatches.switch()
    people = names([state.by] if state else [])
    found = frozen.to_reconcile(bar.mine(), limit=MOST_RECONCILED + 1) if state and state.frozen else []
    listed = [(row, ref, *standing(row), boardwords.sentence(row, 0)) for row, ref in found[:MOST_RECONCILED]]
    return render_template(
        "deliveries/switch.html",
        state=state,
        held=dispatches.held(),
        people=people,
        listed=listed,
        more=len(found) > MOST_RECONCILED,
    )


@desk.post("/freeze")
@permit("sending.freeze")
def freeze() -> ResponseReturnValue:
    """Nothing more goes out."""
    dispatching.freeze(actor=actor(), now=now())
    flash("All sending is frozen.", "late")
    return redirect(url_for(".switch"))


@desk.post("/release")
@permit("sending.release", fresh="sending.switch")
def release() -> ResponseReturnValue:
    """Sending goes on."""
    dispatching.release(actor=actor(), now=now())
    flash("Sending goes on.", "met")
    return redirect(url_for(".switch"))
