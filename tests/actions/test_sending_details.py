"""What stands in the record, in the rows and in the claims of a sending, to the letter."""

import json
from datetime import timedelta

import pytest

from incident.actions import dispatch, sending
from incident.domain import deliveries as rules
from incident.domain.deliveries import Course, Pace, State
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.people import Digest
from incident.store import audit, claims
from incident.store.claims import DeliveryClaim
from incident.store.db import db
from notifiers.contract import Answer, Outcome
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story, answering, email_of

pytestmark = pytest.mark.usefixtures("app")
LATER = NOW + timedelta(minutes=5)


def lines(story):
    """Verb, actor and details of every line about the sending, which all name its incident."""
    found = db.session.scalars(
        db.select(audit.AuditLine).where(audit.AuditLine.subject == story.dispatch).order_by(audit.AuditLine.seq)
    ).all()
    assert {line.incident for line in found} == {story.incident.ref}
    return [(line.verb, line.actor, json.loads(line.details)) for line in found]


def last_line(story):
    return lines(story)[-1]


def the_claims(story):
    db.session.rollback()
    query = db.select(DeliveryClaim).where(DeliveryClaim.dispatch_id == story.row().id).order_by(DeliveryClaim.id)
    return list(db.session.scalars(query))


def begun(story, most=2):
    """A wave of a worker that has begun to hand a batch over."""
    while sending.prepare(story.dispatch, story.real, now=story.clock()):
        pass
    held = claims.claim(
        story.row().id,
        "email",
        most,
        worker="test:1",
        lease=timedelta(seconds=60),
        now=story.clock(),
        provider="memory",
    )
    assert held is not None
    wave = sending.Wave(story.dispatch, story.real, story.clock)
    wave.flows["email"] = sending.Flow(email_of(story))
    batch = wave._written(story.row(), held)
    assert wave._begin(batch)
    return wave, batch


def answered(answer):
    """A sending to two people, the second of whom gets this answer."""
    story = a_story(2, real={"email": Memory("email", answer)})
    story.start()
    story.work()
    return story.rows()[1]


def test_every_line_of_a_sending_says_how_many_and_proves_who():
    story = a_story(3, unreachable=1)
    story.start()
    story.work()
    rows = story.rows()
    told = [row for row in rows if row.state == State.ACCEPTED]
    version, row = dispatch.approved_version(story.notice), story.row()
    [claim] = the_claims(story)
    people = Digest()
    people.add([1, 2, 3])
    assert lines(story) == [
        (
            "dispatch.started",
            LEAD,
            {"notice": story.notice, "version": 1, "digest": version.digest, "people": 3, "simulated": False},
        ),
        (
            "deliveries.made",
            "system",
            {
                "first": 1,
                "last": 3,
                "channels": {"email": 2, "none": 1},
                "digest": rules.batch_digest((one.ref, f"P-{one.person_number}") for one in rows),
            },
        ),
        ("dispatch.prepared", "system", {"people": 3, "unreached": 1}),
        (
            "deliveries.handed_over",
            "system",
            {
                "claim": claim.id,
                "channel": "email",
                "count": 2,
                "digest": rules.batch_digest((one.ref, "sending") for one in told),
            },
        ),
        (
            "deliveries.settled",
            "system",
            {
                "claim": claim.id,
                "channel": "email",
                "states": {"accepted": 2},
                "digest": rules.batch_digest((one.ref, "accepted") for one in told),
            },
        ),
        ("dispatch.finished", "system", {"simulated": False, "counts": {"accepted": 2, "unreached": 1}}),
    ]
    assert (row.audience, row.audience_digest) == (3, people.hexdigest())
    assert (row.started_by, row.started_at, row.prepared_to, row.first_attempt) == (LEAD, NOW, 3, 1)
    assert (row.course, row.finished_at, row.ref[:2]) == (Course.DONE, NOW, "S-")


def test_a_claim_says_who_held_what_until_when():
    story = a_story(3, real={"email": Memory("email", batch=2)})
    story.start()
    story.work()
    rows = story.rows()
    first, second = the_claims(story)
    assert (first.channel, first.provider, first.state, first.apart) == ("email", "memory", "settled", None)
    assert (first.size, first.first_id, first.last_id) == (2, rows[0].id, rows[1].id)
    assert (second.size, second.first_id, second.last_id) == (1, rows[2].id, rows[2].id)
    assert (first.claimed_at, first.lease_until) == (NOW, NOW + sending.LEASE)
    assert first.worker == sending.WORKER
    assert [row.claim_id for row in rows] == [first.id, first.id, second.id]


def test_whoever_was_taken_is_nobodys_loose_end_and_has_the_providers_word():
    row = answered(answering(Outcome.ACCEPTED, to="person1@example.org"))
    assert (row.state, row.reason, row.code, row.owner) == (State.ACCEPTED, "", "", "")
    assert (row.provider, row.provider_id, row.tries, row.due_at) == ("memory", f"memory-{row.ref}", 0, None)
    assert (row.called_at, row.answered_at, row.changed_at) == (NOW, NOW, NOW)


def test_a_refusal_is_kept_with_its_reason_and_the_providers_code():
    def answer(message):
        return Answer(message.ref, Outcome.REFUSED, reason="r" * 60, code="c" * 30)

    row = answered(answer)
    assert (row.state, row.reason, row.code) == (State.FAILED, "r" * 40, "c" * 20)
    assert (row.called_at, row.answered_at, row.due_at) == (NOW, NOW, None)


def test_a_message_put_off_says_when_it_is_tried_again_and_how_often_it_was():
    row = answered(answering(Outcome.LATER, "mailbox_full", wait=7200, to="person2@example.org"))
    assert (row.state, row.reason, row.tries) == (State.WAITING, "mailbox_full", 1)
    assert row.due_at == NOW + timedelta(hours=2)
    assert (row.called_at, row.answered_at) == (NOW, NOW)


def test_what_cannot_be_written_three_times_is_in_the_care_of_who_began_it():
    story = a_story(1, real={"email": Memory("email", answering(Outcome.LATER, "mailbox_full"))})
    story.start()
    for _ in range(rules.MOST_TRIES):
        story.work()
        story.clock.move(days=2)
    [row] = story.rows()
    assert (row.state, row.tries, row.owner) == (State.FAILED, rules.MOST_TRIES, LEAD)


def test_a_dead_worker_s_batch_is_in_doubt_since_it_was_claimed_with_a_line_of_its_own():
    story = a_story(2)
    story.start()
    _, batch = begun(story)
    story.clock.move(seconds=60)
    story.work()
    rows = story.rows()
    [claim] = the_claims(story)
    assert {(row.state, row.reason, row.called_at) for row in rows} == {(State.IN_DOUBT, "worker_died", NOW)}
    assert claim.state == "lost"
    doubt = [line for line in lines(story) if line[0] == "deliveries.in_doubt"]
    digest = rules.batch_digest((row.ref, "in_doubt") for row in rows)
    assert doubt == [("deliveries.in_doubt", "system", {"claim": batch.held.fence, "count": 2, "digest": digest})]
    assert last_line(story) == ("dispatch.in_doubt", "system", {"counts": {"in_doubt": 2}})


def test_a_lease_lasts_to_its_end_and_not_beyond():
    story = a_story(1)
    story.start()
    begun(story)
    assert claims.dispatches_with_lost_claims(NOW + timedelta(seconds=59)) == []
    assert claims.dispatches_with_lost_claims(NOW + timedelta(seconds=60)) == [story.dispatch]


def test_the_lease_of_a_call_under_way_is_kept_up_and_that_of_one_taken_away_is_not():
    story = a_story(3)
    story.start()
    _, batch = begun(story, 1)
    held = claims.claim(
        story.row().id, "email", 1, worker="test:2", lease=timedelta(seconds=60), now=NOW, provider="memory"
    )
    claims.keep_leases([batch.held.fence, held.fence], LATER)
    calling, claimed = the_claims(story)
    assert (calling.lease_until, claimed.lease_until) == (LATER, NOW + timedelta(seconds=60))


def test_a_claim_turns_once_and_only_while_its_lease_lasts():
    story = a_story(1)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    held = claims.claim(story.row().id, "email", 1, worker="test:1", lease=timedelta(seconds=60), now=NOW)
    at_its_end = NOW + timedelta(seconds=60)
    assert not claims.turn_claim(held.fence, "claimed", "calling", at_its_end)
    assert claims.turn_claim(held.fence, "claimed", "calling", at_its_end - timedelta(seconds=1), lease=sending.LEASE)
    assert not claims.turn_claim(held.fence, "claimed", "calling", NOW)
    assert claims.turn_claim(held.fence, "calling", "settled", LATER, apart="{}")
    db.session.commit()
    [claim] = the_claims(story)
    assert (claim.state, claim.apart) == ("settled", "{}")
    assert claim.lease_until == at_its_end - timedelta(seconds=1) + sending.LEASE


def test_nothing_is_claimed_of_a_sending_that_rests_or_while_all_is_frozen():
    story = a_story(2)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    how = {"worker": "test:1", "lease": sending.LEASE, "now": NOW}
    dispatch.freeze(actor=LEAD, now=NOW)
    assert claims.claim(story.row().id, "email", 1, **how) is None
    dispatch.release(actor=LEAD, now=NOW)
    dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    assert claims.claim(story.row().id, "email", 1, **how) is None
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    assert claims.claim(story.row().id, "sms", 1, **how) is None
    assert len(claims.claim(story.row().id, "email", 5, **how).rows) == 2
    assert claims.claim(story.row().id, "email", 1, **how) is None


def test_several_batches_claimed_at_once_hold_the_rows_in_their_order():
    story = a_story(5)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    found = claims.claim_ahead(story.row().id, "email", 2, 2, worker="test:1", lease=sending.LEASE, now=NOW)
    assert [[row.person_number for row in held.rows] for held in found] == [[1, 2], [3, 4]]
    assert found[0].fence < found[1].fence
    assert {held.channel for held in found} == {"email"}
    assert story.counts() == {"sending": 4, "waiting": 1}


# A pause, a stop, and what follows ------------------------------------------------------------------------------------


def test_a_pause_is_one_line_however_often_it_is_asked_for():
    story = a_story(1)
    story.start()
    for _ in range(2):
        dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=LATER)
    row = story.row()
    assert (row.course, row.paused_for, row.changed_at) == (Course.PAUSED, "by_person", LATER)
    assert [line for line in lines(story) if line[0] == "dispatch.paused"] == [
        ("dispatch.paused", LEAD, {"reason": "by_person"})
    ]


def test_what_goes_on_begins_with_a_clean_slate():
    story = a_story(3, real={"email": Memory("email", answering(Outcome.LATER, "provider_trouble"))})
    story.start(pace=Pace(canary=2))
    story.work()
    assert story.row().holds["email"]["troubles"] == 1
    dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=LATER)
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=LATER)
    row = story.row()
    assert (row.course, row.paused_for, row.holds, row.changed_at) == (Course.SENDING, "", {}, LATER)
    assert row.canary == 2, "only a look at the first few lets the others go"
    assert [line[0] for line in lines(story)].count("dispatch.resumed") == 1


def test_what_came_back_before_a_pause_is_not_held_against_it_again():
    story = a_story(9, real={"email": Memory("email", answering(Outcome.REFUSED, "address_refused"), batch=3)})
    story.start(pace=Pace(most_back=20, sample=3))
    story.work()
    row = story.row()
    assert (row.paused_for, row.seen, row.seen_bad) == ("too_many_back", 0, 0)
    failed = row.failed
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    row = story.row()
    assert (row.seen, row.seen_bad, row.seen_complained) == (failed, failed, 0)


def test_a_stop_says_how_many_were_not_told_and_when():
    story = a_story(4)
    story.start(pace=Pace(canary=1))
    story.work()
    with pytest.raises(Invalid) as refusal:
        dispatch.stop(story.incident.ref, story.dispatch, typed="4", actor=LEAD, now=LATER)
    assert refusal.value.field == "typed"
    assert dispatch.stop(story.incident.ref, story.dispatch, typed=" 3. ", actor=LEAD, now=LATER) == 3
    assert dispatch.stop(story.incident.ref, story.dispatch, typed="3", actor=LEAD, now=LATER) == 0
    row = story.row()
    assert (row.course, row.finished_at, row.changed_at) == (Course.STOPPED, LATER, LATER)
    said = {"cancelled": 3, "counts": {"accepted": 1, "cancelled": 3}}
    assert [line for line in lines(story) if line[0] == "dispatch.stopped"] == [("dispatch.stopped", LEAD, said)]
    assert {(one.reason, one.changed_at) for one in story.rows() if one.state == State.CANCELLED} == {
        ("stopped", LATER)
    }


def test_a_real_sending_is_not_stopped_while_its_list_is_made():
    story = a_story(1)
    story.start()
    with pytest.raises(Refused, match="put on the list"):
        dispatch.stop(story.incident.ref, story.dispatch, typed="0", actor=LEAD, now=NOW)
    assert story.row().course == Course.PREPARING


def test_those_sent_again_are_proven_by_the_line_that_says_so():
    story = a_story(3, real={"email": Memory("email", answering(Outcome.REFUSED, "address_refused"))})
    story.start()
    story.work()
    before = [(row.ref, "failed") for row in story.rows()]
    assert dispatch.repeat_failed(story.incident.ref, story.dispatch, actor=LEAD, now=LATER) == 3
    row = story.row()
    assert (row.course, row.finished_at, row.changed_at) == (Course.SENDING, None, LATER)
    assert last_line(story) == ("deliveries.repeated", LEAD, {"count": 3, "digest": rules.batch_digest(before)})
    assert story.counts() == {"waiting": 3}


def test_whoever_was_tried_as_often_as_may_be_is_not_sent_it_again():
    story = a_story(1, real={"email": Memory("email", answering(Outcome.REFUSED, "address_refused"))})
    story.start()
    story.work()
    for _ in range(rules.MOST_ATTEMPTS - 1):
        dispatch.repeat_failed(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
        story.work()
    with pytest.raises(Refused, match="nobody here"):
        dispatch.repeat_failed(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    assert len(email_of(story).sent) == rules.MOST_ATTEMPTS


def test_taking_into_care_is_one_line_and_nothing_is_taken_twice():
    story = a_story(2, real={"email": Memory("email", answering(Outcome.UNKNOWN, "answer_lost"))})
    story.start()
    story.work()
    assert dispatch.take_care(story.incident.ref, story.dispatch, "in_doubt", actor=LEAD, now=LATER) == 2
    assert dispatch.take_care(story.incident.ref, story.dispatch, "in_doubt", actor="U-0OTHER00", now=LATER) == 0
    assert last_line(story) == ("deliveries.taken_in_care", LEAD, {"state": "in_doubt", "count": 2})
    assert {row.owner for row in story.rows()} == {LEAD}
    with pytest.raises(Invalid) as refusal:
        dispatch.take_care(story.incident.ref, story.dispatch, "told", actor=LEAD, now=LATER)
    assert refusal.value.field == "state"


def test_a_freeze_and_its_release_are_a_line_each_however_often():
    def about_all():
        query = db.select(audit.AuditLine.verb).where(audit.AuditLine.subject == "sending")
        return list(db.session.scalars(query.order_by(audit.AuditLine.seq)))

    before = about_all()
    for act in (dispatch.freeze, dispatch.freeze, dispatch.release, dispatch.release):
        act(actor=LEAD, now=NOW)
    assert about_all()[len(before) :] == ["sending.frozen", "sending.released"]


def test_nothing_starts_in_a_closed_incident_nor_of_a_notice_or_incident_that_is_not_there():
    story = a_story(1)
    with pytest.raises(Missing):
        dispatch.start(story.incident.ref, "N-NOWHERE0", only_sandbox=False, pace=None, life=None, actor=LEAD, now=NOW)
    with pytest.raises(Missing):
        dispatch.start("INC-1999-0001", story.notice, only_sandbox=False, pace=None, life=None, actor=LEAD, now=NOW)
    story.incident.state = "closed"
    db.session.commit()
    with pytest.raises(Refused, match="closed"):
        story.start()
