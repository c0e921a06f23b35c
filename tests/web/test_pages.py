"""The list of all that one can do here is the routes and permits themselves; the palette reads it."""

from incident.domain.access import Role
from incident.web import pages
from tests.builders import an_incident


def test_the_list_has_what_the_reader_may_open_and_nothing_else(as_):
    lead, auditor = as_(Role.LEAD).get("/everything").text, as_(Role.AUDITOR).get("/everything").text
    assert "/incidents/log" in lead
    assert "/incidents/log" not in auditor
    assert "/record/" in auditor
    assert 'href="/record/"' not in lead


def test_an_incident_has_its_own_pages_first(as_):
    incident = an_incident()
    said = as_(Role.LEAD).get(f"/incidents/{incident.ref}/everything").text
    listed = said[said.index('<ul class="pages"') :]
    assert listed.index(f"/incidents/{incident.ref}/timeline") < listed.index('href="/duties/"')


def test_every_page_of_the_list_has_a_short_name(app):
    names = [pages.name_of(app.view_functions[rule.endpoint]) for rule in pages.openable(app)]
    assert len(names) > 40
    assert [name for name in names if not 2 < len(name) <= 70] == []


def test_no_file_and_no_page_of_strangers_stands_in_the_list(app):
    found = {rule.endpoint for rule in pages.openable(app)}
    assert not found & {"duties.table", "public.index", "signin.password", "health.metrics"}
