"""Duties over all incidents: by when they are due, and each stretch of time as a list."""

import html
import re
from datetime import timedelta

import pytest

from incident import clock
from incident.domain.access import Role
from incident.store import obligations as rows
from incident.web import duties
from tests.builders import an_incident
from tests.web.test_obligations import facts, page


def test_duties_over_all_incidents_soonest_first(as_):
    late = an_incident(title="The late one", facts=facts(risk_to_people="risk", aware_at="2026-01-05T10:00:00Z"))
    an_incident(title="The fresh one", facts=facts(risk_to_people="risk"))
    text = page(as_(Role.LEAD), "/duties/")
    assert text.index(late.ref) < text.index("The fresh one")
    assert "late" in text
    assert "Open" in page(as_(Role.LEAD), "/duties/?only=open")


@pytest.mark.parametrize("after", ["x", "2026-01-01,5", ",", "2026-13-01T00:00:00+00:00,1"])
def test_a_made_up_place_in_the_list_is_refused(as_, after):
    assert as_(Role.LEAD).get("/duties/", query_string={"after": after}).status_code == 422


def _refs(text):
    return re.findall(r'<(?:div class="entry[^"]*"|li) id="(D-[^"]+)"', text)


def _all_of(browser, address):
    """The duties of a list, page by page."""
    seen, rounds = [], 0
    while address:
        text = page(browser, address)
        seen += _refs(text)
        rounds += 1
        nav = text.split('class="pager"')[1].split("</nav>")[0] if "Show more" in text else ""
        address = html.unescape(nav.split('href="')[-1].split('"')[0]) if nav else ""
    assert len(seen) == len(set(seen))
    return seen, rounds


def _many():
    """Incidents with duties that are late, due within a day, a week and later, and such without a time."""
    everywhere = {"residents": {"DE": 1, "GB": 1, "CN": 1, "BR": 1}, "minors": True}
    for hours in (200, 60, 40, 1):
        aware = (clock.now() - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
        an_incident(facts={**facts(risk_to_people="high", aware_at=aware), **everywhere})
    return [row for number in range(1, 5) for row in rows.current(number).values() if row.standing in rows.ACTIVE]


def test_duties_over_all_incidents_stand_by_when_they_are_due_and_far_ones_are_folded(as_):
    _many()
    text = page(as_(Role.LEAD), "/duties/")
    names = re.findall(r'<(section|details)[^>]* id="(late|day|week|later|timeless)"', text)
    assert names == [
        ("section", "late"),
        ("section", "day"),
        ("section", "week"),
        ("details", "later"),
        ("details", "timeless"),
    ]
    assert len(_refs(text.split('id="late"')[1].split('id="day"')[0])) == 3
    assert 'href="/duties/?when=late"' in text
    assert re.search(r"more of this incident</summary>", text)


def test_each_stretch_of_time_has_a_list_of_its_own_and_together_they_hold_every_duty(as_, monkeypatch):
    monkeypatch.setattr(duties, "PAGE", 7)
    every, browser = _many(), as_(Role.LEAD)
    found, rounds = [], []
    for when in duties.SPANS:
        seen, count = _all_of(browser, f"/duties/?when={when}")
        found += seen
        rounds.append(count)
    assert sorted(found) == sorted(row.ref for row in every)
    assert max(rounds) > 1
    late = {row.ref for row in every if row.due_at and row.due_at < clock.now()}
    assert set(_all_of(browser, "/duties/?when=late")[0]) == late
    assert _all_of(browser, "/duties/?when=never")[0] == _refs(page(browser, "/duties/"))


def test_a_place_in_the_whole_list_that_was_kept_before_still_leads_on(as_):
    every, browser = _many(), as_(Role.LEAD)
    first = min((row for row in every if row.due_at), key=lambda row: (row.due_at, row.id))
    rest = _refs(page(browser, f"/duties/?after={first.due_at.isoformat().replace('+', '%2B')},{first.id}"))
    assert first.ref not in rest
    assert len(rest) == min(duties.PAGE, len(every) - 1)


def test_a_duty_of_a_drill_says_so_in_the_readers_language(as_):
    an_incident(kind="drill", facts=facts(risk_to_people="risk"))
    text = page(as_(Role.LEAD), "/duties/")
    assert '<span class="tag tag--open">drill</span>' in re.sub(r" +>", ">", text)
