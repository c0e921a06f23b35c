"""First start and every start: folders, keys and database are made once, and never over what exists."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from apiflask import APIFlask
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from incident import clock, core, garbage, parts, schema
from incident.actions import operations, policies, sealing, users
from incident.settings import Settings, SettingsError
from incident.store import abode, audit, checkpoints, credentials, jobs, keys, own, sealed, shelf

MARK = "installation"
STARTING = 0x70C50
"""Who starts holds this advisory lock of PostgreSQL, so that several processes make and migrate one after the other."""


def prepare(settings: Settings, *, key_is_lost: bool = False) -> APIFlask:
    """The application, ready to serve: made now at the very first start. Raises SettingsError, KeysError.

    With `key_is_lost`, also where the record's signing key is gone, so that it can be replaced.
    """
    return with_pages(without_pages(settings, key_is_lost=key_is_lost))


def without_pages(settings: Settings, *, key_is_lost: bool = False) -> APIFlask:
    """The same but for its pages, of which workers and commands have no use: they are half of what there is to load."""
    make_folders(settings)
    with _one_after_the_other(settings):
        return _prepared(settings, key_is_lost)


def with_pages(app: APIFlask) -> APIFlask:
    """The same application with pages and API, loaded now."""
    furnished: APIFlask = parts.load(parts.PAGES).furnish(app)
    garbage.in_small_steps()
    return furnished


def _prepared(settings: Settings, key_is_lost: bool) -> APIFlask:
    empty = is_empty(settings)
    mark = settings.instance / MARK
    if empty and mark.exists():
        raise SettingsError(
            f"{settings.instance} belongs to an installation, but its database is not there or is empty. Nothing was made in its place: "
            "restore the database, correct TOCSIN_DATABASE_URL, or choose another TOCSIN_INSTANCE."
        )
    keys.open_or_create(settings.instance / "keys", database_exists=not empty)
    app = core.create(settings)
    with app.app_context():
        schema.bring_up(app)
        if jobs.possible():
            jobs.make_tables()
        sealed.check()
        if not key_is_lost:
            checkpoints.demand_key()
        credentials.demand_key()
        log = audit.identity()
    if not mark.exists():
        mark.write_text(f"{log}\n", encoding="ascii")
    elif mark.read_text(encoding="ascii").strip() != log:
        raise SettingsError(
            f"{settings.instance} and the database belong to different installations. Correct TOCSIN_INSTANCE or TOCSIN_DATABASE_URL."
        )
    with app.app_context():
        sealing.seal_what_is_plain(now=clock.now())
        operations.freeze_copy(abode.here(settings.database_url), actor="system", now=clock.now())
        policies.take_up(settings.policy, actor="system", now=clock.now())
        app.extensions["renewal"].now()
    gc.freeze()
    return app


@contextmanager
def _one_after_the_other(settings: Settings) -> Iterator[None]:
    """Hold the start against other processes and machines of this installation; SQLite has one machine and waits by itself."""
    if settings.database_url.startswith("sqlite"):
        yield
        return
    engine = create_engine(settings.database_url, isolation_level="AUTOCOMMIT")
    try:
        held = engine.connect()
    except OperationalError as error:
        raise _unreachable(error) from None
    try:
        with held:
            held.execute(text("SELECT pg_advisory_lock(:key)"), {"key": STARTING})
            yield
    finally:
        engine.dispose()  # the lock is the connection's: a start that failed must not keep others out


def existing(settings: Settings, *, key_is_lost: bool = False) -> APIFlask:
    """The application of an installation that is there already, as `without_pages`. Raises SettingsError where nothing was started."""
    if is_empty(settings) and not (settings.instance / MARK).exists():
        raise SettingsError(
            f"There is no installation in {settings.instance} yet. Check TOCSIN_INSTANCE and TOCSIN_DATABASE_URL."
        )
    return without_pages(settings, key_is_lost=key_is_lost)


def setup_link(app: APIFlask) -> str | None:
    """A new one-time link for the first administrator, inside the application's context; None once there is one."""
    secret = users.offer_setup(now=clock.now())
    configuration: Settings = app.extensions["settings"]
    return f"{configuration.base_url}/welcome/{secret}" if secret else None


def make_folders(settings: Settings) -> None:
    """Makes the instance's folders, for the owner's eyes only. Existing ones are left as they are."""
    for folder in (settings.instance, *(settings.instance / name for name in ("keys", "files", "checkpoints"))):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    shelf.make_folders(settings.instance)
    own.make_folders(settings.instance)


def is_empty(settings: Settings) -> bool:
    """Whether no table of ours is there yet. Raises SettingsError when the database cannot be reached."""
    if (
        settings.database_url.startswith("sqlite")
        and not (settings.instance / "tocsin.db").exists()
        and str(settings.instance) in settings.database_url
    ):
        return True
    engine = create_engine(settings.database_url)
    try:
        return not inspect(engine).has_table("audit_head")
    except OperationalError as error:
        raise _unreachable(error) from None
    finally:
        engine.dispose()


def _unreachable(error: OperationalError) -> SettingsError:
    return SettingsError(
        f"TOCSIN_DATABASE_URL: the database does not answer ({type(error.orig).__name__}). Check address, account and network."
    )
