"""The bundle of an incident: whole, bound to the record, telling nothing about others, found out when touched."""

import io
import json
import struct
import zipfile
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from incident.actions import bundles, evidence
from incident.domain import audit
from incident.domain.dossier import Company
from incident.domain.errors import Missing
from incident.store import checkpoints, holdings
from incident.store.db import db
from incident.store.letters import LetterBatch
from tests.actions.waves import LEAD, NOW, a_story
from tests.builders import an_incident
from tests.full_house import a_full_house
from tests.record import lines, verbs
from tests.test_data_map import tables


@pytest.fixture(autouse=True)
def _own_folder(app, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path / "checkpoints")


def made(ref, folder):
    pieces = bundles.begun(
        ref, company=Company("Example Ltd"), zone=ZoneInfo("UTC"), folder=folder, actor=LEAD, clock=lambda: NOW
    )
    return b"".join(pieces)


def told(folder, people=3):
    story = a_story(people)
    story.start()
    story.work()
    evidence.bring(
        story.incident.ref,
        io.BytesIO(b"a log line\n" * 1000),
        name="access.log",
        brought_by="Operations",
        description="",
        folder=folder,
        actor=LEAD,
        now=NOW,
    )
    return story


def verdict(raw, outside=()):
    return audit.verify_bundle(io.BytesIO(raw), outside)


def kinds(raw, outside=()):
    return {finding.kind for finding in verdict(raw, outside).findings}


def repacked(raw, changes, drop=()):
    """The same zip with other bytes for some files."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        files = {name: old.read(name) for name in old.namelist()} | changes
        for name, content in files.items():
            if name not in drop:
                new.writestr(name, content)
    return out.getvalue()


def test_a_bundle_is_proven_by_a_checkpoint_that_was_kept_elsewhere(tmp_path):
    story = told(tmp_path)
    found = verdict(made(story.incident.ref, tmp_path), [checkpoints.latest().note])
    assert (found.findings, found.incident, found.proven) == ([], story.incident.ref, found.size)
    assert verbs()[-3:] == ["incident.bundle_begun", "incident.bundled", "checkpoint.signed"]


def test_it_holds_every_row_every_line_and_the_evidence_and_no_address(tmp_path):
    story = told(tmp_path)
    raw = made(story.incident.ref, tmp_path)
    with zipfile.ZipFile(io.BytesIO(raw)) as bundle:
        deliveries = [json.loads(row) for row in bundle.read("data/delivery.jsonl").splitlines()]
        [piece] = [json.loads(row) for row in bundle.read("data/evidence.jsonl").splitlines()]
        assert bundle.read(f"evidence/{piece['ref']}") == b"a log line\n" * 1000
        everything = b"".join(bundle.read(name) for name in bundle.namelist() if name != "summary.pdf")
        shown = [row for row in bundle.read(audit.EXCERPT).splitlines() if row.startswith(b'{"actor"')]
        left_out = json.loads(bundle.read("manifest.json"))["left_out"]
        assert bundle.read("summary.pdf").startswith(b"%PDF")
    assert [row["state"] for row in deliveries] == ["accepted"] * 3
    assert len(shown) == len(lines(story.incident.ref))
    assert b"person1@example.org" not in everything
    assert {"number": 2, "reason": "working state of the program", "rows": 1, "what": "delivery_claim"} in left_out


def test_it_tells_nothing_about_another_incident(tmp_path):
    story, other = told(tmp_path), an_incident(title="The other matter", now=NOW)
    raw = made(story.incident.ref, tmp_path)
    with zipfile.ZipFile(io.BytesIO(raw)) as bundle:
        everything = b"".join(bundle.read(name) for name in bundle.namelist())
    assert other.ref.encode() not in everything
    assert b"The other matter" not in everything


def test_whoever_takes_it_leaves_a_line_even_when_they_break_off(tmp_path):
    story = told(tmp_path)
    pieces = bundles.begun(
        story.incident.ref, company=Company(), zone=ZoneInfo("UTC"), folder=tmp_path, actor=LEAD, clock=lambda: NOW
    )
    next(pieces)
    pieces.close()
    assert verbs()[-1] == "incident.bundle_begun"


def test_there_is_none_of_an_incident_that_is_not_there(app, tmp_path):
    with pytest.raises(Missing):
        made("INC-1999-0001", tmp_path)


def test_each_way_to_touch_a_bundle_is_named(tmp_path):
    story = told(tmp_path)
    raw = made(story.incident.ref, tmp_path)
    with zipfile.ZipFile(io.BytesIO(raw)) as bundle:
        manifest, excerpt = bundle.read(audit.MANIFEST), bundle.read(audit.EXCERPT)
    assert kinds(repacked(raw, {})) == set()
    assert kinds(repacked(raw, {"data/fact.jsonl": b"{}\n"})) == {"changed file"}
    assert kinds(repacked(raw, {"data/more.jsonl": b"{}\n"})) == {"extra file"}
    assert kinds(repacked(raw, {}, drop={"summary.pdf"})) == {"missing file"}
    other = manifest.replace(b'"kind":"incident"', b'"kind":"drill"')
    assert other != manifest
    assert kinds(repacked(raw, {audit.MANIFEST: other})) == {"changed file"}
    assert "changed" in kinds(repacked(raw, {audit.EXCERPT: excerpt.replace(LEAD.encode(), b"U-00000000", 1)}))
    without = b"".join(row for row in excerpt.splitlines(keepends=True) if b'"incident.bundled"' not in row)
    assert "size" in kinds(repacked(raw, {audit.EXCERPT: without}))
    for traversal in ("../up.txt", "/etc/passwd", "a\\b"):
        assert kinds(repacked(raw, {traversal: b""})) == {"extra file"}


def test_traps_are_refused_before_they_are_unpacked(tmp_path):
    story = told(tmp_path)
    raw = made(story.incident.ref, tmp_path)
    assert kinds(raw[: len(raw) // 2]) == {"not a bundle"}
    assert kinds(b"PK" + bytes(500)) == {"not a bundle"}
    assert kinds(repacked(raw, {}, drop={audit.MANIFEST})) == {"not a bundle"}
    assert kinds(repacked(raw, {"bomb": bytes(100 * 2**20)})) == {"not a bundle"}
    out = io.BytesIO(raw)
    with zipfile.ZipFile(out, "a") as twice, pytest.warns(UserWarning, match="Duplicate"):
        twice.writestr("summary.pdf", b"another one")
    assert kinds(out.getvalue()) == {"not a bundle"}
    huge = bytearray(raw)
    place = huge.rfind(b"PK\x05\x06")
    huge[place + 12 : place + 16] = struct.pack("<I", 64 * 2**20)
    assert kinds(bytes(huge)) == {"not a bundle"}


def test_nothing_can_be_put_before_or_between_the_files_where_other_readers_would_see_it(tmp_path):
    story = told(tmp_path)
    raw = made(story.incident.ref, tmp_path)
    other = repacked(raw, {"summary.pdf": b"%PDF-1.7 another one"})
    with zipfile.ZipFile(io.BytesIO(raw)) as bundle:
        start = bundle.start_dir
    assert kinds(other + raw) == {"not a bundle"}
    [finding] = audit.verify_bundle(io.BytesIO(raw[:start] + other[: other.rfind(b"PK\1\2")] + raw[start:])).findings
    assert finding.kind == "not a bundle"


def test_a_list_of_files_that_two_ends_of_a_zip_measure_differently_is_not_read():
    many = 200_000
    rows = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, *[0] * 15) * many
    told = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, many, many, len(rows), 30)
    where = struct.pack("<4sLQL", b"PK\6\7", 0, 30 + len(rows), 1)
    small = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 46, 30, 0)
    raw = b"PK\3\4" + bytes(26) + rows + told + where + small
    [finding] = audit.verify_bundle(io.BytesIO(raw)).findings
    assert "lists too many files" in finding.sentence


def test_every_table_is_in_the_bundle_or_said_to_stay_out():
    reach_the_incident = {
        name
        for name, table in tables().items()
        if "incident_id" in table.columns
        or any(key.column.table.name in holdings.HELD | holdings.LEFT_OUT for key in table.foreign_keys)
    }
    known = set(holdings.HELD) | set(holdings.LEFT_OUT) | holdings.ELSEWHERE
    assert reach_the_incident <= known, "a new table goes into store/holdings.py"
    assert known - {"incident"} <= reach_the_incident


def test_the_memory_of_a_bundle_does_not_grow_with_its_people(tmp_path):
    story = told(tmp_path, people=400)
    before = len(db.session.identity_map)
    pieces = bundles.begun(
        story.incident.ref, company=Company(), zone=ZoneInfo("UTC"), folder=tmp_path, actor=LEAD, clock=lambda: NOW
    )
    assert max(len(piece) for piece in pieces) < 4 * bundles.PIECE
    assert len(db.session.identity_map) < before + 100


def test_a_bundle_holds_every_kind_of_value_a_day_among_them(app, tmp_path):
    """A day once broke the bundle off in the middle: letters that were posted have one."""
    house = a_full_house(tmp_path)
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(update(LetterBatch).values(posted_on=date(2026, 11, 22)))
    raw = made(house.incident.ref, tmp_path)
    assert verdict(raw).ok
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        rows = packed.read("data/letter_batch.jsonl").decode().splitlines()
    assert {json.loads(row)["posted_on"] for row in rows} == {"2026-11-22"}
