"""An edition of the laws: the library's files and the user's own beside them, under one version and one digest.

A mistake in one of the user's own files never stops the library: it is kept as a mistake, to be shown, and where an earlier
text of that file was in order, that text stands in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path

from incident.domain import lawbook
from incident.domain.lawbook import LAWS, BadLaw, Duty, Law, Lawbook, read_law
from incident.domain.lawcheck import faults

OWN = "own/"
OWN_ID = "OWN-"
VERSION = "VERSION"


class Origin(StrEnum):
    """Where the library of an edition comes from."""

    SHIPPED = "shipped"
    PACK = "pack"

    @property
    def words(self) -> str:
        """The origin for people."""
        return {Origin.SHIPPED: "shipped with the program", Origin.PACK: "an installed pack"}[self]


@dataclass(frozen=True)
class LawText:
    """One law file as it is: its path in the library, such as us/tx.toml, or own/insurer.toml, and its bytes."""

    path: str
    data: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return sha256(self.data).hexdigest()

    @property
    def own(self) -> bool:
        """Whether the user wrote it."""
        return self.path.startswith(OWN)


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a file of the user, or with an installed pack, and what stands in for it."""

    path: str
    sentences: tuple[str, ...]
    instead: str


@dataclass(frozen=True)
class Edition:
    """The laws that an installation uses."""

    version: str
    origin: Origin
    book: Lawbook
    texts: tuple[LawText, ...]
    mistakes: tuple[Mistake, ...] = ()

    @property
    def digest(self) -> str:
        """One digest over all files, the user's own too: what findings are made by."""
        return self.book.digest

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the library's own files beside their form."""
        return tuple(sentence for text in self.texts if not text.own for sentence in faults(text.path, text.data))

    @property
    def library_digest(self) -> str:
        """The digest over the library's own files alone: what a pack is known by."""
        return digest_of(text for text in self.texts if not text.own)


def manifest(texts: Iterable[LawText]) -> str:
    """A line a file, as `sha256sum` writes it: digest, two spaces, path; in the order of the paths."""
    return "".join(f"{text.digest}  {text.path}\n" for text in sorted(texts, key=lambda text: text.path))


def digest_of(texts: Iterable[LawText]) -> str:
    """One digest over paths and bytes: SHA-256 of the manifest."""
    return sha256(manifest(texts).encode()).hexdigest()


def library_of(texts: Iterable[LawText]) -> Lawbook:
    """The laws of a library's files. Raises BadLaw with every mistake of every file."""
    laws: dict[str, Law] = {}
    mistakes: list[str] = []
    for text in sorted(texts, key=lambda text: text.path):
        try:
            law = read_law(text.path, text.data)
            _demand(law.id not in laws, text.path, f"the id {law.id} is also used by another file")
            _demand(not law.own, text.path, f"an id that begins with {OWN_ID} is for your own files")
            laws[law.id] = law
        except BadLaw as error:
            mistakes.append(str(error))
    if mistakes:
        raise BadLaw("\n".join(mistakes))
    return Lawbook(laws)


def edition(
    version: str,
    origin: Origin,
    library: Sequence[LawText],
    own: Iterable[LawText] = (),
    good: Mapping[str, LawText] | None = None,
) -> Edition:
    """The edition of these files. `good` has the last text of each own file that was in order. Raises BadLaw for the library."""
    book = library_of(library)
    laws: dict[str, Law] = dict(book.laws)
    texts: list[LawText] = list(library)
    mistakes: list[Mistake] = []
    for text in sorted(own, key=lambda text: text.path):
        used, mistake = _own(text, (good or {}).get(text.path), laws)
        mistakes += [mistake] if mistake else []
        if used is None:
            continue
        texts.append(used)
        law = read_law(used.path, used.data)
        trouble = cannot_overrule(law, laws)
        if trouble:
            mistakes.append(Mistake(used.path, (f"{used.path}: {trouble}.",), "it is used, and overrules nothing"))
        laws = _with(laws, law, overruling=bool(law.overrules and not trouble))
    return Edition(version, origin, Lawbook(laws), tuple(texts), tuple(mistakes))


def _own(text: LawText, good: LawText | None, laws: Mapping[str, Law]) -> tuple[LawText | None, Mistake | None]:
    """The text of an own file to use, and the mistake that keeps the present one from being used."""
    try:
        check_own(text, laws)
    except BadLaw as error:
        sentences = tuple(str(error).splitlines())
        if good is not None and good.data != text.data and _is_good(good, laws):
            return good, Mistake(text.path, sentences, "the last text of this file that was in order is used instead")
        return None, Mistake(text.path, sentences, "this file is not used")
    return text, None


def _is_good(text: LawText, laws: Mapping[str, Law]) -> bool:
    try:
        check_own(text, laws)
    except BadLaw:
        return False
    return True


def check_own(text: LawText, laws: Mapping[str, Law]) -> Law:
    """The law of an own file, fit to stand beside `laws`. Raises BadLaw."""
    law = read_law(text.path, text.data)
    _demand(
        law.own, text.path, f"the id of your own file begins with {OWN_ID}, so that no later library can clash with it"
    )
    _demand(law.id not in laws, text.path, f"the id {law.id} is also used by another of your files")
    found = faults(text.path, text.data)
    if found:
        raise BadLaw("\n".join(found))
    return law


def cannot_overrule(law: Law, laws: Mapping[str, Law]) -> str:
    """Why this law does not set aside the one that it overrules; empty where it does, or overrules none.

    Its own duties are owed all the same: a mistake here may cost a duty too many, never one too few.
    """
    other = laws.get(law.overrules)
    if not law.overrules:
        return ""
    if other is None:
        return f"overrules {law.overrules!r}, which the library does not have"
    if other.own:
        return f"overrules {law.overrules}, which is your own file: change that one"
    return f"overrules {law.overrules}, which another of your files overrules" if other.overruled else ""


def _with(laws: Mapping[str, Law], law: Law, *, overruling: bool) -> dict[str, Law]:
    """The laws and one more; a law that it overrules stays, marked, and is owed no longer."""
    held = {**laws, law.id: law}
    if overruling:
        said = f"Overruled by your own file {law.id}: {law.overrules_because}"
        held[law.overrules] = replace(held[law.overrules], overruled=said)
    return held


def changed(old: Lawbook, new: Lawbook) -> frozenset[str]:
    """The ids of laws that were added, taken away, written anew, or overruled in another way."""

    def face(book: Lawbook, law: str) -> tuple[str, str] | None:
        return (book[law].digest, book[law].overruled) if law in book else None

    return frozenset(law for law in {*old.laws, *new.laws} if face(old, law) != face(new, law))


@dataclass(frozen=True)
class LawChange:
    """What became of one law between two editions: added, taken away or changed; and of which of its duties what."""

    law: str
    how: str
    parts: tuple[str, ...] = ()


def law_changes(old: Lawbook, new: Lawbook) -> tuple[LawChange, ...]:
    """Each law that differs, by id: "tell-people: deadlines, unless" names what of a duty is written differently."""
    made = []
    for law in sorted(changed(old, new)):
        if law not in new:
            made.append(LawChange(law, "taken away"))
        elif law not in old:
            made.append(LawChange(law, "added"))
        else:
            made.append(LawChange(law, "changed", tuple(_parts(old[law], new[law]))))
    return tuple(made)


ASIDE = frozenset({"digest", "path", "duties", "law"})


def _parts(old: Law, new: Law) -> Iterator[str]:
    """What of the law itself, then of each duty, is not as it was; equal conditions are one object."""
    whole = _differing(old, new)
    if whole:
        yield f"the law: {', '.join(whole)}"
    before, after = ({duty.id: duty for duty in law.duties} for law in (old, new))
    for duty in sorted({*before, *after}):
        if duty not in after or duty not in before:
            yield f"{duty}: {'added' if duty in after else 'taken away'}"
        elif names := _differing(before[duty], after[duty]):
            yield f"{duty}: {', '.join(names)}"


def _differing(old: Law | Duty, new: Law | Duty) -> list[str]:
    names = [one.name for one in fields(old) if one.name not in ASIDE]
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def _demand(holds: bool, path: str, sentence: str) -> None:
    if not holds:
        raise BadLaw(f"{path}: {sentence}.")


# The edition in use ---------------------------------------------------------------------------------------------------


@dataclass
class _Held:
    edition: Edition | None = field(default=None)


_held = _Held()


@cache
def shipped() -> Edition:
    """The library that the program brings, without any file of the user. Raises BadLaw."""
    return edition(shipped_version(), Origin.SHIPPED, read_folder(LAWS))


def shipped_version() -> str:
    """The version of the library that the program brings."""
    return (LAWS / VERSION).read_text(encoding="ascii").strip()


def read_folder(folder: Path) -> tuple[LawText, ...]:
    """Every law file of a folder, by path."""
    return tuple(
        LawText(path.relative_to(folder).as_posix(), path.read_bytes()) for path in sorted(folder.rglob("*.toml"))
    )


def use(chosen: Edition | None) -> None:
    """Have this process use these laws from now on; None: those that the program brings."""
    _held.edition = chosen
    lawbook.use(chosen.book if chosen else None)


def current() -> Edition:
    """The laws that this process uses."""
    return _held.edition or shipped()
