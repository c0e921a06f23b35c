"""The key ring: master keys in files outside the database, and the few other secrets of an installation.

The folder holds `master-0001.json`, `master-0002.json`, … (Tink keysets; the highest number is in use, the others open
what has not been wrapped anew), any `<name>.key` a room asks for, and `erased.txt`, the list of what was erased, so that
an older copy of the database cannot bring it back. Everything is readable by the owner alone and never written over.
"""

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import tink
from tink import aead, json_proto_keyset_format, prf, secret_key_access

from incident.store.files import sync_folder

aead.register()
prf.register()

MASTER: Final = re.compile(r"^master-(\d{4})\.json$")
SECRET_NAME: Final = re.compile(r"^[a-z][a-z0-9-]{0,39}$")
SECRET_BYTES: Final = 32
AEAD: Final[Any] = aead.Aead
PRF: Final[Any] = prf.PrfSet
"""Tink asks for its abstract classes, where a type checker wants concrete ones."""
ERASED: Final = "erased.txt"
OTHERS_MAY: Final = stat.S_IRWXG | stat.S_IRWXO
OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class KeysError(Exception):
    """The keys are missing, exposed or not the ones of this database; the message says what to do. Nothing starts."""


class KeyRing:
    """The opened ring. Wraps and unwraps the data keys of the database; knows what was erased."""

    def __init__(self, folder: Path, masters: dict[int, aead.Aead], erased: set[str]) -> None:
        self.folder = folder
        self._masters = masters
        self._erased = erased

    @property
    def current(self) -> int:
        """The number of the master key in use."""
        return max(self._masters)

    @property
    def numbers(self) -> list[int]:
        """The numbers of all master keys at hand, oldest first."""
        return sorted(self._masters)

    def wrap(self, keyset: tink.KeysetHandle, place: bytes) -> tuple[int, bytes]:
        """The number of the master used, and the keyset under it, bound to `place`. Another process may have made a newer one."""
        self._look_again()
        wrapped = tink.proto_keyset_format.serialize_encrypted(keyset, self._masters[self.current], place)
        return self.current, wrapped

    def unwrap(self, number: int, wrapped: bytes, place: bytes) -> tink.KeysetHandle:
        """The keyset again. Raises KeysError when the master is missing or not the one that wrapped it."""
        if number not in self._masters:
            self._look_again()
        master = self._masters.get(number)
        if master is None:
            raise KeysError(
                f"Master key {number:04d} is not in {self.folder}. Put the key files back from where you keep their copy."
            )
        try:
            return tink.proto_keyset_format.parse_encrypted(wrapped, master, place)
        except tink.TinkError as error:
            raise KeysError(
                f"The keys in {self.folder} are not the ones this database was sealed with, or a row was moved or changed."
            ) from error

    def _look_again(self) -> None:
        """Take up masters that another process has made, and forget those it has dropped."""
        there = _masters_in(self.folder)
        for number in there - self._masters.keys():
            self._masters[number] = _read_master(self.folder / f"master-{number:04d}.json")
        for number in self._masters.keys() - there if there else ():
            del self._masters[number]

    def add_master(self) -> int:
        """A new master key, from now on in use; its number. The older ones stay until nothing needs them."""
        self._look_again()
        number = self.current + 1
        _write_new(self.folder / f"master-{number:04d}.json", _new_master())
        self._masters[number] = _read_master(self.folder / f"master-{number:04d}.json")
        return number

    def drop_master(self, number: int) -> None:
        """Destroy an old master key for good. The caller has made sure that nothing is wrapped by it any more."""
        if number == self.current:
            raise KeysError("The master key in use cannot be dropped.")
        (self.folder / f"master-{number:04d}.json").unlink()
        sync_folder(self.folder)
        del self._masters[number]

    def secret(self, name: str) -> bytes:
        """The 32 random bytes kept under this name. Raises KeysError when there are none."""
        return read_secret(self._secret_path(name))

    def secret_or_new(self, name: str) -> bytes:
        """The secret of this name, made now if it was never made. Only where an old value protects nothing yet."""
        path = self._secret_path(name)
        if not path.exists():
            with suppress(FileExistsError):
                _write_new(path, secrets.token_bytes(SECRET_BYTES))
        return read_secret(path)

    def _secret_path(self, name: str) -> Path:
        if not SECRET_NAME.match(name):
            raise ValueError(f"Not a name for a secret: {name!r}")
        return self.folder / f"{name}.key"

    def note_erased(self, what: str) -> None:
        """Remember for good, outside the database, that `what` was erased; written through to the disk."""
        if what in self._erased:
            return
        handle = os.open(self.folder / ERASED, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, f"{what}\n".encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_folder(self.folder)
        self._erased.add(what)

    def was_erased(self, what: str) -> bool:
        """Whether `what` stands on the list of the erased."""
        return what in self._erased

    def erased(self) -> frozenset[str]:
        """All that was ever erased, as it was noted; read again from the disk, for another process may have added."""
        self._erased |= _read_erased(self.folder)
        return frozenset(self._erased)


def open_or_create(folder: Path, *, database_exists: bool) -> KeyRing:
    """The ring in this folder, made at the very first start only. Raises KeysError, above all when a database has no keys."""
    if has_master(folder):
        return open_ring(folder)
    if database_exists:
        raise KeysError(
            f"There is a database but no key in {folder}. New keys could not open it, so none are made. "
            "Put the key files back from where you keep their copy."
        )
    return create(folder)


def has_master(folder: Path) -> bool:
    """Whether a master key lies in this folder."""
    return folder.is_dir() and any(MASTER.match(path.name) for path in folder.iterdir())


def create(folder: Path) -> KeyRing:
    """A new ring. Raises KeysError where one exists."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _write_new(folder / "master-0001.json", _new_master())
    except FileExistsError:
        raise KeysError(f"There are keys in {folder} already; they are never written over.") from None
    return open_ring(folder)


def open_ring(folder: Path) -> KeyRing:
    """The ring in this folder. Raises KeysError when it is missing, exposed or unreadable."""
    if not has_master(folder):
        raise KeysError(f"There is no key in {folder}.")
    _demand_private(folder, OTHERS_MAY_WRITE)
    masters = {number: _read_master(folder / f"master-{number:04d}.json") for number in _masters_in(folder)}
    return KeyRing(folder, masters, _read_erased(folder))


def _masters_in(folder: Path) -> set[int]:
    return {int(found[1]) for path in folder.iterdir() if (found := MASTER.match(path.name))}


def write_secret(path: Path, content: bytes) -> None:
    """Keep a secret in a new file, for the owner alone, whole or not at all. Raises FileExistsError, never writes over."""
    _write_new(path, content)


def read_secret(path: Path) -> bytes:
    """What the secret file holds. Raises KeysError when it is missing or others could have read it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise KeysError(f"{path} is missing. Put it back from where you keep the copy of your keys.") from None
    with os.fdopen(handle, "rb") as file:
        _demand_private(path, OTHERS_MAY)
        return file.read()


def _new_master() -> bytes:
    keyset = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    text: str = json_proto_keyset_format.serialize(keyset, secret_key_access.TOKEN)
    return text.encode()


def _read_master(path: Path) -> aead.Aead:
    try:
        keyset = json_proto_keyset_format.parse(read_secret(path).decode(), secret_key_access.TOKEN)
        opened: aead.Aead = keyset.primitive(AEAD)
        return opened
    except (tink.TinkError, UnicodeDecodeError) as error:
        raise KeysError(f"{path} is damaged. Put it back from where you keep the copy of your keys.") from error


def _read_erased(folder: Path) -> set[str]:
    path = folder / ERASED
    return set(read_secret(path).decode().split()) if path.exists() else set()


def _demand_private(path: Path, forbidden: int) -> None:
    """Windows has no such modes; there the folder's own rights must protect it."""
    if os.name == "posix" and path.stat().st_mode & forbidden:
        raise KeysError(
            f"Others on this machine can get at {path}. Run: chmod {'700' if path.is_dir() else '600'} '{path}'"
        )


def _write_new(path: Path, content: bytes) -> None:
    """A link to a finished file either appears whole or not, and never replaces what is there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()
    sync_folder(path.parent)
