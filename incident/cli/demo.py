"""`tocsin demo`: a sample incident with its people and playbook, as a drill. Nothing of a drill leaves the sandbox."""

import io
import random
from datetime import datetime, timedelta

import click
from flask import current_app

from incident import clock, settings, start, work
from incident.actions import counts, imports, intake, plans
from incident.domain.imports import Reading
from incident.exports import csv

PEOPLE = 240
PLACES = (
    ("DE", "", "de"),
    ("CN", "", "zh-Hans"),
    ("US", "CA", "en"),
    ("US", "TX", "en"),
    ("HK", "", "zh-Hans"),
    ("GB", "", "en"),
)
HEADER = ("Name", "E-mail", "Phone", "Street", "City", "Country", "State", "Language", "Customer number")


@click.command()
def demo() -> None:
    """Load a sample incident with its people and playbook, as a drill."""
    app = start.without_pages(settings.load())
    with app.app_context():
        ref = load(clock.now())
    click.echo(f"{ref} is loaded, as a drill: {app.extensions['settings'].base_url}/incidents/{ref}")


def load(now: datetime) -> str:
    """The sample incident with its people and playbook; its reference."""
    ref = intake.log(
        kind="drill",
        title="Sample: customer database copied through a forgotten backup host",
        facts=_facts(now),
        source="sample",
        confidence="high",
        actor="system",
        now=now,
    )
    plans.activate(ref, "data_leak", actor="system", now=now)
    _bring_people(ref, now)
    work.once()
    intake.record_facts(
        ref, counts.of(ref).facts(), source="sample list", confidence="high", actor="system", now=clock.now()
    )
    return ref


def _facts(now: datetime) -> dict[str, object]:
    def at(hours: float) -> str:
        return (now - timedelta(hours=hours)).replace(microsecond=0).isoformat()

    return {
        "what_happened": "A backup host that could be reached from outside held a copy of the customer database. Its log shows one full download.",
        "category": "data_leak",
        "systems": ["backup host", "customer database"],
        "properties": ["confidentiality"],
        "malicious": True,
        "how_found": "monitoring",
        "occurred_from": at(200),
        "noticed_at": at(30),
        "aware_at": at(26),
        "personal_data": True,
        "data_kinds": ["name", "email", "phone", "address", "password_hash"],
        "people_categories": ["customers"],
        "role": "controller",
        "establishments": ["DE"],
        "entity": [],
        "operator": "general",
        "exfiltration": "confirmed",
        "encryption": "none",
        "risk_to_people": "high",
    }


def _bring_people(ref: str, now: datetime) -> None:
    folder = current_app.extensions["settings"].instance / "files"
    table = "".join(csv.rows(HEADER, _people())).encode()
    listed = imports.upload(ref, io.BytesIO(table), name="sample-people.csv", folder=folder, actor="system", now=now)
    seen = imports.preview(ref, listed, folder=folder, actor="system")
    reading = Reading(targets=seen.guesses, exposed=("name", "email", "phone", "address", "password_hash"))
    imports.start(
        ref,
        listed,
        reading,
        form=seen.form,
        has_header=seen.has_header,
        wave=0,
        wave_label="first list",
        folder=folder,
        actor="system",
        now=now,
    )


def _people() -> list[tuple[str, ...]]:
    """Made-up records under a name that nobody bears and a domain that nobody owns (RFC 2606); the same every time."""
    dice = random.Random(7)  # noqa: S311  (sample data, no secret)
    found: list[tuple[str, ...]] = []
    for number in range(1, PEOPLE + 1):
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
