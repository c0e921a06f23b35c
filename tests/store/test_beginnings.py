"""What an incident begins with is taken and read together."""

from incident import clock
from incident.store import particulars
from incident.store.beginnings import begun
from incident.store.users import User
from tests.builders import a_user


def test_counters_only_go_up(app):
    years = ["incident:2026", "incident:2026", "incident:2027"]
    assert [begun(year, lead="").number for year in years] == [1, 2, 1]


def test_whoever_leads_must_work_here(app):
    lead: User = a_user("lead")
    assert begun("incident:2026", lead=lead.ref).lead_id == lead.id
    assert begun("incident:2026", lead="U-00000000").lead_id is None
    lead.active = False
    assert begun("incident:2026", lead=lead.ref).lead_id is None


def test_what_was_said_of_the_organisation_comes_along(app):
    assert begun("incident:2026", lead="").said == {}
    said = {"company_places": "DE", "company_name": 'A "sample"'}
    particulars.keep(said, facts=(), by="U-1", now=clock.now())
    assert begun("incident:2026", lead="").said == said
