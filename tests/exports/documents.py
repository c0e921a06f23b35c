"""A small report that has a bit of everything, for the tests of each format."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from incident.domain import forms
from incident.exports.report import Sheet

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
FORM = forms.library()["cn-pipl-57"]


def an_answer(question: str = "harm", **given: Any) -> dict[str, Any]:
    """One frozen answer: name only what matters."""
    asked = next(one for one in FORM.questions if one.key == question)
    plain = {
        "question": question,
        "label": asked.label.both(),
        "section": asked.section,
        "cite": asked.cite,
        "required": True,
        "answer": "Possible fraud / 可能遭受诈骗",
        "standing": "answered",
        "origin": "facts",
        "reason": "",
        "facts": [{"fact": "consequences", "value": "fraud", "recorded_at": "2026-03-06T12:00:00Z"}],
    }
    return {**plain, **given}


def a_sheet(*answers: dict[str, Any], **given: Any) -> Sheet:
    """One report: name only what matters."""
    plain = {
        "ref": "R-7K3MXW2Q",
        "incident": "INC-2026-0001",
        "stage": "initial",
        "authority": "属地网信部门",
        "language": "zh",
        "state": "draft",
        "author": "Example Ltd",
        "at": NOON,
        "zone": ZoneInfo("Asia/Shanghai"),
        "answers": answers or (an_answer(),),
        "digest": "ab" * 32,
    }
    return Sheet(**{**plain, **given})  # type: ignore[arg-type]
