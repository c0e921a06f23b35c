"""A report to an authority as a document, as JSON and as a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from incident.domain.forms import Form
from incident.domain.phrases import fixed, instant
from incident.exports.csv import Cell, rows
from incident.exports.document import Document, Item, Mark, Section

FORMAT = "tocsin-report/1"
WORDS = {
    "en": {
        "answered": "Required answers",
        "answered_of": "{answered} of {required} given",
        "authority": "Authority",
        "based_on": "From facts recorded by {when}",
        "before": "In the report before",
        "by_hand": "Written by hand",
        "changed": "changed",
        "channel": "Filed by",
        "computed": "Counted from this incident",
        "draft": "Draft: not filed",
        "drill": "Drill",
        "drill_means": "A rehearsal: nothing in it happened, and it goes to nobody",
        "due": "Due",
        "filed": "Filed",
        "form": "Form",
        "incident": "Incident",
        "late": "late",
        "lost": "answered before, not now",
        "missing": "missing",
        "new": "new",
        "reference": "Reference given by the authority",
        "report": "Report",
        "stage": "Stage",
        "unknown": "not known yet",
        "digest": "SHA-256 of the answers",
    },
    "zh": {
        "answered": "必填项",
        "answered_of": "共 {required} 项，已填 {answered} 项",
        "authority": "报告对象",
        "based_on": "依据截至 {when} 记录的事实",
        "before": "上一份报告内容",
        "by_hand": "人工填写",
        "changed": "有变更",
        "channel": "报送方式",
        "computed": "由系统统计",
        "draft": "草稿，尚未报送",
        "drill": "演练",
        "drill_means": "仅为演练，内容并非真实事件，不得报送",
        "due": "期限",
        "filed": "报送时间",
        "form": "表格依据",
        "incident": "事件编号",
        "late": "逾期",
        "lost": "上次已填，本次缺失",
        "missing": "缺失",
        "new": "新增",
        "reference": "主管部门回执编号",
        "report": "报告编号",
        "stage": "阶段",
        "unknown": "暂未查明",
        "digest": "内容 SHA-256",
    },
}


@dataclass(frozen=True)
class Sheet:
    """One report as it stands or stood: what all its formats are made from. `answers` are frozen answers."""

    ref: str
    incident: str
    stage: str
    authority: str
    language: str
    state: str
    author: str
    at: datetime
    zone: tzinfo
    answers: Sequence[Mapping[str, Any]]
    digest: str
    previous: str = ""
    due_at: datetime | None = None
    late: bool = False
    filed_at: datetime | None = None
    channel: str = ""
    reference: str = ""
    drill: bool = False

    def missing(self) -> list[Mapping[str, Any]]:
        """The required answers that are not there."""
        return [one for one in self.answers if one["required"] and one["standing"] == "missing"]


def document(form: Form, sheet: Sheet) -> Document:
    """The report as a document for people."""
    words = WORDS[sheet.language]
    return Document(
        title=f"{words['drill']}: {form.words(form.name, sheet.language)}"
        if sheet.drill
        else form.words(form.name, sheet.language),
        subtitle=f"{sheet.incident} – {sheet.ref} – {form.words(form.stage(sheet.stage).label, sheet.language)}",
        language=sheet.language,
        author=sheet.author or "Tocsin",
        at=sheet.at,
        was_word=words["before"],
        particulars=tuple(_particulars(form, sheet)),
        sections=tuple(_sections(form, sheet)),
        closing=f"{words['digest']}: {sheet.digest}",
    )


def _particulars(form: Form, sheet: Sheet) -> Iterator[tuple[str, str]]:
    words, required = WORDS[sheet.language], [one for one in sheet.answers if one["required"]]
    if sheet.drill:
        yield words["drill"], words["drill_means"]
    yield words["authority"], sheet.authority
    yield words["form"], form.cite.place
    yield words["stage"], form.words(form.stage(sheet.stage).label, sheet.language)
    if sheet.due_at:
        late = f" ({words['late']})" if sheet.late else ""
        yield words["due"], instant(sheet.due_at, sheet.zone, sheet.language) + late
    if sheet.filed_at:
        yield words["filed"], instant(sheet.filed_at, sheet.zone, sheet.language)
    else:
        yield words["filed"], words["draft"]
    if sheet.reference:
        yield words["reference"], sheet.reference
    answered = len(required) - len(sheet.missing())
    yield words["answered"], words["answered_of"].format(answered=answered, required=len(required))


def _sections(form: Form, sheet: Sheet) -> Iterator[Section]:
    for section in form.sections:
        items = tuple(
            _item(one, sheet) for one in sheet.answers if one["section"] == section.key and _worth_printing(one)
        )
        if items:
            yield Section(form.words(section.label, sheet.language), items=items)


def _worth_printing(answer: Mapping[str, Any]) -> bool:
    """What is optional and empty stays off the paper, unless the report before had it."""
    return bool(answer["answer"] or answer["required"] or answer.get("was"))


def _item(answer: Mapping[str, Any], sheet: Sheet) -> Item:
    label = f"{answer['label']} ({answer['cite']})" if answer["cite"] else answer["label"]
    was = answer.get("was") or ""
    return Item(
        label, answer["answer"], tuple(_marks(answer, sheet.language)), was=was if answer.get("changed") else ""
    )


def _marks(answer: Mapping[str, Any], language: str) -> Iterator[Mark]:
    words = WORDS[language]
    if answer["standing"] == "missing" and answer["required"]:
        yield Mark(words["missing"], "late")
    if answer["standing"] == "unknown" and answer["answer"] != fixed("unknown", language):
        yield Mark(words["unknown"], "open")
    if answer.get("changed"):
        word = "changed" if answer["was"] and answer["answer"] else "new" if answer["answer"] else "lost"
        yield Mark(words[word], "soon")


def data(form: Form, sheet: Sheet) -> dict[str, Any]:
    """The report for machines: what it is, every answer with the facts it rests on, what is missing and what changed."""
    return {
        "format": FORMAT,
        "report": sheet.ref,
        "incident": sheet.incident,
        "form": form.id,
        "form_sha256": form.digest,
        "cite": {"place": form.cite.place, "href": form.cite.href, "read_on": form.cite.read_on.isoformat()},
        "stage": sheet.stage,
        "authority": sheet.authority,
        "language": sheet.language,
        "state": sheet.state,
        "drill": sheet.drill,
        "as_of": _moment(sheet.at),
        "due_at": _moment(sheet.due_at),
        "late": sheet.late,
        "filed_at": _moment(sheet.filed_at),
        "channel": sheet.channel or None,
        "reference": sheet.reference or None,
        "previous": sheet.previous or None,
        "answers": list(sheet.answers),
        "answers_sha256": sheet.digest,
        "missing": [one["question"] for one in sheet.missing()],
        "changed": [one["question"] for one in sheet.answers if one.get("changed")],
    }


def table(sheet: Sheet) -> Iterator[str]:
    """The answers as CSV, one line a question."""
    header = [
        "question",
        "label",
        "cite",
        "required",
        "answer",
        "standing",
        "origin",
        "reason",
        "facts",
        "before",
        "changed",
    ]
    return rows(header, (_row(one) for one in sheet.answers))


def _row(one: Mapping[str, Any]) -> list[Cell]:
    facts = " ".join(source["fact"] for source in one["facts"])
    plain = [one[name] for name in ("question", "label", "cite", "required", "answer", "standing", "origin", "reason")]
    return [*plain, facts, one.get("was") or "", bool(one.get("changed"))]


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")
