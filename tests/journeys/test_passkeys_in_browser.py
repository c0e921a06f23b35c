"""Passkeys with the virtual authenticators of a real Chromium: added, used as second factor and alone, forged, replayed, removed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession
from waitress.server import create_server

from incident import clock, start
from incident.actions import users as actions
from incident.actions.ledger import transaction
from incident.domain import second_factor
from incident.domain.access import Role
from incident.settings import Settings
from incident.store import credentials, passkeys, users
from incident.store.db import db
from incident.store.users import User
from tests import record
from tests.builders import a_session, a_user
from tests.journeys.browser import Window, press
from tests.journeys.installation import free_port
from tests.web.test_signin import key_on

pytestmark = pytest.mark.journey
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Served under a name, as passkeys need it; one account."""
    port = free_port()
    folder = tmp_path_factory.mktemp("passkeys")
    made = start.prepare(Settings(instance=folder, port=port, test_mode=True, base_url=f"http://localhost:{port}"))
    made.url = f"http://localhost:{port}"
    server = create_server(made, host="127.0.0.1", port=port)
    threading.Thread(target=server.run, daemon=True).start()
    with made.app_context():
        a_user(Role.LEAD, name="Ana", email="ana@example.org", password=PASSWORD)
        yield made
        db.session.remove()
    server.close()


def authenticator(window: Window, *, verifies: bool = True) -> tuple[CDPSession, str]:
    """A virtual key in this window; `verifies`: it checks its owner by PIN or finger."""
    tap = window.context.new_cdp_session(window.page)
    tap.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": verifies,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    made = tap.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return tap, made["authenticatorId"]


@contextmanager
def a_window(browser: Browser, app: Any) -> Iterator[Window]:
    window = Window(browser, app.url)
    yield window
    assert window.wrong == []
    window.context.close()


def verbs() -> list[str]:
    db.session.rollback()
    return record.verbs()


def how_signed_in() -> str:
    """How the last sign-in was completed, as the record says."""
    db.session.rollback()
    line = [line for line in record.lines() if line.verb == "session.signed_in"][-1]
    return str(record.details(line).get("how"))


def test_a_key_is_added_serves_as_second_factor_and_alone_and_opens_nothing_once_removed(browser, app):
    with a_window(browser, app) as window:
        authenticator(window)
        page = window.go("/sign-in")
        page.get_by_label("Mail address").fill("ana@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        press(page.get_by_role("button", name="Go on"))
        secret = key_on(page.content())
        page.get_by_label("Code").fill(second_factor.code_at(secret, second_factor.counter_at(clock.now())))
        page.locator("main button.btn-primary").click()
        page.get_by_text("recovery codes").first.wait_for()

        page = window.go("/account/passkeys")
        page.get_by_label("Which key is it?").fill("Blue key")
        page.get_by_role("button", name="Add the key").click()
        page.get_by_text("The key is added").wait_for()
        assert "Blue key" in page.content()
        assert "never used" in page.content()
        assert window.fits()
        assert verbs()[-1] == "passkey.added"

        window.go("/account/")
        page.get_by_role("button", name="Sign out", exact=True).first.click()
        page.get_by_role("button", name="Go on").wait_for()
        page.get_by_label("Mail address").fill("ana@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("button", name="Use a passkey or security key").click()
        page.wait_for_url(f"{app.url}/")
        assert how_signed_in() == "passkey"

        window.go("/account/")
        page.get_by_role("button", name="Sign out", exact=True).first.click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url(f"{app.url}/")
        assert how_signed_in() == "passkey alone"

        page = window.go("/account/passkeys")
        assert "last used" in page.content()
        page.locator("details.confirm summary").click()
        page.get_by_role("button", name="Remove it").click()
        page.get_by_text("opens nothing any more").wait_for()
        window.go("/account/")
        page.get_by_role("button", name="Sign out", exact=True).first.click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.get_by_text("did not prove itself").wait_for()
        assert verbs()[-1] == "session.refused"
    with app.app_context():
        assert passkeys.of(users.by_email("ana@example.org").id) == []


ASK_FOR_LESS = """(id) => {
  const form = document.querySelector("form[data-passkey]"), asked = JSON.parse(form.dataset.options);
  const known = [{ type: "public-key", id }];
  form.dataset.options = JSON.stringify({ ...asked, userVerification: "discouraged", allowCredentials: known });
}"""


def test_a_key_that_does_not_check_its_owner_is_a_second_factor_and_never_both(browser, app):
    with a_window(browser, app) as window:
        authenticator(window, verifies=False)
        enrolled(app, window, with_a_generator("bea@example.org"))
        window.go("/account/")
        page = window.page
        page.get_by_role("button", name="Sign out", exact=True).first.click()
        page.get_by_role("button", name="Sign in with a passkey").wait_for()
        key = passkeys.of(users.by_email("bea@example.org").id)[-1]
        page.evaluate(ASK_FOR_LESS, passkeys.shown(key.credential))
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.get_by_text("did not prove itself").wait_for()
        page.get_by_label("Mail address").fill("bea@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("button", name="Use a passkey or security key").click()
        page.wait_for_url(f"{app.url}/")
        assert how_signed_in() == "passkey"


def test_an_answer_that_was_given_before_opens_nothing_again(browser, app):
    """Somebody who copied cookie and answer sends both once more."""
    with a_window(browser, app) as window:
        authenticator(window)
        enrolled(app, window, with_a_generator("cem@example.org"))
        window.go("/account/")
        window.page.get_by_role("button", name="Sign out", exact=True).first.click()
        window.page.get_by_role("button", name="Sign in with a passkey").wait_for()
        cookies = window.context.cookies()
        sent: list[str] = []
        window.page.on("request", lambda asked: sent.append(asked.post_data or "") if asked.method == "POST" else None)
        window.page.get_by_role("button", name="Sign in with a passkey").click()
        window.page.wait_for_url(f"{app.url}/")
        thief = browser.new_context()
        thief.add_cookies(cookies)
        again = thief.request.post(
            f"{app.url}/sign-in/passkey",
            data=sent[-1],
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            max_redirects=0,
        )
        assert again.headers["location"] == "/sign-in"
        assert verbs()[-1] == "session.refused"
        thief.close()


def test_a_reset_ends_every_key(browser, app):
    with a_window(browser, app) as window:
        authenticator(window)
        with app.app_context():
            ana = users.by_email("ana@example.org")
            enrolled(app, window, ana)
            boss = a_user(Role.ADMINISTRATOR)
            assert passkeys.of(ana.id)
            actions.reset(ana.ref, actor=boss.ref, now=clock.now())
            assert passkeys.of(ana.id) == []
        window.go("/sign-in")
        window.page.get_by_role("button", name="Sign in with a passkey").click()
        window.page.get_by_text("did not prove itself").wait_for()


def with_a_generator(email: str) -> User:
    """An account whose code generator is set up, as each is before it has a key."""
    user = a_user(Role.LEAD, email=email, password=PASSWORD)
    with transaction("system", clock.now()) as ledger:
        user.totp_secret = credentials.seal_secret(user.ref, second_factor.as_bytes(second_factor.new_secret()))
        ledger.write("second_factor.set_up", user.ref)
    return user


def enrolled(app: Any, window: Window, user: Any) -> None:
    """This person signed in in this window, with a new key of the window's authenticator."""
    with app.test_request_context():
        signer = app.session_interface.get_signing_serializer(app)
        signed = signer.dumps({"sid": a_session(user), "seen": int(clock.now().timestamp())})
    window.context.add_cookies([{"name": "tocsin", "value": signed, "domain": "localhost", "path": "/"}])
    page = window.go("/account/passkeys")
    page.get_by_label("Which key is it?").fill("Another key")
    page.get_by_role("button", name="Add the key").click()
    page.get_by_text("The key is added").wait_for()
