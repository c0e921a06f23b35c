"""Headers on every answer: no foreign content, no framing, no guessing of types, nothing kept by caches."""

import secrets
from functools import cache
from gzip import compress
from hashlib import sha256
from pathlib import Path

import secure
from flask import Flask, Response, current_app, g, request, url_for

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; manifest-src 'self'; report-uri /policy-breaches"
)
PLAIN = secure.Secure(
    referrer=secure.ReferrerPolicy().same_origin(),  # our own error pages lead back; nobody else learns anything
    xcto=secure.XContentTypeOptions().nosniff(),
    xfo=secure.XFrameOptions().deny(),
    coop=secure.CrossOriginOpenerPolicy().same_origin(),
    corp=secure.CrossOriginResourcePolicy().same_origin(),
    permissions=secure.PermissionsPolicy().geolocation().microphone().camera(),
)
HSTS = "max-age=31536000; includeSubDomains"
LASTING = {"static", "bootstrap.static"}
FOREVER = "public, max-age=31536000, immutable"
SMALLER = frozenset({"text/css", "text/javascript", "image/svg+xml"})
"""Kinds of our own files that are sent compressed."""
PAGES = frozenset({"text/html"})
WORTH_IT = 1_000  # bytes


def init(app: Flask) -> None:
    """Gives every answer its headers, and every page a nonce for its one inline script, if it has one."""
    over_tls = app.config["SESSION_COOKIE_SECURE"]

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in PLAIN.headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=nonce()))
        if response.location is not None:
            response.location = _at_home(response.location, request.host_url)
        if over_tls:
            response.headers.setdefault("Strict-Transport-Security", HSTS)
        if request.endpoint not in LASTING:
            response.headers.setdefault("Cache-Control", "no-store")
        elif "v" in request.args:
            response.headers["Cache-Control"] = FOREVER
        return _smaller(response)

    app.jinja_env.globals.update(csp_nonce=nonce, lasting=lasting)
    app.config["SECURITY_SCRIPT_NONCE_KEY"] = "csp_nonce"


def _at_home(location: str, host_url: str) -> str:
    """Where a redirect leads, without the host that the caller named: whoever names one gets no address made of it."""
    if not location.startswith(host_url):
        return location
    return "/" + location.removeprefix(host_url).lstrip("/\\")


def nonce() -> str:
    """This answer's nonce, the same however often it is asked for."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    value: str = g.nonce
    return value


def lasting(endpoint: str, filename: str) -> str:
    """The address of a file of ours with its version in it, so that a browser asks for it once and never again."""
    folder = current_app.static_folder
    if endpoint != "static":
        folder = current_app.blueprints[endpoint.rpartition(".")[0]].static_folder
    return url_for(endpoint, filename=filename, v=_version(f"{folder}/{filename}"))


@cache
def _version(path: str) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()[:12]


def _smaller(response: Response) -> Response:
    """The answer compressed, where that tells nobody anything and the caller takes it.

    Files of ours always. Pages only where the browser says that the reader's own click or page asked: a foreign page that
    makes it ask again and again, to learn from lengths what stands in the answer, gets it at full length.
    """
    if (
        response.status_code != 200
        or not request.accept_encodings.quality("gzip")
        or "Content-Encoding" in response.headers
    ):
        return response
    is_file = request.endpoint in LASTING and response.mimetype in SMALLER
    is_page = response.mimetype in PAGES and request.headers.get("Sec-Fetch-Site") in {"same-origin", "none"}
    if not (is_file or is_page) or request.method == "HEAD" or (is_page and response.is_streamed):
        return response
    response.direct_passthrough = False
    content = response.get_data()
    if len(content) < WORTH_IT:
        return response
    response.set_data(_kept_small(content) if is_file else compress(content, 1, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    if is_page:
        response.vary.add("Sec-Fetch-Site")
    elif etag := response.get_etag()[0]:
        response.set_etag(f"{etag}-gzip")
    return response


@cache
def _kept_small(content: bytes) -> bytes:
    return compress(content, 9, mtime=0)
