"""The law library: every law by place, what it asks and how well it was read; one law, its text, and where it is owed now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from incident.domain import editions, lawbook, places
from incident.domain.access import MEMBER
from incident.domain.errors import Missing
from incident.domain.laws import Confidence, Law
from incident.exports import csv
from incident.store import incidents, law_updates
from incident.store import obligations as rows
from incident.store.incidents import Incident
from incident.store.obligations import FindingRow
from incident.web import board, findings, lawwords
from incident.web.access import may, now, permit
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word
from incident.web.languages import said as in_words
from incident.web.pages import named

bp = Blueprint("laws", __name__, url_prefix="/laws")

ORIGINS = (Word("shipped with the program"), Word("an installed pack"))
"""Where a library comes from, as `Origin.words` says it."""
PAGE = 60
OWED = 20
FORCE = {"yes": "In force", "no": "Not in force, or to come", "own": "Your own files", "overruled": "Overruled"}
HEADER = (
    "law",
    "name",
    "place",
    "authority",
    "sector",
    "kind",
    "in force",
    "status",
    "duty",
    "title",
    "to",
    "stage",
    "clock",
    "citation",
    "address",
    "read on",
    "read at",
    "confidence",
    "law file",
    "digest",
)


@dataclass(frozen=True)
class Sought:
    """What the reader wants to see of the library: empty words ask for everything."""

    q: str = ""
    place: str = ""
    confidence: str = ""
    sector: str = ""
    force: str = ""

    @property
    def given(self) -> dict[str, Any]:
        """What is asked for, as arguments of an address."""
        return {name: word for name, word in vars(self).items() if word}


def _sought() -> Sought:
    said = {name: request.args.get(name, "").strip()[:100] for name in ("q", "place", "confidence", "sector", "force")}
    said["confidence"] = said["confidence"] if said["confidence"] in set(Confidence) else ""
    said["force"] = said["force"] if said["force"] in FORCE else ""
    return Sought(**said)


@bp.get("/")
@permit(MEMBER)
@named(Word("Laws"))
def index() -> str:
    """All laws by place, with what they ask, how well they were read, and which library this is."""
    made, asked = editions.current(), _sought()
    fitting = _kept(made.book, asked)
    page, more = _page(fitting)
    return render_template(
        "laws/list.html",
        edition=made,
        shipped=editions.shipped_version(),
        asked=asked,
        groups=_by_country(page),
        number=len(fitting),
        duties=sum(len(law.duties) for law in fitting),
        counts=lawwords.confidences(duty for law in fitting for duty in law.duties),
        places=_places(made.book),
        sectors=sorted({law.sector for law in made.book if law.sector}),
        confidences=[(word.value, findings.CONFIDENCE_WORDS[word]) for word in Confidence],
        force=FORCE,
        more=url_for(".index", after=more, **asked.given) if more else "",
        first=url_for(".index", **asked.given) if request.args.get("after") else "",
        waiting=_waiting(),
    )


def _kept(book: lawbook.Lawbook, asked: Sought) -> list[Law]:
    """The laws that fit, by country, place and name."""
    found = [law for law in book if _fits(law, asked)]
    return sorted(found, key=lambda law: (board.country(law.place), places.named(law.place), law.short, law.id))


def _fits(law: Law, asked: Sought) -> bool:
    return (
        (not asked.place or law.place == asked.place or law.place.startswith(f"{asked.place}-"))
        and asked.sector in {"", law.sector}
        and (not asked.confidence or any(duty.confidence == asked.confidence for duty in law.duties))
        and _force(law, asked.force)
        and all(part in _haystack(law) for part in asked.q.lower().split())
    )


def _force(law: Law, word: str) -> bool:
    return {"yes": law.in_force and not law.overruled, "no": not law.in_force, "own": law.own}.get(
        word, bool(law.overruled) if word == "overruled" else True
    )


def _haystack(law: Law) -> str:
    duties = " ".join(f"{duty.title} {duty.cite.place}" for duty in law.duties)
    where = f"{places.named(law.place)} {board.country(law.place)}"
    here = " ".join(in_words(name) for name in (law.authority, places.named(law.place), board.country(law.place)))
    return f"{law.id} {law.name} {law.short} {law.authority} {where} {here} {duties}".lower()


def _page(fitting: Sequence[Law]) -> tuple[Sequence[Law], str]:
    """The laws after the one that `after` names, and the name of the last one if there are more."""
    after = request.args.get("after", "")
    start = next((place + 1 for place, law in enumerate(fitting) if law.id == after), 0)
    page = fitting[start : start + PAGE]
    return page, page[-1].id if len(fitting) > start + PAGE else ""


def _by_country(laws: Sequence[Law]) -> list[tuple[str, list[lawwords.LawRow]]]:
    found: dict[str, list[lawwords.LawRow]] = {}
    for law in laws:
        found.setdefault(board.country(law.place), []).append(lawwords.row(law))
    return list(found.items())


def _places(book: lawbook.Lawbook) -> list[tuple[str, str]]:
    codes = {law.place.partition("-")[0] for law in book}
    return sorted(((code, board.country(code)) for code in codes), key=lambda one: one[1])


def _waiting() -> int:
    """How many of the reader's open incidents newer laws would change."""
    if not may("duty.view"):
        return 0
    return law_updates.number(law_updates.pending(editions.current().digest, _mine()))


def _mine() -> Any:
    return visible().where(Incident.state == "open").with_only_columns(Incident.id)


@bp.get("/laws.csv")
@permit(MEMBER)
def table() -> Response:
    """Every duty of the laws that fit, as CSV."""
    return csv_answer(csv.rows(HEADER, _lines(_kept(editions.current().book, _sought()))), "laws.csv")


def _lines(laws: Sequence[Law]) -> Iterator[tuple[Any, ...]]:
    for law in laws:
        head = (law.id, law.name, law.place, law.authority, law.sector, law.kind)
        force = ("yes" if law.in_force else "no", law.overruled or law.status)
        for duty in law.duties:
            words = lawwords.duty_words(duty, law)
            cite = duty.cite
            read = (cite.read_on.isoformat() if cite.read_on else "", cite.read_at, duty.confidence.value)
            yield (
                *(*head, *force, duty.id, duty.title, duty.to, duty.stage, " | ".join(words.clocks)),
                *(cite.place, cite.href, *read, law.path, law.digest),
            )


@bp.get("/<law>")
@permit(MEMBER)
def show(law: str) -> str:
    """One law: its duties with clock and citation, how it was read, its file as it is, and where it is owed now."""
    made = editions.current()
    if law not in made.book:
        raise Missing()
    held = made.book[law]
    owed = _owed(law)
    text = next((text.data.decode() for text in made.texts if text.digest == held.digest), "")
    where = incidents.by_ids({row.incident_id for row in owed})
    return render_template(
        "laws/show.html",
        law=held,
        row=lawwords.row(held),
        duties=[lawwords.duty_words(duty, held) for duty in held.duties],
        owed=[(findings.shown(row, now()), where[row.incident_id]) for row in owed],
        most=OWED,
        conditions=lawwords.conditions(held, text),
        text=text,
        mistakes=[mistake for mistake in made.mistakes if mistake.path == held.path],
    )


def _owed(law: str) -> Sequence[FindingRow]:
    """Where this law is owed or open now, over the open incidents that the reader may know of; soonest first."""
    if not may("duty.view"):
        return ()
    query = rows.unsettled(_mine(), ("owed", "advised", "open")).where(FindingRow.law == law)
    return rows.soonest(query, after=None, limit=OWED)
