"""Own systems are asked with references alone, in batches that come at least once; what they answer is counted, nothing else."""

import json
import time
from datetime import timedelta

import pytest

from incident import clock
from incident.actions import asks, dispatch, erasing, people
from incident.actions.asks import Wanted
from incident.domain import asks as rules
from incident.domain.errors import Invalid, Refused
from incident.domain.handovers import State
from incident.store import asks as rows
from incident.store.db import db
from notifiers.alert_door import AlertDoor
from notifiers.contract import Callback, Forged
from notifiers.webhook import Webhooks, signature
from tests.actions.test_webhooks import an_endpoint
from tests.builders import an_incident
from tests.fakes.webhooks import FakeReceiver
from tests.record import verbs

LEAD = "U-0LEAD000"
LEASE = timedelta(seconds=60)
SITE = "https://tocsin.example.org"


@pytest.fixture
def receiver(app):
    with FakeReceiver() as fake:
        yield fake


@pytest.fixture
def sender() -> Webhooks:
    return Webhooks(allow="loopback", seconds=5)


def some_people(incident, count: int, **more: str) -> None:
    for number in range(1, count + 1):
        given = {"name": f"Jane Doe {number}", "email": f"jane{number}@example.org", "reference": f"C-{1000 + number}"}
        people.add(incident.ref, given | {"place": "DE", "exposed": "email"} | more, actor=LEAD, now=clock.now())


def work(sender, now=None) -> None:
    now = now or clock.now()
    for _ in range(50):
        found = asks.due(now)
        if not found:
            return
        for ref in found:
            asks.do(ref, sender, site=SITE, clock=lambda: now, lease=LEASE)
    raise AssertionError("Something is due for ever.")


def the_ask(ref: str):
    db.session.rollback()
    db.session.expire_all()
    return rows.by_ref(ref)


def stands(ref: str):
    row = the_ask(ref)
    return rows.standings([row])[row.id]


def an_ask(receiver, sender, count: int = 3, *, kind: str = "incident", **more):
    incident = an_incident(kind=kind)
    some_people(incident, count)
    endpoint = an_endpoint(receiver, sender, "ask.*")
    wanted = Wanted(endpoint, "end_sessions", 24, **more)
    return incident, asks.ask(incident.ref, wanted, actor=LEAD, now=clock.now())


def test_a_system_gets_the_references_and_nothing_else_about_anybody(receiver, sender):
    incident, ref = an_ask(receiver, sender)
    work(sender)
    [(_, asked)] = receiver.taken
    assert asked["type"] == "asked.end_sessions"
    assert asked["data"]["accounts"] == ["C-1001", "C-1002", "C-1003"]
    assert (asked["data"]["ask"], asked["data"]["incident"]) == (ref, incident.ref)
    assert asked["data"]["answer_to"] == f"{SITE}/hooks/asks"
    assert "Jane" not in json.dumps(asked)
    assert "@" not in json.dumps(asked)
    assert stands(ref).taken == 3
    assert {"ask.asked", "ask.settled"} <= set(verbs())


def test_many_accounts_go_in_batches_each_with_an_id_of_its_own(receiver, sender, monkeypatch):
    monkeypatch.setattr(rules, "AT_ONCE", 2)
    an_ask(receiver, sender, 5)
    work(sender)
    found = [asked["data"] for _, asked in receiver.taken]
    assert [(one["batch"], one["batches"], len(one["accounts"])) for one in found] == [(1, 3, 2), (2, 3, 2), (3, 3, 1)]
    assert len({id_ for id_, _ in receiver.taken}) == 3
    assert sorted(account for one in found for account in one["accounts"]) == [f"C-{1000 + n}" for n in range(1, 6)]


@pytest.mark.parametrize("reference", ["jane@example.org", "", "Jane Doe 1", "JANE DOE 1"])
def test_a_reference_that_says_who_somebody_is_stays_here(receiver, sender, reference):
    incident = an_incident()
    some_people(incident, 1, reference=reference)
    some_people(incident, 1, name="Another", email="b@example.org", reference="C-9")
    endpoint = an_endpoint(receiver, sender, "ask.*")
    ref = asks.ask(incident.ref, Wanted(endpoint, "lock_accounts", 1), actor=LEAD, now=clock.now())
    assert (the_ask(ref).accounts, the_ask(ref).left_out) == (1, 1)
    work(sender)
    assert receiver.taken[0][1]["data"]["accounts"] == ["C-9"]


def test_nothing_of_a_drill_leaves(receiver, sender):
    _, ref = an_ask(receiver, sender, kind="drill")
    work(sender)
    assert receiver.taken == []
    assert the_ask(ref).simulated
    assert {part.state for part in rows.batches(the_ask(ref).id)} == {State.SIMULATED}


def test_only_a_system_that_was_set_up_to_be_asked_is_asked(receiver, sender):
    incident = an_incident()
    some_people(incident, 1)
    for types in (("*",), ("incident.*",)):
        endpoint = an_endpoint(receiver, sender, *types)
        with pytest.raises(Invalid, match="Choose a system"):
            asks.ask(incident.ref, Wanted(endpoint, "end_sessions", 1), actor=LEAD, now=clock.now())


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("kind", {"kind": "destroy"}), ("hours", {"hours": 0}), ("hours", {"hours": "soon"}), ("step", {"step": "ST-0"})],
)
def test_a_mistake_is_named_by_its_field_and_asks_nothing(receiver, sender, field, wrong):
    incident = an_incident()
    some_people(incident, 1)
    wanted = Wanted(an_endpoint(receiver, sender, "ask.*"), "end_sessions", 1)._replace(**wrong)
    with pytest.raises(Invalid) as refused:
        asks.ask(incident.ref, wanted, actor=LEAD, now=clock.now())
    assert refused.value.field == field
    assert asks.due(clock.now()) == []


def test_a_system_that_is_down_is_asked_again_under_the_same_id(receiver, sender):
    _, ref = an_ask(receiver, sender)
    receiver.statuses.append(503)
    work(sender)
    [part] = rows.batches(the_ask(ref).id)
    assert (part.state, part.tries) == (State.WAITING, 1)
    work(sender, clock.now() + timedelta(seconds=30))
    assert stands(ref).taken == 3
    assert {id_ for id_, _ in receiver.taken} == {part.ref}


def test_what_was_refused_is_handed_over_again_when_somebody_says_so(receiver, sender):
    incident, ref = an_ask(receiver, sender)
    receiver.statuses.append(410)
    work(sender)
    assert stands(ref).refused == 1
    assert asks.again(incident.ref, ref, actor=LEAD, now=clock.now()) == 1
    work(sender)
    assert (stands(ref).refused, stands(ref).taken) == (0, 3)
    with pytest.raises(Refused, match="Nothing"):
        asks.again(incident.ref, ref, actor=LEAD, now=clock.now())


def test_while_sending_is_frozen_no_system_is_asked(receiver, sender):
    an_ask(receiver, sender)
    dispatch.freeze(actor=LEAD, now=clock.now())
    work(sender)
    assert receiver.taken == []
    dispatch.release(actor=LEAD, now=clock.now())
    work(sender)
    assert len(receiver.taken) == 1


def test_who_was_erased_meanwhile_is_not_in_what_goes(receiver, sender, tmp_path):
    incident, _ = an_ask(receiver, sender)
    erasing.erase_person(incident.ref, "P-2", folder=tmp_path, actor=LEAD, now=clock.now())
    work(sender)
    assert receiver.taken[0][1]["data"]["accounts"] == ["C-1001", "C-1003"]


# What became of it ------------------------------------------------------------------------------------------------------


def an_answer(secret: str, said, *, age: float = 0) -> Callback:
    body = json.dumps(said).encode()
    stamp = int(time.time() - age)
    headers = {"webhook-id": "msg_a", "webhook-timestamp": str(stamp)}
    return Callback(
        f"{SITE}/hooks/asks", headers | {"webhook-signature": signature(secret, "msg_a", stamp, body)}, body
    )


def test_a_signed_answer_is_counted_and_a_later_one_takes_its_place(receiver, sender):
    _, ref = an_ask(receiver, sender)
    work(sender)
    [secret] = receiver.secrets
    for done, failed, left in ((1, 0, 2), (2, 1, 0), (2, 1, 0)):
        said = {"ask": ref, "batch": 1, "done": done, "failed": failed}
        asks.answered(an_answer(secret, said), AlertDoor, now=clock.now())
        assert (stands(ref).done, stands(ref).failed, stands(ref).left) == (done, failed, left)
    assert the_ask(ref).ended_at is not None
    assert verbs().count("ask.told") == 2


@pytest.mark.parametrize("wrong", ["secret", "age", "ask"])
def test_an_answer_that_is_not_the_systems_own_changes_nothing(receiver, sender, wrong):
    _, ref = an_ask(receiver, sender)
    work(sender)
    secret = sender.new_secret() if wrong == "secret" else receiver.secrets[0]
    said = {"ask": "AK-00000000" if wrong == "ask" else ref, "batch": 1, "done": 3, "failed": 0}
    with pytest.raises(Forged):
        asks.answered(an_answer(secret, said, age=400 if wrong == "age" else 0), AlertDoor, now=clock.now())
    assert stands(ref).done == 0


@pytest.mark.parametrize(("done", "failed"), [(4, 0), (2, 2), (-1, 0), ("x", 0), (True, 0), (1.5, 0)])
def test_numbers_that_cannot_be_are_refused(receiver, sender, done, failed):
    incident, ref = an_ask(receiver, sender)
    work(sender)
    with pytest.raises(Invalid):
        asks.tell(incident.ref, ref, 1, done, failed, actor=LEAD, now=clock.now())
    assert stands(ref).done == 0


def test_nothing_is_done_of_what_was_not_asked_yet(receiver, sender):
    incident, ref = an_ask(receiver, sender)
    with pytest.raises(Refused, match="not been handed over"):
        asks.tell(incident.ref, ref, 1, 3, 0, actor=LEAD, now=clock.now())


def test_an_ask_is_late_from_its_time_on_while_accounts_are_left(receiver, sender):
    incident, ref = an_ask(receiver, sender)
    work(sender)
    row, later = the_ask(ref), clock.now() + timedelta(hours=25)
    assert stands(ref).is_late(row.due_at, later)
    assert not stands(ref).is_late(row.due_at, clock.now())
    asks.tell(incident.ref, ref, 1, 3, 0, actor=LEAD, now=clock.now())
    assert not stands(ref).is_late(row.due_at, later)
