"""What a provider has of messages whose answer was lost: asked, never guessed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifiers.contract import Finding, LooksUp, Message, Outcome, Sought, Status
from notifiers.sendgrid_email import SendgridEmail
from notifiers.twilio_sms import TwilioSms
from tests.fakes.faults import Fault
from tests.fakes.sendgrid import KEY, FakeSendGrid
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio

HOUR = timedelta(hours=1)


def a_text(number: int = 1, **values: Any) -> Message:
    return Message(**{"ref": f"R{number:04}", "to": f"+4915100000{number:03}", "text": "Please read."} | values)


def a_mail(number: int = 1, **values: Any) -> Message:
    usual = {"ref": f"R{number:04}", "to": f"person{number}@example.org", "subject": "Notice", "text": "Please read."}
    return Message(**usual | values)


def sought(message: Message, since: datetime | None = None, until: datetime | None = None) -> Sought:
    now = datetime.now(UTC)
    return Sought(message, since or now - HOUR, until or now)


@pytest.fixture
def phone():
    with FakeTwilio() as server:
        yield server


@pytest.fixture
def mail():
    with FakeSendGrid() as server:
        server.keeps_activity = True
        yield server


def sms(server: FakeTwilio, **more: Any) -> TwilioSms:
    return TwilioSms(ACCOUNT, TOKEN, sender="+15005550006", url=server.url, seconds=5, **more)


def email(server: FakeSendGrid, **more: Any) -> SendgridEmail:
    return SendgridEmail(KEY, "notice@company.example", url=server.url, seconds=5, **{"activity": True} | more)


def test_a_text_that_was_taken_before_the_line_broke_is_found_with_its_number_and_state(phone):
    channel, message = sms(phone), a_text()
    phone.faults.first = [Fault.CUT_AFTER]
    assert channel.send([message])[0].outcome is Outcome.UNKNOWN
    [finding] = channel.find([sought(message)])
    [match] = finding.matches
    assert (finding.ref, finding.trouble) == ("R0001", "")
    assert (match.provider_id, match.status, match.certain) == (phone.texts[0].sid, Status.DELIVERED, True)


def test_a_text_that_never_reached_the_provider_has_no_match(phone):
    channel, message = sms(phone), a_text()
    phone.faults.first = [Fault.CUT_BEFORE]
    channel.send([message])
    assert channel.find([sought(message)]) == [Finding("R0001")]


def test_another_text_to_the_same_number_and_an_older_one_are_no_match(phone):
    channel, message = sms(phone), a_text()
    channel.send([a_text(text="Something else.")])
    channel.send([message])
    before = datetime.now(UTC) - 2 * HOUR
    assert channel.find([sought(message, before - HOUR, before)]) == [Finding("R0001")]
    assert len(channel.find([sought(message)])[0].matches) == 1


def test_the_same_text_to_two_of_one_household_is_found_twice_for_both(phone):
    channel = sms(phone)
    messages = [a_text(1, to="+4915100000009"), a_text(2, to="+4915100000009")]
    channel.send(messages)
    found = channel.find([sought(message) for message in messages])
    assert [{match.provider_id for match in one.matches} for one in found] == [{text.sid for text in phone.texts}] * 2


def test_where_the_provider_keeps_no_text_a_match_is_not_certain(phone):
    channel, message = sms(phone, discard_text=True), a_text()
    channel.send([message])
    assert [match.certain for match in channel.find([sought(message)])[0].matches] == [False]


def test_where_the_provider_keeps_no_number_it_is_not_asked_at_all(phone):
    assert sms(phone, obfuscate_number=True).looks_up == 0
    assert sms(phone).looks_up == 1


def test_an_undelivered_text_says_why(phone):
    channel, message = sms(phone), a_text()
    phone.undelivered = {message.to: 30005}
    channel.send([message])
    [match] = channel.find([sought(message)])[0].matches
    assert (match.status, match.reason, match.code) == (Status.BOUNCED, "handset_unknown", "30005")


TROUBLES = [
    (Fault.BUSY, "too_many_requests"),
    (Fault.TROUBLE, "provider_trouble"),
    (Fault.CUT_AFTER, "not_reached"),
    (Fault.GARBAGE, "answer_unclear"),
]


@pytest.mark.parametrize(("fault", "trouble"), TROUBLES)
def test_a_provider_that_cannot_say_is_never_taken_to_have_nothing(phone, mail, fault: Fault, trouble: str):
    phone.lists, mail.lists = [fault], [fault]
    assert sms(phone).find([sought(a_text())]) == [Finding("R0001", trouble=trouble)]
    assert email(mail).find([sought(a_mail())]) == [Finding("R0001", trouble=trouble)]


def test_wrong_credentials_say_so(phone, mail):
    wrong = TwilioSms(ACCOUNT, "wrong", sender="+15005550006", url=phone.url, seconds=5)
    assert wrong.find([sought(a_text())])[0].trouble == "credentials_refused"
    refused = SendgridEmail("SG.wrong", "notice@company.example", url=mail.url, seconds=5, activity=True)
    assert refused.find([sought(a_mail())])[0].trouble == "credentials_refused"


def test_mails_are_found_by_our_references_alone_and_many_by_one_question(mail):
    channel = email(mail)
    messages = [a_mail(number) for number in range(1, 15)]
    mail.bounces = {messages[3].to}
    channel.send(messages[:10])
    found = channel.find([sought(message) for message in messages])
    assert mail.listed == 1
    assert [len(one.matches) for one in found] == [1] * 10 + [0] * 4
    assert found[0].matches[0].status is Status.DELIVERED
    assert found[3].matches[0].status is Status.BOUNCED
    numbers = {letter.ref: letter.message_id for letter in mail.letters}
    assert {one.ref: one.matches[0].provider_id for one in found[:10]} == numbers


def test_two_people_with_one_mailbox_are_asked_about_apart(mail):
    channel = email(mail)
    messages = [a_mail(1, to="family@example.org"), a_mail(2, to="Family@example.org")]
    channel.send(messages[:1])
    found = channel.find([sought(message) for message in messages])
    assert mail.listed == 2
    assert [len(one.matches) for one in found] == [1, 0]


def test_without_the_add_on_the_mails_are_not_looked_up(mail):
    assert email(mail, activity=False).looks_up == 0
    mail.keeps_activity = False
    assert email(mail).find([sought(a_mail())])[0].trouble == "no_activity_kept"


def test_channels_that_can_be_asked_say_so_and_findings_hold_no_address(phone, mail):
    assert isinstance(sms(phone), LooksUp)
    assert isinstance(email(mail), LooksUp)
    channel, message = sms(phone), a_text()
    channel.send([message])
    found = repr(channel.find([sought(message)]))
    assert message.to not in found
    assert "Please read" not in found


def test_how_long_a_text_is_tried_and_what_the_provider_keeps_of_it_are_asked_for_as_set(phone):
    sms(phone, validity=900, discard_text=True, obfuscate_number=True).send([a_text(1)])
    sms(phone).send([a_text(2)])
    asked = {"ValidityPeriod": "900", "ContentRetention": "discard", "AddressRetention": "obfuscate"}
    assert asked.items() <= phone.texts[0].form.items()
    assert asked.keys().isdisjoint(phone.texts[1].form)


def test_questions_hold_what_the_published_contracts_take_and_no_more(phone, mail):
    """twilio-oai `ListMessage` and sendgrid-oai `filterMessages`: names and limits of their parameters."""
    sms(phone).find([sought(a_text())])
    email(mail).find([sought(a_mail(number)) for number in range(1, 40)])
    [asked] = phone.questions
    assert asked.keys() <= {"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"}
    assert 1 <= int(asked["PageSize"]) <= 1_000
    assert len(mail.questions) == 2
    for asked in mail.questions:
        assert asked.keys() == {"query", "limit"}
        assert 1 <= int(asked["limit"]) <= 1_000
        assert asked["query"].count("unique_args['tocsin_ref']=") <= 20
        assert "@" not in asked["query"]
