"""The log: one JSON object a line, whoever speaks, and never the values of a failed statement."""

import errno
import io
import json
import logging
import sys

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from incident import journal
from incident.store.db import db


@pytest.fixture
def said(monkeypatch):
    """Begin the log on a stream of our own; its lines as objects. What was set before is set again."""
    stream = io.StringIO()
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    monkeypatch.setattr(sys, "stderr", stream)
    journal.begin("info")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(logging.WARNING)
    structlog.reset_defaults()


def test_our_own_lines_and_those_of_libraries_have_one_form(said):
    structlog.get_logger().info("work.done", kind="sending")
    logging.getLogger("some.library").warning("Connection %s is gone", 7)
    ours, theirs = said()
    assert (ours["event"], ours["kind"], ours["level"]) == ("work.done", "sending", "info")
    assert (theirs["event"], theirs["level"]) == ("Connection 7 is gone", "warning")
    assert ours.keys() - {"kind"} == theirs.keys()


def test_an_error_of_a_library_is_one_line_too(said):
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("some.library").exception("It broke")
    [line] = said()
    assert line["event"] == "It broke"
    assert "ValueError: no" in line["exception"]


def test_libraries_that_speak_of_every_job_are_heard_from_a_warning_on(said):
    logging.getLogger("procrastinate.worker").info("Starting job")
    assert said() == []


def test_a_failed_statement_is_logged_without_its_values(app, said):
    values = {"who": "@".join(("ana", "example.org"))}  # apart, as a traceback quotes the source
    try:
        db.session.execute(text("INSERT INTO nowhere VALUES (:who)"), values)
    except SQLAlchemyError:
        structlog.get_logger().exception("work.failed")
    [line] = said()
    assert "nowhere" in line["exception"]
    assert "ana@example.org" not in json.dumps(line)


class FullDisk(io.StringIO):
    """Takes nothing any more."""

    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch):
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    monkeypatch.setattr(sys, "stderr", FullDisk())
    journal.begin("info")
    try:
        structlog.get_logger().info("work.done", kind="sending")
        logging.getLogger("some.library").warning("A line nobody will read")
    finally:
        root.handlers[:] = before
        root.setLevel(logging.WARNING)
        structlog.reset_defaults()
