"""Administration: what is set, where it comes from, which channels work; never a secret."""

import json
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import pytest
from pydantic import SecretStr
from pypdf import PdfReader

from incident import clock
from incident.actions import channel_trials, telling
from incident.actions.ledger import transaction
from incident.actions.throttled import TooMany
from incident.domain.access import Role
from incident.domain.errors import Invalid, Refused
from incident.settings import Settings
from incident.store import audit, readiness, sealed, users
from incident.store.db import db
from incident.store.reach import Reach
from notifiers.by_hand import ByHand
from notifiers.contract import Channels
from notifiers.memory import Memory
from notifiers.print_letters import PrintLetters
from tests.actions.waves import SANDBOX

NUMBER = "+4915112345678"
CALL = "/administration/channels/call/test"
SAMPLE = "/administration/channels/letter/sample"


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


def test_the_page_leads_to_every_room_that_the_reader_may_enter(as_):
    page = as_(Role.ADMINISTRATOR).get("/administration/").text
    for address in ("/team/", "/team/webhooks/", "/record/keys/", "/readiness/", "/reference/"):
        assert f'href="{address}"' in page
    assert 'href="/team/webhooks/"' not in as_(Role.AUDITOR).get("/administration/").text
    assert as_(Role.RESPONDER).get("/administration/").status_code == 403


def test_a_secret_is_said_to_be_set_and_never_shown(app, as_, client, token_for, monkeypatch):
    settings = app.extensions["settings"]
    changed = settings.model_copy(
        update={
            "sendgrid_api_key": SecretStr("SG.never"),
            "database_url": "postgresql+psycopg://me:word@host/db",
            "company_name": "Example Shop",
        }
    )
    monkeypatch.setitem(app.extensions, "settings", changed)
    answer = client.get("/api/v1/administration/settings", headers=token_for(Role.ADMINISTRATOR))
    found = {one["name"]: one for one in answer.json["settings"]}
    assert found["sendgrid_api_key"]["value"] == "set"
    assert found["twilio_auth_token"]["value"] == ""
    assert found["database_url"]["value"] == "postgresql+psycopg://host/db"
    assert set(found) == set(Settings.model_fields)
    for text in (answer.text, as_(Role.ADMINISTRATOR).get("/administration/settings.csv").text):
        assert "SG.never" not in text
        assert "me:word" not in text


def test_each_setting_says_where_its_value_comes_from(tmp_path, monkeypatch):
    (tmp_path / "tocsin.toml").write_text('company_name = "Example"\nport = 9000\n', "utf-8")
    monkeypatch.setenv("TOCSIN_INSTANCE", str(tmp_path))
    monkeypatch.setenv("TOCSIN_PORT", "9100")
    origins = Settings().origins()
    assert (origins["port"], origins["company_name"], origins["host"]) == ("environment", "file", "default")


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
    with pytest.raises(Invalid, match="email, sms, call"):
        channel_trials.send("letter", channels=Channels({}, SANDBOX), actor=lead.ref, now=clock.now())
    assert lead.post("/administration/channels/email/test").status_code == 409


def test_a_call_goes_to_the_number_one_proved_and_says_that_it_is_a_test_and_from_whom(app, as_, monkeypatch):
    admin, channel = as_(Role.ADMINISTRATOR), Memory("call")
    opened(app, monkeypatch, call=channel)
    assert "Prove your own telephone number first" in admin.post(CALL).text
    assert (channel.sent, lines_of(admin.ref)) == ([], [])
    with_a_number(admin.ref)
    page = admin.post(CALL, follow_redirects=True).text
    assert "on its way to your own telephone" in page
    assert "never tried" not in page
    [message] = channel.sent
    name = users.by_ref(admin.ref).name
    assert message.to == NUMBER
    assert message.text.startswith(f"This is a test, which {name} sent to themselves")
    assert "Nothing has happened" in message.text
    [(verb, subject, details)] = lines_of(admin.ref)
    assert (verb, subject, details["attempt"]) == ("channel.tested", "call", message.ref)


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
    page = admin.get("/administration/").text
    assert "Your own people make the calls here" in page
    assert CALL not in page
    assert admin.post(CALL).status_code == 409
    assert lines_of(admin.ref) == []


def test_of_push_the_page_says_why_there_is_no_test(app, as_, monkeypatch):
    opened(app, monkeypatch, push=Memory("push"))
    page = as_(Role.ADMINISTRATOR).get("/administration/").text
    assert "No test from here: push reaches devices" in page
    assert "/administration/channels/push/test" not in page


def test_a_sample_letter_is_a_sheet_to_look_at_that_names_nobody_else_and_leaves_a_line(app, as_, monkeypatch):
    admin = as_(Role.ADMINISTRATOR)
    assert admin.post(SAMPLE).status_code == 409
    opened(app, monkeypatch, letter=PrintLetters())
    assert SAMPLE in admin.get("/administration/").text
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
    sheet = client.post("/api/v1" + SAMPLE, headers=token_for(Role.ADMINISTRATOR))
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
