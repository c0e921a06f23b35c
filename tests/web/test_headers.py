"""What every answer says to a browser, whoever asked and whatever became of it."""

import pytest
from werkzeug.datastructures import MultiDict

from incident.app import create_app
from incident.domain.access import Role
from incident.store.db import db
from tests.builders import a_user

PASSWORD = "correct horse battery staple"

KINDS = (
    "/",
    "/sign-in",
    "/incidents/",
    "/static/live.js",
    "/api/v1/incidents",
    "/api/openapi.json",
    "/nothing-here",
    "/health",
)


@pytest.fixture
def over_tls(built, app):
    """The same installation, reached by https."""
    made = create_app(built.settings.model_copy(update={"base_url": "https://incidents.example.org"}))
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(params=("nobody", "a lead"))
def browser(request: pytest.FixtureRequest, as_, client):
    return client if request.param == "nobody" else as_(Role.LEAD)


@pytest.mark.parametrize("address", KINDS)
def test_every_answer_forbids_what_we_do_not_need(browser, address):
    headers = browser.get(address).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    for closed in ("default-src", "object-src", "base-uri", "frame-ancestors"):
        assert policy[closed] == "'none'"
    assert policy["script-src"].startswith("'self' 'nonce-")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "*" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


def test_two_answers_never_share_a_nonce(client):
    policies = {client.get("/sign-in").headers["Content-Security-Policy"] for _ in range(5)}
    assert len(policies) == 5


@pytest.mark.parametrize("address", ["/", "/incidents/", "/account/", "/api/v1/incidents", "/nothing-here"])
def test_what_is_not_a_file_of_ours_is_kept_by_no_cache(browser, address):
    assert browser.get(address).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", KINDS)
def test_text_says_its_alphabet(browser, address):
    kind = browser.get(address, follow_redirects=True).headers["Content-Type"]
    assert kind.startswith(("application/json", "application/problem+json")) or "charset=utf-8" in kind


def test_over_https_a_browser_is_told_to_stay_there_for_a_year(over_tls):
    for address in ("/health", "/static/live.js", "/nothing-here"):
        told = over_tls.test_client().get(address, base_url="https://incidents.example.org").headers
        assert told["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_the_cookie_over_https_is_for_this_host_alone_and_no_script_reads_it(over_tls):
    client = over_tls.test_client()
    cookies = client.get("/sign-in", base_url="https://incidents.example.org").headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        name, *attributes = (part.strip() for part in cookie.split(";"))
        assert name.startswith("__Host-tocsin=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
        assert not any(one.lower().startswith("domain") for one in attributes)
        assert len(cookie) < 4096


def test_a_cookie_with_all_that_a_session_keeps_is_small(as_):
    browser = as_(Role.LEAD)
    browser.get("/account/")
    assert all(len(cookie) < 4096 for cookie in browser.get("/").headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PATCH", "PROPFIND", "DEBUG"])
def test_methods_that_no_page_has_are_refused(as_, method):
    assert as_(Role.LEAD).open("/sign-in", method=method).status_code == 405


def test_signing_out_empties_what_the_browser_keeps(as_):
    browser = as_(Role.LEAD)
    answer = browser.post("/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert browser.get("/incidents/").status_code == 302


def test_no_answer_names_the_server_or_its_version(browser):
    headers = browser.get("/").headers
    assert "X-Powered-By" not in headers
    assert not any(word in str(headers) for word in ("Werkzeug", "Python/", "waitress", "gunicorn"))


@pytest.mark.parametrize(
    "address", ["/static/", "/static/../app.py", "/static/%2e%2e/app.py", "/.git/config", "/instance/keys"]
)
def test_no_folder_is_listed_and_nothing_beside_ours_is_served(client, address):
    assert client.get(address).status_code == 404


def test_a_page_in_debug_mode_is_never_served(over_tls):
    assert over_tls.debug is False
    assert over_tls.testing is False


@pytest.mark.parametrize("host", ["evil.example.net", "localhost:1", "[::1]"])
def test_no_link_or_redirect_follows_the_host_that_the_caller_names(client, host):
    named = {"Host": host, "X-Forwarded-Host": "evil.example.net"}
    assert client.get("/incidents/", headers=named).headers["Location"].startswith("/sign-in")
    assert client.get("/incidents", headers=named).headers["Location"] == "/incidents/"


def test_who_sets_proxy_headers_without_a_proxy_is_not_believed(client, monkeypatch):
    answer = client.get("/incidents/", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/evil"})
    assert answer.headers["Location"].startswith("/sign-in")


def test_a_field_that_comes_twice_is_read_from_the_form_alone(client, app):
    """What stands in the address or in a cookie never takes the place of what the form says."""
    a_user(Role.LEAD, email="ana@example.org", password=PASSWORD)
    client.set_cookie("password", PASSWORD)
    asked = client.post(
        f"/sign-in?email=ana@example.org&password={PASSWORD}", data={"email": "ana@example.org", "password": "wrong"}
    )
    assert asked.status_code == 422
    twice = MultiDict([("email", "ana@example.org"), ("password", "wrong"), ("password", PASSWORD)])
    assert client.post("/sign-in", data=twice).status_code == 422
    assert client.post("/sign-in", data={"email": "ana@example.org", "password": PASSWORD}).status_code == 302
