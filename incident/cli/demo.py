"""`tocsin demo`: a sample incident with its people and playbook, as a drill. Nothing of a drill leaves the sandbox."""

from datetime import datetime, timedelta

import click
from flask import current_app

from incident import clock, settings, start, work
from incident.actions import counts, intake, plans, sample_people

PEOPLE = 240


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
    sample_people.bring(ref, PEOPLE, folder=current_app.extensions["settings"].instance / "files", now=now)
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
