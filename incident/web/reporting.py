"""Ready words for the pages of reports: what a template shows without thinking."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import g, url_for

from incident.actions import reports as actions
from incident.domain import forms
from incident.domain import reports as rules
from incident.domain.dossier import Dossier
from incident.domain.errors import Refused
from incident.domain.facts import vocabulary
from incident.domain.forms import Form
from incident.domain.reports import CHANNEL_LABELS, Answer, Origin, Standing, State, Typed
from incident.store import reports as rows
from incident.store import users
from incident.store.reports import Report
from incident.web.filters import ago, when

SOON = timedelta(hours=24)
STATE_TONES = {State.DRAFT: "idle", State.FILED: "met", State.DISCARDED: "idle"}
CONFIDENCE_WORDS = {
    "verified": "read at its source",
    "secondary": "read in dated notes: have counsel confirm",
    "memory": "from memory: have counsel confirm",
}


def entry(report: Report, at: datetime) -> dict[str, Any]:
    """One line of the list."""
    form = forms.library().get(report.form)
    words, tone = due_words(report, at)
    return {
        "ref": report.ref,
        "href": url_for("reports.show", incident=g.incident.ref, ref=report.ref),
        "title": form.name.en if form else report.form,
        "stage": form.stage(report.stage).label.en if form else report.stage,
        "authority": report.authority,
        "state": report.state,
        "tone": STATE_TONES[State(report.state)],
        "due": words,
        "due_tone": tone,
        "due_at": report.due_at,
        "missing": report.missing,
        "late": report.late,
    }


def due_words(report: Report, at: datetime) -> tuple[str, str]:
    """By when, or since when, in words with a tone."""
    if report.state == State.FILED:
        return "filed", "met"
    if report.state == State.DISCARDED:
        return "put away", "far"
    if report.due_at is None:
        return "no fixed time", "far"
    if at > report.due_at:
        return f"{ago(report.due_at).removesuffix(' ago')} late", "late"
    return ago(report.due_at), "soon" if report.due_at - at < SOON else "far"


def draft(
    report: Report, case: tuple[Form, Dossier], at: datetime, typed: Mapping[str, Typed], refusal: Refused | None
) -> dict[str, Any]:
    """The page on which a report is written. What was typed and not saved stands in place of what was saved."""
    form, told = case
    given = actions.answers_of(form, report, told)
    wrong = {getattr(refusal, "field", ""): refusal.sentence} if refusal else {}
    page = _head(report, form, at) | {
        "late": actions.is_late(report, at),
        "version": report.version,
        "refusal": refusal.sentence if refusal else "",
    }
    questions = {
        answer.question.key: _question(form, report, answer, typed.get(answer.question.key), wrong) for answer in given
    }
    done = rules.completeness(given)
    return page | {
        "sections": [
            {
                "key": section.key,
                "label": form.words(section.label, report.language),
                "questions": [q for q in questions.values() if q["section"] == section.key],
            }
            for section in form.sections
        ],
        "required": done.required,
        "answered": done.answered,
        "share": round(100 * done.answered / done.required) if done.required else 100,
        "missing": [questions[answer.question.key] for answer in done.missing],
        "unknown": [questions[answer.question.key] for answer in done.unknown],
        "outdated": [questions[answer.question.key] for answer in done.outdated],
        "changed": [questions[answer.question.key] for answer in given if answer.changed],
    }


def _question(
    form: Form, report: Report, answer: Answer, typed: Typed | None, wrong: Mapping[str, str]
) -> dict[str, Any]:
    key = answer.question.key
    hand = actions.hands_of(report).get(key)
    written = typed or (Typed(hand.text, hand.unknown, hand.reason) if hand else Typed())
    seen = report.seen.get(key)
    return {
        "key": key,
        "section": answer.question.section,
        "label": form.words(answer.question.label, report.language),
        "short": answer.question.label.en,
        "help": answer.question.help,
        "cite": answer.question.cite,
        "required": answer.required,
        "derived": answer.derived,
        "origin": answer.origin.value,
        "lacking": answer.lacking,
        "is_unknown": answer.standing is Standing.UNKNOWN,
        "by_hand": answer.origin is Origin.HAND,
        "outdated": answer.outdated,
        "was": answer.was,
        "changed": answer.changed,
        "moved": seen if seen is not None and seen != answer.text and answer.origin is not Origin.HAND else None,
        "facts": _facts(answer),
        "text": written.text,
        "unknown": written.unknown,
        "reason": written.reason,
        "open": bool(written.text or written.unknown or not answer.derived),
        "error": wrong.get(key, ""),
    }


def _facts(answer: Answer) -> list[dict[str, str]]:
    """The facts beneath an answer, each a link; also those that could answer it and are not recorded yet."""
    recorded = {source.fact: source.recorded_at for source in answer.sources}
    return [
        {
            "label": vocabulary()[key].label,
            "href": url_for("incidents.fact", incident=g.incident.ref, key=key),
            "recorded": when(datetime.fromisoformat(recorded[key])) if key in recorded else "",
        }
        for key in answer.question.facts
    ]


def read_only(report: Report, case: tuple[Form, Dossier], at: datetime) -> dict[str, Any]:
    """The page of a report that is not written any more, or not by this reader."""
    form, told = case
    kept = (
        report.answers
        if report.answers is not None
        else rules.frozen(form, actions.answers_of(form, report, told), report.language)
    )
    moved = rules.moved_on(kept, told) if report.state == State.FILED else {}
    people = {
        ref: user.name for ref, user in users.by_refs({report.filed_by or report.saved_by, report.made_by}).items()
    }
    return _head(report, form, at) | {
        "sections": [
            {
                "label": form.words(section.label, report.language),
                "answers": [_shown(one, moved) for one in kept if one["section"] == section.key],
            }
            for section in form.sections
        ],
        "moved": len(moved),
        "sound": report.digest is None or report.digest == rules.digest(kept),
        "digest": report.digest,
        "filed_at": report.filed_at,
        "filed_by": people.get(report.filed_by or "", report.filed_by),
        "channel": CHANNEL_LABELS.get(report.channel or "", report.channel),
        "late": report.late,
        "missing": report.missing,
        "receipts": rows.receipts([report.id]).get(report.id, []),
        "files": rows.files(report.id),
        "next": [(stage, form.stage(stage).label.en) for stage in _next(report, form)]
        if report.state == State.FILED
        else [],
    }


def _shown(one: Mapping[str, Any], moved: Mapping[str, list[str]]) -> dict[str, Any]:
    facts = [
        {
            "label": vocabulary()[key].label if key in vocabulary() else key,
            "href": url_for("incidents.fact", incident=g.incident.ref, key=key),
        }
        for key in moved.get(one["question"], [])
    ]
    return {**one, "key": one["question"], "moved": facts, "lacking": one["required"] and one["standing"] == "missing"}


def _next(report: Report, form: Form) -> tuple[str, ...]:
    known = rows.stages(report.incident_id, report.form, report.authority)
    if any(state == State.DRAFT for _, state in known):
        return ()
    return rules.next_stages(form, [stage for stage, state in known if state == State.FILED])


def _head(report: Report, form: Form, at: datetime) -> dict[str, Any]:
    words, tone = due_words(report, at)
    return {
        "ref": report.ref,
        "form": form,
        "form_words": form.words(form.name, report.language),
        "stage": form.stage(report.stage),
        "stage_words": form.words(form.stage(report.stage).label, report.language),
        "authority": report.authority,
        "language": report.language,
        "state": report.state,
        "due": words,
        "due_tone": tone,
        "due_at": report.due_at,
        "previous": report.previous,
        "saved_at": report.saved_at,
        "confidence": CONFIDENCE_WORDS[form.confidence],
        "form_moved": report.form_digest != form.digest,
    }


def owed(incident_id: int, at: datetime) -> list[dict[str, Any]]:
    """The duties to report for which a form is at hand and no report was begun."""
    return []
