from datetime import UTC, datetime, timedelta

import pytest

from incident.domain import drills
from incident.domain.drills import Act, Arrival, Clockwork, Course, Expected, Verdict
from incident.domain.dues import Clock, ClockState
from incident.domain.errors import Invalid, Refused

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)


def after(minutes):
    return NOON + timedelta(minutes=minutes)


def test_the_clock_of_a_drill_runs_as_much_faster_as_was_chosen():
    work = Clockwork(NOON, 24)
    assert work.reads(after(60)) == NOON + timedelta(days=1)
    assert work.minute(after(1)) == 24
    assert work.moment(24) == after(1)


def test_the_clock_stands_still_in_a_pause_and_at_the_end():
    work = drills.paused(Clockwork(NOON, 6), after(10))
    assert work.minute(after(10)) == work.minute(after(300)) == 60
    work = drills.resumed(work, after(40))
    assert work.minute(after(50)) == 120
    work = drills.ended(work, after(50))
    assert (work.minute(after(500)), work.course) == (120, Course.ENDED)


def test_ending_a_paused_drill_counts_none_of_its_pause():
    work = drills.ended(drills.paused(Clockwork(NOON, 6), after(10)), after(90))
    assert work.minute(after(90)) == 60


def test_what_lies_before_the_beginning_is_as_near_as_the_drill_is_fast():
    work = Clockwork(NOON, 60)
    assert work.moment(-60) == after(-1)
    assert work.minute(after(-1)) == -60


@pytest.mark.parametrize("minutes", [0, 30, 61, 200])
def test_the_moment_of_a_minute_is_that_at_which_the_clock_shows_it(minutes):
    work = Clockwork(NOON, 6, pauses=((after(5), after(15)), (after(20), after(21))))
    assert work.minute(work.moment(minutes)) == minutes


def test_a_deadline_of_72_hours_comes_after_three_hours_at_24_minutes_in_one():
    work = Clockwork(NOON, 24)
    assert work.due(after(10), after(10) + timedelta(hours=72), NOON) == after(10 + 180)


def test_a_pause_puts_off_what_was_due_after_it_and_nothing_else():
    work = Clockwork(NOON, 6, pauses=((after(30), after(90)),))
    assert work.due(NOON, NOON + timedelta(hours=2), NOON) == after(20)
    assert work.due(NOON, NOON + timedelta(hours=12), NOON) == after(120 + 60)
    assert work.due(after(60), after(60) + timedelta(hours=6), NOON) == after(120 + 30)
    assert work.due(after(100), after(100) + timedelta(hours=6), NOON) == after(160)


def test_while_it_is_paused_deadlines_move_along():
    work = Clockwork(NOON, 6, paused_at=after(30))
    assert work.due(NOON, NOON + timedelta(hours=6), after(45)) == after(75)


def test_a_clock_outside_of_a_drill_is_left_as_it_is():
    clock = Clock(ClockState.RUNNING, "72 hours from noon.", NOON + timedelta(hours=72), NOON, "aware_at")
    assert drills.paced(clock, None, NOON) is clock
    assert drills.paced(clock, Clockwork(NOON, 1), NOON) is clock


def test_a_clock_in_a_drill_says_why_it_ends_sooner():
    clock = Clock(ClockState.RUNNING, "72 hours from noon.", NOON + timedelta(hours=72), NOON, "aware_at")
    paced = drills.paced(clock, Clockwork(NOON, 24), NOON)
    assert paced.due == after(180)
    assert paced.words.startswith("72 hours from noon. In this drill 24 minutes pass in one: so it is due 6 Mar")
    assert (paced.start, paced.anchor, paced.state) == (clock.start, clock.anchor, clock.state)


def test_a_clock_that_begins_with_a_day_is_paced_from_that_midnight():
    clock = Clock(ClockState.RUNNING, "", datetime(2026, 3, 8, tzinfo=UTC), NOON.date(), "aware_at")
    assert drills.paced(clock, Clockwork(NOON, 24), NOON).due == datetime(2026, 3, 6, 2, tzinfo=UTC)


def test_a_clock_without_an_end_stays_without():
    clock = Clock(ClockState.NONE_IN_LAW, "no deadline in law")
    assert drills.paced(clock, Clockwork(NOON, 24), NOON) is clock


@pytest.mark.parametrize(
    ("course", "turn", "allowed"),
    [
        ("running", drills.paused, True),
        ("paused", drills.paused, False),
        ("ended", drills.paused, False),
        ("running", drills.resumed, False),
        ("paused", drills.resumed, True),
        ("ended", drills.resumed, False),
        ("running", drills.ended, True),
        ("paused", drills.ended, True),
        ("ended", drills.ended, False),
    ],
)
def test_each_course_takes_the_turns_that_it_may(course, turn, allowed):
    work = {
        "running": Clockwork(NOON, 6),
        "paused": Clockwork(NOON, 6, paused_at=NOON),
        "ended": Clockwork(NOON, 6, ended_at=NOON),
    }[course]
    if allowed:
        turn(work, after(1))
    else:
        with pytest.raises(Refused):
            turn(work, after(1))


@pytest.mark.parametrize("state", [Arrival.ARRIVED, Arrival.SKIPPED])
def test_an_inject_comes_once(state):
    with pytest.raises(Refused):
        drills.arrived(state)
    with pytest.raises(Refused):
        drills.skipped(state)


@pytest.mark.parametrize("given", ["0", "2", "1000", "", "six"])
def test_only_the_speeds_on_the_list_can_be_chosen(given):
    with pytest.raises(Invalid):
        drills.factor(given)


def test_only_who_facilitates_leads_the_drill():
    drills.demand_facilitator("U-1", "U-1")
    with pytest.raises(Refused, match="facilitates"):
        drills.demand_facilitator("U-1", "U-2")


# ---------------------------------------------------------------- how well it went


def expected(key="told", *, verbs=("notice.approved",), by=60, where=None, after=""):
    return Expected(key, key, "", verbs, by, where or {}, after)


def act(minutes, verb="notice.approved", *, actor="U-1", subject="N-1", seq=7, **details):
    return Act(seq, after(minutes), verb, actor, subject, details)


def verdict(goal, acts, *, arrivals=None, ended=True, at=500, factor=1):
    work = Clockwork(NOON, factor, ended_at=after(at) if ended else None)
    return drills.judged([goal], acts, arrivals or {}, work, after(at))


@pytest.mark.parametrize(
    ("minutes", "said", "late"), [(59, Verdict.MET, None), (60, Verdict.MET, None), (75, Verdict.LATE, 15)]
)
def test_what_was_done_is_met_or_late_by_so_many_minutes(minutes, said, late):
    [found] = verdict(expected(), [act(minutes)])
    assert (found.verdict, found.late_by, found.done, found.line) == (said, late, minutes, 7)


def test_what_was_not_done_is_missed_only_when_the_drill_is_over():
    assert [one.verdict for one in verdict(expected(), [])] == [Verdict.MISSED]
    assert [one.verdict for one in verdict(expected(), [], ended=False)] == [Verdict.OVERDUE]
    assert [one.verdict for one in verdict(expected(), [], ended=False, at=30)] == [Verdict.WAITING]


def test_minutes_are_those_of_the_drill():
    [found] = verdict(expected(by=60), [act(20)], factor=6)
    assert (found.done, found.late_by) == (120, 60)


def test_what_hangs_on_an_inject_counts_from_its_arrival_and_not_at_all_without_it():
    goal = expected(by=30, after="call")
    [found] = verdict(goal, [act(5), act(70)], arrivals={"call": after(50)})
    assert (found.verdict, found.due, found.done) == (Verdict.MET, 80, 70)
    assert verdict(goal, [act(70)]) == []


@pytest.mark.parametrize(
    ("where", "details", "counts"),
    [
        ({"scale": "people"}, {"scale": "people"}, True),
        ({"scale": "people"}, {"scale": "operational"}, False),
        ({"keys": "category"}, {"keys": ["aware_at", "category"]}, True),
        ({"keys": "category"}, {"keys": ["aware_at"]}, False),
        ({"subject": "N-1"}, {}, True),
        ({"subject": "N-2"}, {}, False),
        ({"scale": "people"}, {}, False),
    ],
)
def test_an_act_counts_only_with_the_details_that_are_asked_for(where, details, counts):
    [found] = verdict(expected(where=where), [act(10, **details)])
    assert (found.verdict is Verdict.MET) is counts


@pytest.mark.parametrize("actor", ["system", "public"])
def test_what_the_program_did_is_nobodys_merit(actor):
    [found] = verdict(expected(), [act(10, actor=actor)])
    assert found.verdict is Verdict.MISSED


def test_late_counts_half_and_missed_nothing():
    goals = [expected("a"), expected("b", verbs=("grade.chosen",)), expected("c", verbs=("report.filed",))]
    work = Clockwork(NOON, 1, ended_at=after(500))
    found = drills.judged(goals, [act(10), act(90, "grade.chosen")], {}, work, after(500))
    assert drills.score(found) == 50
    assert drills.tally(found) == {"met": 1, "late": 1, "missed": 1, "waiting": 0, "overdue": 0}


def test_where_nothing_was_expected_there_is_no_score():
    assert drills.score([]) is None


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "0 min"), (59, "59 min"), (60, "1 h"), (250, "4 h 10 min"), (1440, "1 d"), (3060, "2 d 3 h")],
)
def test_lengths_of_time_are_told_in_two_units_at_most(minutes, said):
    assert drills.span_words(timedelta(minutes=minutes)) == said
