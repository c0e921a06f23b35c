"""The time zones a person can choose from."""

from zoneinfo import available_timezones

REGIONS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
ZONES = [
    ("UTC", "UTC"),
    *((key, key.replace("_", " ")) for key in sorted(available_timezones()) if key.split("/")[0] in REGIONS),
]
