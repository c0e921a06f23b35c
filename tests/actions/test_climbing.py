"""Whom one channel does not reach is tried by the next, once, and nobody falls between two of them."""

from collections import Counter
from datetime import timedelta

import pytest

from incident.actions import climbing, correcting, dispatch, notices, people, preparing, reported
from incident.domain.deliveries import Course, Pace, State
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.ladders import Proof, Step
from incident.store import deliveries as rows
from incident.store import dispatches
from incident.store.db import db
from notifiers.contract import Event, Outcome, Status
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, Story, a_story, answering
from tests.builders import WHO_WRITES, a_notice, an_incident, notice_row

pytestmark = pytest.mark.usefixtures("app")

QUIET = Pace(most_back=100)


def a_climb(count=3, *, ladder=(), channels=("email", "sms", "letter"), **provided):
    """An approved notice by several channels to people whom all of them reach."""
    incident = an_incident(now=NOW)
    for number in range(1, count + 1):
        record = {
            "name": f"Person {number}",
            "place": "DE",
            "exposed": "email",
            "email": f"person{number}@example.org",
            "phone": f"+4915112345{number:03}",
            "address": "Ringweg 7\n10115 Berlin",
        }
        people.add(incident.ref, record, actor=LEAD, now=NOW)
    ref = a_notice(incident, channels=channels, now=NOW)
    notice = notice_row(incident, ref)
    change = notices.Change(
        title=notice.title,
        languages=("en",),
        channels=tuple(notices.Channel(word) for word in channels),
        audience=notices.Audience(),
        send_at=None,
        texts={text.language: text for text in notices.texts_of(notice)},
        ladder={step.channel: step for step in ladder} or None,
    )
    notices.save(incident.ref, ref, change, revision=notice.revision, actor=LEAD, now=NOW)
    approve(incident, ref)
    real = {word: provided.get(word) or Memory(word) for word in channels if word != "announcement"}
    return Story(incident, ref, real=real)


def approve(incident, ref):
    number = notices.submit(
        incident.ref, ref, revision=notice_row(incident, ref).revision, house=WHO_WRITES, actor=LEAD, now=NOW
    )
    version = notices.rows.version(notice_row(incident, ref).id, number)
    notices.approve(
        incident.ref,
        ref,
        digest=version.digest,
        people=str(version.people),
        house=WHO_WRITES,
        actor="U-0APPROV0",
        now=NOW,
    )


def report(story, row, status, *, id_="", now=None):
    provider = row.provider or "memory"
    event = Event(id_ or f"{row.ref}-{status}", status, ref=row.ref, at=now or story.clock())
    return reported.take_in(provider, row.channel, [event], now=now or story.clock())


def of(story, number):
    """All attempts for one person, oldest first."""
    return [row for row in story.rows() if row.person_number == number]


def current(story):
    return {row.person_number: (row.channel, row.state) for row in story.rows() if row.current}


def test_whoever_is_refused_by_one_channel_is_told_by_the_next():
    story = a_climb(3, email=Memory("email", answering(Outcome.REFUSED, "address_refused", to="person2@example.org")))
    story.start(pace=QUIET)
    story.work()
    assert story.counts() == {"accepted": 3}
    assert current(story) == {1: ("email", "accepted"), 2: ("sms", "accepted"), 3: ("email", "accepted")}
    assert [message.to for message in story.real["sms"].sent] == ["+4915112345002"]
    assert story.row().course == Course.DONE


def test_the_ladder_goes_on_to_its_end_and_then_a_person_has_to_care():
    refusing = {word: Memory(word, answering(Outcome.REFUSED, "refused")) for word in ("email", "sms", "letter")}
    story = a_climb(2, **refusing)
    story.start(pace=QUIET)
    story.work()
    assert story.counts() == {"failed": 2}
    assert [row.channel for row in of(story, 1)] == ["email", "sms", "letter"]
    assert rows.unowned(story.row().id) == 0
    assert {row.owner for row in story.rows() if row.current} == {LEAD}, "who began it answers for them"
    assert climbing.due(story.clock() + timedelta(days=99)) == []


def test_a_late_bounce_after_delivered_still_moves_the_person_on():
    story = a_climb(1)
    story.start()
    story.work()
    [row] = story.rows()
    report(story, row, Status.DELIVERED)
    story.work()
    assert story.counts() == {"delivered": 1}
    assert story.row().course == Course.DONE
    story.clock.move(days=5)
    report(story, row, Status.BOUNCED)
    story.work()
    assert story.counts() == {"accepted": 1}
    assert [(one.channel, one.state, one.current) for one in of(story, 1)] == [
        ("email", "bounced", False),
        ("sms", "accepted", True),
    ]
    assert story.row().course == Course.DONE


def test_a_step_without_its_proof_in_time_is_followed_by_the_next_and_not_before():
    story = a_climb(1, channels=("sms", "email"), ladder=[Step("sms", 6, Proof.DELIVERED)])
    story.start()
    story.work()
    story.clock.move(hours=5, minutes=59)
    story.work()
    assert current(story) == {1: ("sms", "accepted")}
    story.clock.move(minutes=2)
    story.work()
    assert current(story) == {1: ("email", "accepted")}
    assert story.counts() == {"accepted": 1}


def test_proof_in_time_ends_the_ladder():
    story = a_climb(1, channels=("sms", "email"), ladder=[Step("sms", 6, Proof.DELIVERED)])
    story.start()
    story.work()
    report(story, story.rows()[0], Status.DELIVERED)
    story.clock.move(days=9)
    story.work()
    assert current(story) == {1: ("sms", "delivered")}
    assert story.real["email"].sent == []


def test_a_delivered_one_that_must_be_confirmed_keeps_the_time_of_its_step():
    story = a_climb(1, channels=("sms", "email"), ladder=[Step("sms", 6, Proof.CONFIRMED)])
    story.start()
    story.work()
    story.clock.move(hours=5)
    report(story, story.rows()[0], Status.DELIVERED)
    story.clock.move(hours=1, minutes=1)
    story.work()
    assert current(story) == {1: ("email", "accepted")}
    report(story, of(story, 1)[0], Status.ACKNOWLEDGED)
    assert of(story, 1)[0].state == State.CONFIRMED


def test_what_nobody_confirmed_at_the_end_of_the_ladder_counts_as_unreached_until_it_is():
    story = a_climb(1, channels=("email", "sms"), ladder=[Step("sms", 6, Proof.DELIVERED)],
                    email=Memory("email", answering(Outcome.REFUSED, "refused")))  # fmt: skip
    story.start(pace=QUIET)
    story.work()
    story.clock.move(hours=7)
    story.work()
    assert story.counts() == {"unreached": 1}
    assert [row.owner for row in story.rows() if row.current] == [LEAD]
    last = of(story, 1)[-1]
    assert (last.channel, last.reason) == ("sms", "not_confirmed")
    report(story, last, Status.DELIVERED)
    assert story.counts() == {"delivered": 1}


def test_a_report_that_comes_late_takes_back_the_next_attempt_while_it_waits():
    story = a_climb(1, channels=("sms", "letter"), ladder=[Step("sms", 6, Proof.DELIVERED)])
    story.start()
    story.work()
    story.clock.move(hours=7)
    assert not climbing.climb(story.dispatch, story.real, now=story.clock())
    assert story.counts() == {"waiting": 1}
    report(story, of(story, 1)[0], Status.DELIVERED)
    story.work()
    assert story.counts() == {"delivered": 1}
    assert story.real["letter"].sent == []
    first, second = of(story, 1)
    assert (first.current, second.current, second.state) == (True, False, "cancelled")


def test_a_bounce_after_that_uses_the_channel_that_was_taken_back():
    story = a_climb(1, channels=("sms", "letter"), ladder=[Step("sms", 6, Proof.DELIVERED)])
    story.start()
    story.work()
    story.clock.move(hours=7)
    climbing.climb(story.dispatch, story.real, now=story.clock())
    report(story, of(story, 1)[0], Status.DELIVERED)
    report(story, of(story, 1)[0], Status.BOUNCED)
    story.work()
    assert [(one.channel, one.attempt, one.state) for one in of(story, 1)] == [
        ("sms", 1, "bounced"),
        ("letter", 1, "cancelled"),
        ("letter", 2, "accepted"),
    ]
    assert len(story.real["letter"].sent) == 1


def test_whoever_an_earlier_channel_reached_after_all_is_not_moved_on_again():
    story = a_climb(1, channels=("sms", "email", "letter"), ladder=[Step("sms", 6, Proof.DELIVERED)])
    story.start()
    story.work()
    story.clock.move(hours=7)
    story.work()
    report(story, of(story, 1)[0], Status.DELIVERED)
    report(story, of(story, 1)[1], Status.BOUNCED)
    story.work()
    assert story.counts() == {"delivered": 1}
    assert current(story) == {1: ("sms", "delivered")}
    assert story.real["letter"].sent == []


def test_what_is_in_doubt_stays_there_until_somebody_decides():
    story = a_climb(1, email=Memory("email", answering(Outcome.UNKNOWN, "answer_lost")))
    story.start()
    story.work()
    story.clock.move(days=40)
    story.work()
    assert story.counts() == {"in_doubt": 1}
    [row] = story.rows()
    fresh = climbing.go_to_next(
        story.incident.ref, row.ref, reason="their log is silent", opened=story.real, actor=LEAD, now=story.clock()
    )
    story.work()
    assert story.counts() == {"accepted": 1}
    assert [(one.ref == fresh, one.channel) for one in of(story, 1)] == [(False, "email"), (True, "sms")]
    assert rows.remarks_of([row.id])[0].what == "next_channel"


def test_a_person_is_not_moved_on_without_reason_channel_or_right_place():
    story = a_climb(1, channels=("email",), email=Memory("email", answering(Outcome.UNKNOWN, "answer_lost")))
    story.start()
    story.work()
    [row] = story.rows()
    asked = {"opened": story.real, "actor": LEAD, "now": story.clock()}
    with pytest.raises(Refused, match="No other channel"):
        climbing.go_to_next(story.incident.ref, row.ref, reason="their log is silent", **asked)
    with pytest.raises(Missing):
        climbing.go_to_next(story.incident.ref, "0" * 26, reason="their log is silent", **asked)
    other = a_climb(1, email=Memory("email", answering(Outcome.UNKNOWN, "answer_lost")))
    other.start()
    other.work()
    [row] = other.rows()
    asked["opened"] = other.real
    with pytest.raises(Invalid):
        climbing.go_to_next(other.incident.ref, row.ref, reason="", **asked)
    with pytest.raises(Missing):
        climbing.go_to_next(story.incident.ref, row.ref, reason="their log is silent", **asked)
    assert other.counts() == {"in_doubt": 1}


def bounced(count=2):
    story = a_climb(count)
    story.start(pace=QUIET)
    story.work()
    for row in story.rows():
        report(story, row, Status.BOUNCED)
    return story


def test_nobody_is_moved_on_while_sending_is_frozen():
    story = bounced()
    dispatch.freeze(actor=LEAD, now=story.clock())
    assert climbing.due(story.clock()) == []
    assert climbing.climb(story.dispatch, story.real, now=story.clock()) is False
    assert story.counts() == {"bounced": 2}
    dispatch.release(actor=LEAD, now=story.clock())
    story.work()
    assert story.counts() == {"accepted": 2}


def test_nobody_is_moved_on_while_the_sending_is_paused_or_after_it_was_stopped():
    story = a_climb(4, email=Memory("email", answering(Outcome.REFUSED, "refused", to="person1@example.org")))
    story.start(pace=Pace(canary=2, most_back=100))
    story.work()
    assert story.row().paused_for == "canary"
    assert story.counts() == {"accepted": 1, "failed": 1, "waiting": 2}
    dispatch.stop(story.incident.ref, story.dispatch, typed="2", actor=LEAD, now=story.clock())
    story.work()
    assert story.counts() == {"accepted": 1, "failed": 1, "cancelled": 2}


def test_nobody_is_moved_on_in_a_closed_incident():
    story = bounced()
    story.incident.state = "closed"
    db.session.commit()
    assert climbing.due(story.clock()) == []
    assert climbing.climb(story.dispatch, story.real, now=story.clock()) is False


def test_a_changed_approval_stops_the_ladder_too():
    story = bounced()
    version = notices.rows.version(notice_row(story.incident, story.notice).id, 1)
    version.contents = version.contents | {"channels": ["email", "sms", "letter", "push"]}
    db.session.commit()
    story.work()
    assert (story.row().course, story.row().paused_for) == (Course.PAUSED, "approval_changed")
    assert story.counts() == {"bounced": 2}
    assert story.real["sms"].sent == []


def test_who_was_moved_on_still_weighs_in_the_share_that_came_back():
    story = a_climb(6)
    story.start(pace=Pace(most_back=40, sample=4))
    story.work()
    for row in story.rows()[:2]:
        report(story, row, Status.BOUNCED)
        story.work()
    assert story.counts() == {"accepted": 6}
    report(story, story.rows()[2], Status.BOUNCED)
    story.work()
    report(story, story.rows()[3], Status.BOUNCED)
    assert story.row().course == Course.DONE  # 4 of 10 outcomes came back: at the limit, not above it
    row = story.row()
    assert (row.counts.with_outcome - row.seen, row.counts.bad - row.seen_bad) == (9, 4)


def test_a_batch_is_moved_on_once_however_often_and_by_however_many_it_is_tried():
    story = bounced(5)
    for _ in range(3):
        climbing.climb(story.dispatch, story.real, now=story.clock())
    assert story.counts() == {"waiting": 5}
    story.work()
    assert Counter(message.to for message in story.real["sms"].sent) == {f"+4915112345{n:03}": 1 for n in range(1, 6)}


def test_many_are_moved_on_in_batches(monkeypatch):
    story = bounced(5)
    monkeypatch.setattr(climbing, "AT_ONCE", 2)
    assert [climbing.climb(story.dispatch, story.real, now=story.clock()) for _ in range(3)] == [True, True, False]
    assert story.verbs().count("deliveries.climbed") == 3
    assert story.counts() == {"waiting": 5}


def test_a_rehearsal_climbs_in_the_sandbox_and_tells_nobody():
    story = a_story(2, kind="drill", channels=("email", "sms"))
    story.start()
    story.work()
    assert story.counts() == {"simulated": 2}
    assert climbing.due(story.clock() + timedelta(days=99)) == []


def test_a_notice_approved_before_there_were_ladders_is_sent_as_it_was_approved():
    story = a_climb(2, email=Memory("email", answering(Outcome.REFUSED, "refused")))
    story.start(pace=QUIET)
    dispatches.anywhere(story.dispatch).ladder = []
    db.session.commit()
    story.work()
    assert story.counts() == {"failed": 2}
    assert story.real["sms"].sent == []


def test_the_ladder_is_part_of_what_is_approved():
    one = a_climb(1, ladder=[Step("email", 10, Proof.ACCEPTED)])
    two = a_climb(1, ladder=[Step("email", 11, Proof.ACCEPTED)])
    kept = [
        notices.rows.version(notice_row(story.incident, story.notice).id, 1).contents["ladder"] for story in (one, two)
    ]
    assert [ladder[0]["hours"] for ladder in kept] == [10, 11]
    story = a_climb(1)
    notice = notice_row(story.incident, story.notice)
    change = notices.Change(
        title=notice.title, languages=("en",), channels=tuple(notices.Channel(word) for word in notice.channels),
        audience=notices.Audience(), send_at=None,
        texts={text.language: text for text in notices.texts_of(notice)},
        ladder={"sms": Step("sms", 1, Proof.CONFIRMED)},
    )  # fmt: skip
    notices.save(story.incident.ref, story.notice, change, revision=notice.revision, actor=LEAD, now=NOW)
    assert notice_row(story.incident, story.notice).stage == "draft"


def test_everybody_in_a_household_gets_their_own_by_the_next_channel_too():
    story = a_climb(2, channels=("email", "letter"), email=Memory("email", answering(Outcome.REFUSED, "refused")))
    story.start(pace=QUIET)
    story.work()
    letters = story.real["letter"].sent
    assert {message.to.partition("\n")[0] for message in letters} == {"Person 1", "Person 2"}
    assert len({message.to.partition("\n")[2] for message in letters}) == 1
    assert len({message.ref for message in letters}) == 2


@pytest.mark.parametrize(
    ("channels", "changes"), [(("email", "sms"), {"email": ""}), (("letter", "sms"), {"no_letter": "yes"})]
)
def test_an_address_that_was_taken_away_meanwhile_is_handed_to_nobody_and_the_next_channel_follows(channels, changes):
    story = a_climb(3, channels=channels)
    story.start(pace=Pace(most_back=100, at_any_hour=True))
    while preparing.prepare(story.dispatch, story.channels.open(simulated=False), now=story.clock()):
        pass
    correcting.correct(story.incident.ref, "P-2", changes, reason="They asked for it.", version=1, actor=LEAD, now=NOW)
    story.work()
    first, second = of(story, 2)
    assert (first.channel, first.state, first.reason, first.called_at) == (channels[0], "failed", "no_address", None)
    assert (second.channel, second.state, second.current) == ("sms", "accepted", True)
    assert all(message.to for channel in channels for message in story.real[channel].sent)
    assert len(story.real[channels[0]].sent) == 2
    story.counts()
