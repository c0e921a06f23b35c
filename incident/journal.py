"""The log: JSON lines on standard error, with references and never with names, addresses or texts."""

import logging
import sys

import structlog
from flask import Flask, Response, g, request

from incident import clock
from incident.store.db import new_ref


def begin(level: str) -> None:
    """Sets the log's form for this process."""
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format="%(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
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
