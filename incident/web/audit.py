"""The record as pages: of one incident for those who see it, of the whole installation for auditors and administrators."""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    stream_template,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue

from incident.actions import checkpoints as actions
from incident.actions.ledger import instant
from incident.domain import verbs
from incident.domain.errors import Invalid, Missing
from incident.domain.facts import vocabulary
from incident.exports import csv
from incident.store import audit, record_keys, users, witnesses
from incident.store import checkpoints as rows
from incident.store.audit import AuditLine
from incident.web import answers, story
from incident.web.access import actor, now, permit, zone
from incident.web.languages import Word, said
from incident.web.linewords import sentence
from incident.web.marked import marked
from incident.web.pages import named

bp = Blueprint("audit", __name__, url_prefix="/incidents/<incident>/record")
whole = Blueprint("record", __name__, url_prefix="/record")

PAGE = 50
STEPS = 20  # ticks of the progress bar
NOUNS = sorted({verb.partition(".")[0] for verb in verbs.VERBS})
_CHECKS = threading.BoundedSemaphore(2)  # a check reads every line: not more of them at once


@dataclass(frozen=True)
class Told:
    """One line in ready words, and as it is hashed."""

    seq: int
    at: datetime
    who: str
    sentence: str
    incident: str | None
    verb: str
    actor: str
    subject: str
    details: tuple[tuple[str, str], ...]
    leaf: str


@bp.get("/")
@permit("timeline.view")
@named(Word("Record of this incident"))
def index(incident: str) -> str:
    """The record of one incident, newest line first."""
    return _page(incident)


@whole.get("/", endpoint="index")
@permit("record.view")
@named(Word("The whole record"))
def index_of_all() -> str:
    """The record of the whole installation, newest line first."""
    return _page(None)


def _page(incident: str | None) -> str:
    wrong = ""
    chosen: dict[str, Any] = {
        name: word for name in ("who", "what", "since", "until") if (word := request.args.get(name, "").strip())
    }
    try:
        asked = _asked(chosen)
    except Invalid as error:
        asked, wrong = {}, error.sentence
    before = request.args.get("before", type=int)
    found = audit.search(incident=incident, before_seq=before, limit=PAGE + 1, **asked)
    here: dict[str, Any] = {"incident": incident} if incident else {}
    more = url_for(".index", before=found[PAGE - 1].seq, **here, **chosen) if len(found) > PAGE else ""
    return render_template(
        "audit/list.html",
        layout="incidents/frame.html" if incident else "base.html",
        told=_told(found[:PAGE]),
        more=more,
        first=url_for(".index", **here, **chosen) if before is not None else "",
        chosen=chosen,
        wrong=wrong,
        place=here,
        team=users.every(),
        others=story.BY_ITSELF,
        nouns=NOUNS,
        state=_state(),
        privileged=len(marked()) if incident else 0,
    )


def _asked(chosen: dict[str, str]) -> dict[str, str]:
    """What the form asks for, as the store wants it: days are the reader's, both ends included. Raises Invalid."""
    asked = {"actor": chosen.get("who", ""), "verb": chosen.get("what", "")}
    if asked["verb"] and "." not in asked["verb"]:
        asked["verb"] += "."
    if "since" in chosen:
        asked["since"] = instant(answers.moment(chosen["since"], zone(), "since"))
    if "until" in chosen:
        end = answers.moment(chosen["until"], zone(), "until")
        asked["until"] = instant(end + timedelta(days=1) if len(chosen["until"]) == len("2026-03-10") else end)
    return asked


def _told(found: Sequence[AuditLine]) -> list[Told]:
    sentences = {line.seq: sentence(line.verb, line.subject, _worded(line)) for line in found}
    refs = {line.actor for line in found}.union(*(story.PERSON.findall(words) for words in sentences.values()))
    names = {ref: user.name for ref, user in users.by_refs(refs).items()}
    return [_line(line, sentences[line.seq], names) for line in found]


def _worded(line: AuditLine) -> dict[str, Any]:
    """The details, with the questions instead of the keys of facts."""
    details: dict[str, Any] = json.loads(line.details)
    if line.verb == "facts.recorded":
        known = vocabulary()
        details["keys"] = [
            str(said(known[key].label)).lower() if key in known else key for key in details.get("keys", ())
        ]
    return details


def _line(line: AuditLine, words: str, names: dict[str, str]) -> Told:
    details = tuple((key, verbs.spoken(value)) for key, value in json.loads(line.details).items())
    return Told(
        seq=line.seq,
        at=datetime.fromisoformat(line.at),
        who=names.get(line.actor) or story.BY_ITSELF.get(line.actor, line.actor),
        sentence=story.named(words, names),
        incident=line.incident,
        verb=line.verb,
        actor=line.actor,
        subject=line.subject,
        details=details,
        leaf=bytes(line.leaf).hex(),
    )


def _state() -> dict[str, Any]:
    """How long the record is, and how much of it is signed."""
    size, last = audit.head().size, rows.latest()
    signed = last.size if last else 0
    return {
        "size": size,
        "signed": signed,
        "at": datetime.fromisoformat(last.at) if last else None,
        "open": size - signed,
    }


@bp.get("/lines.csv")
@permit("timeline.view")
def table(incident: str) -> Response:
    """All lines about one incident as CSV, newest first."""
    return _table(incident, f"{incident}-record.csv")


@whole.get("/lines.csv", endpoint="table")
@permit("record.view")
def table_of_all() -> Response:
    """All lines as CSV, newest first."""
    return _table(None, "record.csv")


def _table(incident: str | None, name: str) -> Response:
    header = ("line", "time (UTC)", "actor", "verb", "subject", "incident", "details", "leaf hash")

    def lines() -> Iterator[tuple[Any, ...]]:
        before: int | None = None
        while found := audit.search(incident=incident, before_seq=before, limit=1_000):
            yield from (
                (x.seq, x.at, x.actor, x.verb, x.subject, x.incident or "", x.details, bytes(x.leaf).hex())
                for x in found
            )
            before = found[-1].seq

    return _download(csv.rows(header, lines()), name, "text/csv")


def _download(pieces: Iterator[str] | Iterator[bytes], name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(pieces), mimetype=kind, headers=headers)


class Turn(rows.Reading):
    """A check that takes one of the few turns while it reads; `busy` when there was none."""

    busy = False

    def __iter__(self) -> Iterator[int]:
        if not _CHECKS.acquire(blocking=False):
            self.busy = True
            return
        try:
            yield from super().__iter__()
        finally:
            _CHECKS.release()


@bp.get("/check")
@permit("timeline.view")
@named(Word("Check the record of this incident"))
def check(incident: str) -> ResponseReturnValue:
    """Read every line again and say what that proves; the page grows while it reads."""
    return _check(incident)


@whole.get("/check", endpoint="check")
@permit("record.view")
@named(Word("Check the whole record"))
def check_of_all() -> ResponseReturnValue:
    """The same, for those who look after the whole."""
    return _check(None)


def _check(incident: str | None) -> ResponseReturnValue:
    size = audit.head().size
    page = stream_template(
        "audit/check.html",
        layout="incidents/frame.html" if incident else "base.html",
        reading=Turn(rows.verify(every=max(1, size // STEPS), by=current_app.extensions["settings"].witnesses())),
        size=size,
        kept=len(rows.kept_outside()),
        place={"incident": incident} if incident else {},
    )
    return Response(page, mimetype="text/html")


@whole.get("/export")
@permit("record.export")
def export() -> Response:
    """The whole record as JSON lines, to be checked without this program."""
    return _download(rows.exported(), f"record-{now().astimezone(UTC):%Y%m%d-%H%M}.jsonl", "application/jsonl")


@bp.get("/checkpoint", endpoint="checkpoint")
@permit("timeline.view")
def checkpoint(incident: str) -> Response:
    """The newest checkpoint, to be kept elsewhere."""
    return _newest()


@whole.get("/checkpoint", endpoint="checkpoint")
@permit("record.view")
def checkpoint_of_all() -> Response:
    """The newest checkpoint, to be kept elsewhere."""
    return _newest()


def _newest() -> Response:
    newest = rows.latest()
    if newest is None:
        raise Missing("No checkpoint has been signed yet; one is signed every day and after each dispatch.")
    note = witnesses.complete(newest.note, newest.size)
    return _download(iter([note]), f"checkpoint-{newest.size}.txt", "text/plain")


@whole.get("/key")
@permit("member")
def key() -> Response:
    """The record's public keys, the one in force first, to be kept with the checkpoints."""
    keys = [row.key for row in reversed(record_keys.every())] or [rows.key()]
    return _download((f"{key}\n" for key in keys), "record-key.txt", "text/plain")


@bp.post("/checkpoint", endpoint="sign")
@permit("record.sign")
def sign(incident: str) -> ResponseReturnValue:
    """Sign the record as it stands."""
    return _sign({"incident": incident})


@whole.post("/checkpoint", endpoint="sign")
@permit("record.sign")
def sign_all() -> ResponseReturnValue:
    """Sign the record as it stands."""
    return _sign({})


def _sign(place: dict[str, Any]) -> ResponseReturnValue:
    size = actions.sign(actor=actor(), now=now())
    flash(f"Signed: the newest checkpoint covers all {size:,} lines. Keep a copy of it somewhere else.", "met")
    return redirect(url_for(".index", **place))
