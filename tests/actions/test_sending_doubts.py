"""What is in doubt after a sending: people say what became of it, one by one or all at once."""

import pytest

from incident.actions import deliveries as actions
from incident.actions import dispatch
from incident.domain.deliveries import Course, State
from incident.domain.errors import Invalid, Refused
from incident.domain.notices import Stage
from incident.domain.pace import Pace
from incident.store import deliveries as rows
from incident.store import reconciliation
from incident.store.db import db
from notifiers.contract import Answer, Outcome
from notifiers.memory import Memory
from tests.actions.test_climbing import a_climb
from tests.actions.waves import LEAD, NOW, a_story, answering, email_of
from tests.builders import notice_row

pytestmark = pytest.mark.usefixtures("app")


def in_doubt(count=1):
    story = a_story(count, real={"email": Memory("email", answering(Outcome.UNKNOWN, "answer_lost"))})
    story.start()
    story.work()
    email_of(story).answer = answering(Outcome.ACCEPTED)
    return story, [row for row in story.rows() if row.state == State.IN_DOUBT]


def test_a_person_can_say_that_it_went_out_and_how_they_know():
    story, [row] = in_doubt()
    with pytest.raises(Invalid, match="why"):
        actions.found_sent(story.incident.ref, row.ref, evidence=" ", actor=LEAD, now=NOW)
    actions.found_sent(story.incident.ref, row.ref, evidence="Jane wrote back to us", actor=LEAD, now=NOW)
    assert story.counts() == {"accepted": 1}
    [remark] = rows.remarks_of([row.id])
    assert b"Jane" not in remark.sealed
    assert actions.remarks(story.incident.id, [remark]) == ["Jane wrote back to us"]
    with pytest.raises(Refused, match="no longer in doubt"):
        actions.found_sent(story.incident.ref, row.ref, evidence="again", actor=LEAD, now=NOW)


def test_a_person_can_have_it_sent_again_as_the_next_attempt():
    story, [row] = in_doubt()
    actions.send_again(story.incident.ref, row.ref, reason="the provider's log shows nothing", actor=LEAD, now=NOW)
    assert story.counts() == {"waiting": 1}
    story.work()
    assert story.counts() == {"accepted": 1}
    first, second = story.rows()
    assert (first.attempt, first.current, first.state) == (1, False, State.IN_DOUBT)
    assert (second.attempt, second.current, second.state) == (2, True, State.ACCEPTED)
    assert first.ref != second.ref
    assert len({message.thread for message in email_of(story).sent}) == 1
    with pytest.raises(Refused, match="Another attempt"):
        actions.send_again(story.incident.ref, row.ref, reason="once more", actor=LEAD, now=NOW)


def test_in_a_closed_incident_nothing_is_sent_again_and_a_doubt_can_still_be_settled():
    story, doubts = in_doubt(2)
    story.incident.state = "closed"
    db.session.commit()
    by = {"actor": LEAD, "now": NOW}
    with pytest.raises(Refused, match="closed"):
        actions.send_again(story.incident.ref, doubts[0].ref, reason="nothing there", **by)
    with pytest.raises(Refused, match="closed"):
        actions.settle_doubts(
            story.incident.ref, story.dispatch, verdict="again", typed="2", reason="nothing there", **by
        )
    with pytest.raises(Refused, match="closed"):
        dispatch.repeat_failed(story.incident.ref, story.dispatch, **by)
    assert story.counts() == {"in_doubt": 2}
    actions.found_sent(story.incident.ref, doubts[0].ref, evidence="it is in their log", **by)
    assert story.counts() == {"accepted": 1, "in_doubt": 1}


@pytest.mark.parametrize(("verdict", "state"), [("sent", "accepted"), ("again", "waiting")])
def test_all_in_doubt_can_be_settled_at_once_with_the_number_typed(verdict, state):
    story, doubts = in_doubt(3)
    for typed, word in (("2", verdict), ("3", "perhaps")):
        with pytest.raises(Invalid):
            actions.settle_doubts(
                story.incident.ref,
                story.dispatch,
                verdict=word,
                typed=typed,
                reason="seen in their log",
                actor=LEAD,
                now=NOW,
            )
    assert actions.settle_doubts(
        story.incident.ref, story.dispatch, verdict=verdict, typed="3", reason="seen in their log", actor=LEAD, now=NOW
    ) == len(doubts)
    assert story.counts() == {state: 3}


def test_a_sending_with_people_in_doubt_is_not_done_and_neither_is_its_notice():
    story, doubtful = in_doubt(5)
    row = story.row()
    assert (row.course, row.finished_at) == (Course.IN_DOUBT, None)
    assert notice_row(story.incident, story.notice).stage == Stage.SENDING
    assert "dispatch.finished" not in story.verbs()
    assert story.verbs().count("dispatch.in_doubt") == 1
    story.work()  # nothing more is due by itself
    for one in doubtful:
        actions.found_sent(story.incident.ref, one.ref, evidence="the provider's log shows it", actor=LEAD, now=NOW)
    story.work()
    assert story.row().course == Course.DONE
    assert notice_row(story.incident, story.notice).stage == Stage.SENT
    assert story.verbs().count("dispatch.finished") == 1


def test_a_sending_that_an_earlier_version_called_done_with_people_in_doubt_is_in_doubt_again():
    story, doubtful = in_doubt(2)
    row = story.row()
    row.course, row.finished_at = Course.DONE, NOW
    db.session.commit()
    assert list(reconciliation._sendings()) == [f"{story.dispatch} is done, and 2 of it are being sent or in doubt."]
    story.work()
    row = story.row()
    assert (row.course, row.finished_at) == (Course.IN_DOUBT, None)
    assert story.verbs()[-1] == "dispatch.in_doubt"
    assert not list(reconciliation._sendings())
    story.work()  # once is enough
    assert story.verbs().count("dispatch.in_doubt") == 2
    for one in doubtful:
        actions.found_sent(story.incident.ref, one.ref, evidence="the provider's log shows it", actor=LEAD, now=NOW)
    story.work()
    assert story.row().course == Course.DONE


def test_whoever_was_in_doubt_and_is_sent_it_again_takes_the_sending_up_again():
    story, doubtful = in_doubt(2)
    actions.send_again(story.incident.ref, doubtful[0].ref, reason="their log shows nothing", actor=LEAD, now=NOW)
    assert story.row().course == Course.SENDING
    story.work()
    assert story.row().course == Course.IN_DOUBT
    assert story.counts() == {"accepted": 1, "in_doubt": 1}
    assert story.verbs().count("dispatch.in_doubt") == 2


def test_what_is_in_doubt_keeps_no_other_person_from_their_next_channel():
    lost = answering(Outcome.UNKNOWN, "answer_lost", to="person1@example.org")

    def answer(message):
        return (
            lost(message)
            if message.to == "person1@example.org"
            else Answer(message.ref, Outcome.REFUSED, reason="mailbox_unknown")
        )

    story = a_climb(3, email=Memory("email", answer), sms=Memory("sms"))
    story.start(pace=Pace(most_back=100))
    story.work()
    assert story.row().course == Course.IN_DOUBT
    assert story.counts() == {"in_doubt": 1, "accepted": 2}
    assert len(story.real["sms"].sent) == 2


def test_the_check_of_an_installation_finds_a_sending_that_is_called_done_with_people_in_doubt():
    story, _ = in_doubt(2)
    assert list(reconciliation._sendings()) == []
    row = story.row()
    row.course = Course.DONE
    db.session.flush()
    assert list(reconciliation._sendings()) == [f"{row.ref} is done, and 2 of it are being sent or in doubt."]
    db.session.rollback()
