"""The pages of grades: each scale with its reasons, what the rules suggest, and every grade there ever was."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import grades as actions
from incident.actions import intake
from incident.actions.intake import LONGEST_SOURCE
from incident.domain import enisa, operational, scales, severity
from incident.domain.errors import Invalid, Missing
from incident.domain.facts import Facts
from incident.domain.grading import notification
from incident.domain.scales import CAPTIONS, LEVELS, Scale
from incident.domain.texts import storable
from incident.exports import csv
from incident.store import grades as rows
from incident.store import incidents, users
from incident.store.grades import Grade
from incident.web import pages
from incident.web.access import actor, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _, said
from incident.web.plans import named
from incident.web.seen import seen_of

bp = Blueprint("grades", __name__, url_prefix="/incidents/<incident>/grades")

PAGE = 50
RISK_WORDS = {"unlikely": Word("a risk is unlikely"), "risk": Word("a risk"), "high": Word("a high risk")}
RISK_TONES = {"unlikely": "met", "risk": "soon", "high": "late"}
EASE = {
    0.25: Word("0.25 · negligible"),
    0.5: Word("0.5 · limited"),
    0.75: Word("0.75 · significant"),
    1.0: Word("1 · maximum"),
}
STATES = {
    "confidentiality": {
        "no_evidence": Word("0 · no sign of use"),
        "known_recipients": Word("0.25 · known recipients"),
        "unknown_recipients": Word("0.5 · unknown recipients"),
    },
    "integrity": {
        "no_evidence": Word("0 · not changed"),
        "altered_recoverable": Word("0.25 · can be put right"),
        "altered_not_recoverable": Word("0.5 · cannot be put right"),
    },
    "availability": {
        "recoverable": Word("0 · no trouble"),
        "temporary": Word("0.25 · for a time"),
        "permanent": Word("0.5 · lost"),
    },
    "malicious_intent": {"false": Word("0 · not on purpose"), "true": Word("0.5 · on purpose")},
}
CATEGORIES = {
    "simple": Word("1 · simple"),
    "behavioural": Word("2 · behavioural"),
    "financial": Word("3 · financial"),
    "sensitive": Word("4 · sensitive"),
}


@bp.get("/")
@permit("grade.view")
@pages.named(Word("Grade"))
def index(incident: str) -> str:
    """Every scale: what counts, why, and what the rules suggest."""
    return _overview({}, {})


def _overview(typed: dict[str, str], errors: dict[str, str]) -> str:
    facts = incidents.known(g.incident.id)
    latest = rows.latest(g.incident.id)
    before = request.args.get("before", type=int)
    past = list(rows.history(g.incident.id, before=before, limit=PAGE + 1))
    more = url_for(".index", incident=g.incident.ref, before=past[PAGE - 1].id) + "#history" if len(past) > PAGE else ""
    return render_template(
        "grades/list.html",
        cards=[_card(scale, latest) for scale in Scale],
        risk=_risk(facts),
        past=[_shown(row) for row in past[:PAGE]],
        more=more,
        first=url_for(".index", incident=g.incident.ref) + "#history" if before else "",
        names=users.by_refs({row.made_by for row in past}),
        named=named,
        criteria=operational.criteria(),
        risk_words=RISK_WORDS,
        risk_stands=risk.value if (risk := incidents.current_facts(g.incident.id).get("risk_to_people")) else None,
        typed=typed,
        errors=errors,
    )


def _card(scale: Scale, latest: dict[tuple[str, str], Grade]) -> dict[str, Any]:
    """What counts on one scale, and the suggestion where it differs."""
    chosen, suggested = latest.get((scale.value, "chosen")), latest.get((scale.value, "suggested"))
    current = chosen or (suggested if suggested and suggested.level != scales.NOT_CONCERNED else None)
    differs = chosen and suggested and (chosen.level, chosen.score) != (suggested.level, suggested.score)
    return {
        "scale": scale.value,
        "caption": CAPTIONS[scale],
        "current": _shown(current) if current else None,
        "suggested": _shown(suggested) if suggested and differs else None,
        "newer": bool(differs and suggested and chosen and suggested.id > chosen.id),
    }


def _shown(row: Grade) -> dict[str, Any]:
    """One grade in ready words."""
    return {
        "row": row,
        "caption": CAPTIONS[Scale(row.scale)],
        "words": scales.words(row.level),
        "tone": scales.tone(row.level),
        "score": "" if row.score is None else f"{row.score:g}",
        "formula": row.inputs.get("formula", ""),
        "vector": row.inputs.get("vector", ""),
        "meaning": _meaning(row),
    }


def _meaning(row: Grade) -> str:
    if row.level == scales.NOT_CONCERNED:
        return ""
    if row.scale == Scale.OPERATIONAL:
        return operational.reaction(row.level)
    if row.scale == Scale.PEOPLE:
        return enisa.MEANING[enisa.Level(row.level)]
    if row.scale == Scale.CHINA:
        required = row.inputs.get("report_required")
        return (
            _("A report to the authorities is required.")
            if required
            else _("These Measures ask for no report; other laws may.")
        )
    return ""


def _risk(facts: Facts) -> dict[str, Any]:
    """The suggested risk to people beside the one that was decided."""
    told = notification(facts)
    word = told.judgement.risk.word
    decided = facts.get("risk_to_people")
    return {
        "word": word,
        "words": RISK_WORDS[word],
        "tone": RISK_TONES[word],
        "reasons": told.reasons,
        "open": told.judgement.open,
        "decided": decided,
        "decided_words": RISK_WORDS.get(decided or "", ""),
        "decided_tone": RISK_TONES.get(decided or "", "open"),
    }


@bp.get("/history.csv")
@permit("grade.view")
def table(incident: str) -> Response:
    """Every grade there ever was, as CSV."""
    header = (
        "reference",
        "scale",
        "basis",
        "level",
        "score",
        "formula or vector",
        "reasons",
        "note",
        "made (UTC)",
        "by",
    )

    def lines() -> Iterator[tuple[Any, ...]]:
        before: int | None = None
        while found := rows.history(g.incident.id, before=before, limit=500):
            yield from (
                (
                    row.ref,
                    row.scale,
                    row.basis,
                    row.level,
                    "" if row.score is None else f"{row.score:g}",
                    row.inputs.get("formula") or row.inputs.get("vector") or "",
                    " ".join(row.reasons),
                    row.note,
                    row.made_at.isoformat(),
                    row.made_by,
                )
                for row in found
            )
            before = found[-1].id

    return csv_answer(csv.rows(header, lines()), f"{incident}-grades.csv")


@bp.post("/risk")
@permit("grade.choose")
def decide(incident: str) -> ResponseReturnValue:
    """Decide on the risk to people; it becomes a fact, with the reason as its source."""
    word, reason = request.form.get("risk_to_people", ""), storable(request.form.get("reason", ""))
    try:
        if word not in RISK_WORDS:
            raise Invalid("risk_to_people", "Choose how likely a risk to people is.")
        if not reason:
            raise Invalid("reason", "Say why; the reason stands beside the fact.")
        if len(reason) > LONGEST_SOURCE:
            raise Invalid("reason", f"At most {LONGEST_SOURCE} characters; this has {len(reason)}.")
        intake.record_facts(
            incident,
            {"risk_to_people": word},
            source=reason,
            confidence="high",
            seen=seen_of("risk_to_people"),
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        return _overview({"risk_to_people": word, "reason": reason}, {error.field: error.sentence}), 422
    flash("Decided. Duties and plan were worked out again.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.get("/<scale>/edit")
@permit("grade.choose")
def edit(incident: str, scale: str) -> str:
    """The form to grade on one scale, filled in with what the rules suggest."""
    return _form(_scale(scale), {}, {})


def _scale(word: str) -> Scale:
    try:
        return Scale(word)
    except ValueError:
        raise Missing() from None


def _form(scale: Scale, typed: dict[str, str], errors: dict[str, str]) -> str:
    facts = incidents.known(g.incident.id)
    current = rows.current(g.incident.id).get(scale.value)
    return render_template(
        "grades/edit.html",
        scale=scale.value,
        caption=CAPTIONS[scale],
        current=_shown(current) if current else None,
        levels=[(word, scales.words(word)) for word in LEVELS[scale]],
        inputs=_inputs(facts) if scale is Scale.PEOPLE else [],
        criteria=operational.criteria() if scale is Scale.OPERATIONAL else [],
        typed=typed,
        errors=errors,
    )


def _inputs(facts: Facts) -> list[dict[str, Any]]:
    """The inputs of the severity: what each may be, what is suggested, and why."""
    found = severity.suggested(facts)
    options: dict[str, list[tuple[str, str]]] = {
        "category": [(word, f"{base} · {said(word)}") for word, base in enisa.BASE.items()],
        "adjust": [(str(step), f"{step:+d}" if step else _("0 · none")) for step in range(-3, 4)],
        "ei": [(f"{value:g}", words) for value, words in EASE.items()],
        **{name: list(states.items()) for name, states in STATES.items()},
    }
    given = found.chosen()
    return [
        {
            "name": name,
            "caption": severity.CAPTIONS[name],
            "options": options[name],
            "value": f"{given[name]:g}" if isinstance(given[name], float) else str(given[name]),
            "reason": found.reasons.get(name, ""),
        }
        for name in severity.CAPTIONS
    ]


@bp.post("/<scale>")
@permit("grade.choose")
def choose(incident: str, scale: str) -> ResponseReturnValue:
    """Grade on one scale."""
    found, form = _scale(scale), request.form
    try:
        _choose(found, form.to_dict())
    except Invalid as error:
        return _form(found, form.to_dict(), {error.field: error.sentence}), 422
    flash("Graded. The earlier grade stays in the history.", "met")
    return redirect(url_for(".index", incident=incident))


def _choose(scale: Scale, form: dict[str, str]) -> None:
    ref, note = g.incident.ref, form.get("note", "")
    if scale is Scale.PEOPLE:
        why = {name: form.get(f"why_{name}", "") for name in severity.CAPTIONS}
        actions.choose_severity(ref, form, why, note, actor=actor(), now=now())
    elif scale is Scale.CVSS:
        actions.choose_vector(ref, form.get("vector", ""), note, actor=actor(), now=now())
    else:
        actions.choose_level(ref, scale, form.get("level", ""), note, actor=actor(), now=now())
