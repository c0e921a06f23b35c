"""People found later: clocks of their own, thresholds reached late, nobody left out for an unknown place."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from incident import calendars
from incident.domain import obligations as rules
from incident.domain.clock import Calendar
from incident.domain.facts import Facts
from incident.domain.later import found_with
from incident.domain.lawbook import Lawbook, library
from incident.domain.obligations import Standing
from incident.domain.waves import Wave, before
from tests.made_up_laws import a_duty, a_law_file, law_of

TODAY = date(2026, 11, 22)
FIRST = datetime(2026, 3, 3, 18, tzinfo=UTC)
LATER = datetime(2026, 5, 4, 18, tzinfo=UTC)
AG = a_duty(
    "ag",
    to="attorney_general",
    deadline='{ from = "determined_at", calendar_days = 30 }',
    more="when = { residents = { least = 250 } }",
)
PEOPLE = a_duty(
    "people",
    to="individuals",
    deadline='{ from = "determined_at", calendar_days = 60 }',
    more='unless = [ { says = "No harm", when = { harm_likely = false } } ]',
)


def a_book(more):
    """With a third duty of this deadline."""
    last = a_duty("more", deadline=more, more='stage = "supplementary"')
    return Lawbook({"US-XX": law_of(a_law_file(AG, PEOPLE, last, id_="US-XX", place="US-TX"))})


BOOK = a_book('{ from = "aware_at", calendar_days = 10 }')
CHICAGO = Calendar("US-TX", ZoneInfo("America/Chicago"))


def said(*waves, done=None, **facts):
    held = Facts({"determined_at": FIRST, "aware_at": FIRST, **facts})
    return rules.by_ref(found_with(waves, held, BOOK, lambda _: CHICAGO, TODAY, done or {}))


def day(finding):
    return finding.clock.due.astimezone(CHICAGO.zone).date()


def test_without_a_later_wave_nothing_is_added():
    assert set(said(residents={"US-TX": 300})) == {"US-XX/ag", "US-XX/people", "US-XX/more"}


def test_people_found_later_are_told_by_a_clock_from_their_own_discovery():
    found = said(Wave(2, LATER, {"US-TX": 50}), residents={"US-TX": 350})
    theirs = found["US-XX/people#wave-2"]
    assert (theirs.standing, theirs.wave, day(theirs)) == (Standing.OWED, "wave 2", date(2026, 7, 3))
    assert day(found["US-XX/people"]) == date(2026, 5, 2), "the others' clock stays where it was"


def test_a_stage_that_the_law_adds_to_a_report_is_owed_again_for_them():
    found = said(Wave(2, LATER, {"US-TX": 50}), residents={"US-TX": 350})
    assert day(found["US-XX/more#wave-2"]) == date(2026, 5, 14)
    assert "US-XX/ag#wave-2" not in found


def test_a_wave_without_anybody_in_the_place_of_a_law_adds_nothing_there_and_an_unknown_place_does():
    assert "US-XX/people#wave-2" not in said(Wave(2, LATER, {"FR": 50}), residents={"US-TX": 300, "FR": 50})
    assert "US-XX/people#wave-2" in said(Wave(2, LATER, {"": 50}), residents={"US-TX": 300})


def test_an_exception_of_the_incident_lifts_the_duty_to_them_too():
    assert "US-XX/people#wave-2" not in said(Wave(2, LATER, {"US-TX": 50}), residents={"US-TX": 350}, harm_likely=False)


def test_a_threshold_that_is_only_reached_with_them_runs_from_their_discovery():
    found = said(Wave(2, LATER, {"US-TX": 60}), residents={"US-TX": 300})["US-XX/ag"]
    assert (found.standing, found.wave, day(found)) == (Standing.OWED, "", date(2026, 6, 3))
    assert found.because[-1] == "Only since wave 2 was counted, so the clock runs from its discovery"
    reached_before = said(Wave(2, LATER, {"US-TX": 50}), residents={"US-TX": 300})["US-XX/ag"]
    assert day(reached_before) == date(2026, 4, 2)


def test_of_several_waves_the_one_that_reaches_the_threshold_counts():
    second, third = Wave(2, LATER, {"US-TX": 40}), Wave(3, LATER + timedelta(days=10), {"US-TX": 60})
    found = said(third, second, residents={"US-TX": 300})["US-XX/ag"]
    assert "Only since wave 3" in found.because[-1]
    assert day(found) == date(2026, 6, 13)


def test_people_told_earlier_do_not_count_as_told_for_a_later_wave_and_each_is_met_apart():
    book = a_book('{ with = "people" }')
    facts = Facts({"determined_at": FIRST, "residents": {"US-TX": 350}, "individuals_notified_at": FIRST})
    wave = Wave(2, LATER, {"US-TX": 50})

    def due(key, done):
        return day(rules.by_ref(found_with([wave], facts, book, lambda _: CHICAGO, TODAY, done))[key])

    told = {"US-XX/people#wave-2": LATER + timedelta(days=1)}
    assert due("US-XX/more", told) == date(2026, 3, 3)
    assert due("US-XX/more#wave-2", {}) == date(2026, 7, 3)
    assert due("US-XX/more#wave-2", told) == date(2026, 5, 5)


def test_counts_before_a_wave_never_fall_below_nobody():
    facts = before(Facts({"residents": {"US-TX": 5}, "people_count": 5}), [Wave(2, LATER, {"US-TX": 9})])
    assert (facts["residents"], facts["people_count"]) == ({"US-TX": 0}, 0)


@settings(deadline=None, max_examples=25)
@given(
    people=st.dictionaries(st.sampled_from(["US-TX", "FR", "CN", "JP", ""]), st.integers(1, 3000), max_size=4),
    days=st.integers(0, 60),
)
def test_a_wave_never_takes_away_what_is_owed_for_the_incident(people, days):
    facts = Facts(
        {
            "personal_data": True,
            "role": "controller",
            "residents": {"US-TX": 3000, "FR": 3000, "CN": 3000, "JP": 3000},
            "risk_to_people": "high",
            "data_kinds": ("name", "ssn"),
            "aware_at": FIRST,
        }
    )
    plain = rules.found(facts, library(), calendars.of_law, TODAY)
    with_wave = rules.by_ref(
        found_with([Wave(2, FIRST + timedelta(days=days), people)], facts, library(), calendars.of_law, TODAY)
    )
    for one in plain:
        assert with_wave[one.ref].standing is one.standing
