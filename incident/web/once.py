"""A form that is sent twice is done once: a double click, a click out of patience, a page that the browser sends again.

The same fields from the same page (its token is part of them) to the same address by the same person are one request. The
second waits for the first, is sent where that one was sent, and says so. Kept for a day, under a digest; nothing of the
form is. What only shows something, or was refused, is not kept: sent again, it is asked again.
"""

from hashlib import file_digest, sha256
from time import sleep
from typing import Final

import structlog
from flask import Flask, Response, flash, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import FileStorage

from incident.clock import monotonic
from incident.domain.errors import Refused
from incident.store import repeats
from incident.web.access import now

log = structlog.get_logger()

SHOWN_ONCE: Final = frozenset(
    {
        "account.issue_token",
        "account.recovery_codes",
        "members.invite",
        "reach.issue_calendar",
        "team.invite",
        "team.reset",
        "webhooks.rotate",
        "webhooks.set_up",
    }
)
"""Forms that make a secret and show it in their answer."""
CHANGE_NOTHING: Final = frozenset({"notices.weigh", "people.find", "search.find"})
"""Forms that are sent again and again, and only show something."""
PATIENCE: Final = 10.0  # seconds that the second waits for the first
STEP: Final = 0.05
TWICE: Final = "This form was sent twice. It was done once."
SHOWN: Final = "This form was sent twice and done once. What it showed is not shown again: end it, and make another."
LOST: Final = "This form was sent before and is being worked on, or its answer was lost. Look whether it was done."


def init(app: Flask) -> None:
    """Puts the hooks around every form; after those that say who sends it and check its token."""
    app.before_request(_meet)
    app.after_request(_keep)


def _meet() -> Response | None:
    """Let the form through, or answer as it was answered before. Raises Refused."""
    g.pop("once", None)
    if request.method != "POST" or "person" not in g or not request.form.get("csrf_token"):
        return None
    if request.endpoint in CHANGE_NOTHING:
        return None
    key = repeats.key_of(g.person.id, f"form:{_digest()}")
    kept = repeats.begin(key, key, now())
    until = monotonic() + PATIENCE
    while kept is not None and kept.status is None:
        if monotonic() > until:
            raise Refused(LOST)
        sleep(STEP)
        kept = repeats.begin(key, key, now())
    if kept is None:
        g.once = key
        return None
    if "Location" not in kept.headers:
        raise Refused(SHOWN)
    flash(TWICE)
    return Response(b"", kept.status, {"Location": kept.headers["Location"]})


def _digest() -> str:
    """What names this form: its address, its fields with the page's token, and its files."""
    parts = [request.full_path]
    parts += [f"{name}\0{value}" for name, values in sorted(request.form.lists()) for value in values]
    parts += [f"{name}\0{_file(one)}" for name, files in sorted(request.files.lists()) for one in files]
    return sha256("\0\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _file(upload: FileStorage) -> str:
    found = file_digest(upload.stream, "sha256").hexdigest()  # type: ignore[arg-type]
    upload.stream.seek(0)
    return f"{upload.filename}\0{found}"


def _keep(response: Response) -> Response:
    """Keep where a form that was done led to; free the others. What was done stays done when this cannot be kept."""
    key = g.pop("once", None)
    if key is None:
        return response
    told = {"Location": response.headers["Location"]} if "Location" in response.headers else {}
    done = response.status_code in {302, 303} or (response.status_code < 400 and request.endpoint in SHOWN_ONCE)
    try:
        if done:
            repeats.keep_way(key, response.status_code, told)
        else:
            repeats.forget(key)
    except SQLAlchemyError as error:
        log.warning("form.not_kept", reason=type(error).__name__)
    return response
