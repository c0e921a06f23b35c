"""Ways to reach people: which work, a test of each to oneself, and readiness that goes by these tests."""

import json
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import pytest
import time_machine
from pypdf import PdfReader

from incident import clock
from incident.actions import channel_trials, rotating, telling
from incident.actions import users as accounts
from incident.actions.ledger import transaction
from incident.actions.throttled import TooMany
from incident.domain.access import Role
from incident.domain.errors import Invalid, Refused
from incident.store import audit, reach, readiness, sealed, users
from incident.store.db import db
from incident.store.reach import Reach
from notifiers.by_hand import ByHand
from notifiers.contract import Answer, Channels, Outcome
from notifiers.fcm_push import FcmPush
from notifiers.memory import Memory
from notifiers.print_letters import PrintLetters
from tests.actions.waves import SANDBOX
from tests.fakes.fcm import FakeFcm, device

NUMBER = "+4915112345678"
PAGE = "/channels/"
CALL = "/channels/call/test"
PUSH = "/channels/push/test"
SAMPLE = "/channels/letter/sample"
API = "/api/v1/administration/channels"


def opened(app, monkeypatch, **real):
    """The page with these providers set."""
    monkeypatch.setitem(app.extensions, "channels", Channels(real, SANDBOX))


def with_a_number(ref):
    """This person has proved the number to be theirs."""
    user = users.by_ref(ref)
    with transaction(ref, clock.now()) as ledger:
        box = sealed.seal(None, f"reach.sealed:{ref}", NUMBER.encode())
        db.session.add(Reach(user_id=user.id, sealed=box, proved_at=clock.now(), changed_at=clock.now()))
        ledger.write("reach.phone_proved", ref)


def in_chinese(ref):
    user = users.by_ref(ref)
    user.language = "zh-Hans"
    db.session.commit()


def lines_of(ref):
    """The details of the lines that this person's tests left, newest first."""
    db.session.rollback()
    return [(one.verb, one.subject, json.loads(one.details)) for one in audit.search(actor=ref, verb="channel.")]


def test_a_test_goes_to_whoever_asks_and_is_remembered(app, as_):
    browser = as_(Role.LEAD)
    mail = Memory("email")
    said = channel_trials.send("email", channels=Channels({"email": mail}, SANDBOX), actor=browser.ref, now=clock.now())
    assert said == "The test is on its way to your own address."
    (message,) = mail.sent
    assert message.to == users.by_ref(browser.ref).email
    assert "email" in readiness.tried({"email": mail.provider})


def test_what_cannot_be_tried_is_refused_in_words(as_):
    lead = as_(Role.LEAD)
    with pytest.raises(Refused, match="No provider is set"):
        channel_trials.send("email", channels=Channels({}, SANDBOX), actor=lead.ref, now=clock.now())
    with pytest.raises(Invalid, match="email, sms, call, push"):
        channel_trials.send("letter", channels=Channels({}, SANDBOX), actor=lead.ref, now=clock.now())
    assert lead.post("/channels/email/test").status_code == 409


def test_a_call_goes_to_the_number_one_proved_and_says_that_it_is_a_test_and_from_whom(app, as_, monkeypatch):
    admin, channel = as_(Role.ADMINISTRATOR), Memory("call")
    opened(app, monkeypatch, call=channel)
    assert "Prove your own telephone number first" in admin.post(CALL).text
    assert (channel.sent, lines_of(admin.ref)) == ([], [])
    with_a_number(admin.ref)
    page = admin.post(CALL, follow_redirects=True).text
    assert "on its way to your own telephone" in page
    assert "never tried" not in page
    assert "Tried on" in page
    [message] = channel.sent
    name = users.by_ref(admin.ref).name
    assert message.to == NUMBER
    assert message.text.startswith(f"This is a test, which {name} sent to themselves")
    assert "Nothing has happened" in message.text
    proved, tested = lines_of(admin.ref)
    assert (tested[0], tested[1], tested[2]["attempt"]) == ("channel.tested", "call", message.ref)
    assert (proved[0], proved[2]["attempt"]) == ("channel.proved", message.ref)


def test_the_words_of_a_test_call_are_given_out_for_an_hour_and_to_its_provider_alone(app, as_, monkeypatch):
    admin, channel = as_(Role.ADMINISTRATOR), Memory("call")
    opened(app, monkeypatch, call=channel)
    with_a_number(admin.ref)
    admin.post(CALL)
    admin.post(CALL)
    soon, late = clock.now() + timedelta(minutes=59), clock.now() + timedelta(minutes=61)
    for message in channel.sent:  # the second call takes nothing from the first
        assert telling.message_for(message.ref, "call", channel.provider, now=soon).text == message.text
    ref = channel.sent[0].ref
    assert telling.message_for(ref, "call", channel.provider, now=late) is None
    assert telling.message_for(ref, "call", "another", now=soon) is None
    assert telling.message_for(ref, "sms", channel.provider, now=soon) is None
    assert telling.message_for("nothing", "call", channel.provider, now=soon) is None


def test_a_test_speaks_the_language_of_whoever_asks(app, as_, monkeypatch):
    admin, channel = as_(Role.ADMINISTRATOR), Memory("call")
    opened(app, monkeypatch, call=channel)
    with_a_number(admin.ref)
    in_chinese(admin.ref)
    admin.post(CALL)
    [message] = channel.sent
    assert message.language == "zh-Hans"
    assert "测试" in message.text


def test_calls_that_people_make_have_no_test_and_the_page_says_so(app, as_, monkeypatch):
    admin = as_(Role.ADMINISTRATOR)
    opened(app, monkeypatch, call=ByHand())
    with_a_number(admin.ref)
    page = admin.get(PAGE).text
    assert "Your own people make the calls here" in page
    assert CALL not in page
    assert admin.post(CALL).status_code == 409
    assert lines_of(admin.ref) == []


def test_a_sample_letter_is_a_sheet_to_look_at_that_names_nobody_else_and_leaves_a_line(app, as_, monkeypatch):
    admin = as_(Role.ADMINISTRATOR)
    assert admin.post(SAMPLE).status_code == 409
    opened(app, monkeypatch, letter=PrintLetters())
    assert SAMPLE in admin.get(PAGE).text
    sheet = admin.post(SAMPLE)
    assert (sheet.mimetype, sheet.headers["Cache-Control"]) == ("application/pdf", "no-store")
    said = " ".join(PdfReader(BytesIO(sheet.data)).pages[0].extract_text().split())
    assert "A sample letter" in said
    assert f"This is a test, which {users.by_ref(admin.ref).name} made" in said
    assert "Name of the person" in said
    [(verb, subject, details)] = lines_of(admin.ref)
    assert (verb, subject, details["sha256"]) == ("channel.sampled", "letter", sha256(sheet.data).hexdigest())
    assert "letter" in readiness.tried({"letter": PrintLetters.provider})


def test_programs_get_the_same_sheet_and_those_without_the_permit_none(app, as_, client, token_for, monkeypatch):
    opened(app, monkeypatch, letter=PrintLetters())
    sheet = client.post(API + "/letter/sample", headers=token_for(Role.ADMINISTRATOR))
    assert (sheet.status_code, sheet.data[:5]) == (200, b"%PDF-")
    assert as_(Role.RESPONDER).post(SAMPLE).status_code == 403


def test_tests_and_samples_are_counted_together(app, as_, monkeypatch):
    admin, letter, call = as_(Role.ADMINISTRATOR), PrintLetters(), Memory("call")
    opened(app, monkeypatch, letter=letter, call=call)
    with_a_number(admin.ref)
    for _ in range(6):
        admin.post(CALL)
    assert admin.post(SAMPLE).status_code == 429
    with pytest.raises(TooMany):
        channel_trials.send("call", channels=Channels({"call": call}, SANDBOX), actor=admin.ref, now=clock.now())
    assert len(call.sent) == 6


# ---------------------------------------------------------------- push, to a device of one's own


@pytest.fixture
def fcm(app, monkeypatch):
    """FCM on a socket, set up as this installation's push."""
    with FakeFcm() as server:
        push = FcmPush(server.key_file(), link="http://localhost/check", url=server.url, token_url=server.token_url)
        opened(app, monkeypatch, push=push)
        yield server


def code_shown(fcm):
    return fcm.shown[-1].body.split()[0]


def proves(browser, fcm, token=None):
    """Names a device on the account page, and types in the code that FCM showed on it."""
    token = token or device(1)
    assert browser.post("/account/reminders/device", data={"token": f" {token}\n"}).status_code == 302
    done = browser.post("/account/reminders/device/code", data={"device_code": code_shown(fcm)})
    assert done.status_code == 302
    return token


def verdict_of(client, headers, word="channel.push"):
    checks = client.get("/api/v1/readiness/", headers=headers).json["checks"]
    return next(check["verdict"] for check in checks if check["word"] == word)


def test_a_device_is_proved_by_the_code_that_a_push_carried_and_then_gets_the_test(as_, fcm):
    lead = as_(Role.LEAD)
    page = lead.get("/account/").text
    assert "copy it from there; else ask those who make the app" in page
    assert "Prove your device first" in lead.get(PAGE).text
    assert "Prove a device of your own" in lead.post(PUSH).text
    token = proves(lead, fcm)
    assert "Prove your device first" not in lead.get(PAGE).text
    assert "on its way to your own device" in lead.post(PUSH, follow_redirects=True).text
    test = fcm.shown[-1]
    assert (test.to, test.title) == (token, "[Test] Tocsin can reach you")
    assert "Nothing has happened. Nobody else got it." in test.body
    assert [line.verb for line in audit.search(actor=lead.ref)][:4] == [
        "channel.proved", "channel.tested", "reach.device_proved", "reach.device_offered",
    ]  # fmt: skip


def test_untested_then_tested_then_ready_and_stale_after_half_a_year(app, as_, client, token_for, fcm):
    lead, watcher = as_(Role.LEAD), token_for(Role.LEAD)
    assert "Set up (fcm) and never tried." in lead.get("/readiness/").text
    assert 'href="/channels/"' in lead.get("/readiness/").text
    proves(lead, fcm)
    assert verdict_of(client, watcher) == "look"  # a code proves a device, and no test yet
    lead.post(PUSH)
    assert verdict_of(client, watcher) == "ready"
    assert "by " in lead.get(PAGE).text.lower()
    with time_machine.travel(clock.now() + timedelta(days=183), tick=False):
        late = as_(Role.LEAD)
        assert "which is more than half a year ago" in late.get(PAGE).text
        assert "which is more than half a year ago" in late.get("/readiness/").text


def test_a_dead_token_says_so_plainly_and_takes_back_the_proof(as_, fcm, client, token_for):
    lead = as_(Role.LEAD)
    token = proves(lead, fcm)
    fcm.dead = {token}
    assert "belongs to no device any more" in lead.post(PUSH, follow_redirects=True).text
    page = lead.get("/account/").text
    assert "the token of your device is dead" in page
    assert "Token of your device" in page
    assert "Prove your device first" in lead.get(PAGE).text
    assert "test not taken" not in lead.get(PAGE).text  # a device is gone, and the way to others works
    assert verdict_of(client, token_for(Role.LEAD)) == "look"
    row = reach.device(users.by_ref(lead.ref).id)
    assert (row.sealed, row.proved_at) == (None, None)
    assert audit.search(actor=lead.ref)[0].verb == "reach.device_gone"


def test_a_token_that_is_dead_when_it_is_named_is_refused_at_its_field(as_, fcm):
    lead = as_(Role.LEAD)
    fcm.dead = {device(2)}
    answer = lead.post("/account/reminders/device", data={"token": device(2)})
    assert answer.status_code == 422
    assert "belongs to no device any more" in answer.text
    fcm.foreign = {device(3)}
    assert "did not take this token" in lead.post("/account/reminders/device", data={"token": device(3)}).text
    assert "did not take this token" in lead.post("/account/reminders/device", data={"token": "nonsense"}).text
    assert lead.post("/account/reminders/device", data={"token": ""}).status_code == 422
    assert lead.post("/account/reminders/device", data={"token": "x" * 2_001}).status_code == 422


def test_a_wrong_or_old_code_proves_nothing(as_, fcm):
    lead = as_(Role.LEAD)
    lead.post("/account/reminders/device", data={"token": device(1)})
    right = code_shown(fcm)
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    assert lead.post("/account/reminders/device/code", data={"device_code": wrong}).status_code == 422
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        assert lead.post("/account/reminders/device/code", data={"device_code": right}).status_code == 422
    assert reach.device(users.by_ref(lead.ref).id).proved_at is None


def test_no_token_stands_in_the_record_or_in_the_clear(as_, fcm):
    lead = as_(Role.LEAD)
    token = proves(lead, fcm)
    lead.post(PUSH)
    row = reach.device(users.by_ref(lead.ref).id)
    assert token.encode() not in row.sealed
    assert all(token not in line.details for line in audit.search(actor=lead.ref))
    assert token not in lead.get("/account/").text
    assert token[-6:] in lead.get("/account/").text


def test_a_turned_key_ring_still_opens_the_token_and_the_proof(as_, fcm):
    lead = as_(Role.LEAD)
    proves(lead, fcm)
    rotating.rotate_keys(drop_old=True, actor="system", now=clock.now())
    assert "on its way to your own device" in lead.post(PUSH, follow_redirects=True).text


def test_who_leaves_leaves_neither_number_nor_device(as_, fcm):
    as_(Role.ADMINISTRATOR)
    lead = as_(Role.LEAD)
    proves(lead, fcm)
    with_a_number(lead.ref)
    accounts.lock(lead.ref, actor="U-1", now=clock.now())
    number = users.by_ref(lead.ref).id
    assert (reach.one(number), reach.device(number)) == (None, None)


def test_a_device_can_be_forgotten(as_, fcm):
    lead = as_(Role.LEAD)
    proves(lead, fcm)
    lead.post("/account/reminders/device/remove")
    assert reach.device(users.by_ref(lead.ref).id) is None
    assert lead.post(PUSH).status_code == 422


def test_programs_prove_a_device_and_try_push_as_pages_do(client, token_for, fcm):
    key = token_for(Role.LEAD)
    assert client.post("/api/v1/me/device", json={"token": device(4)}, headers=key).status_code == 204
    assert client.post("/api/v1/me/device/code", json={"code": code_shown(fcm)}, headers=key).status_code == 204
    mine = client.get("/api/v1/me/reminders", headers=key).json
    assert (mine["device"], mine["device_proved"], mine["has_push"]) == (f"…{device(4)[-6:]}", True, True)
    said = client.post(f"{API}/push/test", headers=key).json["said"]
    assert said == "The test is on its way to your own device."
    [push] = [one for one in client.get(API, headers=key).json["channels"] if one["channel"] == "push"]
    assert (push["provider"], push["verdict"], push["trial"], push["lacks"]) == ("fcm", "ready", "test", "")
    assert client.delete("/api/v1/me/device", headers=key).status_code == 204
    assert client.post(f"{API}/push/test", headers=key).status_code == 422


def test_no_device_is_taken_without_a_push_service_or_while_sending_is_frozen(as_, app):
    lead = as_(Role.LEAD)
    assert "No push service is set up here" in lead.post("/account/reminders/device", data={"token": "x"}).text
    assert "Token of your device" not in lead.get("/account/").text


def test_codes_and_tests_by_push_are_counted_with_the_others(as_, fcm):
    lead = as_(Role.LEAD)
    proves(lead, fcm)
    for _ in range(5):
        lead.post(PUSH)
    assert lead.post(PUSH).status_code == 429
    assert len(fcm.shown) == 6


# ---------------------------------------------------------------- a number, proved by a call


def test_a_landline_is_proved_by_a_call_that_reads_the_code_twice_and_gets_no_texts_by_itself(app, as_, monkeypatch):
    lead, channel = as_(Role.LEAD), Memory("call")
    opened(app, monkeypatch, call=channel)
    page = lead.get("/account/").text
    assert "Call me with the code" in page
    assert "Send a code" not in page
    lead.post("/account/reminders/phone", data={"phone": "+49 30 55501000", "by": "call"})
    [call] = channel.sent
    told = telling.message_for(call.ref, "call", channel.provider, now=clock.now()).text
    code = told.split(": ")[1].split(".")[0].replace(", ", "")
    assert (len(code), told.count(", ".join(code))) == (6, 2)
    assert code not in told  # figure by figure, for a voice would read one great number
    late = clock.now() + timedelta(minutes=11)
    assert telling.message_for(call.ref, "call", channel.provider, now=late) is None
    assert "Six digits, read out twice" in lead.get("/account/reminders/").text
    lead.post("/account/reminders/phone/code", data={"code": code})
    assert telling.message_for(call.ref, "call", channel.provider, now=clock.now()) is None
    row = reach.one(users.by_ref(lead.ref).id)
    assert (row.proved_at is not None, row.sms, row.call_ref) == (True, False, "")
    assert "on its way to your own telephone" in lead.post(CALL, follow_redirects=True).text
    assert [line.verb for line in audit.search(actor=lead.ref, verb="reach.")] == [
        "reach.phone_proved",
        "reach.phone_called",
    ]


def test_a_number_is_proved_again_on_its_page_and_counts_no_more_until_it_is(app, as_, monkeypatch):
    lead, channel = as_(Role.LEAD), Memory("sms")
    opened(app, monkeypatch, sms=channel)
    with_a_number(lead.ref)
    assert "Prove it again, or another number" in lead.get("/account/").text
    lead.post("/account/reminders/phone", data={"phone": NUMBER, "by": "sms"})
    assert reach.one(users.by_ref(lead.ref).id).proved_at is None
    lead.post("/account/reminders/phone/code", data={"code": channel.sent[0].text.split()[1]})
    assert reach.one(users.by_ref(lead.ref).id).proved_at is not None


def test_calls_that_people_make_prove_no_number(app, as_, monkeypatch):
    lead = as_(Role.LEAD)
    opened(app, monkeypatch, call=ByHand())
    assert "Call me with the code" not in lead.get("/account/").text
    answer = lead.post("/account/reminders/phone", data={"phone": "+49 30 55501000", "by": "call"})
    assert "No provider makes calls here" in answer.text
    assert lead.post("/account/reminders/phone", data={"phone": "+49 30 55501000", "by": "pigeon"}).status_code == 422


def test_a_call_speaks_the_code_in_the_language_of_whoever_asked(app, as_, monkeypatch):
    lead, channel = as_(Role.LEAD), Memory("call")
    in_chinese(lead.ref)
    opened(app, monkeypatch, call=channel)
    lead.post("/account/reminders/phone", data={"phone": "+86 10 55501000", "by": "call"})
    assert channel.sent[0].language == "zh-Hans"
    assert "验证码" in channel.sent[0].text


# ---------------------------------------------------------------- who sees the page


def test_whoever_holds_the_right_finds_the_page_and_auditors_look_only(app, as_, monkeypatch):
    opened(app, monkeypatch, email=Memory("email"))
    for role in (Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS, Role.ADMINISTRATOR):
        page = as_(role).get(PAGE).text
        assert "Send me a test" in page
    looker = as_(Role.AUDITOR)
    assert "Send me a test" not in looker.get(PAGE).text
    assert looker.post("/channels/email/test").status_code == 403
    assert as_(Role.RESPONDER).get(PAGE).status_code == 403
    assert 'href="/channels/"' in as_(Role.LEAD).get("/everything").text


def test_a_test_that_was_not_taken_leaves_the_channel_untried_and_the_page_says_so(app, as_, monkeypatch):
    lead = as_(Role.LEAD)
    refusing = Memory("email", answer=lambda message: Answer(message.ref, Outcome.STOP, reason="signed_out"))
    opened(app, monkeypatch, email=refusing)
    assert "did not take the test: signed out" in lead.post("/channels/email/test", follow_redirects=True).text
    page = lead.get(PAGE).text
    assert "test not taken" in page
    assert "The provider (memory) did not take the test of" in page
    assert "The provider (memory) did not take the test of" in lead.get("/readiness/").text
    opened(app, monkeypatch, email=Memory("email"))
    lead.post("/channels/email/test")
    page = lead.get(PAGE).text
    assert "did not take the test of" not in page
    assert "✓ works" in page
