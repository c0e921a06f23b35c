"""What providers report over HTTP: genuine reports are taken in once, everything else changes nothing."""

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from incident.actions import deliveries, sending
from incident.domain.deliveries import Pace
from incident.store import audit, claims
from incident.store.db import db
from incident.store.provider_events import ProviderEvent
from notifiers.contract import Channels
from notifiers.sendgrid_email import SendgridEmail
from notifiers.twilio_sms import TwilioSms
from tests.actions.waves import LEAD, NOW, SANDBOX, a_story
from tests.fakes.faults import Fault
from tests.fakes.sendgrid import KEY, FakeSendGrid
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio

VECTORS = json.loads((Path(__file__).parents[1] / "notifiers/payloads/sendgrid_signatures.json").read_text())["vectors"]


@pytest.fixture
def sendgrid():
    with FakeSendGrid() as fake:
        yield fake


@pytest.fixture
def twilio():
    with FakeTwilio() as fake:
        yield fake


@pytest.fixture
def real(app, monkeypatch, sendgrid, twilio):
    email = SendgridEmail(KEY, "notice@company.example", url=sendgrid.url, public_key=sendgrid.public_key, seconds=5)
    sms = TwilioSms(
        ACCOUNT, TOKEN, sender="+15005550006", url=twilio.url, callback="http://localhost/hooks/twilio", seconds=5
    )
    channels = {"email": email, "sms": sms}
    monkeypatch.setitem(app.extensions, "channels", Channels(channels, SANDBOX))
    return channels


def post_events(client, sendgrid, events):
    body = json.dumps(events).encode()
    return client.post("/hooks/sendgrid", data=body, headers=sendgrid.signed(body)).status_code


def kept():
    return db.session.scalar(select(func.count()).select_from(ProviderEvent))


def lines():
    return db.session.scalar(select(func.count()).select_from(audit.AuditLine))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_vector_is_taken_in_or_refused_as_it_says(app, client, monkeypatch, vector):
    email = SendgridEmail(KEY, "notice@company.example", public_key=vector["public_key"])
    monkeypatch.setitem(app.extensions, "channels", Channels({"email": email}, SANDBOX))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": vector["signature"],
        "X-Twilio-Email-Event-Webhook-Timestamp": vector["timestamp"],
        "Content-Type": "application/json",
    }
    before = lines()
    answer = client.post("/hooks/sendgrid", data=vector["payload"].encode(), headers=headers)
    assert answer.status_code == (204 if vector["valid"] else 403)
    assert (kept() > 0, lines() > before) == (vector["valid"], vector["valid"])


def test_reports_settle_everybody_in_any_order_and_however_often(client, real, sendgrid):
    story = a_story(6, channels=("email",), real=real)
    story.start()
    story.work()
    sendgrid.bounces, sendgrid.blocked, sendgrid.drops = (
        {"person2@example.org"},
        {"person3@example.org"},
        {"person4@example.org"},
    )
    events = sendgrid.events()
    for event in reversed(events):
        assert post_events(client, sendgrid, [event]) == 204
    assert post_events(client, sendgrid, events + events) == 204
    assert story.counts() == {"delivered": 3, "bounced": 3}
    states = {row.person_number: (row.state, row.reason, row.may_pass) for row in story.rows()}
    assert states[2] == ("bounced", "bounce", False)
    assert states[3] == ("bounced", "bounce", True)
    assert states[4] == ("bounced", "on_bounce_list", False)
    assert kept() == len(events)


@pytest.mark.parametrize(
    ("to_bounce", "state", "reason"), [((), "delivered", "delivered"), (("person1@example.org",), "bounced", "bounce")]
)
def test_a_report_that_comes_before_the_answer_is_not_undone_by_it(client, real, sendgrid, to_bounce, state, reason):
    sendgrid.bounces = set(to_bounce)
    story = a_story(1, channels=("email",), real=real)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=story.clock()):
        pass
    wave = sending.Wave(story.dispatch, story.real, story.clock)
    wave.flows["email"] = sending.Flow(real["email"])
    held = claims.claim(story.row().id, "email", 10, worker="t:1", lease=sending.LEASE, now=story.clock())
    batch = wave._written(story.row(), held)
    assert wave._begin(batch)
    answers = {answer.ref: answer for answer in real["email"].send(batch.to_send)}
    assert sendgrid.letters
    post_events(client, sendgrid, sendgrid.events())
    assert story.counts() == {state: 1}
    wave._settle(batch, answers, wave.flows["email"])
    assert story.counts() == {state: 1}
    [row] = story.rows()
    assert row.reason == reason
    assert row.answered_at
    assert row.reported_at


def test_a_signed_report_settles_what_is_in_doubt(client, real, sendgrid):
    sendgrid.faults.first = [Fault.CUT_AFTER]
    story = a_story(2, channels=("email",), real=real)
    story.start()
    story.work()
    assert story.counts() == {"in_doubt": 2}
    assert post_events(client, sendgrid, sendgrid.events()) == 204
    assert story.counts() == {"delivered": 2}


def test_a_repeat_that_still_waits_is_taken_back_when_the_first_one_did_arrive(client, real, sendgrid):
    sendgrid.faults.first = [Fault.CUT_AFTER]
    story = a_story(1, channels=("email",), real=real)
    story.start()
    story.work()
    [row] = story.rows()
    deliveries.send_again(story.incident.ref, row.ref, reason="nothing in their log", actor=LEAD, now=NOW)
    assert story.counts() == {"waiting": 1}
    post_events(client, sendgrid, sendgrid.events())
    assert story.counts() == {"delivered": 1}
    story.work()
    assert len(sendgrid.letters) == 1


def test_reports_about_what_a_restored_database_still_thinks_is_waiting_stop_a_second_copy(client, real, sendgrid):
    story = a_story(2, channels=("email",), real=real)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=story.clock()):
        pass
    rows = story.rows()
    about = [{"event": "delivered", "sg_event_id": "E1", "tocsin_ref": rows[0].ref, "timestamp": 1772813000}]
    assert post_events(client, sendgrid, about) == 204
    story.work()
    assert [letter.to for letter in sendgrid.letters] == ["person2@example.org"]
    assert story.counts() == {"delivered": 1, "accepted": 1}


def test_reports_about_nothing_we_sent_are_kept_and_answered(client, real, sendgrid):
    assert (
        post_events(
            client,
            sendgrid,
            [
                {"event": "delivered", "sg_event_id": "E1", "tocsin_ref": "no such"},
                {"event": "invented", "sg_event_id": "E2"},
            ],
        )
        == 204
    )
    assert kept() == 2
    assert post_events(client, sendgrid, [{"event": "delivered", "sg_event_id": "E1", "tocsin_ref": "no such"}]) == 204
    assert kept() == 2


def test_one_provider_cannot_speak_about_what_another_one_took(client, real, sendgrid, twilio):
    story = a_story(1, channels=("sms", "email"), only_phone=1, real=real)
    story.start()
    story.work()
    [row] = story.rows()
    post_events(client, sendgrid, [{"event": "bounce", "type": "bounce", "sg_event_id": "E1", "tocsin_ref": row.ref}])
    assert story.counts() == {"accepted": 1}


def test_texts_are_reported_on_by_signed_callbacks(client, real, twilio):
    story = a_story(2, channels=("sms", "email"), only_phone=2, real=real)
    story.start()
    story.work()
    twilio.undelivered[twilio.texts[0].to] = 30005
    for text in twilio.texts:
        for said in twilio._about(text):
            headers = {"X-Twilio-Signature": twilio.signature(text.callback, said)}
            path = text.callback.removeprefix("http://localhost")
            assert client.post(path, data=said, headers=headers).status_code == 204
            assert client.post(path, data=said | {"MessageStatus": "failed"}, headers=headers).status_code == 403
    assert story.counts() == {"bounced": 1, "delivered": 1}


def test_a_simulated_one_cannot_be_reported_delivered(client, real, sendgrid):
    story = a_story(1, kind="drill", channels=("email",), real=real)
    story.start()
    story.work()
    [row] = story.rows()
    post_events(client, sendgrid, [{"event": "delivered", "sg_event_id": "E1", "tocsin_ref": row.ref}])
    assert story.counts() == {"simulated": 1}


def test_too_many_bounces_in_the_reports_halt_what_is_still_going_out(client, real, sendgrid):
    story = a_story(4, channels=("email",), real=real)
    story.start(pace=Pace(most_back=20, sample=2))
    while sending.prepare(story.dispatch, story.real, now=story.clock()):
        pass
    refs = [row.ref for row in story.rows()][:2]
    post_events(
        client,
        sendgrid,
        [{"event": "bounce", "type": "bounce", "sg_event_id": f"E{ref}", "tocsin_ref": ref} for ref in refs],
    )
    assert story.row().paused_for == "too_many_back"


def test_a_complaint_is_kept_and_means_that_it_arrived(client, real, sendgrid):
    story = a_story(1, channels=("email",), real=real)
    story.start()
    story.work()
    [row] = story.rows()
    post_events(
        client,
        sendgrid,
        [
            {"event": "spamreport", "sg_event_id": "E1", "tocsin_ref": row.ref},
            {"event": "open", "sg_event_id": "E2", "tocsin_ref": row.ref},
        ],
    )
    [row] = story.rows()
    assert (row.state, row.complained) == ("delivered", True)
    assert "provider.alarm" in story.verbs()


def test_what_is_kept_of_a_report_names_nobody(client, real, sendgrid):
    story = a_story(1, channels=("email",), real=real)
    story.start()
    story.work()
    sendgrid.blocked = {"person1@example.org"}
    post_events(client, sendgrid, sendgrid.events())
    for event in db.session.scalars(select(ProviderEvent)):
        assert "person1" not in json.dumps(event.fields)


@pytest.mark.parametrize("path", ["/hooks/sandbox", "/hooks/memory", "/hooks/nobody"])
def test_a_provider_that_is_not_set_up_has_no_door(client, real, path):
    assert client.post(path, data=b"[]").status_code == 404


def test_without_providers_every_hook_is_shut(client):
    assert client.post("/hooks/sendgrid", data=b"[]").status_code == 404


def test_a_flood_of_bytes_is_refused(client, real):
    assert client.post("/hooks/sendgrid", data=b"x" * (6 * 1024 * 1024)).status_code in (403, 413)


def test_a_reader_cannot_open_a_hook_with_a_browser(client, real):
    assert client.get("/hooks/sendgrid").status_code in (404, 405)
