"""What is measured over incidents: spans between known moments, shares, counts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incident.domain import measures
from incident.domain.errors import Invalid
from incident.domain.measures import Asked, Course, Done, Span, Taken, Under

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def a_course(level: str = "", **moments: datetime) -> Course:
    apart = {name: moments.pop(name, None) for name in ("decided_at", "reported_at", "told_at")}
    return Course("INC-2026-0001", "Copied", level, NOON, None, moments, **apart)


def test_a_span_goes_from_the_earliest_moment_of_each_end_that_is_known():
    course = a_course(occurred_from=at(-48), detected_at=at(-1), noticed_at=at(-3), aware_at=at(0), contained_at=at(5))
    assert course.took(Span.DETECT) == timedelta(hours=45)
    assert course.took(Span.CONTAIN) == timedelta(hours=6), "who detects is aware"


@pytest.mark.parametrize("known", [{}, {"aware_at": at(0)}, {"contained_at": at(0)}])
def test_a_span_with_an_unknown_end_is_not_guessed(known):
    assert a_course(**known).took(Span.CONTAIN) is None


def test_a_span_that_ends_before_it_begins_is_not_counted():
    assert a_course(aware_at=at(2), contained_at=at(1)).took(Span.CONTAIN) is None


def test_people_count_as_told_by_our_notice_or_by_a_recorded_fact_whichever_came_first():
    assert a_course(aware_at=at(0), told_at=at(9), individuals_notified_at=at(4)).took(Span.TELL) == timedelta(hours=4)


def test_half_and_nine_in_ten_are_taken_from_the_known_ones_and_the_others_are_counted():
    courses = [a_course(aware_at=at(0), contained_at=at(hours)) for hours in range(1, 11)]
    taken = measures.taken([*courses, a_course(), a_course()], Span.CONTAIN)
    assert taken == Taken(10, 2, timedelta(hours=5.5), timedelta(hours=9))
    assert measures.taken([], Span.CONTAIN) == Taken(0, 0, None, None)


def test_levels_stand_gravest_first_and_the_ungraded_last():
    found = measures.by_level([a_course(), a_course("low"), a_course("critical")], ("critical", "high", "low"))
    assert list(found) == ["critical", "low", ""]


def test_months_run_up_to_this_one_over_the_turn_of_the_year():
    assert measures.months_to(datetime(2026, 2, 3, tzinfo=UTC), 3) == [(2025, 12), (2026, 1), (2026, 2)]
    months = measures.by_month([at(0), at(1)], [at(0)], [(2026, 2), (2026, 3)])
    assert [(one.opened, one.closed) for one in months] == [(0, 0), (2, 1)]


def test_the_time_begins_with_a_month_of_the_readers_zone():
    since = Asked(3).since(datetime(2026, 2, 28, 23, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    assert since == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_laws_are_judged_by_what_was_met_in_time_late_and_is_overdue():
    done = [Done("A", timedelta(hours=2), late=False), Done("A", None, late=True), Done("B", None, late=False)]
    first, second, third = measures.kept(done, {"A": 1, "C": 1})
    assert (first.law, first.in_time, first.late, first.overdue, first.middle) == ("A", 1, 1, 1, timedelta(hours=2))
    assert first.share == pytest.approx(1 / 3)
    assert (second.share, third.share) == (1.0, 0.0)
    assert measures.total([first, second, third]).judged == 5
    assert measures.total([]).share is None


def test_the_spans_of_a_law_go_from_awareness_to_what_came_of_its_own_duties():
    told = Under(decided_at=at(2), reported_at=at(50), told_at=at(70), reports=True, tells=True)
    waits = Under(decided_at=at(4), reports=True)
    courses = [
        Course("INC-1", "", "", NOON, moments={"aware_at": at(0)}, laws={"A": told, "B": Under(decided_at=at(9))}),
        Course("INC-2", "", "", NOON, moments={"aware_at": at(0)}, laws={"A": waits}),
        Course("INC-3", "", "", NOON, laws={"A": told}),
    ]
    found = measures.under_laws(courses)
    assert found["A"] == {
        Span.DECIDE: Taken(2, 1, timedelta(hours=3), timedelta(hours=4)),
        Span.REPORT: Taken(1, 2, timedelta(hours=50), timedelta(hours=50)),
        Span.TELL: Taken(1, 1, timedelta(hours=70), timedelta(hours=70)),
    }
    assert found["B"] == {Span.DECIDE: Taken(1, 0, timedelta(hours=9), timedelta(hours=9))}
    assert measures.under_laws([]) == {}


def test_what_was_decided_before_awareness_as_recorded_is_not_counted():
    early = a_course(aware_at=at(5))
    course = Course(early.ref, "", "", NOON, moments=early.moments, laws={"A": Under(decided_at=at(4))})
    assert measures.under_laws([course])["A"][Span.DECIDE] == Taken(0, 1, None, None)


def test_a_law_that_is_only_waited_for_stands_behind_those_that_can_be_judged():
    waited = {"C": {Span.DECIDE: Taken(0, 3, None, None)}}
    first, last = measures.kept([Done("Z", None, late=False)], {}, waited)
    assert (first.law, first.spans) == ("Z", {})
    assert (last.law, last.judged, last.share, last.spans) == ("C", 0, None, waited["C"])


def test_every_person_of_a_channel_is_in_one_part_of_its_bar():
    counts = {("email", "delivered"): 5, ("email", "bounced"): 2, ("sms", "waiting"): 9, ("letter", "failed"): 0}
    sms, email = measures.carried(counts)
    assert (sms.channel, sms.under_way, sms.people) == ("sms", 9, 9)
    assert (email.reached, email.missed, email.people) == (5, 2, 7)


@pytest.mark.parametrize(("given", "field"), [({"months": "7"}, "months"), ({"kind": "drill"}, "kind")])
def test_a_wish_that_cannot_be_met_names_its_field(given, field):
    with pytest.raises(Invalid) as refused:
        measures.asked(given)
    assert refused.value.field == field


def test_lessons_are_counted_by_what_became_of_them_in_the_time_that_is_measured():
    found = measures.learnt(
        [
            ("adopted", at(10), at(34)),
            ("adopted", at(20), at(24)),
            ("adopted", at(-90), at(-50)),
            ("adopted", at(-90), at(2)),
            ("declined", at(5), None),
            ("declined", at(-5), None),
            ("proposed", at(-200), None),
            ("accepted", at(3), None),
        ],
        at(0),
    )
    assert (found.proposed, found.adopted, found.declined, found.waiting) == (4, 3, 1, 2)
    assert found.middle == timedelta(hours=24)
    assert measures.learnt([], at(0)).middle is None
