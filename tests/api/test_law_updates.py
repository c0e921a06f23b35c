"""Newer laws and suppositions by the API."""

from collections.abc import Iterator

import pytest

from incident.actions import law_updates, members
from incident.domain import editions
from incident.domain.access import Role
from incident.store import audit, law_editions
from incident.store import obligations as rows
from incident.store.db import db
from tests.actions.test_law_updates import ART33, FACTS, LATER, NOW, insurer, newer, sooner
from tests.builders import a_user, an_incident
from tests.domain.test_editions import a_law

WORDS = "1 duty has another due time"


@pytest.fixture(autouse=True)
def the_shipped_laws() -> Iterator[None]:
    editions.use(None)
    yield
    editions.use(None)


def lines() -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(audit.AuditLine))


def compared(edition):
    editions.use(edition)
    law_updates.do("", LATER)


def test_supposing_shows_the_difference_and_keeps_nothing(client, token_for):
    incident, auditor = an_incident(facts=FACTS, now=NOW), token_for(Role.AUDITOR)
    before = lines(), {ref: row.ref for ref, row in rows.current(incident.id).items()}
    reply = client.post(
        f"/api/v1/incidents/{incident.ref}/duties/what-if",
        json={"facts": {"risk_to_people": "unlikely"}},
        headers=auditor,
    )
    assert reply.status_code == 200
    assert ART33 in reply.json["changes"]["lifted"]
    (one,) = [row for row in reply.json["duties"] if row["duty"] == ART33]
    assert (one["before"], one["after"], one["due_before"]) == ("owed", "not_owed", "2026-11-21T08:10:00Z")
    assert one["because"]
    assert (lines(), {ref: row.ref for ref, row in rows.current(incident.id).items()}) == before


def test_supposing_that_a_fact_is_not_known_opens_what_it_decides(client, token_for):
    incident = an_incident(facts=FACTS, now=NOW)
    reply = client.post(
        f"/api/v1/incidents/{incident.ref}/duties/what-if",
        json={"facts": {"risk_to_people": None}},
        headers=token_for(Role.RESPONDER),
    )
    assert ART33 in reply.json["changes"]["opened"]
    (one,) = [row for row in reply.json["duties"] if row["duty"] == ART33]
    assert one["wants"] == ["risk_to_people"]


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"moon": "full"}, "moon"), ({"people_count": "many"}, "people_count"), ({"role": "king"}, "role")],
)
def test_a_supposition_follows_the_rules_of_its_question(client, token_for, facts, field):
    incident = an_incident(facts=FACTS, now=NOW)
    reply = client.post(
        f"/api/v1/incidents/{incident.ref}/duties/what-if", json={"facts": facts}, headers=token_for(Role.LEAD)
    )
    assert (reply.status_code, reply.json["field"]) == (422, field)


def test_what_newer_laws_would_change_is_listed_and_taken_one_by_one(client, token_for):
    incident = an_incident(facts=FACTS, now=NOW)
    lead = token_for(Role.LEAD)
    where = f"/api/v1/incidents/{incident.ref}/law-update"
    assert client.get(where, headers=lead).json == {"update": None}
    compared(sooner())
    shown = client.get(where, headers=lead).json["update"]
    assert (shown["changes"]["moved"], shown["changes"]["words"]) == ([ART33], WORDS)
    (listed,) = client.get("/api/v1/laws/updates", headers=lead).json["updates"]
    assert listed == shown
    assert client.post(f"{where}/accept", json={"seen": "x"}, headers=lead).status_code == 409
    taken = client.post(f"{where}/accept", json={"seen": shown["seen"]}, headers=lead)
    assert (taken.status_code, taken.json["moved"]) == (200, [ART33])
    assert client.get("/api/v1/laws/updates", headers=lead).json["updates"] == []


def test_taking_laws_is_for_those_who_decide_about_duties(client, token_for):
    incident = an_incident(facts=FACTS, now=NOW)
    for role in (Role.RESPONDER, Role.AUDITOR, Role.APPROVER):
        reply = client.post(
            f"/api/v1/incidents/{incident.ref}/law-update/accept", json={"seen": ""}, headers=token_for(role)
        )
        assert reply.status_code == 403


def test_the_list_is_read_by_pages(client, token_for):
    refs = [an_incident(facts=FACTS, now=NOW).ref for _ in range(3)]
    compared(sooner())
    lead = token_for(Role.LEAD)
    first = client.get("/api/v1/laws/updates?limit=2", headers=lead).json
    second = client.get(f"/api/v1/laws/updates?limit=2&after={first['after']}", headers=lead).json
    assert [row["incident"] for row in first["updates"] + second["updates"]] == refs
    assert second["after"] is None


def test_many_are_taken_at_once_but_none_that_the_caller_may_not_know_of(client, token_for):
    mine, hidden = an_incident(facts=FACTS, now=NOW), an_incident(facts=FACTS, now=NOW)
    members.restrict(hidden.ref, actor=a_user(Role.LEAD).ref, now=NOW)
    compared(sooner())
    lead = token_for(Role.LEAD)
    (listed,) = client.get("/api/v1/laws/updates", headers=lead).json["updates"]
    assert listed["incident"] == mine.ref
    chosen = [
        {"incident": mine.ref, "seen": listed["seen"]},
        {"incident": hidden.ref, "seen": law_updates.proposed(hidden.ref).seen},
    ]
    reply = client.post("/api/v1/laws/updates/accept", json={"incidents": chosen}, headers=lead).json
    assert reply["taken"] == [mine.ref]
    assert [row["incident"] for row in reply["refused"]] == [hidden.ref]
    assert law_updates.proposed(hidden.ref) is not None


def test_the_edition_in_use_says_version_digests_own_files_and_mistakes(client, token_for):
    made = newer(insurer(), editions.LawText("own/broken.toml", b"id = "))
    editions.use(made)
    said = client.get("/api/v1/laws/edition", headers=token_for(Role.AUDITOR)).json
    assert (said["version"], said["origin"], said["own"]) == ("2027.1.1", "pack", ["OWN-INSURER"])
    assert (said["digest"], said["library_digest"]) == (made.digest, made.library_digest)
    assert said["mistakes"][0]["path"] == "own/broken.toml"
    assert not law_editions.is_kept(made.digest)


def test_a_law_says_whether_it_is_your_own_and_what_it_sets_aside(client, token_for):
    mark = 'overrules = "EU-GDPR"\noverrules_because = "Counsel says so in a test."'
    editions.use(newer(editions.LawText("own/g.toml", a_law(id_="OWN-G", more=mark, hours=24).encode())))
    auditor = token_for(Role.AUDITOR)
    mine, theirs = (client.get(f"/api/v1/laws/{law}", headers=auditor).json for law in ("OWN-G", "EU-GDPR"))
    assert (mine["own"], mine["overrules"], mine["overruled"]) == (True, "EU-GDPR", "")
    assert (theirs["own"], theirs["kind"]) == (False, "law")
    assert theirs["overruled"] == "Overruled by your own file OWN-G: Counsel says so in a test."


def test_the_text_that_made_a_finding_is_read_word_for_word_long_after_it_was_replaced(client, token_for):
    incident = an_incident(facts=FACTS, now=NOW)
    old = rows.current(incident.id)[ART33].law_digest
    compared(sooner())
    law_updates.accept(incident.ref, law_updates.proposed(incident.ref).seen, actor="U-0LEAD000", now=LATER)
    auditor = token_for(Role.AUDITOR)
    held = client.get(f"/api/v1/laws/files/{old}", headers=auditor).json
    assert (held["path"], "hours = 72" in held["text"]) == ("eu/gdpr.toml", True)
    assert client.get(f"/api/v1/laws/files/{'0' * 64}", headers=auditor).status_code == 404


def test_the_editions_that_were_used_are_listed_newest_first_by_pages(client, token_for):
    an_incident(facts=FACTS, now=NOW)
    editions.use(sooner())
    an_incident(facts=FACTS, now=NOW)
    auditor = token_for(Role.AUDITOR)
    first = client.get("/api/v1/laws/editions?limit=1", headers=auditor).json
    second = client.get(f"/api/v1/laws/editions?limit=1&before={first['before']}", headers=auditor).json
    assert [row["version"] for row in first["editions"] + second["editions"]] == [
        "2027.1.1",
        editions.shipped().version,
    ]
    assert second["before"] is None
    assert first["editions"][0]["files"]["eu/gdpr.toml"] == sooner().book["EU-GDPR"].digest
