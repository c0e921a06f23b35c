"""The pages of incidents: log, overview, facts, time line, notes; their list is in `incident_list`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue

from incident.actions import intake, particulars
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing
from incident.domain.facts import UNKNOWN, Entry, parsed, shown, vocabulary
from incident.exports import csv
from incident.store import incidents as rows
from incident.store import overview, users, vulnerabilities
from incident.store.incidents import Fact
from incident.web import answers, rail, shift, story, visits
from incident.web.access import actor, may, me, now, permit, zone
from incident.web.languages import Word, value_words
from incident.web.marked import hidden, items
from incident.web.pages import named
from incident.web.seen import seen_of

bp = Blueprint("incidents", __name__, url_prefix="/incidents")

PAGE = 50
HAPPENED, LAST = 30, 8
CONFIDENCE = {"low": Word("low confidence"), "medium": Word("medium confidence"), "high": Word("high confidence")}
KIND_WORDS = {"incident": Word("incident"), "near_miss": Word("near miss"), "drill": Word("drill")}


def csv_answer(lines: Iterator[str], name: str) -> Response:
    """A table as a download, streamed."""
    return Response(
        stream_with_context(lines),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def visible() -> Any:
    """The incidents this reader may know of, as a query."""
    return rows.visible(me().id, sees_all=Role.AUDITOR in me().roles, at=now())


@bp.get("/log")
@permit("incident.log")
@named(Word("Log an incident"))
def log_form() -> str:
    """The first report: as little as one must know, all of it correctable."""
    return _log_page(answers.Answers(), zone())


@bp.post("/log")
@permit("incident.log")
def log() -> ResponseReturnValue:
    """Open an incident with what is known."""
    form, given = request.form, answers.Answers()
    usual = zone()
    try:
        usual = answers.zone_of(form, usual)
    except Invalid as error:
        given.refuse(error.field, error.sentence)
    given_facts = answers.read(form, [entry.key for entry in vocabulary().asked_first()], usual)
    given_facts.errors |= given.errors
    given_facts.typed |= {
        name: form.get(name, "") for name in ("kind", "title", "source", "confidence", "zone", "lead")
    }
    if not given_facts.errors:
        try:
            ref = intake.log(
                kind=form.get("kind", ""),
                title=form.get("title", ""),
                facts=given_facts.values,
                source=form.get("source", ""),
                confidence=form.get("confidence", ""),
                lead=form.get("lead", ""),
                house=particulars.own_facts(current_app.extensions["settings"]),
                actor=actor(),
                now=now(),
            )
        except Invalid as error:
            given_facts.refuse(error.field, error.sentence)
        else:
            flash("Logged. Below is what it means so far; every fact can be corrected at any time.", "met")
            return redirect(url_for(".show", incident=ref))
    return _log_page(given_facts, usual), 422


def _log_page(given: answers.Answers, usual: ZoneInfo) -> str:
    return render_template(
        "incidents/log.html",
        given=given,
        groups=_grouped(vocabulary().asked_first()),
        zones=answers.zones(),
        zone=usual,
        team=users.every(),
        kinds=KIND_WORDS,
    )


def _grouped(entries: tuple[Entry, ...]) -> list[tuple[str, list[Entry]]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(entry)
    return [(vocabulary().groups[word], found) for word, found in groups.items()]


@bp.get("/<incident>")
@permit("incident.view")
@named(Word("This incident at a glance"))
def show(incident: str) -> str:
    """One incident at a glance: what is known, what is owed, what happened last."""
    facts = _shown(rail.current_facts(g.incident)) if may("fact.view") else {}
    names = {user.ref: user.name for user, _ in shift.team(g.incident)}
    sees = may("timeline.view")
    happened = story.latest(g.incident, limit=HAPPENED, hidden=hidden, names=names) if sees else []
    return render_template(
        "incidents/show.html",
        facts=_headline(facts),
        unknown=_unasked(facts),
        happened=happened[:LAST],
        news=shift.news(happened, visits.last_look(g.incident), actor()),
        state=rail.state(g.incident),
        seen=rail.overview(g.incident),
        shift=shift.of(g.incident),
    )


HEADLINES = (
    "what_happened",
    "category",
    "people_count",
    "residents",
    "data_kinds",
    "aware_at",
    "occurred_from",
    "contained_at",
    "systems",
    "risk_to_people",
)


def _shown(facts: dict[str, Fact]) -> dict[str, Fact]:
    """Without what this reader may not see."""
    return {key: fact for key, fact in facts.items() if key not in hidden("fact")}


def _headline(facts: dict[str, Fact]) -> list[dict[str, Any]]:
    return [fact_words(vocabulary()[key], facts.get(key)) for key in HEADLINES]


def _unasked(facts: dict[str, Fact]) -> int:
    return sum(1 for entry in vocabulary().asked_first() if entry.key not in facts or facts[entry.key].value is None)


def fact_words(entry: Entry, fact: Fact | None) -> dict[str, Any]:
    """One fact in ready words: label, value, where it comes from, and whether it is known."""
    value = parsed(entry.key, fact.value) if fact else UNKNOWN
    origin = " · ".join(
        part
        for part in ((fact.source, str(CONFIDENCE[fact.confidence]) if fact.confidence else "") if fact else ())
        if part
    )
    return {
        "key": entry.key,
        "label": entry.label,
        "known": value is not UNKNOWN,
        "words": value_words(entry.key, value, zone()),
        "origin": origin,
        "fact": fact,
    }


@bp.get("/<incident>/facts")
@permit("fact.view")
@named(Word("Facts"))
def facts(incident: str) -> str:
    """The ledger of facts, as known now or at any earlier time."""
    at, wrong = None, ""
    if request.args.get("at"):
        try:
            at = answers.moment(request.args["at"], zone())
        except Invalid as error:
            wrong = error.sentence
    known = _shown(rows.current_facts(g.incident.id, at))
    groups = [
        (label, [fact_words(entry, known.get(entry.key)) for entry in entries])
        for label, entries in _grouped(tuple(vocabulary()))
    ]
    return render_template(
        "incidents/facts.html",
        groups=groups,
        at=at,
        wrong=wrong,
        typed_at=request.args.get("at", ""),
        moments=rows.moments(g.incident.id),
        asked=[] if at else _asked(known),
        weak=vulnerabilities.of_incident(g.incident.id) if may("vulnerability.view") else (),
    )


def _asked(known: Mapping[str, Fact]) -> list[dict[str, Any]]:
    """Unknown facts on which open duties hang, with how many of them, most first."""
    hanging = Counter(key for _, keys, _ in overview.wants([g.incident.id]) for key in set(keys))
    asked = [fact_words(vocabulary()[key], known.get(key)) | {"hang": hang} for key, hang in hanging.most_common()]
    return [fact for fact in asked if not fact["known"]]


@bp.get("/<incident>/facts.csv")
@permit("fact.view")
def facts_table(incident: str) -> Response:
    """Every value that every fact has had, as CSV; what is marked as privileged stays out."""
    header = ("key", "value", "source", "confidence", "learnt (UTC)", "recorded (UTC)", "by")
    lines = (
        (
            f.key,
            shown(f.key, parsed(f.key, f.value)),
            f.source,
            f.confidence,
            f.learnt_at.isoformat(),
            f.recorded_at.isoformat(),
            f.recorded_by,
        )
        for f in rows.all_facts(g.incident.id)
        if f.key not in items("fact")
    )
    return csv_answer(csv.rows(header, lines), f"{incident}-facts.csv")


@bp.get("/<incident>/facts/<key>")
@permit("fact.view")
def fact(incident: str, key: str) -> str:
    """One fact: its value, every earlier one, and the form to correct it."""
    return _fact_page(_entry(key), answers.Answers(), zone())


@bp.post("/<incident>/facts/<key>")
@permit("incident.change")
def answer(incident: str, key: str) -> ResponseReturnValue:
    """Answer or correct one fact."""
    entry, form, usual = _entry(key), request.form, zone()
    given, learnt = answers.Answers(), None
    try:
        usual = answers.zone_of(form, usual)
        given = answers.read(form, [key], usual)
        learnt = answers.moment(form["learnt_at"], usual) if form.get("learnt_at") else None
    except Invalid as error:
        given.refuse(error.field, error.sentence)
    if "forget" in form:
        given.values = {key: None}
        given.errors.pop(key, None)  # what was typed counts no more; when it was learnt does
    elif not given.values and not given.errors:
        given.refuse(key, "Give an answer, or mark it as not known.")
    if given.errors:
        given.typed |= {name: form.get(name, "") for name in ("source", "confidence", "zone", "learnt_at")}
        return _fact_page(entry, given, usual), 422
    return _record(entry, given, learnt)


def _record(entry: Entry, given: answers.Answers, learnt: Any) -> ResponseReturnValue:
    form = request.form
    changed = intake.record_facts(
        g.incident.ref,
        given.values,
        source=form.get("source", ""),
        confidence=form.get("confidence", ""),
        learnt_at=learnt,
        seen=seen_of(entry.key),
        actor=actor(),
        now=now(),
    )
    flash(
        "Recorded. Grade, duties and plan were worked out again."
        if changed
        else "Nothing changed: this was known already.",
        "met" if changed else "info",
    )
    return redirect(
        url_for(".show", incident=g.incident.ref)
        if form.get("back") == "show"
        else url_for(".facts", incident=g.incident.ref) + f"#{entry.key}"
    )


def _entry(key: str) -> Entry:
    if key not in vocabulary():
        raise Missing()
    return vocabulary()[key]


def _fact_page(entry: Entry, given: answers.Answers, usual: ZoneInfo) -> str:
    past = rows.history(g.incident.id, entry.key)
    current = parsed(entry.key, past[0].value) if past else UNKNOWN
    typed = given.typed.get(entry.key) if given.typed else answers.as_typed(entry, current, usual)
    return render_template(
        "incidents/fact.html",
        entry=entry,
        given=given,
        typed=typed,
        past=[fact_words(entry, row) for row in past],
        zones=answers.zones(),
        zone=usual,
        names=users.by_refs({row.recorded_by for row in past}),
    )


@bp.get("/<incident>/timeline")
@permit("timeline.view")
@named(Word("Time line"))
def timeline(incident: str) -> str:
    """Everything that happened in this incident, newest first, in sentences."""
    before = request.args.get("before", type=int)
    about = request.args.get("about", "")
    told = story.latest(g.incident, limit=PAGE + 1, before=before, about=about, hidden=hidden)
    more = (
        url_for(".timeline", incident=incident, before=told[PAGE - 1].seq, about=request.args.get("about"))
        if len(told) > PAGE
        else ""
    )
    return render_template(
        "incidents/timeline.html",
        happened=told[:PAGE],
        more=more,
        first=url_for(".timeline", incident=incident) if before else "",
        about=request.args.get("about", ""),
        abouts=story.ABOUTS,
    )


@bp.post("/<incident>/notes")
@permit("incident.change")
def add_note(incident: str) -> ResponseReturnValue:
    """Write something down."""
    form = request.form
    intake.add_note(incident, form.get("text", ""), purpose=form.get("purpose", ""), actor=actor(), now=now())
    flash("Noted.", "met")
    return redirect(url_for(".show" if form.get("back") == "show" else ".timeline", incident=incident))


@bp.post("/<incident>/title")
@permit("incident.change")
def rename(incident: str) -> ResponseReturnValue:
    """Give it another title."""
    intake.rename(
        incident,
        request.form.get("title", ""),
        version=request.form.get("version", 0, type=int),
        actor=actor(),
        now=now(),
    )
    return redirect(url_for(".show", incident=incident))


@bp.post("/<incident>/lead")
@permit("incident.lead")
def lead(incident: str) -> ResponseReturnValue:
    """Put somebody in the lead."""
    intake.lead_by(incident, request.form.get("lead", ""), seen=request.form.get("seen"), actor=actor(), now=now())
    flash("The lead was changed.", "met")
    return redirect(url_for(".show", incident=incident))
