"""First start and every start: folders, keys and database are made once and never over what exists."""

from pathlib import Path

from apiflask import APIFlask
from flask_migrate import upgrade
from sqlalchemy import inspect

from incident.settings import Settings, SettingsError
from incident.store.db import db

FOLDERS = ("keys", "files", "checkpoints")


def folders(settings: Settings) -> None:
    """Makes the instance's folders, for the owner's eyes only. Existing ones are left as they are."""
    for folder in (settings.instance, *(settings.instance / name for name in FOLDERS)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def migrate(app: APIFlask) -> None:
    """Brings the database to the newest shape. Raises SettingsError when it is newer than this program."""
    with app.app_context():
        upgrade()


def is_new(app: APIFlask) -> bool:
    """Whether the database has no table of ours yet."""
    with app.app_context():
        return not inspect(db.engine).has_table("audit_line")


def check_same_age(settings: Settings, *, database_is_new: bool) -> None:
    """Keys and database belong together. Raises SettingsError when one is there without the other."""
    keys = [path for path in Path(settings.instance / "keys").glob("*") if path.is_file()]
    if database_is_new and keys:
        raise SettingsError(
            f"{settings.instance / 'keys'} holds keys, but the database is empty. Restore the database that belongs to these keys, or choose another TOCSIN_INSTANCE."
        )
    if not database_is_new and not keys:
        raise SettingsError(
            f"The database holds data, but {settings.instance / 'keys'} holds no keys. Put the key files back from your backup; without them the data cannot be read."
        )
