"""Ready words for the pages of reports: what a template shows without thinking."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import g, url_for

from incident.actions import cases
from incident.actions.cases import Case, Owed
from incident.domain import filings, forms, lawbook
from incident.domain import reports as rules
from incident.domain.errors import Refused
from incident.domain.facts import vocabulary
from incident.domain.filings import CHANNEL_LABELS
from incident.domain.forms import PHASE, Form
from incident.domain.reports import Answer, Origin, Standing, State, Typed
from incident.domain.stale import Stale
from incident.store import obligations, users
from incident.store import reports as rows
from incident.store.reports import Report
from incident.web.filters import ago, day, span
from incident.web.languages import Word, _, said

SOON = timedelta(hours=24)
ORIGINS = {
    PHASE: Word("The stage that was begun"),
    "company": Word("From the settings"),
    "contact": Word("From the settings"),
}
STATE_TONES = {State.DRAFT: "idle", State.FILED: "met", State.DISCARDED: "idle"}
CONFIDENCE_WORDS = {
    "verified": Word("read at its source"),
    "secondary": Word("read in dated notes: have counsel confirm"),
    "memory": Word("from memory: have counsel confirm"),
}


def entries(incident_id: int, found: Sequence[Report], at: datetime) -> list[dict[str, Any]]:
    """The lines of the list."""
    dues = obligations.dues(incident_id)
    return [_entry(report, cases.due_of(report, dues), at) for report in found]


def _entry(report: Report, due_at: datetime | None, at: datetime) -> dict[str, Any]:
    form = forms.library().get(report.form)
    words, tone = due_words(report.state, due_at, at)
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
        "due_at": due_at,
        "missing": report.missing,
        "late": report.late,
    }


def due_words(state: str, due_at: datetime | None, at: datetime) -> tuple[str, str]:
    """By when, or since when, in words with a tone."""
    if state == State.FILED:
        return "filed", "met"
    if state == State.DISCARDED:
        return _("put away"), "far"
    if due_at is None:
        return _("no fixed time"), "far"
    if at > due_at:
        return _("%(span)s late", span=span(at - due_at)), "late"
    return ago(due_at), "soon" if due_at - at < SOON else "far"


def draft(at_hand: Case, at: datetime, typed: Mapping[str, Typed], refusal: Refused | None) -> dict[str, Any]:
    """The page on which a report is written. What was typed and not saved stands in place of what was saved."""
    report, form, given = at_hand.report, at_hand.form, at_hand.answers()
    wrong = {getattr(refusal, "field", ""): refusal.sentence} if refusal else {}
    page = _head(at_hand, at) | {
        "late": at_hand.late,
        "version": report.version,
        "refusal": refusal.sentence if refusal else "",
        "is_stale": isinstance(refusal, Stale),
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
    hand = cases.hands_of(report).get(key)
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
        "origin": ORIGINS.get(answer.question.computed, _("Counted from this incident"))
        if answer.origin is Origin.COMPUTED
        else "",
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
        "open": bool(written.text or written.unknown or (answer.required and not answer.derived)),
        "error": wrong.get(key, ""),
    }


def _facts(answer: Answer) -> list[dict[str, str]]:
    """The facts beneath an answer, each a link; also those that could answer it and are not recorded yet."""
    recorded = {source.fact: source.recorded_at for source in answer.sources}
    return [
        {
            "label": vocabulary()[key].label,
            "href": url_for("incidents.fact", incident=g.incident.ref, key=key),
            "recorded": day(datetime.fromisoformat(recorded[key])) if key in recorded else "",
        }
        for key in answer.question.facts
    ]


def read_only(at_hand: Case, at: datetime) -> dict[str, Any]:
    """The page of a report that is not written any more, or not by this reader."""
    report, form = at_hand.report, at_hand.form
    kept = report.answers if report.answers is not None else filings.frozen(form, at_hand.answers(), report.language)
    moved = filings.moved_on(kept, at_hand.told) if report.state == State.FILED else {}
    people = {
        ref: user.name for ref, user in users.by_refs({report.filed_by or report.saved_by, report.made_by}).items()
    }
    return _head(at_hand, at) | {
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
        "receipts": rows.receipts(report),
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
    return filings.next_stages(form, [stage for stage, state in known if state == State.FILED])


def _head(at_hand: Case, at: datetime) -> dict[str, Any]:
    report, form = at_hand.report, at_hand.form
    words, tone = due_words(report.state, at_hand.due_at, at)
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
        "due_at": at_hand.due_at,
        "duty": lawbook.library().duty(report.duty) if report.duty else None,
        "previous": report.previous,
        "saved_at": report.saved_at,
        "confidence": CONFIDENCE_WORDS[form.confidence],
        "form_moved": report.form_digest != form.digest,
    }


def owed(incident_id: int, at: datetime) -> list[dict[str, Any]]:
    """The duties to report for which no report was begun, soonest first."""
    return [_owed(one, at) for one in cases.owed(incident_id)]


def _owed(one: Owed, at: datetime) -> dict[str, Any]:
    row = one.finding
    words, tone = due_words(State.DRAFT, row.due_at, at)
    duty = lawbook.library().duty(row.duty)
    law = lawbook.library()[row.law].short if row.law in lawbook.library() else row.law
    place = f"{law}, {duty.cite.place}" if duty else law
    advised = _("asked for, not owed · ") if row.standing == "advised" else ""
    return {
        "duty": row.duty,
        "title": row.title,
        "note": f"{advised}{place} · {said(row.clock_words)}",
        "due": words,
        "due_tone": tone,
        "due_at": row.due_at,
        "form": one.form.id,
        "form_words": one.form.name.en,
        "stage": one.stage,
        "authority": one.authority,
    }
