"""A form that arrives after its sender's session has ended: what was typed is kept, sealed, for that account alone.

It is kept only where the browser still holds the key of a session that ran out by itself and had both factors, and where the
form bears that browser's token, or the browser says that a page of ours sent it. A session that somebody ended keeps nothing.
"""

from datetime import datetime
from urllib.parse import urlsplit

from flask import g, request, session
from flask_wtf.csrf import validate_csrf
from wtforms.validators import ValidationError

from incident.domain.unsent import worth_keeping
from incident.store import unsent, users
from incident.store.credentials import key_of
from incident.store.db import new_ref
from incident.store.unsent import KEPT, Kept

LONGEST_PATH = 500


def kept_after_the_session(secret: str | None, now: datetime) -> str | None:
    """Keep the form of this request for whoever had the session with this secret; its reference, None if nothing is kept."""
    if request.method != "POST" or "X-Fragment" in request.headers or not secret or not is_from_our_page():
        return None
    row = users.session_past(key_of(secret), now - KEPT)
    if row is None or row.second_factor_at is None or not row.user.active:
        return None
    return _keep(row.user_id, now)


def kept_with_an_old_token(now: datetime) -> str | None:
    """Keep a form whose page is older than the present session; its reference, None where it may come from elsewhere."""
    if request.method != "POST" or "person" not in g or not _is_sent_by_us():
        return None
    return _keep(g.person.id, now)


def _keep(user_id: int, now: datetime) -> str | None:
    fields = worth_keeping(request.form.items(multi=True))
    if not fields or len(request.full_path) > LONGEST_PATH:
        return None
    ref = new_ref("UF")
    with_files = any(one.filename for one in request.files.values())
    unsent.keep(ref, user_id, request.full_path.rstrip("?"), Kept(list(fields), _page_before(), with_files), now)
    return ref


def is_from_our_page() -> bool:
    """Whether the form bears the token that this browser was given."""
    try:
        validate_csrf(request.form.get("csrf_token", ""))
    except ValidationError:
        return _is_sent_by_us()
    return "csrf_token" in session


def _is_sent_by_us() -> bool:
    """Whether the browser itself says that a page of ours sent this; no page elsewhere can make it say so."""
    return request.headers.get("Sec-Fetch-Site") == "same-origin" and _same_host(request.headers.get("Origin", ""))


def _same_host(address: str) -> bool:
    return urlsplit(address).netloc == request.host


def _page_before() -> str:
    """The page of ours that the form stood on; the desk where the browser does not say."""
    before = urlsplit(request.referrer or "")
    own = before.netloc == request.host and before.path.startswith("/") and not before.path.startswith("//")
    return (before.path + (f"?{before.query}" if before.query else ""))[:LONGEST_PATH] if own else "/"
