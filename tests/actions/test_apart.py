"""A long list is read and sealed by programs of their own: the same people come out, and they outlive nobody who asked."""

import io
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from incident.actions import apart, batches, contacts, imports
from incident.actions.pipes import Gone
from incident.domain import imports as rules
from incident.domain.errors import Invalid
from incident.domain.imports import Reading
from incident.store import files, packing
from incident.store.ciphers import Gcm, Hmac, Sealer
from incident.store.db import db
from incident.store.people import Person
from incident.store.tables import Form
from tests.builders import an_incident
from tests.store.test_tables import a_workbook

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ANN = "U-ANN00001"
READING = Reading(("name", "email", "country"))
ROWS = ["name,email,country", *(f"P{n},p{n}@example.org,DE" for n in range(12_000)), "Bad,bad@,DE", ",,"]
CONTENT = "\n".join(ROWS).encode() + b"\n"

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes as Linux shows them")


@pytest.fixture
def job(tmp_path):
    key = Sealer(7, Gcm(b"k" * 32, 1), Hmac(b"h" * 32))
    files.keep(io.BytesIO(CONTENT), tmp_path / "LIST", key, "LIST", most=2**20)
    form = ("csv", "utf-8-sig", ",")
    return apart.Job(
        str(tmp_path / "LIST"), "LIST", key.handed_over(), READING.to_json(), form, 1, "IMP-1", 2, 1, "2026-03-06"
    )


@pytest.fixture
def worth_it(monkeypatch):
    """Even a short list is read apart, on a machine with one core too."""
    monkeypatch.setattr(apart, "WORTH", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def started():
    """The programs that this process has started and that still run."""
    tasks = Path("/proc/self/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


def is_alive(process):
    status = Path(f"/proc/{process}/status")
    try:
        return "State:\tZ" not in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def until_gone(process):
    until = time.monotonic() + 60
    while is_alive(process) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_alive(process)


def names(key, batch):
    return [
        batches.opened(key.unseal(batches.place(one.number, 1), one.box))["name"]
        for one in packing.opened(batch.people)
    ]


def test_made_apart_or_here_it_is_the_same(job):
    key = Sealer.taken_over(job.keys)
    maker = batches.Maker(batches.List(job.ref, job.bits), key, job.first)
    there, here = list(apart.made(job)), list(maker.batches(apart.sheaves(job)))
    assert [names(key, one) for one in there] == [names(key, one) for one in here]
    assert [one.rows for one in there] == [one.rows for one in here] == [5_000, 5_000, 2_002]
    for one, other in zip(there, here, strict=True):
        assert one._replace(boxes=b"", refused=()) == other._replace(boxes=b"", refused=())
        assert [row[:2] for row in one.refused] == [row[:2] for row in other.refused]
    assert (len(there[2].refused), there[2].empty) == (1, 1)


def test_the_keys_are_neither_in_its_arguments_nor_in_its_environment(job, monkeypatch):
    monkeypatch.setenv("TOCSIN_SECRET", "never handed on")
    before, made = started(), apart.made(job)
    next(made)
    programs = started() - before
    files_ = [Path(f"/proc/{program}/{what}") for program in programs for what in ("cmdline", "environ")]
    seen = b"".join(file.read_bytes() for file in files_)
    made.close()
    assert len(programs) == 2
    assert b"incident.actions.apart" in seen
    assert b"never handed on" not in seen
    assert not any(secret in seen for secret in (b"a" * 20, b"k" * 20, b"h" * 20, job.keys.encode()))


def test_whoever_wants_no_more_ends_it(job):
    before, made = started(), apart.made(job)
    next(made)
    programs = started() - before
    made.close()
    assert [is_alive(program) for program in programs] == [False, False]


def test_it_dies_with_whoever_asked_for_it_however_that_dies(job, tmp_path):
    (tmp_path / "job").write_text(repr(tuple(job)))
    asking = (
        "import sys, time\nfrom pathlib import Path\nfrom incident.actions import apart\n"
        "made = apart.made(apart.Job(*eval(Path(sys.argv[1]).read_text())))\nnext(made)\n"
        "for task in Path('/proc/self/task').iterdir():\n    print((task / 'children').read_text(), end=' ', flush=True)\n"
        "print(flush=True)\ntime.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", asking, str(tmp_path / "job")], stdout=subprocess.PIPE) as parent:
        programs = [int(word) for word in parent.stdout.readline().split()]
        assert [is_alive(program) for program in programs] == [True, True]
        parent.send_signal(signal.SIGKILL)
    assert all(until_gone(program) for program in programs)


@pytest.mark.parametrize("which", [0, 1])
def test_a_program_that_is_gone_is_told_from_a_list_that_ends(job, which):
    before, made = started(), apart.made(job)
    next(made)
    os.kill(sorted(started() - before)[which], signal.SIGKILL)
    with pytest.raises(Gone):
        list(made)


def test_what_it_refuses_is_refused_here_too(job, tmp_path):
    content = (tmp_path / "LIST").read_bytes()
    (tmp_path / "LIST").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(Invalid, match="does not open"):
        list(apart.made(job))
    (tmp_path / "LIST").unlink()
    with pytest.raises(FileNotFoundError):
        list(apart.made(job))


def test_a_defect_says_where_and_not_what(job):
    with pytest.raises(apart.Defect) as defect:
        list(apart.made(job._replace(today="Ann Example, ann@example.org")))
    assert str(defect.value).startswith("ValueError at apart.py:")


def waiting(ref, folder):
    given = {"folder": folder, "actor": ANN, "now": NOW}
    import_ref = imports.upload(ref, io.BytesIO(CONTENT), name="l.csv", **given)
    form = Form("csv", "utf-8-sig", ",")
    imports.start(ref, import_ref, READING, form=form, has_header=True, wave=0, **given)
    return import_ref


@pytest.mark.parametrize("killed_at", [None, 3, 4])
def test_an_import_goes_on_here_where_the_program_was_killed(app, tmp_path, worth_it, killed_at):
    ref, before, ticks = an_incident().ref, started(), iter(range(1_000))
    import_ref = waiting(ref, tmp_path)

    def clock():
        if next(ticks) == killed_at:
            for program in started() - before:
                os.kill(program, signal.SIGKILL)
        return NOW

    imports.run(import_ref, folder=tmp_path, clock=clock)
    db.session.rollback()
    row = imports.get(ref, import_ref)
    assert (row.state, row.rows, row.taken, row.refused, row.empty) == ("done", 12_002, 12_000, 1, 1)
    found = db.session.execute(select(func.count(), func.count(Person.row_no.distinct()), func.max(Person.number)))
    assert tuple(found.one()) == (12_000, 12_000, 12_000)
    assert started() <= before


def test_a_list_whose_keys_tink_holds_is_read_here(app, tmp_path, worth_it, job):
    class Other:
        def encrypt(self, plaintext, bound_to):
            return Gcm(b"k" * 32, 1).encrypt(plaintext, bound_to)

        def decrypt(self, sealed, bound_to):
            return Gcm(b"k" * 32, 1).decrypt(sealed, bound_to)

    key, before = Sealer(7, Other(), Hmac(b"h" * 32)), started()
    row = imports.PersonImport(
        stored_as="LIST", cursor=0, has_header=True, size=len(CONTENT), kind="csv", encoding="utf-8-sig", delimiter=","
    )
    reader = rules.Reader(READING, contacts.JUDGE, date(2026, 3, 6))
    made = imports._batches(row, tmp_path, reader, batches.Maker(batches.List("IMP-1", 2), key, 1))
    assert next(made).taken == 5_000
    assert started() <= before


def test_a_workbook_is_read_apart_too(app, tmp_path, worth_it):
    content = a_workbook([["Name", "Email", "Country"], *([f"P{n}", f"p{n}@example.org", "DE"] for n in range(50))])
    ref, before, given = an_incident().ref, started(), {"folder": tmp_path, "actor": ANN, "now": NOW}
    import_ref = imports.upload(ref, io.BytesIO(content), name="l.xlsx", **given)
    imports.start(ref, import_ref, READING, form=Form("xlsx"), has_header=True, wave=0, **given)
    imports.run(import_ref, folder=tmp_path, clock=lambda: NOW)
    db.session.rollback()
    row = imports.get(ref, import_ref)
    assert (row.state, row.trouble, row.taken, row.percent) == ("done", "", 50, 100)
    assert started() <= before
