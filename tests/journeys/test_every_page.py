"""Pages in a real browser: nothing is asked of another host, the content policy has nothing to refuse, axe finds no violation, and
nothing scrolls sideways at 320 pixels.

The main pages and a tenth of the others in the suite, all of them in `make fuzz`, in each language of the interface; of the
others the second language has a twentieth of its own. What their HTML
holds is read for every page in tests/web/test_every_form.py, and whether it is valid in tests/web/test_html.py.
"""

import os
from urllib.parse import urlsplit

import pytest

from incident import clock
from incident.actions import members
from incident.domain.access import CASE_TEAM, Role
from incident.store import users
from incident.store.db import db
from incident.web.access import permit_of
from incident.web.languages import ENGLISH, LANGUAGES
from tests import crawler
from tests.full_house import a_full_house
from tests.journeys import axe
from tests.journeys.browser import opened
from tests.journeys.served import Served

pytestmark = pytest.mark.journey

FILES = (".csv", ".pdf", ".ics", ".xml", ".json", ".txt", ".html", ".svg", "/file", "/raw", ".docx")
MAIN = (
    "desk.home",
    "incidents.index",
    "incidents.show",
    "obligations.index",
    "people.index",
    "notices.show",
    "deliveries.show",
    "reports.show",
    "audit.index",
    "plans.index",
    "search.index",
    "pages.of_incident",
)
"""What the team has open most of the time."""
NARROW, WIDE = {"width": 320, "height": 700}, {"width": 1440, "height": 900}


def pages_of(served: Served, folder) -> list[str]:
    """The address of each page, once a view, with things of a full house in it; the person signed in is on its incident."""
    return list(_found(served, folder).values())


def _found(served: Served, folder) -> dict[str, str]:
    with served.app.app_context():
        [person] = users.every()
        house = a_full_house(folder / "files")
        members.add(house.incident.ref, person.ref, actor=house.actor, now=clock.now())
        found = dict(crawler.addresses(served.app, house))
        return {
            endpoint: address
            for endpoint, address in sorted(found.items())
            if permit_of(served.app, endpoint) != "signed" and not urlsplit(address).path.endswith(FILES)
        }


def _chosen(found: dict[str, str], begin: int) -> list[str]:
    """The main pages, and every tenth of the others or fewer from `begin` on; all of them where there is time."""
    others = [address for endpoint, address in found.items() if endpoint not in MAIN]
    return [found[endpoint] for endpoint in MAIN] + (
        others if os.environ.get("FUZZ") else others[begin :: 10 + begin * 2]
    )


def _reads(served: Served, language: str) -> None:
    """The person signed in reads this language from now on."""
    with served.app.app_context():
        reader = next(user for user in users.every() if users.sessions_of(user.id, clock.now()))
        reader.language = language
        db.session.commit()


def test_no_page_asks_another_host_for_anything_meets_its_own_policy_or_makes_anybody_stumble(tmp_path):
    served = Served(tmp_path, *CASE_TEAM, Role.ADMINISTRATOR)
    found = _found(served, tmp_path)
    assert len(found) > 80
    main = {found[endpoint] for endpoint in MAIN}
    by_night = set(found.values()) if os.environ.get("FUZZ") else main
    wrong: list[str] = []
    try:
        with opened() as browser:
            page = served.enter(browser).new_page()
            page.emulate_media(reduced_motion="reduce")  # else a colour may be looked at while it changes
            page.on("request", lambda asked: wrong.append(asked.url) if _is_foreign(asked.url, served.url) else None)
            page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 500 else None)
            page.on("download", lambda got: got.cancel())
            for begin, language in enumerate(LANGUAGES):
                _reads(served, language)
                for address in _chosen(found, begin * 5):
                    if _look(page, served.url + address, wrong):
                        by_night_too = address in by_night and (language == ENGLISH or bool(os.environ.get("FUZZ")))
                        wrong += [f"{language} {address}: {one}" for one in _stumbles(page, by_night=by_night_too)]
                    if address in main and page.locator("html").get_attribute("lang") != language:
                        wrong.append(f"{address} is not in {language}")
    finally:
        served.server.close()
    assert wrong == []


def _stumbles(page, *, by_night: bool) -> list[str]:
    """What axe finds by day, and of contrast by night; and what is wider than the narrowest telephone."""
    wrong = axe.violations(page)
    if by_night:
        page.emulate_media(color_scheme="dark")
        wrong += [f"by night: {one}" for one in axe.violations(page, axe.CONTRAST)]
        page.emulate_media(color_scheme="light")
    page.set_viewport_size(NARROW)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(WIDE)
    return wrong + ([f"{width} pixels wide at 320"] if width > NARROW["width"] + 1 else [])


def _is_foreign(asked: str, own: str) -> bool:
    return not asked.startswith((f"{own}/", "data:image/", "blob:", "about:"))


def _look(page, address: str, wrong: list[str]) -> bool:
    """Open the address; whether a whole page came: files are none, and parts of a page that keeps itself fresh are none."""
    try:
        answer = page.goto(address, wait_until="load")
    except Exception as error:  # playwright's own error for a download
        if "Download is starting" not in str(error) and "ERR_ABORTED" not in str(error):
            wrong.append(f"{address}: {error}"[:200])
        return False
    is_page = answer is not None and "text/html" in answer.headers.get("content-type", "")
    return is_page and answer.headers.get("x-fragment") != "1" and page.locator("html[lang]").count() == 1
