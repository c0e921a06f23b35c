"""Who the organisation is: said on a page by an administrator, under what environment and file say."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from incident import clock, core, start, work
from incident.actions import merging, own_facts
from incident.actions import particulars as actions
from incident.domain.access import Role
from incident.domain.errors import Invalid, Refused
from incident.domain.particulars import checked
from incident.settings import Settings
from incident.store import incidents
from incident.store import obligations as findings
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.users import Session
from tests.builders import a_notice, an_incident
from tests.record import details, lines, verbs

PAGE = "/administration/organisation/"
SAID = {
    "company_name": "  Example   & Sons ",
    "company_places": "de, us-ca, DE",
    "contact_name": "Data protection office",
    "contact_email": "privacy@example.org",
    "contact_phone": "+49 30 5550100",
    "contact_address": "Sample Street 1\r\n\r\n10115 Berlin",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
def bare(app, monkeypatch):
    """The settings of an installation where nobody has set who the organisation is."""
    plain = Settings(instance=app.extensions["settings"].instance, database_url=app.extensions["settings"].database_url)
    monkeypatch.setitem(app.extensions, "settings", plain)
    return plain


def _say(settings, **words):
    return actions.change(words, settings=settings, actor="U-1", now=clock.now())


def test_an_administrator_says_it_and_notices_reports_and_new_incidents_say_it_too(app, as_, bare):
    boss = as_(Role.ADMINISTRATOR, Role.LEAD)
    assert "not said" in boss.get(PAGE).text
    assert boss.post(PAGE, data=SAID, follow_redirects=True).status_code == 200
    house = merging.house(bare)
    assert house.company == {
        "name": "Example & Sons",
        "contact": "Data protection office",
        "email": "privacy@example.org",
        "phone": "+49 30 5550100",
        "address": "Sample Street 1\n10115 Berlin",
    }
    assert str(house.zone) == "Europe/Berlin"
    logged = boss.post("/incidents/log", data={"kind": "incident", "title": "A list was open", "zone": "UTC"})
    assert logged.status_code == 302
    newest = db.session.scalar(select(Incident.id).order_by(Incident.id.desc()).limit(1))
    assert incidents.current_facts(newest)["establishments"].value == ["DE", "US-CA"]
    assert "Contact: mailto:privacy@example.org" in boss.get("/.well-known/security.txt").text


def test_a_notice_in_earnest_is_submitted_once_the_page_names_the_organisation(app, bare):
    case = an_incident(facts={"data_kinds": ["name"]})
    with pytest.raises(Invalid, match="Administration, Your organisation"):
        a_notice(case, stage="submitted", channels=("announcement",), house=merging.house(bare))
    _say(bare, company_name="Example", contact_email="privacy@example.org")
    assert a_notice(case, stage="submitted", channels=("announcement",), house=merging.house(bare))


def test_the_line_names_what_changed_and_never_what_it_says(app, bare):
    assert _say(bare, company_name="Example", contact_name="Ms Sample") == ["company_name", "contact_name"]
    (line,) = lines()
    assert (line.verb, details(line)) == ("organisation.changed", {"fields": ["company_name", "contact_name"]})
    assert _say(bare, company_name="Example") == []
    assert verbs() == ["organisation.changed"]


def test_what_the_environment_says_wins_and_the_page_says_so(app, as_, bare, monkeypatch, token_for, client):
    _say(bare, company_name="Said here", contact_name="Office")
    monkeypatch.setenv("TOCSIN_COMPANY_NAME", "From outside")
    set_ = Settings(instance=bare.instance, database_url=bare.database_url)
    monkeypatch.setitem(app.extensions, "settings", set_)
    assert merging.house(set_).company["name"] == "From outside"
    assert merging.house(set_).company["contact"] == "Office"
    with pytest.raises(Refused, match="company_name"):
        _say(set_, company_name="Another")
    page = as_(Role.ADMINISTRATOR).get(PAGE).text
    assert 'name="company_name"' not in page
    assert "From outside" in page
    found = client.get("/api/v1/administration/settings", headers=token_for(Role.ADMINISTRATOR)).json["settings"]
    assert {one["name"]: one["origin"] for one in found if one["name"] in {"company_name", "contact_name", "port"}} == {
        "company_name": "environment",
        "contact_name": "page",
        "port": "default",
    }


def test_nobody_but_an_administrator_changes_it_and_only_with_a_fresh_password(app, as_, bare):
    assert as_(Role.LEAD).post(PAGE, data=SAID).status_code == 403
    assert as_(Role.AUDITOR).get(PAGE).status_code == 200
    assert as_(Role.AUDITOR).post(PAGE, data=SAID).status_code == 403
    boss = as_(Role.ADMINISTRATOR)
    db.session.execute(update(Session).values(fresh_at=clock.now() - timedelta(hours=1)))
    db.session.commit()
    reply = boss.post(PAGE, data=SAID)
    assert "/again" in reply.location
    assert actions.said(bare) == {}


def test_what_is_empty_is_taken_back(app, bare):
    _say(bare, company_name="Example", company_places="DE")
    assert _say(bare, company_name="", company_places="") == ["company_name", "company_places"]
    assert actions.known(bare) is bare


def test_a_page_that_is_out_of_date_overwrites_nothing(app, as_, bare):
    boss = as_(Role.ADMINISTRATOR)
    mark = boss.get(PAGE).text.split('name="seen" value="')[1].split('"')[0]
    _say(bare, company_name="Newer")
    assert boss.post(PAGE, data={"company_name": "Older", "seen": mark}).status_code == 409
    assert actions.said(bare)["company_name"] == "Newer"


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("contact_email", "not an address"),
        ("contact_phone", "call us"),
        ("company_places", "DE, Atlantis"),
        ("company_kinds", "us_bank, circus"),
        ("company_operator", "circus"),
        ("time_zone", "Mars/Olympus"),
        ("company_name", "x" * 201),
        ("contact_name", "a\x07b"),
        ("smtp_url", "smtp://elsewhere"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(field, words):
    with pytest.raises(Invalid) as refused:
        checked({field: words})
    assert refused.value.field == field


def test_a_mistake_is_shown_at_its_field_and_what_was_typed_stays(app, as_, bare):
    reply = as_(Role.ADMINISTRATOR).post(PAGE, data=SAID | {"contact_email": "nobody"})
    assert reply.status_code == 422
    assert "Give one mail address" in reply.text
    assert "Data protection office" in reply.text
    assert actions.said(bare) == {}


def test_programs_say_it_by_the_same_action(app, client, token_for, bare):
    headers = token_for(Role.ADMINISTRATOR)
    reply = client.patch("/api/v1/administration/organisation", json={"company_name": "Example"}, headers=headers)
    assert reply.json == {"changed": ["company_name"]}
    standing = client.get("/api/v1/administration/organisation", headers=headers).json
    assert (standing["company_name"], standing["time_zone"], standing["fixed"]) == ("Example", "UTC", [])
    wrong = client.patch("/api/v1/administration/organisation", json={"time_zone": "Mars"}, headers=headers)
    assert wrong.status_code == 422


# ---------------------------------------------------------------- at once


def senders_name(app):
    return app.extensions["channels"].real["email"]._name


def test_the_senders_name_counts_at_once_where_it_was_said_and_a_second_later_elsewhere(tmp_path, monkeypatch):
    plain = Settings(instance=tmp_path, test_mode=True, smtp_url="smtp://127.0.0.1:2525", smtp_from="a@example.org")
    here, elsewhere = start.without_pages(plain), start.without_pages(plain)
    with here.app_context():
        _say(plain, company_name="Example", contact_email="privacy@example.org")
        here.extensions["renewal"].now()
    assert (senders_name(here), senders_name(elsewhere)) == ("Example", "")
    later = clock.monotonic() + 2
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    done = []
    job = work.Kind("a job", 1, lambda now: [] if done else ["X-1"], lambda *_: done.append(senders_name(elsewhere)))
    monkeypatch.setattr(work, "WORK", (job,))
    with elsewhere.app_context():
        work.once()
    assert done == ["Example"]
    with here.app_context():
        _say(plain, company_name="")
        here.extensions["renewal"].now()
    assert senders_name(here) == ""


def test_a_name_that_the_environment_gives_is_not_taken_from_the_page(tmp_path, monkeypatch):
    monkeypatch.setenv("TOCSIN_COMPANY_NAME", "From outside")
    plain = Settings(instance=tmp_path, test_mode=True, smtp_url="smtp://127.0.0.1:2525", smtp_from="a@example.org")
    app = start.without_pages(plain)
    with app.app_context():
        _say(plain, contact_email="privacy@example.org")
        app.extensions["renewal"].now()
    mail = app.extensions["channels"].real["email"]
    assert (mail._name, mail._reply_to) == ("From outside", "privacy@example.org")


def test_channels_that_are_open_stay_where_nothing_they_say_has_changed(app, as_, bare):
    app.extensions["renewal"].now()
    before = app.extensions["channels"]
    as_(Role.ADMINISTRATOR).post(PAGE, data={"company_places": "DE"})
    assert app.extensions["channels"] is before


# ---------------------------------------------------------------- what laws ask of it


def known(incident, key):
    db.session.expire_all()
    facts = incidents.current_facts(incident.id)
    return (facts[key].value, facts[key].source) if key in facts else None


def taken_up(settings):
    """Does the work that a change makes due, as the scheduler would."""
    changed = 0
    for _ in own_facts.due(settings):
        changed += own_facts.do(settings, clock=clock.now)
    assert own_facts.due(settings) == []
    return changed


def test_kinds_are_ticked_and_kept_in_the_words_of_the_settings(app, as_, bare):
    boss = as_(Role.ADMINISTRATOR)
    kinds = ["", "us_bank", "nis2_important"]
    boss.post(PAGE, data={"company_kinds": kinds, "company_operator": "cii"})
    assert actions.said(bare) == {"company_kinds": "nis2_important,us_bank", "company_operator": "cii"}
    assert actions.known(bare).own_facts() == {"entity": ["nis2_important", "us_bank"], "operator": "cii"}
    page = boss.get(PAGE).text
    assert "Important entity (NIS 2)<br>Bank under a federal regulator (USA)" in page
    assert re.search(r'<input checked[^>]*value="nis2_important"', page)
    boss.post(PAGE, data={"company_kinds": "", "company_operator": ""})
    assert actions.said(bare) == {}


def test_a_page_that_says_nothing_of_kinds_leaves_them(app, as_, bare):
    _say(bare, company_kinds="us_bank")
    as_(Role.ADMINISTRATOR).post(PAGE, data={"company_name": "Example"})
    assert actions.said(bare) == {"company_kinds": "us_bank", "company_name": "Example"}


def test_open_incidents_take_up_what_it_is_and_are_judged_anew(app, bare):
    case, closed = an_incident(facts={"data_kinds": ["name"]}), an_incident()
    closed.state = "closed"
    db.session.commit()
    _say(bare, company_kinds="nis2_important", company_places="DE")
    assert own_facts.due(bare) == ["organisation"]
    assert taken_up(bare) == 1
    assert known(case, "entity") == (["nis2_important"], "settings of this installation")
    assert known(case, "establishments")[0] == ["DE"]
    assert known(closed, "entity") is None
    assert "EU-NIS2" in " ".join(findings.current(case.id))
    assert verbs()[-1] == "organisation.taken_up"
    assert details(lines()[-1]) == {"fields": ["company_kinds", "company_places"], "incidents": 1}


def test_what_somebody_said_of_an_incident_stays(app, bare):
    case = an_incident(facts={"entity": ["us_bank"]})
    _say(bare, company_kinds="nis2_important")
    assert taken_up(bare) == 0
    assert known(case, "entity")[0] == ["us_bank"]


def test_what_is_taken_back_is_unknown_again(app, bare):
    case = an_incident()
    _say(bare, company_operator="cii")
    taken_up(bare)
    _say(bare, company_operator="")
    assert taken_up(bare) == 1
    assert known(case, "operator")[0] is None
    assert actions.said(bare) == {}


def test_what_nothing_waits_for_is_not_looked_at(app, bare):
    an_incident()
    _say(bare, company_name="Example")
    assert own_facts.due(bare) == []
    assert own_facts.do(bare, clock=clock.now) == 0


def test_work_begun_and_killed_goes_on_with_the_rest(app, bare):
    first, second = an_incident(), an_incident()
    _say(bare, company_operator="cii")
    assert own_facts._brought_up(first.ref, {"operator": "cii"}, clock.now())
    assert taken_up(bare) == 1
    assert known(second, "operator")[0] == "cii"


def test_who_is_told_to_stop_leaves_the_rest_due(app, bare):
    first, second = an_incident(), an_incident()
    _say(bare, company_operator="cii")
    answers = iter((True, False))
    assert own_facts.do(bare, clock=clock.now, going=lambda: next(answers)) == 1
    assert (known(first, "operator")[0], known(second, "operator")) == ("cii", None)
    assert taken_up(bare) == 1


def test_the_next_start_gives_the_senders_name_to_the_providers(tmp_path):
    plain = Settings(
        instance=tmp_path / "new", test_mode=True, smtp_url="smtp://127.0.0.1:2525", smtp_from="a@example.org"
    )
    app = start.without_pages(plain)
    with app.app_context():
        _say(plain, company_name="Example", contact_email="privacy@example.org")
    again = start.without_pages(plain)
    mail = again.extensions["channels"].real["email"]
    assert (mail._name, mail._reply_to) == ("Example", "privacy@example.org")
    assert core.create(plain).extensions["channels"].real["email"]._name == ""
