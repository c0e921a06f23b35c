"""Answers to the questions beside the duties: recorded as facts, the board worked out again, and taken back by one click."""

from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import intake
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.facts import vocabulary
from incident.store import incidents
from incident.store import obligations as rows
from incident.web import answers, obligations, questions
from incident.web.access import actor, now, permit, zone
from incident.web.languages import _, said
from incident.web.seen import seen_of

bp = Blueprint("answering", __name__, url_prefix="/incidents/<incident>/duties/questions")

TAKEN_BACK = "an answer of a moment ago taken back"


@bp.post("/<key>")
@permit("incident.change")
def answer(incident: str, key: str) -> ResponseReturnValue:
    """Answer one question; back to where it was asked, with what became of the duties."""
    _must_be_known(key)
    form, given = request.form, answers.Answers()
    try:
        given = answers.read(form, [key], answers.zone_of(form, zone()))
    except Invalid as error:
        given.refuse(key, error.sentence)
    if not given.values and not given.errors:
        given.refuse(key, "Give an answer first.")
    if given.errors:
        given.typed |= {"source": form.get("source", "")}
        if not _is_asked(key):
            raise Invalid(key, given.errors[key])
        return _asked_page(given), 422
    return _record(key, given.values, form.get("source", ""), form.get("confidence", ""))


@bp.post("/<key>/undo")
@permit("incident.change")
def undo(incident: str, key: str) -> ResponseReturnValue:
    """Put back what was known before the last answer; both stay in the history of the fact."""
    _must_be_known(key)
    past = incidents.history(g.incident.id, key)
    if not past or past[0].recorded_by != actor() or now() - past[0].recorded_at > questions.UNDO_WITHIN:
        raise Refused("This answer can no longer be taken back here. Correct the fact instead.")
    before = past[1] if len(past) > 1 else None
    return _record(key, {key: before.value if before else None}, TAKEN_BACK, before.confidence if before else "")


def _must_be_known(key: str) -> None:
    if key not in vocabulary():
        raise Missing()


def _record(key: str, values: dict[str, Any], source: str, confidence: str) -> ResponseReturnValue:
    before = questions.standings(g.incident.id)
    changed = intake.record_facts(
        g.incident.ref, values, source=source, confidence=confidence, seen=seen_of(key), actor=actor(), now=now()
    )
    difference = questions.change(before, questions.standings(g.incident.id))
    flash(_said(difference.words()) if changed else "Nothing changed: this was known already.", "met")
    return redirect(_back(key, answered=source != TAKEN_BACK and bool(changed)))


def _said(words: str) -> str:
    return (
        _("Recorded. It changes no duty.")
        if words == "nothing changed"
        else _("Recorded: %(words)s.", words=said(words))
    )


def _back(key: str, *, answered: bool) -> str:
    page = "obligations.questions" if request.form.get("back") == "questions" else "obligations.index"
    return url_for(page, incident=g.incident.ref, answered=key if answered else None)


def _is_asked(key: str) -> bool:
    """Whether the page will ask this still, so that what is wrong has its place; somebody else may have answered it."""
    found = [one.entry.key for one in questions.asked(rows.current(g.incident.id).values(), now())]
    return key in (found if request.form.get("back") == "questions" else found[: obligations.ASKED])


def _asked_page(given: answers.Answers) -> str:
    return (
        obligations.questions_page(given) if request.form.get("back") == "questions" else obligations.board_page(given)
    )
