"""A list's filter is kept under a name: private or for the team, above its list, in the palette, with a line and no words in it."""

import csv
import io
import json

import pytest
from sqlalchemy import text

from incident import clock
from incident.actions import saved_filters
from incident.domain import saved_filters as rules
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import saved_filters as rows
from incident.store.db import db
from incident.web.saved_filters import PAGES, WORDS
from tests.builders import a_user, an_incident
from tests.record import lines

NAME = "Cases of Zoe Example"


def form(name=NAME, listing="incidents", **asked):
    words = {f"asked:{word}": value for word, value in (asked or {"state": "open"}).items()}
    return {"list": listing, "name": name, "back": "/incidents/?state=open", **words}


def kept_by(user, name=NAME, listing="incidents", *, shared=False, **asked):
    chosen = asked or {"state": "open"}
    return saved_filters.keep(listing, name, chosen, shared=shared, actor=user.ref, now=clock.now())


def page(browser, address):
    return browser.get(address).get_data(as_text=True)


def test_a_filter_in_use_can_be_kept_and_then_stands_above_its_list(as_):
    ana = as_(Role.LEAD)
    assert "Keep this filter" not in page(ana, "/incidents/")
    assert "Keep this filter" in page(ana, "/incidents/?state=open&kind=drill")
    answer = ana.post("/filters/", data=form(state="open", kind="drill"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/incidents/?state=open")
    shown = page(ana, "/incidents/?state=open&kind=drill")
    assert 'href="/incidents/?kind=drill&amp;state=open" aria-current="true">Cases of Zoe Example' in shown
    assert "Keep this filter" not in shown
    assert 'href="/incidents/?kind=drill&amp;state=open" >Cases of Zoe Example' in page(ana, "/incidents/")


@pytest.mark.parametrize(
    ("endpoint", "listing"), sorted(item for item in PAGES.items() if item[0] != "deliveries.people")
)
def test_every_list_shows_what_is_kept_for_it(app, as_, endpoint, listing):
    user, incident = a_user(Role.LEAD, Role.AUDITOR), an_incident()
    word = rules.LISTS[listing][0]
    kept_by(user, listing=listing, **{word: "2026-11-22" if word == "who" else "open"})
    with app.test_request_context():
        rule = next(app.url_map.iter_rules(endpoint))
        address = app.url_for(endpoint, **({"incident": incident.ref} if rule.arguments else {}))
    assert NAME in page(as_(user=user), address)


def test_a_private_filter_is_seen_by_nobody_else_and_a_shared_one_by_the_team(as_):
    ana, ben = a_user(Role.LEAD), a_user(Role.RESPONDER)
    kept_by(ana, "for me alone")
    kept_by(ana, "for us all", shared=True)
    shown = page(as_(user=ben), "/incidents/")
    assert "for us all" in shown
    assert "for me alone" not in shown
    assert "for us all" not in page(as_(user=ben), "/filters/")


def test_only_whoever_kept_it_renames_or_deletes_it(as_):
    ana, ben = a_user(Role.LEAD), a_user(Role.ADMINISTRATOR)
    ref = kept_by(ana, shared=True)
    for address in (f"/filters/{ref}", f"/filters/{ref}/delete"):
        assert as_(user=ben).post(address, data={"name": "mine now"}).status_code == 404
    mine = as_(user=ana)
    assert mine.post(f"/filters/{ref}", data={"name": "Renamed"}).status_code == 302
    row = rows.by_ref(ref)
    assert (row.chosen().name, row.shared) == ("Renamed", False)
    assert mine.post(f"/filters/{ref}/delete").status_code == 302
    assert rows.by_ref(ref) is None


def test_each_change_leaves_a_line_without_the_name(app):
    user = a_user(Role.LEAD)
    ref = kept_by(user)
    saved_filters.change(ref, name="Other", shared=True, actor=user.ref, now=clock.now())
    saved_filters.change(ref, name="Other", shared=True, actor=user.ref, now=clock.now())
    saved_filters.delete(ref, actor=user.ref, now=clock.now())
    told = [line for line in lines() if line.verb.startswith("filter.")]
    assert [line.verb for line in told] == ["filter.kept", "filter.changed", "filter.deleted"]
    assert all(NAME not in json.dumps(line.details) and "Other" not in json.dumps(line.details) for line in told)


def test_name_and_filter_are_sealed(app):
    kept_by(a_user(Role.LEAD), q="zoe@example.org")
    held = db.session.execute(text("SELECT sealed FROM saved_filter")).scalar()
    assert b"Zoe" not in bytes(held)
    assert b"example.org" not in bytes(held)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (form(name=" "), "name"),
        (form(name="x" * 61), "name"),
        (form(listing="everything"), "list"),
        ({"list": "incidents", "name": "x"}, "asked"),
        (form(state="x" * 201), "asked"),
    ],
)
def test_what_cannot_be_kept_is_said_at_its_field_and_nothing_is_kept(as_, given, field):
    browser = as_(Role.LEAD)
    assert browser.post("/filters/", data=given).status_code == 422
    assert db.session.query(rows.SavedFilter).count() == 0
    with pytest.raises(Invalid) as refusal:
        rules.checked(given["list"], given["name"], {k[6:]: v for k, v in given.items() if k.startswith("asked:")})
    assert refusal.value.field == field


def test_a_word_that_the_list_is_not_filtered_by_is_refused():
    with pytest.raises(Invalid, match="filtered by"):
        rules.checked("incidents", "x", {"state": "open", "before": "5"})


def test_no_two_of_one_list_bear_one_name_and_a_name_may_stand_in_two_lists(app):
    user = a_user(Role.LEAD)
    kept_by(user, "Mine")
    with pytest.raises(Invalid, match="of this name"):
        kept_by(user, "mine", kind="drill")
    kept_by(user, "Mine", "record", who=user.ref)


def test_a_guest_keeps_filters_for_themselves_alone():
    rules.demand_team((), shared=False)
    rules.demand_team((Role.LEAD,), shared=True)
    with pytest.raises(Refused, match="guest"):
        rules.demand_team((), shared=True)


def test_nobody_keeps_more_than_a_hundred():
    rules.demand_room(rules.MOST - 1)
    with pytest.raises(Refused, match="Delete one"):
        rules.demand_room(rules.MOST)


def test_the_palette_offers_them_where_their_list_can_be_opened(as_):
    user, incident = a_user(Role.LEAD), an_incident()
    kept_by(user, "Drills", kind="drill")
    kept_by(user, "No mail", "people", lacks="email")
    here = page(as_(user=user), f"/incidents/{incident.ref}/everything")
    assert f'href="/incidents/{incident.ref}/people/?lacks=email">People: No mail' in here
    assert 'href="/incidents/?kind=drill">Incidents: Drills' in here
    everywhere = page(as_(user=user), "/everything")
    assert "People: No mail" not in everywhere
    assert "Incidents: Drills" in everywhere


def test_keeping_leads_back_to_a_page_of_ours_alone(as_):
    given = form() | {"back": "//evil.example/"}
    assert as_(Role.LEAD).post("/filters/", data=given).headers["Location"] == "/filters/"


def test_the_table_has_one_line_for_each(as_):
    user = a_user(Role.LEAD)
    kept_by(user, "=1+1", state="open", kind="drill")
    (line,) = list(csv.DictReader(io.StringIO(page(as_(user=user), "/filters/filters.csv").lstrip("\ufeff"))))
    assert (line["list"], line["filter"], line["shared"]) == ("incidents", "kind=drill; state=open", "no")
    assert not line["name"].startswith("=")


def test_programs_keep_change_and_delete_them_by_the_same_rules(app, token_for):
    browser, header = app.test_client(), token_for(Role.LEAD)
    given = {"list": "people", "name": "No mail", "asked": {"lacks": "email"}}
    made = browser.post("/api/v1/filters/", json=given, headers=header)
    assert made.status_code == 201
    ref = made.json["ref"]
    assert browser.post("/api/v1/filters/", json=given, headers=header).status_code == 422
    assert browser.patch(f"/api/v1/filters/{ref}", json={"shared": True}, headers=header).status_code == 204
    (found,) = browser.get("/api/v1/filters/?list=people", headers=header).json["filters"]
    assert (found["name"], found["asked"], found["shared"], found["mine"]) == (
        "No mail",
        {"lacks": "email"},
        True,
        True,
    )
    other = token_for(Role.RESPONDER)
    assert browser.delete(f"/api/v1/filters/{ref}", headers=other).status_code == 404
    assert browser.delete(f"/api/v1/filters/{ref}", headers=header).status_code == 204
    assert browser.get("/api/v1/filters/", headers=header).json == {"filters": []}


def test_a_filter_that_there_is_not_is_missing(app):
    with pytest.raises(Missing):
        saved_filters.delete("SF-00000000", actor=a_user(Role.LEAD).ref, now=clock.now())


def test_every_list_has_a_name_and_a_page():
    assert set(WORDS) == set(PAGES.values()) == set(rules.LISTS)
