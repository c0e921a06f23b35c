"""The time zones that this machine knows, looked up once."""

from zoneinfo import ZoneInfo, available_timezones

from incident.domain import zones


def test_every_zone_that_the_machine_has_is_known():
    assert zones.known() == available_timezones()
    assert ZoneInfo("Asia/Shanghai").key in zones.known()


def test_the_folder_of_zones_is_walked_once():
    assert zones.known() is zones.known()
