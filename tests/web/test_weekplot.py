from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from incident.web.weekplot import MOST_ROWS, Mark, drawn

NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def _mark(hours: float, incident: str = "INC-1") -> Mark:
    return Mark(incident, NOW + timedelta(hours=hours), "report", "far", "w", "/x")


def test_nothing_due_draws_nothing():
    assert drawn([], NOW, BERLIN) is None
    assert drawn([_mark(24 * 30)], NOW, BERLIN) is None


def test_what_is_later_stands_further_right():
    plot = drawn([_mark(1), _mark(40), _mark(-3)], NOW, BERLIN)
    xs = [dot.x for dot in plot.dots]
    assert xs == sorted(xs)
    assert xs[0] < plot.now_x < xs[1]


def test_what_is_long_late_stands_at_the_left_edge_and_is_not_lost():
    plot = drawn([_mark(-24 * 9)], NOW, BERLIN)
    assert plot.dots[0].x == plot.columns[0][0]


def test_what_is_long_late_pushes_nothing_out_that_can_still_be_kept():
    old = [_mark(-24 * days, f"INC-old-{days}") for days in range(9, 9 + MOST_ROWS)]
    plot = drawn([*old, _mark(30, "INC-new")], NOW, BERLIN)
    assert [ref for _, ref in plot.rows][:2] == ["INC-new", "INC-old-9"]
    assert (len(plot.earlier), [len(marks) for _, marks in plot.days]) == (MOST_ROWS, [1])


def test_rows_beyond_the_plot_are_counted_and_stay_in_the_list():
    plot = drawn([_mark(n, f"INC-{n}") for n in range(1, MOST_ROWS + 3)], NOW, BERLIN)
    assert (len(plot.rows), plot.beyond) == (MOST_ROWS, 2)
    assert sum(len(marks) for _, marks in plot.days) == MOST_ROWS + 2


def test_kinds_due_at_one_moment_hide_each_other_nowhere():
    same = [
        Mark("INC-1", NOW + timedelta(hours=5), kind, "far", "w", "/x")
        for kind in ("report", "people", "other", "step")
    ]
    heights = sorted(dot.y for dot in drawn(same, NOW, BERLIN).dots)
    assert all(lower - upper >= 12 for upper, lower in pairwise(heights))
    assert len(heights) == 4
