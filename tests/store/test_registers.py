"""The register of deliveries: the same by command, page and program, whatever stands in it, found by its index."""

import pytest

from incident.exports import csv, register
from incident.exports.register import COLUMNS
from incident.store import bulk, registers
from incident.store.db import db
from notifiers.contract import Outcome
from notifiers.memory import Memory
from tests.actions.waves import NOW, a_story, answering
from tests.store.test_bulk import statements_of

pytestmark = pytest.mark.usefixtures("app")


def a_mixed_story():
    story = a_story(
        4,
        unreachable=1,
        real={"email": Memory("email", answering(Outcome.REFUSED, "address_refused", to="person2@example.org"))},
    )
    story.start()
    story.work()
    return story


def test_the_quick_way_writes_what_the_careful_one_writes():
    story = a_mixed_story()
    first, second, *_ = story.rows()
    odd = [(first.id, "=cmd()", "+1", '"quoted", line\nbreak'), (second.id, "", "-", "plain\x07")]
    bulk.change("delivery", ("id", "provider_id", "code", "reason"), odd)
    pages = list(registers.pages(story.incident.id))
    records = [record for page in pages for record in page]
    assert "".join(register.as_csv(pages)) == "".join(csv.rows(COLUMNS, records))
    assert "'=cmd()" in "".join(register.as_csv(pages))


def test_pages_join_without_a_gap_or_a_double(monkeypatch):
    story, other = a_mixed_story(), a_mixed_story()
    monkeypatch.setattr(registers, "PAGE", registers.PAGE.replace(str(registers.AT_ONCE), "3"))
    pages = list(registers.pages())
    assert [len(page) for page in pages] == [3, 1, 3, 1]
    assert [record[COLUMNS.index("incident")] for page in pages for record in page] == (
        [story.incident.ref] * 4 + [other.incident.ref] * 4
    )
    one = [record for page in registers.pages(other.incident.id) for record in page]
    assert [record[COLUMNS.index("attempt_ref")] for record in one] == [row.ref for row in other.rows()]
    assert {record[COLUMNS.index("made_at")] for record in one} == {NOW}


def test_the_header_comes_before_anything_is_read():
    story = a_mixed_story()
    assert statements_of(lambda: next(register.as_csv(registers.pages(story.incident.id)))) == []


def test_a_page_is_found_by_the_index_of_its_sending_and_not_sorted():
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The plan is SQLite's.")
    story = a_mixed_story()
    plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {registers.PAGE}", (story.row().id, 0))
    steps = [row[3] for row in plan]
    assert len(steps) == 1
    assert "USING INDEX ix_delivery_dispatch (dispatch_id=? AND id>?)" in steps[0], steps


def test_page_and_program_get_the_same_file(as_, client, token_for):
    story = a_mixed_story()
    page = as_("privacy").get(f"/incidents/{story.incident.ref}/sending/register.csv")
    assert page.status_code == 200
    assert page.headers["Content-Disposition"] == f'attachment; filename="{story.incident.ref}-register.csv"'
    expected = "".join(register.as_csv(registers.pages(story.incident.id)))
    assert page.text == expected
    assert expected.count("\r\n") == 5
    program = client.get(f"/api/v1/incidents/{story.incident.ref}/sendings/register.csv", headers=token_for("privacy"))
    assert (program.status_code, program.mimetype, program.text) == (200, "text/csv", expected)
