"""Newer laws on the screen: what they would change, and taking them for one incident or for many."""

import re
from collections.abc import Iterator

import pytest

from incident import clock
from incident.actions import law_updates
from incident.actions.ledger import transaction
from incident.domain import editions
from incident.domain.access import Role
from incident.store import obligations as rows
from tests.actions.test_law_updates import ART33, FACTS, NOW, insurer, newer, sooner
from tests.builders import an_incident


@pytest.fixture(autouse=True)
def the_shipped_laws() -> Iterator[None]:
    editions.use(None)
    yield
    editions.use(None)


@pytest.fixture
def waiting(app):
    """Two incidents for which the limit of the GDPR's report has become shorter."""
    found = [an_incident(title=title, facts=FACTS, now=NOW) for title in ("First", "Second")]
    editions.use(sooner())
    law_updates.do("", clock.now())
    return found


def library(incident):
    return rows.assessment(incident.id).library


def ticks(text):
    return re.findall(r'name="take" value="([^"]+)"', text)


def test_without_newer_laws_the_page_says_what_would_stand_there(as_):
    text = as_(Role.LEAD).get("/laws/updates/").text
    assert "goes by today" in text


def test_each_incident_says_how_newer_laws_would_change_it(as_, waiting):
    text = as_(Role.AUDITOR).get("/laws/updates/").text
    for incident in waiting:
        assert incident.ref in text
    assert "another due time" in text
    assert ART33 in text
    assert not ticks(text)


def test_the_library_and_the_board_lead_to_them(as_, waiting):
    browser = as_(Role.LEAD)
    assert "Newer laws: 2 incidents" in browser.get("/laws/").text
    assert "The laws have changed" in browser.get(f"/incidents/{waiting[0].ref}/duties/").text


def test_those_that_are_ticked_take_the_newer_laws_and_no_others(as_, waiting):
    browser = as_(Role.PRIVACY)
    first, second = waiting
    before = library(second)
    chosen = [tick for tick in ticks(browser.get("/laws/updates/").text) if tick.startswith(first.ref)]
    reply = browser.post("/laws/updates/accept", data={"take": chosen}, follow_redirects=True)
    assert "Taken for 1 incident" in reply.text
    assert library(first) == editions.current().digest
    assert library(second) == before


def test_one_incident_takes_them_on_its_own_page(as_, waiting):
    browser, incident = as_(Role.LEAD), waiting[0]
    text = browser.get(f"/incidents/{incident.ref}/law-update/").text
    seen = text.split('name="seen" value="')[1].split('"')[0]
    browser.post(f"/incidents/{incident.ref}/law-update/accept", data={"seen": seen})
    assert library(incident) == editions.current().digest
    assert rows.current(incident.id)[ART33].state == "accepted"


@pytest.mark.parametrize("take", ["nonsense", "INC-1:x", ""])
def test_what_was_not_seen_is_not_taken(as_, waiting, take):
    before = [library(incident) for incident in waiting]
    assert as_(Role.LEAD).post("/laws/updates/accept", data={"take": take}).status_code == 302
    assert [library(incident) for incident in waiting] == before


def test_a_stale_tick_is_refused_in_words(as_, waiting):
    reply = as_(Role.LEAD).post(
        "/laws/updates/accept", data={"take": f"{waiting[0].ref}:{'0' * 64}"}, follow_redirects=True
    )
    assert "changed while you were reading" in reply.text
    assert library(waiting[0]) != editions.current().digest


def test_an_incident_that_one_may_not_see_is_neither_listed_nor_taken(as_, waiting):
    hidden = waiting[0]
    made = law_updates.proposed(hidden.ref)
    with transaction("system", clock.now()) as ledger:
        hidden.restricted = True
        ledger.write("incident.restricted", hidden.ref, incident=hidden.ref)
    browser = as_(Role.LEAD)
    assert hidden.ref not in browser.get("/laws/updates/").text
    browser.post("/laws/updates/accept", data={"take": f"{hidden.ref}:{made.seen}"})
    assert library(hidden) != editions.current().digest


@pytest.mark.parametrize("role", [Role.RESPONDER, Role.AUDITOR, Role.COMMUNICATIONS])
def test_only_who_decides_duties_takes_newer_laws(as_, waiting, role):
    browser = as_(role)
    assert browser.post("/laws/updates/accept", data={"take": "x:y"}).status_code == 403
    assert browser.post(f"/incidents/{waiting[0].ref}/law-update/accept", data={"seen": "x"}).status_code == 403


def test_your_own_file_and_its_mistake_stand_in_the_library(as_, app):
    wrong = insurer()
    editions.use(newer(insurer(), type(wrong)("own/broken.toml", b"id = 1")))
    browser = as_(Role.RESPONDER)
    text = browser.get("/laws/").text
    assert "own/broken.toml" in text
    assert "this file is not used" in text
    own = browser.get("/laws/?force=own").text
    assert "OWN-INSURER" in own
    assert "your own file" in own
    assert browser.get("/laws/OWN-INSURER").status_code == 200


def test_what_was_not_compared_yet_is_not_said_to_go_by_todays_laws(as_):
    incident = an_incident(facts=FACTS, now=NOW)
    editions.use(sooner())
    browser = as_(Role.LEAD)
    for page in ("/laws/updates/", f"/incidents/{incident.ref}/law-update/"):
        text = browser.get(page).text
        assert "being worked out" in text
        assert "goes by today" not in text
    law_updates.do("", clock.now())
    assert "being worked out" not in browser.get(f"/incidents/{incident.ref}/law-update/").text


def test_the_board_says_where_the_earlier_laws_are_not_kept(as_, waiting):
    board = f"/incidents/{waiting[0].ref}/duties/"
    browser = as_(Role.LEAD)
    assert "are not kept here" not in browser.get(board).text
    with transaction("system", clock.now()) as ledger:
        rows.assessment(waiting[0].id).library = "0" * 64
        ledger.write("laws.compared", "L-000000000000")
    assert "are not kept here" in browser.get(board).text


def test_programs_read_what_a_duty_asks_in_the_laws_that_the_incident_goes_by(client, token_for, app):
    incident = an_incident(facts=FACTS, now=NOW)
    editions.use(newer(changed={"eu/gdpr.toml": ('place = "Art. 33(1)"', 'place = "Art. 99(9)"')}))
    found = client.get(f"/api/v1/incidents/{incident.ref}/duties?law=EU-GDPR", headers=token_for(Role.LEAD)).json
    assert ART33 in {one["duty"] for one in found["findings"]}
    assert "Art. 99(9)" not in {one["cite"]["place"] for one in found["findings"]}
