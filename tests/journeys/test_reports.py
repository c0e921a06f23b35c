"""A report in a real browser: prepared, saved with a mistake, filed, downloaded; wide and on a telephone, without scripts too."""

import io
from collections.abc import Iterator
from threading import Thread

import pytest
from apiflask import APIFlask
from pypdf import PdfReader
from werkzeug.serving import make_server

from incident import clock
from incident.domain.access import Role
from tests.builders import a_session, a_user, an_incident
from tests.journeys.browser import Window, opened, press

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

FACTS = {
    "what_happened": "A copy of the database was taken. " * 12,
    "category": "data_leak",
    "data_kinds": ["name", "bank_account"],
    "aware_at": "2026-03-06T09:00:00Z",
    "personal_data": True,
    "role": "controller",
    "risk_to_people": "risk",
    "residents": {"FR": 100, "CN": 1_204_331},
}


@pytest.fixture
def served(app: APIFlask) -> Iterator[str]:
    """The application on a socket of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    app.config["WTF_CSRF_ENABLED"] = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    app.config["WTF_CSRF_ENABLED"] = False
    server.shutdown()


def signed_in(window: Window, app: APIFlask, secret: str) -> Window:
    """The window, with this session's cookie."""
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    value = signer.dumps({"sid": secret, "seen": int(clock.now().timestamp())})
    window.context.add_cookies([{"name": "tocsin", "value": value, "url": window.url}])
    return window


def test_a_report_goes_from_its_duty_to_its_files(app: APIFlask, served: str) -> None:
    secret, incident = a_session(a_user(Role.PRIVACY)), an_incident(facts=FACTS)
    with opened() as browser:
        window = signed_in(Window(browser, served), app, secret)
        page = window.go(f"/incidents/{incident.ref}/reports/")
        press(page.locator("form:has(input[value='EU-GDPR/tell-authority']) button"))
        assert page.get_by_text("Filing it meets the duty").is_visible()
        page.locator("#q-nature summary").click()
        page.locator("#t-nature").fill("Nothing was taken.")
        page.locator("#q-sector summary").click()
        page.locator("#t-sector").fill("Retail and more")
        press(page.get_by_role("button", name="Save", exact=True).first)
        assert page.get_by_text("say in a few words why you answer by hand").first.is_visible()
        assert page.locator("#t-sector").input_value() == "Retail and more"
        page.locator("input[name='reason:nature']").fill("Counsel asked for it")
        page.locator("#t-delay_reason").fill("The logs came late.")
        press(page.get_by_role("button", name="Save and file…").first)
        page.get_by_label("Reference given by the authority").fill("CNIL-17")
        page.get_by_label("It went out without them").check()
        press(page.get_by_role("button", name="It was filed"))
        assert page.get_by_text("CNIL-17").is_visible()
        with page.expect_download() as coming:
            page.get_by_role("link", name="PDF").click()
        made = PdfReader(io.BytesIO(coming.value.path().read_bytes()))
        assert "Nothing was taken." in "\n".join(one.extract_text() for one in made.pages)
        assert window.wrong == []


@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_of_reports_scrolls_sideways(app: APIFlask, served: str, width: int) -> None:
    secret, incident = a_session(a_user(Role.PRIVACY, Role.LEAD)), an_incident(facts=FACTS)
    with opened() as browser:
        window = signed_in(Window(browser, served, width=width), app, secret)
        page = window.go(f"/incidents/{incident.ref}/reports/")
        assert window.fits()
        page.locator("#s-form").select_option("cn-cac-2025")
        press(page.get_by_role("button", name="Begin"))
        page.wait_for_url("**/reports/R-*")
        assert window.fits()
        press(page.get_by_role("button", name="Save and file…").first)
        page.wait_for_url("**/reports/R-*/file")
        assert window.fits()
        assert window.wrong == []
