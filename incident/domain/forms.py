"""Regulators' forms as data: one TOML file a form, parsed and checked. No citation, no form."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from incident.domain import computed
from incident.domain.facts import vocabulary

FORMS = Path(__file__).parent.parent / "forms"
LANGUAGES = ("en", "zh")
CONFIDENCE = ("verified", "secondary", "memory")
CONDITIONS = frozenset({"late", "ransom"})
PHASE = "phase"


class BrokenForm(Exception):
    """A form file is not usable; the message says where and why."""


@dataclass(frozen=True)
class Label:
    """A name in English and perhaps in Chinese."""

    en: str
    zh: str = ""

    def in_(self, language: str) -> str:
        """The name in a language; English where there is no other."""
        return self.zh if language == "zh" and self.zh else self.en

    def both(self) -> str:
        """Chinese and English together, for forms that are read by both."""
        return f"{self.zh} / {self.en}" if self.zh else self.en


@dataclass(frozen=True)
class Cite:
    """Where a form comes from, and when somebody read it."""

    place: str
    href: str
    read_on: date


@dataclass(frozen=True)
class Stage:
    """One of the reports that a regulator expects in turn; `meets` are the stages of duties that filing it meets."""

    key: str
    label: Label
    help: str = ""
    may_be_unknown: bool = False
    repeats: bool = False
    meets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A heading with its questions."""

    key: str
    label: Label


@dataclass(frozen=True)
class Question:
    """One thing asked: where its answer comes from, and in which stages it is asked and required."""

    key: str
    section: str
    label: Label
    help: str = ""
    facts: tuple[str, ...] = ()
    computed: str = ""
    fallback: str = ""
    only_if: str = ""
    stages: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    cite: str = ""

    def asked_at(self, stage: str) -> bool:
        """Whether this stage asks it at all."""
        return not self.stages or stage in self.stages


@dataclass(frozen=True)
class Form:
    """What one regulator asks."""

    id: str
    name: Label
    laws: tuple[str, ...]
    recipient: str
    authority: str
    languages: tuple[str, ...]
    bilingual: bool
    zone: str
    confidence: str
    note: str
    late_needs_reason: bool
    cite: Cite
    stages: tuple[Stage, ...]
    sections: tuple[Section, ...]
    questions: tuple[Question, ...]
    digest: str

    def stage(self, key: str) -> Stage:
        """One stage. Raises KeyError."""
        return {stage.key: stage for stage in self.stages}[key]

    def asked(self, stage: str) -> tuple[Question, ...]:
        """The questions of a stage, in the order of the form."""
        return tuple(question for question in self.questions if question.asked_at(stage))

    def words(self, label: Label, language: str) -> str:
        """A label as this form prints it."""
        return label.both() if self.bilingual else label.in_(language)


@cache
def library() -> Mapping[str, Form]:
    """All forms by their id, in the order of their names. Raises BrokenForm."""
    forms = [read(path.read_text(encoding="utf-8"), path.name) for path in sorted(FORMS.glob("*.toml"))]
    return {form.id: form for form in sorted(forms, key=lambda form: (form.id == "general", form.name.en))}


def read(text: str, name: str) -> Form:
    """The form that a file's text describes. Raises BrokenForm with the file's name and what is wrong."""
    try:
        form = _form(tomllib.loads(text), hashlib.sha256(text.encode()).hexdigest())
    except tomllib.TOMLDecodeError as error:
        raise BrokenForm(f"{name}: not TOML: {error}") from None
    except (KeyError, TypeError) as error:
        raise BrokenForm(f"{name}: missing or misplaced: {error}") from None
    mistakes = _mistakes(form)
    if mistakes:
        raise BrokenForm(f"{name}: " + "; ".join(mistakes))
    return form


def _form(raw: dict[str, Any], digest: str) -> Form:
    return Form(
        id=raw["id"],
        name=Label(**raw["name"]),
        laws=tuple(raw["laws"]),
        recipient=raw["recipient"],
        authority=raw["authority"],
        languages=tuple(raw["languages"]),
        bilingual=raw["bilingual"],
        zone=raw["zone"],
        confidence=raw["confidence"],
        note=raw["note"],
        late_needs_reason=raw.get("late_needs_reason", False),
        cite=Cite(**raw["cite"]),
        stages=tuple(
            Stage(**{**row, "label": Label(**row["label"]), "meets": tuple(row.get("meets", ()))})
            for row in raw["stage"]
        ),
        sections=tuple(Section(row["key"], Label(**row["label"])) for row in raw["section"]),
        questions=tuple(_question(row) for row in raw["question"]),
        digest=digest,
    )


def _question(row: dict[str, Any]) -> Question:
    lists = {name: frozenset(row.get(name, ())) for name in ("stages", "required")}
    return Question(**{**row, **lists, "label": Label(**row["label"]), "facts": tuple(row.get("facts", ()))})


def _mistakes(form: Form) -> list[str]:
    stages = {stage.key for stage in form.stages}
    sections = {section.key for section in form.sections}
    keys = [question.key for question in form.questions]
    found = [f"the question {key} is there twice" for key in sorted({key for key in keys if keys.count(key) > 1})]
    if form.confidence not in CONFIDENCE:
        found.append(f"confidence must be one of {', '.join(CONFIDENCE)}")
    if not form.cite.place or not isinstance(form.cite.read_on, date):
        found.append("no citation, no form: cite needs place and read_on")
    if not form.languages or set(form.languages) - set(LANGUAGES):
        found.append(f"languages must be among {', '.join(LANGUAGES)}")
    for question in form.questions:
        found += [f"{question.key}: {mistake}" for mistake in _question_mistakes(question, stages, sections)]
    return found


def _question_mistakes(question: Question, stages: set[str], sections: set[str]) -> list[str]:
    found = []
    if question.section not in sections:
        found.append(f"no section {question.section}")
    if (question.required | question.stages) - stages:
        found.append("a stage that the form has not")
    if question.stages and question.required - question.stages:
        found.append("required in a stage that does not ask it")
    if question.only_if and question.only_if not in CONDITIONS:
        found.append(f"no condition {question.only_if}")
    found += [f"no fact {key}" for key in question.facts if key not in vocabulary()]
    for name in filter(None, (question.computed, question.fallback)):
        if name != PHASE and not computed.known_as(name):
            found.append(f"no computation {name}")
    return found
