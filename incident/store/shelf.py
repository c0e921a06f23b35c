"""The folder `laws/` of an instance: the user's own law files, installed packs, and which library is in use.

    laws/*.toml              the user's own files
    laws/cases/<id>.toml     their cases
    laws/in-order/*.toml     the last text of each own file that was in order; written by the program
    laws/packs/<version>/    installed packs, with their notes; none is ever written over
    laws/packs/in-use        the version of the pack in use; not there: the library that the program brings

A pack is checked against its signed note whenever it is read. One that cannot be used is a mistake to be shown, and the library
that the program brings stands in for it.
"""

import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from incident.domain import editions, packs
from incident.domain.audit import Key
from incident.domain.editions import OWN, Edition, LawText, Mistake, Origin
from incident.domain.errors import Refused
from incident.domain.lawbook import BadLaw
from incident.domain.packs import BadPack, Pack

FOLDER, CASES, GOOD, PACKS, IN_USE = "laws", "cases", "in-order", "packs", "in-use"
LOOK_AGAIN = 5.0  # seconds; how soon a running program notices a changed file
LARGEST_OWN = packs.LARGEST_FILE


@dataclass(frozen=True)
class Shelf:
    """The laws of one instance, and the keys whose packs it takes."""

    instance: Path
    keys: tuple[Key, ...] = ()

    @property
    def folder(self) -> Path:
        """Where everything about laws is kept."""
        return self.instance / FOLDER

    @property
    def packs(self) -> Path:
        """Where installed packs are."""
        return self.folder / PACKS


def make_folders(instance: Path) -> None:
    """Makes the folders, for the owner's eyes only; existing ones are left as they are."""
    for folder in (FOLDER, f"{FOLDER}/{CASES}", f"{FOLDER}/{GOOD}", f"{FOLDER}/{PACKS}"):
        (instance / folder).mkdir(parents=True, exist_ok=True, mode=0o700)


# Reading --------------------------------------------------------------------------------------------------------------


def read(shelf: Shelf) -> Edition:
    """The edition that this instance uses: its library, and its own files beside it."""
    library, mistake = _library(shelf)
    own, unreadable = _own(shelf.folder)
    made = editions.edition(library.version, library.origin, library.texts, own, _good(shelf.folder))
    return replace(made, mistakes=(*mistake, *unreadable, *made.mistakes))


def _library(shelf: Shelf) -> tuple[Edition, tuple[Mistake, ...]]:
    version = chosen(shelf)
    if not version:
        return editions.shipped(), ()
    try:
        return of_pack(installed(shelf, version)), ()
    except (BadPack, BadLaw) as error:
        said = tuple((error.sentence if isinstance(error, Refused) else str(error)).splitlines())
        instead = f"the library that the program brings ({editions.shipped_version()}) is used instead"
        return editions.shipped(), (Mistake(f"{PACKS}/{version[:40]}", said, instead),)


def of_pack(pack: Pack) -> Edition:
    """The library of a pack, without own files. Raises BadLaw where this program cannot use one of its laws."""
    return editions.edition(pack.version, Origin.PACK, pack.laws)


def chosen(shelf: Shelf) -> str:
    """The version of the pack in use; empty for the library that the program brings."""
    path = shelf.packs / IN_USE
    try:
        return path.read_text(encoding="ascii").strip() if path.exists() else ""
    except (OSError, UnicodeDecodeError):
        return "unreadable"


def installed(shelf: Shelf, version: str) -> Pack:
    """An installed pack, every file compared with its signed note again. Raises BadPack."""
    folder = shelf.packs / packs.checked_version(version)
    try:
        note = (folder / packs.NOTE).read_text(encoding="utf-8")
        signer = packs.signed_by(note, shelf.keys)
        files = {path: (folder / path).read_bytes() for path in packs.listed(note)}
    except (OSError, UnicodeDecodeError) as error:
        raise BadPack(f"The pack {version} cannot be read in {folder} ({type(error).__name__}).") from None
    return packs.held_by(note, files, signer)


def versions(shelf: Shelf) -> list[str]:
    """The versions of all installed packs, newest first."""
    if not shelf.packs.is_dir():
        return []
    held = [path.name for path in shelf.packs.iterdir() if path.is_dir() and packs.VERSION.fullmatch(path.name)]
    return sorted(held, key=lambda one: [int(part) for part in one.split(".")], reverse=True)


def _own(folder: Path) -> tuple[list[LawText], tuple[Mistake, ...]]:
    texts, mistakes = [], []
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        try:
            texts.append(LawText(OWN + path.name, _read_own(path)))
        except OSError as error:
            said = (f"{OWN}{path.name}: cannot be read: {error.strerror or error}.",)
            mistakes.append(Mistake(OWN + path.name, said, "this file is not used"))
    return texts, tuple(mistakes)


def _read_own(path: Path) -> bytes:
    """The bytes of a file of the user. Raises OSError; a pipe or a device is never read, for it may have no end."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a file")
    if status.st_size > LARGEST_OWN:
        raise OSError(f"larger than {LARGEST_OWN:,} bytes")
    return path.read_bytes()


def _good(folder: Path) -> Mapping[str, LawText]:
    kept: dict[str, LawText] = {}
    for path in sorted((folder / GOOD).glob("*.toml")):
        with suppress(OSError):  # another process tidies this folder too
            kept[OWN + path.name] = LawText(OWN + path.name, path.read_bytes())
    return kept


def own_cases(shelf: Shelf) -> Path:
    """The folder with the cases of the user's own files."""
    return shelf.folder / CASES


def pack_cases(shelf: Shelf) -> Path | None:
    """The folder with the cases of the pack in use; None while there is none."""
    version = chosen(shelf)
    folder = shelf.packs / version / CASES if packs.VERSION.fullmatch(version) else None
    return folder if folder and folder.is_dir() else None


# Changing -------------------------------------------------------------------------------------------------------------


def keep_good(shelf: Shelf, made: Edition) -> None:
    """Keep the text of each own file that is in order, to stand in for it should a later one have a mistake."""
    kept = shelf.folder / GOOD
    texts = [text for text in made.texts if text.own]
    if not texts and not kept.is_dir():
        return
    kept.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = {text.path.removeprefix(OWN): text.data for text in texts}
    for name, data in wanted.items():
        if not (kept / name).exists() or (kept / name).read_bytes() != data:
            _replace(kept / name, data)
    present = {path.name for path in shelf.folder.glob("*.toml")}
    for path in kept.glob("*.toml"):
        if path.name not in present:
            path.unlink(missing_ok=True)


def install(shelf: Shelf, data: bytes, *, older: bool = False) -> Pack:
    """Check a pack, keep it, and use it from now on. Raises Refused; nothing is changed then, and no file of the user ever is."""
    pack = packs.opened(data, shelf.keys)
    try:
        faults = of_pack(pack).faults
    except BadLaw as error:
        raise BadPack(f"This program cannot use the pack {pack.version}; a newer one may:\n{error}") from None
    if faults:
        raise BadPack("\n".join((f"The pack {pack.version} has mistakes, and was not taken:", *faults)))
    now = read(shelf).version
    if not older and not packs.newer(pack.version, now):
        said = "the one in use" if pack.version == now else f"not newer than {now}, which is in use"
        raise Refused(f"The pack's version {pack.version} is {said}. To take it all the same, say --older.")
    _put(shelf, pack)
    choose(shelf, pack.version)
    return pack


def _put(shelf: Shelf, pack: Pack) -> None:
    """Write the pack's files beside, and let the finished folder stand at its place, unless it is there already."""
    target = shelf.packs / pack.version
    if target.exists():
        if installed(shelf, pack.version).note != pack.note:
            raise Refused(f"Another pack of version {pack.version} is installed; a pack is never written over.")
        return
    make_folders(shelf.instance)
    draft = shelf.packs / f".{pack.version}.{secrets.token_hex(4)}"
    try:
        for path, content in _files(pack).items():
            (draft / path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(draft / path, content)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _files(pack: Pack) -> dict[str, bytes]:
    held = {packs.LAWS + text.path: text.data for text in pack.laws}
    held |= {packs.CASES + text.path: text.data for text in pack.cases}
    return {packs.NOTE: pack.note.encode(), **held}


def choose(shelf: Shelf, version: str) -> None:
    """Use this installed pack from now on; empty: the library that the program brings. Raises Refused."""
    if version:
        try:
            of_pack(installed(shelf, version))
        except BadLaw as error:
            raise BadPack(f"This program cannot use the pack {version}:\n{error}") from None
        _replace(shelf.packs / IN_USE, f"{version}\n".encode("ascii"))
    else:
        (shelf.packs / IN_USE).unlink(missing_ok=True)


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    _write(draft, data)
    os.replace(draft, path)


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


# The shelf of this process --------------------------------------------------------------------------------------------


@dataclass
class _Standing:
    shelf: Shelf | None = None
    stamp: tuple[object, ...] = ()
    looked: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_standing = _Standing()


def open_(shelf: Shelf) -> Edition:
    """Use the laws of this instance in this process. Never stopped by a mistake in an own file or a pack."""
    with _standing.lock:
        _standing.shelf, _standing.stamp = shelf, ()
        return _take(shelf, _stamp(shelf))


def look_again() -> None:
    """Take up files that were changed, packs that were installed; looks at most every few seconds."""
    if _standing.shelf is None or time.monotonic() - _standing.looked < LOOK_AGAIN:
        return
    refresh()


def refresh() -> Edition:
    """Take up at once what was changed."""
    with _standing.lock:
        shelf = _standing.shelf
        if shelf is None:
            return editions.current()
        stamp = _stamp(shelf)
        if stamp == _standing.stamp:
            _standing.looked = time.monotonic()
            return editions.current()
        return _take(shelf, stamp)


def _take(shelf: Shelf, stamp: tuple[object, ...]) -> Edition:
    made = read(shelf)
    with suppress(OSError):  # a full disk must not keep the laws from being used
        keep_good(shelf, made)
    editions.use(made)
    _standing.stamp, _standing.looked = stamp, time.monotonic()
    return made


def _stamp(shelf: Shelf) -> tuple[object, ...]:
    """What tells whether anything was changed: names, sizes and times of the own files, and the pack in use."""
    own = shelf.folder.glob("*.toml") if shelf.folder.is_dir() else ()
    seen = []
    for path in sorted(own):
        try:
            status = path.stat()
        except OSError:
            continue
        seen.append((path.name, status.st_mtime_ns, status.st_size))
    return shelf, tuple(seen), chosen(shelf)
