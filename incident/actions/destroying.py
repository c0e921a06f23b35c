"""What is destroyed when somebody is erased: rows emptied, keys destroyed, files to take away; counted for the certificate.

Call inside a transaction; the files go after it, when nothing can bring them back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import delete, func, select, update

from incident.actions import people
from incident.domain.erasures import INCIDENT_STAYS, PERSON_GOES, PERSON_STAYS, Gone
from incident.domain.imports import State as Standing
from incident.domain.letters import Stage
from incident.domain.people import State
from incident.store import enquiries, holdings, pieces, remedies, repeats, unsent, words
from incident.store import people as rows
from incident.store.db import db
from incident.store.imports import PersonImport
from incident.store.incidents import Incident
from incident.store.letters import LetterBatch
from incident.store.people import Person
from incident.store.sealed import Sealer

PLAIN_WORDS: Final = (
    ("incident", {"title": words.GONE}),
    ("finding", {"note": "", "reference": ""}),
    ("person_import", {"name": words.GONE, "trouble": ""}),
    ("lesson", {"title": words.GONE}),
    ("wave", {"label": ""}),
)
"""Words that stand in clear, since rules and lists read them by themselves; erasing writes over them."""
SEALED_BY_KEY: Final = (
    ("person", "contact records of people"),
    ("person_past", "earlier forms of contact records"),
    ("person_refusal", "refused rows of lists"),
    ("sandbox_message", "messages kept by the sandbox"),
    ("call_attempt", "notes on calls"),
    ("delivery_remark", "remarks on deliveries"),
    ("enquiry", "who asked, and how they can be reached"),
    ("enquiry_message", "what was asked and answered"),
    ("remedy_code", "codes of remedies"),
)

OF_THE_HOUSE: Final = (
    ("unsent_form", "forms about the incident that had arrived after a session had ended"),
    ("repeat", "answers that were kept for programs, in case they ask again"),
)
OF_REPORTS: Final = (
    ("tip", "reports from outside, each with its key"),
    ("tip_message", "what was written about them since"),
    ("tip_file", "files that came with them"),
)


@dataclass
class Destroyed:
    """What went, what stays with how many rows, and the names of files still to be taken away."""

    gone: list[Gone] = field(default_factory=list)
    stays: list[tuple[str, str, int | None]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def take_away(self, folder: Path) -> None:
        """Take the files away; one that is not there any more is as well."""
        for name in filter(None, self.files):
            (folder / name).unlink(missing_ok=True)


def person(one: Person, key: Sealer) -> Destroyed:
    """Empty one person's record, with all that leads back to it."""
    marks = people.marks_of(key, people.record_of(key, one))
    counts = {"person": 1, "person_past": len(rows.past(one.id)), "person_mark": len(marks)}
    done = Destroyed()
    _empty(one, key, marks)
    counts["sandbox_message"] = _sandbox_of(one)
    counts["remedy_code"] = remedies.forget_person(one.incident_id, one.number)
    counts["enquiry"] = enquiries.forget_person(one.incident_id, one.number)
    lists_, printed = _lists_of(one), _letters_of(one)
    done.files = [*lists_, *printed]
    counts |= {"person_import": len(lists_), "letter_batch": len(printed), **_left_behind(one.incident_id)}
    done.gone = [Gone(table, f"{what}: {rest}", counts[table]) for table, what, rest in PERSON_GOES if counts[table]]
    done.stays = [(table, what, None) for table, what in PERSON_STAYS]
    return done


def _left_behind(incident_id: int) -> dict[str, int]:
    """Take out what may still say it under the key of the house: forms that came late, answers kept for programs."""
    ref = db.session.scalar(select(Incident.ref).where(Incident.id == incident_id)) or ""
    return {"unsent_form": unsent.forget_about(ref), "repeat": repeats.empty()}


def _empty(one: Person, key: Sealer, marks: list[bytes]) -> None:
    plain = one.plain._replace(has_email=False, has_phone=False, has_address=False, has_push=False, doubts="")
    rows.move(one, state=State.ERASED, plain=plain)
    one.sealed = one.whole = b""
    one.version += 1
    rows.forget_past(one.id)
    people.give_up(one.incident_id, key, one.number, marks)
    if one.import_id is not None:
        pieces.forget(one.import_id, one.number)


def _sandbox_of(one: Person) -> int:
    table = db.metadata.tables["sandbox_message"]
    mine = (table.c.incident_id == one.incident_id) & (table.c.person_number == one.number)
    number = db.session.scalar(select(func.count()).select_from(table).where(mine)) or 0
    db.session.execute(delete(table).where(mine))
    return number


def _lists_of(one: Person) -> list[str]:
    """The file of the list by which this person came, once it was taken in; by a twin they may stand in another."""
    ids = {one.import_id}
    for pair in rows.pairs_of(one.incident_id, one.number):
        twins = rows.by_numbers(one.incident_id, [pair.number, pair.twin])
        ids |= {twin.import_id for twin in twins.values()}
    found = db.session.scalars(select(PersonImport).where(PersonImport.id.in_(filter(None, ids))))
    return list(forget_lists(row for row in found if row.state in (Standing.DONE, Standing.FAILED, Standing.WITHDRAWN)))


def forget_lists(brought: Iterable[PersonImport]) -> Iterable[str]:
    """Note that the files of these lists are no more; their names in the folder."""
    for row in brought:
        if row.stored_as:
            yield row.stored_as
            row.stored_as = ""


def _letters_of(one: Person) -> list[str]:
    letter, delivery = db.metadata.tables["letter"], db.metadata.tables["delivery"]
    mine = select(letter.c.batch_id).join(delivery, delivery.c.id == letter.c.delivery_id)
    batches = select(LetterBatch).where(LetterBatch.id.in_(mine.where(delivery.c.person_id == one.id)))
    ended = batches.where(LetterBatch.stage.in_((Stage.POSTED, Stage.DROPPED)))
    return list(forget_letters(db.session.scalars(ended)))


def forget_letters(batches: Iterable[LetterBatch]) -> Iterable[str]:
    """Note that the print files of these batches are no more; their names in the folder."""
    for batch in batches:
        yield from (file["stored_as"] for file in batch.files if file["stored_as"])
        batch.files = [file | {"stored_as": ""} for file in batch.files]


def incident(one: Incident) -> Destroyed:
    """Count what goes with the key of an incident, and write over the words in clear. The key itself is the caller's."""
    done = Destroyed([Gone("data_key", "the key of the incident, by which all that follows was sealed", 1)])
    for table, what in SEALED_BY_KEY:
        done.gone.append(Gone(table, what, _sealed(table, one.id)))
    for table in sorted(words.KEPT):
        done.gone.append(Gone(table, f"words: {', '.join(words.KEPT[table].names)}", _sealed(table, one.id)))
    done.gone.append(Gone("person_mark", "blind indexes", holdings.counted("person_mark", one.id)))
    left = _left_behind(one.id)
    done.gone += [Gone(table, what, left[table]) for table, what in OF_THE_HOUSE]
    done.gone.append(_evidence(one.id))
    for table, what in OF_REPORTS:
        done.gone.append(Gone(table, what, _sealed(table, one.id)))
    brought = db.session.scalars(select(PersonImport).where(PersonImport.incident_id == one.id))
    batches = db.session.scalars(select(LetterBatch).where(LetterBatch.incident_id == one.id))
    done.files = [*forget_lists(brought), *forget_letters(batches), *_pieces(one.id)]
    db.session.flush()
    done.gone.append(Gone("files", "lists, print files and evidence as files", len(done.files)))
    rows.drop_marks(one.id)
    for table, values in PLAIN_WORDS:
        _write_over(table, values, one.id)
        done.gone.append(Gone(table, f"words in clear: {', '.join(values)}", holdings.held_of(table, one.id)))
    done.gone = [gone for gone in done.gone if gone.count]
    done.stays = [(table, what, _number(table, one)) for table, what in INCIDENT_STAYS]
    return done


def _number(table: str, one: Incident) -> int | None:
    return None if table == "audit_line" else holdings.held_of(table, one.id)


def _sealed(table: str, incident_id: int) -> int:
    return holdings.held_of(table, incident_id, only_sealed=True)


def _pieces(incident_id: int) -> list[str]:
    table = db.metadata.tables["evidence"]
    return list(db.session.scalars(select(table.c.stored_as).where(table.c.incident_id == incident_id)))


def _evidence(incident_id: int) -> Gone:
    table = db.metadata.tables["evidence"]
    found = db.session.scalars(select(table.c.sha256).where(table.c.incident_id == incident_id).order_by(table.c.id))
    digests = tuple(found)
    return Gone("evidence", "pieces of evidence", len(digests), digests)


def _write_over(table: str, values: dict[str, str], incident_id: int) -> None:
    of = db.metadata.tables[table]
    mine = of.c.id == incident_id if table == "incident" else of.c.incident_id == incident_id
    db.session.execute(update(of).where(mine).values(**values))
