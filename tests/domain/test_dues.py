from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from incident.domain import obligations as rules
from incident.domain.clock import Calendar
from incident.domain.facts import Facts
from incident.domain.lawbook import Lawbook
from tests.made_up_laws import a_duty, a_law_file, law_of

LAW = a_law_file(
    a_duty(
        "people",
        to="individuals",
        deadline="",
        more="""
[duty.deadline]
from = "determined_at"
calendar_days = 30
cap = { from = "aware_at", calendar_days = 30 }
extension = { from = "good_cause_letter_at", calendar_days = 15 }
""",
    )
)
DETERMINED = datetime(2026, 10, 20, 15, tzinfo=UTC)
AWARE = datetime(2026, 10, 10, 15, tzinfo=UTC)
LAST_OF_NOVEMBER_9 = datetime(2026, 11, 9, 22, 59, 59, tzinfo=UTC)
LAST_OF_NOVEMBER_24 = datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC)


def due(**facts):
    held = Facts({"residents": {"FR": 1}, "determined_at": DETERMINED, "aware_at": AWARE, **facts})
    book = Lawbook({"XX": law_of(LAW)})
    found = rules.found(held, book, lambda _: Calendar("FR", ZoneInfo("Europe/Paris")), date(2026, 11, 22), {})
    return rules.by_ref(found)["XX/people"].clock.due


def test_more_time_for_good_cause_is_added_to_the_limit_that_the_cap_has_shortened():
    assert due() == LAST_OF_NOVEMBER_9
    assert due(good_cause_letter_at=datetime(2026, 11, 9, 8, tzinfo=UTC)) == LAST_OF_NOVEMBER_24


def test_a_reason_given_after_the_shortened_limit_has_ended_adds_nothing():
    assert due(good_cause_letter_at=datetime(2026, 11, 10, 8, tzinfo=UTC)) == LAST_OF_NOVEMBER_9
