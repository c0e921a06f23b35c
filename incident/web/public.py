"""Pages for everybody, without an account: announcements and their feed, the check of a notice, security.txt."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import announcements as actions
from incident.actions import particulars
from incident.domain import check_words, starters, tip_words
from incident.domain.announcements import Posting, posting
from incident.domain.errors import Missing
from incident.exports import cap
from incident.store import announcements as rows
from incident.store.announcements import Announcement
from incident.web import check as checking
from incident.web import public_pages
from incident.web.access import now, permit
from incident.web.notice_pages import house

bp = Blueprint("public", __name__)

PAGE = 50
FRESH = 300  # seconds a proxy may keep a public page, so that taking one down shows within five minutes
SECURITY_TXT_LASTS = timedelta(days=180)


@bp.record_once
def _hand_out(state: Any) -> None:
    state.app.jinja_env.globals["words_around"] = starters.words


@bp.get("/notices/")
@permit("public")
def index() -> ResponseReturnValue:
    """All announcements that stand at this moment; the page around them in the language asked for, or one the browser reads."""
    wanted = [request.args.get("language", ""), *(tag for tag, _ in request.accept_languages)]
    language = check_words.fitting(wanted)
    found = list(rows.posted(now(), before=request.args.get("before", type=int), limit=PAGE + 1))
    page = render_template(
        "public/notices.html",
        found=[(row, public_pages.day(row.starts_at, starters.words(language), house())) for row in found[:PAGE]],
        more=url_for(".index", before=found[PAGE - 1].id, language=language) if len(found) > PAGE else "",
        house=house(),
        language=language,
        tongues=[(tag, starters.named(tag)) for tag in check_words.languages()],
    )
    answer = _kept(page)
    answer.vary.add("Accept-Language")
    answer.headers["Content-Language"] = language
    return answer


@bp.get("/notices/<slug>")
@bp.get("/notices/<slug>/<language>")
@permit("public")
def announcement(slug: str, language: str = "") -> ResponseReturnValue:
    """One announcement, in the language of its address or the one the browser asks for; once it ended, that it did."""
    row = _readable(slug)
    if language and language not in row.languages:
        raise Missing()
    shown = language or request.accept_languages.best_match(row.languages) or row.languages[0]
    around = public_pages.frame(row, shown, house())
    if posting(row.state, row.starts_at, row.ends_at, now()) is not Posting.POSTED:
        return _in_language(render_template("public/ended.html", row=row, frame=around, house=house()), shown, 410)
    sheet = actions.page(row, shown)
    page = render_template(
        "public/announcement.html",
        row=row,
        sheet=sheet,
        frame=around,
        summary=public_pages.summary(sheet),
        house=house(),
        named=starters.named,
        linked=None if row.simulated else public_pages.linked(row, sheet, house()),
    )
    return _in_language(page, shown, 200, None if row.simulated else row.changed_at)


@bp.get("/notices/<slug>/cap.xml")
@permit("public")
def alert(slug: str) -> ResponseReturnValue:
    """One announcement as an alert (CAP 1.2), for programs that pass warnings on."""
    row = _readable(slug)
    if posting(row.state, row.starts_at, row.ends_at, now()) is not Posting.POSTED:
        abort(410)
    written = cap.xml(public_pages.alert(row, house()))
    answer = _kept(written, row.changed_at) if not row.simulated else Response(written)
    answer.mimetype = "application/cap+xml"
    return answer


@bp.get("/notices/feed.atom")
@permit("public")
def feed() -> ResponseReturnValue:
    """The announcements as an Atom feed (RFC 4287)."""
    found = rows.posted(now(), limit=PAGE)
    updated = max((row.changed_at for row in found), default=None)
    text = render_template(
        "public/feed.xml",
        found=found,
        updated=updated or _installed(),
        house=house(),
        title=lambda language: starters.words(language).title,
    )
    answer = _kept(text, updated)
    answer.mimetype = "application/atom+xml"
    return answer


@bp.get("/notices/check")
@permit("public")
def check() -> ResponseReturnValue:
    """Is this message from us? The page of `/check`, at the address that earlier notices name."""
    return checking.answered(request.args.get("reference", ""))


@bp.get("/.well-known/security.txt")
@permit("public")
def security() -> ResponseReturnValue:
    """Whom to tell of a vulnerability (RFC 9116)."""
    settings = particulars.known(current_app.extensions["settings"])
    expires = now().replace(hour=0, minute=0, second=0, microsecond=0) + SECURITY_TXT_LASTS
    mail = (f"Contact: mailto:{settings.contact_email}",) if settings.contact_email else ()
    policy = (f"Policy: {settings.base_url}{url_for('tip_pages.start')}#harbour",) if settings.safe_harbour else ()
    lines = (
        f"Contact: {settings.base_url}{url_for('tip_pages.start')}",
        *mail,
        *policy,
        f"Expires: {expires.isoformat().replace('+00:00', 'Z')}",
        f"Canonical: {settings.base_url}/.well-known/security.txt",
        f"Preferred-Languages: {', '.join(tip_words.languages())}",
    )
    answer = _kept("\n".join(lines) + "\n")
    answer.mimetype = "text/plain"
    return answer


def _readable(slug: str) -> Announcement:
    """The announcement, if this reader may know of it now. Raises Missing: before its time, and those of drills to others."""
    row = rows.by_slug(slug)
    if row is None or posting(row.state, row.starts_at, row.ends_at, now()) is Posting.AHEAD:
        raise Missing()
    if row.simulated and not public_pages.team_may_see(row.incident_id):
        raise Missing()
    return row


def _in_language(page: str, language: str, status: int, changed: datetime | None = None) -> Response:
    answer = _kept(page, changed) if changed is not None else Response(page, status)
    answer.vary.add("Accept-Language")
    answer.headers["Content-Language"] = language
    return answer


def _kept(text: str | bytes, changed: datetime | None = None) -> Response:
    """The answer with a tag, so that proxies and readers ask again cheaply; nobody keeps what a signed-in reader got."""
    answer = Response(text)
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        answer.cache_control.public = True
        answer.cache_control.max_age = FRESH
    if changed is not None:
        answer.last_modified = changed
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _installed() -> datetime:
    """A fixed time for an empty feed, which must have one."""
    return datetime.fromisoformat("2026-01-01T00:00:00+00:00")
