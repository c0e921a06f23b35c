"""The time line of duties: nearer things stand further left, nothing hides, and the table holds the same."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from incident.domain.access import Role
from incident.web import dutyplot
from tests.builders import an_incident

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def somewhere(monkeypatch):
    """The plot outside of a request: addresses are of no matter here."""
    monkeypatch.setattr(dutyplot, "url_for", lambda *_, **said: f"/{said.get('ref', '')}")
    monkeypatch.setattr(dutyplot, "g", SimpleNamespace(incident=SimpleNamespace(ref="INC-1")))


def finding(duty="EU-GDPR/tell-authority", hours=24.0, **more):
    due = NOW + timedelta(hours=hours)
    said = {"standing": "owed", "state": "proposed", "clock": "running", "to": "authority", "met_at": None}
    said |= {"title": duty, "late_seconds": None, "due_at": due, "wave": ""}
    return SimpleNamespace(law=duty.split("/")[0], duty=duty, ref=f"{duty}-{hours}", **{**said, **more})


def dots(plot):
    return [dot for lane in plot.lanes for dot in lane.dots]


def test_nothing_with_a_time_draws_nothing():
    assert dutyplot.drawn([], NOW, BERLIN) is None
    assert dutyplot.drawn([finding(due_at=None, clock="none_in_law")], NOW, BERLIN) is None
    assert dutyplot.drawn([finding(standing="not_owed")], NOW, BERLIN) is None


def test_a_later_moment_never_stands_further_left():
    hours = [-9000, -200, -30, -1, 0, 1, 23, 25, 71, 73, 160, 200, 700, 800, 2000, 9000]
    places = [dutyplot._x(NOW + timedelta(hours=gap), NOW) for gap in hours]
    assert places == sorted(places)
    assert min(places) >= dutyplot.LEFT
    assert max(places) <= dutyplot.RIGHT


def test_what_is_over_stands_left_of_now_however_short_a_time_ago():
    plot = dutyplot.drawn([finding(hours=-0.1)], NOW, BERLIN)
    assert dots(plot)[0].x < plot.now_x - 8
    assert dots(plot)[0].mark.look == "late"


def test_stages_of_one_law_are_joined_and_named():
    plot = dutyplot.drawn(
        [finding("EU-NIS2/early-warning", 24), finding("EU-NIS2/incident-notification", 72)], NOW, BERLIN
    )
    (lane,) = plot.lanes
    assert lane.joined == (lane.dots[0].x, lane.dots[1].x)
    assert lane.dots[0].stage == "early"


def test_states_of_one_country_share_a_row_and_dots_that_fall_together_show_a_figure():
    rows = [finding(f"US-{state}/tell-people", 24 * 30, to="individuals") for state in ("TX", "FL", "WA")]
    plot = dutyplot.drawn(rows, NOW, BERLIN)
    (lane,) = plot.lanes
    assert lane.label == "US states: people"
    assert [dot.number for dot in lane.dots] == [3]
    assert lane.joined is None


def test_no_two_dots_of_a_row_cover_each_other():
    rows = [finding(f"US-{state}/tell-people", 100 + 8 * n) for n, state in enumerate(("TX", "FL", "WA", "GA", "OH"))]
    found = sorted(dot.x for dot in dots(dutyplot.drawn(rows, NOW, BERLIN)))
    assert all(right - left >= dutyplot.NEAR for left, right in pairwise(found))


def test_what_is_over_is_never_pushed_over_now():
    rows = [finding(f"EU-NIS2/{n}", -1 - n, to=to) for n, to in enumerate(("authority", "individuals", "ourselves"))]
    plot = dutyplot.drawn([*rows, finding("EU-NIS2/next", 0.1)], NOW, BERLIN)
    found = [dot.x for dot in dots(plot)]
    assert found == sorted(found)
    assert [x < plot.now_x for x in found] == [True, True, True, False]
    assert all(right - left >= dutyplot.NEAR for left, right in pairwise(found))


def test_a_hold_is_hatched_from_now_on():
    held = finding(clock="on_hold", due_at=None, to="individuals")
    (lane,) = dutyplot.drawn([held], NOW, BERLIN).lanes
    assert lane.hold is not None
    assert lane.hold[0] < lane.hold[1]
    assert lane.dots == []


def test_what_has_no_room_is_counted_and_what_has_no_time_too():
    laws = [
        "EU-GDPR",
        "UK-GDPR",
        "JP-APPI",
        "KR-PIPA",
        "SG-PDPA",
        "EU-NIS2",
        "BR-LGPD",
        "CH-FADP",
        "AU-NDB",
        "HK-PDPO",
        "TR-KVKK",
    ]
    rows = [finding(f"{law}/tell-authority", 24 + n) for n, law in enumerate(laws)]
    rows.append(finding(due_at=None, clock="none_in_law"))
    plot = dutyplot.drawn(rows, NOW, BERLIN)
    assert len(plot.lanes) == dutyplot.MOST_LANES
    assert plot.further == len(laws) - dutyplot.MOST_LANES
    assert plot.timeless == 1


def test_the_table_holds_every_mark_in_the_order_of_time():
    rows = [finding(hours=72), finding("UK-GDPR/tell-authority", 24), finding("JP-APPI/final", -5)]
    plot = dutyplot.drawn(rows, NOW, BERLIN)
    assert [line.at for line in plot.table] == sorted(row.due_at for row in rows)
    assert next(day for day, _ in plot.days) == "Its time is over"


def test_the_drawing_has_a_title_a_description_and_the_same_as_a_table(as_, monkeypatch):
    monkeypatch.undo()
    incident = an_incident(
        facts={
            "personal_data": True,
            "residents": {"DE": 5},
            "role": "controller",
            "risk_to_people": "risk",
            "aware_at": "2026-11-21T10:00:00Z",
        }
    )
    text = as_(Role.LEAD).get(f"/incidents/{incident.ref}/duties/").text
    drawing = re.search(r"<svg.*?</svg>", text, re.DOTALL)[0]
    assert "<title" in drawing
    assert "<desc" in drawing
    assert "style=" not in drawing
    assert "now" in drawing
    assert "The same as a table" in text


@pytest.mark.parametrize("tag", ["en", "zh-Hans"])
def test_dates_under_the_plot_leave_room_for_the_next_one(app, tag):
    """In letters of 11 px, where a Chinese one is as wide as high and any other some six tenths of it."""
    with app.test_request_context(headers={"Accept-Language": tag}):
        ticks = dutyplot.drawn([finding()], NOW, BERLIN).ticks
    wide = [sum(11 if ord(letter) > 0x2E7F else 6.4 for letter in date) for _, _, date in ticks]
    for (left, _, _), (right, _, _), one, other in zip(ticks, ticks[1:], wide, wide[1:], strict=False):
        assert right - left > (one + other) / 2, tag
