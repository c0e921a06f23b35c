"""What is in doubt after a sending: people say what became of it, one by one or all at once."""

import pytest

from incident.actions import deliveries as actions
from incident.domain.deliveries import State
from incident.domain.errors import Invalid, Refused
from incident.store import deliveries as rows
from notifiers.contract import Outcome
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story, answering, email_of

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
