from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain import reminder_texts as texts
from incident.domain import reminders as rules
from incident.domain.errors import Invalid
from incident.domain.reminders import NEVER, Level, Steps

START = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
DUE = START + timedelta(hours=72)
RUNGS = rules.ladder(START, DUE, Steps())
NAMES = [rung.name for rung in RUNGS]


def look(now, given=(), acknowledged_at=None):
    return rules.turn(RUNGS, DUE, now, given=given, acknowledged_at=acknowledged_at)


def test_the_ladder_stands_at_fractions_then_at_the_due_time_then_at_growing_steps():
    assert NAMES[:9] == ["50%", "75%", "90%", "due", "+1h", "+4h", "+12h", "+24h", "+48h"]
    assert RUNGS[0].moment == START + timedelta(hours=36)
    steps = [b.moment - a.moment for a, b in pairwise(RUNGS[3:])]
    assert steps == sorted(steps)


def test_first_the_owner_then_the_lead_too_then_everybody():
    assert [rung.level for rung in RUNGS[:5]] == [Level.OWNER, Level.LEAD, *[Level.EVERYBODY] * 3]


def test_nothing_is_given_before_the_first_rung():
    assert look(START + timedelta(hours=35)) == rules.Turn(None, (), RUNGS[0].moment)


def test_a_rung_is_given_at_its_moment_and_the_next_look_is_at_the_next_one():
    assert look(RUNGS[0].moment) == rules.Turn(RUNGS[0], (), RUNGS[1].moment)


def test_what_was_given_is_never_given_again():
    assert look(RUNGS[0].moment, given=["50%"]).fire is None


def test_after_a_sleep_only_the_latest_rung_is_given_and_the_others_are_overtaken():
    turn = look(DUE + timedelta(hours=2), given=["50%"])
    assert (turn.fire.name, [rung.name for rung in turn.overtaken]) == ("+1h", ["75%", "90%", "due"])


def test_a_rung_added_behind_the_latest_given_one_is_not_caught_up():
    turn = look(RUNGS[1].moment, given=["75%"])
    assert (turn.fire, turn.overtaken) == (None, (RUNGS[0],))


def test_an_acknowledgement_quiets_the_rungs_up_to_the_due_time():
    turn = look(RUNGS[1].moment, given=["50%"], acknowledged_at=RUNGS[0].moment)
    assert (turn.fire, turn.next_at) == (None, DUE)


def test_a_duty_that_falls_due_unmet_is_reminded_of_again():
    assert look(DUE, given=["50%"], acknowledged_at=RUNGS[0].moment).fire.name == "due"


def test_an_acknowledgement_of_a_late_duty_quiets_it_for_good():
    late = DUE + timedelta(minutes=5)
    assert look(DUE + timedelta(days=400), given=NAMES[:4], acknowledged_at=late) == rules.Turn(
        None, tuple(rung for rung in RUNGS[4:] if rung.moment <= DUE + timedelta(days=400)), NEVER
    )


@given(st.lists(st.integers(0, 60 * 24 * 200), min_size=1, max_size=40).map(sorted))
def test_however_often_and_late_one_looks_no_rung_is_given_twice_and_the_order_holds(minutes):
    given: list[str] = []
    fired: list[str] = []
    for minute in minutes:
        turn = look(START + timedelta(minutes=minute), given)
        given += [rung.name for rung in turn.overtaken]
        if turn.fire is not None:
            fired.append(turn.fire.name)
            given.append(turn.fire.name)
        assert turn.next_at > START + timedelta(minutes=minute)
    assert len(given) == len(set(given))
    assert fired == sorted(fired, key=NAMES.index)


def test_a_clock_that_ran_out_before_it_began_has_the_due_time_and_what_comes_after():
    assert [rung.name for rung in rules.ladder(DUE, DUE, Steps())][:2] == ["due", "+1h"]


@pytest.mark.parametrize(
    ("start", "begun"),
    [
        ("2026-03-06T12:00:00+00:00", START),
        ("2026-03-06", START.replace(hour=0)),
        ("", START + timedelta(hours=1)),
        ("2026-04-01", START + timedelta(hours=1)),
    ],
)
def test_a_clock_begins_with_its_start_or_else_when_it_became_known(start, begun):
    assert rules.begin(start, START + timedelta(hours=1), DUE) == begun


def test_across_the_change_of_clocks_half_of_72_hours_is_36_hours():
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 27, 20, 0, tzinfo=berlin).astimezone(UTC)
    first = rules.ladder(start, start + timedelta(hours=72), Steps())[0]
    assert first.moment.astimezone(berlin).isoformat() == "2026-03-29T09:00:00+02:00"


def test_an_empty_circle_gives_way_to_the_next_wider_one():
    assert rules.called(Level.OWNER, owner=None, lead=None, others=[7, 8]) == (Level.EVERYBODY, (7, 8))
    assert rules.called(Level.OWNER, owner=None, lead=3, others=[7]) == (Level.OWNER, (3,))
    assert rules.called(Level.LEAD, owner=5, lead=3, others=[7]) == (Level.LEAD, (5, 3))
    assert rules.called(Level.EVERYBODY, owner=5, lead=5, others=[7, 5]) == (Level.EVERYBODY, (5, 7))


@pytest.mark.parametrize(
    ("percents", "hours"),
    [("", "1"), ("50,50", "1"), ("75,50", "1"), ("0", "1"), ("100", "1"), ("x", "1"), ("50", "-1"), ("50", "")],
)
def test_steps_that_make_no_ladder_are_refused(percents, hours):
    with pytest.raises(Invalid):
        rules.steps(percents, hours)


# ---------------------------------------------------------------- words

ZONE = ZoneInfo("Europe/Berlin")
CASE = texts.Case("INC-2026-0007", False, "https://incidents.example.org/incidents/INC-2026-0007/reminders/")
AUTHORITY = texts.Due("Notify the supervisory authority", "GDPR", DUE, RUNGS[2].moment, START)


def said(*duties, case=CASE, now=RUNGS[2].moment):
    return texts.words(case, duties or [AUTHORITY], zone=ZONE, now=now)


def test_a_reminder_names_reference_duty_due_time_in_the_readers_zone_and_address():
    words = said()
    assert words.subject == "INC-2026-0007: due in 7 h 12 min: Notify the supervisory authority (GDPR)"
    assert "due 9 Mar 2026, 13:00 Berlin" in words.text
    assert CASE.address in words.text
    assert "should have gone" not in words.text


def test_a_reminder_that_leaves_late_says_when_it_should_have_gone():
    assert "should have gone at 9 Mar 2026, 05:48 Berlin" in said(now=RUNGS[2].moment + timedelta(hours=1)).text


def test_a_duty_that_became_known_after_its_rung_says_that_instead():
    late = texts.Due("Tell people", "GDPR", DUE, RUNGS[0].moment, RUNGS[1].moment)
    text = said(late, now=RUNGS[1].moment).text
    assert "became known 8 Mar 2026, 19:00 Berlin" in text
    assert "should have gone" not in text


def test_several_duties_go_in_one_message_soonest_first():
    later = texts.Due("Tell people", "GDPR", DUE + timedelta(days=1), RUNGS[2].moment, START)
    words = said(later, AUTHORITY)
    assert words.subject.endswith("Notify the supervisory authority (GDPR) and 1 more")
    assert words.text.index("supervisory") < words.text.index("Tell people")


def test_a_drill_says_so_everywhere():
    words = said(case=texts.Case("INC-2026-0008", True, "https://x/"))
    assert words.subject.startswith("[Drill] ")
    assert words.short.startswith("[Drill] ")
    assert "(a drill)" in words.text


def test_a_text_message_is_short_and_keeps_its_address():
    long = texts.Due("Notify " * 80, "GDPR", DUE, RUNGS[2].moment, START)
    short = said(long).short
    assert len(short) <= texts.LONGEST_SHORT
    assert short.endswith(CASE.address)


def test_undecided_duties_are_counted_in():
    assert "3 duties are undecided" in said(case=texts.Case("INC-2026-0007", False, "https://x/", 3)).text


@pytest.mark.parametrize(
    ("hours", "words"), [(1, "due in 1 h"), (-6, "6 h late"), (0, "due now"), (50, "due in 2 d 2 h")]
)
def test_how_far_off_a_due_time_is(hours, words):
    assert texts.when(START + timedelta(hours=hours), START) == words
