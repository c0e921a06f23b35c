"""The log: JSON lines on standard error, with references and never with names, addresses or texts."""

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog
from flask import Flask, Response, g, request
from structlog.typing import Processor

from incident import clock
from incident.store.db import new_ref

_Json = structlog.stdlib.ProcessorFormatter
_COMMON: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_LAST: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
"""What libraries say goes the same way as what we say, so that every line is JSON."""


class Unfailing:
    """Standard error that loses its line rather than the work the line is about: on a full disk, in a pipe nobody reads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what can be handed on."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def begin(level: str) -> None:
    """Sets the log's form for this process."""
    stream = cast(TextIO, Unfailing(sys.stderr))
    told = logging.StreamHandler(stream)
    told.setFormatter(_Json(foreign_pre_chain=_COMMON, processors=[_Json.remove_processors_meta, *_LAST]))
    logging.basicConfig(level=level.upper(), handlers=[told], force=True)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)  # it warns each second that a long look goes on
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_COMMON, *_LAST],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )


def init(app: Flask) -> None:
    """One line a request: which view, which answer, how long. Never the address, which may hold a secret."""
    log = structlog.get_logger()

    @app.before_request
    def note_start() -> None:
        g.started, g.request_ref = clock.monotonic(), new_ref("Q")
        structlog.contextvars.bind_contextvars(request=g.request_ref)

    @app.after_request
    def note_end(response: Response) -> Response:
        if request.endpoint not in {"static", "bootstrap.static"}:
            took = round((clock.monotonic() - g.get("started", clock.monotonic())) * 1000, 1)
            log.info("request", view=request.endpoint, method=request.method, status=response.status_code, ms=took)
        structlog.contextvars.clear_contextvars()
        return response
