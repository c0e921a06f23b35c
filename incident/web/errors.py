"""What a reader sees when something is refused: a page for people, problem details (RFC 9457) for programs."""

import errno
from typing import Any
from urllib.parse import urlsplit

import structlog
from apiflask import HTTPError as ApiError
from flask import Flask, Response, flash, g, jsonify, make_response, redirect, render_template, request, url_for
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from incident.actions.throttled import TooMany
from incident.clock import now
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.facts import vocabulary
from incident.domain.stale import Stale
from incident.domain.unsent import worth_keeping, written
from incident.store.db import db
from incident.web import late, outsiders, seen
from incident.web.languages import said

log = structlog.get_logger()

WORDS = {
    400: ("That could not be read", "Something in the request was not as expected. Go back and try again."),
    401: ("Please sign in", "This needs an account, or a valid token."),
    403: ("Not yours to do", "Your role does not allow this. Ask an administrator if you think it should."),
    404: ("Nothing here", "There is nothing at this address, or it is not yours to see."),
    405: ("Not this way", "This address does not take that kind of request."),
    409: ("Not now", "The state of things does not allow this."),
    413: (
        "Too large",
        "Nothing was saved; go back in your browser, and what you typed stands there still. At most 500 MB are taken at once, and "
        "4 MB of typed text. Bring a large file in parts, or leave it where it is, and write down its place and its SHA-256.",
    ),
    415: ("Not this kind", "This kind of content is not taken here."),
    422: ("Something needs mending", "A value was missing or not as expected."),
    429: ("Too many tries", "Please wait a little and try again."),
    500: (
        "Our mistake",
        "Something went wrong on our side, and nothing was saved. Try again; if it happens again, tell an administrator: "
        "the log has the details.",
    ),
    503: ("Busy just now", "Nothing was saved. Please try again in a few seconds."),
}

UNREAD = frozenset({400, 413})
"""What is refused before its form is read, or because it may come from elsewhere."""
DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})


class ShallowJson(DefaultJSONProvider):
    """JSON that is nested beyond all sense is as unreadable as a missing bracket."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def init(app: Flask) -> None:
    """Answers refusals and failures, each in one place."""
    seen.init(app)
    app.json = ShallowJson(app)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Stale, _stale)
    app.register_error_handler(TooMany, _too_many)
    app.register_error_handler(CSRFError, _too_old)
    app.register_error_handler(ApiError, _api_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _busy)
    app.register_error_handler(OSError, _no_room)
    for unstorable in (DataError, OverflowError):
        app.register_error_handler(unstorable, _unstorable)
    for clash in (IntegrityError, StaleDataError):
        app.register_error_handler(clash, _clash)


def answer(status: int, detail: str | None = None, field: str | None = None, **more: object) -> ResponseReturnValue:
    """The refusal as a page, or as problem details where a program asked."""
    title, usual = WORDS.get(status, WORDS[400])
    detail = detail or usual
    if request.path.startswith(("/api/", "/hooks/")) or request.accept_mimetypes.best == "application/json":
        problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        response = jsonify(problem | ({"field": field} if field else {}) | more)
        response.status_code = status
        response.content_type = "application/problem+json"
    elif outsiders.asks():
        response = outsiders.refused(status)
    else:
        words = {"title": title, "detail": detail, "status": status, "field": _named(field), "back": _page_before()}
        page = render_template("errors/error.html", **words, **_typed(status))
        response = Response(page, status, mimetype="text/html")
    if status == 503:
        response.headers["Retry-After"] = "2"
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _named(field: str | None) -> str:
    """The field of a form as its page calls it: a fact by its question. A label has a capital, a word of a channel has none."""
    entry = vocabulary().entries.get(field or "")
    words = entry.label if entry else (field or "").replace("_", " ").capitalize()
    told = str(said(words))
    return told if entry or told != words else str(said(words.lower()))


def _typed(status: int) -> dict[str, Any]:
    """What somebody wrote into the form of ours that is refused; where it only came at a bad time, all of it to be sent again."""
    if request.method != "POST" or status in UNREAD or "person" not in g or not late.is_from_our_page():
        return {}
    fields = worth_keeping(request.form.items(multi=True))
    may_repeat = status == 503 and not any(one.filename for one in request.files.values())
    return {"written": written(fields), "fields": fields, "again": request.full_path.rstrip("?") if may_repeat else ""}


def _is_program() -> bool:
    return request.path.startswith(("/api/", "/hooks/")) or request.accept_mimetypes.best == "application/json"


def _refused(error: Refused) -> ResponseReturnValue:
    if isinstance(error, Invalid):
        return answer(422, error.sentence, error.field)
    return answer(404 if isinstance(error, Missing) else 409, error.sentence)


def _too_old(error: CSRFError) -> ResponseReturnValue:
    """A form without the token of this session. What somebody typed into a page of ours is kept, and shown to them."""
    kept = late.kept_with_an_old_token(now())
    if kept is None:
        return answer(400, "This form is too old or came from elsewhere. Go back, reload, and send it again.")
    flash(
        "You signed in anew since this page was opened. What you typed is kept: look at it, and send it again.", "soon"
    )
    return redirect(url_for("unsent.show", ref=kept))


def _stale(error: Stale) -> ResponseReturnValue:
    """A page that is out of date: what stands now beside what was sent, so that neither is lost."""
    if _is_program():
        stands = {label: {"stands": both[0], "sent": both[1]} for label, both in error.versions.items()}
        return answer(409, error.sentence, versions=stands)
    words = {"title": "Somebody was quicker", "detail": error.sentence, "versions": error.versions}
    return Response(render_template("errors/stale.html", back=_page_before(), **words), 409, mimetype="text/html")


def _page_before() -> str:
    """The page of ours that the form stood on, else the desk."""
    before = urlsplit(request.referrer or "")
    own = before.netloc == request.host and before.path.startswith("/") and not before.path.startswith("//")
    return before.path + (f"?{before.query}" if before.query else "") if own else "/"


def _too_many(error: TooMany) -> ResponseReturnValue:
    reply = make_response(answer(429, error.sentence))
    reply.headers["Retry-After"] = str(max(1, int((error.until - now()).total_seconds())))
    return reply


def _api_error(error: ApiError) -> ResponseReturnValue:
    if error.status_code == 422 and isinstance(error.detail, dict):
        fields = [name for place in error.detail.values() if isinstance(place, dict) for name in place]
        return answer(
            422, "Some values were missing or not as expected.", ", ".join(fields) or None, errors=error.detail
        )
    return answer(error.status_code, error.message)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    return answer(error.code or 500)


def _busy(error: OperationalError) -> ResponseReturnValue:
    """A locked or unreachable database, a full disk: nothing was saved, and the caller may try again."""
    db.session.rollback()
    log.warning("database.busy", reason=type(error.orig).__name__)
    return answer(503)


def _no_room(error: OSError) -> ResponseReturnValue:
    """A disk that is full, read-only or failing while a file is kept: nothing was saved. Any other trouble is our mistake."""
    db.session.rollback()
    if error.errno not in DISK:
        raise error
    log.warning("disk.refuses", reason=errno.errorcode[error.errno])
    return answer(503)


def _unstorable(error: Exception) -> ResponseReturnValue:
    """A zero byte, a number beyond 64 bits: no database keeps it, wherever it was typed."""
    db.session.rollback()
    log.warning("value.unstorable", kind=type(error).__name__)
    return answer(422, "Something you sent holds a character or a number that cannot be stored. Nothing was saved.")


def _clash(error: Exception) -> ResponseReturnValue:
    """Two people, or one person twice, changed the same thing at the same moment: the first one holds, nothing else was saved."""
    db.session.rollback()
    log.warning("database.clash", reason=type(error).__name__)
    return answer(409, "Somebody changed this a moment before you. Reload to see what, then make your change again.")
