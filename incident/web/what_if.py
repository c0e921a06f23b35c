"""What if a fact were otherwise: suppose answers on a copy, see both sides beside each other, and record them if they hold."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import intake
from incident.actions import what_if as suppositions
from incident.actions.what_if import Beside, WhatIf
from incident.domain.errors import Invalid
from incident.domain.facts import Entry, Facts, Unknown, Value, to_json, vocabulary
from incident.domain.obligations import Standing
from incident.domain.settlements import Known
from incident.store import incidents
from incident.store import obligations as rows
from incident.web import answers, changes, marks, questions
from incident.web.access import actor, now, permit, zone
from incident.web.dues import due_words
from incident.web.languages import Word, _, value_words
from incident.web.marks import Mark
from incident.web.pages import named

bp = Blueprint("what_if", __name__, url_prefix="/incidents/<incident>/duties/what-if")

OFFERED = 3
MOST = 20


@dataclass(frozen=True)
class Side:
    """How a duty stands on one side: sign, word, and when it is due."""

    mark: Mark
    word: str
    due_at: datetime | None
    due: str


@dataclass(frozen=True)
class Pair:
    """One duty that would say something else: as it stands, as it would stand, and why."""

    title: str
    law: str
    before: Side
    after: Side
    because: Sequence[str]
    clock: str


@bp.get("/")
@permit("duty.view")
@named(Word("What if"))
def page(incident: str) -> str:
    """The form, with the questions that decide most and what is known of the others that one asks for."""
    every = rows.current(g.incident.id).values()
    keys = [one.key for one in questions.asked(every, now())[:OFFERED]]
    wanted = [key for key in request.args.getlist("fact") if key in vocabulary()]
    return _page(wanted or keys, answers.Answers(), None)


@bp.post("/")
@permit("duty.view")
def suppose(incident: str) -> ResponseReturnValue:
    """The difference that the supposed answers would make. Nothing is kept."""
    form = request.form
    keys = list(dict.fromkeys(key for key in form.getlist("fact") if key in vocabulary()))[:MOST]
    more, less = form.get("more", ""), form.get("drop", "")
    given = _read(keys)
    if less or (more in vocabulary() and "add" in form):
        keys = [key for key in [*keys, *([more] if more in vocabulary() else [])] if key != less]
        return _page(list(dict.fromkeys(keys)), given, None)
    if given.errors:
        return _page(keys, given, None), 422
    if not given.values:
        return _page(
            keys, answers.Answers(typed=given.typed, errors={"facts": _("Suppose at least one answer.")}), None
        ), 422
    return _page(keys, given, suppositions.what_if(g.incident.id, given.values, now()))


@bp.post("/record")
@permit("incident.change")
def record(incident: str) -> ResponseReturnValue:
    """Record what was supposed, now that it is known."""
    try:
        values = json.loads(request.form.get("facts", ""))
        if not isinstance(values, dict):
            raise ValueError(values)
    except ValueError:
        raise Invalid("facts", "What was supposed did not arrive whole. Suppose it again.") from None
    before = questions.standings(g.incident.id)
    changed = intake.record_facts(
        incident,
        values,
        source=request.form.get("source", ""),
        confidence=request.form.get("confidence", ""),
        actor=actor(),
        now=now(),
    )
    said = questions.change(before, questions.standings(g.incident.id)).words()
    flash(f"Recorded: {said}." if changed else "Nothing changed: all of it was known already.", "met")
    return redirect(url_for("obligations.index", incident=incident))


def _read(keys: Sequence[str]) -> answers.Answers:
    try:
        return answers.read(request.form, keys, answers.zone_of(request.form, zone()))
    except Invalid as error:
        return answers.Answers(errors={error.field: error.sentence})


def _page(keys: Sequence[str], given: answers.Answers, made: WhatIf | None) -> str:
    known = incidents.known(g.incident.id)
    otherwise = _otherwise(made, known) if made else {}
    return render_template(
        "obligations/what_if.html",
        fields=[(vocabulary()[key], _typed(vocabulary()[key], given, known)) for key in keys],
        given=given,
        others=[entry for entry in vocabulary() if entry.key not in keys and entry.type != "text"],
        made=made,
        groups=_groups(made) if made else (),
        before=_counted(g.incident.id) if made else {},
        supposed=[
            (vocabulary()[key].label, value_words(key, known[key], zone()), value_words(key, value, zone()))
            for key, value in otherwise.items()
        ],
        passed=json.dumps({key: to_json(value) for key, value in otherwise.items()}),
        zones=answers.zones(),
        zone=zone(),
    )


def _typed(entry: Entry, given: answers.Answers, known: Facts) -> Any:
    """What was typed, or else what is known now."""
    if entry.key in given.typed:
        return given.typed[entry.key]
    return answers.as_typed(entry, known[entry.key], zone())


def _otherwise(made: WhatIf, known: Facts) -> dict[str, Value | Unknown]:
    """What was supposed and differs from what is known."""
    return {key: value for key, value in made.facts.items() if to_json(known[key]) != to_json(value)}


def _counted(incident_id: int) -> dict[str, int]:
    counts = rows.counted(incident_id)
    return {word: counts[word] for word in ("owed", "advised", "open", "not_owed")}


def _groups(made: WhatIf) -> list[tuple[str, list[Pair]]]:
    """The changed duties by what would become of them."""
    by_duty = {one.duty: one for one in made.duties}
    labels = {"owed": _("Would be owed"), "opened": _("Would be open"), **changes.WOULD}
    found = []
    for word, label in labels.items():
        held = [_pair(by_duty[duty]) for duty in getattr(made.changes, word) if duty in by_duty]
        if held:
            found.append((label, sorted(held, key=_soonest)))
    return found


def _soonest(pair: Pair) -> tuple[bool, datetime, str]:
    at = pair.after.due_at or pair.before.due_at
    return at is None, at or now(), pair.title


def _pair(one: Beside) -> Pair:
    law, wave = one.duty.partition("/")[0], one.duty.partition("#")[2].replace("-", " ")
    return Pair(
        f"{one.title} ({wave})" if wave else one.title,
        law,
        _side(one.before),
        _side(one.after),
        one.because,
        one.clock_words,
    )


def _side(known: Known) -> Side:
    standing, due_at = known
    late = standing is Standing.OWED and due_at is not None and due_at < now()
    look = "late" if late else standing.value
    due = due_words(due_at, now(), none=_("no time")) if standing is not Standing.NOT_OWED else None
    return Side(marks.MARKS[look], "late" if late else standing.words, due_at, due.words if due else "")
