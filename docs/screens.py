"""Takes pictures in Chromium: the README's, and every page in four looks, empty and full.

    python docs/screens.py                    docs/pictures/, then shots/: each page at 390 and 1440 pixels, by day and by night
    python docs/screens.py --docs             docs/pictures/ alone
    python docs/screens.py --only people      those pages alone whose address has this in it
    python docs/screens.py --language zh-Hans in the other language

The pictures of the docs show the sample incident in a fresh installation. The full installation has 1,000 incidents and 100,000
people (`bench/stock.py`) and one incident with something in every room (`tests/full_house.py`); both are kept in shots/stock and
used again: remove it after a change of what they hold. Pictures are named after the page, the look and the width. What scrolls
sideways is told.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import structlog  # noqa: E402
from apiflask import APIFlask  # noqa: E402
from playwright.sync_api import Error as PlaywrightError  # noqa: E402
from waitress.server import create_server  # noqa: E402

from bench import stock  # noqa: E402
from incident import clock, start  # noqa: E402
from incident.actions import drills, members, notices  # noqa: E402
from incident.cli.demo import load  # noqa: E402
from incident.domain.access import CASE_TEAM, Role  # noqa: E402
from incident.settings import Settings  # noqa: E402
from incident.store.db import db  # noqa: E402
from incident.web.access import permit_of  # noqa: E402
from tests import crawler  # noqa: E402
from tests.builders import a_user  # noqa: E402
from tests.full_house import a_full_house  # noqa: E402
from tests.journeys.browser import opened  # noqa: E402
from tests.journeys.installation import free_port  # noqa: E402
from tests.journeys.test_every_page import FILES  # noqa: E402

SHOTS = ROOT / "shots"
INCIDENTS, PEOPLE = 1_000, 100_000
NARROW, WIDE = 390, 1440  # pixels
LOOKS = ("light", "dark")
TALLEST = 6_000  # pixels of one picture


def main() -> None:
    """Write docs/pictures/ and shots/."""
    given = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if not given.only and given.language == "en":
        of_docs()
    if not given.docs:
        for kind, served in (("empty", _empty), ("full", _full)):
            if given.state in {"", kind}:
                app, user, addresses = served(given.language)
                chosen = {name: address for name, address in addresses.items() if given.only in address}
                _take(app, user, chosen, SHOTS / given.language / kind)
    os._exit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--state", choices=("", "empty", "full"), default="")
    parser.add_argument("--language", choices=("en", "zh-Hans"), default="en")
    return parser.parse_args()


def of_docs() -> None:
    """What README and docs show: the sample incident, a drill of a scenario, and the page for people outside."""
    app = start.prepare(Settings(instance=Path(tempfile.mkdtemp()), test_mode=True))
    with app.app_context():
        user = a_user("lead", "privacy", "responder", name="Lead on duty", zone="Europe/Berlin").ref
        pages = _of_samples(app, user)
    with opened() as browser:
        for name, (address, width) in pages.items():
            page = _entered(browser, app, user, {"width": width, "height": 900 if width > NARROW else 780}, "light")
            page.goto(_address(app) + address, wait_until="networkidle")
            page.screenshot(path=ROOT / "docs" / "pictures" / f"{name}.png")
            page.context.close()


def _of_samples(app: APIFlask, user: str) -> dict[str, tuple[str, int]]:
    """The address and the width of each picture, by its name."""
    now, settings = clock.now(), app.extensions["settings"]
    one = f"/incidents/{load(now)}"
    folder = settings.instance / "files"
    drill = drills.start("ransomware", factor=12, house={}, folder=folder, actor=user, now=now)
    notice = notices.draft(one.rpartition("/")[2], "What happened to your data", actor=user, now=now)
    wide = {"desk": "/", "incident": one, "duties": f"{one}/duties/", "plan": f"{one}/plans/"}
    wide |= {"notice": f"{one}/notices/{notice}", "drill": f"/incidents/{drill}/drill"}
    narrow = {"report": "/report", "check": "/check"}
    return {name: (address, WIDE) for name, address in wide.items()} | {
        name: (address, NARROW) for name, address in narrow.items()
    }


def _empty(language: str) -> tuple[APIFlask, str, dict[str, str]]:
    """A fresh installation, and the pages that need nothing in their address."""
    app = start.prepare(Settings(instance=Path(tempfile.mkdtemp()), test_mode=True))
    with app.app_context():
        user = _person(language)
        adapter = app.url_map.bind("localhost")
        bare = [
            rule.endpoint for rule in app.url_map.iter_rules() if not rule.arguments and _is_page(app, rule.rule, rule)
        ]
        return app, user, {endpoint: adapter.build(endpoint) for endpoint in sorted(bare)}


def _full(language: str) -> tuple[APIFlask, str, dict[str, str]]:
    """A large installation, every page of an incident with something in every room, and of one with all the people."""
    with stock.opened(SHOTS / "stock", INCIDENTS, PEOPLE) as (app, held):
        user, note = _person(language), SHOTS / "stock" / "pages.json"
        if not note.exists():
            note.write_text(json.dumps(_furnished(app)))
        kept = json.loads(note.read_text())
        members.add(kept["incident"], user, actor=kept["actor"], now=clock.now())
        one, crowd = f"/incidents/{held.refs[-2]}", f"/incidents/{held.crowd}"
        more = {"of_many.show": one, "of_many.duties": f"{one}/duties/", "of_many.facts": f"{one}/facts"}
        more |= {"of_many.people": f"{crowd}/people/", "of_many.list": f"{crowd}/lists/"}
        return app, user, kept["pages"] | more


def _furnished(app: APIFlask) -> dict[str, Any]:
    """An incident with something in every room, and the address of each page with things of it."""
    house = a_full_house(app.extensions["settings"].instance / "files")
    rules = {rule.endpoint: rule for rule in app.url_map.iter_rules()}
    found = sorted(crawler.addresses(app, house))
    pages = {name: address for name, address in found if _is_page(app, urlsplit(address).path, rules[name])}
    return {"incident": house.incident.ref, "actor": house.actor, "pages": pages}


def _is_page(app: APIFlask, path: str, rule: Any) -> bool:
    is_read = "GET" in (rule.methods or ()) and not path.startswith(("/api/", "/static", "/hooks", "/bootstrap"))
    return is_read and permit_of(app, rule.endpoint) != "signed" and not path.endswith(FILES)


def _person(language: str) -> str:
    user = a_user(*CASE_TEAM, Role.ADMINISTRATOR, name="Lead on duty", zone="Europe/Berlin")
    user.language = language
    db.session.commit()
    return user.ref


def _take(app: APIFlask, user: str, addresses: dict[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    base = _address(app)
    with opened() as browser:
        for width, look in _looks():
            page = _entered(browser, app, user, {"width": width, "height": 900}, look)
            page.emulate_media(reduced_motion="reduce", color_scheme=look)
            for name, address in addresses.items():
                answer = _gone_to(page, base + address)
                if answer is None:
                    continue
                page.evaluate("for (const one of document.images) one.loading = 'eager'")
                page.wait_for_load_state("networkidle")
                wide = page.evaluate("document.documentElement.scrollWidth")
                tall = min(TALLEST, page.evaluate("document.documentElement.scrollHeight"))
                if wide > width + 1 or answer.status != 200:
                    sys.stdout.write(f"{name} ({address}): {answer.status}, {wide} pixels wide at {width}\n")
                clip = {"x": 0, "y": 0, "width": width, "height": tall}
                page.screenshot(path=folder / f"{name}.{look}.{width}.png", full_page=True, clip=clip)
            page.context.close()


def _gone_to(page: Any, address: str) -> Any:
    """The answer, if a whole page came; files and parts of pages are none."""
    try:
        answer = page.goto(address, wait_until="load")
    except PlaywrightError as error:
        if "Download is starting" in str(error) or "ERR_ABORTED" in str(error):
            return None
        raise
    is_page = answer is not None and "text/html" in answer.headers.get("content-type", "")
    return answer if is_page and answer.headers.get("x-fragment") != "1" else None


def _looks() -> Iterator[tuple[int, Any]]:
    yield from zip((NARROW, WIDE), LOOKS, strict=True)
    yield from zip((NARROW, WIDE), reversed(LOOKS), strict=True)


def _entered(browser: Any, app: APIFlask, user: str, size: dict[str, int], look: str) -> Any:
    """A page in which this person is signed in."""
    with app.app_context():
        secret = stock.signed_in(user)
    cookie = {"sid": secret, "seen": int(clock.now().timestamp())}
    with app.test_request_context():
        signed = app.session_interface.get_signing_serializer(app).dumps(cookie)  # type: ignore[attr-defined]
    page = browser.new_context(viewport=size, color_scheme=look).new_page()
    name = app.config["SESSION_COOKIE_NAME"]
    page.context.add_cookies([{"name": name, "value": signed, "domain": "127.0.0.1", "path": "/"}])
    return page


def _address(app: APIFlask) -> str:
    """Where this application is served from now on."""
    if "screens" not in app.extensions:
        port = app.extensions["screens"] = free_port()
        threading.Thread(target=create_server(app, host="127.0.0.1", port=port).run, daemon=True).start()
    return f"http://127.0.0.1:{app.extensions['screens']}"


if __name__ == "__main__":
    main()
