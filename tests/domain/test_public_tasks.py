"""What laws say of telling the public, what shows it, and what a draft for it must hold."""

import re
from datetime import UTC, datetime

import pytest

from incident.domain import lawbook, starters
from incident.domain.answers import Truth
from incident.domain.facts import from_json
from incident.domain.notices import NOT_HERE, Text
from incident.domain.public_tasks import Figures, Kind, duty_of, evidence, in_order, of_duty, prompted, to_everybody

DUE = datetime(2026, 5, 5, tzinfo=UTC)
FIGURES = Figures(people=900, unreachable=12, doubtful=3, cost={"amount": 300000, "source": "offer of a printer"})


def duty(ref):
    found = lawbook.library().duty(ref)
    assert found is not None
    return found


def tasks(ref, **facts):
    return list(of_duty(duty(ref), from_json(facts), DUE))


def test_a_law_that_allows_it_says_by_what_for_how_long_and_why():
    allowed = tasks("US-HIPAA-500/tell-people", hard_to_reach=True)
    assert [(task.truth, task.by, task.days) for task in allowed] == [
        (Truth.YES, ("website",), 90),
        (Truth.YES, ("media",), 0),
    ]
    assert all("toll_free" in task.contents for task in allowed)
    assert allowed[0].because


def test_while_the_figures_are_unknown_it_is_open_and_names_them():
    (task, *_) = tasks("US-HIPAA-500/tell-people")
    assert (task.truth, task.wants) == (Truth.OPEN, ("hard_to_reach",))


def test_a_way_that_tells_nobody_in_public_is_no_such_task():
    assert all("call" not in task.by for task in tasks("US-HIPAA-500/tell-people", hard_to_reach=True))


@pytest.mark.parametrize(
    ("cost", "expected"), [(250_000, Truth.OPEN), (250_001, Truth.YES)], ids=["at the threshold", "above it"]
)
def test_a_threshold_of_cost_is_crossed_above_it_not_at_it(cost, expected):
    found = tasks("US-NY/tell-people", notice_cost=cost)
    assert {task.truth for task in found} == {expected}


def test_a_duty_to_tell_the_media_is_a_task_of_its_own_kind():
    (task,) = tasks("US-HIPAA-500/tell-media")
    assert (task.kind, task.truth, task.due_at) == (Kind.MEDIA, Truth.YES, DUE)


def test_what_is_shown_stands_before_what_is_open():
    found = in_order([*tasks("US-HIPAA-500/tell-people"), *tasks("US-NY/tell-people", notice_cost=300_000)])
    assert [task.truth for task in found] == sorted((task.truth for task in found), key=[Truth.YES, Truth.OPEN].index)


def test_the_kept_evidence_gives_back_what_the_notice_has_to_hold():
    (task, *_) = tasks("US-HIPAA-500/tell-people", hard_to_reach=True)
    kept = evidence(task, FIGURES, "ab" * 32)
    assert duty_of(kept).elements == task.contents
    assert (kept["unreachable"], kept["cost"]["source"], kept["law_digest"]) == (12, "offer of a printer", "ab" * 32)


def test_a_draft_asks_for_each_element_once_in_its_usual_section_and_says_which_law_wants_it():
    (task, *_) = tasks("US-HIPAA-500/tell-people", hard_to_reach=True)
    text = prompted(Text("en", sections={"contact": "Ask us."}), [task, task])
    assert text.sections["contact"].startswith("Ask us.\n\n[… A toll-free telephone number")
    assert text.sections["contact"].count("[…") == 1
    assert "45 CFR 164.404" in text.sections["contact"]
    assert text.covers["toll_free"] == "contact"
    assert text.sections["what_happened"].count("[…") == 3


def test_a_field_that_says_an_element_stands_for_its_prompt():
    (task, *_) = tasks("US-HIPAA-500/tell-people", hard_to_reach=True)
    text = prompted(Text("en", sections={"what_happened": "On {{ fact.occurred_from }} it happened."}), [task])
    assert text.covers["dates"] == "what_happened"
    assert "Date or dates" not in text.sections["what_happened"]
    assert "[… Date of discovery" in text.sections["what_happened"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Ask us. Please give your reference {{ person.reference }}.", "Ask us."),
        ("Dear {{person.name}}, this happened. It is over.", "It is over."),
        ("请咨询我们。请提供编号 {{ person.reference }}。谢谢。", "请咨询我们。谢谢。"),
        ("- Of {{ person.exposed }}.\n- Your number is {{ person.reference }}.", "- Of {{ person.exposed }}."),
        ("One.\n\nTwo.", "One.\n\nTwo."),
    ],
)
def test_what_is_said_to_one_person_is_left_out_of_what_is_said_to_everybody(said, expected):
    assert to_everybody(Text("en", sections={"contact": said})).sections["contact"] == expected


@pytest.mark.parametrize("language", starters.languages())
def test_every_starter_text_can_be_said_to_everybody(language):
    text = to_everybody(starters.text(language))
    fields = {name for said in text.sections.values() for name in re.findall(r"person\.\w+", said)}
    assert fields == {"person.exposed"}
    assert all(text.sections.values())


def test_what_the_text_holds_already_or_somebody_set_aside_is_not_asked_for_again():
    (task, *_) = tasks("US-HIPAA-500/tell-people", hard_to_reach=True)
    said = Text("en", sections={"contact": "Call 0800."}, covers={"toll_free": "contact", "dates": NOT_HERE})
    text = prompted(said, [task])
    assert text.sections["contact"] == "Call 0800."
    assert text.covers["dates"] == NOT_HERE
    assert "Date or dates" not in text.sections["what_happened"]
