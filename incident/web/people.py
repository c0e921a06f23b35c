"""The pages of affected people: the masked list, one person, possible duplicates, and what the counts say as facts."""

from typing import Any, Final

from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import correcting, counts, duplicates, erasing, imports, intake, people, sweeping, typed_in
from incident.actions.sweeping import What
from incident.domain import columns, facts, places, revealing
from incident.domain import people as rules
from incident.domain.deliveries import WORDS as DELIVERY_WORDS
from incident.domain.erasures import WHY
from incident.domain.errors import Invalid
from incident.domain.imports import DOUBT_WORDS
from incident.domain.people import AGE_WORDS, MARKS, SAFE, STATE_WORDS, Reach
from incident.domain.stale import Stale
from incident.exports import csv
from incident.store import incidents, users
from incident.web.access import actor, may, now, permit
from incident.web.attempts import open_channels
from incident.web.boards import language_label
from incident.web.deliveries import CHANNEL_LABELS
from incident.web.erasures import by_two, folder
from incident.web.filters import listed
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _, ngettext, tag
from incident.web.pages import named

bp = Blueprint("people", __name__, url_prefix="/incidents/<incident>/people")

REACHED: Final = (
    (Word("e-mail"), Reach.EMAIL),
    (Word("telephone"), Reach.PHONE),
    (Word("letter"), Reach.ADDRESS),
    (Word("push"), Reach.PUSH),
)
LACKS: Final = {
    "email": Word("no e-mail address"),
    "phone": Word("no telephone number"),
    "address": Word("no postal address"),
    "any": Word("no way at all"),
}
FIELDS: Final = {
    "name": Word("Name"),
    "email": Word("E-mail address"),
    "phone": Word("Telephone number"),
    "address": Word("Postal address"),
    "reference": Word("Your own reference"),
    "push_token": Word("Push token of your app or site"),
    "guardian_name": Word("Guardian's name"),
    "guardian_email": Word("Guardian's e-mail address"),
    "guardian_phone": Word("Guardian's telephone number"),
    "guardian_address": Word("Guardian's postal address"),
    "deceased": Word("Deceased: a letter goes to the next of kin"),
    "no_letter": Word("No letter to the home"),
    "safe_ways": Word("At risk at home: the only safe ways"),
}


SAFE_WORDS: Final = {
    "none": Word("none: ask first"),
    "email": Word("e-mail"),
    "sms": Word("text message"),
    "call": Word("call by a person"),
    "letter": Word("letter"),
    "push": Word("push"),
    "guardian": Word("the guardian"),
}
SAME_WORDS: Final = {
    "email": Word("e-mail address"),
    "phone": Word("telephone number"),
    "reference": Word("reference"),
}
"""By what two records are alike."""
ASKED: Final = "Asked for. A second person has to agree before anything is erased."


@bp.app_template_filter("place_name")
def place_name(code: str) -> str:
    """The name of a place, or that it is not known."""
    return places.named(code, "zh" if tag() == "zh-Hans" else "en") if code else _("not known")


@bp.app_template_filter("tongue")
def tongue(code: str) -> str:
    """A language by its own name where notices are written in it, else its tag."""
    return language_label(code)


@bp.app_template_filter("kinds")
def kinds(words: str) -> str:
    """The kinds of data in the reader's language, from their words."""
    known, own = facts.vocabulary().kinds, "zh" if tag() == "zh-Hans" else "en"
    return listed(getattr(known[word], own) if word in known else word for word in words.split())


@bp.context_processor
def _words() -> dict[str, Any]:
    return {
        "state_words": STATE_WORDS,
        "age_words": AGE_WORDS,
        "doubt_words": DOUBT_WORDS,
        "safe_words": SAFE_WORDS,
        "same_words": SAME_WORDS,
        "reached": REACHED,
        "lacks": LACKS,
    }


@bp.get("/")
@permit("people.view")
@named(Word("Who is affected"))
def index(incident: str) -> str:
    """Who is affected: how many, where, reached by what, and the masked list."""
    chosen = _chosen()
    after = request.args.get("after", 0, type=int)
    found = people.page(incident, chosen, after=after, limit=people.PAGE + 1)
    asked: dict[str, Any] = {name: value for name, value in request.args.items() if name != "after" and value}
    more = (
        url_for(".index", incident=incident, **asked | {"after": str(found[people.PAGE - 1].number)})
        if len(found) > people.PAGE
        else ""
    )
    return render_template(
        "people/list.html",
        found=found[: people.PAGE],
        more=more,
        first=url_for(".index", incident=incident, **asked) if after else "",
        asked=asked,
        counts=counts.of(incident),
        waves=people.waves(incident),
        running=[row for row in imports.of(incident) if row.state in {"waiting", "running"}],
        proposed=_proposed(incident),
    )


def _chosen() -> people.Filter:
    given = {name: request.args.get(name) or None for name in ("state", "place", "language", "age", "lacks")}
    if given["lacks"] not in LACKS:
        given["lacks"] = None
    if given["place"] == "none":
        given["place"] = ""
    return people.Filter(**given, wave=request.args.get("wave", type=int), doubtful="doubtful" in request.args)


def _proposed(incident: str) -> dict[str, Any]:
    """The counts as facts, where what is on record says something else."""
    counted = counts.of(incident)
    known = incidents.current_facts(g.incident.id)
    if not counted.active:
        return {}
    return {key: value for key, value in counted.facts().items() if key not in known or known[key].value != value}


@bp.get("/people.csv")
@permit("people.view")
def table(incident: str) -> Response:
    """The masked list as CSV."""
    lines = people.masked_list(incident, _chosen(), actor=actor(), now=now())
    return csv_answer(csv.rows(next(lines), lines), f"{incident}-people.csv")


@bp.post("/facts")
@permit("people.change")
def record_counts(incident: str) -> ResponseReturnValue:
    """Record what the counts say as facts of the incident."""
    latest = next((row.ref for row in imports.of(incident) if row.state == "done"), "")
    source = f"import {latest}" if latest else "list of people"
    changed = intake.record_facts(
        incident, counts.of(incident).facts(), source=source, confidence="high", actor=actor(), now=now()
    )
    flash("Recorded. Duties and grade were worked out again." if changed else "These facts were known already.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.post("/find")
@permit("people.view")
def find(incident: str) -> ResponseReturnValue:
    """Look somebody up by an exact contact. The contact travels in the body, never in an address."""
    try:
        found = people.find(incident, request.form.get("find", ""), actor=actor(), now=now())
    except Invalid as error:
        return render_template("people/found.html", found=[], error=error.sentence), 422
    return _unkept(render_template("people/found.html", found=found, error=""))


@bp.get("/add")
@permit("people.change")
@named(Word("Add one person"))
def add_form(incident: str) -> str:
    """A form for one person, by hand."""
    return _form(incident, {}, {})


@bp.post("/add")
@permit("people.change")
def add(incident: str) -> ResponseReturnValue:
    """Put one person on the list."""
    try:
        ref = people.add(incident, _typed(), wave=request.form.get("wave", 0, type=int), actor=actor(), now=now())
    except Invalid as error:
        return _unkept(_form(incident, _typed(), {error.field: error.sentence})), 422
    flash(f"{ref} is on the list.", "met")
    return redirect(url_for(".show", incident=incident, person=ref))


def _form(incident: str, typed: dict[str, str], errors: dict[str, str]) -> str:
    return render_template("people/add.html", typed=typed, errors=errors, waves=people.waves(incident), **_choices())


def _typed() -> dict[str, str]:
    form = request.form
    typed = {name: form[name] for name in (*FIELDS, "place", "language", "age") if name in form}
    if "care_asked" in form:
        typed |= {mark: form.get(mark, "") for mark in MARKS} | {SAFE: ", ".join(form.getlist(SAFE))}
    return typed | ({"exposed": " ".join(form.getlist("exposed"))} if "exposed_asked" in form else {})


def _choices() -> dict[str, Any]:
    return {
        "fields": FIELDS,
        "all_places": [(code, places.named(code)) for code in places.codes()],
        "all_languages": columns.languages(),
        "all_kinds": list(facts.vocabulary().kinds.values()),
    }


@bp.get("/<person>")
@permit("people.view")
def show(incident: str, person: str) -> str:
    """One person, masked, with what became of the record."""
    return _person_page(incident, person, None)


@bp.post("/<person>/look")
@permit("people.reveal")
def look(incident: str, person: str) -> ResponseReturnValue:
    """One person in clear. The page is not kept by the browser."""
    try:
        why, parts = request.form.get("why", ""), request.form.getlist("parts")
        wanted = revealing.PARTS if why == "correct" else parts  # whoever corrects sees what they correct
        opened = people.look(incident, person, why=why, parts=list(wanted), actor=actor(), now=now())
    except Invalid as error:
        return _person_page(incident, person, None, {error.field: error.sentence}), 422
    return _unkept(_person_page(incident, person, opened))


@bp.post("/<person>/correct")
@permit("people.reveal")
def correct(incident: str, person: str) -> ResponseReturnValue:
    """Correct what is on record; what it said before is kept."""
    form = request.form
    try:
        done = correcting.correct(
            incident,
            person,
            _typed(),
            reason=form.get("reason", ""),
            version=form.get("version", 0, type=int),
            opened=open_channels(simulated=False) if "tell" in form and may("delivery.settle") else (),
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        opened = people.look(incident, person, why="correct", actor=actor(), now=now())
        return _unkept(_person_page(incident, person, opened, {error.field: error.sentence}, _typed())), 422
    except Stale as error:
        opened = people.look(incident, person, why="correct", actor=actor(), now=now())
        words = {
            "version": _(
                "%(sentence)s What you typed is below; beside it stands what is on record now.", sentence=error.sentence
            )
        }
        return _unkept(_person_page(incident, person, opened, words, _typed())), 409
    flash("Corrected. What it said before is kept, sealed." if done.changed else "Nothing was changed.", "met")
    if done.sent:
        flash(_goes_out(len(done.sent)), "met")
    return redirect(url_for(".show", incident=incident, person=person))


def _goes_out(count: int) -> str:
    return ngettext(
        "The notice that did not reach them goes out again, to the new address.",
        "%(n)s notices that did not reach them go out again, to the new address.",
        count,
        n=count,
    )


def _person_page(
    incident: str,
    person: str,
    opened: people.Opened | None,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> str:
    past = people.past(incident, person)
    return render_template(
        "people/show.html",
        one=opened.shown if opened else people.one(incident, person),
        opened=opened,
        address=rules.address_lines(opened.record) if opened else (),
        typed=typed or _as_typed(opened),
        errors=errors or {},
        past=past,
        untold=correcting.untold(incident, person) if opened and may("delivery.settle") else (),
        channels=CHANNEL_LABELS,
        courses=DELIVERY_WORDS,
        tells=not errors or "tell" in request.form,
        pairs=people.pairs_of(incident, person),
        names={ref: user.name for ref, user in users.by_refs({row.changed_by for row in past}).items()},
        why=revealing.WHY,
        parts=revealing.PARTS,
        part_of=revealing.part_of,
        erase_why=WHY,
        by_two=by_two(),
        **_choices(),
    )


def _as_typed(opened: people.Opened | None) -> dict[str, str]:
    if opened is None:
        return {}
    plain = opened.shown.plain
    return typed_in.as_shown(opened.record) | {
        "place": plain.place,
        "language": plain.language,
        "age": plain.age,
        "exposed": plain.exposed,
    }


@bp.post("/<person>/remove")
@permit("people.change")
def remove(incident: str, person: str) -> ResponseReturnValue:
    """Take somebody off the list who does not belong on it."""
    people.remove(incident, person, actor=actor(), now=now())
    flash(f"{person} is off the list and will not be written to.", "met")
    return redirect(url_for(".show", incident=incident, person=person))


@bp.post("/<person>/erase")
@permit("people.erase")
def erase(incident: str, person: str) -> ResponseReturnValue:
    """Destroy one person's contact data."""
    answer = erasing.ask(
        incident,
        person,
        confirm=request.form.get("confirm", ""),
        why=request.form.get("why", ""),
        by_two=by_two(),
        folder=folder(),
        actor=actor(),
        now=now(),
    )
    flash(f"The contact data of {person} is gone for good." if answer.done else ASKED, "met")
    return redirect(url_for("erasures.index", incident=incident))


@bp.get("/duplicates")
@permit("people.view")
@named(Word("Pairs that may be one person"))
def pairs(incident: str) -> str:
    """Pairs that may be one person, for somebody to decide."""
    after = request.args.get("after", 0, type=int)
    found = duplicates.to_decide(incident, after=after, limit=duplicates.PAGE + 1)
    more = (
        url_for(".pairs", incident=incident, after=found[duplicates.PAGE - 1].id)
        if len(found) > duplicates.PAGE
        else ""
    )
    return render_template(
        "people/pairs.html",
        found=found[: duplicates.PAGE],
        more=more,
        counts=counts.of(incident),
        under_way=sweeping.under_way(g.incident.id),
    )


@bp.post("/duplicates/<int:pair>")
@permit("people.change")
def decide(incident: str, pair: int) -> ResponseReturnValue:
    """The same person, or two."""
    answer = request.form.get("answer")
    if answer not in {"same", "two"}:
        raise Invalid("answer", "Say whether they are the same person or two people.")
    duplicates.decide(incident, pair, same=answer == "same", actor=actor(), now=now())
    flash("Decided: one person." if answer == "same" else "Decided: two people; both will be written to.", "met")
    return redirect(url_for(".pairs", incident=incident))


@bp.post("/duplicates/identical")
@permit("people.change")
def join_identical(incident: str) -> ResponseReturnValue:
    """Join all pairs whose records are equal in every field."""
    before = counts.of(incident).suspects
    left = sweeping.decide_all(incident, What.JOIN, actor=actor(), now=now()).left
    joined = _("%(before)s identical records were joined.", before=format(before - counts.of(incident).suspects, ","))
    flash(f"{joined} {_rest(left) or _('What is left differs in some field.')}", "met")
    return redirect(url_for(".pairs", incident=incident))


@bp.post("/duplicates/apart")
@permit("people.change")
def keep_apart(incident: str) -> ResponseReturnValue:
    """Say that all pairs whose records differ are two people each."""
    before = counts.of(incident).suspects
    left = sweeping.decide_all(incident, What.APART, actor=actor(), now=now()).left
    stood = _(
        "%(before)s more people are on the list, and will be written to.",
        before=format(before - counts.of(incident).suspects, ","),
    )
    flash(f"{stood} {_rest(left)}".strip(), "met")
    return redirect(url_for(".pairs", incident=incident))


def _rest(left: int) -> str:
    return _("%(left)s more are being settled in the background.", left=format(left, ",")) if left else ""


def _unkept(page: str) -> Response:
    """A page with personal data in clear: no browser or proxy keeps it."""
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
