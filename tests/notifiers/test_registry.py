from pathlib import Path

import pytest

from incident.domain.merges import CHECK_PATH
from incident.settings import Settings
from notifiers.contract import Misconfigured
from notifiers.registry import channels
from notifiers.web_push import SERVICES
from tests.fakes.fcm import key_file
from tests.fakes.web_push import VAPID_KEY


def settings(**values: object) -> Settings:
    return Settings(**values)  # type: ignore[arg-type]


SENDGRID = {"sendgrid_api_key": "SG.x", "sendgrid_from": "n@company.example"}
TWILIO = {"twilio_account_sid": "AC1", "twilio_auth_token": "t", "twilio_from": "+15005550006"}
VOICE = {
    "twilio_account_sid": "AC1",
    "twilio_auth_token": "t",
    "twilio_voice_from": "+15005550006",
    "company_name": "Sample Shop",
    "base_url": "https://us.example",
}
SMTP = {"smtp_url": "smtp://mail.example:587", "smtp_from": "n@company.example"}


def test_without_a_provider_there_is_only_the_sandbox():
    opened = channels(settings())
    assert opened.only_sandbox
    assert set(opened.open(simulated=True)) == {"email", "sms", "letter", "call", "push"}
    assert opened.open(simulated=False) == {}
    assert all(channel.simulated for channel in opened.sandbox.values())


def test_each_provider_opens_its_channel():
    opened = channels(settings(**SENDGRID, **TWILIO))
    assert {word: channel.provider for word, channel in opened.real.items()} == {"email": "sendgrid", "sms": "twilio"}
    assert opened.reporting("twilio") is opened.real["sms"]
    assert opened.reporting("sandbox") is None
    assert channels(settings(**SMTP)).real["email"].provider == "smtp"


def test_a_dispatch_uses_the_sandbox_or_the_providers_but_never_both():
    opened = channels(settings(**SENDGRID))
    assert "sms" not in opened.open(simulated=False)
    assert all(channel.simulated for channel in opened.open(simulated=True).values())


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({**SENDGRID, **SMTP}, "Two providers"),
        ({**SENDGRID, "sendgrid_from": ""}, "TOCSIN_SENDGRID_FROM"),
        ({**SENDGRID, "sendgrid_url": "http://127.0.0.1:1"}, "TOCSIN_SENDGRID_URL"),
        ({**SENDGRID, "sendgrid_url": "http://evil.example", "test_mode": True}, "TOCSIN_SENDGRID_URL"),
        ({**TWILIO, "twilio_auth_token": ""}, "TOCSIN_TWILIO_AUTH_TOKEN"),
        ({**TWILIO, "twilio_from": ""}, "TOCSIN_TWILIO_FROM"),
        ({**SMTP, "smtp_url": "mail.example"}, "TOCSIN_SMTP_URL"),
        ({**VOICE, "twilio_account_sid": ""}, "TOCSIN_TWILIO_ACCOUNT_SID"),
        ({**VOICE, "twilio_auth_token": ""}, "TOCSIN_TWILIO_AUTH_TOKEN"),
        ({**VOICE, "twilio_voice_from": "030"}, "TOCSIN_TWILIO_VOICE_FROM"),
        ({**VOICE, "company_name": ""}, "TOCSIN_COMPANY_NAME"),
        ({**VOICE, "base_url": "http://127.0.0.1:8000"}, "TOCSIN_BASE_URL"),
        ({**VOICE, "calls_by_hand": True}, "Two providers are set for call"),
        ({**TWILIO, "base_url": "https://our_desk.example"}, "TOCSIN_BASE_URL"),
    ],
)
def test_a_mistake_is_named_at_the_start(values: dict[str, object], named: str):
    with pytest.raises(Misconfigured, match=named):
        channels(settings(**values))


PUSH = {"web_push_key": VAPID_KEY, "contact_email": "desk@us.example", "base_url": "https://us.example"}


def test_push_goes_by_what_is_set_and_by_both_where_both_are(tmp_path: Path):
    file = tmp_path / "key.json"
    file.write_text(key_file())
    assert channels(settings(fcm_key_file=file)).real["push"].provider == "fcm"
    assert channels(settings(**PUSH)).real["push"].provider == "web_push"
    both = channels(settings(fcm_key_file=file, push_rate=7, **PUSH)).real["push"]
    assert (both.provider, both.rate) == ("push", 7)


def test_the_services_of_browsers_that_are_set_are_the_usual_ones_and_the_link_is_the_page_that_checks():
    push = channels(settings(**PUSH)).real["push"]
    assert push._services == SERVICES  # type: ignore[attr-defined]
    assert push._link == f"https://us.example{CHECK_PATH}"  # type: ignore[attr-defined]
    assert not push._loopback  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"fcm_key_file": "/nowhere/key.json"}, "TOCSIN_FCM_KEY_FILE"),
        ({**PUSH, "web_push_key": "short"}, "TOCSIN_WEB_PUSH_KEY"),
        ({**PUSH, "contact_email": ""}, "TOCSIN_CONTACT_EMAIL"),
    ],
)
def test_a_mistake_about_push_is_named_at_the_start(values: dict[str, object], named: str):
    with pytest.raises(Misconfigured, match=named):
        channels(settings(**values))


def test_fcm_and_its_sign_in_are_reached_under_encryption_only(tmp_path: Path):
    file = tmp_path / "key.json"
    file.write_text(key_file())
    for name in ("fcm_url", "fcm_token_url"):
        with pytest.raises(Misconfigured, match=f"TOCSIN_{name.upper()}"):
            channels(settings(fcm_key_file=file, **{name: "http://fcm.example"}))


def test_plain_http_is_for_this_machine_in_test_mode_only():
    assert channels(settings(**SENDGRID, sendgrid_url="http://127.0.0.1:1", test_mode=True)).real


def test_twilio_is_given_no_address_that_it_cannot_call():
    real = channels(settings(**TWILIO)).real["sms"]
    assert real._callback == ""  # type: ignore[attr-defined]
    public = channels(settings(**TWILIO, base_url="https://us.example")).real["sms"]
    assert public._callback == "https://us.example/hooks/twilio"  # type: ignore[attr-defined]


def test_calls_are_made_by_twilio_or_by_hand_and_one_a_second_unless_more_is_said():
    voice = channels(settings(**VOICE)).real
    assert {word: channel.provider for word, channel in voice.items()} == {"call": "twilio_voice"}
    assert voice["call"].rate == 1
    both = channels(settings(**VOICE, twilio_from="+15005550006")).real
    assert {word: channel.provider for word, channel in both.items()} == {"sms": "twilio", "call": "twilio_voice"}
    assert channels(settings(calls_by_hand=True)).real["call"].provider == "by_hand"
    assert channels(settings(letters="us-10")).real["letter"].provider == "print"
