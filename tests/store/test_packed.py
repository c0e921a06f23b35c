"""People given as one value read back as they were, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from incident.domain.people import Plain
from incident.store import packed, packing
from incident.store.db import db
from incident.store.imports import PersonImport
from incident.store.packing import PERSON, People
from incident.store.people import Person
from tests.builders import an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)

PLAIN = Plain("DE", "de", "email name", "adult", False, True, False, False, True, "")


@pytest.fixture
def where(app):
    incident = an_incident()
    words = {"name": "l", "sha256": "", "kind": "csv", "encoding": "", "delimiter": "", "state": "running"}
    row = PersonImport(
        ref="IMP-1", incident_id=incident.id, size=1, stored_as="", uploaded_at=NOW, uploaded_by="", **words
    )
    db.session.add(row)
    db.session.flush()
    return {"incident_id": incident.id, "import_id": row.id, "wave": 1, "state": "active"}


def people(count, kinds, first=1):
    plain = [tuple(PLAIN._replace(place=f"P{n}", doubts="'; \\ %s :x" if n else "")) for n in range(kinds)]
    boxes = [bytes([n % 256]) * (n % 300) for n in range(count)]
    entries, start = [], 0
    for n, box in enumerate(boxes):
        entries.append(PERSON % (n % kinds, first + n, n + 2, start, len(box), n.to_bytes(16, "big")))
        start += len(box)
    return People(plain, b"".join(entries), b"".join(boxes))


@pytest.mark.parametrize("kinds", [1, 2, 300, packing.MOST_KINDS])
def test_they_read_back_as_they_were_and_in_their_order(where, kinds):
    packed.insert(people(1_100, kinds), **where)
    found = db.session.scalars(select(Person).order_by(Person.id)).all()
    assert [person.number for person in found] == list(range(1, 1_101))
    for n, person in enumerate(found):
        assert (person.row_no, person.version, person.state, person.wave) == (n + 2, 1, "active", 1)
        assert (person.sealed, person.whole) == (bytes([n % 256]) * (n % 300), n.to_bytes(16, "big"))
        assert person.plain == PLAIN._replace(place=f"P{n % kinds}", doubts="'; \\ %s :x" if n % kinds else "")


def test_nobody_is_no_statement(where):
    packed.insert(People([], b"", b""), **where)
    assert db.session.scalars(select(Person)).all() == []


def test_what_was_packed_is_parted_again():
    given = people(40, 3, first=2**31 - 50)
    ones = list(packing.opened(given))
    assert [one.number for one in ones] == list(range(2**31 - 50, 2**31 - 10))
    assert [one.box for one in ones] == [bytes([n]) * n for n in range(40)]
    assert [(one.kind, one.row_no, one.whole) for one in ones][7] == (1, 9, (7).to_bytes(16, "big"))
