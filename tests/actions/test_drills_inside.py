"""Nothing of a drill leaves, whatever providers are set; and where the program were wrong, the database refuses."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from incident import work as background
from incident.actions import announcements, drills, enquiries, enquiry_mails, intake, media_copies, media_mails, outlets
from incident.actions.enquiring import Asker
from incident.actions.ledger import transaction
from incident.actions.notices import approved_version
from incident.domain.deliveries import Pace
from incident.domain.enquiries import Terms
from incident.store import announcements as pages
from incident.store import drills as rows
from incident.store import guards, incidents, mailbox
from incident.store.db import db
from incident.store.drills import Drill
from incident.web.reports import house_zone
from notifiers.memory import Memory
from tests.actions import reminding
from tests.actions.reminding import HALF, Pager
from tests.actions.waves import LEAD, NOW, Story, a_story
from tests.builders import a_notice, a_text, a_user, an_incident

LEASE = timedelta(seconds=60)
CHANNELS = ("email", "sms", "call", "letter", "push")


@dataclass
class Outside:
    """Every provider there can be, each remembering whatever it is given."""

    real: dict[str, Memory]
    pager: Pager

    def sent(self) -> list[object]:
        return [one for memory in (*self.real.values(), self.pager) for one in memory.sent]


@pytest.fixture
def outside(app) -> Outside:
    return Outside({word: Memory(word) for word in CHANNELS}, Pager("alert"))


def tell(story: Story) -> None:
    story.start(pace=Pace(at_any_hour=True))
    story.work()


def post(story: Story) -> str:
    """A public page, and a copy of it for a newsroom."""
    kinds = {"data_kinds": ["email"]}
    intake.record_facts(story.incident.ref, kinds, source="a test", confidence="high", actor=LEAD, now=NOW)
    ref = a_notice(
        story.incident, channels=("announcement",), stage="approved", texts=(a_text(subject="To all"),), now=NOW
    )
    outlet = outlets.keep(
        name="The Sample Herald", places=["DE"], language="en", email="news@herald.example.org", address="",
        actor=LEAD, now=NOW,
    )  # fmt: skip
    digest = approved_version(ref).digest
    media_copies.ask(
        story.incident.ref, ref, (outlet,), way="email", digest=digest, because="They live there.",
        channels=story.channels, actor=LEAD, now=NOW,
    )  # fmt: skip
    for copy in media_mails.due(NOW):
        media_mails.do(copy, story.channels, clock=story.clock, lease=LEASE)
    return announcements.publish(
        story.incident.ref, ref, digest=digest, starts_at=None, ends_at=None, actor=LEAD, now=NOW
    )


def be_asked(story: Story) -> None:
    """Somebody asks, and is answered by e-mail."""
    given = {
        "kind": "question",
        "source": "phone",
        "text": "Which data?",
        "who": Asker("Somebody", "asker@example.org"),
    }
    terms = Terms(10, 30, house_zone())
    ref = enquiries.take_in(story.incident.ref, **given, terms=terms, actor=LEAD, now=NOW)
    enquiries.answer(story.incident.ref, ref, text="Your name.", way="mail", simulated=False, actor=LEAD, now=NOW)
    for message in enquiry_mails.due(NOW):
        enquiry_mails.do(message, story.channels, clock=story.clock, lease=LEASE)


def be_reminded(outside: Outside, kind: str) -> str:
    """A duty whose half is over, with somebody in the lead and a pager for all."""
    case = reminding.a_case(a_user("lead").ref, kind=kind)
    reminding.a_target(outside.pager, level="owner")
    reminding.tick(HALF, reminding.ways(outside.real["email"], outside.real["sms"], outside.pager))
    return case.ref


def all_of_it(outside: Outside, kind: str) -> tuple[Story, str]:
    story = a_story(4, kind=kind, channels=("email", "sms", "letter"), only_phone=1, real=outside.real)
    tell(story)
    slug = post(story)
    be_asked(story)
    be_reminded(outside, kind)
    return story, slug


def test_nothing_of_a_drill_reaches_any_provider(outside):
    story, slug = all_of_it(outside, "drill")
    assert outside.sent() == []
    kept = [one.channel for one in mailbox.mailbox(story.incident.id, before=None, limit=50)]
    assert {"email", "sms"} <= set(kept), "all of it stands in the sandbox instead"
    assert story.counts() == {"simulated": 4}
    found = pages.by_slug(slug)
    assert found is not None
    assert (found.simulated, found.look_at) == (True, None)


def test_the_same_in_an_incident_that_happened_does_reach_them(outside):
    """So that the test above could fail."""
    all_of_it(outside, "incident")
    assert outside.real["email"].sent
    assert outside.real["sms"].sent
    assert outside.pager.sent


def test_the_database_refuses_that_something_of_a_drill_goes_out(outside):
    all_of_it(outside, "drill")
    for table in sorted(guards.INSIDE):
        refuses(table)


def refuses(table: str) -> None:
    """Rows of a drill in this table neither become real nor are added as such."""
    db.session.rollback()
    which = f"AND {guards.INSIDE[table].replace('NEW.', '')}" if guards.INSIDE[table] else ""
    drilled = f"incident_id IN (SELECT id FROM incident WHERE kind = 'drill') {which}"
    assert db.session.scalar(text(f"SELECT count(*) FROM {table} WHERE {drilled} AND simulated"))
    with pytest.raises(DBAPIError, match="a drill reaches nobody"):
        db.session.execute(text(f"UPDATE {table} SET simulated = false WHERE {drilled}"))
    db.session.rollback()
    columns = [column.name for column in db.metadata.tables[table].columns if column.name not in ("id", "simulated")]
    copied = ", ".join(f'"{name}"' for name in columns)
    with pytest.raises(DBAPIError, match="a drill reaches nobody"):
        db.session.execute(
            text(
                f"INSERT INTO {table} (id, simulated, {copied}) SELECT id + 1000, false, {copied}"
                f" FROM {table} WHERE {drilled} LIMIT 1"
            )
        )
    db.session.rollback()


def test_a_drill_never_becomes_an_incident_that_happened(app):
    drill, real = an_incident(kind="drill"), an_incident()
    with pytest.raises(DBAPIError, match="a drill stays a drill"):
        db.session.execute(text("UPDATE incident SET kind = 'incident' WHERE id = :id"), {"id": drill.id})
    db.session.rollback()
    db.session.execute(text("UPDATE incident SET title = 'Other', kind = 'near_miss' WHERE id = :id"), {"id": real.id})
    db.session.rollback()


# ---------------------------------------------------------------- what its sandbox pretends


def an_exercise(story: Story, life: dict[str, int]) -> None:
    with transaction(LEAD, NOW) as ledger:
        drill = Drill(incident_id=story.incident.id, scenario="lost_laptop", digest="0" * 64, factor=12, began_at=NOW)
        drill.script, drill.facilitator, drill.pauses, drill.outcome = {"expected": [], "minutes": 60}, LEAD, [], {}
        drill.life = life
        db.session.add(drill)
        ledger.write("drill.started", story.incident.ref, incident=story.incident.ref)


FAULTS = {"seed": 3, "bounced": 100, "blocked": 0, "complained": 0, "late_bounced": 0, "answered": 0, "minutes": 60}


def test_the_sandbox_of_an_exercise_pretends_what_its_scenario_says_whoever_sends(outside):
    story = a_story(3, kind="drill", real=outside.real)
    an_exercise(story, FAULTS)
    story.start()
    assert story.row().life == FAULTS | {"minutes": 5}, "as much faster as the drill is"
    story.work()
    story.clock.move(minutes=6)
    for ref in background.BY_NAME["sandbox.live"].due(story.clock()):
        background.BY_NAME["sandbox.live"].do(ref, story.clock())
    assert story.row().pretended == {"bounced": 3}
    assert outside.sent() == []


def test_a_providers_trouble_holds_from_the_moment_it_comes_in(app):
    ref = drills.start(
        "ransomware", factor=24, house=None, folder=app.extensions["settings"].instance / "files", actor=LEAD, now=NOW
    )
    case = incidents.by_ref(ref)
    assert rows.life_of(case)["blocked"] == 2
    trouble = next(one for one in rows.injects(case.id) if one.key == "mails_fail")
    drills.let_in(ref, trouble.ref, actor=LEAD, now=NOW)
    db.session.rollback()
    assert rows.life_of(case)["blocked"] == 25
