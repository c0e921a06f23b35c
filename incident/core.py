"""The application without its pages: settings, database, keys, laws, channels. All that a worker or a command needs of it."""

import json
from pathlib import Path
from threading import Event
from typing import Any

from apiflask import APIFlask
from werkzeug.middleware.proxy_fix import ProxyFix

from incident import parts, renewal, stamps
from incident.domain import packs
from incident.settings import Settings, SettingsError
from incident.store import dispatches, keys, own, sealed, shelf
from incident.store.db import db
from notifiers import registry
from notifiers.contract import Misconfigured

HERE = Path(__file__).parent
TEMPLATES = HERE / "_templates" if (HERE / "_templates").is_dir() else HERE.parent / "templates"
MIGRATIONS = HERE / "store" / "migrations"
STORE = "incident.store"
UPLOAD_LIMIT = 512 * 1024 * 1024


def create(settings: Settings) -> APIFlask:
    """The application without pages; `app.furnish` adds them. Raises SettingsError."""
    app = APIFlask(
        "incident",
        title="Tocsin",
        version="1",
        spec_path="/api/openapi.json",
        docs_path=None,
        json_errors=False,
        template_folder=str(TEMPLATES),
        static_folder=str(HERE / "static"),
        instance_path=str(settings.instance),
    )
    parts.load_all(STORE)  # so that every table is known, whoever asks for it
    _configure(app, settings)
    db.init_app(app)
    _open_keys(app, settings)
    _open_channels(app, settings)
    _open_library(app)
    renewal.follow(app)
    return app


def _configure(app: APIFlask, settings: Settings) -> None:
    secure = settings.base_url.startswith("https://")
    app.extensions["settings"] = settings
    app.extensions["time_stamps"] = stamps.authority(settings)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings.database_url),
        SESSION_COOKIE_NAME="__Host-tocsin" if secure else "tocsin",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        REMEMBER_COOKIE_SECURE=secure,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        PREFERRED_URL_SCHEME="https" if secure else "http",
        MAX_CONTENT_LENGTH=UPLOAD_LIMIT,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        MAX_FORM_PARTS=2_000,
        WTF_CSRF_TIME_LIMIT=None,
        OPENAPI_VERSION="3.1.0",
        JSON_SORT_KEYS=False,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    if settings.behind_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]


def _open_keys(app: APIFlask, settings: Settings) -> None:
    """The key ring, outside the database; sessions are signed with a secret of its own."""
    ring = keys.open_ring(settings.instance / "keys")
    app.extensions["keys"] = ring
    app.secret_key = ring.secret_or_new("session")
    with app.app_context():
        sealed.attach(ring)


def _engine_options(url: str) -> dict[str, Any]:
    quiet = {"hide_parameters": True}  # an error in the log says which statement failed, and never for whom
    if url.startswith("sqlite"):
        pool = {"connect_args": {"timeout": 15}, "pool_size": 20, "max_overflow": 20}
        return quiet | pool | {"json_deserializer": _from_json}
    return quiet | {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20}


def _from_json(text: str) -> Any:
    """What a column of SQLite holds as JSON; half of those of findings hold nothing, and are not parsed for it."""
    return [] if text == "[]" else {} if text == "{}" else json.loads(text)


def _open_channels(app: APIFlask, settings: Settings) -> None:
    """Opens the providers that these settings name; a wrong setting is a sentence at the start. Raises SettingsError."""
    app.extensions["stopping"] = Event()
    given: Any = settings  # whose secrets are kinds of words that the registry knows nothing of
    try:
        app.extensions["channels"] = registry.channels(given)
        app.extensions["alerts"] = registry.alerts(given)
        app.extensions["webhooks"] = registry.webhooks(given)
        app.extensions["mailbox"] = registry.mailbox(given)
        app.extensions["inbound"] = registry.inbound(given)
        app.extensions["alert_door"] = registry.alert_door(given)
        app.extensions["door"] = registry.door
        app.extensions["searcher"] = registry.searcher(given)
        app.extensions["sign_on"] = registry.sign_on(given)
    except Misconfigured as mistake:
        raise SettingsError(str(mistake)) from None
    app.extensions["sending_frozen"] = dispatches.frozen


def _open_library(app: APIFlask) -> None:
    """Uses the laws, playbooks and texts of this instance; a file that changed is taken up by the next request. A mistake in one stops nothing."""
    settings: Settings = app.extensions["settings"]
    shelf.open_(shelf.Shelf(settings.instance, packs.keys_of(settings.laws_keys)))
    app.before_request(shelf.look_again)
    own.open_(settings.instance)
    app.before_request(own.look_again)
