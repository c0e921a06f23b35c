"""Where browsers say that a page broke the content policy: a sign that markup of a stranger got in. It goes to the log, without addresses."""

import json
import re
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, request

from incident.clock import monotonic
from incident.domain.access import PUBLIC
from incident.web.access import permit

bp = Blueprint("breaches", __name__)
log = structlog.get_logger()

PATH: Final = "/policy-breaches"
LONGEST: Final = 8_192
MOST: Final = 20
WITHIN: Final = 60.0  # seconds in which one process writes no more lines than that: anybody can send these
WORD: Final = re.compile(r"[a-z-]{1,40}")
_noted: list[float] = []


@bp.post(PATH)
@permit(PUBLIC)
def note() -> Response:
    """Note what was broken and by which host; nothing that the sender can choose freely is kept."""
    told = _told()
    if told is not None and _is_quiet():
        directive = str(told.get("effective-directive") or told.get("violated-directive") or "").partition(" ")[0]
        word = directive if WORD.fullmatch(directive) else "unknown"
        log.warning("policy.broken", directive=word, blocked=_blocked(told.get("blocked-uri")))
    return Response(status=204)


def _told() -> dict[str, Any] | None:
    """The report, where it is one."""
    if (request.content_length or LONGEST + 1) > LONGEST:
        return None
    try:
        given = json.loads(request.get_data())
    except (ValueError, RecursionError):
        return None
    told = given.get("csp-report") if isinstance(given, dict) else None
    return told if isinstance(told, dict) else None


def _blocked(address: object) -> str:
    """What was kept out: a word such as `inline`, or where from in one word."""
    text = str(address)[:2_000]
    if WORD.fullmatch(text):
        return text
    try:
        host = urlsplit(text).hostname
    except ValueError:
        host = None
    return "own host" if host == urlsplit(request.host_url).hostname else "another host"


def _is_quiet() -> bool:
    """Whether another line may be written now."""
    now = monotonic()
    _noted[:] = [at for at in _noted if now - at < WITHIN]
    if len(_noted) >= MOST:
        return False
    _noted.append(now)
    return True
