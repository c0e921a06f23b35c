"""The single sign-on in a real Chromium, over two sites: there, back, the own second factor, shut, and in by a code that was read out."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from waitress.server import create_server

from incident import clock, start
from incident.actions import sign_on, users
from incident.actions.ledger import transaction
from incident.domain import second_factor
from incident.domain.access import Role
from incident.settings import Settings
from incident.store import credentials
from incident.store import users as rows
from incident.store.db import db
from notifiers.open_id import Client, OpenId
from tests.builders import a_user
from tests.fakes.open_id import CLIENT, SECRET, FakeOpenId
from tests.journeys.browser import Window, press
from tests.journeys.installation import free_port

pytestmark = pytest.mark.journey
PASSWORD = "correct horse battery staple"
GENERATOR = b"12345678901234567890"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeOpenId]:
    with FakeOpenId() as server:
        yield server


@pytest.fixture(scope="module")
def app(tmp_path_factory, fake):
    """Served under `localhost`, with a provider at 127.0.0.1: to a browser these are two sites."""
    port = free_port()
    settings = Settings(
        instance=tmp_path_factory.mktemp("sign-on"), port=port, test_mode=True, base_url=f"http://localhost:{port}"
    )
    made = start.prepare(settings)
    back = f"{settings.base_url}/sign-in/provider/back"
    made.extensions["sign_on"] = OpenId(fake.url, Client(CLIENT, SECRET, back), name="Example sign-on", loopback=True)
    made.url = settings.base_url
    server = create_server(made, host="127.0.0.1", port=port)
    threading.Thread(target=server.run, daemon=True).start()
    with made.app_context():
        yield made
        db.session.remove()
    server.close()


def ana() -> str:
    user = a_user(Role.LEAD, Role.ADMINISTRATOR, name="Ana", email="ana@example.org", password=PASSWORD)
    with transaction(user.ref, clock.now()) as ledger:
        rows.by_ref(user.ref).totp_secret = credentials.seal_secret(user.ref, GENERATOR)
        ledger.write("second_factor.set_up", user.ref)
    return user.ref


def test_in_by_the_provider_out_again_and_by_a_code_once_it_is_shut(browser, app, fake):
    ref = ana()
    window = Window(browser, app.url)
    page = window.go("/sign-in?next=/team/")
    press(page.get_by_role("link", name="Go on with Example sign-on"))
    expect(page.get_by_role("heading", name="Your second factor")).to_be_visible()
    page.get_by_label("Code").fill(second_factor.code_at(GENERATOR, second_factor.counter_at(clock.now())))
    press(page.locator("main button.btn-primary"))
    expect(page.get_by_role("heading", name="Team")).to_be_visible()
    window.go("/account/")
    expect(page.get_by_text("it stands in place of your password")).to_be_visible()
    assert window.fits()
    press(page.get_by_role("button", name="Sign out", exact=True).first)
    press(page.get_by_role("link", name="Sign out there too"))
    expect(page.get_by_role("heading", name="You have left")).to_be_visible()

    db.session.rollback()
    sign_on.shut(actor=ref, now=clock.now())
    window.go("/sign-in")
    expect(page.get_by_text("The Example sign-on is shut.")).to_be_visible()
    expect(page.get_by_role("link", name="Go on with")).to_have_count(0)
    boss = a_user(Role.ADMINISTRATOR)
    code = users.reset(ref, actor=boss.ref, now=clock.now())
    press(page.get_by_role("link", name="Type it"))
    page.get_by_label("Code").fill(code.lower().replace("-", " "))
    press(page.get_by_role("button", name="Go on"))
    expect(page.get_by_role("heading", name="Welcome to the team")).to_be_visible()
    assert window.fits()
    foreign = [one for one in window.wrong if not one.startswith(f"foreign: {fake.url}/")]
    assert foreign == []
    window.context.close()
