"""An incident with something in every room, so that a test can ask for each thing by its own address and by a stranger's."""

import io
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from incident import clock
from incident.actions import (
    announcements,
    asks,
    checkpoints,
    closing,
    dispatch,
    drills,
    duplicates,
    emergencies,
    enquiries,
    erasing,
    evidence,
    imports,
    improvements,
    intake,
    lessons,
    letters,
    media_copies,
    members,
    outlets,
    people,
    plans,
    preflight,
    remedies,
    reports,
    returned,
    reviews,
    sending,
    tip_triage,
    vulnerabilities,
    webhooks,
)
from incident.actions.asks import Wanted
from incident.actions.enquiring import Asker
from incident.actions.ledger import transaction
from incident.actions.letters import Paper
from incident.actions.notices import approved_version
from incident.actions.tips import Upload
from incident.domain.access import Role
from incident.domain.deliveries import Pace
from incident.domain.enquiries import Terms
from incident.store import deliveries, dispatches, holdings, mailbox, obligations, separation
from incident.store import letters as letter_rows
from incident.store import outlets as outlet_rows
from incident.store import plans as plan_rows
from incident.store import reviews as review_rows
from incident.store import tips as tip_rows
from incident.store.db import db, new_ref
from incident.store.drills import Drill, DrillInject, DrillRemark
from incident.store.incidents import Incident
from incident.web.reports import house_zone
from notifiers.by_hand import ByHand
from notifiers.contract import Channels
from notifiers.memory import Memory
from notifiers.print_letters import PrintLetters
from notifiers.webhook import Webhooks
from tests.actions.waves import SANDBOX
from tests.builders import a_notice, a_text, a_user, an_incident
from tests.tips import a_report, the_tip

FACTS = {
    "what_happened": "Unspoken words",
    "personal_data": "yes",
    "data_kinds": ["email"],
    "aware_at": "2026-11-20T09:00:00Z",
    "residents": {"DE": 600},
    "risk_to_people": "high",
}
REAL = Channels({"call": ByHand(), "letter": PrintLetters()}, SANDBOX)


@dataclass
class House:
    """The incident, and the reference of one thing of each kind, by `blueprint argument` or the argument alone."""

    incident: Incident
    folder: Path
    actor: str
    things: dict[str, str | int] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    """What belongs to no incident, or to an exercise of its own, by `endpoint argument` or `blueprint argument`."""

    def thing(self, blueprint: str, argument: str) -> str | int | None:
        """What stands for this argument in an address of this blueprint; None where it names no thing of an incident."""
        room = blueprint.removeprefix("api_")
        return self.things.get(f"{room} {argument}", self.things.get(argument))

    def rows(self) -> dict[str, int]:
        """How many rows each table holds of the incident."""
        tables = [*holdings.HELD, *holdings.LEFT_OUT]
        ways = holdings.HELD | {name: way for name, (way, _) in holdings.LEFT_OUT.items()}
        return {name: _count(name, ways[name], self.incident.id) for name in tables}


def _count(name: str, way: str, incident_id: int) -> int:
    query = select(db.func.count()).select_from(db.metadata.tables[name])
    return db.session.scalar(holdings._of(db.metadata.tables[name], way, incident_id, query)) or 0


def a_full_house(folder: Path) -> House:
    """A restricted incident with evidence, people, notices, sendings by every way, letters, calls, reports and pages."""
    actor = a_user("lead").ref
    house = House(an_incident(title="Unspoken", facts=FACTS), folder, actor)
    for furnish in (
        _facts,
        _people,
        _notices,
        _sent,
        _called,
        _posted,
        _public,
        _reports,
        _asked,
        _reported,
        _opened,
        _learnt,
        _offered,
        _systems_asked,
        _to_be_erased,
        _drilled,
        _exercised,
        _of_the_house,
    ):
        furnish(house)
        db.session.rollback()
    return house


def _facts(house: House) -> None:
    ref, now = house.incident.ref, clock.now()
    intake.add_note(ref, "Unspoken note", actor=house.actor, now=now)
    piece = evidence.bring(
        ref,
        io.BytesIO(b"Unspoken bytes"),
        name="unspoken.log",
        brought_by="Somebody",
        description="Unspoken",
        folder=house.folder,
        actor=house.actor,
        now=now,
    )
    plans.activate(ref, "data_leak", actor=house.actor, now=now)
    step = plan_rows.steps(house.incident.id)[0].ref
    duty = obligations.pending(house.incident.id)[0].ref
    house.things |= {"piece": piece, "step": step, "obligations ref": duty, "reminders ref": duty}


def _offered(house: House) -> None:
    """A remedy with a code."""
    ref, now = house.incident.ref, clock.now()
    offer = {"name": "Unspoken remedy", "services": ["voucher"]}
    remedy = remedies.offer(ref, offer, actor=house.actor, now=now)
    remedies.bring(ref, remedy, io.BytesIO(b"UNSPOKEN-1"), actor=house.actor, now=now)
    house.things |= {"remedies ref": remedy}


def _systems_asked(house: House) -> None:
    """A system of the house that was asked to do something for the people on the list."""
    ref, now = house.incident.ref, clock.now()
    given = {"name": "Unspoken Account", "reference": "C-1", "place": "DE", "exposed": "email"}
    people.add(ref, given, actor=house.actor, now=now)
    sender = Webhooks(allow="loopback")
    endpoint, _ = webhooks.set_up(
        "Accounts", "http://127.0.0.1:9/in", ["ask.*"], hears_restricted=True, sender=sender, actor=house.actor, now=now
    )
    house.elsewhere["webhooks ref"] = endpoint
    house.things |= {
        "asks ref": asks.ask(ref, Wanted(endpoint, "end_sessions", 1), actor=house.actor, now=now),
        "asks batch": 1,
    }


def _reported(house: House) -> None:
    """A report from outside that belongs to the incident, with a file, a message and an answer by e-mail."""
    upload = Upload("unspoken.png", io.BytesIO(b"Unspoken bytes"))
    received = a_report(folder=house.folder, uploads=(upload,), email="unspoken@example.org", where="Unspoken place")
    tip_triage.answer(received.ref, "Unspoken answer", settle=False, actor=house.actor, now=clock.now())
    tip_triage.join(received.ref, house.incident.ref, [], actor=house.actor, now=clock.now())
    [file] = tip_rows.files(the_tip(received.ref))
    house.things |= {"tip": received.ref, "tips file": file.ref, "tip_pages language": "en", "tip_pages kind": "leak"}


def _learnt(house: House) -> None:
    """A review with its meeting and a moment, an improvement that was moved, and a lesson."""
    ref, by = house.incident.ref, {"actor": house.actor, "now": clock.now()}
    soon = clock.now() + timedelta(days=3)
    answers = dict.fromkeys(("went_well", "went_badly", "root_cause", "lessons", "measures"), "Unspoken words")
    closing.write_review(ref, answers, factors=["by.processes"], **by)
    reviews.plan_meeting(ref, at=soon, people=[house.actor], **by)
    reviews.add_moments(ref, [reviews.Moment(clock.now() - timedelta(hours=1), "Unspoken moment")], **by)
    improvement = improvements.add(ref, "Unspoken improvement", owner=house.actor, due_at=soon, **by)
    improvements.move(ref, improvement, due_at=soon + timedelta(days=1), reason="Unspoken reason", **by)
    told = {"title": "Unspoken lesson", "why": "Unspoken words", "kind": "practice"}
    house.things["lessons ref"] = lessons.propose(ref, told, **by)
    house.things["improvement ref"] = improvement
    house.things["moment"] = review_rows.moments(house.incident.id)[0].ref


def _people(house: House) -> None:
    ref, now = house.incident.ref, clock.now()
    given = {"name": "Unspoken Person", "email": "person@example.org", "place": "DE", "exposed": "email"}
    address = {"address": "Example Street 1\n10117 Berlin", "phone": "+4915112345001"}
    person = people.add(ref, given | address, actor=house.actor, now=now)
    people.add(ref, given, actor=house.actor, now=now)
    listed = imports.upload(
        ref, io.BytesIO(b"name\nJo\n"), name="unspoken.csv", folder=house.folder, actor=house.actor, now=now
    )
    pair = duplicates.to_decide(ref)[0].id
    house.things |= {"person": person, "pair": pair, "imports ref": listed, "imports number": 1, "people number": 1}


def _notices(house: House) -> None:
    draft = a_notice(house.incident, author=house.actor)
    preflight.ask(house.incident.ref, draft, actor=house.actor, now=clock.now())
    for room in ("notices", "notice_languages", "preflights", "announcements", "media"):
        house.things[f"{room} ref"] = draft


def _sent(house: House) -> None:
    """A sending in the sandbox, which leaves deliveries and messages."""
    notice = a_notice(house.incident, channels=("email",), stage="approved")
    ref = _started(house, notice, Channels({}, SANDBOX), only_sandbox=True)
    row = dispatches.anywhere(ref)
    assert row is not None
    attempt = deliveries.page(row.id, limit=1)[0].ref
    message = mailbox.mailbox(house.incident.id, before=None, limit=1)[0].ref
    house.things |= {"dispatch": ref, "sending": ref, "attempt": attempt, "message": message, "notice": notice}


def _asked(house: House) -> None:
    """What somebody asked by telephone."""
    terms = Terms(10, 30, house_zone())
    given = {"kind": "question", "source": "phone", "text": "Unspoken question", "who": Asker("Unspoken Asker")}
    house.things["enquiries ref"] = house.things["all_enquiries ref"] = enquiries.take_in(
        house.incident.ref, **given, terms=terms, actor=house.actor, now=clock.now()
    )


def _called(house: House) -> None:
    ref = _started(house, a_notice(house.incident, channels=("call",), stage="approved"), REAL)
    row = dispatches.anywhere(ref)
    assert row is not None
    house.things["calls attempt"] = deliveries.page(row.id, limit=1)[0].ref


def _posted(house: House) -> None:
    notice = a_notice(house.incident, channels=("letter",), stage="approved")
    ref = _started(house, notice, REAL)
    house.elsewhere["check code"] = notice
    batch = letters.ask(house.incident.ref, ref, most=10, actor=house.actor, now=clock.now())
    paper = Paper("din-5008-b", "DE", "Example Ltd")
    letters.do(batch, folder=house.folder, paper=paper, clock=clock.now)
    found = letter_rows.anywhere(batch)
    assert found is not None
    day = clock.now().date()
    house.things |= {"batch": batch, "letters name": found.files[0]["name"]}
    letters.posted(house.incident.ref, batch, way="post", day=day, actor=house.actor, now=clock.now(), today=day)
    letter = letter_rows.printed(found.id)[0].ref
    returned.scan(house.incident.ref, letter, why="moved", actor=house.actor, now=clock.now())
    house.things["letters ref"] = letter


def _started(house: House, notice: str, channels: Channels, *, only_sandbox: bool = False) -> str:
    pace = Pace(at_any_hour=True)
    ref = dispatch.start(
        house.incident.ref, notice, only_sandbox=only_sandbox, pace=pace, actor=house.actor, now=clock.now()
    )
    for _ in range(20):
        for due in sending.due(clock.now()):
            sending.work(due, channels, clock=clock.now, lease=timedelta(seconds=60))
    return ref


def _public(house: House) -> None:
    ref = a_notice(house.incident, channels=("announcement",), stage="approved", texts=(a_text(subject="To all"),))
    digest = approved_version(ref).digest
    outlet = outlets.keep(
        name="The Sample Herald", places=["DE"], language="en", email="news@herald.example.org", address="",
        actor=house.actor, now=clock.now(),
    )  # fmt: skip
    media_copies.ask(
        house.incident.ref, ref, (outlet,), way="email", digest=digest, because="They live there.",
        channels=Channels({"email": Memory("email")}, SANDBOX), actor=house.actor, now=clock.now(),
    )  # fmt: skip
    slug = announcements.publish(
        house.incident.ref, ref, digest=digest, starts_at=clock.now() + timedelta(days=1), ends_at=None,
        actor=house.actor, now=clock.now(),
    )  # fmt: skip
    copy = outlet_rows.copies(approved_version(ref).id)[0].ref
    house.things |= {"slug": slug, "copy": copy, "media ref": ref, "announcements ref": ref}


def _reports(house: House) -> None:
    ref = reports.start(
        house.incident.ref,
        form="eu-gdpr-33",
        authority="Unspoken authority",
        zone=house_zone(),
        actor=house.actor,
        now=clock.now(),
    )
    house.things["reports ref"] = ref


def _opened(house: House) -> None:
    """Restricted, and opened in an emergency by somebody else."""
    members.restrict(house.incident.ref, actor=house.actor, now=clock.now())
    emergencies.open_(
        house.incident.ref, "Nobody on it answers just now.", actor=a_user(Role.LEAD).ref, now=clock.now()
    )
    opened = separation.emergencies(house.incident.id)[0].ref
    house.things |= {"members ref": opened, "emergencies ref": opened}


def _to_be_erased(house: House) -> None:
    """Somebody asked to erase a person, and a second one has not agreed yet."""
    person = str(house.things["person"])
    wish = erasing.ask(
        house.incident.ref, person, confirm=person, why="request", by_two=True, folder=house.folder,
        actor=house.actor, now=clock.now(),
    )  # fmt: skip
    house.things["erasures ref"] = wish.ref


def _drilled(house: House) -> None:
    """What an exercise has: its clock, something that came in, something said of it. The kind of the incident stays."""
    now = clock.now()
    with transaction(house.actor, now) as ledger:
        drill = Drill(incident_id=house.incident.id, scenario="lost_laptop", digest="0" * 64, factor=24, began_at=now)
        drill.script = {"title": "", "summary": "", "brief": "", "playbook": "", "minutes": 60, "expected": []}
        drill.facilitator, drill.pauses, drill.life, drill.outcome = house.actor, [], {}, {}
        inject = DrillInject(ref=new_ref("J"), incident_id=house.incident.id, key="own_1", minute=1, kind="message")
        inject.text, inject.facts, inject.life = "Unspoken inject", {}, {}
        remark = DrillRemark(ref=new_ref("K"), incident_id=house.incident.id, kind="helped", written_at=now)
        remark.text, remark.written_by = "Unspoken remark", house.actor
        db.session.add_all([drill, inject, remark])
        ledger.write("drill.inject_added", inject.ref, incident=house.incident.ref, minute=1)
    house.things["drill ref"] = inject.ref


def _exercised(house: House) -> None:
    """An exercise that runs and one that is over."""
    by = {"actor": house.actor, "now": clock.now()}
    running, over = (
        drills.start(scenario, factor=60, house=None, folder=house.folder, **by)
        for scenario in ("lost_laptop", "supplier_breach")
    )
    drills.end(over, **by)
    house.elsewhere |= {"drill incident": running, "drill.report incident": over, "drill.picture incident": over}


def _of_the_house(house: House) -> None:
    """What pages are about that belongs to no incident."""
    by = {"actor": house.actor, "now": clock.now()}
    checkpoints.sign(**by)
    weakness = vulnerabilities.record({"title": "A sample weakness"}, **by)
    house.elsewhere |= {"team ref": house.actor, "vulnerabilities ref": weakness}
