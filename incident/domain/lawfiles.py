"""Law files read and checked: no citation, no law."""

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from incident.domain import lawparts
from incident.domain.clauses import BadClause, Clause, always, read
from incident.domain.clock import Limit, Roll, Unit
from incident.domain.laws import (
    KINDS,
    RECIPIENTS,
    STAGES,
    Bound,
    Citation,
    Confidence,
    Deadline,
    Duty,
    Law,
    anchors,
    elements,
)

T = TypeVar("T")


class BadLaw(Exception):
    """A law file cannot be used; the message has a sentence for each mistake."""


def parsed(data: bytes, path: str) -> Law:
    """The law in the bytes of a file. Raises BadLaw naming the place of the mistake."""
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadLaw(f"{path}: not a TOML file: {error}") from None
    return _Reader(path, raw).law(hashlib.sha256(data).hexdigest())


LAW_KEYS = frozenset({"id", "name", "short", "place", "zone", "calendar", "authority", "sector", "since", "in_force"})
LAW_KEYS |= {"status", "reading", "scope", "trigger", "unless", "guardian_under", "duty"}
LAW_KEYS |= {"kind", "overrules", "overrules_because"}  # a contract; a file of the user
DUTY_KEYS = frozenset({"id", "title", "to", "names", "stage", "when", "unless", "keeps", "deadline", "before", "hold"})
DUTY_KEYS |= {"contents", "forbidden", "services", "channels", "substitute", "language", "form", "guardian_under"}
DUTY_KEYS |= {"voluntary", "note", "cite", "confidence", "since", "until"}
DEADLINE_KEYS = frozenset({"words", "from", "cap", "extension", "later", "with", "guideline", "when", "since", "until"})
CITE_KEYS = frozenset({"place", "href", "read_on", "source"})
LIMIT_KEYS = frozenset(unit.value for unit in Unit) | {"first_day_counts", "roll", "lifted_if_later", "only_if_past"}


class _Reader:
    """Reads one file; every mistake is said with its place in the file."""

    def __init__(self, path: str, raw: dict[str, Any]) -> None:
        self.path = path
        self.raw = raw
        self.place = str(raw.get("place", ""))

    def law(self, digest: str) -> Law:
        self._only(self.raw, LAW_KEYS, "the law")
        for key in ("id", "name", "short", "place", "zone", "authority", "scope"):
            self._need(self.raw, key, "the law")
        duties = tuple(self._duty(raw) for raw in self.raw.get("duty", ()))
        if not duties:
            raise self._bad("the law", "has no [[duty]]")
        self._linked(duties)
        return Law(
            id=self.raw["id"],
            name=self.raw["name"],
            short=self.raw["short"],
            place=self.place,
            zone=self._zone(self.raw["zone"]),
            calendar=self.raw.get("calendar", self.place),
            authority=self.raw["authority"],
            scope=self._clause(self.raw["scope"], "scope"),
            trigger=self._clause(self.raw["trigger"], "trigger") if "trigger" in self.raw else always,
            duties=duties,
            digest=digest,
            status=self.raw.get("status", ""),
            in_force=self.raw.get("in_force", True),
            path=self.path,
            reading=self._text("reading"),
            sector=self._text("sector"),
            guardian_under=self._part(lambda: lawparts.guardian_under(self.raw.get("guardian_under", 0)), "the law"),
            kind=self._kind(),
            overrules=str(self.raw.get("overrules", "")),
            overrules_because=str(self.raw.get("overrules_because", "")).strip(),
        )

    def _kind(self) -> str:
        """Law or contract; whoever overrules a law says why."""
        kind = self.raw.get("kind", "law")
        if kind not in KINDS:
            raise self._bad("the law", f"'kind' is one of {', '.join(KINDS)}")
        if ("overrules" in self.raw) != bool(str(self.raw.get("overrules_because", "")).strip()):
            raise self._bad("the law", "'overrules' and 'overrules_because' go together: say which law, and why")
        return str(kind)

    def _duty(self, raw: Mapping[str, Any]) -> Duty:
        where = f"duty {raw.get('id', '?')}"
        self._only(raw, DUTY_KEYS, where)
        for key in ("id", "title", "to", "cite", "confidence", "deadline"):
            self._need(raw, key, where)
        if raw["to"] not in RECIPIENTS:
            raise self._bad(where, f"'to' is one of {', '.join(RECIPIENTS)}")
        if raw.get("stage", "") not in STAGES:
            raise self._bad(where, f"'stage' is one of {', '.join(STAGES[1:])}")
        confidence = self._word(Confidence, raw["confidence"], where)
        shared = [] if raw.get("keeps") else self.raw.get("unless", [])
        return Duty(
            id=raw["id"],
            law=self.raw["id"],
            title=raw["title"],
            to=raw["to"],
            names=frozenset({raw["to"], *raw.get("names", ())}),
            when=self._clause(raw["when"], where) if "when" in raw else always,
            unless=self._each(lawparts.exemption, [*raw.get("unless", []), *shared], where),
            deadlines=self._deadlines(raw["deadline"], where),
            cite=self._cite(raw["cite"], confidence, where),
            confidence=confidence,
            since=self._date(raw.get("since", self.raw.get("since")), where, needed=True),
            until=self._date(raw.get("until"), where),
            stage=raw.get("stage", ""),
            voluntary=bool(raw.get("voluntary", False)),
            before=raw.get("before", ""),
            contents=self._elements(raw.get("contents", ()), where),
            forbidden=self._elements(raw.get("forbidden", ()), where),
            services=self._each(lawparts.service, raw.get("services", ()), where),
            note=raw.get("note", ""),
            channels=self._part(lambda: lawparts.channels(raw.get("channels", [])), where),
            substitute=self._part(lambda: lawparts.substitutes(raw.get("substitute", []), self.place), where),
            language=self._part(lambda: lawparts.languages(raw.get("language", [])), where),
            form=self._part(lambda: lawparts.form(raw["form"]), where) if "form" in raw else None,
            guardian_under=self._part(
                lambda: lawparts.guardian_under(raw.get("guardian_under", self.raw.get("guardian_under", 0))), where
            ),
            hold=self._part(lambda: lawparts.hold(raw.get("hold"), raw["to"]), where),
        )

    def _each(self, reader: Callable[[Any, str], T], rows: Iterable[Any], where: str) -> tuple[T, ...]:
        return tuple(self._part(lambda: reader(one, self.place), where) for one in rows)  # noqa: B023 -- called at once

    def _part(self, reading: Callable[[], T], where: str) -> T:
        try:
            return reading()
        except lawparts.BadPart as error:
            raise self._bad(where, str(error)) from None

    def _deadlines(self, raw: Any, where: str) -> tuple[Deadline, ...]:
        rows = raw if isinstance(raw, list) else [raw]
        return tuple(self._deadline(one, f"{where}, deadline") for one in rows)

    def _deadline(self, raw: Mapping[str, Any], where: str) -> Deadline:
        self._only(raw, DEADLINE_KEYS | LIMIT_KEYS, where)
        if not {"words", "from", "with"} & raw.keys():
            raise self._bad(where, "needs 'from' with a limit, or 'with', or 'words'")
        caps = raw.get("cap", [])
        return Deadline(
            words=raw.get("words", ""),
            bound=self._bound(raw, where) if "from" in raw else None,
            caps=tuple(self._bound(one, where) for one in (caps if isinstance(caps, list) else [caps])),
            extension=self._bound(raw["extension"], where) if "extension" in raw else None,
            later=self._bound(raw["later"], where) if "later" in raw else None,
            with_duty=raw.get("with", ""),
            guideline=self._bound(raw["guideline"], where) if "guideline" in raw else None,
            when=self._clause(raw["when"], where) if "when" in raw else always,
            since=self._date(raw.get("since"), where),
            until=self._date(raw.get("until"), where),
        )

    def _bound(self, raw: Mapping[str, Any], where: str) -> Bound:
        if raw.get("from") not in anchors():
            raise self._bad(where, f"'from' is {raw.get('from')!r}, which anchors.toml does not have")
        return Bound(
            raw["from"], self._limit(raw, where), bool(raw.get("lifted_if_later")), bool(raw.get("only_if_past"))
        )

    def _limit(self, raw: Mapping[str, Any], where: str) -> Limit:
        units = [unit for unit in Unit if unit.value in raw]
        if len(units) != 1 or not isinstance(raw[units[0].value], int) or raw[units[0].value] < 0:
            raise self._bad(where, f"needs one of {', '.join(Unit)} with a whole number")
        roll = self._word(Roll, raw.get("roll", "no"), where)
        return Limit(units[0], raw[units[0].value], bool(raw.get("first_day_counts", False)), roll)

    def _cite(self, raw: Any, confidence: Confidence, where: str) -> Citation:
        if not isinstance(raw, Mapping) or not raw.get("place"):
            raise self._bad(where, "a duty without citation is no duty: cite = { place, href, read_on }")
        if not str(raw.get("href", "")).startswith("https://"):
            raise self._bad(where, "the citation needs an https address")
        read_on = self._date(raw.get("read_on"), where)
        if read_on is None and confidence is not Confidence.MEMORY:
            raise self._bad(where, "say when it was read (read_on), or that it is from memory")
        self._only(raw, CITE_KEYS, f"{where}, cite")
        if not str(raw.get("source", "https://")).startswith(("https://", "http://")):
            raise self._bad(where, "'source' is the address of the page where the text was read")
        return Citation(raw["place"], raw["href"], read_on, raw.get("source", ""))

    def _linked(self, duties: tuple[Duty, ...]) -> None:
        ids = [duty.id for duty in duties]
        if len(set(ids)) != len(ids):
            raise self._bad("the law", "has two duties of one id")
        for duty in duties:
            others = {duty.before, *(deadline.with_duty for deadline in duty.deadlines)} - {""}
            if not others <= set(ids) - {duty.id}:
                raise self._bad(
                    f"duty {duty.id}", f"points to {', '.join(sorted(others))}, which is no other duty of this law"
                )
        self._no_circle({duty.id: {duty.before} - {""} for duty in duties}, "before")
        running = {duty.id: {deadline.with_duty for deadline in duty.deadlines} - {""} for duty in duties}
        for id_, others in running.items():
            if any(running[other] for other in others):
                raise self._bad(f"duty {id_}", "'with' names a duty that has a clock of its own, no other 'with'")

    def _no_circle(self, named: Mapping[str, set[str]], key: str) -> None:
        """Each duty names at most one other. Raises BadLaw where following the names comes back."""
        for first in named:
            seen, here = {first}, named[first]
            while here:
                if here & seen:
                    raise self._bad(f"duty {first}", f"{key!r} goes in a circle")
                seen, here = seen | here, {after for one in here for after in named[one]}

    def _clause(self, raw: object, where: str) -> Clause:
        try:
            return read(raw, self.place)
        except BadClause as error:
            raise self._bad(where, str(error)) from None

    def _elements(self, words: Iterable[str], where: str) -> tuple[str, ...]:
        strange = [word for word in words if word not in elements()]
        if strange:
            raise self._bad(where, f"{strange[0]!r} is not in elements.toml")
        return tuple(words)

    def _zone(self, name: str) -> ZoneInfo:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise self._bad("the law", f"{name!r} is no time zone") from None

    def _date(self, raw: object, where: str, needed: bool = False) -> date | None:
        if raw is None and not needed:
            return None
        if type(raw) is not date:
            raise self._bad(where, "'since', 'until' and 'read_on' are dates such as 2018-05-25; 'since' must be there")
        return raw

    def _word(self, words: Callable[[str], Any], raw: str, where: str) -> Any:
        try:
            return words(raw)
        except ValueError:
            raise self._bad(where, f"{raw!r} is not a word for {getattr(words, '__name__', 'it').lower()}") from None

    def _text(self, key: str) -> str:
        if not isinstance(self.raw.get(key, ""), str):
            raise self._bad("the law", f"{key!r} is a text")
        return str(self.raw.get(key, ""))

    def _need(self, raw: Mapping[str, Any], key: str, where: str) -> None:
        if not raw.get(key):
            raise self._bad(where, f"has no {key!r}")

    def _only(self, raw: Mapping[str, Any], known: frozenset[str], where: str) -> None:
        strange = sorted(raw.keys() - known)
        if strange:
            raise self._bad(where, f"has {strange[0]!r}, which means nothing here")

    def _bad(self, where: str, what: str) -> BadLaw:
        return BadLaw(f"{self.path}: {where}: {what}.")
