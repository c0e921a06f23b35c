"""No page of a full house asks the database more than twelve times, but for the few that gather from every room."""

from sqlalchemy import event

from incident import clock
from incident.actions import members
from incident.domain.access import CASE_TEAM, Role
from incident.store.db import db
from incident.web.access import permit_of
from tests import crawler
from tests.full_house import a_full_house

MOST = 12
MORE = {
    "readiness.index": (17, "a sign for each thing that would fail on the day, and who the organisation is"),
    "readiness.table": (16, "the same signs as a file"),
}
"""How often these ask at most, and why."""


def asked(browser, addresses, most):
    """What each page asked for. One that asks too often is seen twice: what is made at first sight is there then."""
    seen: list[str] = []

    def note(*given):
        seen.append(given[2])

    event.listen(db.engine, "before_cursor_execute", note)
    found = {}
    for endpoint, address in addresses:
        for _ in range(2):
            seen.clear()
            answer = browser.get(address, buffered=True)
            statements = [one for one in seen if not one.startswith("BEGIN")]
            if len(statements) <= most.get(endpoint, MOST):
                break
        if answer.status_code == 200:
            found[endpoint] = statements
    event.remove(db.engine, "before_cursor_execute", note)
    return found


def test_no_page_asks_more_than_twelve_times_but_for_those_named_here(app, as_):
    house = a_full_house(app.extensions["settings"].instance / "files")
    reader = as_(*CASE_TEAM, Role.ADMINISTRATOR)
    members.add(house.incident.ref, reader.ref, actor=house.actor, now=clock.now())
    every = [one for one in sorted(crawler.addresses(app, house)) if permit_of(app, one[0]) != "signed"]
    most = {endpoint: many for endpoint, (many, _) in MORE.items()}
    found = asked(reader, every, most)
    assert len(found) > 150
    wrong = {
        f"{endpoint}: {len(statements)}": [" ".join(one.split())[:160] for one in statements]
        for endpoint, statements in found.items()
        if len(statements) > most.get(endpoint, MOST)
    }
    assert wrong == {}
    needless = {endpoint for endpoint in MORE if len(found[endpoint]) <= MOST}
    assert needless == set()
