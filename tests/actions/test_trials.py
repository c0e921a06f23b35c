"""A test to oneself: marked, to one address, said as it was answered."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from incident.actions import previews, telling, trials
from incident.actions.ledger import transaction
from incident.actions.trials import Trial
from incident.domain.access import Role
from incident.domain.errors import Invalid, Refused
from incident.domain.notices import Channel
from incident.store import dispatches, mailbox, members, readiness, sealed, users
from incident.store.db import db
from incident.store.reach import OwnDevice, Reach
from notifiers.contract import Answer, Channels, Outcome
from notifiers.memory import Memory
from notifiers.sandbox import Sandbox
from tests.builders import a_notice, a_text, a_user, an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
WHO = "U-0AUTHOR0"
BY_EMAIL = Trial()
VALUES = {
    "company.name": "Example",
    "link.check": "http://localhost/notices/check",
    "notice.reference": "N-1",
    "notice.date": "6 March 2026",
}


@pytest.fixture
def incident(app):
    return an_incident()


def ana():
    """Whoever tries."""
    return users.by_email("ana@example.org") or a_user(Role.LEAD, name="Ana", email="ana@example.org")


def try_out(incident, notifier, *, found=None, trial=BY_EMAIL, **changes):
    word = str(trial.channel)
    ref = a_notice(incident)
    wording = previews.Wording(found or a_text(), {**VALUES, **changes}, "http://localhost")
    channels = Channels({word: notifier} if notifier else {}, {word: Sandbox(word)})
    return trials.send(incident.ref, ref, wording, channels=channels, actor=ana().ref, now=NOW, trial=trial)


def lines():
    db.session.rollback()
    return db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'notice.tested'"))


def test_it_goes_to_the_one_who_asked_marked_as_a_test(incident):
    channel = Memory()
    assert try_out(incident, channel) == "The test is on its way to your own address."
    (message,) = channel.sent
    assert (message.to, message.subject) == ("ana@example.org", "[Test] Notice of data breach")
    assert "Dear Ana," in message.text
    assert lines() == 1


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.REFUSED, "did not take the test: bad address"),
        (Outcome.STOP, "did not take the test: bad address"),
        (Outcome.LATER, "did not take the test: bad address"),
        (Outcome.UNKNOWN, "may arrive, or not"),
    ],
)
def test_what_the_provider_answered_is_said(incident, outcome, words):
    channel = Memory(answer=lambda message: Answer(message.ref, outcome, reason="bad_address"))
    assert words in try_out(incident, channel)


def test_a_lost_answer_is_said_to_be_lost(incident):
    def lose(_message):
        raise TimeoutError

    assert "may arrive, or not" in try_out(incident, Memory(answer=lose))
    assert lines() == 1


def test_in_a_drill_nothing_leaves_even_with_a_provider(app):
    channel, drill = Memory(), an_incident(kind="drill")
    assert "sandbox" in try_out(drill, channel)
    assert channel.sent == []
    assert len(mailbox.mailbox(drill.id, before=None, limit=5)) == 1


def test_while_sending_is_frozen_no_test_goes_out(incident):
    dispatches.set_frozen(True, WHO, NOW)
    db.session.commit()
    channel = Memory()
    with pytest.raises(Refused, match="frozen"):
        try_out(incident, channel)
    assert (channel.sent, lines()) == ([], 0)


def test_a_missing_value_is_named_and_nothing_is_sent(incident):
    channel = Memory()
    with pytest.raises(Invalid) as refusal:
        try_out(incident, channel, found=a_text(subject="{{ fact.occurred_from }}"))
    assert refusal.value.field == "fact.occurred_from"
    assert (channel.sent, lines()) == ([], 0)


def with_a_number():
    """Ana has proved this number to be hers."""
    user = ana()
    with transaction(user.ref, NOW) as ledger:
        box = sealed.seal(None, f"reach.sealed:{user.ref}", b"+4915112345678")
        db.session.add(Reach(user_id=user.id, sealed=box, proved_at=NOW, changed_at=NOW))
        ledger.write("reach.phone_proved", user.ref)


def test_a_text_goes_to_the_number_that_one_proved_and_nowhere_else(incident):
    channel = Memory("sms")
    with pytest.raises(Invalid, match="Prove your own telephone number"):
        try_out(incident, channel, trial=Trial(Channel.SMS))
    assert (channel.sent, lines()) == ([], 0)
    with_a_number()
    assert "on its way to your own telephone" in try_out(incident, channel, trial=Trial(Channel.SMS))
    (message,) = channel.sent
    assert (message.to, message.text) == ("+4915112345678", "[Test] Example: see http://localhost/notices/check")


def test_a_test_call_says_that_it_is_one_and_its_words_are_given_out_for_an_hour(incident):
    with_a_number()
    channel = Memory("call")
    try_out(incident, channel, trial=Trial(Channel.CALL))
    (message,) = channel.sent
    assert message.text == "Test. Call Ana."
    told = telling.message_for(message.ref, "call", "twilio_voice", now=NOW + timedelta(minutes=59))
    assert (told.text, told.to) == (message.text, message.to)
    assert telling.message_for(message.ref, "sms", "twilio_voice", now=NOW) is None
    assert telling.message_for(message.ref, "call", "twilio_voice", now=NOW + timedelta(minutes=61)) is None


def with_a_device(token="tok-own"):
    """Ana has proved a device to be hers."""
    user = ana()
    with transaction(user.ref, NOW) as ledger:
        box = sealed.seal(None, f"own_device.sealed:{user.ref}", token.encode())
        db.session.add(OwnDevice(user_id=user.id, sealed=box, proved_at=NOW, changed_at=NOW))
        ledger.write("reach.device_proved", user.ref)


def test_push_goes_to_the_device_that_was_named_and_its_token_is_kept_nowhere(incident):
    channel = Memory("push")
    with pytest.raises(Invalid, match="Prove a device of your own"):
        try_out(incident, channel, trial=Trial(Channel.PUSH))
    assert "on its way to your own device" in try_out(incident, channel, trial=Trial(Channel.PUSH, "tok-123"))
    (message,) = channel.sent
    assert (message.to, message.subject) == ("tok-123", "[Test] Notice")
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM audit_line WHERE details LIKE '%tok-123%'")) == 0
    assert mailbox.mailbox(incident.id, before=None, limit=5) == []


def test_push_goes_to_the_device_that_one_proved_where_no_other_is_named(incident):
    with_a_device()
    channel = Memory("push")
    try_out(incident, channel, trial=Trial(Channel.PUSH))
    assert [message.to for message in channel.sent] == ["tok-own"]


def test_a_push_to_the_team_goes_to_the_devices_that_were_proved(incident):
    on_the_team(incident, "Bo")
    with_a_device()
    with transaction(WHO, NOW) as ledger:
        members.add(incident.id, ana().id, actor=WHO, now=NOW)
        ledger.write("member.added", ana().ref, incident=incident.ref)
    channel = Memory("push")
    said = try_out(incident, channel, trial=Trial(Channel.PUSH, to_team=True))
    assert [message.to for message in channel.sent] == ["tok-own"]
    assert "1 of 2 on the team" in said
    assert "1 proved no number or device." in said


def test_a_test_that_no_provider_took_leaves_the_channel_untried(incident):
    channel = Memory()
    channel.answer = lambda message: Answer(message.ref, Outcome.REFUSED, reason="address_unknown")
    try_out(incident, channel)
    assert readiness.tried({"email": channel.provider}) == {}
    try_out(incident, Memory())
    assert "email" in readiness.tried({"email": channel.provider})


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.CALL, Channel.PUSH])
def test_without_a_provider_every_test_stays_in_the_sandbox(incident, channel):
    assert "sandbox" in try_out(incident, None, trial=Trial(channel))
    [kept] = mailbox.mailbox(incident.id, before=None, limit=5)
    assert (kept.channel, kept.person_number) == (str(channel), None)


@pytest.mark.parametrize("channel", [Channel.LETTER, Channel.ANNOUNCEMENT])
def test_what_has_a_preview_only_is_not_tested(incident, channel):
    with pytest.raises(Invalid, match="preview"):
        try_out(incident, Memory(str(channel)), trial=Trial(channel))


def test_calls_that_people_make_are_not_tested(incident):
    channel = Memory("call")
    channel.provider = "by_hand"
    with pytest.raises(Refused, match="own people"):
        try_out(incident, channel, trial=Trial(Channel.CALL))


def test_a_test_counts_in_no_sending(incident):
    with_a_number()
    try_out(incident, Memory("sms"), trial=Trial(Channel.SMS))
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM delivery")) == 0


def test_so_many_tests_an_hour_and_no_more(incident):
    with_a_number()
    for _ in range(6):
        try_out(incident, Memory("sms"), trial=Trial(Channel.SMS))
    with pytest.raises(Refused, match="Too many"):
        try_out(incident, Memory("sms"), trial=Trial(Channel.SMS))


def on_the_team(incident, *names):
    """Colleagues on this incident."""
    for name in names:
        user = a_user(Role.LEAD, name=name, email=f"{name.lower()}@example.org")
        with transaction(user.ref, NOW) as ledger:
            members.add(incident.id, user.id, actor=user.ref, now=NOW)
            ledger.write("member.added", user.ref, incident=incident.ref)


def test_a_test_to_the_team_goes_to_each_at_their_own_address_and_names_them_alone(incident):
    on_the_team(incident, "Bo", "Cy")
    channel = Memory()
    said = try_out(incident, channel, trial=Trial(to_team=True))
    assert said == "2 of 2 on the team: the test is on its way."
    assert {message.to for message in channel.sent} == {"bo@example.org", "cy@example.org"}
    assert all(f"Dear {message.to[:2].title()}," in message.text for message in channel.sent)
    assert len({message.ref for message in channel.sent}) == 2
    assert lines() == 1


def test_a_colleague_without_a_proved_number_is_named_by_count_and_gets_no_text(incident):
    on_the_team(incident, "Bo")
    with pytest.raises(Invalid, match="proved"):
        try_out(incident, Memory("sms"), trial=Trial(Channel.SMS, to_team=True))
    with_a_number()
    user = ana()
    with transaction(user.ref, NOW) as ledger:
        members.add(incident.id, user.id, actor=user.ref, now=NOW)
        ledger.write("member.added", user.ref, incident=incident.ref)
    channel = Memory("sms")
    said = try_out(incident, channel, trial=Trial(Channel.SMS, to_team=True))
    assert said == "1 of 2 on the team: the test is on its way. 1 proved no number or device."
    assert [message.to for message in channel.sent] == ["+4915112345678"]


def test_one_lost_answer_of_a_test_to_the_team_says_nothing_of_the_others(incident):
    on_the_team(incident, "Bo", "Cy", "Di")

    def answer(message):
        if message.to.startswith("cy"):
            raise TimeoutError
        outcome = Outcome.REFUSED if message.to.startswith("di") else Outcome.ACCEPTED
        return Answer(message.ref, outcome, reason="bad_address")

    said = try_out(incident, Memory(answer=answer), trial=Trial(to_team=True))
    assert said == (
        "1 of 3 on the team: the test is on its way. Of 1 the provider’s answer was lost."
        " 1 were not taken by the provider."
    )


def test_without_a_team_there_is_nobody_to_test_it_on(incident):
    channel = Memory()
    with pytest.raises(Invalid, match="Team page"):
        try_out(incident, channel, trial=Trial(to_team=True))
    assert (channel.sent, lines()) == ([], 0)


def test_in_a_drill_a_test_to_the_team_stays_in_the_sandbox(app):
    drill = an_incident(kind="drill")
    on_the_team(drill, "Bo", "Cy")
    channel = Memory()
    assert "sandbox" in try_out(drill, channel, trial=Trial(to_team=True))
    assert channel.sent == []
    assert len(mailbox.mailbox(drill.id, before=None, limit=5)) == 2
