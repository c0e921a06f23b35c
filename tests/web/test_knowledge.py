"""Who knew what when: each value of each fact by person and time, on a page and as a table."""

import csv
import io

import pytest

from incident import clock
from incident.actions import intake, privilege
from incident.domain.access import Role
from incident.store import incidents as rows
from tests.builders import a_user, an_incident


@pytest.fixture
def told(app):
    """An incident in which two people recorded facts, one of them corrected by the other."""
    ana, ben = a_user(Role.LEAD, name="Ana First"), a_user(Role.RESPONDER, name="Ben Second")
    incident = an_incident()
    for user, facts in ((ana, {"people_count": 10, "personal_data": True}), (ben, {"people_count": 12})):
        intake.record_facts(incident.ref, facts, source="a list", confidence="high", actor=user.ref, now=clock.now())
    return incident, ana, ben


def page(browser, incident, rest=""):
    return " ".join(browser.get(f"/incidents/{incident.ref}/facts/known/{rest}").get_data(as_text=True).split())


def main(page):
    return page.split('<form class="filters"')[1]


def test_every_value_stands_there_with_who_and_when_newest_first(told, as_):
    incident, _, _ = told
    seen = main(page(as_(Role.LEAD), incident)).split("</form>")[1]
    assert seen.index("Ben Second") < seen.index("Ana First")
    assert seen.index('<b class="">12</b>') < seen.index('<b class="">10</b>')
    assert "a list" in seen
    assert "All that was known then" in seen


def test_it_can_be_narrowed_to_a_person_and_to_a_fact(told, as_):
    incident, ana, ben = told
    browser = as_(Role.LEAD)
    of_ben = main(page(browser, incident, f"?who={ben.ref}")).split("</form>")[1].split("<aside")[0]
    assert ">12<" in of_ben
    assert ">10<" not in of_ben
    of_fact = main(page(browser, incident, f"?fact=personal_data&who={ana.ref}")).split("</form>")[1].split("<aside")[0]
    assert ">10<" not in of_fact
    assert "Nobody recorded this." in page(browser, incident, f"?fact=personal_data&who={ben.ref}")


def test_the_table_has_the_same_lines(told, as_):
    incident, _, ben = told
    address = f"/incidents/{incident.ref}/facts/known/known.csv?who={ben.ref}"
    lines = list(csv.DictReader(io.StringIO(as_(Role.LEAD).get(address).get_data(as_text=True).lstrip("\ufeff"))))
    assert [(line["by"], line["fact"], line["value"]) for line in lines] == [(ben.ref, "people_count", "12")]


def test_it_pages_by_key(told):
    incident, _, _ = told
    whole = rows.entries(incident.id, limit=50)
    first = rows.entries(incident.id, limit=2)
    rest = rows.entries(incident.id, before=first[-1].id, limit=50)
    assert [row.id for row in (*first, *rest)] == [row.id for row in whole]


def test_what_is_privileged_is_in_no_table_and_seen_by_no_guest(told, as_):
    incident, ana, _ = told
    privilege.mark(
        incident.ref,
        "fact",
        "people_count",
        basis="attorney_client",
        description="A memo",
        actor=a_user(Role.PRIVACY).ref,
        now=clock.now(),
    )
    table = as_(Role.LEAD).get(f"/incidents/{incident.ref}/facts/known/known.csv").get_data(as_text=True)
    assert "people_count" not in table
    assert "personal_data" in table
    assert rows.knowers(incident.id, {"people_count", "personal_data"}) == []
    assert [ref for ref, *_ in rows.knowers(incident.id)][-2:] == [ana.ref, told[2].ref]
