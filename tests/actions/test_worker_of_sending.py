"""One worker of a sending: how much it takes at once, when it rests, what it gives back, and that calls under way are settled."""

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from incident.actions import dispatch, preparing, quieting, sending
from incident.domain.deliveries import Course, Pace, State
from incident.domain.errors import Missing
from incident.store import claims, dispatches
from incident.store.claims import DeliveryClaim
from incident.store.db import db
from incident.store.sealed import Erased
from notifiers.contract import Answer, Channels, Outcome
from notifiers.memory import Memory
from tests.actions.test_quieting import NIGHT, a_night
from tests.actions.waves import LEAD, a_story, email_of

pytestmark = pytest.mark.usefixtures("app")


def a_worker(story, **more):
    """One worker of a sending of which everybody has a row."""
    story.start(**more)
    while sending.prepare(story.dispatch, story.channels.open(simulated=story.row().simulated), now=story.clock()):
        pass
    wave = sending.Wave(story.dispatch, story.real, story.clock)
    wave.flows = {channel: sending.Flow(notifier) for channel, notifier in story.real.items()}
    return wave


def slowly(count=10, *, batch=1, calls=8, **more):
    """The same by e-mail, whose provider takes so many at once in so many calls; what is going on by e-mail."""
    memory = Memory("email", batch=batch)
    memory.calls = calls
    story = a_story(count, real={"email": memory})
    wave = a_worker(story, **more)
    return story, wave, wave.flows["email"]


def the_claims(story):
    db.session.rollback()
    query = db.select(DeliveryClaim).where(DeliveryClaim.dispatch_id == story.row().id).order_by(DeliveryClaim.id)
    return list(db.session.scalars(query))


# How much at once -----------------------------------------------------------------------------------------------------


def test_no_more_batches_are_written_than_there_is_room_for_and_none_is_held_beyond_them():
    story, wave, flow = slowly(20)
    found = wave._several(story.row(), "email", flow, 6, more=True)
    assert [len(batch.held.rows) for batch in found] == [1] * 6
    assert story.counts() == {"sending": 6, "waiting": 14}


def test_what_was_left_of_those_held_ahead_goes_first_and_only_the_rest_is_claimed():
    story, wave, flow = slowly(20)
    for _ in range(3):  # four are held ahead, and one is left of them
        wave._several(story.row(), "email", flow, 1, more=True)
    assert story.counts()["sending"] == sending.FEW
    assert len(wave._several(story.row(), "email", flow, 6, more=True)) == 6
    assert story.counts()["sending"] == sending.FEW + 5


def test_once_its_time_is_over_a_worker_claims_nobody_more():
    story, wave, flow = slowly(3)
    assert wave._ready(story.row(), "email", flow, 1, more=False) is None
    assert story.counts() == {"waiting": 3}


def test_a_limit_of_less_than_one_a_second_sends_one_at_a_time():
    story, wave, flow = slowly(5, batch=10, pace=Pace(rates={"email": 0.5}))
    assert [len(held.rows) for held in wave._claim_ahead(story.row(), "email", flow, 6)] == [1]
    assert story.counts() == {"sending": 1, "waiting": 4}


def test_a_limit_on_speed_sends_no_more_than_a_second_s_worth_together():
    story, wave, flow = slowly(9, batch=10, pace=Pace(rates={"email": 3.0}))
    assert [len(batch.held.rows) for batch in wave._several(story.row(), "email", flow, 6, more=True)] == [3]
    assert story.counts() == {"sending": 3, "waiting": 6}


def test_no_more_calls_begin_than_the_provider_allows_at_once():
    story, wave, flow = slowly(9, calls=2)
    flow.answer = 60.0
    under_way = [SimpleNamespace(held=SimpleNamespace(channel="email")) for _ in range(2)]
    wave.flying = {Future(): batch for batch in under_way}
    assert wave._next(more=True) == []
    assert story.counts() == {"waiting": 9}


def test_only_calls_of_the_same_channel_that_have_no_answer_yet_take_room():
    wave = sending.Wave("S-0", {}, lambda: None)
    answered, own, other = Future(), Future(), Future()
    answered.set_result([])
    for future, channel in ((answered, "email"), (own, "email"), (other, "sms")):
        wave.flying[future] = SimpleNamespace(held=SimpleNamespace(channel=channel))
    assert wave._in_flight("email") == 1


def test_what_a_batch_costs_us_is_shared_out_over_those_that_were_written_together():
    story, wave, flow = slowly(9)
    began = time.monotonic()
    found = wave._several(story.row(), "email", flow, 3, more=True)
    assert len(found) == 3
    assert 0 < sum(batch.work for batch in found) <= time.monotonic() - began
    wave.pool = SimpleNamespace(submit=lambda *_: Future())
    wave._hand_over(found[0])
    assert flow.work == max(0.0005, 0.7 * 0.001 + 0.3 * found[0].work)


def test_a_channel_that_is_not_set_up_keeps_no_other_channel_back_and_halts_nothing_that_nobody_waits_for():
    story = a_story(2, channels=("sms", "email"), real={"email": Memory("email")})
    story.start()
    story.work()
    assert story.counts() == {"accepted": 2}
    assert "dispatch.paused" not in story.verbs()


def test_a_channel_that_is_taken_away_while_people_wait_for_it_halts_the_sending_and_says_so():
    story, _, _ = slowly(2)
    sending.Wave(story.dispatch, {"sms": Memory("sms")}, story.clock).run(time.monotonic() + 10)
    assert (story.row().course, story.row().paused_for) == (Course.PAUSED, "channel_closed")
    assert story.counts() == {"waiting": 2}


# When it rests --------------------------------------------------------------------------------------------------------


def test_the_next_call_of_a_limited_channel_waits_as_long_as_the_last_one_is_worth():
    story, wave, flow = slowly(8, batch=2)
    wave.pool = SimpleNamespace(submit=lambda *_: Future())
    flow.rate = 4.0
    first, second = wave._several(story.row(), "email", flow, 2, more=True)
    flow.rate = 4.0
    wave._hand_over(first)
    assert flow.free_at == pytest.approx(first.began + 0.5)
    wave._hand_over(second)
    assert flow.free_at == pytest.approx(first.began + 1.0)
    assert flow.in_flight == 2


@pytest.mark.parametrize(("more", "longest"), [(True, 1.0), (False, 30.0)])
def test_while_every_channel_has_to_wait_a_worker_sleeps_and_begins_nothing(more, longest, monkeypatch):
    story, wave, flow = slowly(2)
    flow.free_at = time.monotonic() + 30
    slept = []
    monkeypatch.setattr(sending.time, "sleep", slept.append)
    assert wave._turn(more=more) is more
    assert longest - 5 <= slept[0] <= longest
    assert len(slept) == 1
    assert story.counts() == {"waiting": 2}


def test_a_worker_that_waits_for_an_answer_looks_ever_more_rarely_and_keeps_the_lease_of_the_call(monkeypatch):
    story, wave, flow = slowly(2)
    [batch, _] = wave._several(story.row(), "email", flow, 2, more=True)
    assert wave._begin(batch)
    batch.began, pending = time.monotonic() - 7, Future()
    wave.flying, waited = {pending: batch}, []
    monkeypatch.setattr(
        sending, "wait", lambda some, timeout, return_when: waited.append(timeout) or (set(), set(some))
    )
    story.clock.move(seconds=20)
    wave._wait(FIRST_COMPLETED)
    kept = story.clock() + wave.lease
    assert the_claims(story)[0].lease_until == kept
    assert 7 <= flow.answer < 60, "a call that lasts is known to last before it ends"
    story.clock.move(seconds=5)
    wave.kept_at = time.monotonic() - 14
    wave._wait(FIRST_COMPLETED)
    assert the_claims(story)[0].lease_until == kept, "not written down at every look"
    wave.kept_at = time.monotonic() - 16
    wave._wait(FIRST_COMPLETED)
    assert the_claims(story)[0].lease_until == kept + timedelta(seconds=5)
    wave.patience = 100.0
    wave._wait(FIRST_COMPLETED)
    first = sending.FIRST_LOOK
    assert waited == [first, 2 * first, 4 * first, 15.0], "never longer than a quarter of the lease"
    monkeypatch.setattr(sending, "wait", lambda some, timeout, return_when: (set(some), set()))
    wave._wait(FIRST_COMPLETED)
    assert wave.patience == first


def test_how_long_an_answer_took_is_learned_and_each_answer_is_taken_once():
    story, wave, flow = slowly(2)
    wave.pool = SimpleNamespace(submit=lambda *_: Future())
    [batch, _] = wave._several(story.row(), "email", flow, 2, more=True)
    assert wave._begin(batch)
    wave._hand_over(batch)
    [future] = wave.flying
    assert wave._answered() == []
    future.set_result([Answer(ref, Outcome.ACCEPTED, "m-1") for ref in batch.asked])
    batch.began = time.monotonic() - 3
    [(same, answers)] = wave._answered()
    assert same is batch
    assert [one.outcome for one in answers.values()] == [Outcome.ACCEPTED]
    assert 3 <= flow.answer < 60
    assert (wave.flying, flow.in_flight) == ({}, 0)


@pytest.mark.parametrize("what", ["_move_surely", "_settle_surely"])
@pytest.mark.parametrize("busy", [2, len(sending.SETTLE_PAUSES)])
def test_while_the_database_is_busy_answers_are_written_down_again_and_again_with_longer_pauses(
    what, busy, monkeypatch
):
    wave, tried, slept = sending.Wave("S-0", {}, lambda: None), [], []
    monkeypatch.setattr(sending.time, "sleep", slept.append)

    def move(*given):
        assert not db.session().in_transaction(), "what failed is given up first"
        tried.append(given)
        if len(tried) <= busy:
            db.session.execute(db.text("SELECT 1"))
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return ["begun"]

    db.session.rollback()
    if what == "_move_surely":
        monkeypatch.setattr(wave, "_move", move)
        assert wave._move_surely([], ["a batch"]) == ["begun"]
    else:
        monkeypatch.setattr(wave, "_settle", move)
        wave._settle_surely("a batch", {}, None)
    assert len(tried) == busy + 1
    assert slept == list(sending.SETTLE_PAUSES[:busy])


def test_where_many_wait_for_their_morning_a_claim_that_finds_nobody_is_not_repeated_at_once(monkeypatch):
    story = a_night("DE", "DE")
    monkeypatch.setattr(quieting, "MANY", 1)
    monkeypatch.setattr(quieting, "_next_look", {})
    wave = a_worker(story)
    assert wave._claim_ahead(story.row(), "sms", wave.flows["sms"], 1) == []
    assert not quieting.is_worth_a_look(story.row(), "sms", NIGHT)
    story.clock.move(hours=12)
    assert len(wave._claim_ahead(story.row(), "sms", wave.flows["sms"], 1)) == 1
    assert quieting.is_worth_a_look(story.row(), "sms", story.clock())


# What it gives back ---------------------------------------------------------------------------------------------------


def test_a_worker_that_is_told_to_stop_begins_nothing_more_and_gives_back_at_once_what_it_held():
    story, wave, flow = slowly(9)
    wave._ready(story.row(), "email", flow, 1, more=True)
    assert story.counts()["sending"] > 0
    wave.going = lambda: False
    assert wave._next(more=True) == []
    assert story.counts()["waiting"] >= 8
    assert {claim.state for claim in the_claims(story)[1:]} == {"returned"}
    wave.ready["email"].clear()
    sending.work(story.dispatch, story.channels, clock=story.clock, going=lambda: False)
    assert email_of(story).sent == []


def test_what_others_took_away_meanwhile_is_not_given_back_a_second_time():
    story, wave, flow = slowly(3)
    wave.ready["email"] = sending.deque(wave._claim_ahead(story.row(), "email", flow, 1))
    story.clock.move(seconds=61)
    sending.take_over(story.row(), now=story.clock())
    before = story.verbs()
    wave._return_ready()
    assert story.verbs() == before
    assert story.counts() == {"waiting": 3}
    assert not wave.ready["email"]


def test_a_worker_that_fails_in_the_middle_settles_the_calls_under_way_and_gives_back_the_rest(monkeypatch):
    under_way, go = threading.Event(), threading.Event()

    def answer(message):
        under_way.set()
        assert go.wait(10)
        return Answer(message.ref, Outcome.ACCEPTED, "m-1")

    story, wave, _ = slowly(6)
    email_of(story).answer = answer
    turn = wave._turn

    def failing(*, more):
        if wave.flying:
            assert under_way.wait(10)
            threading.Timer(0.05, go.set).start()
            raise ZeroDivisionError
        return turn(more=more)

    monkeypatch.setattr(wave, "_turn", failing)
    with pytest.raises(ZeroDivisionError):
        wave.run(time.monotonic() + 10)
    assert story.counts() == {"accepted": 1, "waiting": 5}


def test_a_text_that_is_no_longer_the_approved_one_is_never_written_and_everybody_waits_again(monkeypatch):
    story, wave, flow = slowly(5, batch=2)
    monkeypatch.setattr(sending.Approval, "texts", _refusing(sending.Refused("Not the approved one.")))
    assert wave._several(story.row(), "email", flow, 1, more=True) == []
    assert (story.row().course, story.row().paused_for) == (Course.PAUSED, "approval_changed")
    assert story.counts() == {"waiting": 5}
    assert story.verbs().count("dispatch.paused") == 1


def test_people_whose_data_was_erased_halt_the_sending_for_that_reason(monkeypatch):
    story, wave, flow = slowly(2)
    monkeypatch.setattr(sending, "drafted", _refusing(Erased()))
    assert wave._several(story.row(), "email", flow, 1, more=True) == []
    assert story.row().paused_for == "people_erased"
    assert story.counts() == {"waiting": 2}


def _refusing(refusal):
    def refuse(*_given, **_named):
        raise refusal

    return refuse


def test_a_halt_does_not_change_the_reason_of_one_that_a_person_paused():
    story, wave, _ = slowly(1)
    dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())
    before = story.verbs()
    wave._halt("channel_closed")
    assert story.row().paused_for == "by_person"
    assert story.verbs() == before


def test_a_batch_that_was_claimed_as_all_was_frozen_goes_back():
    story, wave, flow = slowly(2)
    [batch, _] = wave._several(story.row(), "email", flow, 2, more=True)
    dispatches.set_frozen(True, LEAD, story.clock())
    db.session.commit()
    assert not wave._begin(batch)
    assert (story.row().course, story.counts()) == (Course.SENDING, {"waiting": 1, "sending": 1})


# What must never happen -----------------------------------------------------------------------------------------------


def test_a_rehearsal_never_reaches_a_provider_and_a_notice_never_ends_in_the_sandbox():
    memory = Memory("email")
    story = a_story(1, real={})
    story.start(only_sandbox=True)
    with pytest.raises(RuntimeError, match="rehearsal"):
        sending.work(story.dispatch, Channels({}, {"email": memory}), clock=story.clock)
    story, wave, _ = slowly(1)
    wave.opened = {"email": Memory("email", simulated=True)}
    wave.flows.clear()
    with pytest.raises(RuntimeError, match="sandbox"):
        wave._next(more=True)
    assert memory.sent == []


def test_nothing_is_handed_over_outside_of_a_run():
    story, wave, flow = slowly(1)
    [batch] = wave._several(story.row(), "email", flow, 1, more=True)
    with pytest.raises(RuntimeError, match="in a run"):
        wave._called(batch, flow)


@pytest.mark.parametrize("hold", [preparing.locked, preparing.shared])
def test_a_sending_that_is_not_there_is_missing(hold):
    with pytest.raises(Missing):
        hold("S-NOWHERE0")


def test_a_worker_that_comes_too_late_to_list_people_lists_nobody(monkeypatch):
    story = a_story(2)
    story.start()
    stale = SimpleNamespace(course=Course.PREPARING)
    dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())
    before = story.verbs()
    monkeypatch.setattr(preparing.dispatches, "anywhere", lambda _: stale)
    assert preparing.prepare(story.dispatch, story.real, now=story.clock()) is False
    monkeypatch.undo()
    assert story.verbs() == before
    assert story.rows() == []


def test_people_are_listed_some_at_a_time_until_nobody_is_left(monkeypatch):
    story = a_story(3)
    monkeypatch.setattr(preparing, "PREPARED_AT_ONCE", 2)
    story.start()
    told = [preparing.prepare(story.dispatch, story.real, now=story.clock()) for _ in range(4)]
    assert told == [True, True, False, False]
    assert story.row().course == Course.SENDING
    assert story.counts() == {"waiting": 3}


def test_a_list_that_is_not_of_the_people_who_were_approved_goes_to_nobody():
    story = a_story(2)
    story.start()
    assert preparing.prepare(story.dispatch, story.real, now=story.clock())
    row = story.row()
    row.audience_digest = "0" * 64
    db.session.commit()
    assert preparing.prepare(story.dispatch, story.real, now=story.clock()) is False
    story.work()
    assert email_of(story).sent == []
    assert (story.row().course, story.row().paused_for) == (Course.PAUSED, "people_changed")
    with pytest.raises(sending.Refused, match="not those that were approved"):
        dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())


def test_what_another_worker_took_over_a_moment_before_is_not_taken_over_again(monkeypatch):
    story, wave, flow = slowly(2)
    wave._claim_ahead(story.row(), "email", flow, 1)
    before = story.verbs()
    monkeypatch.setattr(claims, "dispatches_with_lost_claims", lambda _now: [story.dispatch])
    preparing.take_over(story.row(), now=story.clock())
    assert story.verbs() == before
    assert story.counts() == {"sending": 2}


def test_what_goes_out_at_its_own_time_leaves_its_loose_ends_to_whoever_approved_it():
    def later(message):
        return Answer(message.ref, Outcome.LATER, reason="mailbox_full")

    story = a_story(2, unreachable=1, real={"email": Memory("email", later)})
    story.dispatch = dispatch.start(
        story.incident.ref, story.notice, only_sandbox=False, pace=None, actor="system", now=story.clock()
    )
    for _ in range(6):
        story.work()
        story.clock.move(days=2)
    assert story.counts() == {"failed": 1, "unreached": 1}
    assert {row.owner for row in story.rows()} == {"U-0APPROV0"}


def test_a_claim_whose_worker_died_before_it_began_is_returned_and_those_of_a_stopped_sending_are_cancelled():
    story, wave, flow = slowly(2)
    wave._claim_ahead(story.row(), "email", flow, 1)
    row = story.row()
    row.course = Course.STOPPED
    db.session.commit()
    story.clock.move(seconds=61)
    preparing.take_over(story.row(), now=story.clock())
    assert {claim.state for claim in the_claims(story)} == {"returned"}
    assert {(row.state, row.reason) for row in story.rows()} == {(State.CANCELLED, "stopped")}
