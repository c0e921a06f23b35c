"""A file that is too large is said to be so where it is chosen: nothing is sent, and what was typed beside it stays."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.builders import an_incident
from tests.journeys.served import Served


def test_a_file_that_is_too_large_is_refused_where_it_is_chosen(tmp_path: Path, browser: Browser) -> None:
    served = Served(tmp_path / "instance", "lead", "responder")
    with served.app.app_context():
        incident = an_incident().ref
    page = served.enter(browser).new_page()
    page.goto(f"{served.url}/incidents/{incident}/evidence")
    page.fill("[name=brought_by]", "The night shift")
    page.evaluate("document.body.dataset.largest = '10'")
    chosen = page.locator("input[type=file]").first
    chosen.set_input_files({"name": "a.log", "mimeType": "text/plain", "buffer": b"eleven bytes"})
    assert chosen.evaluate("one => one.validationMessage") == "Choose less: at most 500 MB are taken at once."
    page.locator("form:has(input[type=file]) button").first.click()
    assert page.locator("[name=brought_by]").input_value() == "The night shift"
    chosen.set_input_files({"name": "a.log", "mimeType": "text/plain", "buffer": b"ten bytes"})
    assert chosen.evaluate("one => one.validationMessage") == ""
