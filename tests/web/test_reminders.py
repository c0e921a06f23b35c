"""The pages and calls of reminders, of one's own channels, of the team's targets, and the calendar at its secret address."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from icalendar import Calendar
from sqlalchemy import text

from incident import clock
from incident.actions import feeds, intake, members, obligations, reminder_messages, reminders, users
from incident.actions.throttled import TooMany
from incident.domain.access import Role
from incident.domain.errors import Missing
from incident.store import obligations as findings
from incident.store import reach as reach_rows
from incident.store import users as user_rows
from incident.store.db import db
from incident.work import ways
from notifiers.contract import Channels
from notifiers.memory import Memory
from tests.builders import a_user, an_incident
from tests.record import lines, verbs

AWARE = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
NEARLY = AWARE + timedelta(hours=66)
DUTY = "EU-GDPR/tell-authority"
OWED = {
    "personal_data": True,
    "role": "controller",
    "establishments": ["DE"],
    "risk_to_people": "risk",
    "aware_at": AWARE.isoformat(),
}


def reminded(lead=None, **more):
    """An incident whose duties were reminded of; now is shortly before they are due."""
    case = an_incident(facts=OWED, now=AWARE, **more)
    if lead:
        members.add(case.ref, lead.ref, actor=lead.ref, now=AWARE)
    for ref in reminders.due(NEARLY):
        reminders.do(ref, NEARLY, ways())
    for ref in reminder_messages.due(NEARLY):
        reminder_messages.do(ref, ways(), clock=lambda: NEARLY)
    return case


def duty(case):
    return findings.current(case.id)[DUTY]


@pytest.fixture(autouse=True)
def _nearly():
    with time_machine.travel(NEARLY, tick=False):
        yield


def test_the_page_that_messages_lead_to_has_one_button_for_all_that_waits(as_):
    lead = a_user(Role.LEAD, name="Lead on duty")
    case, browser = reminded(lead), as_(user=lead)
    page = browser.get(f"/incidents/{case.ref}/reminders/").text
    assert "Somebody has to answer" in page
    waiting = re.findall(r'name="duty" value="(D-\w+)"', page)
    answer = browser.post(f"/incidents/{case.ref}/reminders/acknowledge", data={"duty": sorted(set(waiting))})
    assert answer.location == f"/incidents/{case.ref}/reminders/"
    after = browser.get(f"/incidents/{case.ref}/reminders/").text
    assert "Somebody has to answer" not in after
    assert "Lead on duty has it" in after
    assert "duty.acknowledged" in verbs(case.ref)


def test_merely_opening_the_page_acknowledges_nothing(as_):
    case = reminded(a_user(Role.LEAD))
    browser = as_(Role.LEAD)
    browser.get(f"/incidents/{case.ref}/reminders/")
    assert browser.get(f"/incidents/{case.ref}/reminders/acknowledge").status_code == 405
    assert "duty.acknowledged" not in verbs(case.ref)


def test_the_duty_shows_what_was_sent_to_whom_and_when(as_):
    lead = a_user(Role.LEAD, name="Lead on duty")
    case = reminded(lead)
    page = as_(Role.PRIVACY).get(f"/incidents/{case.ref}/duties/{duty(case).ref}").text
    assert "90 % of its time over" in page
    assert "not sent: a later one overtook it" in page
    assert "kept in the sandbox" in page
    assert "I have it" in page


def test_an_auditor_sees_the_ladder_and_can_answer_for_nobody(as_):
    case, browser = reminded(a_user(Role.LEAD)), as_(Role.AUDITOR)
    page = browser.get(f"/incidents/{case.ref}/duties/{duty(case).ref}").text
    assert "90 % of its time over" in page
    assert "I have it" not in page
    assert browser.post(f"/incidents/{case.ref}/reminders/acknowledge").status_code == 403


def test_a_duty_is_given_to_a_colleague_by_the_page(as_):
    case, colleague = reminded(a_user(Role.LEAD)), a_user(Role.RESPONDER, name="Second colleague")
    browser = as_(Role.LEAD)
    browser.post(f"/incidents/{case.ref}/reminders/owner/{duty(case).ref}", data={"owner": colleague.ref})
    assert "Second colleague" in browser.get(f"/incidents/{case.ref}/duties/{duty(case).ref}").text
    assert lines(case.ref)[-1].verb == "duty.handed_over"


def test_a_closed_or_replaced_duty_is_not_acknowledged(as_):
    case = reminded(a_user(Role.LEAD))
    old = duty(case).ref
    obligations.waive(case.ref, old, "Counsel decided so, see the file of today.", actor="U-1", now=NEARLY)
    answer = as_(Role.LEAD).post(f"/incidents/{case.ref}/reminders/acknowledge", data={"duty": old})
    assert answer.status_code == 409


def test_what_was_sent_comes_as_a_table_without_names(as_):
    lead = a_user(Role.LEAD, name="Lead on duty")
    case = reminded(lead)
    table = as_(Role.AUDITOR).get(f"/incidents/{case.ref}/reminders/reminders.csv").text
    assert f"{lead.ref},email,simulated" in table
    assert "Lead on duty" not in table


def test_programs_read_acknowledge_and_hand_over(client, token_for):
    lead = a_user(Role.LEAD)
    case, key = reminded(lead), token_for(user=lead)
    base = f"/api/v1/incidents/{case.ref}"
    [first] = [one for one in client.get(f"{base}/reminders", headers=key).json["duties"] if one["duty"] == DUTY]
    assert (first["waits_for_an_answer"], [rung["rung"] for rung in first["rungs"] if not rung["overtaken"]]) == (
        True,
        ["90%"],
    )
    assert client.put(f"{base}/duties/{first['ref']}/owner", json={"owner": lead.ref}, headers=key).status_code == 204
    done = client.post(f"{base}/reminders/acknowledge", json={"duties": [first["ref"]]}, headers=key)
    assert done.json == {"count": 1}
    after = client.get(f"{base}/duties/{first['ref']}/reminders", headers=key).json
    assert (after["owner"], after["waits_for_an_answer"]) == (lead.ref, False)


# ---------------------------------------------------------------- one's own channels


def test_the_account_page_says_how_one_is_reminded_and_that_the_sandbox_reaches_nobody(as_):
    page = as_(Role.LEAD).get("/account/").text
    assert "Reminders of duties" in page
    assert "stays in the sandbox, and reaches nobody" in page


def test_somebody_without_any_channel_is_told_so_at_the_field(as_):
    answer = as_(Role.LEAD).post("/account/reminders/", data={})
    assert answer.status_code == 422
    assert "Keep at least one channel" in answer.text


def test_without_a_provider_no_number_is_taken(as_):
    answer = as_(Role.LEAD).post("/account/reminders/phone", data={"phone": "+49 151 55501000"})
    assert answer.status_code == 422
    assert "No provider for text messages" in answer.text


@pytest.fixture
def providers(app):
    """An installation with providers for e-mail and text messages."""
    before, real = app.extensions["channels"], {word: Memory(word) for word in ("email", "sms")}
    app.extensions["channels"] = Channels(real, before.sandbox)
    yield real
    app.extensions["channels"] = before


def test_a_number_is_proved_on_the_page_and_texts_are_on_from_then(as_, providers):
    browser = as_(Role.LEAD)
    assert "Send a code" in browser.get("/account/").text
    browser.post("/account/reminders/phone", data={"phone": "+49 151 55501000"})
    page = browser.get("/account/reminders/").text
    assert "Six digits, sent to +49…1000" in page
    assert browser.post("/account/reminders/phone/code", data={"code": "nonsense"}).status_code == 422
    code = providers["sms"].sent[0].text.split()[1]
    browser.post("/account/reminders/phone/code", data={"code": code})
    assert "Send me a test text" in browser.get("/account/").text
    browser.post("/account/reminders/test/sms")
    browser.post("/account/reminders/test/email")
    assert [message.to for message in providers["sms"].sent] == ["+4915155501000"] * 2
    assert len(providers["email"].sent) == 1
    browser.post("/account/reminders/phone/remove")
    assert "Send a code" in browser.get("/account/reminders/").text


def test_a_number_that_is_none_is_refused_at_its_field(as_, providers):
    answer = as_(Role.LEAD).post("/account/reminders/phone", data={"phone": "not a number"})
    assert answer.status_code == 422
    assert "Give the number with its country code" in answer.text
    assert providers["sms"].sent == []


def test_no_number_stands_in_the_record_or_in_the_clear_in_the_database(as_, providers):
    browser = as_(Role.LEAD)
    browser.post("/account/reminders/phone", data={"phone": "+49 151 55501000"})
    assert "55501000" not in "".join(line.details for line in lines())
    assert b"55501000" not in bytes(db.session.scalar(text("SELECT sealed FROM reach")))


def test_programs_choose_channels_as_pages_do(client, token_for):
    lead = a_user(Role.LEAD)
    key = token_for(user=lead)
    assert client.get("/api/v1/me/reminders", headers=key).json["email"] is True
    refused = client.put("/api/v1/me/reminders", json={"email": True, "sms": True, "alert": True}, headers=key)
    assert (refused.status_code, refused.json["field"]) == (422, "sms")


# ---------------------------------------------------------------- the team's targets


def test_an_administrator_sets_a_target_up_whose_address_is_never_shown_again(as_):
    browser = as_(Role.ADMINISTRATOR)
    secret = "jsons://alerts.example.org/hooks/very-secret-path"
    given = {"name": "Chat", "address": secret, "level": "everybody", "person": ""}
    assert browser.post("/team/alerts/", data=given).location == "/team/alerts/"
    page = browser.get("/team/alerts/").text
    assert "Chat" in page
    assert "very-secret-path" not in page + browser.get("/team/alerts/targets.csv").text
    assert "very-secret-path" not in "".join(line.details for line in lines())
    assert b"very-secret-path" not in db.session.scalar(text("SELECT sealed FROM alert_target"))


def test_a_target_speaks_the_language_that_is_chosen_and_else_that_of_whoever_sets_it_up(as_, client, token_for):
    browser, address = as_(Role.ADMINISTRATOR), "jsons://alerts.example.org/hook"
    user_rows.by_ref(browser.ref).language = "zh-Hans"
    db.session.commit()
    browser.post("/team/alerts/", data={"name": "A", "address": address, "level": "lead"})
    browser.post("/team/alerts/", data={"name": "B", "address": address, "level": "lead", "language": "en"})
    wrong = browser.post("/team/alerts/", data={"name": "C", "address": address, "level": "lead", "language": "tlh"})
    assert wrong.status_code == 422
    assert {one.name: one.language for one in reach_rows.targets()} == {"A": "zh-Hans", "B": "en"}
    assert ",zh-Hans," in browser.get("/team/alerts/targets.csv").text
    key = token_for(Role.ADMINISTRATOR)
    given = {"name": "D", "address": address, "language": "zh-Hans"}
    ref = client.post("/api/v1/alert-targets", json=given, headers=key).json["ref"]
    listed = client.get("/api/v1/alert-targets", headers=key).json["targets"]
    assert {one["ref"]: one["language"] for one in listed}[ref] == "zh-Hans"


@pytest.mark.parametrize("address", ["syslog://", "nonsense", "", "file:///etc/passwd"])
def test_an_address_that_is_no_target_is_refused_at_its_field(as_, address):
    answer = as_(Role.ADMINISTRATOR).post("/team/alerts/", data={"name": "x", "address": address, "level": "lead"})
    assert answer.status_code == 422
    assert reach_rows.targets() == []


def test_only_administrators_see_targets_and_who_cannot_be_reached(as_):
    somebody = a_user(Role.LEAD, name="Nowhere Reached")
    assert as_(Role.LEAD).get("/team/alerts/").status_code == 403
    browser = as_(Role.ADMINISTRATOR)
    assert "Nowhere Reached" in browser.get("/team/alerts/").text
    assert somebody.ref in browser.get("/team/alerts/unreached.csv").text


def test_programs_set_targets_up_and_remove_them(client, token_for):
    key = token_for(Role.ADMINISTRATOR)
    given = {"name": "Chat", "address": "jsons://alerts.example.org/hook", "level": "lead"}
    ref = client.post("/api/v1/alert-targets", json=given, headers=key).json["ref"]
    assert [one["ref"] for one in client.get("/api/v1/alert-targets", headers=key).json["targets"]] == [ref]
    assert client.delete(f"/api/v1/alert-targets/{ref}", headers=key).status_code == 204
    assert client.get("/api/v1/alert-targets", headers=key).json["targets"] == []


# ---------------------------------------------------------------- the calendar


def address_of(browser) -> str:
    page = browser.post("/account/reminders/calendar").text
    found = re.search(r"http://localhost(/calendar/[\w-]+\.ics)", page)
    assert found
    return found[1]


def entries(reply) -> dict[str, object]:
    return {str(event["uid"]): event for event in Calendar.from_ical(reply.data).walk("VEVENT")}


def test_a_calendar_reads_the_deadlines_at_its_secret_address_without_signing_in(as_, client):
    case = an_incident(title="Secret title", facts=OWED, now=AWARE)
    address = address_of(as_(Role.LEAD))
    reply = client.get(address)
    entry = entries(reply)[f"{case.ref}/{DUTY}@tocsin"]
    assert reply.mimetype == "text/calendar"
    assert entry["dtstart"].to_ical() == b"20260309T090000Z"
    assert (str(entry["status"]), len(entry.walk("VALARM"))) == ("CONFIRMED", 2)
    assert "Secret title" not in reply.text


def test_the_address_is_shown_once_and_kept_as_a_hash(as_):
    browser = as_(Role.LEAD)
    secret = address_of(browser).removeprefix("/calendar/").removesuffix(".ics")
    assert secret not in browser.get("/account/").text
    assert db.session.scalar(text("SELECT count(*) FROM calendar_feed WHERE key = :s"), {"s": secret}) == 0
    assert secret not in "".join(line.details + line.subject for line in lines())
    assert lines()[-1].verb == "calendar.issued"


def test_a_new_address_ends_the_one_before_and_an_ended_one_answers_as_none(as_, client):
    browser = as_(Role.LEAD)
    first = address_of(browser)
    second = address_of(browser)
    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)
    browser.post("/account/reminders/calendar/end")
    assert client.get(second).status_code == 404
    assert verbs()[-1] == "calendar.ended"


def test_what_has_not_changed_is_not_sent_again(as_, client):
    an_incident(facts=OWED, now=AWARE)
    address = address_of(as_(Role.LEAD))
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_met_duty_and_a_lifted_one_are_said_under_the_same_identity_with_a_higher_number(as_, client):
    case, browser = an_incident(facts=OWED, now=AWARE), as_(Role.LEAD)
    address = address_of(browser)
    uid = f"{case.ref}/{DUTY}@tocsin"
    found = [entries(client.get(address))[uid]]
    obligations.mark_met(case.ref, duty(case).ref, met_at=NEARLY, actor="U-1", now=NEARLY)
    found.append(entries(client.get(address))[uid])
    obligations.take_back(case.ref, duty(case).ref, "The authority never got the report.", actor="U-1", now=NEARLY)
    found.append(entries(client.get(address))[uid])
    none_of_people = {"personal_data": False}
    intake.record_facts(case.ref, none_of_people, source="log", confidence="high", actor="U-1", now=NEARLY)
    found.append(entries(client.get(address))[uid])
    assert [str(one["status"]) for one in found] == ["CONFIRMED", "CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert str(found[1]["summary"]).startswith("✓ ")
    numbers = [int(one["sequence"]) for one in found]
    assert numbers == sorted(set(numbers))
    assert [len(one.walk("VALARM")) for one in found] == [2, 0, 2, 0]


def test_only_what_the_person_may_know_of_stands_in_it(as_, client):
    lead = a_user(Role.LEAD)
    case = an_incident(facts=OWED, now=AWARE)
    mine, others = address_of(as_(user=lead)), address_of(as_(Role.LEAD))
    members.restrict(case.ref, actor=lead.ref, now=NEARLY)
    assert f"{case.ref}/{DUTY}@tocsin" in entries(client.get(mine))
    assert entries(client.get(others)) == {}


def test_a_calendar_of_somebody_who_sees_no_incidents_is_empty(as_, client):
    an_incident(facts=OWED, now=AWARE)
    assert entries(client.get(address_of(as_(Role.ADMINISTRATOR)))) == {}


def test_a_locked_account_reads_nothing_and_its_address_is_dead_for_good(as_, client):
    lead = a_user(Role.LEAD)
    address = address_of(as_(user=lead))
    users.lock(lead.ref, actor="U-1", now=NEARLY)
    assert client.get(address).status_code == 404
    users.unlock(lead.ref, actor="U-1", now=NEARLY)
    assert client.get(address).status_code == 404


def test_when_it_was_last_read_is_kept_without_a_line(as_, client):
    browser = as_(Role.LEAD)
    address = address_of(browser)
    before = len(lines())
    client.get(address)
    assert len(lines()) == before
    assert "last read" in browser.get("/account/").text


def test_reading_too_often_waits_and_guessing_waits_sooner(app):
    lead = a_user(Role.LEAD)
    secret = feeds.issue(actor=lead.ref, now=clock.now())
    for _ in range(60):
        feeds.read(secret, address="192.0.2.1", site="", now=clock.now())
    with pytest.raises(TooMany):
        feeds.read(secret, address="192.0.2.1", site="", now=clock.now())
    for _ in range(30):
        with pytest.raises(Missing):
            feeds.read("guess", address="192.0.2.2", site="", now=clock.now())
    with pytest.raises(TooMany):
        feeds.read("guess", address="192.0.2.2", site="", now=clock.now())


def test_too_many_is_said_with_the_time_to_wait(as_, client):
    for _ in range(30):
        client.get("/calendar/guess.ics")
    reply = client.get("/calendar/guess.ics")
    assert (reply.status_code, int(reply.headers["Retry-After"]) > 0) == (429, True)


def test_programs_make_and_end_the_address(client, token_for):
    key = token_for(Role.LEAD)
    address = client.post("/api/v1/me/calendar", headers=key).json["address"]
    assert client.get(address.removeprefix("http://localhost")).status_code == 200
    assert client.get("/api/v1/me/calendar", headers=key).json["last_used_at"] is not None
    assert client.delete("/api/v1/me/calendar", headers=key).status_code == 204
    assert client.get(address.removeprefix("http://localhost")).status_code == 404
