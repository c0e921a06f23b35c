"""Every page, read by the HTML checker of the W3C (Nu): `make html` fetches the checker and runs this.

    python -m tests.markup vnu.jar                   every page; each mistake with the pages that have it
    python -m tests.markup vnu.jar --warnings        what it warns of too
    python -m tests.markup vnu.jar --keep FOLDER     the pages stay there

Pages are those of an empty installation and of one with something in every room (`tests/full_house.py`), read by somebody of the team
and by somebody outside, in each language; with them what comes back when a form is sent empty, and parts of pages, put into a page.
It wants Java. Prints how many pages were read; exits with 1 where one of them has a mistake.
"""

import argparse
import json
import logging
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final, TypeAlias

import structlog
from apiflask import APIFlask
from flask.testing import FlaskClient

from incident import clock, start
from incident.actions import members
from incident.domain.access import CASE_TEAM, Role
from incident.settings import Settings
from incident.store import users
from incident.store.db import db
from tests import crawler
from tests.builders import a_session, a_user
from tests.conftest import Browser
from tests.crawler import Form, Page
from tests.full_house import a_full_house
from tests.web.test_every_form import ENDS_THE_VISIT

LANGUAGES: Final = ("en", "zh-Hans")
AROUND: Final = '<!doctype html><html lang="en"><head><title>A part of a page</title></head><body><h1>A part of a page</h1>{}</body></html>'
MOST_NAMED: Final = 4
"""So many pages are named beside a mistake."""
Key: TypeAlias = tuple[str, str, tuple[str, ...]]
"""A form by its reader, its view and its fields."""


def main() -> None:
    """Make the pages, have them read, say what was found."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    given = _arguments()
    with tempfile.TemporaryDirectory() as fresh:
        folder = given.keep or Path(fresh)
        folder.mkdir(parents=True, exist_ok=True)
        count = sum(_written(folder, name, text) for name, text in pages())
        found = judged(given.checker, folder)
    mistakes = _shown(found, "error")
    warnings = _shown(found, "warning") if given.warnings else sum(one["type"] == "info" for one in found)
    print(f"{count:,} pages: {mistakes:,} mistakes, {warnings:,} warnings")
    sys.exit(mistakes > 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checker", type=Path, help="vnu.jar")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--warnings", action="store_true")
    return parser.parse_args()


def _written(folder: Path, name: str, text: str) -> bool:
    """Whether this page is a new one, and was put there."""
    file = folder / (re.sub(r"[^\w.-]+", "_", name)[:200] + ".html")
    is_new = not file.exists()
    file.write_text(text, encoding="utf-8")
    return is_new


def pages() -> Iterator[tuple[str, str]]:
    """Every page with a name: its installation, its language, its reader and its address; what forms answer comes last."""
    for state in ("empty", "full"):
        app = start.prepare(Settings(instance=Path(tempfile.mkdtemp()), test_mode=True))
        app.config.update(WTF_CSRF_ENABLED=False)
        app.test_client_class = Browser
        with app.app_context():
            user = a_user(*CASE_TEAM, Role.ADMINISTRATOR).ref
            addresses = _of_a_full_house(app, user) if state == "full" else _bare(app)
            readers = {"team": _signed_in(app, user), "outside": app.test_client()}
            found: dict[Key, Form] = {}
            for language, (reader, browser) in product(LANGUAGES, readers.items()):
                _speaks(user, language)
                for address, text in _read(browser, addresses, language):
                    yield f"{state}.{language}.{reader}.{address}", _whole(text)
                    found |= {(reader, *key): form for key, form in crawler.forms(app, [Page(address, text)]).items()}
            for language, ((reader, endpoint, _), form) in product(LANGUAGES, found.items()):
                _speaks(user, language)
                if endpoint not in ENDS_THE_VISIT and (text := _sent_empty(readers[reader], form, language)):
                    yield f"{state}.{language}.{reader}.{form.action}.sent_empty", _whole(text)


def _speaks(user: str, language: str) -> None:
    person = users.by_ref(user)
    assert person is not None
    person.language = language
    db.session.commit()


def _bare(app: APIFlask) -> list[str]:
    """Pages that need nothing in their address."""
    adapter = app.url_map.bind("localhost")
    bare = [one for one in app.url_map.iter_rules() if not one.arguments and "GET" in (one.methods or ())]
    found = {adapter.build(one.endpoint) for one in bare}
    return sorted(one for one in found if not one.startswith(("/api/", "/static", "/hooks", "/bootstrap")))


def _of_a_full_house(app: APIFlask, user: str) -> list[str]:
    house = a_full_house(app.extensions["settings"].instance / "files")
    members.add(house.incident.ref, user, actor=house.actor, now=clock.now())
    return sorted({address for _, address in crawler.addresses(app, house)})


def _signed_in(app: APIFlask, user: str) -> FlaskClient:
    person, browser = users.by_ref(user), app.test_client()
    assert person is not None
    with browser.session_transaction() as cookie:
        cookie["sid"], cookie["seen"] = a_session(person), int(clock.now().timestamp())
    return browser


def _read(browser: FlaskClient, addresses: Iterable[str], language: str) -> Iterator[tuple[str, str]]:
    for address in addresses:
        answer = browser.get(address, headers={"Accept-Language": language}, buffered=True)
        if answer.mimetype == "text/html" and answer.location is None:
            yield address, answer.get_data(as_text=True)


def _sent_empty(browser: FlaskClient, form: Form, language: str) -> str:
    """The page that says what is wrong with a form of which no text is filled in; empty where nothing is."""
    given, header = form.filled(**{one.name: "" for one in form.texts}), {"Accept-Language": language}
    answer = browser.post(form.action, data=given, headers=header, buffered=True)
    return answer.get_data(as_text=True) if answer.status_code >= 400 and answer.mimetype == "text/html" else ""


def _whole(text: str) -> str:
    return text if text.lstrip().lower().startswith("<!doctype") else AROUND.format(text)


def judged(checker: Path, folder: Path) -> list[dict[str, Any]]:
    """What the checker says of each page in this folder. SystemExit where it does not run."""
    words = [
        "java",
        "-Xss2m",
        "-jar",
        str(checker),
        "--format",
        "json",
        "--exit-zero-always",
        "--skip-non-html",
        str(folder),
    ]
    try:
        run = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        raise SystemExit(
            "The checker needs Java. Install it (on Debian: apt-get install default-jre-headless)."
        ) from None
    if run.returncode:
        raise SystemExit(f"The checker did not run: {run.stderr[-500:]}")
    return list(json.loads(run.stderr)["messages"])


def _shown(found: Iterable[dict[str, Any]], kind: str) -> int:
    """Print each mistake or warning once, with the first pages that have it; how many there are."""
    held: defaultdict[str, list[str]] = defaultdict(list)
    for one in found:
        if one["type"] == kind or (kind == "warning" and one.get("subType") == kind):
            page = one.get("url", "").rpartition("/")[2]
            held[one["message"]].append(f"{page} line {one.get('lastLine')}: {one.get('extract', '').strip()}")
    for message, places in sorted(held.items(), key=lambda item: -len(item[1])):
        print(f"{kind}, {len(places)} times: {message}")
        for place in places[:MOST_NAMED]:
            print(f"    {place}")
    return sum(map(len, held.values()))


if __name__ == "__main__":
    main()
