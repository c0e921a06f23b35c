"""Endpoints hear of each line that they want, at least once and under one id; none that fails harms another."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from incident import clock
from incident.actions import dispatch, intake, members, webhook_events
from incident.actions import webhooks as actions
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.handovers import State
from incident.domain.webhooks import LOG_KEPT, OLD_SECRET, RETRIES
from incident.store import handovers
from incident.store import webhooks as rows
from incident.store.db import db
from notifiers.webhook import Webhooks
from tests.builders import an_incident
from tests.fakes.webhooks import FakeReceiver
from tests.record import details, lines, verbs, verifies

WHO = "U-0ADMIN00"
LEASE = timedelta(seconds=60)


@pytest.fixture
def receiver(app) -> Iterator[FakeReceiver]:
    with FakeReceiver() as fake:
        yield fake


@pytest.fixture
def sender() -> Webhooks:
    return Webhooks(allow="loopback", seconds=5)


def an_endpoint(receiver, sender, *types, now=None, **more) -> str:
    ref, secret = actions.set_up(
        "Tickets",
        f"{receiver.url}/in/very-secret",
        types or ("incident.*", "note.added"),
        hears_restricted=more.get("hears_restricted", False),
        sender=sender,
        actor=WHO,
        now=now or clock.now(),
    )
    receiver.secrets.append(secret)
    return ref


def work(sender, now: datetime | None = None) -> None:
    """All that is due at this moment, until nothing is left."""
    now = now or clock.now()
    for _ in range(100):
        behind, found = webhook_events.behind(now), webhook_events.due(now)
        if not behind and not found:
            return
        for ref in behind:
            webhook_events.gather(ref, now)
        for ref in found:
            webhook_events.do(ref, sender, clock=lambda: now, lease=LEASE)
    raise AssertionError("Something is due for ever.")


def log_of(ref: str):
    db.session.rollback()
    return list(rows.log(rows.endpoint(ref).id))


def test_an_endpoint_hears_what_it_wants_from_then_on_and_nothing_else(receiver, sender):
    before = an_incident().ref
    an_endpoint(receiver, sender)
    after = an_incident().ref
    intake.add_note(after, "Something private: Jane Doe, jane@example.org", actor="U-1", now=clock.now())
    work(sender)
    assert receiver.types == ["incident.opened", "note.added"]
    told = json.dumps([event for _, event in receiver.taken])
    assert before not in told
    assert after in told
    assert "Jane" not in told
    assert "jane@" not in told


def test_an_event_is_the_line_as_it_stands_in_the_record(receiver, sender):
    an_endpoint(receiver, sender)
    incident = an_incident().ref
    work(sender)
    [(_, event)] = receiver.taken
    line = next(line for line in lines(incident) if line.verb == "incident.opened")
    assert (event["type"], event["timestamp"], event["data"]["line"]) == (line.verb, line.at, line.seq)
    assert event["data"]["details"] == details(line)
    assert (event["data"]["actor"], event["data"]["subject"]) == (line.actor, line.subject)


def test_the_end_of_it_leaves_nothing_to_do_and_a_record_in_order(receiver, sender):
    ref = an_endpoint(receiver, sender, "*")
    an_incident()
    work(sender)
    assert webhook_events.behind(clock.now()) == webhook_events.due(clock.now()) == []
    assert {one.state for one in log_of(ref)} == {State.ACCEPTED}
    assert not any(kind.startswith("webhook") for kind in receiver.types)
    assert {"webhook.set_up", "webhooks.gathered", "webhook.settled"} <= set(verbs())
    assert verifies()


def test_a_restricted_incident_is_told_only_to_who_may_hear_of_it(receiver, sender):
    incident = an_incident()
    members.restrict(incident.ref, actor=WHO, now=clock.now())
    an_endpoint(receiver, sender)
    intake.add_note(incident.ref, "One", actor="U-1", now=clock.now())
    work(sender)
    assert receiver.taken == []
    an_endpoint(receiver, sender, hears_restricted=True)
    intake.add_note(incident.ref, "Two", actor="U-1", now=clock.now())
    work(sender)
    assert receiver.types == ["note.added"]


def test_a_drill_is_told_as_a_drill(receiver, sender):
    an_endpoint(receiver, sender)
    an_incident(kind="drill")
    work(sender)
    assert [event["data"]["drill"] for _, event in receiver.taken] == [True]


def test_what_was_not_taken_comes_again_later_under_the_same_id(receiver, sender):
    ref = an_endpoint(receiver, sender)
    an_incident()
    receiver.statuses = [500]
    start = clock.now()
    work(sender, start)
    assert ([one.state for one in log_of(ref)], receiver.taken) == ([State.WAITING], [])
    work(sender, start + RETRIES[0] * 2)
    assert receiver.types == ["incident.opened"]
    ids = {headers["webhook-id"] for _, headers in receiver.requests}
    assert len(receiver.requests) == 2
    assert len(ids) == 1


def test_an_endpoint_that_fails_rests_and_keeps_no_other_waiting(receiver, sender):
    with FakeReceiver() as other:
        other.statuses = [503] * 50
        sick = an_endpoint(other, sender)
        an_endpoint(receiver, sender)
        for _ in range(5):
            an_incident()
        work(sender)
        assert len(receiver.taken) == 5
        assert len(other.requests) == 1, "one try tells enough for now"
        assert {one.state for one in log_of(sick)} == {State.WAITING}


def test_an_endpoint_that_takes_nothing_for_days_is_switched_off_and_then_hears_what_it_missed(receiver, sender):
    ref = an_endpoint(receiver, sender)
    an_incident()
    receiver.statuses = [500] * 10
    now = clock.now()
    for wait in (timedelta(), *RETRIES):
        now += wait * 1.3
        work(sender, now)
    row = rows.endpoint(ref)
    assert (row.off_why, [one.state for one in log_of(ref)]) == ("failing", [State.FAILED])
    assert len(receiver.requests) == 10
    an_incident()
    work(sender, now)
    assert len(receiver.requests) == 10, "nothing is sent while it is off"
    actions.switch_on(ref, skip=False, actor=WHO, now=now)
    assert actions.replay_failed(ref, actor=WHO, now=now) == 1
    work(sender, now)
    assert receiver.types == ["incident.opened", "incident.opened"]


def test_an_endpoint_that_is_gone_is_switched_off_at_once_and_may_skip_what_it_missed(receiver, sender):
    ref = an_endpoint(receiver, sender)
    an_incident()
    receiver.statuses = [410]
    work(sender)
    assert rows.endpoint(ref).off_why == "gone"
    an_incident()
    actions.switch_on(ref, skip=True, actor=WHO, now=clock.now())
    work(sender)
    assert receiver.taken == []
    an_incident()
    work(sender)
    assert len(receiver.taken) == 1


def test_while_a_secret_is_changed_both_sign_and_a_day_later_only_the_new_one(receiver, sender):
    ref = an_endpoint(receiver, sender)
    old = receiver.secrets[0]
    now = clock.now()
    new = actions.rotate(ref, sender=sender, actor=WHO, now=now)
    for known, moment, taken in ((old, now, 1), (new, now, 2), (new, now + OLD_SECRET, 3), (old, now + OLD_SECRET, 3)):
        receiver.secrets = [known]
        an_incident()
        work(sender, moment)
        assert len(receiver.taken) == taken


def test_an_event_is_replayed_by_hand_under_its_id(receiver, sender):
    ref = an_endpoint(receiver, sender)
    an_incident()
    work(sender)
    [event] = log_of(ref)
    actions.replay(ref, event.ref, actor=WHO, now=clock.now())
    with pytest.raises(Refused, match="on its way"):
        actions.replay(ref, event.ref, actor=WHO, now=clock.now())
    work(sender)
    assert [given for given, _ in receiver.taken] == [event.ref, event.ref]
    with pytest.raises(Missing):
        actions.replay(an_endpoint(receiver, sender), event.ref, actor=WHO, now=clock.now())


@pytest.mark.parametrize("begun", [False, True], ids=["before the call", "in the call"])
def test_what_a_dead_worker_held_goes_out_by_another(receiver, sender, begun):
    ref = an_endpoint(receiver, sender)
    an_incident()
    now = clock.now()
    for endpoint in webhook_events.behind(now):
        webhook_events.gather(endpoint, now)
    [event] = log_of(ref)
    fence = handovers.claim(rows.EVENTS, event.ref, lease=LEASE, now=now)
    if begun:
        assert handovers.begin_call(rows.EVENTS, event.ref, fence, lease=LEASE, now=now)
    assert webhook_events.due(now) == []
    work(sender, now + LEASE)
    assert (receiver.types, [one.state for one in log_of(ref)]) == (["incident.opened"], [State.ACCEPTED])


def test_two_that_gather_at_once_make_each_event_once(receiver, sender):
    ref = an_endpoint(receiver, sender)
    an_incident()
    for _ in range(2):
        webhook_events.gather(ref, clock.now())
    assert len(log_of(ref)) == 1


def test_while_all_sending_is_frozen_nothing_leaves(receiver, sender):
    an_endpoint(receiver, sender)
    an_incident()
    dispatch.freeze(actor=WHO, now=clock.now())
    work(sender)
    assert receiver.requests == []


def test_address_and_secrets_are_sealed_and_forgotten_with_the_endpoint(receiver, sender):
    ref = an_endpoint(receiver, sender)
    an_incident()
    receiver.statuses = [500]
    work(sender)
    kept = db.session.execute(text("SELECT * FROM webhook_endpoint")).one()
    assert b"very-secret" not in repr(kept).encode()
    assert receiver.secrets[0][6:] not in repr(kept)
    actions.remove(ref, actor=WHO, now=clock.now())
    work(sender, clock.now() + timedelta(days=1))
    assert len(receiver.requests) == 1
    with pytest.raises(Missing):
        actions.rotate(ref, sender=sender, actor=WHO, now=clock.now())


def test_a_change_of_a_page_that_is_out_of_date_is_refused(receiver, sender):
    ref = an_endpoint(receiver, sender)
    change = {"name": "Board", "address": "", "types": ["*"], "hears_restricted": False, "sender": sender}
    actions.change(ref, **change, revision=1, actor=WHO, now=clock.now())
    with pytest.raises(Refused):
        actions.change(ref, **change, revision=1, actor=WHO, now=clock.now())
    assert rows.endpoint(ref).types == ["*"]


def test_an_address_inside_is_refused_before_anything_is_kept(app):
    with pytest.raises(Invalid) as refusal:
        actions.set_up(
            "x", "https://10.0.0.1/", ["*"], hears_restricted=False, sender=Webhooks(), actor=WHO, now=clock.now()
        )
    assert refusal.value.field == "address"
    assert "TOCSIN_WEBHOOKS_INSIDE" in refusal.value.sentence
    assert rows.endpoints() == []


def test_a_test_event_says_what_became_of_it(receiver, sender):
    ref = an_endpoint(receiver, sender)
    assert actions.try_out(ref, sender=sender, actor=WHO, now=clock.now()) == "The endpoint took the test."
    assert receiver.types == ["webhook.test"]
    receiver.statuses = [307]
    assert "redirect" in actions.try_out(ref, sender=sender, actor=WHO, now=clock.now())


def test_the_log_is_kept_for_ninety_days(receiver, sender):
    ref = an_endpoint(receiver, sender)
    an_incident()
    work(sender)
    later = clock.now() + LOG_KEPT
    assert webhook_events.old(later - timedelta(hours=1)) == []
    [word] = webhook_events.old(later + timedelta(hours=1))
    webhook_events.tidy(word, later + timedelta(hours=1))
    assert log_of(ref) == []
