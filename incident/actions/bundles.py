"""Everything about one incident in one file, which anybody can check alone: data, documents, evidence, and its lines.

The files are listed in a manifest, a line of the record speaks of the manifest, a checkpoint is signed over that line, and
an excerpt of the record up to this checkpoint goes in last (docs/record.md, "The bundle of one incident").
"""

import json
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final, cast
from zoneinfo import ZoneInfo

from incident.actions import checkpoints, summaries
from incident.actions.ledger import instant, transaction
from incident.domain.audit import BUNDLE_FORMAT, BUNDLED, EXCERPT, MANIFEST, canonical
from incident.domain.dossier import Company
from incident.domain.errors import Missing
from incident.domain.privilege import QUOTING, Kind, Marked, unquoted
from incident.store import checkpoints as signed
from incident.store import files, holdings, improvements, incidents, privilege, reports
from incident.store.db import db
from incident.store.incidents import Evidence, Incident
from incident.store.sealed import Erased, Sealer, Unreadable, sealer

MIME: Final = "application/zip"
PIECE: Final = 256 * 1024

READ_ME: Final = """\
{ref}: everything that Tocsin holds of this incident, as of {at}.

summary.pdf   what happened, what was owed, what was done, who was told
data/         every row of the database about it, one file a table, JSON lines; docs/data-map.md names the tables
reports/      the reports that were filed, as they were filed
evidence/     the pieces of evidence, each under its reference; data/evidence.jsonl says what they are
record/       its lines of the record, with all that is needed to check them
manifest.json every file with its size and SHA-256, and what was left out and why

To check that nothing was changed, added or taken away, with Python 3.11 or newer and nothing else:

    python audit.py THIS_FILE.zip --checkpoint CHECKPOINT.txt --key KEY

audit.py is incident/domain/audit.py of Tocsin; it needs nothing else of it. CHECKPOINT.txt is a checkpoint of the record
that was kept elsewhere, KEY the record's public key as you know it. Without them the check still finds every change
that was made after the bundle was signed by somebody who does not hold the key, and says what it does not prove.
"""


@dataclass
class Sink:
    """Where the zip is written to: what came in is handed on in pieces, never kept."""

    kept: bytearray = field(default_factory=bytearray)

    def write(self, piece: bytes) -> int:
        """Take bytes."""
        self.kept += piece
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        """What came in since the last time."""
        piece = bytes(self.kept)
        self.kept.clear()
        return piece


@dataclass
class Packing:
    """A zip in the making, with the list of what is in it."""

    at: datetime
    sink: Sink = field(default_factory=Sink)
    listed: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the zip."""
        self.zip = zipfile.ZipFile(cast(IO[bytes], self.sink), "w", zipfile.ZIP_DEFLATED)

    def add(self, path: str, pieces: Iterable[bytes], *, listed: bool = True) -> Iterator[bytes]:
        """Put a file in; what can be handed on meanwhile."""
        digest, size = sha256(), 0
        with self.zip.open(zipfile.ZipInfo(path, self.at.timetuple()[:6]), "w", force_zip64=True) as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
                if len(self.sink.kept) > PIECE:
                    yield self.sink.taken()
        yield self.sink.taken()
        if listed:
            self.listed.append({"bytes": size, "path": path, "sha256": digest.hexdigest()})

    def leave_out(self, what: str, why: str, rows: int) -> None:
        """Say that something is not in the bundle."""
        if rows:
            self.left_out.append({"number": len(self.left_out) + 1, "reason": why, "rows": rows, "what": what})


def begun(
    ref: str,
    *,
    company: Company,
    zone: ZoneInfo,
    folder: Path,
    privileged: bool = False,
    actor: str,
    clock: Callable[[], datetime],
) -> Iterator[bytes]:
    """The bundle as pieces of a zip; that it was asked for stands in the record first. Raises Missing.

    `folder` holds the sealed files. What is marked as privileged stays out, listed by number, unless `privileged` takes it
    along. The zip is whole only when the last piece was taken.
    """
    with transaction(actor, clock()) as ledger:
        if incidents.by_ref(ref) is None:
            raise Missing()
        ledger.write("incident.bundle_begun", ref, incident=ref, privileged=privileged)
    return _pieces(ref, company, zone, folder, privileged, actor, clock)


def _pieces(
    ref: str,
    company: Company,
    zone: ZoneInfo,
    folder: Path,
    privileged: bool,
    actor: str,
    clock: Callable[[], datetime],
) -> Iterator[bytes]:
    at = clock().astimezone(UTC)
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing()
    withheld = () if privileged else tuple(privilege.current(incident.id))
    packing = Packing(at)
    yield from packing.add("README.txt", [READ_ME.format(ref=ref, at=instant(at)).encode()])
    summary = summaries.MAKERS["pdf"](summaries.told(ref, company, zone, at, privileged=privileged), "en")
    yield from packing.add("summary.pdf", [summary])
    yield from _data(packing, incident, Withheld.of(incident, withheld))
    yield from _reports(packing, incident)
    yield from _evidence(packing, incident, folder, privilege.items(withheld, Kind.EVIDENCE))
    for one in withheld:
        packing.leave_out(f"{one.kind} {one.item}", f"privileged: {one.basis} ({one.ref})", 1)
    packing.listed.sort(key=lambda one: str(one["path"]))
    manifest = _manifest(packing, incident).encode()
    yield from packing.add(MANIFEST, [manifest], listed=False)
    files_ = len(packing.listed)
    db.session.rollback()
    with transaction(actor, clock()) as ledger:
        ledger.write(BUNDLED, ref, incident=ref, files=files_, manifest=sha256(manifest).hexdigest())
    checkpoints.sign(actor=actor, now=clock())
    yield from packing.add(EXCERPT, signed.excerpt(signed.about(ref)), listed=False)
    packing.zip.close()
    yield packing.sink.taken()


def _manifest(packing: Packing, incident: Incident) -> str:
    return canonical(
        {
            "files": packing.listed,
            "format": BUNDLE_FORMAT,
            "incident": incident.ref,
            "kind": incident.kind,
            "left_out": packing.left_out,
            "made_at": instant(packing.at),
        }
    )


OF_REVIEWS: Final = ("review", "review_meeting", "review_moment", "improvement", "lesson")
"""Tables with what a review says; all of it stays out where the review is privileged."""


@dataclass(frozen=True)
class Withheld:
    """The rows that stay out because what they hold is privileged: by table, the column and its values."""

    rows: Mapping[str, tuple[str, frozenset[Any]]]

    @classmethod
    def of(cls, incident: Incident, marked: Collection[Marked]) -> "Withheld":
        """Those of these marks, with what belongs to a marked thing."""
        of = {kind: privilege.items(marked, kind) for kind in Kind}
        pieces = frozenset(row.id for row in incidents.evidence(incident.id) if row.ref in of[Kind.EVIDENCE])
        review = frozenset({incident.id}) if of[Kind.REVIEW] else frozenset()
        changes = frozenset(row.id for row in improvements.of_incident(incident.id)) if review else frozenset()
        return cls(
            {
                "improvement_event": ("improvement_id", changes),
                "custody": ("evidence_id", pieces),
                "evidence": ("ref", of[Kind.EVIDENCE]),
                "fact": ("key", of[Kind.FACT]),
                "note": ("ref", of[Kind.NOTE]),
                "report": ("ref", of[Kind.REPORT]),
                **{table: ("incident_id", review) for table in OF_REVIEWS},
            }
        )

    @property
    def facts(self) -> frozenset[Any]:
        """The facts that are privileged."""
        return self.rows["fact"][1]

    def told(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row that goes along, without what would tell a privileged fact."""
        return unquoted(table, row, self.facts)

    def takes(self, table: str, row: Mapping[str, Any]) -> bool:
        """Whether this row stays out."""
        column, values = self.rows.get(table, ("", frozenset()))
        return bool(values) and row[column] in values


def _data(packing: Packing, incident: Incident, withheld: Withheld) -> Iterator[bytes]:
    """Every row about the incident, a file a table."""
    id_ = incident.id
    held = {table: holdings.held_of(table, id_) for table in QUOTING}
    for table in sorted(holdings.HELD):
        rows = (_row(withheld.told(table, row)) for row in holdings.rows(table, id_) if not withheld.takes(table, row))
        yield from packing.add(f"data/{table}.jsonl", rows)
    for table, (_, why) in sorted(holdings.LEFT_OUT.items()):
        packing.leave_out(table, why, holdings.counted(table, id_))
    for table in sorted(QUOTING) if withheld.facts else ():
        packing.leave_out(f"{table}: reasons and times", "they may tell a fact that is privileged", held[table])


def _row(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "backslashreplace")


def _reports(packing: Packing, incident: Incident) -> Iterator[bytes]:
    """The filed reports, byte for byte."""
    for report in reports.filed(incident.id):
        for kept in reports.files(report.id):
            yield from packing.add(f"reports/{report.ref}.{kept.kind}", [kept.content])
            db.session.expunge(kept)


def _evidence(packing: Packing, incident: Incident, folder: Path, withheld: frozenset[str]) -> Iterator[bytes]:
    """The evidence as it was brought; what was erased or cannot be read is said to be left out."""
    pieces = [piece for piece in incidents.evidence(incident.id) if piece.ref not in withheld]
    try:
        opener = sealer(incident.id) if pieces else None
    except Erased:
        packing.leave_out("evidence", "erased", len(pieces))
        return
    for piece in reversed(pieces):
        if opener is not None:
            yield from _piece(packing, piece, opener, folder)


def _piece(packing: Packing, piece: Evidence, opener: Sealer, folder: Path) -> Iterator[bytes]:
    if not _is_readable(piece, opener, folder):
        packing.leave_out(f"evidence {piece.ref}", "the kept file cannot be read", 1)
        return
    yield from packing.add(f"evidence/{piece.ref}", files.pieces(folder / piece.stored_as, opener, piece.stored_as))


def _is_readable(piece: Evidence, opener: Sealer, folder: Path) -> bool:
    """Whether the kept file is whole and what it was: it is read once before it goes in."""
    digest = sha256()
    try:
        for part in files.pieces(folder / piece.stored_as, opener, piece.stored_as):
            digest.update(part)
    except (OSError, Unreadable):
        return False
    return digest.hexdigest() == piece.sha256
