"""Bring a piece of evidence, hand it on, take a copy out: each move stands in its custody."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from incident.actions.ledger import transaction
from incident.domain import incidents as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.stale import demand_seen
from incident.store import files, searches
from incident.store import incidents as rows
from incident.store.db import db, new_ref, new_secret_ref
from incident.store.incidents import Custody, Evidence
from incident.store.sealed import sealer

LARGEST = 500 * 1024 * 1024
LONGEST_NAME = 200
MOST_A_DAY = 500
MOST_BYTES_A_DAY = 50 * 2**30


def bring(
    ref: str,
    source: IO[bytes],
    *,
    name: str,
    brought_by: str,
    description: str,
    folder: Path,
    actor: str,
    now: datetime,
) -> str:
    """Seal and keep a file as evidence; its reference. Raises Invalid, Missing; nothing is kept when it fails."""
    incident = rows.by_ref(ref)
    if incident is None:
        raise Missing()
    name = rules.line_of_text("name", _plain(name), LONGEST_NAME)
    holder = rules.line_of_text("brought_by", brought_by, LONGEST_NAME)
    stored_as = new_secret_ref()
    path = folder / stored_as
    _demand_room(actor, now)
    kept = files.keep(source, path, sealer(incident.id), stored_as, most=LARGEST)
    try:
        with transaction(actor, now) as ledger:
            piece = Evidence(
                ref=new_ref("EV"),
                incident_id=incident.id,
                name=name,
                description=description.replace("\x00", "").strip()[:500],
                sha256=kept.sha256,
                size=kept.size,
                stored_as=stored_as,
                brought_by=holder,
                added_at=now,
                added_by=actor,
            )
            db.session.add(piece)
            db.session.flush()
            _hand(piece, holder, "Brought in", actor, now)
            ledger.write("evidence.added", piece.ref, incident=ref, sha256=kept.sha256, size=kept.size)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return piece.ref


def _demand_room(actor: str, now: datetime) -> None:
    """Refuse more than one person may bring in a day: whoever fills the disk, stops everybody's work."""
    count, size = rows.brought_by(actor, since=now - timedelta(days=1))
    if count >= MOST_A_DAY or size >= MOST_BYTES_A_DAY:
        raise Invalid(
            "file", f"One person brings at most {MOST_A_DAY} files or {MOST_BYTES_A_DAY // 2**30} GiB in a day."
        )


def hand_on(
    ref: str, piece_ref: str, *, holder: str, reason: str, actor: str, now: datetime, seen: str | None = None
) -> None:
    """Record that the piece went to somebody else; `seen` is the mark of the last move. Raises Invalid, Missing, Stale."""
    holder = rules.line_of_text("holder", holder, LONGEST_NAME)
    reason = rules.line_of_text("reason", reason, 500)
    with transaction(actor, now) as ledger:
        piece = _piece(ref, piece_ref)
        last = rows.last_custody(piece.id)
        if last is not None:
            demand_seen(seen, last.id, versions={"In the hands of": (last.holder, holder)})
        _hand(piece, holder, reason, actor, now)
        ledger.write("evidence.moved", piece.ref, incident=ref)


def take_copy(
    ref: str, piece_ref: str, *, folder: Path, actor: str, now: datetime, despite: bool = False
) -> tuple[Evidence, Iterator[bytes]]:
    """The piece and its bytes, for download; the look leaves a line first. Raises Missing, Unreadable, Refused.

    In what malware was found is handed out only to whoever says that they know (`despite`).
    """
    with transaction(actor, now) as ledger:
        piece = _piece(ref, piece_ref)
        search = searches.latest([piece.id]).get(piece.id)
        bad = {"found": search.name} if search is not None and search.verdict == "found" else {}
        if bad and not despite:
            raise Refused(
                f"Malware was found in this piece ({bad['found']}). It is evidence, so it can still be downloaded: "
                "say on the evidence page that you know, and open it nowhere but on a machine made for that."
            )
        ledger.write("evidence.downloaded", piece.ref, incident=ref, sha256=piece.sha256, **bad)
    return piece, files.pieces(folder / piece.stored_as, sealer(piece.incident_id), piece.stored_as)


def _piece(ref: str, piece_ref: str) -> Evidence:
    incident = rows.by_ref(ref)
    piece = rows.piece(incident.id, piece_ref) if incident else None
    if piece is None:
        raise Missing()
    return piece


def _hand(piece: Evidence, holder: str, reason: str, actor: str, now: datetime) -> None:
    db.session.add(Custody(evidence_id=piece.id, holder=holder, reason=reason, moved_at=now, recorded_by=actor))


def _plain(name: str) -> str:
    """The file's own name, without folders and control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())
