"""Pages in a real browser: nothing is asked of another host, and the content policy has nothing to refuse.

A sixth of them in the suite, all of them in `make fuzz`; what their HTML holds is read for every page in tests/web/test_every_form.py.
"""

import os
from urllib.parse import urlsplit

import pytest

from incident import clock
from incident.actions import members
from incident.domain.access import CASE_TEAM, Role
from incident.store import users
from incident.web.access import permit_of
from tests import crawler
from tests.full_house import a_full_house
from tests.journeys.browser import opened
from tests.journeys.served import Served

pytestmark = pytest.mark.journey

FILES = (".csv", ".pdf", ".ics", ".xml", ".json", ".txt", ".html", ".svg", "/file", "/raw", ".docx")


def pages_of(served: Served, folder) -> list[str]:
    """The address of each page, once a view, with things of a full house in it; the person signed in is on its incident."""
    with served.app.app_context():
        [person] = users.every()
        house = a_full_house(folder / "files")
        members.add(house.incident.ref, person.ref, actor=house.actor, now=clock.now())
        found = dict(crawler.addresses(served.app, house))
        return [
            address
            for endpoint, address in sorted(found.items())
            if permit_of(served.app, endpoint) != "signed" and not urlsplit(address).path.endswith(FILES)
        ]


def test_no_page_asks_another_host_for_anything_or_meets_its_own_policy(tmp_path):
    served = Served(tmp_path, *CASE_TEAM, Role.ADMINISTRATOR)
    addresses = pages_of(served, tmp_path)
    assert len(addresses) > 80
    addresses = addresses if os.environ.get("FUZZ") else addresses[::6]
    wrong: list[str] = []
    try:
        with opened() as browser:
            page = served.enter(browser).new_page()
            page.on("request", lambda asked: wrong.append(asked.url) if _is_foreign(asked.url, served.url) else None)
            page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 500 else None)
            page.on("download", lambda got: got.cancel())
            for address in addresses:
                _look(page, served.url + address, wrong)
    finally:
        served.server.close()
    assert wrong == []


def _is_foreign(asked: str, own: str) -> bool:
    return not asked.startswith((f"{own}/", "data:image/", "blob:", "about:"))


def _look(page, address: str, wrong: list[str]) -> None:
    """Open the page; what comes as a file is none."""
    try:
        page.goto(address, wait_until="load")
    except Exception as error:  # playwright's own error for a download
        if "Download is starting" not in str(error) and "ERR_ABORTED" not in str(error):
            wrong.append(f"{address}: {error}"[:200])
