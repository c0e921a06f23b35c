"""Pages for everybody, without an account: announcements and their feed, the check of a notice, security.txt."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import announcements as actions
from incident.actions.merging import House
from incident.domain import starters
from incident.domain.announcements import Posting, posting
from incident.domain.errors import Missing
from incident.domain.notices import Stage
from incident.store import announcements as rows
from incident.store import notices
from incident.store.announcements import Announcement
from incident.web.access import now, permit
from incident.web.notice_pages import house

bp = Blueprint("public", __name__)

PAGE = 50
FRESH = 300  # seconds a proxy may keep a public page, so that taking one down shows within five minutes
SECURITY_TXT_LASTS = timedelta(days=180)


@bp.get("/notices/")
@permit("public")
def index() -> ResponseReturnValue:
    """All announcements that stand at this moment."""
    found = list(rows.posted(now(), before=request.args.get("before", type=int), limit=PAGE + 1))
    more = url_for(".index", before=found[PAGE - 1].id) if len(found) > PAGE else ""
    return _kept(
        render_template("public/notices.html", found=found[:PAGE], more=more, house=house(), named=starters.named)
    )


@bp.get("/notices/<slug>")
@bp.get("/notices/<slug>/<language>")
@permit("public")
def announcement(slug: str, language: str = "") -> ResponseReturnValue:
    """One announcement, in the language of its address or the one the browser asks for."""
    row = rows.by_slug(slug)
    if row is None:
        raise Missing()
    standing = posting(row.state, row.starts_at, row.ends_at, now())
    if standing is Posting.AHEAD:
        raise Missing()
    if standing is not Posting.POSTED:
        return render_template("public/ended.html", row=row, house=house()), 410
    shown = language or request.accept_languages.best_match(row.languages) or row.languages[0]
    sheet = actions.page(row, shown)
    page = render_template(
        "public/announcement.html",
        row=row,
        sheet=sheet,
        language=shown,
        house=house(),
        named=starters.named,
        linked=_linked(row, shown, house()),
    )
    answer = _kept(page, row.changed_at)
    answer.vary.add("Accept-Language")
    answer.headers["Content-Language"] = shown
    return answer


@bp.get("/notices/feed.atom")
@permit("public")
def feed() -> ResponseReturnValue:
    """The announcements as an Atom feed (RFC 4287)."""
    found = rows.posted(now(), limit=PAGE)
    updated = max((row.changed_at for row in found), default=None)
    text = render_template("public/feed.xml", found=found, updated=updated or _installed(), house=house())
    answer = _kept(text, updated)
    answer.mimetype = "application/atom+xml"
    return answer


@bp.get("/notices/check")
@permit("public")
def check() -> ResponseReturnValue:
    """Is this message from us? Answers by the reference in it, and says nothing else."""
    reference = request.args.get("reference", "").strip().upper()[:40]
    notice = notices.anywhere(reference) if reference else None
    genuine = notice is not None and notice.stage in {Stage.SENDING, Stage.SENT}
    row = next(iter(rows.of_notice(notice.id)), None) if notice is not None else None
    if row is not None and posting(row.state, row.starts_at, row.ends_at, now()) is not Posting.POSTED:
        row = None
    genuine = genuine or row is not None
    page = render_template(
        "public/check.html", reference=reference, genuine=genuine, row=row if genuine else None, house=house()
    )
    return Response(page, 200 if genuine or not reference else 404)


@bp.get("/.well-known/security.txt")
@permit("public")
def security() -> ResponseReturnValue:
    """Whom to tell of a vulnerability (RFC 9116)."""
    settings = current_app.extensions["settings"]
    if not settings.contact_email:
        raise Missing()
    expires = now().replace(hour=0, minute=0, second=0, microsecond=0) + SECURITY_TXT_LASTS
    lines = (
        f"Contact: mailto:{settings.contact_email}",
        f"Expires: {expires.isoformat().replace('+00:00', 'Z')}",
        f"Canonical: {settings.base_url}/.well-known/security.txt",
        f"Preferred-Languages: {', '.join(tag.partition('-')[0] for tag in starters.languages())}",
    )
    answer = _kept("\n".join(lines) + "\n")
    answer.mimetype = "text/plain"
    return answer


def _kept(text: str, changed: datetime | None = None) -> Response:
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


def _linked(row: Announcement, language: str, house: House) -> dict[str, Any]:
    """The announcement in the words of schema.org, for search engines and archives."""
    linked: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": row.titles[language],
        "inLanguage": language,
        "datePublished": row.starts_at.isoformat(),
        "dateModified": row.changed_at.isoformat(),
        "url": f"{house.site}{url_for('.announcement', slug=row.slug, language=language)}",
        "isAccessibleForFree": True,
    }
    if row.ends_at is not None:
        linked["expires"] = row.ends_at.isoformat()
    if house.company.get("name"):
        linked["publisher"] = {"@type": "Organization", "name": house.company["name"]}
    return linked


def _installed() -> datetime:
    """A fixed time for an empty feed, which must have one."""
    return datetime.fromisoformat("2026-01-01T00:00:00+00:00")
