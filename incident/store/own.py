"""What an installation has of its own beside its laws: playbooks and starter texts, in its folder.

    playbooks/<book>.toml            playbooks that people wrote or changed by hand
    playbooks/<book>.learnt.toml     steps that were learnt; written by the program
    messages/<language>.<part>.txt   parts of starter texts, in place of those that the program brings
    scenarios/<name>.toml            drills of your own, beside those that the program brings

A file with a mistake is not used, and is named; it stops nothing. Nothing written by hand is ever written over, but for a
part of a starter text, whose earlier words stay with the lesson that changed it.
"""

import os
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from incident.domain import editions, lawbook, plans, playbook_files, scenarios, starters
from incident.domain.editions import OWN, LawText
from incident.domain.errors import Refused
from incident.domain.playbook_files import Laid, OwnFile
from incident.domain.scenario_files import OwnScenario
from incident.store import shelf

PLAYBOOKS: Final = "playbooks"
LEARNT: Final = ".learnt"
MESSAGES: Final = "messages"
SCENARIOS: Final = "scenarios"
FOLDERS: Final = (PLAYBOOKS, MESSAGES, SCENARIOS)
LOOK_AGAIN: Final = 5.0
LARGEST: Final = 1_000_000
LAW_FILE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.toml")


def make_folders(instance: Path) -> None:
    """Makes the folders, for the owner's eyes only; existing ones are left as they are."""
    for folder in FOLDERS:
        (instance / folder).mkdir(parents=True, exist_ok=True, mode=0o700)


# Reading --------------------------------------------------------------------------------------------------------------


def home() -> Path:
    """The folder of the instance that this process uses. Raises RuntimeError before it was opened."""
    if _standing.instance is None:
        raise RuntimeError("No instance is open.")
    return _standing.instance


def read(instance: Path) -> tuple[Laid, dict[tuple[str, str], str]]:
    """The playbooks with the installation's own over them, and its own parts of starter texts by language and part."""
    return playbook_files.laid(list(_playbooks(instance))), dict(_texts(instance))


def _playbooks(instance: Path) -> Iterator[OwnFile]:
    paths = (instance / PLAYBOOKS).glob("*.toml")
    for path in sorted(paths, key=lambda path: (path.stem.endswith(LEARNT), path.name)):
        book = path.stem.removesuffix(LEARNT)
        if playbook_files.NAME.fullmatch(book) and (said := _text(path)) is not None:
            yield OwnFile(book, f"{PLAYBOOKS}/{path.name}", said)


def _texts(instance: Path) -> Iterator[tuple[tuple[str, str], str]]:
    for language in starters.languages():
        for part in starters.PARTS:
            path = _message(instance, language, part)
            if path.is_file() and (said := _text(path)) is not None and not starters.mistake(language, part, said):
                yield (language, part), said.strip()


def _scenarios(instance: Path) -> Iterator[OwnScenario]:
    for path in sorted((instance / SCENARIOS).glob("*.toml")):
        yield OwnScenario(path.stem, f"{SCENARIOS}/{path.name}", _text(path))


def _text(path: Path) -> str | None:
    """What a file says; None where it cannot be read, or is too large to be one of these."""
    try:
        return path.read_text(encoding="utf-8") if path.is_file() and path.stat().st_size <= LARGEST else None
    except (OSError, UnicodeDecodeError):
        return None


def _message(instance: Path, language: str, part: str) -> Path:
    return instance / MESSAGES / f"{language}.{part}.txt"


def law(instance: Path, name: str) -> str:
    """What an own law file says now; empty where there is none. Raises Refused for a name that no such file has."""
    return _text(_law(instance, name)) or ""


def laws(instance: Path) -> list[str]:
    """The names of the own law files."""
    return sorted(path.name for path in (instance / shelf.FOLDER).glob("*.toml") if LAW_FILE.fullmatch(path.name))


def _law(instance: Path, name: str) -> Path:
    if not LAW_FILE.fullmatch(name):
        raise Refused("A law file has a name of small letters, digits and lines, such as our-insurer.toml.")
    return instance / shelf.FOLDER / name


def law_mistakes(instance: Path, name: str, text: str) -> list[str]:
    """What would be wrong with this text as an own law file beside the laws in use; nothing where it can be used."""
    now = editions.current()
    proposed = LawText(OWN + name, text.encode())
    others = [one for one in now.texts if one.own and one.path != proposed.path]
    library = [one for one in now.texts if not one.own]
    try:
        made = editions.edition(now.version, now.origin, library, [*others, proposed])
    except lawbook.BadLaw as error:
        return str(error).splitlines()
    return [sentence for one in made.mistakes if one.path == proposed.path for sentence in one.sentences]


def step_mistakes(instance: Path, book: str, made: Mapping[str, object]) -> list[str]:
    """What would be wrong with this step in that playbook; nothing where it can be used."""
    files = list(_playbooks(instance))
    tried = OwnFile(book, f"{PLAYBOOKS}/{book}", playbook_files.written([made], note="tried"))
    return [said for said in playbook_files.laid([*files, tried]).mistakes if said.startswith(tried.where + ":")]


# Changing -------------------------------------------------------------------------------------------------------------


def put_step(instance: Path, book: str, step: Mapping[str, object], *, note: str) -> None:
    """Write a step into the file of what was learnt for this playbook. Raises OSError."""
    path = instance / PLAYBOOKS / f"{book}{LEARNT}.toml"
    _put(path, playbook_files.with_step(_text(path) or "", step, note=note))


def put_text(instance: Path, language: str, part: str, said: str) -> None:
    """Write a part of a starter text. Raises OSError."""
    _put(_message(instance, language, part), said.rstrip("\n") + "\n")


def put_law(instance: Path, name: str, said: str) -> None:
    """Write an own law file. Raises OSError."""
    _put(_law(instance, name), said)


def _put(path: Path, said: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(said.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


# What this process uses -----------------------------------------------------------------------------------------------


@dataclass
class _Standing:
    instance: Path | None = None
    stamp: tuple[object, ...] = ()
    looked: float = 0.0
    laid: Laid | None = None
    scenario_mistakes: tuple[str, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)


_standing = _Standing()


def open_(instance: Path) -> Laid:
    """Use what this instance has of its own, in this process."""
    with _standing.lock:
        _standing.instance, _standing.stamp = instance, ()
        return _take(instance, _stamp(instance))


def look_again() -> None:
    """Take up files that were changed; looks at most every few seconds."""
    if _standing.instance is not None and time.monotonic() - _standing.looked >= LOOK_AGAIN:
        refresh()


def refresh() -> Laid:
    """Take up at once what was changed."""
    with _standing.lock:
        instance = _standing.instance
        if instance is None:
            return playbook_files.laid(())
        stamp = _stamp(instance)
        if stamp == _standing.stamp and _standing.laid is not None:
            _standing.looked = time.monotonic()
            return _standing.laid
        return _take(instance, stamp)


def scenario_mistakes() -> tuple[str, ...]:
    """A sentence for each mistake in the own scenarios, with its file and field; files with one are not offered."""
    refresh()
    return _standing.scenario_mistakes


def _take(instance: Path, stamp: tuple[object, ...]) -> Laid:
    found, texts = read(instance)
    plans.use(found.books)
    starters.use(texts)
    own, _standing.scenario_mistakes = scenarios.read(list(_scenarios(instance)))
    scenarios.use(own)
    _standing.laid, _standing.stamp, _standing.looked = found, stamp, time.monotonic()
    return found


def _stamp(instance: Path) -> tuple[object, ...]:
    """What tells whether anything was changed: places, sizes and times of the files."""
    seen: list[object] = [instance]
    for folder, pattern in ((PLAYBOOKS, "*.toml"), (MESSAGES, "*.txt"), (SCENARIOS, "*.toml")):
        for path in sorted((instance / folder).glob(pattern)):
            with suppress(OSError):
                status = path.stat()
                seen.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(seen)
