"""A full disk, a database that takes no writing, a clock that jumps: refused in words, and all goes on by itself afterwards."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import event

from incident import clock
from incident.domain.access import CASE_TEAM
from incident.store import incidents
from incident.store.db import db
from tests.builders import an_incident
from tests.record import lines, verbs, verifies

OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}


@pytest.fixture
def calm(app) -> Iterator[None]:
    """The application as it is in service: a failure is a page, not an exception in the test."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield
    app.config["PROPAGATE_EXCEPTIONS"] = None


@pytest.fixture
def case(calm, as_, token_for):
    ref = an_incident().ref
    return as_(*CASE_TEAM), ref, token_for(*CASE_TEAM)


@contextmanager
def every_connection(pragma: str) -> Iterator[None]:
    """While this lasts, the database is as it is on a full disk or a read-only file system: SQLite itself says no."""

    def set_up(connection, _record) -> None:
        connection.execute(f"PRAGMA {pragma}")

    db.session.remove()
    db.engine.dispose()
    event.listen(db.engine, "connect", set_up)
    try:
        yield
    finally:
        event.remove(db.engine, "connect", set_up)
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("pragma", ["max_page_count = 1", "query_only = ON"], ids=["disk full", "read-only"])
def test_what_cannot_be_written_is_refused_with_a_time_and_goes_on_afterwards(case, app, client, pragma):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("SQLite's own switches")
    browser, ref, header = case
    before = len(lines())
    long = "A note that needs room. " * 400
    with every_connection(pragma):
        refused = [
            *(browser.post(f"/incidents/{ref}/notes", data={"text": long}, headers=OURS) for _ in range(20)),
            client.post(f"/api/v1/incidents/{ref}/notes", json={"text": long}, headers=header),
        ]
        assert browser.get(f"/incidents/{ref}").status_code == 200, "reading goes on"
    busy = [answer for answer in refused if answer.status_code != 302]
    assert {answer.status_code for answer in busy} == {503}
    assert all(answer.headers["Retry-After"] for answer in busy)
    assert "Nothing was saved" in busy[0].text
    again = busy[0].text.split("What you typed")[1]
    assert f'action="/incidents/{ref}/notes"' in again
    assert f'<input type="hidden" name="text" value="{long}">' in again
    assert browser.post(f"/incidents/{ref}/notes", data={"text": "Again."}).status_code == 302
    db.session.rollback()
    taken = len([answer for answer in refused if answer.status_code == 302]) + 1
    assert verbs(ref).count("note.added") == taken
    assert len(lines()) == before + taken
    assert verifies()


def multipart(content: bytes) -> bytes:
    """A form with a file, whole in memory: what sends it needs no disk."""
    field = 'Content-Disposition: form-data; name="'
    head = f'--edge\r\n{field}brought_by"\r\n\r\nSomebody\r\n--edge\r\n{field}file"; filename="disk.img"\r\n\r\n'
    return head.encode() + content + b"\r\n--edge--\r\n"


def test_a_file_for_which_there_is_no_room_leaves_nothing_behind(case, app):
    browser, ref, header = case
    folder = app.extensions["settings"].instance / "files"
    before = set(folder.rglob("*"))
    large, sort = multipart(os.urandom(2**20) * 4), "multipart/form-data; boundary=edge"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * 2**20, hard))
    try:
        address, call = f"/incidents/{ref}/evidence", app.test_client()
        refused = [
            browser.post(address, data=large, content_type=sort),
            call.post(f"/api/v1{address}", data=large, content_type=sort, headers=header),
        ]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {answer.status_code for answer in refused} == {503}
    assert all(answer.headers["Retry-After"] for answer in refused)
    assert set(folder.rglob("*")) == before
    assert browser.post(address, data=multipart(b"log"), content_type=sort).status_code == 302
    db.session.rollback()
    assert verbs(ref).count("evidence.added") == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO])
def test_what_the_disk_says_is_busy(app, calm, number):
    with app.test_request_context("/"):
        answer = app.make_response(app.handle_user_exception(OSError(number, "x")))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_other_trouble_with_files_stays_our_mistake(app, calm):
    with app.test_request_context("/"), pytest.raises(FileNotFoundError):
        app.handle_user_exception(FileNotFoundError(errno.ENOENT, "x"))


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-2), timedelta(hours=-3)], ids=str)
def test_a_clock_that_jumps_and_comes_back_loses_and_doubles_nothing(case, jump):
    browser, ref, header = case
    with time_machine.travel(clock.now() + jump):
        browser.get(f"/incidents/{ref}")
        answer = browser.post(f"/incidents/{ref}/notes", data={"text": "In another time."})
        assert answer.status_code == 302
    noted = verbs(ref).count("note.added")
    assert noted in {0, 1}, "a session may be over in another time"
    assert browser.get(f"/incidents/{ref}").status_code in {200, 302}
    call = browser.application.test_client()
    assert call.post(f"/api/v1/incidents/{ref}/notes", json={"text": "Now."}, headers=header).status_code == 201
    db.session.rollback()
    assert verbs(ref).count("note.added") == noted + 1
    assert [line.seq for line in lines()] == list(range(len(lines())))
    assert verifies()
    assert incidents.by_ref(ref) is not None
