"""What people ask, on the desk: the list with its clocks, one enquiry with every word, and what is done about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import enquiries as actions
from incident.actions import not_theirs
from incident.actions.enquiring import Asker, Words, asker
from incident.domain import drills, places, starters
from incident.domain import enquiries as rules
from incident.domain.enquiries import Kind, Right, Source, State
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.people import mask_email, mask_phone, mask_words
from incident.exports import csv
from incident.store import drills as clocks
from incident.store import enquiries as rows
from incident.store import incidents
from incident.store.enquiries import OUT, Enquiry, EnquiryMessage
from incident.store.incidents import Incident
from incident.web.access import actor, me, now, permit
from incident.web.calls import language_words
from incident.web.check_frame import terms
from incident.web.deliveries import names
from incident.web.dues import DueWords, due_words
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word, _, tongue
from incident.web.pages import named
from notifiers.contract import Channels

bp = Blueprint("enquiries", __name__, url_prefix="/incidents/<incident>/enquiries")
desk = Blueprint("all_enquiries", __name__, url_prefix="/enquiries")

PAGE = 50
HEADER = (
    *("reference", "incident", "kind", "right", "came by", "state", "outcome", "person", "proven", "language", "place"),
    *("owner", "received (UTC)", "due (UTC)", "rule", "answered (UTC)", "joined to"),
    "told of longer time (UTC)",
)
OUTCOMES = {
    "answer_failed": (Word("the answer did not leave"), "late"),
    "answer_in_doubt": (Word("nobody knows whether the answer left"), "open"),
    "replaced": (Word("the new address was proved"), "met"),
    "aside": (Word("the address was set aside"), "met"),
    "stays": (Word("the address stays"), "idle"),
    "letter": (Word("a letter was sent"), "met"),
    "called": (Word("they were called"), "met"),
    "granted": (Word("granted"), "met"),
    "partly": (Word("granted in part"), "open"),
    "refused": (Word("refused"), "idle"),
}
MAIL_TONES = {"accepted": "met", "delivered": "met", "failed": "late", "in_doubt": "open", "simulated": "soon"}


@dataclass(frozen=True)
class Listed:
    """One enquiry in a list, in ready words."""

    row: Enquiry
    incident: str
    kind: str
    due: DueWords | None
    state: str
    tone: str


@bp.get("/")
@permit("enquiry.view")
@named(Word("Enquiries"))
def index(incident: str) -> str:
    """What people ask about this incident, what is due first before the others. Nobody's name or address stands here."""
    chosen, after = _chosen(), _after()
    found = list(rows.page(g.incident.id, **chosen, after=after, limit=PAGE + 1))
    return render_template(
        "enquiries/list.html",
        **_list(found, chosen, {"incident": incident}, after is not None),
        figures=actions.figures(g.incident.id, now()),
    )


@desk.get("/")
@permit("enquiry.view")
@named(Word("Enquiries of all incidents"))
def index_of_all() -> str:
    """What people ask about any incident that this reader may know of, what is due first before the others."""
    chosen, after = _chosen(), _after()
    found = list(rows.page(_mine(), **chosen, after=after, limit=PAGE + 1))
    return render_template("enquiries/all.html", **_list(found, chosen, {}, after is not None))


@bp.get("/enquiries.csv")
@permit("enquiry.view")
def table(incident: str) -> Response:
    """The enquiries of an incident as CSV, without names, addresses and words."""
    incident_id = g.incident.id
    return csv_answer(csv.rows(HEADER, _cells(incident_id)), f"{incident}-enquiries.csv")


@desk.get("/enquiries.csv")
@permit("enquiry.view")
def table_of_all() -> Response:
    """The same over all incidents that this reader may know of."""
    return csv_answer(csv.rows(HEADER, _cells(_mine())), "enquiries.csv")


def _mine() -> Any:
    return visible().with_only_columns(Incident.id)


def _cells(of: Any) -> Iterator[tuple[Any, ...]]:
    after: tuple[datetime, int] | None = None
    while found := rows.page(of, state="", after=after, limit=500):
        where = incidents.by_ids({row.incident_id for row in found})
        for row in found:
            yield (
                *(row.ref, where[row.incident_id].ref, row.kind, row.right, row.source, row.state, row.outcome),
                *(f"P-{row.person_number}" if row.person_number else "", row.proven, row.language, row.place),
                *(row.owner, row.received_at, row.due_at, row.rule, row.answered_at, row.merged_into),
                row.longer_at,
            )
        after = (found[-1].due_at, found[-1].id)


def _chosen() -> dict[str, Any]:
    """What the reader asked to see. Raises Missing for what is not offered."""
    state, kind = request.args.get("state", State.OPEN.value), request.args.get("kind", "")
    if state not in {"", *State} or kind not in {"", *Kind}:
        raise Missing()
    return {"state": state, "kind": kind, "owner": me().ref if request.args.get("mine") else None}


def _after() -> tuple[datetime, int] | None:
    """Where to go on: due time and number of the last one shown. Raises Missing."""
    given = request.args.get("after", "")
    stamp, _, number = given.partition("_")
    try:
        return (datetime.fromtimestamp(int(stamp) / 1_000_000, UTC), int(number)) if given else None
    except (ValueError, OverflowError, OSError):
        raise Missing() from None


def _list(found: Sequence[Enquiry], chosen: dict[str, Any], place: dict[str, Any], is_later: bool) -> dict[str, Any]:
    asked: dict[str, Any] = {"state": chosen["state"], "kind": chosen["kind"], "mine": "1" if chosen["owner"] else ""}
    asked = {name: value for name, value in asked.items() if value or name == "state"}
    last = found[PAGE - 1] if len(found) > PAGE else None
    key = f"{round(last.due_at.timestamp() * 1_000_000)}_{last.id}" if last else ""
    return {
        "found": _listed(found[:PAGE]),
        "asked": asked,
        "more": url_for(request.endpoint or "", **place, **asked, after=key) if last else "",
        "first": url_for(request.endpoint or "", **place, **asked) if is_later else "",
        "people": names([row.owner for row in found if row.owner]),
        "kinds": rules.KIND_WORDS,
        "states": rules.STATE_WORDS,
        "outcomes": OUTCOMES,
    }


def _listed(found: Sequence[Enquiry]) -> list[Listed]:
    where = incidents.by_ids({row.incident_id for row in found})
    return [
        Listed(
            row,
            where[row.incident_id].ref,
            rules.KIND_WORDS[Kind(row.kind)],
            due_words(row.due_at, now()) if row.state == State.OPEN else None,
            rules.STATE_WORDS[State(row.state)],
            rules.STATE_TONES[State(row.state)],
        )
        for row in found
    ]


@bp.get("/new")
@permit("enquiry.answer")
@named(Word("Write down an enquiry"))
def new(incident: str) -> str:
    """The form for what came by telephone, post or mail."""
    return _new({})


@bp.post("/new")
@permit("enquiry.answer")
def take_in(incident: str) -> ResponseReturnValue:
    """Take in what came by telephone, post or mail."""
    form = request.form
    who = Asker(*(form.get(name, "") for name in ("name", "email", "phone", "address")))
    given = {name: form.get(name, "") for name in ("kind", "source", "text", "language", "right", "place", "person")}
    try:
        ref = actions.take_in(incident, **given, who=who, terms=terms(), actor=actor(), now=now())
    except Invalid as wrong:
        return _new({wrong.field: wrong.sentence}), 422
    except Missing:
        return _new({"person": "There is no such person in this incident."}), 422
    flash(_("Taken in. Its clock runs from now."), "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


def _new(errors: dict[str, str]) -> str:
    kinds = [Kind.QUESTION, Kind.CALL, Kind.LETTER, Kind.REQUEST]
    return render_template(
        "enquiries/new.html",
        given=request.form,
        errors=errors,
        kinds=[(kind.value, rules.KIND_WORDS[kind]) for kind in kinds],
        sources=[(one.value, rules.SOURCE_WORDS[one]) for one in (Source.PHONE, Source.POST, Source.MAIL)],
        rights=list(rules.RIGHT_WORDS.items()),
        languages=[(tag, tongue(tag)) for tag in starters.languages()],
        places=[(code, places.named(code)) for code in places.codes()],
    )


@bp.get("/<ref>")
@permit("enquiry.view")
def show(incident: str, ref: str) -> str:
    """One enquiry with every word of theirs and ours; who asks is masked."""
    return _page(_row(ref))


@bp.post("/<ref>/look")
@permit("enquiry.answer")
def look(incident: str, ref: str) -> ResponseReturnValue:
    """Who asks, in clear; that leaves a line."""
    answer = make_response(_page(_row(ref), who=actions.look(incident, ref, actor=actor(), now=now())))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/<ref>/answer")
@permit("enquiry.answer")
def answer(incident: str, ref: str) -> ResponseReturnValue:
    """Answer it, by e-mail or as it was given by telephone or post."""
    form = request.form
    try:
        actions.answer(
            incident,
            ref,
            text=form.get("text", ""),
            way=form.get("way", ""),
            decision=form.get("decision", ""),
            simulated=not _sends_mail(),
            actor=actor(),
            now=now(),
        )
    except Invalid as wrong:
        return _page(_row(ref), errors={wrong.field: wrong.sentence}), 422
    flash(_("Kept. The e-mail leaves within a minute.") if form.get("way") == "mail" else _("Kept."), "met")
    return _back(ref)


def _sends_mail() -> bool:
    channels: Channels = current_app.extensions["channels"]
    return "email" in channels.real


@bp.post("/<ref>/note")
@permit("enquiry.answer")
def note(incident: str, ref: str) -> ResponseReturnValue:
    """Keep a note for the team."""
    actions.note(incident, ref, text=request.form.get("text", ""), actor=actor(), now=now())
    return _back(ref)


@bp.post("/<ref>/owner")
@permit("enquiry.answer")
def own(incident: str, ref: str) -> ResponseReturnValue:
    """Take it, or give it back."""
    owner = me().ref if request.form.get("take") else ""
    actions.own(incident, ref, owner=owner, actor=actor(), now=now())
    return _back(ref)


@bp.post("/<ref>/close")
@permit("enquiry.answer")
def close(incident: str, ref: str) -> ResponseReturnValue:
    """Close it without an answer, and why."""
    actions.close(incident, ref, reason=request.form.get("reason", ""), actor=actor(), now=now())
    flash(_("Closed without an answer."), "met")
    return _back(ref)


@bp.post("/<ref>/merge")
@permit("enquiry.answer")
def merge(incident: str, ref: str) -> ResponseReturnValue:
    """Join it to another of the same person."""
    actions.merge(incident, ref, into=request.form.get("into", ""), actor=actor(), now=now())
    flash(_("Joined. Answer the other one."), "met")
    return _back(ref)


@bp.post("/<ref>/part")
@permit("enquiry.answer")
def part(incident: str, ref: str) -> ResponseReturnValue:
    """Take back that it was joined to another."""
    actions.part(incident, ref, actor=actor(), now=now())
    return _back(ref)


@bp.post("/<ref>/request")
@permit("enquiry.answer")
def hand_over(incident: str, ref: str) -> ResponseReturnValue:
    """Treat it as a request under a law."""
    form = request.form
    actions.hand_over(
        incident,
        ref,
        right=form.get("right", ""),
        place=form.get("place", ""),
        person=form.get("person", "").strip(),
        terms=terms(),
        actor=actor(),
        now=now(),
    )
    flash(_("It is a request now, with the clock of the law from the day it came in."), "met")
    return _back(ref)


@bp.post("/<ref>/longer")
@permit("enquiry.answer")
def take_longer(incident: str, ref: str) -> ResponseReturnValue:
    """Take the longer time that the law gives for a request, and tell the person why."""
    form = request.form
    told = {"text": form.get("reasons", ""), "way": form.get("way", "")}
    actions.take_longer(incident, ref, **told, simulated=not _sends_mail(), terms=terms(), actor=actor(), now=now())
    flash(_("It is due later now. What you wrote to them is kept, and goes out if it goes by e-mail."), "met")
    return _back(ref)


@bp.post("/<ref>/language")
@permit("enquiry.answer")
def set_language(incident: str, ref: str) -> ResponseReturnValue:
    """Say in which language they are answered."""
    actions.set_language(incident, ref, language=request.form.get("language", ""), actor=actor(), now=now())
    return _back(ref)


@bp.post("/<ref>/letter")
@permit("enquiry.answer")
def send_letter(incident: str, ref: str) -> ResponseReturnValue:
    """Send the notice by letter to who asks for it."""
    channels: Channels = current_app.extensions["channels"]
    actions.send_letter(incident, ref, opened=channels.open(simulated=False), actor=actor(), now=now())
    flash(_("The letter waits to be printed."), "met")
    return _back(ref)


@bp.post("/<ref>/decide")
@permit("enquiry.answer")
def decide(incident: str, ref: str) -> ResponseReturnValue:
    """Set the address aside of which somebody says that it is not the person's, or let it stay."""
    form = request.form
    not_theirs.decide(
        incident,
        ref,
        verdict=form.get("verdict", ""),
        channel=form.get("channel", ""),
        reason=form.get("reason", ""),
        actor=actor(),
        now=now(),
    )
    flash(_("Kept."), "met")
    return _back(ref)


def _row(ref: str) -> Enquiry:
    found = rows.by_ref(g.incident.id, ref)
    if found is None:
        raise Missing()
    return found


def _back(ref: str) -> ResponseReturnValue:
    return redirect(url_for(".show", incident=g.incident.ref, ref=ref))


def _page(row: Enquiry, *, who: Asker | None = None, errors: dict[str, str] | None = None) -> str:
    thread = actions.thread(row)
    drafts = actions.drafts(row) if row.state == State.OPEN else []
    draft = next((answer for one, _, answer in drafts if one.ref == request.args.get("draft")), "")
    return render_template(
        "enquiries/show.html",
        one=_listed([row])[0],
        row=row,
        thread=thread,
        who=who,
        masked=_masked(asker(row)),
        rule=rules.rule_words(row.rule, is_longer=row.longer_at is not None),
        law=rules.time_of(row.rule),
        longest=_longest(row),
        receipt=_receipt(row, thread),
        decisions=list(rules.DECISION_WORDS.items()),
        ways=_ways(row),
        drafts=drafts,
        text=request.form.get("text", "") or draft,
        errors=errors or {},
        sources=rules.SOURCE_WORDS,
        outcomes=OUTCOMES,
        mail_tones=MAIL_TONES,
        rights=list(rules.RIGHT_WORDS.items()),
        right=rules.RIGHT_WORDS[Right(row.right)] if row.right else "",
        language_words=language_words,
        languages=[(tag, tongue(tag)) for tag in starters.languages()],
        places=[(code, places.named(code)) for code in places.codes()],
        channels=not_theirs.CHANNELS,
        people=names(sorted({row.owner, *(message.by for message, _ in thread)} - {""})),
        mine=row.owner == me().ref,
    )


def _ways(row: Enquiry) -> list[tuple[str, str]]:
    """How an answer can be given, in words."""
    ways = {
        "mail": _("by e-mail: it leaves by itself, with the reference and how to write again"),
        "page": _("on the page: they read it with the code that they were shown; nobody tells them that it is there"),
        "phone": _("I gave it by telephone"),
        "post": _("I sent it by post"),
    }
    return [(way, words) for way, words in ways.items() if way != "page" or row.source == Source.PAGE]


def _longest(row: Enquiry) -> datetime | None:
    """Until when the law would let this request take, if that can still be said; None otherwise."""
    if row.state != State.OPEN:
        return None
    try:
        later = rules.longer(row.rule, row.received_at, row.due_at, row.place, terms(), now())
    except Refused:
        return None
    return drills.promised(clocks.clock_of(g.incident), row.received_at, later, now())


def _receipt(row: Enquiry, thread: Sequence[tuple[EnquiryMessage, Words]]) -> datetime | None:
    """By when the law wants receipt confirmed; None once we wrote, and where the page confirmed it at once."""
    if row.source == Source.PAGE or any(message.direction == OUT for message, _said in thread):
        return None
    by = rules.receipt_by(row.rule, row.received_at, row.place, terms())
    return by and drills.promised(clocks.clock_of(g.incident), row.received_at, by, now())


def _masked(who: Asker) -> dict[str, str]:
    """Who asks, as a screen may show it without a line."""
    found = {"name": mask_words(who.name), "email": mask_email(who.email), "phone": mask_phone(who.phone)}
    found["address"] = "•••" if who.address else ""
    return {name: value for name, value in found.items() if value}
