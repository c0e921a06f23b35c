"""What the answers of a batch come to: one for all of it, and when they halt the whole sending."""

from types import SimpleNamespace

import pytest

from incident.actions import deliveries as actions
from incident.actions import people, sending, settling
from incident.domain.deliveries import Counts, Course, State
from incident.store import calls
from incident.store.db import db
from notifiers.contract import Alike, Answer, Outcome
from notifiers.memory import Memory
from tests.actions.test_sending_details import begun
from tests.actions.waves import LEAD, NOW, a_story, answering, email_of

pytestmark = pytest.mark.usefixtures("app")


class One(Memory):
    """A provider that gives one answer for all of a batch."""

    def __init__(self, outcome=Outcome.ACCEPTED, reason="", **more):
        super().__init__("email", **more)
        self.one = Answer("", outcome, "m-1", reason)

    def send(self, batch):
        super().send(batch)
        return Alike([message.ref for message in batch], self.one)


def test_one_answer_for_all_is_everybodys():
    story = a_story(3, real={"email": One()})
    story.start()
    story.work()
    assert story.counts() == {"accepted": 3}
    assert {(row.provider_id, row.called_at, row.answered_at) for row in story.rows()} == {("m-1", NOW, NOW)}


def test_one_answer_for_all_counts_the_tries_of_each_by_themselves():
    story = a_story(3, real={"email": One(Outcome.LATER, "mailbox_full")})
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    second = story.rows()[1]
    second.tries = 4
    db.session.commit()
    story.work()
    assert [row.tries for row in story.rows()] == [1, 5, 1]
    story.clock.move(days=1)
    story.work()
    assert [(row.state, row.tries) for row in story.rows()] == [
        (State.WAITING, 2),
        (State.FAILED, 6),
        (State.WAITING, 2),
    ]
    assert story.counts() == {"waiting": 2, "failed": 1}


def test_one_answer_for_all_leaves_alone_of_whom_something_was_reported_before_it():
    story = a_story(3, real={"email": One(Outcome.REFUSED, "content_refused")})
    story.start()
    _, batch = begun(story, 3)
    first = story.rows()[0]
    first.state, first.reason = State.DELIVERED, ""
    db.session.commit()
    answers = Alike(batch.asked, Answer("", Outcome.REFUSED, "m-1", "content_refused"))
    result = settling.outcome(batch, answers, story.row(), email_of(story), NOW)
    assert [state for _, state in result.states] == ["delivered", "failed", "failed"]
    db.session.commit()
    assert [(row.state, row.reason) for row in story.rows()] == [
        (State.DELIVERED, ""),
        (State.FAILED, "content_refused"),
        (State.FAILED, "content_refused"),
    ]


def test_an_answer_to_an_attempt_that_was_followed_by_another_changes_no_count():
    story = a_story(1)
    story.start()
    wave, batch = begun(story, 1)
    story.clock.move(seconds=61)
    sending.take_over(story.row(), now=story.clock())
    [row] = story.rows()
    actions.send_again(story.incident.ref, row.ref, reason="their log shows nothing", actor=LEAD, now=story.clock())
    wave._settle(batch, {row.ref: Answer(row.ref, Outcome.ACCEPTED, "late")}, wave.flows["email"])
    assert story.counts() == {"waiting": 1}
    assert [(one.state, one.current) for one in story.rows()] == [(State.ACCEPTED, False), (State.WAITING, True)]


def test_whoever_is_in_somebodys_care_stays_there_when_they_are_set_aside():
    story = a_story(2, real={"email": Memory("email", answering(Outcome.LATER, "mailbox_full"))})
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    for row, owner in zip(story.rows(), ("U-0CARES00", ""), strict=True):
        row.tries, row.owner, row.provider_id = 5, owner, "before"
    db.session.commit()
    story.work()
    assert story.counts() == {"failed": 2}
    assert [row.owner for row in story.rows()] == ["U-0CARES00", LEAD]
    assert {row.provider_id for row in story.rows()} == {"before"}, "an answer that names none takes none away"


def test_whoever_was_taken_off_the_list_is_nobodys_loose_end_and_was_never_called():
    story = a_story(2)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    people.remove(story.incident.ref, "P-1", actor=LEAD, now=NOW)
    story.work()
    first, second = story.rows()
    assert (first.state, first.called_at, second.called_at) == (State.CANCELLED, None, NOW)
    assert first.owner
    assert not second.owner


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.LATER])
def test_whom_a_provider_calls_or_will_call_again_is_on_no_list_of_people_to_be_called(outcome):
    story = a_story(2, channels=("call",), only_phone=2, real={"call": Memory("call", answering(outcome, "line_busy"))})
    story.start()
    story.work()
    assert story.counts() == {"accepted" if outcome is Outcome.ACCEPTED else "waiting": 2}
    assert calls.open_count(story.incident.id) == 0


# When they halt the sending -------------------------------------------------------------------------------------------


def a_row(**changes):
    """A sending that goes well, changed."""
    given = {"course": Course.SENDING, "holds": {}, "overrun": "", "waiting": 5, "sending": 0, "canary": 0}
    return SimpleNamespace(**given | {"counts": Counts()} | changes)


STOP = Answer("R", Outcome.STOP, reason="credentials_refused")
CLOSED = Answer("R", Outcome.STOP, reason="account_closed")
TAKEN = Answer("R", Outcome.ACCEPTED)


@pytest.mark.parametrize(
    ("row", "answers", "why"),
    [
        ({}, [TAKEN], ""),
        ({}, [], ""),
        ({}, [TAKEN, STOP], "credentials_refused"),
        ({}, [CLOSED, TAKEN], "provider_refused"),
        ({"course": Course.PAUSED}, [STOP], ""),
        ({"holds": {"email": {"troubles": settling.MOST_TROUBLES}}}, [TAKEN], "provider_refused"),
        ({"holds": {"email": {"troubles": settling.MOST_TROUBLES - 1}, "sms": {"troubles": 3}}}, [TAKEN], ""),
        ({"holds": {"sms": {"troubles": 1}, "email": {"troubles": 0, "lost": settling.MOST_LOST}}}, [], "answers_lost"),
        ({"holds": {"email": {"troubles": 0, "lost": settling.MOST_LOST - 1}}}, [], ""),
        ({"overrun": "too_many_back"}, [TAKEN], "too_many_back"),
        ({"canary": 3, "counts": Counts(accepted=2, failed=1)}, [TAKEN], "canary"),
        ({"canary": 3, "counts": Counts(accepted=2)}, [TAKEN], ""),
        ({"canary": 3, "counts": Counts(accepted=3), "waiting": 0}, [TAKEN], ""),
        ({"canary": 3, "counts": Counts(accepted=3), "sending": 1}, [TAKEN], ""),
        ({"canary": 3, "counts": Counts(accepted=3), "overrun": "too_many_complaints"}, [TAKEN], "too_many_complaints"),
    ],
)  # fmt: skip
def test_a_sending_halts_for_the_gravest_reason_and_for_none_without_need(row, answers, why):
    assert settling.reason_to_halt(a_row(**row), answers) == why


@pytest.mark.parametrize(("lost", "halts"), [(settling.MOST_LOST, True), (settling.MOST_LOST - 1, False)])
def test_so_many_lost_answers_in_a_row_halt_it_and_not_one_fewer(lost, halts):
    left = [lost]

    def answer(message):
        if left[0]:
            left[0] -= 1
            raise TimeoutError
        return Answer(message.ref, Outcome.ACCEPTED, "m-1")

    story = a_story(lost + 1, real={"email": Memory("email", answer, batch=1)})
    story.start()
    story.work()
    assert story.row().paused_for == ("answers_lost" if halts else "")
    assert story.counts() == {"in_doubt": lost, "waiting" if halts else "accepted": 1}


def test_of_a_sending_that_is_not_there_nothing_is_kept_in_the_sandbox():
    assert settling.sealed("S-NOWHERE0", None, {}, NOW) == []
