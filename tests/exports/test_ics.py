from datetime import UTC, datetime, timedelta

from icalendar import Calendar

from incident.exports.ics import Deadline, ics_bytes

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def events(*deadlines: Deadline) -> list:  # type: ignore[type-arg]
    return Calendar.from_ical(ics_bytes("INC-2026-0001", deadlines, NOON)).walk("VEVENT")


def test_deadlines_stand_soonest_first_in_utc_with_their_rule() -> None:
    later = Deadline("F-2", "Tell people", NOON + timedelta(days=30), "30 days from discovery")
    sooner = Deadline(
        "F-1", "Report to CNIL", NOON + timedelta(hours=72), "72 h from 6 March 12:00", "https://example.org/x"
    )
    first, second = events(later, sooner)
    assert (str(first["summary"]), str(second["description"])) == ("Report to CNIL", "30 days from discovery")
    assert first["dtstart"].to_ical() == b"20260309T120000Z"
    assert str(first["url"]) == "https://example.org/x"


def test_the_same_deadline_keeps_its_identity_so_that_a_calendar_moves_it() -> None:
    before, after = Deadline("F-1", "Report", NOON), Deadline("F-1", "Report", NOON + timedelta(hours=1))
    assert events(before)[0]["uid"] == events(after)[0]["uid"] == "F-1@tocsin"


def test_what_is_done_stays_without_an_alarm() -> None:
    [done], [due] = events(Deadline("F-1", "Report", NOON, done=True)), events(Deadline("F-1", "Report", NOON))
    assert (str(done["summary"]), len(done.walk("VALARM")), len(due.walk("VALARM"))) == ("✓ Report", 0, 2)


def test_what_is_lifted_is_cancelled_under_the_same_identity() -> None:
    [event] = events(Deadline("F-1", "Report", NOON, lifted=True, sequence=3))
    assert (str(event["status"]), event["sequence"], str(event["uid"])) == ("CANCELLED", 3, "F-1@tocsin")
    assert event.walk("VALARM") == []


def test_the_same_deadlines_are_the_same_bytes_whenever_they_are_asked_for() -> None:
    one = Deadline("F-1", "Report", NOON, changed_at=NOON)
    assert ics_bytes("x", [one], NOON) == ics_bytes("x", [one], NOON + timedelta(days=1))


def test_a_title_cannot_start_a_line_of_its_own() -> None:
    [event] = events(Deadline("F-1", "x\r\nATTENDEE:mailto:a@example.org", NOON))
    assert "attendee" not in event


def test_an_empty_calendar_is_still_one() -> None:
    assert events() == []
    assert Calendar.from_ical(ics_bytes("INC-2026-0001", [], NOON))["prodid"] == "-//Tocsin//Deadlines//EN"
