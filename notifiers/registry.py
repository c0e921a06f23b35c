"""Settings to channels: the only list of providers.

To add one: its file, a line in `_real`, its settings, its hook if it calls back, and a paragraph in docs/add-a-channel.md.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from notifiers import wire
from notifiers.alert_door import AlertDoor
from notifiers.apprise_alert import AppriseAlert
from notifiers.by_hand import ByHand
from notifiers.clamd import Clamd
from notifiers.contract import Channels, Inbound, Mailbox, Misconfigured, Notifier
from notifiers.imap_mailbox import ImapMailbox
from notifiers.print_letters import PrintLetters
from notifiers.sandbox import Sandbox
from notifiers.sendgrid_email import SendgridEmail
from notifiers.sendgrid_mail import SendgridMail
from notifiers.smtp_email import SmtpEmail
from notifiers.twilio_sms import TwilioSms
from notifiers.twilio_voice import TwilioVoice
from notifiers.webhook import Webhooks

if TYPE_CHECKING:
    from notifiers.open_id import OpenId

WORDS = ("email", "sms", "letter", "call", "push")
BACK_PATH = "/sign-in/provider/back"  # where the single sign-on sends people back to
CHECK_PATH = "/check"  # where anybody sees whether a notice is genuine
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Secret(Protocol):
    """A value that shows itself only when asked."""

    def get_secret_value(self) -> str: ...


class Settings(Protocol):
    """What is read here of the installation's settings."""

    test_mode: bool
    base_url: str
    company_name: str
    sendgrid_url: str
    sendgrid_api_key: Secret
    sendgrid_webhook_public_key: str
    sendgrid_from: str
    sendgrid_time_limit: float
    sendgrid_rate: float
    sendgrid_activity: bool
    twilio_url: str
    twilio_account_sid: str
    twilio_auth_token: Secret
    twilio_from: str
    twilio_messaging_service_sid: str
    twilio_time_limit: float
    twilio_rate: float
    twilio_validity: int
    twilio_discard_text: bool
    twilio_obfuscate_number: bool
    twilio_voice_from: str
    twilio_voice_rate: float
    calls_by_hand: bool
    fcm_key_file: Path | None
    fcm_url: str
    fcm_token_url: str
    web_push_key: Secret
    web_push_services: str
    push_time_limit: float
    push_rate: float
    letters: str
    smtp_url: Secret
    smtp_from: str
    smtp_bounces_to: str
    smtp_time_limit: float
    smtp_rate: float
    contact_email: str
    contact_phone: str
    alerts_inside: bool
    webhooks_inside: bool
    imap_url: Secret
    imap_time_limit: float
    sendgrid_parse_public_key: str
    alerts_secret: Secret
    clamd: str
    sign_on_issuer: str
    sign_on_client_id: str
    sign_on_secret_file: Path | None
    sign_on_name: str
    sign_on_second_factor: str


def alerts(settings: Settings) -> AppriseAlert:
    """The way to the team's own tools; never a channel to affected people."""
    return AppriseAlert(allow="inside" if settings.alerts_inside else "loopback" if settings.test_mode else "outside")


def webhooks(settings: Settings) -> Webhooks:
    """The way to the endpoints of other programs."""
    return Webhooks(allow="inside" if settings.webhooks_inside else "loopback" if settings.test_mode else "outside")


def searcher(settings: Settings) -> Clamd | None:
    """Who searches files for malware, where one is set. Raises Misconfigured."""
    return Clamd(settings.clamd) if settings.clamd else None


def sign_on(settings: Settings) -> "OpenId | None":
    """The provider of the single sign-on, where one is set. Raises Misconfigured with a sentence that names the setting."""
    if not settings.sign_on_issuer:
        return None
    by = _late("open_id")
    secret, back = by.read_secret(settings.sign_on_secret_file), settings.base_url + BACK_PATH
    provider: OpenId = by.OpenId(
        settings.sign_on_issuer,
        by.Client(settings.sign_on_client_id, secret, back),
        name=settings.sign_on_name,
        second_factor=tuple(settings.sign_on_second_factor.split()),
        loopback=settings.test_mode,
    )
    return provider


def mailbox(settings: Settings) -> Mailbox | None:
    """The mailbox that is read for reports, if one is set. Raises Misconfigured."""
    url = settings.imap_url.get_secret_value()
    if not url:
        return None
    found = ImapMailbox.at(url, seconds=settings.imap_time_limit)
    if not found.tls and not (settings.test_mode and found.host in LOOPBACK):
        raise Misconfigured(
            "TOCSIN_IMAP_URL: must start with imaps:// (imap is allowed to this machine only, and only with TOCSIN_TEST_MODE=1)."
        )
    return found


def inbound(settings: Settings) -> dict[str, Inbound]:
    """The providers that post e-mail here, by their names in hooks. Raises Misconfigured."""
    key = settings.sendgrid_parse_public_key
    return {"sendgrid": SendgridMail(key)} if key else {}


def alert_door(settings: Settings) -> AlertDoor | None:
    """The door for alerts of other systems; None where it is shut. Raises Misconfigured."""
    secret = settings.alerts_secret.get_secret_value()
    try:
        return AlertDoor(secret) if secret else None
    except ValueError:
        raise Misconfigured("TOCSIN_ALERTS_SECRET: give a secret of Standard Webhooks, whsec_ and base64.") from None


def door(secret: str) -> AlertDoor:
    """The door for answers of a system that is asked, by the secret that it holds. Raises ValueError."""
    return AlertDoor(secret)


def channels(settings: Settings) -> Channels:
    """The channels that these settings open. Raises Misconfigured with a sentence that names the setting."""
    real: dict[str, Notifier] = {}
    for notifier in _real(settings):
        if notifier.channel in real:
            raise Misconfigured(
                f"Two providers are set for {notifier.channel}: {real[notifier.channel].provider} and {notifier.provider}. Keep one of them."
            )
        real[notifier.channel] = notifier
    return Channels(real, {word: Sandbox(word) for word in WORDS})


def _real(settings: Settings) -> list[Notifier]:
    makers = (
        (settings.sendgrid_api_key.get_secret_value(), _sendgrid),
        (settings.smtp_url.get_secret_value(), _smtp),
        (settings.twilio_account_sid and _texts(settings), _twilio),
        (settings.twilio_voice_from, _twilio_voice),
        (settings.calls_by_hand, _by_hand),
        (settings.letters, _letters),
        (settings.fcm_key_file or settings.web_push_key.get_secret_value(), _push),
    )
    return [make(settings) for is_set, make in makers if is_set]


def _sendgrid(settings: Settings) -> Notifier:
    return SendgridEmail(
        settings.sendgrid_api_key.get_secret_value(),
        settings.sendgrid_from,
        url=_checked(settings, "sendgrid_url"),
        sender_name=settings.company_name,
        reply_to=_desk(settings),
        public_key=settings.sendgrid_webhook_public_key,
        seconds=settings.sendgrid_time_limit,
        rate=settings.sendgrid_rate,
        activity=settings.sendgrid_activity,
    )


def _texts(settings: Settings) -> bool:
    """Whether the account at Twilio is there for texts: always, but where only calls have a number."""
    return bool(settings.twilio_from or settings.twilio_messaging_service_sid or not settings.twilio_voice_from)


def _token(settings: Settings) -> str:
    token = settings.twilio_auth_token.get_secret_value()
    if not token:
        raise Misconfigured("TOCSIN_TWILIO_AUTH_TOKEN: it is needed beside the account, to send and to check reports.")
    return token


def _twilio(settings: Settings) -> Notifier:
    return TwilioSms(
        settings.twilio_account_sid,
        _token(settings),
        sender=settings.twilio_from,
        service=settings.twilio_messaging_service_sid,
        url=_checked(settings, "twilio_url"),
        callback=_callback(settings, "twilio"),
        seconds=settings.twilio_time_limit,
        rate=settings.twilio_rate,
        validity=settings.twilio_validity,
        discard_text=settings.twilio_discard_text,
        obfuscate_number=settings.twilio_obfuscate_number,
    )


def _twilio_voice(settings: Settings) -> Notifier:
    if not settings.twilio_account_sid:
        raise Misconfigured("TOCSIN_TWILIO_ACCOUNT_SID: calls need the account beside their number.")
    return TwilioVoice(
        settings.twilio_account_sid,
        _token(settings),
        sender=settings.twilio_voice_from,
        company=settings.company_name,
        phone=settings.contact_phone,
        callback=_callback(settings, "twilio_voice"),
        url=_checked(settings, "twilio_url"),
        seconds=settings.twilio_time_limit,
        rate=settings.twilio_voice_rate,
    )


def _by_hand(_settings: Settings) -> Notifier:
    return ByHand()


def _letters(_settings: Settings) -> Notifier:
    return PrintLetters()


def _push(settings: Settings) -> Notifier:
    services = [_fcm(settings)] if settings.fcm_key_file else []
    services += [_web_push(settings)] if settings.web_push_key.get_secret_value() else []
    push: Notifier = services[0] if len(services) == 1 else _late("push").Push(services, rate=settings.push_rate)
    return push


def _fcm(settings: Settings) -> Any:
    try:
        key = (settings.fcm_key_file or Path()).read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        raise Misconfigured("TOCSIN_FCM_KEY_FILE: this file cannot be read.") from None
    return _late("fcm_push").FcmPush(
        key,
        link=settings.base_url + CHECK_PATH,
        url=_checked(settings, "fcm_url"),
        token_url=_checked(settings, "fcm_token_url"),
        seconds=settings.push_time_limit,
        rate=settings.push_rate,
    )


def _web_push(settings: Settings) -> Any:
    return _late("web_push").WebPush(
        settings.web_push_key.get_secret_value(),
        contact=settings.contact_email,
        link=settings.base_url + CHECK_PATH,
        services=[name.strip().lower() for name in settings.web_push_services.split(",") if name.strip()],
        loopback=settings.test_mode,
        seconds=settings.push_time_limit,
        rate=settings.push_rate,
    )


def _late(adapter: str) -> Any:
    """An adapter's file, loaded where it is set up only: what push and single sign-on need costs every start its time and memory."""
    return import_module(f"notifiers.{adapter}")


def _smtp(settings: Settings) -> Notifier:
    url = settings.smtp_url.get_secret_value()
    on_this_machine = urlsplit(url).hostname in LOOPBACK
    return SmtpEmail(
        url,
        settings.smtp_from,
        sender_name=settings.company_name,
        bounces_to=settings.smtp_bounces_to,
        reply_to=_desk(settings),
        seconds=settings.smtp_time_limit,
        rate=settings.smtp_rate,
        encrypted=not (settings.test_mode and on_this_machine),
    )


def _desk(settings: Settings) -> str:
    """Where replies to a notice go: the desk that answers enquiries."""
    return settings.contact_email if wire.is_address(settings.contact_email) else ""


def _callback(settings: Settings, provider: str) -> str:
    """Where Twilio reports to; it takes no address on a machine of its own, so none is given unless this is a test."""
    host = urlsplit(settings.base_url).hostname or ""
    if "_" in host:
        raise Misconfigured("TOCSIN_BASE_URL: Twilio reports to no host whose name has an underscore.")
    on_this_machine = host in LOOPBACK
    return f"{settings.base_url}/hooks/{provider}" if settings.test_mode or not on_this_machine else ""


def _checked(settings: Settings, name: str) -> str:
    address: str = getattr(settings, name)
    parts = urlsplit(address)
    if parts.hostname and (
        parts.scheme == "https" or (parts.scheme == "http" and settings.test_mode and parts.hostname in LOOPBACK)
    ):
        return address
    raise Misconfigured(
        f"TOCSIN_{name.upper()}: must start with https:// (http is allowed to this machine only, and only with TOCSIN_TEST_MODE=1)."
    )
