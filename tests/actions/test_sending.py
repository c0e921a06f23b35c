"""From an approved notice to everybody's outcome: nobody lost, nobody twice, nothing guessed."""

import json
import threading
import time

import pytest
from sqlalchemy import text

from incident.actions import deliveries as actions
from incident.actions import dispatch, merging, notices, people, sending
from incident.domain import audit as audit_rules
from incident.domain.deliveries import Course, Pace, State
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.proofs import inclusion_proof, is_included
from incident.store import audit
from incident.store import deliveries as rows
from incident.store import notices as notice_rows
from incident.store.db import db
from notifiers.contract import Answer, Outcome
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story, answering, email_of
from tests.builders import WHO_WRITES, notice_row

pytestmark = pytest.mark.usefixtures("app")


def test_everybody_is_told_once_by_the_first_channel_that_reaches_them():
    story = a_story(6, only_phone=2, unreachable=1)
    story.start()
    story.work()
    assert story.counts() == {"accepted": 5, "unreached": 1}
    assert sorted(message.to for message in email_of(story).sent) == [f"person{n}@example.org" for n in (1, 2, 3)]
    assert sorted(message.to for message in story.real["sms"].sent) == ["+4915112345004", "+4915112345005"]
    assert story.row().course == Course.DONE
    assert notice_row(story.incident, story.notice).stage == "sent"


def test_each_text_is_the_approved_one_filled_for_that_person():
    story = a_story(3)
    story.start()
    story.work()
    for message in email_of(story).sent:
        number = message.to.removeprefix("person").partition("@")[0]
        assert f"Dear Person {number}," in message.text
        assert message.subject == "Notice of data breach"
        assert message.html


def test_the_record_has_a_line_for_the_start_each_step_of_each_batch_and_the_end():
    story = a_story(3)
    story.real["email"].batch = 2
    story.start()
    story.work()
    assert story.verbs() == [
        "dispatch.started",
        "deliveries.made",
        "dispatch.prepared",
        "deliveries.handed_over",
        "deliveries.settled",
        "deliveries.handed_over",
        "deliveries.settled",
        "dispatch.finished",
    ]


def test_what_goes_to_the_provider_besides_address_and_text_says_nothing():
    story = a_story(2)
    story.start()
    story.work()
    refs = {message.ref for message in email_of(story).sent}
    assert len(refs) == 2
    assert all(len(ref) == 26 and ref.isalnum() for ref in refs)
    assert len({message.thread for message in email_of(story).sent}) == 2


def test_only_an_approved_notice_is_sent_and_a_second_click_starts_nothing_new():
    story = a_story(2)
    first = story.start()
    assert story.start() == first
    story.work()
    assert story.start() == first
    story.work()
    assert len(email_of(story).sent) == 2


@pytest.mark.parametrize("stage", ["draft", "submitted"])
def test_a_notice_that_nobody_approved_is_refused(stage):
    story = a_story(1)
    notices.send_back(
        story.incident.ref,
        story.notice,
        digest=_version(story).digest,
        reason="Please look again",
        actor="U-0APPROV0",
        now=NOW,
    )
    if stage == "submitted":
        notices.submit(
            story.incident.ref,
            story.notice,
            revision=notice_row(story.incident, story.notice).revision,
            house=WHO_WRITES,
            actor=LEAD,
            now=NOW,
        )
    with pytest.raises(Refused, match="approved"):
        story.start()
    assert "dispatch.started" not in story.verbs()


def test_a_person_who_was_added_after_the_approval_stops_the_start():
    story = a_story(2)
    people.add(
        story.incident.ref,
        {"name": "Late", "email": "late@example.org", "place": "DE", "exposed": "email"},
        actor=LEAD,
        now=NOW,
    )
    with pytest.raises(Refused, match="changed after it was approved"):
        story.start()


def test_a_text_changed_behind_our_back_stops_before_anything_goes_out():
    story = a_story(2)
    story.start()
    version = _version(story)
    changed = dict(version.contents)
    changed["texts"] = {"en": changed["texts"]["en"] | {"subject": "Something else"}}
    version.contents = changed
    db.session.commit()
    story.work()
    assert email_of(story).sent == []
    assert (story.row().course, story.row().paused_for) == (Course.PAUSED, "approval_changed")


@pytest.mark.parametrize(
    "change",
    [
        f"UPDATE notice_version SET digest = '{'0' * 64}'",
        'UPDATE notice_version SET contents = \'{"texts": "others"}\'',
        "UPDATE notice_version SET state = 'submitted'",
        "UPDATE notice SET stage = 'draft'",
        "UPDATE notice SET number = number + 1",
    ],
)
def test_an_approval_touched_between_two_batches_stops_the_second(change):
    story = a_story(4)
    memory = email_of(story)
    memory.batch, engine = 2, db.engine

    def answer(message):
        if len(memory.sent) == 2:
            with engine.begin() as other:
                other.exec_driver_sql(change)
        return Answer(message.ref, Outcome.ACCEPTED, "x")

    memory.answer = answer
    story.start()
    story.work()
    assert len(memory.sent) == 2
    assert story.counts() == {"accepted": 2, "waiting": 2}
    assert story.row().paused_for == "approval_changed"


def test_a_lost_answer_is_in_doubt_and_nothing_sends_it_again_by_itself():
    story = a_story(
        3, real={"email": Memory("email", answering(Outcome.UNKNOWN, "answer_lost", to="person2@example.org"))}
    )
    story.start()
    story.work()
    assert story.counts() == {"accepted": 2, "in_doubt": 1}
    story.clock.move(days=30)
    story.work()
    assert len(email_of(story).sent) == 3
    assert story.counts() == {"accepted": 2, "in_doubt": 1}


def test_an_adapter_that_breaks_leaves_its_batch_in_doubt_and_the_rest_goes_on():
    def broken(message):
        if message.to == "person1@example.org":
            raise RuntimeError("no idea")
        return Answer(message.ref, Outcome.ACCEPTED, "x")

    story = a_story(3, real={"email": Memory("email", broken, batch=1)})
    story.start()
    story.work()
    assert story.counts() == {"accepted": 2, "in_doubt": 1}


def test_a_refused_address_fails_alone():
    story = a_story(
        3, real={"email": Memory("email", answering(Outcome.REFUSED, "address_refused", to="person2@example.org"))}
    )
    story.start()
    story.work()
    assert story.counts() == {"accepted": 2, "failed": 1}
    [failed] = [row for row in story.rows() if row.state == State.FAILED]
    assert (failed.reason, failed.owner) == ("address_refused", LEAD)


def test_a_message_put_off_is_tried_later_and_the_dispatch_is_not_done_before():
    story = a_story(1, real={"email": Memory("email", answering(Outcome.LATER, "server_says_later"))})
    story.start()
    story.work()
    assert story.counts() == {"waiting": 1}
    assert story.row().course == Course.SENDING
    email_of(story).answer = answering(Outcome.ACCEPTED)
    story.work()
    assert len(email_of(story).sent) == 1  # not due yet
    story.clock.move(minutes=2)
    story.work()
    assert story.counts() == {"accepted": 1}


def test_a_message_put_off_too_often_is_set_aside_for_a_person():
    story = a_story(1, real={"email": Memory("email", answering(Outcome.LATER, "server_says_later"))})
    story.start()
    for _ in range(20):
        story.work()
        story.clock.move(hours=2)
    assert story.counts() == {"failed": 1}
    assert len(email_of(story).sent) == 6
    [row] = story.rows()
    assert row.owner == LEAD  # whoever started it looks after what was set aside


def test_a_busy_provider_rests_for_as_long_as_it_asked_and_nobody_is_given_up():
    story = a_story(3, real={"email": Memory("email", answering(Outcome.LATER, "too_many_requests", wait=30))})
    story.start()
    for _ in range(8):
        story.work()
        asked = len(email_of(story).sent)
        story.clock.move(seconds=29)
        story.work()
        assert len(email_of(story).sent) == asked
        story.clock.move(seconds=2)
    email_of(story).answer = answering(Outcome.ACCEPTED)
    story.work()
    assert story.counts() == {"accepted": 3}


def test_wrong_credentials_stop_the_wave_and_nobody_is_called_failed():
    story = a_story(4, real={"email": Memory("email", answering(Outcome.STOP, "credentials_refused"), batch=2)})
    story.start()
    story.work()
    assert story.counts() == {"waiting": 4}
    assert (story.row().course, story.row().paused_for) == (Course.PAUSED, "credentials_refused")
    email_of(story).answer = answering(Outcome.ACCEPTED)
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())
    story.work()
    assert story.counts() == {"accepted": 4}


def test_too_many_refusals_halt_the_wave_by_themselves():
    story = a_story(12, real={"email": Memory("email", answering(Outcome.REFUSED, "address_refused"), batch=3)})
    story.start(pace=Pace(most_back=20, sample=3))
    story.work()
    assert story.row().paused_for == "too_many_back"
    assert story.counts()["waiting"] >= 3


def test_the_canary_goes_first_and_then_waits_for_a_look():
    story = a_story(7)
    story.start(pace=Pace(canary=3))
    story.work()
    assert story.counts() == {"accepted": 3, "waiting": 4}
    assert story.row().paused_for == "canary"
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())
    story.work()
    assert story.counts() == {"accepted": 7}


def test_a_paused_dispatch_sends_nothing_until_somebody_lets_it_go_on():
    story = a_story(3)
    story.start()
    dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())
    story.work()
    assert email_of(story).sent == []
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())
    story.work()
    assert story.counts() == {"accepted": 3}


def test_stopping_for_good_needs_the_number_and_tells_nobody_more():
    story = a_story(3)
    story.start(pace=Pace(canary=1))
    story.work()
    for typed in ("", "3", "two", "-2"):
        with pytest.raises(Invalid):
            dispatch.stop(story.incident.ref, story.dispatch, typed=typed, actor=LEAD, now=story.clock())
    assert dispatch.stop(story.incident.ref, story.dispatch, typed="2", actor=LEAD, now=story.clock()) == 2
    story.work()
    assert story.counts() == {"accepted": 1, "cancelled": 2}
    with pytest.raises(Refused, match="for good"):
        dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())


def test_without_providers_all_goes_to_the_sandbox_and_nobody_counts_as_told():
    story = a_story(3, only_phone=1, unreachable=1, real={})
    story.start(only_sandbox=True)
    story.work()
    assert story.counts() == {"simulated": 2, "unreached": 1}
    assert notice_row(story.incident, story.notice).stage == "approved"
    [row] = [row for row in story.rows() if row.channel == "email"]
    assert row.attempt == 0
    kept = actions.read_message(story.incident.ref, row.ref, actor=LEAD, now=NOW)
    assert kept["to"] == "person1@example.org"
    assert "Dear Person 1," in kept["text"]
    assert story.verbs()[-1] == "mailbox.read"


def test_after_a_rehearsal_the_real_sending_tells_everybody():
    story = a_story(2, real={})
    story.start(only_sandbox=True)
    story.work()
    rehearsal = story.dispatch
    story.real = {"email": Memory("email")}
    story.start()
    story.work()
    assert story.dispatch != rehearsal
    assert story.counts() == {"accepted": 2}
    assert {row.attempt for row in story.rows()} == {1}


def test_a_drill_never_reaches_a_provider_even_where_one_is_set():
    story = a_story(3, kind="drill")
    story.start()
    story.work()
    assert email_of(story).sent == []
    assert story.counts() == {"simulated": 3}


def test_only_the_failed_are_sent_again():
    story = a_story(
        4, real={"email": Memory("email", answering(Outcome.REFUSED, "address_refused", to="person2@example.org"))}
    )
    story.start()
    story.work()
    email_of(story).answer = answering(Outcome.ACCEPTED)
    assert dispatch.repeat_failed(story.incident.ref, story.dispatch, actor=LEAD, now=NOW) == 1
    story.work()
    assert story.counts() == {"accepted": 4}
    assert [message.to for message in email_of(story).sent][4:] == ["person2@example.org"]
    with pytest.raises(Refused, match="nobody"):
        dispatch.repeat_failed(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)


def test_whom_nothing_reaches_is_in_the_care_of_who_began_the_sending():
    story = a_story(2, unreachable=1)
    story.start()
    story.work()
    assert [row.owner for row in story.rows() if row.state == "unreached"] == [LEAD]
    assert rows.unowned(story.row().id) == 0


def test_those_without_anybody_in_charge_can_be_taken_into_care():
    story = a_story(
        2, real={"email": Memory("email", answering(Outcome.UNKNOWN, "answer_lost", to="person1@example.org"))}
    )
    story.start()
    story.work()
    assert rows.unowned(story.row().id) == 1
    assert dispatch.take_care(story.incident.ref, story.dispatch, "in_doubt", actor=LEAD, now=NOW) == 1
    assert rows.unowned(story.row().id) == 0
    with pytest.raises(Invalid):
        dispatch.take_care(story.incident.ref, story.dispatch, "delivered", actor=LEAD, now=NOW)


def test_another_incidents_dispatch_is_not_there():
    story, other = a_story(1), a_story(1)
    story.start()
    for act in (dispatch.pause, dispatch.go_on, dispatch.repeat_failed):
        with pytest.raises(Missing):
            act(other.incident.ref, story.dispatch, actor=LEAD, now=NOW)


def _version(story):
    found = notice_rows.version(notice_row(story.incident, story.notice).id, 1)
    assert found is not None
    return found


def test_a_lost_answer_has_no_time_of_an_answer_and_what_was_not_tried_none_of_handing_over():
    story = a_story(
        2, real={"email": Memory("email", answering(Outcome.UNKNOWN, "answer_lost", to="person1@example.org"))}
    )
    story.start()
    story.work()
    lost, sent = story.rows()
    assert (lost.called_at, lost.answered_at) == (NOW, None)
    assert (sent.called_at, sent.answered_at) == (NOW, NOW)
    held_back = a_story(1, real={"email": Memory("email", answering(Outcome.LATER, "not_tried"))})
    held_back.start()
    held_back.work()
    [row] = held_back.rows()
    assert (row.state, row.called_at) == (State.WAITING, None)


def test_a_person_whose_record_was_taken_away_fails_alone():
    story = a_story(2)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=story.clock()):
        pass
    with db.engine.begin() as other:
        other.execute(text("UPDATE person SET sealed = :garbage WHERE number = 1"), {"garbage": b"garbage"})
    story.work()
    assert story.counts() == {"accepted": 1, "failed": 1}
    [failed] = [row for row in story.rows() if row.state == State.FAILED]
    assert (failed.reason, failed.called_at) == ("record_unreadable", None)


def test_a_line_proves_what_became_of_each_person_of_its_batch():
    story = a_story(5)
    story.start()
    story.work()
    lines = {line.verb: json.loads(line.details) for line in db.session.scalars(db.select(audit.AuditLine))}
    leaves = [audit_rules.leaf_hash(f"{row.ref} {row.state}".encode()) for row in story.rows()]
    for place, leaf in enumerate(leaves):
        proof = inclusion_proof(leaves, place)
        assert is_included(leaf, place, 5, proof, bytes.fromhex(lines["deliveries.settled"]["digest"]))
    listed = [audit_rules.leaf_hash(f"{row.ref} P-{row.person_number}".encode()) for row in story.rows()]
    assert is_included(listed[2], 2, 5, inclusion_proof(listed, 2), bytes.fromhex(lines["deliveries.made"]["digest"]))


def test_calls_at_once_follow_the_answers_time():
    flow = sending.Flow(Memory("email"))
    flow.notifier.calls = 8
    assert flow.wanted == 1
    flow.learn(answer=0.001, work=0.02)
    assert flow.wanted == sending.FEW + 1
    for _ in range(20):
        flow.learn(answer=0.05, work=0.02)
    assert 3 <= flow.wanted <= 5
    for _ in range(20):
        flow.learn(answer=2.0)
    assert flow.wanted == 8


def test_a_rate_is_kept():
    memory = Memory("email", batch=2)
    memory.rate = 20.0
    story = a_story(6, real={"email": memory})
    story.start()
    before = time.monotonic()
    story.work()
    assert story.counts() == {"accepted": 6}
    assert time.monotonic() - before >= 4 / 20


def test_an_answer_is_settled_even_if_the_database_was_busy_for_a_moment():
    story = a_story(2)
    engine, held = db.engine, []

    def answer(message):
        if not held and engine.dialect.name == "sqlite":
            blocker = engine.connect().execution_options(tocsin_write=True)
            blocker.execute(text("SELECT 1"))
            held.append(blocker)
            threading.Timer(0.6, blocker.close).start()
        return Answer(message.ref, Outcome.ACCEPTED, "x")

    email_of(story).answer = answer
    story.start()
    story.work()
    assert story.counts() == {"accepted": 2}


def test_one_record_that_breaks_the_writing_keeps_nobody_else_back_and_is_set_aside_after_three_tries(monkeypatch):
    story = a_story(3)
    whole = merging.Texts.messages

    def breaking(self, to_write):
        if any(person.number == 2 for _, _, person in to_write):
            raise TypeError("a record like no other")
        return whole(self, to_write)

    monkeypatch.setattr(merging.Texts, "messages", breaking)
    story.start()
    for _ in range(4):
        story.work()
        story.clock.move(hours=2)
    assert story.counts() == {"accepted": 2, "failed": 1}
    [failed] = [row for row in story.rows() if row.state == State.FAILED]
    assert (failed.reason, failed.tries, failed.owner) == ("cannot_be_written", 3, LEAD)
    assert story.row().course == Course.DONE
