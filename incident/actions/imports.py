"""Bring a list of affected people: upload, say what its columns mean, take it in batch by batch, or take it back.

A batch is one transaction: its people, its refused rows, the counters and the place reached in the file. A process that
dies leaves a whole number of batches; the next one goes on behind them, and a fence keeps the first from coming back.
Nobody of a list counts, or is told, before all of it was read and compared (`actions/comparing.py`).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO, Final

import structlog
from sqlalchemy.exc import OperationalError

from incident.actions import apart, assessment, comparing, contacts
from incident.actions.batches import Batch, List, Maker, ahead, compact
from incident.actions.comparing import Claim, Overtaken
from incident.actions.ledger import Ledger, transaction
from incident.actions.pipes import Gone
from incident.actions.sheaves import Gatherer
from incident.domain import columns
from incident.domain import imports as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.imports import Reading, Reason, State, Step
from incident.domain.people import State as Standing
from incident.store import files, incidents, packed, pieces, tables
from incident.store import imports as rows
from incident.store import people as registry
from incident.store.db import db, new_ref, new_secret_ref
from incident.store.imports import PersonImport, Refusal
from incident.store.incidents import Incident
from incident.store.pieces import Kind
from incident.store.sealed import Erased, Sealer, Unreadable, is_erased, sealer
from incident.store.tables import Form

log = structlog.get_logger()

LARGEST: Final = 500 * 1024 * 1024
SHOWN: Final = 8
LONGEST_NAME: Final = 200
LONGEST_LABEL: Final = 80
DEFECT: Final = "A defect of ours stopped this import; the log says which."


@dataclass(frozen=True)
class Preview:
    """The first rows of a list and what we take its columns for, so that a person can say whether it is so."""

    form: Form
    has_header: bool
    headers: tuple[str, ...]
    guesses: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strange: int

    @property
    def width(self) -> int:
        """How many columns the list has."""
        return len(self.headers)


def upload(ref: str, source: IO[bytes], *, name: str, folder: Path, actor: str, now: datetime) -> str:
    """Keep a list sealed, to be mapped; the import's reference. Raises Invalid, Missing; nothing is kept when it fails."""
    incident = _incident(ref)
    stored_as, key = new_secret_ref(), sealer(incident.id)
    kept = files.keep(source, folder / stored_as, key, stored_as, most=LARGEST)
    try:
        form = tables.sniffed(files.opened(folder / stored_as, key, stored_as))
        with transaction(actor, now) as ledger:
            row = PersonImport(
                ref=new_ref("IMP"),
                incident_id=incident.id,
                name=_plain_name(name),
                size=kept.size,
                sha256=kept.sha256,
                stored_as=stored_as,
                kind=form.kind,
                encoding=form.encoding,
                delimiter=form.delimiter,
                state=State.MAPPING,
                uploaded_at=now,
                uploaded_by=actor,
            )
            db.session.add(row)
            ledger.write("list.uploaded", row.ref, incident=ref, sha256=kept.sha256, size=kept.size, kind=form.kind)
    except BaseException:
        (folder / stored_as).unlink(missing_ok=True)
        raise
    return row.ref


def preview(
    ref: str, import_ref: str, *, folder: Path, form: Form | None = None, has_header: bool | None = None, actor: str
) -> Preview:
    """The first rows as this form reads them. Raises Refused for anybody but the one who brought the list."""
    row = _import(_incident(ref), import_ref)
    rules.must_be(row.state, State.MAPPING)
    if row.uploaded_by != actor:
        raise Refused(
            "Only the person who brought this list sees its rows. Ask them to go on, or bring the list again."
        )
    return _previewed(row, folder, tables.checked_form(form or _form(row)), has_header)


def _previewed(row: PersonImport, folder: Path, form: Form, has_header: bool | None) -> Preview:
    stream = files.opened(folder / row.stored_as, sealer(row.incident_id), row.stored_as)
    head = [line.cells for line in islice(tables.rows(stream, form), SHOWN + 1)]
    first = head[0] if head else []
    if not first or len(first) > rules.MOST_COLUMNS:
        raise Invalid("file", f"The first row has {len(first)} columns; a list has 1 to {rules.MOST_COLUMNS}.")
    headed = columns.looks_like_header(first) if has_header is None else has_header
    headers = [columns.cleaned(cell) for cell in first] if headed else [f"Column {n}" for n in range(1, len(first) + 1)]
    shown = head[1:] if headed else head
    guesses = columns.guessed(headers) if headed else [columns.LEAVE_OUT] * len(first)
    strange = sum(rules.REPLACED in cell for cells in head for cell in cells)
    return Preview(
        form, headed, tuple(headers), tuple(guesses), tuple(tuple(cells[: len(first)]) for cells in shown), strange
    )


def start(
    ref: str,
    import_ref: str,
    reading: Reading,
    *,
    form: Form,
    has_header: bool,
    wave: int,
    wave_label: str = "",
    folder: Path,
    actor: str,
    now: datetime,
) -> None:
    """Take the list in, in the background, by this mapping; wave 0 opens a new one. Raises Invalid, Refused, Missing."""
    incident = _incident(ref)
    row = _import(incident, import_ref)
    rules.must_be(row.state, State.MAPPING)
    tables.checked_form(form)
    reading = rules.checked(reading, _previewed(row, folder, form, has_header).width)
    height = tables.height(files.opened(folder / row.stored_as, sealer(row.incident_id), row.stored_as), form)
    with transaction(actor, now) as ledger:
        row = _import(incident, import_ref)
        rules.must_be(row.state, State.MAPPING)
        row.wave = _wave(row.incident_id, wave, wave_label, now)
        row.kind, row.encoding, row.delimiter, row.has_header = form.kind, form.encoding, form.delimiter, has_header
        row.reading, row.height, row.state = reading.to_json(), height, State.WAITING
        ledger.write(
            "list.import_started", row.ref, incident=ref, wave=row.wave, mapping=_digest(compact(row.reading).encode())
        )
        ledger.soon("people.import", row.ref)


def _wave(incident_id: int, number: int, label: str, now: datetime) -> int:
    if number == 0:
        label = columns.cleaned(label)
        if len(label) > LONGEST_LABEL:
            raise Invalid("wave_label", f"At most {LONGEST_LABEL} characters.")
        return registry.new_wave(incident_id, label, now=now)
    if number not in {known.number for known in registry.waves(incident_id)}:
        raise Invalid("wave", "Choose a wave of this incident, or a new one.")
    return number


def due(now: datetime) -> list[str]:
    """References of the imports to do: those that wait, and those whose worker is gone."""
    return list(rows.to_do(now))


def run(import_ref: str, *, folder: Path, clock: Callable[[], datetime]) -> None:
    """Take in one list from where it stands to its end. Safe to call again after any interruption."""
    claim = _claim(import_ref, clock())
    if claim is None:
        return
    try:
        _take_in(claim, folder, clock)
    except Overtaken:
        return
    except OperationalError:
        raise  # the database was busy or away: the lease ends, and somebody goes on
    except Exception:
        with suppress(Overtaken):
            _stop(claim, clock())
        raise


def _claim(import_ref: str, now: datetime) -> Claim | None:
    with transaction("system", now) as ledger:
        row = rows.claim(import_ref, now=now)
        if row is None:
            ledger.unchanged()
            return None
        ref = _incident_ref(row.incident_id)
        ledger.write("list.import_claimed", row.ref, incident=ref, fence=row.fence, after_row=row.cursor)
    return Claim(row.ref, ref, row.fence, row.id)


def _take_in(claim: Claim, folder: Path, clock: Callable[[], datetime]) -> None:
    """Read on, compare, and let its people count. Where a list cannot be read to its end, that is what it is up to there."""
    defect: Exception | None = None
    row = rows.anywhere(claim.import_ref)
    if row is not None and row.step == Step.READING:
        trouble = ""
        try:
            _read(row, claim, folder, clock)
        except (Overtaken, OperationalError):
            raise
        except (Invalid, Unreadable, Erased, FileNotFoundError) as error:
            trouble = _sentence(error)
        except Exception as error:
            trouble, defect = DEFECT, error
        _turn(claim, trouble, clock())
    comparing.compare(claim, clock)
    _end(claim, clock())
    if defect is not None:
        raise defect


def _read(row: PersonImport, claim: Claim, folder: Path, clock: Callable[[], datetime]) -> None:
    key = sealer(row.incident_id)
    reader = rules.Reader(Reading.from_json(row.reading), contacts.JUDGE, clock().date())
    maker = Maker(List(row.ref, row.bits), key, registry.next_number(row.incident_id))
    for batch in _batches(row, folder, reader, maker):
        _keep(claim, batch, maker, clock())


def _batches(row: PersonImport, folder: Path, reader: rules.Reader, maker: Maker) -> Iterator[Batch]:
    """The rows behind the place reached, ready to be kept, some thousand at a time: made apart where that is quicker."""
    reached, key, keys = max(row.cursor, 1 if row.has_header else 0), maker.key, maker.key.handed_over()
    if keys is not None and apart.is_worth_it(row.size):
        job = apart.Job(
            path=str(folder / row.stored_as),
            stored_as=row.stored_as,
            keys=keys,
            reading=row.reading,
            form=(row.kind, row.encoding, row.delimiter),
            reached=reached,
            ref=row.ref,
            bits=row.bits,
            first=maker.first,
            today=reader.today.isoformat(),
        )
        try:
            for batch in ahead(apart.made(job)):
                reached = batch.last_row
                yield batch
        except Gone:
            log.warning("import.read_on_here", list=row.ref)
            maker.first = registry.next_number(row.incident_id)
        else:
            return
    stream = files.opened(folder / row.stored_as, key, row.stored_as)
    lines = (line for line in tables.rows(stream, _form(row)) if line.number > reached)
    yield from ahead(maker.batches(Gatherer(maker.of, key, reader).sheaves(lines, stream)))


def _keep(claim: Claim, batch: Batch, maker: Maker, now: datetime) -> None:
    """Keep a batch with its line. Raises Overtaken, and nothing was kept."""
    with transaction("system", now) as ledger:
        row = claim.row(now)
        if is_erased(row.incident_id):
            raise Erased
        _insert(row, batch, maker)
        rows.refuse(row.id, batch.refused)
        _advance(row, batch)
        ledger.write(
            "list.batch_read",
            row.ref,
            incident=claim.incident,
            to_row=batch.last_row,
            taken=batch.taken,
            refused=len(batch.refused),
            empty=batch.empty,
            digest=batch.digest,
        )


def _insert(row: PersonImport, batch: Batch, maker: Maker) -> None:
    """Add people; their marks and how many are alike wait to be compared."""
    if not batch.taken:
        return
    first = registry.take_numbers(row.incident_id, batch.taken)
    if first != batch.first:
        batch = maker.renumbered(batch, first)
    packed.insert(
        batch.people, incident_id=row.incident_id, import_id=row.id, wave=row.wave, state=Standing.ACTIVE.value
    )
    pieces.keep(row.id, Kind.MARKS, batch.last_row, batch.marks)
    alike = Counter({(row.wave, Standing.ACTIVE, plain): n for plain, n in batch.tally().items()})
    comparing.note(row, batch.last_row, alike)


def _advance(row: PersonImport, batch: Batch) -> None:
    row.cursor, row.position = batch.last_row, batch.position
    row.rows += batch.rows
    row.taken += batch.taken
    row.refused += len(batch.refused)
    row.empty += batch.empty
    row.doubtful += batch.doubtful
    rules.add_up(row.rows, (row.taken, row.suspects, row.refused, row.empty))


def _turn(claim: Claim, trouble: str, now: datetime) -> None:
    """Everything was read, or as much as can be."""
    with transaction("system", now) as ledger:
        row = claim.row(now)
        row.step, row.trouble = Step.COMPARING, trouble
        row.position = row.position if trouble else row.size
        ledger.write("list.read", row.ref, incident=claim.incident, to_row=row.cursor)


def _end(claim: Claim, now: datetime) -> None:
    """The people of this list are on the list of the incident from now on, or may be there already. Raises Overtaken."""
    alike = comparing.noted(claim.import_id)
    with transaction("system", now) as ledger:
        row = claim.row(now)
        registry.count(alike)
        pieces.drop(row.id)
        row.step, row.state, row.ended_at = Step.SETTLED, State.FAILED if row.trouble else State.DONE, now
        verb = "list.import_failed" if row.trouble else "list.import_done"
        _write_totals(ledger, verb, row, claim.incident)
        incident = incidents.by_ref(claim.incident)
        if incident is not None:
            assessment.refresh_for(incident, row.wave, ledger, now)


def _stop(claim: Claim, now: datetime) -> None:
    """A defect of ours kept it from being compared: nobody of it counts, or is told."""
    with transaction("system", now) as ledger:
        row = claim.row(now)
        row.state, row.trouble, row.ended_at = State.FAILED, DEFECT, now
        _write_totals(ledger, "list.import_failed", row, claim.incident)


def _write_totals(ledger: Ledger, verb: str, row: PersonImport, ref: str) -> None:
    ledger.write(
        verb,
        row.ref,
        incident=ref,
        rows=row.rows,
        taken=row.taken,
        suspects=row.suspects,
        refused=row.refused,
        empty=row.empty,
    )


def withdraw(ref: str, import_ref: str, *, folder: Path, actor: str, now: datetime) -> None:
    """Drop a list that was not taken in yet, with its file. Raises Refused, Missing."""
    incident = _incident(ref)
    with transaction(actor, now) as ledger:
        row = _import(incident, import_ref)
        rules.must_be(row.state, State.MAPPING, State.WAITING)
        row.state, row.ended_at = State.WITHDRAWN, now
        ledger.write("list.withdrawn", row.ref, incident=ref)
    (folder / row.stored_as).unlink(missing_ok=True)


def refused(ref: str, import_ref: str, *, actor: str, now: datetime) -> Iterator[Sequence[str | int]]:
    """The refused rows as a table: row number, why, and the row's cells. The look leaves a line. Raises Missing, Erased."""
    incident = _incident(ref)
    with transaction(actor, now) as ledger:
        row = _import(incident, import_ref)
        ledger.write("list.refused_seen", row.ref, incident=ref, refused=row.refused)
    key, width = sealer(row.incident_id), len(row.reading.get("targets", ()))
    return _refused_table(row, key, width)


def _refused_table(row: PersonImport, key: Sealer, width: int) -> Iterator[Sequence[str | int]]:
    yield ("row", "why", *(f"column {n}" for n in range(1, width + 1)))
    after = 0
    while found := rows.refusals(row.id, after=after):
        for refusal in found:
            yield (refusal.row_no, _why(refusal), *_opened_row(key, row, refusal))
        after = found[-1].row_no


def _why(refusal: Refusal) -> str:
    return " ".join(rules.REASON_WORDS[Reason(word)] for word in refusal.reasons.split())


def _opened_row(key: Sealer, row: PersonImport, refusal: Refusal) -> list[str]:
    cells: list[str] = json.loads(key.unseal(f"person_refusal.sealed:{row.ref}:{refusal.row_no}", refusal.sealed))
    return cells


def get(ref: str, import_ref: str) -> PersonImport:
    """One import of this incident. Raises Missing."""
    return _import(_incident(ref), import_ref)


def of(ref: str) -> Sequence[PersonImport]:
    """The imports of this incident, newest first."""
    return rows.of(_incident(ref).id)


def reasons(ref: str, import_ref: str) -> list[tuple[str, int]]:
    """Why rows were refused, in words, with how many; most first."""
    found = rows.reasons(get(ref, import_ref).id)
    sentences = [
        (" ".join(rules.REASON_WORDS[Reason(word)] for word in words.split()), n) for words, n in found.items()
    ]
    return sorted(sentences, key=lambda pair: -pair[1])


def _incident(ref: str) -> Incident:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing
    return incident


def _incident_ref(incident_id: int) -> str:
    incident = db.session.get(Incident, incident_id)
    if incident is None:
        raise Missing
    return incident.ref


def _import(incident: Incident, import_ref: str) -> PersonImport:
    row = rows.by_ref(incident.id, import_ref)
    if row is None:
        raise Missing
    return row


def _form(row: PersonImport) -> Form:
    return Form(row.kind, row.encoding, row.delimiter)


def _sentence(error: Exception) -> str:
    return (
        error.sentence if isinstance(error, Refused) else "The uploaded file is no longer there. Bring the list again."
    )


def _plain_name(name: str) -> str:
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return columns.cleaned(last)[:LONGEST_NAME] or "list"


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
