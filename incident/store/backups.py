"""Backups: everything of an installation but its keys and settings, in one file that can be checked before it is used.

The file is a tar in a crate (`crates.py`: sealed under a key of its own, which the key ring wraps): `manifest.json` first,
then the database (a SQLite file, or one COPY file a table of PostgreSQL), the sealed files, and the checkpoints. The
manifest has the SHA-256 of each. Backups of earlier versions are the same tar without a crate, and are still read.
"""

import json
import os
import re
import secrets
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, cast

from sqlalchemy import Connection, text

from incident.domain.audit import Malformed, parsed
from incident.domain.errors import Refused
from incident.store import crates
from incident.store.crates import Crate
from incident.store.db import db
from incident.store.keys import KeyRing

FORMAT = "tocsin-backup-1"
DATABASE = "database.sqlite"
NAME = re.compile(
    r"database\.sqlite|tables/[a-z_]{1,60}\.copy|files/[A-Za-z0-9][A-Za-z0-9._-]{0,99}|checkpoints/checkpoint-\d{12}\.(?:txt|tsr)"
    r"|laws/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.toml"
    r"|playbooks/[a-z][a-z0-9_]{0,39}(?:\.learnt)?\.toml|messages/[A-Za-z-]{2,20}\.[a-z_]{1,40}\.txt"
)
FOLDERS = ("files", "checkpoints", "laws", "playbooks", "messages", "scenarios")
CHANGING = frozenset({"laws", "playbooks", "messages"})  # files that people edit in place
LONGEST_MANIFEST = 64 * 1024 * 1024
PIECE = 1024 * 1024
SCRATCH: Final = ".backing-up-"
LONGEST_BACKUP: Final = 24 * 3600  # seconds


@dataclass(frozen=True)
class Manifest:
    """What a backup holds, and how far the record went when it was made."""

    log: str
    size: int
    at: str
    database: str
    schema: str
    parts: dict[str, str] = field(default_factory=dict)  # name: SHA-256

    def written(self) -> bytes:
        """As it stands in the backup."""
        return json.dumps({"format": FORMAT} | asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def read(cls, raw: bytes) -> "Manifest":
        """The manifest in these bytes. Raises Refused."""
        try:
            found = parsed(raw)
            if not isinstance(found, dict) or found.pop("format", "") != FORMAT:
                raise Refused("This is not a backup that this version can read.")
            return cls(**found)
        except (Malformed, TypeError):
            raise Refused("The list of what the backup holds is damaged.") from None


# Making one ---------------------------------------------------------------------------------------------------------


def make(path: Path, instance: Path, at: str, ring: KeyRing) -> Manifest:
    """Write a backup to `path`, which must not exist, sealed; read again before it counts. Others go on working meanwhile.

    Raises Refused, also where what was written does not read as what was meant: the disk lied, and there is no backup.
    """
    if path.exists():
        raise Refused(f"{path} exists; a backup is never written over.")
    _clear(instance, datetime.fromisoformat(at))
    with _scratch(instance) as scratch:
        head = _snapshot(scratch)
        for name in FOLDERS:
            if (instance / name).is_dir():
                _take(instance / name, scratch / name)
        parts = {str(part.relative_to(scratch)): _digest(part) for part in sorted(scratch.rglob("*")) if part.is_file()}
        manifest = Manifest(*head[:2], at, db.engine.dialect.name, head[2], parts)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            _pack(draft, scratch, manifest, ring)
            if checked(draft, ring) != manifest:
                raise Refused(
                    "The backup that was written is not the one that was meant. Nothing was kept; try another disk."
                )
            os.link(draft, path)
            _write_through(path.parent)
        finally:
            draft.unlink(missing_ok=True)
    return manifest


def _clear(instance: Path, now: datetime) -> None:
    """What a backup that was killed left behind long ago."""
    for left in instance.glob(f"{SCRATCH}*"):
        if left.stat().st_mtime < now.timestamp() - LONGEST_BACKUP:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _scratch(instance: Path) -> Iterator[Path]:
    """The copies lie where the originals are: what is plain in them never touches another disk."""
    folder = instance / f"{SCRATCH}{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _take(source: Path, target: Path) -> None:
    """Sealed files never change, so that a hard link is as good as a copy, where there can be one."""
    target.mkdir(mode=0o700)
    for part in source.iterdir():
        if part.is_file() and NAME.fullmatch(f"{source.name}/{part.name}"):
            _copy(part, target / part.name, link=source.name not in CHANGING)


def _copy(part: Path, target: Path, *, link: bool) -> None:
    try:
        if link:
            os.link(part, target)
            return
    except OSError:
        pass
    shutil.copyfile(part, target)


def _snapshot(folder: Path) -> tuple[str, int, str]:
    """The database as it is at one moment; the record's identity and size in it, and the schema's version."""
    db.session.rollback()
    if db.engine.dialect.name == "sqlite":
        return _copy_sqlite(folder / DATABASE)
    (folder / "tables").mkdir()
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        for table in db.metadata.sorted_tables:
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            _copy_out(
                connection, f'COPY "{table.name}" ({columns}) TO STDOUT', folder / "tables" / f"{table.name}.copy"
            )
        return _head(connection)


def _copy_sqlite(path: Path) -> tuple[str, int, str]:
    with closing(sqlite3.connect(path)) as target, db.engine.connect() as source:
        driver: Any = source.connection.driver_connection
        source.rollback()
        driver.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        log, size = target.execute("SELECT log, size FROM audit_head WHERE id = 1").fetchone()
        (schema,) = target.execute("SELECT version_num FROM alembic_version").fetchone()
        return log, size, schema


def _head(connection: Connection) -> tuple[str, int, str]:
    log, size = connection.execute(text("SELECT log, size FROM audit_head WHERE id = 1")).one()
    return log, size, connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()


def _copy_out(connection: Connection, statement: str, path: Path) -> None:
    driver: Any = connection.connection.driver_connection
    with path.open("xb") as out, driver.cursor() as cursor, cursor.copy(statement) as copy:
        for piece in copy:
            out.write(piece)


def _digest(path: Path) -> str:
    with path.open("rb") as part:
        return file_digest(part, "sha256").hexdigest()


def _pack(path: Path, scratch: Path, manifest: Manifest, ring: KeyRing) -> None:
    with (
        Crate(path, ring) as out,
        tarfile.open(fileobj=cast(IO[bytes], out), mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        listed = tarfile.TarInfo("manifest.json")
        listed.size = len(manifest.written())
        tar.addfile(listed, BytesIO(manifest.written()))
        for name in manifest.parts:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = (scratch / name).stat().st_size, 0o600
            with (scratch / name).open("rb") as part:
                tar.addfile(entry, part)


# Using one ----------------------------------------------------------------------------------------------------------


def unpack(path: Path, folder: Path, ring: KeyRing) -> Manifest:
    """Write what the backup holds into `folder`, every part compared with its digest. Raises Refused, KeysError."""
    return _read(path, ring, partial(_write_out, folder=folder))


def checked(path: Path, ring: KeyRing) -> Manifest:
    """What the backup holds, read to its end and every part compared with its digest; nothing is kept. Raises Refused, KeysError."""
    return _read(path, ring, _only_read)


def _read(path: Path, ring: KeyRing, take: Callable[[IO[bytes], str], str]) -> Manifest:
    try:
        sealed = crates.is_one(path)
        source: IO[bytes] = crates.opened(path, ring) if sealed else path.open("rb")
        with source, tarfile.open(fileobj=source, mode="r|") as tar:
            entries = iter(tar)
            manifest = _listed(tar, next(entries, None))
            left = dict(manifest.parts)
            for entry in entries:
                _taken(tar, entry, left, take)
            while source.read(PIECE):  # to the end, so that a cut is noticed
                pass
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Refused(f"{path} cannot be read as a backup ({type(error).__name__}).") from None
    if left:
        raise Refused(f"The backup is not whole: {len(left)} of its parts are missing, such as {min(left)}.")
    return manifest


def _listed(tar: tarfile.TarFile, entry: tarfile.TarInfo | None) -> Manifest:
    source = tar.extractfile(entry) if entry and entry.isreg() and entry.name == "manifest.json" else None
    if entry is None or source is None or entry.size > LONGEST_MANIFEST:
        raise Refused("This is not a backup of Tocsin: the list of what it holds is missing.")
    return Manifest.read(source.read())


def _taken(
    tar: tarfile.TarFile, entry: tarfile.TarInfo, left: dict[str, str], take: Callable[[IO[bytes], str], str]
) -> None:
    wanted = left.pop(entry.name, None)
    source = tar.extractfile(entry) if entry.isreg() and wanted and NAME.fullmatch(entry.name) else None
    if source is None:
        raise Refused("The backup holds something that its list does not name, or names twice; nothing was restored.")
    if take(source, entry.name) != wanted:
        raise Refused(f"{entry.name} in the backup is not what was put into it; nothing was restored.")


def _only_read(source: IO[bytes], _name: str) -> str:
    digest = sha256()
    while piece := source.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _write_out(source: IO[bytes], name: str, folder: Path) -> str:
    target, digest = folder / name, sha256()
    target.parent.mkdir(exist_ok=True, mode=0o700)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as out:
        while piece := source.read(PIECE):
            digest.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


_FREEZE = (
    "INSERT INTO sending_switch (id, frozen, by, at) VALUES (1, true, 'cli', now())"
    " ON CONFLICT (id) DO UPDATE SET frozen = true"
)


def load(folder: Path) -> None:
    """Fill the empty PostgreSQL database from its COPY files, sending frozen, in one transaction."""
    with db.engine.begin() as connection:
        for table in db.metadata.sorted_tables:
            connection.execute(text(f'ALTER TABLE "{table.name}" DISABLE TRIGGER USER'))
        connection.execute(text("DELETE FROM audit_head"))
        for table in db.metadata.sorted_tables:
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            _copy_in(
                connection, f'COPY "{table.name}" ({columns}) FROM STDIN', folder / "tables" / f"{table.name}.copy"
            )
            _count_on(connection, table.name)
        for table in db.metadata.sorted_tables:
            connection.execute(text(f'ALTER TABLE "{table.name}" ENABLE TRIGGER USER'))
        connection.execute(text(_FREEZE))


def _copy_in(connection: Connection, statement: str, path: Path) -> None:
    if not path.exists():
        raise Refused("The backup was made by another version: a table is missing. Restore it with that version first.")
    driver: Any = connection.connection.driver_connection
    with path.open("rb") as source, driver.cursor() as cursor, cursor.copy(statement) as copy:
        while piece := source.read(PIECE):
            copy.write(piece)


def _count_on(connection: Connection, table: str) -> None:
    """Rows that come later are numbered after those that were restored."""
    asked = (
        "SELECT pg_get_serial_sequence(:name, attname) FROM pg_attribute"
        " WHERE attrelid = to_regclass(:name) AND attname = 'id' AND NOT attisdropped"
    )
    sequence = connection.scalar(text(asked), {"name": f'"{table}"'})
    if sequence:
        last = connection.scalar(text(f'SELECT max(id) FROM "{table}"')) or 0  # noqa: S608 (names of ours)
        connection.execute(text("SELECT setval(:sequence, :next, false)"), {"sequence": sequence, "next": last + 1})


def put_files(folder: Path, instance: Path) -> None:
    """Move sealed files and checkpoints into the instance; what is there stays."""
    for name in FOLDERS:
        (instance / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        for part in (folder / name).iterdir() if (folder / name).is_dir() else ():
            if not (instance / name / part.name).exists():
                os.link(part, instance / name / part.name)


def put(copy: Path, target: Path) -> None:
    """Let the finished copy stand at its place, which must be free, and make that durable. Raises Refused."""
    copy.chmod(0o600)
    try:
        os.link(copy, target)
    except FileExistsError:
        raise Refused(f"{target} came into being meanwhile; nothing was written over it.") from None
    _write_through(target.parent)


def _write_through(folder: Path) -> None:
    """Make it last that a file stands in this folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def take_back() -> None:
    """Remove the tables that a failed restore made, so that it can be tried again."""
    db.session.rollback()
    db.metadata.drop_all(db.engine)
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


def is_sound(path: Path) -> bool:
    """Whether SQLite finds the copied file in order."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])
        except sqlite3.DatabaseError:
            return False
