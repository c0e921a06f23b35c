"""What a page weighs: files come small and once, pages small to their own reader and to nobody who makes a browser ask."""

import gzip
import re

import pytest

from incident import clock
from incident.actions import members
from incident.domain.access import CASE_TEAM
from tests import crawler
from tests.full_house import a_full_house

OWN = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}
FIRST, AFTER = 150_000, 30_000  # bytes
MAIN = (
    *("desk.home", "incidents.index", "incidents.show", "obligations.index", "people.index", "notices.show"),
    *("deliveries.show", "reports.show", "audit.index", "plans.index", "laws.index", "duties.index"),
)


def files_of(page):
    """The style sheets, scripts and pictures that a page asks for."""
    return re.findall(r'(?:href|src)="(/(?:static|bootstrap)/[^"]+)"', page)


def weight(browser, address):
    """What is transferred for this address alone."""
    return len(browser.get(address, headers=OWN, buffered=True).get_data())


def test_a_first_visit_and_those_after_it_are_light(app, as_):
    reader = as_(*CASE_TEAM)
    house = a_full_house(app.extensions["settings"].instance / "files")
    members.add(house.incident.ref, reader.ref, actor=house.actor, now=clock.now())
    found = dict(crawler.addresses(app, house))
    pages = {endpoint: weight(reader, found[endpoint]) for endpoint in MAIN}
    assert {endpoint: size for endpoint, size in pages.items() if size > AFTER} == {}
    files = set(files_of(reader.get("/").text)) | set(files_of(reader.get(found["obligations.index"]).text))
    assert len(files) >= 6
    assert sum(weight(reader, one) for one in files) + max(pages.values()) <= FIRST


def test_every_file_is_asked_for_by_its_version_and_kept(as_):
    reader = as_(*CASE_TEAM)
    for address in files_of(reader.get("/").text):
        if "mark.svg" not in address:
            assert "v=" in address, address
            assert "immutable" in reader.get(address).headers["Cache-Control"]


def test_what_comes_small_is_what_comes_large(client):
    large, small = client.get("/static/parts.css"), client.get("/static/parts.css", headers=OWN)
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in large.headers
    assert gzip.decompress(small.get_data()) == large.get_data()
    assert small.headers["ETag"] != large.headers["ETag"]
    assert "Accept-Encoding" in small.headers["Vary"]


@pytest.mark.parametrize("asked_by", ["cross-site", "same-site", None])
def test_no_foreign_page_learns_from_the_length_of_an_answer(as_, asked_by):
    headers = {"Accept-Encoding": "gzip"} | ({"Sec-Fetch-Site": asked_by} if asked_by else {})
    answer = as_(*CASE_TEAM).get("/", headers=headers)
    assert "Content-Encoding" not in answer.headers
    assert "<h1>" in answer.text


def test_a_table_that_is_streamed_stays_so(as_):
    answer = as_(*CASE_TEAM).get("/incidents/incidents.csv", headers=OWN)
    assert "Content-Encoding" not in answer.headers
