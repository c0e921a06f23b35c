from datetime import timedelta

import pytest

from incident.domain import filings, reports
from incident.domain.errors import Invalid, Refused
from incident.domain.facts import UNKNOWN
from incident.domain.reports import Answer, State
from tests.domain.test_reports import GDPR, NOON, a_dossier, answered

# ---------------------------------------------------------------- filing


def filing(given: dict[str, Answer], *, late: bool = False, missing_accepted: bool = False) -> None:
    filings.may_be_filed(GDPR, "initial", tuple(given.values()), late=late, missing_accepted=missing_accepted)


def test_what_is_missing_stops_the_filing_until_a_person_accepts_it() -> None:
    with pytest.raises(Refused, match=r"\d+ required answers are missing: .*Controller"):
        filing(answered(a_dossier()))
    filing(answered(a_dossier()), missing_accepted=True)


def test_a_late_report_cannot_go_without_its_reasons_even_if_gaps_are_accepted() -> None:
    with pytest.raises(Invalid, match="reasons of the delay"):
        filing(answered(a_dossier(), late=True), late=True, missing_accepted=True)
    filing(answered(a_dossier(delay_reason="Logs came late."), late=True), late=True, missing_accepted=True)


def test_unknown_is_no_reason_for_a_delay() -> None:
    with pytest.raises(Invalid, match="reasons of the delay"):
        filing(answered(a_dossier(delay_reason=UNKNOWN), late=True), late=True, missing_accepted=True)


def test_a_report_is_late_from_the_first_moment_after_it_was_due() -> None:
    assert [filings.late(NOON, NOON), filings.late(NOON, NOON + timedelta(seconds=1)), filings.late(None, NOON)] == [
        False,
        True,
        False,
    ]


def test_the_time_of_filing_lies_between_the_incident_and_now() -> None:
    hour = timedelta(hours=1)
    assert filings.filed_at(NOON, started_at=NOON - hour, now=NOON) == NOON
    with pytest.raises(Invalid, match="future"):
        filings.filed_at(NOON + hour, started_at=NOON - hour, now=NOON)
    with pytest.raises(Invalid, match="before this incident"):
        filings.filed_at(NOON - 2 * hour, started_at=NOON - hour, now=NOON)


@pytest.mark.parametrize(("state", "words"), [(State.FILED, "stays as it was"), (State.DISCARDED, "discarded")])
def test_only_a_draft_is_edited(state: State, words: str) -> None:
    filings.editable(State.DRAFT)
    with pytest.raises(Refused, match=words):
        filings.editable(state)


@pytest.mark.parametrize(
    ("filed", "may_come"),
    [
        ([], ("initial", "final")),
        (["initial"], ("supplementary", "final")),
        (["initial", "supplementary"], ("supplementary", "final")),
        (["initial", "final"], ("supplementary",)),
    ],
)
def test_which_stage_may_come_next(filed: list[str], may_come: tuple[str, ...]) -> None:
    assert filings.next_stages(GDPR, filed) == may_come


# ---------------------------------------------------------------- what changed


def test_against_the_report_before_each_change_is_marked_with_what_it_said() -> None:
    before = {"records_count": "100", "nature": "A copy was taken."}
    given = filings.compared(
        list(answered(a_dossier(records_count=5_000, what_happened="A copy was taken.")).values()), before
    )
    marked = {answer.question.key: answer.was for answer in given if answer.changed}
    assert marked == {"records_count": "100"}


def test_a_filed_report_names_the_facts_that_moved_on() -> None:
    then = a_dossier(records_count=100, what_happened="A copy was taken.")
    kept = filings.frozen(GDPR, list(answered(then).values()), "en")
    assert filings.moved_on(kept, then) == {}
    now = a_dossier(records_count=5_000, what_happened="A copy was taken.")
    assert filings.moved_on(kept, now) == {"records_count": ["records_count"]}


def test_a_frozen_report_has_one_digest_and_any_change_another() -> None:
    kept = filings.frozen(GDPR, list(answered(a_dossier(records_count=100)).values()), "en")
    again = filings.frozen(GDPR, list(answered(a_dossier(records_count=100)).values()), "en")
    other = filings.frozen(GDPR, list(answered(a_dossier(records_count=101)).values()), "en")
    assert reports.digest(kept) == reports.digest(again) != reports.digest(other)
