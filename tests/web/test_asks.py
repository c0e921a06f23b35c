"""Pages and API over what own systems are asked, and the door for their answers."""

import json
import time
from datetime import timedelta

import pytest

from incident import clock
from incident.actions import asks, plans
from incident.actions.asks import Wanted
from incident.domain.access import Role
from incident.store import asks as rows
from incident.store import plans as plan_rows
from incident.store.db import db
from notifiers.webhook import Webhooks, signature
from tests.actions.test_asks import LEAD, some_people, stands, the_ask, work
from tests.actions.test_webhooks import an_endpoint
from tests.builders import an_incident
from tests.fakes.webhooks import FakeReceiver


@pytest.fixture
def receiver(app):
    with FakeReceiver() as fake:
        yield fake


@pytest.fixture
def sender() -> Webhooks:
    return Webhooks(allow="loopback", seconds=5)


def the_asks(incident):
    db.session.rollback()
    db.session.expire_all()
    return rows.page(incident.id)


def test_a_step_of_the_plan_leads_to_an_ask_and_shows_it(receiver, sender, as_):
    incident, client = an_incident(), as_("lead")
    plans.activate(incident.ref, "account_takeover", actor=LEAD, now=clock.now())
    step = plan_rows.steps(incident.id)[0].ref
    some_people(incident, 3)
    endpoint = an_endpoint(receiver, sender, "ask.*")
    assert f"/asks/?step={step}" in client.get(f"/incidents/{incident.ref}/plans/steps/{step}").text.replace(
        "&amp;", "&"
    )
    form = {"kind": "end_sessions", "endpoint": endpoint, "hours": "24", "step": step}
    asked = client.post(f"/incidents/{incident.ref}/asks/", data=form)
    assert asked.status_code == 302
    [row] = the_asks(incident)
    work(sender)
    page = client.get(f"/incidents/{incident.ref}/asks/{row.ref}").text
    assert "Taken by the system" in page
    assert "C-1001" not in page
    told = client.post(f"/incidents/{incident.ref}/asks/{row.ref}/batches/1", data={"done": "2", "failed": "1"})
    assert told.status_code == 302
    assert stands(row.ref).left == 0
    assert "2 done, 1 failed, 0 left" in client.get(f"/incidents/{incident.ref}/plans/steps/{step}").text
    assert "end_sessions" in client.get(f"/incidents/{incident.ref}/asks/asks.csv").text
    assert len(client.get(f"/incidents/{incident.ref}/asks/{row.ref}/batches.csv").text.splitlines()) == 2


def test_a_wrong_number_comes_back_at_its_field(receiver, sender, as_):
    incident, client = an_incident(), as_("lead")
    some_people(incident, 2)
    endpoint = an_endpoint(receiver, sender, "ask.*")
    ref = asks.ask(incident.ref, Wanted(endpoint, "end_sessions", 1), actor=LEAD, now=clock.now())
    work(sender)
    page = client.post(f"/incidents/{incident.ref}/asks/{ref}/batches/1", data={"done": "9"})
    assert page.status_code == 422
    assert "These are more than the 2 accounts of this batch." in page.text


def test_without_a_system_the_page_says_who_sets_one_up(app, as_):
    incident = an_incident()
    assert "with the type ask.*" in as_("lead").get(f"/incidents/{incident.ref}/asks/").text


def test_who_only_reads_asks_nothing(receiver, sender, as_):
    incident, client = an_incident(), as_("auditor")
    some_people(incident, 1)
    endpoint = an_endpoint(receiver, sender, "ask.*")
    form = {"kind": "end_sessions", "endpoint": endpoint, "hours": "24"}
    assert client.post(f"/incidents/{incident.ref}/asks/", data=form).status_code == 403
    assert the_asks(incident) == []


def test_a_program_asks_follows_and_tells(receiver, sender, client, token_for):
    incident, lead = an_incident(), token_for(Role.LEAD)
    some_people(incident, 2)
    endpoint = an_endpoint(receiver, sender, "ask.*")
    base = f"/api/v1/incidents/{incident.ref}/asks"
    made = client.post(base, json={"endpoint": endpoint, "kind": "revoke_tokens"}, headers=lead)
    assert made.status_code == 201
    one = f"{base}/{made.json['ref']}"
    work(sender)
    assert client.get(one, headers=lead).json["taken"] == 2
    assert client.put(f"{one}/batches/1", json={"done": 2}, headers=lead).status_code == 204
    shown = client.get(base, headers=lead).json["asks"][0]
    assert (shown["done"], shown["left"], bool(shown["ended_at"])) == (2, 0, True)
    assert [part["size"] for part in client.get(f"{one}/batches", headers=lead).json["batches"]] == [2]
    assert client.post(f"{one}/again", headers=lead).status_code == 409


def posted(client, secret: str, said, *, age: float = 0):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    stamp = int(time.time() - age)
    signed = signature(secret, "msg_b", stamp, body)
    headers = {"webhook-id": "msg_b", "webhook-timestamp": str(stamp), "webhook-signature": signed}
    return client.post("/hooks/asks", data=body, headers=headers, content_type="application/json")


def test_the_door_opens_for_the_systems_own_signature_alone(receiver, sender, client):
    incident = an_incident()
    some_people(incident, 2)
    endpoint = an_endpoint(receiver, sender, "ask.*")
    ref = asks.ask(incident.ref, Wanted(endpoint, "end_sessions", 1), actor=LEAD, now=clock.now())
    work(sender)
    said = {"ask": ref, "batch": 1, "done": 2, "failed": 0}
    wrong = [posted(client, sender.new_secret(), said), posted(client, receiver.secrets[0], said, age=600)]
    unknown = posted(client, receiver.secrets[0], said | {"ask": "AK-00000000"})
    assert {reply.status_code for reply in (*wrong, unknown)} == {403}
    assert len({reply.text for reply in (wrong[0], unknown)}) == 1
    assert posted(client, receiver.secrets[0], b"[]").status_code == 422
    assert posted(client, receiver.secrets[0], said | {"done": 3}).status_code == 422
    assert stands(ref).done == 0
    assert posted(client, receiver.secrets[0], said).status_code == 204
    assert stands(ref).done == 2
    assert the_ask(ref).ended_at is not None


def test_the_desk_says_which_ask_is_late(receiver, sender, as_):
    incident, client = an_incident(), as_("lead")
    some_people(incident, 2)
    endpoint = an_endpoint(receiver, sender, "ask.*")
    long_ago = clock.now() - timedelta(hours=3)
    ref = asks.ask(incident.ref, Wanted(endpoint, "end_sessions", 2), actor=LEAD, now=long_ago)
    asks.ask(incident.ref, Wanted(endpoint, "lock_accounts", 9), actor=LEAD, now=long_ago)
    page = client.get("/").text
    assert "was asked and is late: end sessions" in page
    assert "late: lock accounts" not in page
    work(sender)
    asks.tell(incident.ref, ref, 1, 2, 0, actor=LEAD, now=clock.now())
    assert "was asked and is late" not in client.get("/").text
