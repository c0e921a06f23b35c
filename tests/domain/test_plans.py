"""Playbooks, and what may become of their steps."""

from datetime import UTC, datetime, timedelta

import pytest

from incident.domain import plans
from incident.domain.clauses import Truth
from incident.domain.errors import Invalid, Refused
from incident.domain.facts import Facts, vocabulary
from incident.domain.plans import Due, Phase, State

OPENED = datetime(2026, 3, 6, 8, 0, tzinfo=UTC)
AWARE = datetime(2026, 3, 6, 16, 0, tzinfo=UTC)
TEN = {
    "ransomware",
    "data_leak",
    "account_takeover",
    "phishing",
    "skimming",
    "lost_device",
    "misdirected",
    "insider",
    "supplier",
    "vulnerability",
}


def test_there_is_a_playbook_for_each_kind_of_incident_but_other():
    words = {option.word for option in vocabulary()["category"].options} - {"other"}
    assert set(plans.playbooks()) == words == TEN


@pytest.mark.parametrize("name", sorted(TEN))
def test_every_playbook_covers_every_phase_and_blocks_closing_somewhere(name):
    book = plans.playbooks()[name]
    assert {step.phase for step in book.steps} == set(Phase)
    assert [step.phase for step in book.steps] == sorted((s.phase for s in book.steps), key=list(Phase).index)
    assert any(step.mandatory for step in book.steps)
    assert len(book.digest) == 64


@pytest.mark.parametrize("name", sorted(TEN))
def test_each_kind_of_incident_suggests_its_playbook(name):
    found = plans.suggested(Facts({"category": name}))
    assert found[0].playbook.id == name
    assert found[0].certain


def test_police_referral_is_a_mandatory_step_where_it_was_done_on_purpose():
    step = next(step for step in plans.playbooks()["ransomware"].steps if step.key == "police")
    assert step.mandatory
    assert step.phase is Phase.TRACE_AND_REFER
    assert plans.needed(step.when, Facts({"malicious": True}))[0] is Truth.YES
    assert plans.needed(step.when, Facts({"malicious": False, "suspected_crime": False}))[0] is Truth.NO
    assert plans.needed(step.when, Facts()) == (Truth.OPEN, ("malicious", "suspected_crime"))


def test_what_certainly_does_not_fit_is_not_suggested_and_what_might_says_on_which_fact_it_hangs():
    found = {s.playbook.id: s for s in plans.suggested(Facts({"category": "misdirected"}))}
    assert "insider" not in found
    assert found["misdirected"].because == ("category",)
    assert not found["ransomware"].certain
    assert found["ransomware"].open == ("ransom_demanded",)


def test_an_active_plan_is_not_suggested_again():
    assert "phishing" not in {s.playbook.id for s in plans.suggested(Facts({"category": "phishing"}), ["phishing"])}


def test_the_digest_changes_with_a_single_word(tmp_path):
    raw = {"title": "A", "summary": "B", "fits": {}, "step": [_row(title="Stop")]}
    other = {**raw, "step": [_row(title="Stop!")]}
    assert plans._playbook("a", raw, []).digest != plans._playbook("a", other, []).digest


@pytest.mark.parametrize(
    "row",
    [
        {"when": {"shoe_size": 42}},
        {"due": {"from": "full_moon", "hours": 3}},
        {"due": {"from": "people_count", "hours": 3}},
    ],
)
def test_a_playbook_that_cannot_be_followed_is_refused(row):
    with pytest.raises(plans.BrokenPlaybook):
        plans._playbook("a", {"title": "A", "summary": "B", "fits": {}, "step": [_row(**row)]}, [])


def test_a_step_that_is_there_twice_is_refused():
    with pytest.raises(plans.BrokenPlaybook, match="twice"):
        plans._playbook("a", {"title": "A", "summary": "B", "fits": {}, "step": [_row(), _row()]}, [])


def test_a_due_time_counts_from_the_fact_it_names_and_says_so():
    found = plans.deadline(Due("aware_at", 24), Facts({"aware_at": AWARE}), OPENED)
    assert found.at == AWARE + timedelta(hours=24)
    assert found.words == "24 hours from “We became aware”"


@pytest.mark.parametrize(
    ("hours", "words"),
    [(1, "1 hour"), (2, "2 hours"), (72, "72 hours"), (96, "4 days"), (100, "100 hours"), (720, "30 days")],
)
def test_a_length_is_told_as_people_say_it(hours, words):
    assert plans.deadline(Due("aware_at", hours), Facts({"aware_at": AWARE}), OPENED).words.startswith(f"{words} from")


def test_without_that_fact_the_clock_has_not_started():
    found = plans.deadline(Due("aware_at", 24), Facts(), OPENED)
    assert found.at is None
    assert "has not started" in found.words


def test_some_clocks_start_when_the_incident_is_opened():
    assert plans.deadline(Due("opened_at", 1), Facts(), OPENED).at == OPENED + timedelta(hours=1)
    assert plans.deadline(None, Facts(), OPENED) == plans.Deadline(None, "no fixed time")


# ---------------------------------------------------------------- every state, every event

FINISH = {"need": Truth.YES, "asks": "", "note": "", "evidence": ()}


@pytest.mark.parametrize(
    ("event", "state", "after"),
    [
        ("take", State.OPEN, State.TAKEN),
        ("take", State.TAKEN, State.TAKEN),
        ("take", State.DONE, Refused),
        ("take", State.SKIPPED, Refused),
        ("finish", State.OPEN, State.DONE),
        ("finish", State.TAKEN, State.DONE),
        ("finish", State.DONE, Refused),
        ("finish", State.SKIPPED, Refused),
        ("skip", State.OPEN, State.SKIPPED),
        ("skip", State.TAKEN, State.SKIPPED),
        ("skip", State.DONE, Refused),
        ("skip", State.SKIPPED, Refused),
        ("reopen", State.OPEN, Refused),
        ("reopen", State.TAKEN, Refused),
        ("reopen", State.DONE, State.OPEN),
        ("reopen", State.SKIPPED, State.OPEN),
        ("hand_over", State.OPEN, State.TAKEN),
        ("hand_over", State.TAKEN, State.TAKEN),
        ("hand_over", State.DONE, Refused),
        ("hand_over", State.SKIPPED, Refused),
    ],
)
def test_each_state_has_an_answer_for_each_event(event, state, after):
    events = {
        "take": lambda: plans.taken(state, need=Truth.YES),
        "finish": lambda: plans.finished(state, **FINISH),
        "skip": lambda: plans.skipped(state, mandatory=False, reason="Not our system.", by_lead=False),
        "reopen": lambda: plans.reopened(state, reason="It came back."),
        "hand_over": lambda: plans.handed_over(state),
    }
    if after is Refused:
        with pytest.raises(Refused):
            events[event]()
    else:
        assert events[event]() is after


def test_a_step_that_asks_for_evidence_is_not_finished_by_a_click():
    asks = {**FINISH, "asks": "Who checked what."}
    with pytest.raises(Invalid, match="who checked what"):
        plans.finished(State.TAKEN, **asks)
    assert plans.finished(State.TAKEN, **{**asks, "note": "The night shift, by hand."}) is State.DONE
    assert plans.finished(State.TAKEN, **{**asks, "evidence": ("E-1",)}) is State.DONE


def test_a_step_that_is_not_needed_is_neither_taken_nor_finished():
    with pytest.raises(Refused, match="not needed"):
        plans.taken(State.OPEN, need=Truth.NO)
    with pytest.raises(Refused, match="not needed"):
        plans.finished(State.OPEN, **{**FINISH, "need": Truth.NO})


def test_a_step_may_be_taken_while_it_is_still_open_whether_it_is_needed():
    assert plans.taken(State.OPEN, need=Truth.OPEN) is State.TAKEN


def test_only_a_lead_leaves_out_a_mandatory_step_and_nobody_without_a_reason():
    with pytest.raises(Refused, match="lead"):
        plans.skipped(State.OPEN, mandatory=True, reason="No time.", by_lead=False)
    assert plans.skipped(State.OPEN, mandatory=True, reason="Agreed with the police.", by_lead=True) is State.SKIPPED
    with pytest.raises(Invalid):
        plans.skipped(State.OPEN, mandatory=False, reason="  ", by_lead=True)


def _row(**more):
    row = {"key": "stop", "phase": "stop_loss", "title": "Stop", "detail": "Stop it.", "role": "lead"}
    return {**row, **more}
