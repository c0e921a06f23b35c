"""A report goes out: what stands in its way, what stays for good, what differs from the one before, and what comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from incident.domain import facts
from incident.domain.dossier import Dossier
from incident.domain.errors import Invalid, Refused
from incident.domain.forms import PHASE, Form
from incident.domain.reports import Answer, Standing, State, completeness

CHANNELS = ("web_form", "portal", "e_mail", "letter", "fax", "phone", "in_person", "other")
CHANNEL_LABELS = {
    "web_form": "Web form",
    "portal": "Portal or upload",
    "e_mail": "E-mail",
    "letter": "Letter",
    "fax": "Fax",
    "phone": "Telephone",
    "in_person": "In person",
    "other": "Another way",
}


def late(due_at: datetime | None, at: datetime) -> bool:
    """Whether `at` is after the due time; a duty without a due time cannot be late."""
    return due_at is not None and at > due_at


def may_be_filed(form: Form, stage: str, given: Sequence[Answer], *, late: bool, missing_accepted: bool) -> None:
    """Returns if the report may go out as it is. Raises Invalid or Refused naming what stands in the way."""
    reason = next((answer for answer in given if answer.question.only_if == "late"), None)
    if late and form.late_needs_reason and (reason is None or reason.standing is not Standing.ANSWERED):
        raise Invalid(
            "delay_reason",
            f"This report is late, and {form.cite.place} asks for the reasons of the delay: give them first.",
        )
    missing = completeness(given).missing
    if missing and not missing_accepted:
        names = ", ".join(answer.question.label.en for answer in missing[:6])
        more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        raise Refused(
            f"{len(missing)} required answers are missing: {names}{more}. Answer them, or file all the same and say so."
        )


def filed_at(told: datetime, *, started_at: datetime, now: datetime) -> datetime:
    """The time of filing as a person gives it. Raises Invalid for the future and for a time before the incident was opened."""
    if told > now:
        raise Invalid("filed_at", "The time of filing lies in the future.")
    if told < started_at:
        raise Invalid("filed_at", "The time of filing lies before this incident happened or was opened.")
    return told


def editable(state: State) -> None:
    """Returns for a draft. Raises Refused otherwise."""
    if state is State.FILED:
        raise Refused(
            "This report is filed and stays as it was. Start the next stage to tell the authority what changed."
        )
    if state is State.DISCARDED:
        raise Refused("This draft was discarded. Start a new one.")


def next_stages(form: Form, filed: Sequence[str]) -> tuple[str, ...]:
    """The stages that may come now: the first one, or after it each repeating one and those not yet filed."""
    if not filed:
        return tuple(stage.key for stage in form.stages if not stage.repeats)
    return tuple(stage.key for stage in form.stages[1:] if stage.repeats or stage.key not in filed)


def compared(given: Sequence[Answer], before: Mapping[str, str] | None) -> tuple[Answer, ...]:
    """The answers with what each said in the report before; untouched if there was none. The stage differs by its nature."""
    if before is None:
        return tuple(given)
    return tuple(
        answer if answer.question.computed == PHASE else replace(answer, was=before.get(answer.question.key, ""))
        for answer in given
    )


def frozen(form: Form, given: Sequence[Answer], language: str) -> list[dict[str, Any]]:
    """The answers as a filed report keeps them for good."""
    return [_frozen(form, answer, language) for answer in given]


def _frozen(form: Form, answer: Answer, language: str) -> dict[str, Any]:
    one: dict[str, Any] = {
        "question": answer.question.key,
        "label": form.words(answer.question.label, language),
        "section": answer.question.section,
        "cite": answer.question.cite,
        "required": answer.required,
        "answer": answer.text,
        "standing": answer.standing.value,
        "origin": answer.origin.value,
        "reason": answer.reason,
        "facts": [vars(source) for source in answer.sources],
    }
    return one if answer.was is None else {**one, "was": answer.was, "changed": answer.changed}


def moved_on(kept: Sequence[Mapping[str, Any]], dossier: Dossier) -> dict[str, list[str]]:
    """For each question of a filed report the facts that have changed since: key → facts."""
    moved: dict[str, list[str]] = {}
    for answer in kept:
        changed = [one["fact"] for one in answer["facts"] if facts.to_json(dossier.value(one["fact"])) != one["value"]]
        if changed:
            moved[answer["question"]] = changed
    return moved
