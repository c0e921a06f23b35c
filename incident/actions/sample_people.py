"""A list of made-up people for a drill, brought the way a real list is."""

import io
import random
from datetime import datetime
from pathlib import Path

from incident.actions import imports
from incident.domain.imports import Reading
from incident.exports import csv

ACTOR = "system"
PLACES = (
    ("DE", "", "de"),
    ("CN", "", "zh-Hans"),
    ("US", "CA", "en"),
    ("US", "TX", "en"),
    ("HK", "", "zh-Hans"),
    ("GB", "", "en"),
)
HEADER = ("Name", "E-mail", "Phone", "Street", "City", "Country", "State", "Language", "Customer number")
EXPOSED = ("name", "email", "phone", "address", "password_hash")


def bring(incident: str, count: int, *, folder: Path, now: datetime) -> str:
    """Upload the list and have it taken in; the reference of the import."""
    table = "".join(csv.rows(HEADER, people(count))).encode()
    listed = imports.upload(incident, io.BytesIO(table), name="sample-people.csv", folder=folder, actor=ACTOR, now=now)
    seen = imports.preview(incident, listed, folder=folder, actor=ACTOR)
    imports.start(
        incident,
        listed,
        Reading(targets=seen.guesses, exposed=EXPOSED),
        form=seen.form,
        has_header=seen.has_header,
        wave=0,
        wave_label="first list",
        folder=folder,
        actor=ACTOR,
        now=now,
    )
    return listed


def people(count: int) -> list[tuple[str, ...]]:
    """Made-up records under a name that nobody bears and a domain that nobody owns (RFC 2606); the same every time."""
    dice = random.Random(7)  # noqa: S311  (sample data, no secret)
    found: list[tuple[str, ...]] = []
    for number in range(1, count + 1):
        country, state, language = dice.choice(PLACES)
        mail = f"person{number}@example.org" if number % 19 else ("not an address" if number % 2 else "")
        phone = {"US": f"+1202555{number % 100 + 100:04d}", "GB": f"+4420794600{number % 100:02d}"}.get(country, "")
        found.append(
            (
                f"Sample Person {number}",
                mail,
                phone,
                f"Sample Street {number}",
                "Sampletown",
                country,
                state,
                language,
                f"C-{number:05d}",
            )
        )
    return found
