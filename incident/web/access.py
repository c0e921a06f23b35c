"""Who is asking, and may they: every route names its permit, and one hook before all views holds it to that.

Pages know people by their session, the API (`/api/…`) by a personal token alone; a cookie opens nothing there.
The hook runs before bodies are read, whatever the order of decorators, and refuses a route that names no permit.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from flask import Flask, abort, current_app, flash, g, has_request_context, redirect, request, session, url_for
from werkzeug.wrappers import Response

from incident import clock
from incident.actions import refusals, tokens
from incident.domain.access import (
    MEMBER,
    OWN,
    PERMITS,
    PRIVILEGED,
    PUBLIC,
    SIGNED,
    SPECIAL,
    guest_may,
    token_may,
    visible,
)
from incident.domain.access import may as holds
from incident.domain.errors import Missing
from incident.domain.users import is_fresh
from incident.store import members, reading, users
from incident.store.credentials import key_of
from incident.store.incidents import Incident
from incident.store.members import Membership
from incident.store.users import Session, User
from incident.web import late

View = TypeVar("View", bound=Callable[..., Any])

LIBRARY_ROUTES = {"static": PUBLIC, "bootstrap.static": PUBLIC, "openapi.spec": PUBLIC}
"""Routes that libraries bring, with their permit: files of ours and the description of the API, no data."""
WHO_AM_I = "api_account.show"
SCOPE = "This token was not issued for that: it may only read, or belongs to one incident."
IDLE = timedelta(hours=4)
SEEN_EVERY = 60  # seconds between two renewals of the cookie


def permit(name: str, *, fresh: str = "") -> Callable[[View], View]:
    """Mark a view with the permit that opens it. Raises ValueError for a permit that is on no list.

    `fresh` names the page to come back to: the view then asks for a password that was given a short while ago.
    """
    if name not in SPECIAL and name not in PERMITS:
        raise ValueError(f"{name!r} is no permit; add it to incident/domain/access.py.")

    def mark(view: View) -> View:
        view.permit, view.fresh = name, fresh  # type: ignore[attr-defined]
        return view

    return mark


def init(app: Flask) -> None:
    """Puts the hook before every view."""
    app.before_request(_admit)


def demand_permits(app: Flask) -> None:
    """Refuse to start with a route that names no permit: what is not decided is closed."""
    for endpoint, name in LIBRARY_ROUTES.items():
        if endpoint in app.view_functions:
            app.view_functions[endpoint] = _marked(app.view_functions[endpoint], name)
    bare = sorted({rule.endpoint for rule in app.url_map.iter_rules() if permit_of(app, rule.endpoint) is None})
    if bare:
        raise RuntimeError(f"Routes without a permit: {', '.join(bare)}")


def permit_of(app: Flask, endpoint: str) -> str | None:
    """The permit that the view of this endpoint names, or None."""
    return getattr(app.view_functions.get(endpoint), "permit", None)


def _marked(view: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The library's view behind a function of ours that carries the mark (bound methods take none)."""

    def library_view(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return permit(name)(library_view)


def _admit() -> Response | None:
    """Let the request through to its view, send it to sign in, or refuse it."""
    for left_over in ("around", "incident", "language", "now", "parts", "person", "session_row", "token"):
        g.pop(left_over, None)  # `g` may outlive a request where a context was pushed around several
    if request.endpoint is None:
        return None
    if request.method == "OPTIONS":
        abort(405)
    if "\0" in request.path or "\0" in "".join(request.args.values()):
        abort(400)
    name = permit_of(current_app, request.endpoint)
    if name is None:
        abort(403)
    if request.method in {"GET", "HEAD"}:
        reading.begin()
    if name in {PUBLIC, SIGNED}:
        return None
    if _is_api():
        _know_by_token()
    elif elsewhere := _know_by_session(name):
        return elsewhere
    _load_incident()
    if name not in SPECIAL and not _holds(name, g.person):
        refusals.note(g.person.ref, name, incident=g.incident.ref if "incident" in g else None, now=now())
        abort(403)
    if not _in_scope(name):
        abort(403, SCOPE)
    return None if _is_api() else _freshened()


def _is_api() -> bool:
    return request.path.startswith("/api/")


def _know_by_token() -> None:
    """Take the caller from `Authorization: Bearer tcs_…`; cookies are not looked at."""
    given = request.authorization
    secret = given.token if given is not None and given.type == "bearer" else None
    token = users.token_by_key(key_of(secret), now()) if secret else None
    if token is None or not token.user.active:
        abort(401)
    g.person, g.token = token.user, token
    tokens.note_use(token, now=now())


def _in_scope(name: str) -> bool:
    """Whether the token of this call, if it came with one, is meant for it: for reading or all, for one incident or all."""
    token = g.get("token")
    if token is None:
        return True
    if not token_may(token.scope, name, request.method):
        return False
    if token.incident_id is None or request.endpoint == WHO_AM_I:
        return True
    return "incident" in g and g.incident.id == token.incident_id


def _know_by_session(name: str) -> Response | None:
    """Take the caller from the session; answers where to go instead when the sign-in is not complete."""
    secret = session.get("sid")
    row = live_session()
    if row is None:
        return _to_sign_in(None if name == OWN else late.kept_after_the_session(secret, now()))
    if name != OWN and row.second_factor_at is None:
        return redirect(url_for("signin.code" if row.user.has_second_factor else "signin.second_factor"))
    g.person = row.user
    return None


def _freshened() -> Response | None:
    """For a sensitive act: to the password first, unless it was given a short while ago; then back to its page."""
    back = getattr(current_app.view_functions[cast(str, request.endpoint)], "fresh", "")
    row = live_session()
    if not back or row is None or is_fresh(row.fresh_at, now()):
        return None
    return redirect(url_for("signin.again", next=url_for(back, **(request.view_args or {}))))


def live_session() -> Session | None:
    """The session of this request, if it is live: known, not ended, not idle, and of an active account."""
    if "session_row" not in g:
        g.session_row = None  # should the database not answer, the page that says so asks it no second time
        g.session_row = _found_session()
    return cast(Session | None, g.session_row)


def _found_session() -> Session | None:
    secret, seen = session.get("sid"), session.get("seen", 0)
    stamp = int(now().timestamp())
    if not secret or stamp - seen > IDLE.total_seconds():
        return None
    row = users.session_by_key(key_of(secret), now())
    if row is None or not row.user.active:
        session.pop("sid", None)
        return None
    if stamp - seen > SEEN_EVERY:
        session["seen"] = stamp
    return row


def _to_sign_in(kept: str | None) -> Response:
    """To the first step, and from there to where the reader was going, or to what they had typed."""
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    if kept is not None:
        flash("Your session has ended. What you typed is kept: sign in, and it is shown to you again.", "soon")
        back = url_for("unsent.show", ref=kept)
    return redirect(url_for("signin.password", next=back if back != "/" else None))


def _load_incident() -> None:
    """For an address with an incident in it: that incident, or as if it were not there."""
    ref = (request.view_args or {}).get("incident")
    if ref is None:
        return
    found = members.found(ref, g.person.id, at=now())
    if found is None or not _sees(*found):
        # the same for one that is not there, so that not even the time it takes tells of a restricted one
        refusals.note(g.person.ref, "incident.view", incident=found[0].ref if found else None, now=now())
        raise Missing()
    g.incident = found[0]


def _sees(incident: Incident, place: Membership | None) -> bool:
    """Whether this incident exists for the reader: by their roles, or as its guest for the parts they were invited to."""
    is_member = place is not None and not place.capacity
    if visible(restricted=incident.restricted, roles=g.person.roles, is_member=is_member):
        return True
    if place is not None and place.capacity:
        g.parts = tuple(place.parts or ())
    return "parts" in g


def _holds(name: str, reader: User) -> bool:
    """Whether the reader holds the permit here: by roles, or on an incident they are a guest of by its parts alone."""
    return guest_may(name, g.parts) if "parts" in g else holds(name, reader.roles)


def sees_privileged() -> bool:
    """Whether the reader may see what is marked as privileged: guests only where they were let into that."""
    return "parts" not in g or PRIVILEGED in g.parts


def now() -> datetime:
    """The time of this request: one instant, however often it is asked for."""
    if not has_request_context():
        return clock.now()
    if "now" not in g:
        g.now = clock.now()
    return cast(datetime, g.now)


def user() -> User | None:
    """The fully signed-in reader, or None on pages that need no account."""
    if not has_request_context():
        return None
    if "person" in g:
        return cast(User, g.person) if _is_api() or _complete(live_session()) else None
    if _is_api():
        return None
    row = live_session()
    return row.user if row is not None and _complete(row) else None


def _complete(row: Session | None) -> bool:
    return row is not None and row.second_factor_at is not None


def me() -> User:
    """The person who asks. Only behind a permit that needs an account."""
    return cast(User, g.person)


def actor() -> str:
    """The reference of the person who asks; `public` on pages that need no account."""
    return me().ref if "person" in g else "public"


def may(view: Callable[..., Any] | str) -> bool:
    """Whether the reader holds the permit (by name, or of this view): to show a button only to who may press it."""
    name = view if isinstance(view, str) else getattr(view, "permit", None)
    reader = user()
    if name in {PUBLIC, SIGNED}:
        return True
    if reader is None or name is None:
        return False
    return name in {OWN, MEMBER} or _holds(name, reader)


def may_anywhere(view: Callable[..., Any]) -> bool:
    """Whether the reader's roles open this view: for lists over all incidents, which are shut to the guests of one."""
    reader, name = user(), getattr(view, "permit", "")
    return reader is not None and (name in SPECIAL or holds(name, reader.roles))


def zone() -> ZoneInfo:
    """The reader's time zone; UTC for strangers."""
    reader = user()
    return ZoneInfo(reader.time_zone if reader is not None else "UTC")
