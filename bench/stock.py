"""A large installation to look at and to measure: incidents of the last year and a list of people, kept in a folder of its own.

A few incidents are logged as anybody would; the others are copies of their rows. One has a list of all the people, fifty have
one person each. Made once: a folder that holds one is used as it is, brought up to the program's database first.
"""

import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from sqlalchemy import Table, literal, select

from bench import ground
from incident import clock, start
from incident.actions import intake, obligations, people
from incident.settings import Settings
from incident.store import incidents as incident_rows
from incident.store import obligations as findings
from incident.store import users
from incident.store.db import db
from tests.builders import a_session, a_user

LOGGED, WITH_ONE = 60, 50
COPIED = ("incident", "fact", "finding", "grade", "assessment")
NOTE = "stock.json"
TITLES = (
    "Customer export on a public bucket",
    "Mail to the wrong list",
    "Laptop lost on a train",
    "Ransomware on a file server",
    "Payroll seen by a contractor",
    "Backup found at a reseller",
)
CATEGORIES = ("data_leak", "misdirected", "lost_device", "ransomware", "insider", "data_leak")
KINDS = ("incident", "incident", "incident", "near_miss", "incident", "drill")
HOURS_TO_SEE, HOURS_TO_STOP, HOURS_TO_TELL = 400, 50, 40


@dataclass(frozen=True)
class Stock:
    """What there is: who looks at it, the incidents that were logged, the one with the people, and their list."""

    user: str
    refs: list[str]
    crowd: str
    listed: str


@contextmanager
def opened(folder: Path, incidents: int, crowd: int) -> Iterator[tuple[APIFlask, Stock]]:
    """The application over this folder inside its context, filled first if it is empty. A half-made one is made anew."""
    if folder.exists() and any(folder.iterdir()) and not (folder / NOTE).exists():
        shutil.rmtree(folder)
    app = start.prepare(Settings(instance=folder, test_mode=True))
    with app.app_context():
        note = folder / NOTE
        if not note.exists():
            note.write_text(json.dumps(asdict(_filled(folder, incidents, crowd))))
        yield app, Stock(**json.loads(note.read_text()))


def signed_in(ref: str) -> str:
    """A new session of this person; the secret that its cookie holds."""
    user = users.by_ref(ref)
    assert user is not None
    return a_session(user)


def _filled(folder: Path, incidents: int, crowd: int) -> Stock:
    user = a_user(
        "lead", "privacy", "responder", "approver", "administrator", name="Lead on duty", zone="Europe/Berlin"
    )
    chance = random.Random(5)
    refs = [_log(user.ref, number, chance) for number in range(LOGGED)]
    for ref in refs[:WITH_ONE]:
        given = {"name": "Somebody", "email": f"{ref}@example.org", "place": "DE", "exposed": "email"}
        people.add(ref, given, actor=user.ref, now=clock.now())
    copies = max(0, incidents - LOGGED - 1) // LOGGED
    with db.engine.execution_options(tocsin_write=True).begin() as connection:
        for number in range(1, copies + 1):
            for name in COPIED:
                connection.execute(_copied(db.metadata.tables[name], number))
    with_people = ground.imported(crowd, folder)
    row = incident_rows.by_ref(with_people)
    assert row is not None
    listed = db.session.scalar(select(db.metadata.tables["person_import"].c.ref).where(literal(row.id) == _owner()))
    return Stock(user.ref, refs, with_people, str(listed))


def _owner() -> Any:
    return db.metadata.tables["person_import"].c.incident_id


def _log(actor: str, number: int, chance: random.Random) -> str:
    """One incident some time in the last year, of which some duties were met, and which is perhaps closed."""
    at = clock.now() - timedelta(hours=2.4 * (LOGGED - 1 - number) ** 2 + 3)
    facts = {
        "what_happened": "As its title says",
        "category": CATEGORIES[number % len(CATEGORIES)],
        "personal_data": "yes",
        "role": "controller",
        "establishments": ["DE"],
        "data_kinds": ["email", "name"],
        "people_count": 1200,
        "risk_to_people": ("high", "risk", "unlikely")[number % 3],
        "residents": {"DE": chance.randint(1, 9000), "US-TX": 200},
        "occurred_from": _stamp(at - timedelta(hours=chance.expovariate(1 / HOURS_TO_SEE))),
        "aware_at": _stamp(at),
        "contained_at": _stamp(at + timedelta(hours=chance.expovariate(1 / HOURS_TO_STOP))),
    }
    title, kind = f"{TITLES[number % len(TITLES)]}, number {number}", KINDS[number % len(KINDS)]
    said: Any = {"source": "a bench", "confidence": "high", "actor": actor, "now": at}
    ref = intake.log(kind=kind, title=title, facts=facts, **said)
    _meet(ref, actor, at, chance)
    return ref


def _meet(ref: str, actor: str, at: datetime, chance: random.Random) -> None:
    row = incident_rows.by_ref(ref)
    assert row is not None
    for finding in list(findings.pending(row.id)):
        when = min(clock.now(), at + timedelta(hours=chance.expovariate(1 / HOURS_TO_TELL)))
        if finding.standing == "owed" and chance.random() < 0.7:
            obligations.mark_met(ref, finding.ref, met_at=when, reference="R-1", actor=actor, now=clock.now())


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _copied(table: Table, number: int) -> Any:
    """The rows of what was logged once more, under numbers and references of their own."""
    apart = number * 1_000_000
    shifted = {"id": apart, "incident_id": apart} if table.name != "incident" else {"id": apart}
    columns = [column for column in table.columns if column.name != "sealed"]
    values = [
        column + shifted[column.name]
        if column.name in shifted
        else column.concat(f"-{number}")
        if column.name == "ref"
        else column
        for column in columns
    ]
    key = table.c.id if table.name == "incident" else table.c.incident_id
    rows = select(*values).where(key < literal(1_000_000))
    return table.insert().from_select([column.name for column in columns], rows)
