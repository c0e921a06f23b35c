"""Headers on every answer: no foreign content, no framing, no guessing of types, nothing kept by caches."""

import secrets

import secure
from flask import Flask, Response, g, request

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; manifest-src 'self'"
)
PLAIN = secure.Secure(
    referrer=secure.ReferrerPolicy().no_referrer(),
    xcto=secure.XContentTypeOptions().nosniff(),
    xfo=secure.XFrameOptions().deny(),
    coop=secure.CrossOriginOpenerPolicy().same_origin(),
    corp=secure.CrossOriginResourcePolicy().same_origin(),
    permissions=secure.PermissionsPolicy().geolocation().microphone().camera(),
)
HSTS = "max-age=31536000; includeSubDomains"
LASTING = {"static", "bootstrap.static"}


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
        return response

    app.jinja_env.globals["csp_nonce"] = nonce
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
