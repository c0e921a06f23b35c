"""A provider is asked about those in doubt: what it certainly has settles them, everything else stays for a person."""

from datetime import timedelta

import pytest

from incident.actions import correcting, dispatch, lookups, preparing, reported
from incident.domain.errors import Missing, Refused
from incident.domain.lookups import Verdict
from incident.domain.pace import Pace
from incident.store import lookups as rows
from notifiers.contract import Event, Finding, Match, Message, Outcome, Sought, Status
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story, answering

pytestmark = pytest.mark.usefixtures("app")


class Asked(Memory):
    """A channel whose provider remembers: `has` are the messages that it has, by number and text, each with a number."""

    looks_up = 1
    asked_every = 0.1

    def __init__(self, channel="sms", answer=None, **more):
        super().__init__(channel, answer or answering(Outcome.UNKNOWN, "answer_lost"), **more)
        self.has: list[tuple[str, str, Match]] = []
        self.asked: list[Sought] = []
        self.trouble = ""

    def holds(self, message: Message, number: str, status=Status.DELIVERED, **more):
        self.has.append((message.to, message.text, Match(number, status, **more)))

    def find(self, sought):
        self.asked += sought
        if self.trouble:
            return [Finding(one.message.ref, trouble=self.trouble) for one in sought]
        return [
            Finding(
                one.message.ref,
                tuple(match for to, text, match in self.has if (to, text) == (one.message.to, one.message.text)),
            )
            for one in sought
        ]


def in_doubt(count=2, **more):
    """A sending by text whose answers were all lost."""
    phone = Asked(**more)
    story = a_story(count, channels=("sms", "email"), only_phone=count, real={"sms": phone})
    story.start()
    story.work()
    assert story.counts() == {"in_doubt": count}
    return story, phone


def look(story, minutes=2.0):
    story.clock.move(minutes=minutes)
    for _ in range(20):
        found = lookups.due(story.channels, story.clock())
        if not found:
            return
        for ref in found:
            lookups.look_up(ref, story.channels, now=story.clock())
    raise AssertionError("It asks for ever.")


def verdicts(story):
    return [(one.verdict, one.by, one.reason) for one in rows.of([row.id for row in story.rows()])]


def test_what_the_provider_has_is_no_longer_in_doubt_and_what_it_lacks_stays():
    story, phone = in_doubt(2)
    phone.holds(phone.sent[0], "SM1")
    look(story)
    assert story.counts() == {"delivered": 1, "in_doubt": 1}
    told, open_ = story.rows()
    assert (told.state, told.provider_id, told.reason) == ("delivered", "SM1", "found_at_provider")
    assert verdicts(story) == [("found", "system", ""), ("none", "system", "")]
    assert story.verbs()[-1] == "deliveries.looked_up"
    assert open_.state == "in_doubt"


def test_it_is_asked_once_by_itself_and_not_before_its_list_can_know():
    story, phone = in_doubt(1)
    look(story, minutes=0.5)
    assert phone.asked == []
    look(story)
    look(story)
    assert len(phone.asked) == 1


def test_a_provider_that_cannot_say_is_asked_again_later_and_not_for_ever():
    story, phone = in_doubt(1)
    phone.trouble = "not_reached"
    for _ in range(6):
        look(story, minutes=11)
    assert verdicts(story) == [("unanswered", "system", "not_reached")] * 3
    assert story.counts() == {"in_doubt": 1}


def test_a_provider_that_breaks_while_it_is_asked_has_said_nothing():
    story, phone = in_doubt(1)
    phone.find = lambda sought: 1 / 0
    look(story)
    assert verdicts(story) == [("unanswered", "system", "not_answered")]


def test_the_time_of_the_call_is_part_of_the_question():
    story, phone = in_doubt(1)
    look(story)
    [one] = phone.asked
    assert (one.since, one.message.to, one.message.text) == (NOW, phone.sent[0].to, phone.sent[0].text)
    assert NOW <= one.until <= NOW + timedelta(minutes=1)


def test_a_text_that_came_back_goes_on_to_the_next_channel():
    phone, mail = Asked(), Memory("email")
    story = a_story(1, channels=("sms", "email"), real={"sms": phone, "email": mail}, both=1)
    story.start()
    story.work()
    phone.holds(phone.sent[0], "SM1", Status.BOUNCED, reason="handset_unknown", code="30005")
    look(story)
    story.work()
    assert [message.to for message in mail.sent] == ["person1@example.org"]


def test_one_text_to_a_number_that_two_share_is_nobodys_for_certain():
    phone = Asked()
    story = a_story(2, channels=("sms", "email"), only_phone=2, real={"sms": phone})
    story.start()
    story.work()
    one, two = phone.sent
    phone.holds(one, "SM1")
    found = [Finding(message.ref, (Match("SM1", Status.DELIVERED),)) for message in (one, two)]
    phone.find = lambda sought: [next(f for f in found if f.ref == s.message.ref) for s in sought]
    look(story)
    assert [verdict for verdict, *_ in verdicts(story)] == ["unclear", "unclear"]
    assert story.counts() == {"in_doubt": 2}


def test_a_number_that_an_earlier_attempt_owns_is_not_counted_again():
    story, phone = in_doubt(2)
    _, second = story.rows()
    phone.holds(phone.sent[0], "SM1")
    look(story)
    phone.has = [(phone.sent[1].to, phone.sent[1].text, Match("SM1", Status.DELIVERED))]
    found = lookups.ask_one(story.incident.ref, second.ref, story.channels, actor=LEAD, now=story.clock())
    assert found.verdicts == {Verdict.NONE: 1}


def test_a_person_can_ask_at_any_time_and_is_told_what_was_said():
    story, phone = in_doubt(3)
    phone.holds(phone.sent[0], "SM1", Status.ACCEPTED)
    asked = lookups.ask(story.incident.ref, story.dispatch, story.channels, actor=LEAD, now=story.clock())
    assert asked.words == "Asked. The provider has it: 1; the provider has nothing that fits: 2."
    assert story.counts() == {"accepted": 1, "in_doubt": 2}
    assert {by for _, by, _ in verdicts(story)} == {LEAD}


def test_a_report_that_came_while_we_asked_stands():
    story, phone = in_doubt(1)
    phone.holds(phone.sent[0], "SM1", Status.ACCEPTED)
    ask = phone.find

    def meanwhile(sought):
        row = story.rows()[0]
        reported.take_in("memory", "sms", [Event("e1", Status.BOUNCED, row.ref, "SM1")], now=story.clock())
        return ask(sought)

    phone.find = meanwhile
    look(story)
    assert story.counts() == {"bounced": 1}


def test_without_a_provider_that_can_be_asked_that_is_said():
    story = a_story(1, channels=("sms", "email"), only_phone=1, real={"sms": Memory("sms", answering(Outcome.UNKNOWN))})
    story.start()
    story.work()
    assert lookups.due(story.channels, story.clock()) == []
    with pytest.raises(Refused, match="No provider"):
        lookups.ask(story.incident.ref, story.dispatch, story.channels, actor=LEAD, now=NOW)
    with pytest.raises(Missing):
        lookups.ask(story.incident.ref, "S-NOTHERE0", story.channels, actor=LEAD, now=NOW)


def test_what_is_settled_is_not_asked_about():
    story, phone = in_doubt(1)
    phone.holds(phone.sent[0], "SM1")
    look(story)
    with pytest.raises(Refused, match="no longer in doubt"):
        lookups.ask_one(story.incident.ref, story.rows()[0].ref, story.channels, actor=LEAD, now=NOW)


def restored(count=3):
    """A sending as a restored database knows it: everybody waits, though the provider has told the first; all is frozen."""
    phone = Asked()
    story = a_story(count, channels=("sms", "email"), only_phone=count, real={"sms": phone})
    story.start()
    while preparing.prepare(story.dispatch, story.real, now=story.clock()):
        pass
    dispatch.freeze(actor=LEAD, now=story.clock())
    texts = [one.text for one in written(story)]
    phone.has = [("+4915112345001", texts[0], Match("SM1", Status.DELIVERED, story.clock()))]
    return story, phone


def written(story):
    row = story.row()
    return [one.message for one in lookups._sought(row, "sms", story.rows(), story.clock())]


def test_after_a_restore_whom_the_provider_has_told_already_is_not_told_again():
    story, phone = restored()
    look(story)
    assert story.counts() == {"delivered": 1, "waiting": 2}
    assert [verdict for verdict, *_ in verdicts(story)] == ["found", "none", "none"]
    phone.answer = answering(Outcome.ACCEPTED)
    dispatch.release(actor=LEAD, now=story.clock())
    story.work()
    assert sorted(message.to for message in phone.sent) == ["+4915112345002", "+4915112345003"]


def test_those_who_wait_are_asked_about_once_a_freeze_and_never_else():
    story, phone = restored()
    look(story)
    look(story, minutes=60)
    assert len(phone.asked) == 3
    dispatch.release(actor=LEAD, now=story.clock())
    assert lookups.due(story.channels, story.clock()) == []
    dispatch.freeze(actor=LEAD, now=story.clock())
    look(story)
    assert len(phone.asked) == 5


@pytest.mark.parametrize("apart", [False, True])
def test_of_two_who_wait_with_one_number_and_text_nobody_is_taken_for_told(apart):
    story, phone = restored(2)
    phone.asked_every = 10 if apart else 0.1  # asked about one by one, or both at once
    changed = {"phone": "+4915112345001"}
    correcting.correct(story.incident.ref, "P-2", changed, reason="typo", version=1, actor=LEAD, now=story.clock())
    look(story)
    assert story.counts() == {"waiting": 2}
    assert {verdict for verdict, *_ in verdicts(story)} == {"unclear"}


def test_in_a_wave_that_goes_on_those_who_certainly_wait_make_nothing_unclear(monkeypatch):
    monkeypatch.setattr(lookups, "MOST_RIVALS", 2)
    phone = Asked(batch=1)
    story = a_story(5, channels=("sms", "email"), only_phone=5, real={"sms": phone})
    story.start(pace=Pace(canary=1))
    story.work()
    assert story.counts() == {"in_doubt": 1, "waiting": 4}
    phone.holds(phone.sent[0], "SM1")
    look(story)
    assert story.counts() == {"delivered": 1, "waiting": 4}
