"""The time zones a person can choose from."""

from incident.domain.zones import known

REGIONS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
ZONES = [
    ("UTC", "UTC"),
    *((key, key.replace("_", " ")) for key in sorted(known()) if key.split("/")[0] in REGIONS),
]
