"""Every setting: its type, its default, what it means. Read from the environment (`TOCSIN_…`) and `instance/tocsin.toml`."""

import os
import tomllib
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from incident.domain import zones
from incident.domain.audit import Malformed, Witnesses
from incident.domain.errors import Invalid
from incident.domain.facts import parsed, to_json
from incident.domain.packs import keys_of
from incident.domain.prices import Prices
from incident.domain.prices import parsed as parsed_prices
from incident.domain.reminders import Steps, steps
from incident.domain.separation import Policy

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class SettingsError(Exception):
    """A setting is wrong; the message has a sentence for each mistake."""


class Settings(BaseSettings):
    """What the administrator decides. The environment wins over `instance/tocsin.toml`."""

    model_config = SettingsConfigDict(env_prefix="TOCSIN_", extra="forbid", env_ignore_empty=True)

    instance: Path = Field(Path("instance"), description="The folder that holds all data.")
    database_url: str = Field("", description="SQLAlchemy address; empty means SQLite inside the instance.")
    host: str = Field("127.0.0.1", description="The address the web server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="The port the web server listens on.")
    base_url: str = Field("", description="The address people outside use, such as https://incidents.example.org.")
    test_mode: bool = Field(False, description="Marked test installation: http to providers on loopback is allowed.")
    company_name: str = Field("", description="Your organisation's name, as notices give it.")
    company_places: str = Field(
        "",
        description="Where your organisation is established: codes with commas, such as DE,US-CA. Every open incident takes it up.",
    )
    company_kinds: str = Field(
        "",
        description="What it is, where a law asks: words of the fact entity in facts.toml with commas, such as nis2_important.",
    )
    company_operator: str = Field("", description="In mainland China: general, cii or central_organ.")
    contact_name: str = Field("", description="The person or department in charge of personal data.")
    contact_email: str = Field("", description="Where affected people can write to.")
    contact_phone: str = Field("", description="Where affected people can call.")
    contact_address: str = Field("", description="The postal address of the person or department in charge.")
    time_zone: str = Field(
        "UTC", description="Your organisation's time zone, such as Europe/Berlin: notices give days by it."
    )
    answer_days: int = Field(
        10, ge=1, le=90, description="Days within which you promise to answer what people ask about a notice."
    )
    request_days: int = Field(
        30,
        ge=1,
        le=90,
        description="Days within which you promise to answer a request, where no law in answer_times.toml says by when.",
    )
    behind_proxy: bool = Field(False, description="A proxy in front sets X-Forwarded-For and X-Forwarded-Proto.")
    sendgrid_url: str = Field(
        "https://api.sendgrid.com", description="SendGrid's address; https://api.eu.sendgrid.com for an EU subuser."
    )
    sendgrid_api_key: SecretStr = Field(
        SecretStr(""), description="SendGrid key with the right to send mail; empty: SendGrid is not used."
    )
    sendgrid_webhook_public_key: str = Field(
        "", description="The verification key of SendGrid's signed event webhook; without it no event is taken."
    )
    sendgrid_from: str = Field("", description="The address that notices by SendGrid come from.")
    sendgrid_time_limit: float = Field(30, gt=0, le=300, description="Seconds to wait for an answer of SendGrid.")
    sendgrid_rate: float = Field(0, ge=0, description="Most e-mails a second by SendGrid; 0: as fast as it answers.")
    sendgrid_activity: bool = Field(
        False, description="SendGrid has opened its Email Activity to the key: what is in doubt is looked up there."
    )
    twilio_url: str = Field("https://api.twilio.com", description="Twilio's address.")
    twilio_account_sid: str = Field("", description="Twilio account; empty: Twilio is not used.")
    twilio_auth_token: SecretStr = Field(
        SecretStr(""), description="Twilio's auth token: sends, and checks the signature of its reports."
    )
    twilio_from: str = Field("", description="The number that texts come from.")
    twilio_messaging_service_sid: str = Field(
        "", description="Twilio messaging service to send by, instead of a number."
    )
    twilio_time_limit: float = Field(15, gt=0, le=300, description="Seconds to wait for an answer of Twilio.")
    twilio_rate: float = Field(0, ge=0, description="Most texts a second by Twilio; 0: as fast as it answers.")
    twilio_validity: int = Field(
        36_000, ge=60, le=36_000, description="Seconds for which Twilio may keep a text waiting; then it comes back."
    )
    twilio_discard_text: bool = Field(
        False, description="Twilio keeps no text of a message; only where it has opened this for your account."
    )
    twilio_obfuscate_number: bool = Field(
        False, description="Twilio keeps no whole number of a message; only where it has opened this for your account."
    )
    sms_prices: str = Field(
        "",
        description="What a segment of a text costs you by country, such as DE 0.07 EUR, US 0.008 USD, * 0.1 EUR; empty: unknown.",
    )
    twilio_voice_from: str = Field(
        "", description="The number that calls by Twilio come from, such as +4930555010; empty: it makes no calls."
    )
    twilio_voice_rate: float = Field(
        1, gt=0, le=100, description="Most calls a second by Twilio; more than 1 only where Twilio has allowed it."
    )
    calls_by_hand: bool = Field(
        False, description="Your own people call those whom a notice reaches by telephone, from a list."
    )
    fcm_key_file: Path | None = Field(
        None, description="The key file of a service account of your Firebase project; empty: no push to apps by FCM."
    )
    fcm_url: str = Field("https://fcm.googleapis.com", description="FCM's address.")
    fcm_token_url: str = Field(
        "https://oauth2.googleapis.com/token", description="Where the service account signs in for FCM."
    )
    web_push_key: SecretStr = Field(
        SecretStr(""), description="Your private VAPID key (base64url, 43 letters); empty: no push to browsers."
    )
    web_push_services: str = Field(
        "fcm.googleapis.com,*.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com",
        description="The push services of browsers that are spoken to, with commas; *. stands for names before it.",
    )
    push_time_limit: float = Field(15, gt=0, le=300, description="Seconds to wait for an answer of a push service.")
    push_rate: float = Field(0, ge=0, description="Most push messages a second; 0: as fast as they are answered.")
    letters: str = Field(
        "",
        pattern="^(|by-country|din-5008-b|uk-dl|us-10|cn-dl)$",
        description="How letters are printed: by-country, din-5008-b, uk-dl, us-10 or cn-dl; empty: there are no letters.",
    )
    letters_from: str = Field(
        "", description="The sender's line on letters; empty: your organisation's name and contact_address."
    )
    letters_country: str = Field(
        "",
        pattern="^([A-Z]{2})?$",
        description="Where letters are posted, such as DE: other countries are named on them.",
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Mail server: smtp://name:password@host:587 (STARTTLS) or smtps://name:password@host:465.",
    )
    smtp_from: str = Field("", description="The address that notices by the mail server come from.")
    smtp_bounces_to: str = Field("", description="Where undeliverable mail returns to; empty: the sender.")
    smtp_time_limit: float = Field(30, gt=0, le=300, description="Seconds to wait for an answer of the mail server.")
    smtp_rate: float = Field(0, ge=0, description="Most e-mails a second by the mail server; 0: as fast as it answers.")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="What Prometheus must bring as bearer token to read /metrics; empty: there is none."
    )
    sending_lease: float = Field(
        60, ge=2, le=3600, description="Seconds after which a batch whose worker died is taken over."
    )
    worker_heartbeat: float = Field(
        10,
        ge=0.5,
        le=60,
        description="Seconds between signs of life of a scheduler or worker; after three times as many it counts as dead.",
    )
    web_processes: int = Field(
        2, ge=1, le=64, description="Processes of `tocsin web` on PostgreSQL, where gunicorn is installed."
    )
    check_dns: bool = Field(
        True, description="Before a notice goes out, look up SPF, DKIM and DMARC of the address that e-mails come from."
    )
    dkim_selectors: str = Field(
        "", description="Selectors of the key that signs your mail, with commas; empty: those that SendGrid uses."
    )
    laws_keys: str = Field(
        "", description="Public keys whose law packs are taken: name+id+base64, with commas; see docs/law-packs.md."
    )
    reminder_percents: str = Field(
        "50,75,90",
        description="When a duty is reminded of, in percents of its clock: owner, then lead, then everybody.",
    )
    reminder_late_hours: str = Field(
        "1,4,12", description="When it is reminded of after its due time, in hours; then each time twice as late."
    )
    imap_url: SecretStr = Field(
        SecretStr(""),
        description="Mailbox that is read for reports: imaps://name:password@host/INBOX; nothing in it is changed. Empty: none.",
    )
    imap_time_limit: float = Field(30, gt=0, le=300, description="Seconds to wait for an answer of the mailbox.")
    alerts_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret (whsec_…) by which your other systems sign alerts to /hooks/alerts; empty: that door is shut.",
    )
    sendgrid_parse_public_key: str = Field(
        "", description="The public key of the policy of SendGrid's parse webhook, which posts reports by e-mail here."
    )
    safe_harbour: bool = Field(
        False,
        description="The page for reports promises, in your name, not to pursue research in good faith; ask your counsel.",
    )
    alerts_inside: bool = Field(
        False, description="Targets of alerts may be in your own network, and may be spoken to without encryption."
    )
    roles_by_two: bool = Field(
        True, description="A role is gained by two people: one asks, another administrator or lead says yes."
    )
    release_by_third: bool = Field(
        False, description="Whoever wrote or approved a notice may not start its sending: a third person does."
    )
    lessons_by_two: bool = Field(
        True, description="A lesson is accepted by somebody else than who proposed it, before it is adopted."
    )
    strict_codes: bool = Field(
        False, description="A generator's code counts for its 30 seconds alone; else also for the 30 before and after."
    )
    emergency_hours: int = Field(
        4, ge=1, le=24, description="Hours for which a restricted incident opens to whoever breaks the glass."
    )
    webhooks_inside: bool = Field(
        False, description="Endpoints of webhooks may be in your own network, and may be spoken to without encryption."
    )
    sign_on_issuer: str = Field(
        "", description="Your single sign-on (OpenID Connect): the issuer's address; empty: people sign in here alone."
    )
    sign_on_client_id: str = Field("", description="The client that your single sign-on knows this installation by.")
    sign_on_secret_file: Path | None = Field(None, description="The file that holds the secret of that client.")
    sign_on_name: str = Field(
        "single sign-on", max_length=40, description="What people call it: the button says “Go on with” and this."
    )
    sign_on_second_factor: str = Field(
        "",
        description="Words of acr or amr, with spaces, by which its second factor counts in place of ours; empty: ours is always asked.",
    )
    clamd: str = Field(
        "", description="Socket of ClamAV's clamd: its path, or host:port; empty: evidence is not searched for malware."
    )
    erasing_by_two: bool = Field(
        False, description="Personal data is erased only when a second person agrees; holds for pages, API and command."
    )
    witness_keys: str = Field(
        "",
        description="Public keys of those outside who sign checkpoints too: name+id+base64, with commas; see docs/record.md.",
    )
    witnesses_needed: int = Field(
        0, ge=0, le=100, description="How many of them must have signed for a proof; 0: all of them."
    )
    timestamp_url: str = Field(
        "", description="A time stamp authority (RFC 3161) that stamps each checkpoint; empty: there is none."
    )
    timestamp_certificates: Path | None = Field(
        None,
        description="A file with the certificates (PEM) by which its stamps are verified; empty: they are kept unverified.",
    )
    timestamp_time_limit: float = Field(30, gt=0, le=300, description="Seconds to wait for an answer of the authority.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="How much the log tells.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was given by hand, then the environment, then the instance's file."""
        folder = Path(os.environ.get("TOCSIN_INSTANCE") or "instance")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, folder / "tocsin.toml")

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        self.instance = self.instance.resolve()
        if not self.database_url:
            self.database_url = f"sqlite:///{self.instance / 'tocsin.db'}"
        if not self.base_url:
            self.base_url = f"http://{self.host}:{self.port}"
        self.base_url = self.base_url.rstrip("/")
        if urlsplit(self.base_url).scheme not in {"http", "https"}:
            raise ValueError("base_url: give the whole address, such as https://incidents.example.org")
        if self.time_zone not in zones.known():
            raise ValueError("time_zone: there is no such zone; give one such as Europe/Berlin or UTC")
        try:
            keys_of(self.laws_keys)
        except Malformed as error:
            raise ValueError(f"laws_keys: {error}") from None
        try:
            self.witnesses()
        except Malformed as error:
            raise ValueError(f"witness_keys, witnesses_needed: {error}") from None
        try:
            self.reminder_steps()
        except Invalid as error:
            raise ValueError(f"{error.field}: {error.sentence}") from None
        try:
            self.own_facts()
        except Invalid as error:
            raise ValueError(f"company_places, company_kinds, company_operator: {error.sentence}") from None
        try:
            self.sms_price_table()
        except Invalid as error:
            raise ValueError(f"sms_prices: {error.sentence}") from None
        return self

    def origins(self) -> dict[str, str]:
        """Where the value of each setting comes from: environment, file, or default."""
        file = self.instance / "tocsin.toml"
        written = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
        return {
            name: "environment"
            if os.environ.get(f"TOCSIN_{name.upper()}")
            else "file"
            if name in written
            else "default"
            for name in type(self).model_fields
        }

    def own_facts(self) -> dict[str, Any]:
        """What is known of the organisation in every incident, as facts; what is not set is left out. Raises Invalid."""
        told = {"establishments": self.company_places, "entity": self.company_kinds, "operator": self.company_operator}
        return {key: to_json(parsed(key, words)) for key, words in told.items() if words.strip()}

    def witnesses(self) -> Witnesses:
        """Those outside who sign checkpoints too. Raises Malformed."""
        return Witnesses.read((key for key in self.witness_keys.replace(",", " ").split()), self.witnesses_needed)

    def sms_price_table(self) -> Prices:
        """What a segment of a text message costs by country. Raises Invalid."""
        return parsed_prices(self.sms_prices)

    @property
    def policy(self) -> Policy:
        """What is set about who may do what."""
        return Policy(
            self.roles_by_two, self.release_by_third, self.emergency_hours, self.strict_codes, self.lessons_by_two
        )

    @property
    def lost_after(self) -> float:
        """Seconds without a sign of life after which a scheduler or worker counts as dead."""
        return 3 * self.worker_heartbeat

    def reminder_steps(self) -> Steps:
        """The steps of every ladder of reminders. Raises Invalid."""
        return steps(self.reminder_percents, self.reminder_late_hours)

    def dkim_selector_names(self) -> tuple[str, ...]:
        """The selectors that somebody named."""
        return tuple(name.strip() for name in self.dkim_selectors.split(",") if name.strip())

    def provider_url(self, name: str) -> str:
        """The checked address of a provider. Raises SettingsError unless https, or http to loopback in test mode."""
        value = getattr(self, name)
        address: str = value.get_secret_value() if isinstance(value, SecretStr) else value
        parts = urlsplit(address)
        if parts.scheme in {"https", "smtps"} or (self.test_mode and parts.hostname in LOOPBACK):
            return address
        raise SettingsError(
            f"TOCSIN_{name.upper()}: must start with https:// (http is allowed to this machine only, and only with TOCSIN_TEST_MODE=1)."
        )


def load(**overrides: Any) -> Settings:
    """The settings of this process. Raises SettingsError with a sentence for each mistake."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(dict(mistake)) for mistake in error.errors())) from None


def _sentence(mistake: dict[str, Any]) -> str:
    name = "_".join(str(part) for part in mistake["loc"]).upper()
    return f"TOCSIN_{name}: {mistake['msg']}" if name else str(mistake["msg"])
