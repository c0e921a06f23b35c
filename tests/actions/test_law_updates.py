"""Newer laws are compared in the background and taken by a person."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident.actions import crowds, intake, law_updates
from incident.actions import obligations as duties
from incident.actions.ledger import transaction
from incident.domain import editions
from incident.domain.editions import Edition, LawText
from incident.domain.errors import Missing, Refused
from incident.domain.people import Audience
from incident.store import audit, incidents, law_editions, shelf
from incident.store import law_updates as updates
from incident.store import obligations as rows
from incident.store.db import db
from incident.store.incidents import Incident
from tests.actions.test_waves import say, two_waves
from tests.builders import an_incident
from tests.domain.test_editions import a_law

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
ART33 = "EU-GDPR/tell-authority"
OWN = "OWN-INSURER/tell"
FACTS = {
    "personal_data": True,
    "residents": {"DE": 500, "FR": 3},
    "role": "controller",
    "risk_to_people": "risk",
    "aware_at": "2026-11-18T08:10:00Z",
}


@pytest.fixture(autouse=True)
def the_shipped_laws() -> Iterator[None]:
    editions.use(None)
    yield
    editions.use(None)


def newer(*own: LawText, changed: dict[str, tuple[str, str]] | None = None) -> Edition:
    """The library with some words of its files changed, and own files beside it."""
    words = changed or {}
    library = [
        LawText(text.path, text.data.replace(words[text.path][0].encode(), words[text.path][1].encode()))
        if text.path in words
        else text
        for text in editions.shipped().texts
    ]
    return editions.edition("2027.1.1", editions.Origin.PACK, library, own)


def insurer(hours: int = 24) -> LawText:
    return LawText("own/insurer.toml", a_law(id_="OWN-INSURER", more='kind = "contract"', hours=hours).encode())


def sooner() -> Edition:
    return newer(changed={"eu/gdpr.toml": ("hours = 72", "hours = 48")})


def finding(incident: Incident, duty: str = ART33) -> rows.FindingRow:
    return rows.current(incident.id)[duty]


def seen(incident: Incident) -> str:
    made = law_updates.proposed(incident.ref)
    assert made is not None
    return made.seen


def verbs() -> list[str]:
    lines = db.metadata.tables[audit.AuditLine.__tablename__]
    return list(db.session.scalars(db.select(lines.c.verb).order_by(lines.c.seq)))


def change(incident: Incident, facts: dict[str, Any]) -> None:
    intake.record_facts(incident.ref, facts, source="a test", confidence="high", actor="U-0TEST000", now=LATER)


def test_a_new_incident_goes_by_the_newest_laws_at_once_and_their_texts_are_kept(app):
    made = newer(insurer())
    editions.use(made)
    incident = an_incident(facts=FACTS, now=NOW)
    assert finding(incident, OWN).standing == "owed"
    assert law_editions.is_kept(made.digest)
    assert law_editions.law(finding(incident, OWN).law_digest) == made.book["OWN-INSURER"]
    assert "laws.edition_used" in verbs()


def test_a_worker_without_pages_takes_up_a_changed_file_too(app):
    an_incident(facts=FACTS, now=NOW)
    path = app.extensions["settings"].instance / "laws" / "insurer.toml"
    shelf.open_(shelf.Shelf(app.extensions["settings"].instance))
    try:
        path.write_bytes(insurer().data)
        shelf._standing.looked = float("-inf")  # long ago
        assert law_updates.due(LATER) != []
        assert "OWN-INSURER" in editions.current().book
    finally:
        path.unlink()
        shelf.refresh()


def test_newer_laws_change_nothing_by_themselves(app):
    incident = an_incident(facts=FACTS, now=NOW)
    before = finding(incident)
    editions.use(sooner())
    law_updates.do("", LATER)
    assert (finding(incident).ref, finding(incident).due_at) == (before.ref, before.due_at)
    assert law_updates.proposed(incident.ref).changes.moved == (ART33,)
    assert verbs()[-1] == "laws.compared"


def test_facts_learnt_meanwhile_are_judged_by_the_laws_that_the_incident_goes_by(app):
    incident = an_incident(facts=FACTS, now=NOW)
    old = editions.current().digest
    editions.use(sooner())
    change(incident, {"aware_at": "2026-11-17T08:10:00Z"})
    assert finding(incident).due_at == datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
    assert rows.assessment(incident.id).library == old
    law_updates.do("", LATER)
    assert law_updates.proposed(incident.ref).changes.moved == (ART33,)


def test_a_person_takes_them_and_the_old_answer_stays_with_the_text_that_made_it(app):
    incident = an_incident(facts=FACTS, now=NOW)
    old = finding(incident)
    made = sooner()
    editions.use(made)
    law_updates.do("", LATER)
    taken = law_updates.accept(incident.ref, seen(incident), actor="U-0LEAD000", now=LATER)
    assert taken.moved == (ART33,)
    new, kept = rows.history(incident.id, ART33)
    assert (new.due_at, new.state, new.decided_by) == (
        datetime(2026, 11, 20, 8, 10, tzinfo=UTC),
        "accepted",
        "U-0LEAD000",
    )
    assert (kept.law_digest, kept.superseded_at) == (old.law_digest, LATER)
    assert law_editions.law(kept.law_digest) == editions.shipped().book["EU-GDPR"]
    assert rows.assessment(incident.id).library == made.digest
    assert law_updates.proposed(incident.ref) is None
    assert verbs()[-1] == "laws.taken"


def test_what_is_taken_is_what_was_seen(app):
    incident = an_incident(facts=FACTS, now=NOW)
    editions.use(sooner())
    law_updates.do("", LATER)
    known = seen(incident)
    change(incident, {"risk_to_people": "unlikely"})
    with pytest.raises(Refused, match="changed while you were reading"):
        law_updates.accept(incident.ref, known, actor="U-0LEAD000", now=LATER)
    assert rows.assessment(incident.id).library == editions.shipped().digest


def test_laws_that_change_no_answer_are_gone_by_at_once_and_the_findings_stay(app):
    incident = an_incident(facts=FACTS, now=NOW)
    before = finding(incident)
    made = newer(changed={"eu/gdpr.toml": ('id = "EU-GDPR"', '# A remark.\nid = "EU-GDPR"')})
    editions.use(made)
    law_updates.do("", LATER)
    assert rows.assessment(incident.id).library == made.digest
    assert (finding(incident).ref, finding(incident).law_digest) == (before.ref, before.law_digest)
    assert law_updates.proposed(incident.ref) is None
    assert law_updates.due(LATER) == []
    with pytest.raises(Refused, match="nothing to take"):
        law_updates.accept(incident.ref, "", actor="U-0LEAD000", now=LATER)


def test_an_own_file_that_is_gone_takes_no_duty_away_before_somebody_says_so(app):
    editions.use(newer(insurer()))
    incident = an_incident(facts=FACTS, now=NOW)
    editions.use(None)
    law_updates.do("", LATER)
    change(incident, {"residents": {"FR": 4}})
    assert finding(incident, OWN).standing == "owed"
    law_updates.do("", LATER)
    assert law_updates.proposed(incident.ref).changes.lifted == (OWN,)
    law_updates.accept(incident.ref, seen(incident), actor="U-0LEAD000", now=LATER)
    assert OWN not in rows.current(incident.id)


def test_a_law_that_is_overruled_is_no_longer_owed_once_somebody_takes_it(app):
    incident = an_incident(facts=FACTS, now=NOW)
    mark = 'overrules = "EU-GDPR"\noverrules_because = "Counsel says so in a test."'
    editions.use(newer(LawText("own/g.toml", a_law(id_="OWN-G", more=mark, hours=24).encode())))
    law_updates.do("", LATER)
    made = law_updates.proposed(incident.ref).changes
    assert (ART33 in made.lifted, made.owed) == (True, ("OWN-G/tell",))
    law_updates.accept(incident.ref, seen(incident), actor="U-0LEAD000", now=LATER)
    assert finding(incident).because == ["Overruled by your own file OWN-G: Counsel says so in a test."]


def test_what_was_met_stays_met_whatever_the_laws_say_now(app):
    incident = an_incident(facts=FACTS, now=NOW)
    duties.mark_met(incident.ref, finding(incident).ref, met_at=NOW, actor="U-0LEAD000", now=NOW)
    due = finding(incident).due_at
    editions.use(sooner())
    law_updates.do("", LATER)
    waiting = law_updates.proposed(incident.ref)
    assert waiting is None or ART33 not in waiting.changes.moved
    assert (finding(incident).state, finding(incident).due_at) == ("met", due)


def test_people_found_later_are_told_by_changed_laws_too(app):
    incident = two_waves()
    say(incident)
    theirs = "US-TX/tell-people#wave-2"
    due = finding(incident, theirs).due_at
    editions.use(newer(changed={"us/tx.toml": ("calendar_days = 60", "calendar_days = 50")}))
    law_updates.do("", LATER)
    assert law_updates.proposed(incident.ref).changes.moved == ("US-TX/tell-people", theirs)
    law_updates.accept(incident.ref, seen(incident), actor="U-0LEAD000", now=LATER)
    assert finding(incident, theirs).due_at == due - timedelta(days=10)


def test_the_clock_of_an_open_duty_moves_by_a_persons_hand_too(app):
    incident = an_incident(facts={**FACTS, "risk_to_people": None}, now=NOW)
    assert finding(incident).standing == "open"
    editions.use(sooner())
    law_updates.do("", LATER)
    assert law_updates.proposed(incident.ref).changes.moved == (ART33,)
    law_updates.accept(incident.ref, seen(incident), actor="U-0LEAD000", now=LATER)
    assert (finding(incident).due_at, finding(incident).state) == (
        datetime(2026, 11, 20, 8, 10, tzinfo=UTC),
        "proposed",
    )


def test_an_open_duty_asks_at_once_for_what_the_newer_text_wants_to_know(app):
    incident = an_incident(facts={**FACTS, "risk_to_people": None}, now=NOW)
    before = finding(incident)
    old = 'risk_to_people = ["risk", "high"] }\ndeadline'
    editions.use(newer(changed={"eu/gdpr.toml": (old, f"minors = true, {old}")}))
    law_updates.do("", LATER)
    assert law_updates.proposed(incident.ref) is None
    assert (finding(incident).ref, finding(incident).standing) == (before.ref, "open")
    assert finding(incident).wants == ["minors", "risk_to_people"]
    assert rows.assessment(incident.id).library == editions.current().digest


def test_closed_incidents_are_left_alone(app):
    incident = an_incident(facts=FACTS, now=NOW)
    with db.engine.begin() as connection:
        connection.execute(db.update(Incident).values(state="closed"))
    db.session.rollback()
    editions.use(sooner())
    assert law_updates.due(LATER) == []
    assert law_updates.proposed(incident.ref) is None
    with pytest.raises(Refused, match="closed"):
        law_updates.accept(incident.ref, "", actor="U-0LEAD000", now=LATER)
    with pytest.raises(Missing):
        law_updates.accept("INC-0000-0000", "", actor="U-0LEAD000", now=LATER)


def test_comparing_is_done_in_batches_and_can_be_run_again(app):
    made = [an_incident(facts=FACTS, now=NOW) for _ in range(3)]
    editions.use(sooner())
    assert law_updates.compare(LATER, limit=2) == 2
    assert law_updates.due(LATER) != []
    law_updates.do("", LATER)
    assert law_updates.due(LATER) == []
    waiting = updates.page(updates.pending(editions.current().digest, db.select(Incident.id)), after=0, limit=10)
    assert [row.ref for row in waiting] == [one.ref for one in made]


def test_an_incident_that_was_assessed_again_while_it_was_compared_waits_for_the_next_batch(app):
    incident = an_incident(facts=FACTS, now=NOW)
    editions.use(sooner())
    found = updates.waiting(editions.current().digest, 10)
    differences = law_updates.compared(found, editions.current(), LATER)
    change(incident, {"risk_to_people": "unlikely"})
    law_updates._keep(found, differences, editions.current(), LATER)
    assert law_updates.proposed(incident.ref) is None
    law_updates.do("", LATER)
    assert law_updates.proposed(incident.ref) is None, "nothing is owed by either text"
    assert rows.assessment(incident.id).library == editions.current().digest


def test_laws_that_go_back_to_what_they_were_leave_nothing_to_take(app):
    incident = an_incident(facts=FACTS, now=NOW)
    editions.use(sooner())
    law_updates.do("", LATER)
    editions.use(None)
    assert law_updates.proposed(incident.ref) is None
    assert law_updates.due(LATER) == []
    assert updates.page(updates.pending(editions.current().digest, db.select(Incident.id)), after=0, limit=10) == []


def test_an_incident_assessed_by_laws_that_are_kept_no_longer_is_compared_with_all_of_todays(app):
    incident = an_incident(facts=FACTS, now=NOW)
    with db.engine.begin() as connection:
        connection.execute(db.update(rows.Assessment).values(library="0" * 64))
    db.session.rollback()
    law_updates.do("", LATER)
    assert rows.assessment(incident.id).library == editions.current().digest
    assert law_updates.proposed(incident.ref) is None


def test_many_are_taken_at_once_and_each_refusal_says_why(app):
    one, other = an_incident(facts=FACTS, now=NOW), an_incident(facts=FACTS, now=NOW)
    editions.use(sooner())
    law_updates.do("", LATER)
    chosen = {one.ref: seen(one), other.ref: "something else", "INC-0000-0000": ""}
    refused = law_updates.accept_many(chosen, actor="U-0LEAD000", now=LATER)
    assert set(refused) == {other.ref, "INC-0000-0000"}
    assert "changed while you were reading" in refused[other.ref]
    assert law_updates.proposed(one.ref) is None
    with pytest.raises(Refused, match="At most 100"):
        law_updates.accept_many({str(number): "" for number in range(101)}, actor="U-0LEAD000", now=LATER)


def test_an_edition_comes_out_of_the_database_as_it_went_in(app):
    made = newer(insurer())
    editions.use(made)
    an_incident(facts=FACTS, now=NOW)
    editions.use(None)
    law_editions._loaded.cache_clear()
    kept = law_editions.edition(made.digest)
    assert kept is not None
    assert replace(kept, mistakes=()) == made
    assert law_editions.edition("0" * 64) is None
    assert law_editions.book("0" * 64) is None
    assert law_editions.law("0" * 64) is None


@pytest.mark.parametrize("table", ["law_text", "law_edition"])
def test_what_was_kept_cannot_be_changed_or_removed(app, table):
    an_incident(facts=FACTS, now=NOW)
    for statement in (f"UPDATE {table} SET digest = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(Exception, match="append-only"), db.engine.begin() as connection:
            connection.execute(db.text(statement))


def test_notices_and_papers_go_by_the_laws_that_the_incident_goes_by(app):
    incident = an_incident(facts={**FACTS, "risk_to_people": "high"}, now=NOW)
    old = law_editions.of_incident(incident.id)
    editions.use(newer(changed={"eu/gdpr.toml": ('"consequences", "what_we_do"', '"what_we_do"')}))
    audience = Audience.from_json({})
    facts = incidents.known(incident.id)
    asked = {duty.cite.law: duty.elements for duty in crowds.duties(incident.id, audience, facts)}
    assert "consequences" in asked["EU-GDPR"]
    assert law_editions.of_incident(incident.id).digest == old.digest != editions.current().digest


def test_a_duty_that_newer_laws_call_otherwise_is_called_so_once_they_are_taken(app):
    incident = an_incident(facts=FACTS, now=NOW)
    title = finding(incident).title
    editions.use(newer(changed={"eu/gdpr.toml": (f'"{title}"', '"Tell the watchful owl"')}))
    change(incident, {"people_count": 503})
    assert finding(incident).title == title
    with transaction("U-0LEAD000", LATER) as ledger:
        duties.owe_again(incident, incidents.known(incident.id), ledger, LATER, newest=True)
        ledger.write("laws.taken", incident.ref, incident=incident.ref)
    assert finding(incident).title == "Tell the watchful owl"
