"""No page of a full house asks the database more than twelve times."""

from incident import clock
from incident.actions import members
from incident.domain.access import CASE_TEAM, Role
from incident.web.access import permit_of
from tests import crawler
from tests.full_house import a_full_house
from tests.statements import statements

MOST = 12


def asked(browser, addresses):
    """What each page asked for. One that asks too often is seen twice: what is made at first sight is there then."""
    found = {}
    for endpoint, address in addresses:
        for _ in range(2):
            with statements() as seen:
                answer = browser.get(address, buffered=True)
            if len(seen) <= MOST:
                break
        if answer.status_code == 200:
            found[endpoint] = seen
    return found


def test_no_page_asks_more_than_twelve_times(app, as_):
    house = a_full_house(app.extensions["settings"].instance / "files")
    reader = as_(*CASE_TEAM, Role.ADMINISTRATOR)
    members.add(house.incident.ref, reader.ref, actor=house.actor, now=clock.now())
    every = [one for one in sorted(crawler.addresses(app, house)) if permit_of(app, one[0]) != "signed"]
    found = asked(reader, every)
    assert len(found) > 150
    wrong = {
        f"{endpoint}: {len(seen)}": [" ".join(one.split())[:160] for one in seen]
        for endpoint, seen in found.items()
        if len(seen) > MOST
    }
    assert wrong == {}
