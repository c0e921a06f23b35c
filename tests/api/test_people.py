import io
import json

import pytest

from incident import work
from incident.store.db import db
from notifiers.contract import Outcome
from notifiers.memory import Memory
from tests.actions.waves import a_story, answering
from tests.builders import an_incident

LIST = "name,email,country,gift\nAnn,ann@example.org,DE,X1\nAnn,ann@example.org,DE,X1\nBo,broken,FR,X2\n\n"


@pytest.fixture
def api(app, token_for):
    ref, headers, client = an_incident().ref, token_for("lead"), app.test_client()

    def call(method, path, status=200, **options):
        reply = client.open(f"/api/v1/incidents/{ref}{path}", method=method, headers=headers, **options)
        assert reply.status_code == status, reply.text
        return json.loads(reply.text) if reply.text and reply.mimetype.endswith("json") else reply.text

    call.ref = ref
    return call


def taken_in(api):
    ref = api("POST", "/lists", 201, data={"file": (io.BytesIO(LIST.encode()), "l.csv")})["ref"]
    seen = api("GET", f"/lists/{ref}/preview")
    assert seen["guesses"] == ["name", "email", "country", ""]
    started = api(
        "POST",
        f"/lists/{ref}/start",
        202,
        json={"columns": [*seen["guesses"][:3], "keep:gift"], "language": "by-place", "exposed": ["email"]},
    )
    assert started["state"] == "waiting"
    work.once()
    db.session.rollback()
    return ref


def test_a_list_goes_the_whole_way_by_api(api):
    ref = taken_in(api)
    row = api("GET", f"/lists/{ref}")
    assert [row[name] for name in ("state", "rows", "taken", "suspects", "refused", "empty")] == ["done", 4, 1, 1, 1, 1]
    assert "broken" in api("GET", f"/lists/{ref}/refused")
    assert api("GET", "/people/counts")["by_place"] == {"DE": 1}
    (pair,) = api("GET", "/people/duplicates")["pairs"]
    assert pair["identical"] is True
    assert api("POST", "/people/duplicates/identical")["settled"] == 1
    assert api("GET", "/people/duplicates")["pairs"] == []
    assert api("POST", "/people/duplicates/apart")["settled"] == 0
    assert api("POST", "/people/facts", 201)["changed"] == ["people_count", "residents"]


def test_people_are_masked_unless_a_reason_is_given(api):
    taken_in(api)
    page = api("GET", "/people")
    assert page["people"][0]["masked"]["email"] == "a•••@e…"
    assert "ann@example.org" not in json.dumps(page)
    assert api("POST", "/people/P-1/look", 422, json={"why": "curious"})["field"] == "why"
    assert api("POST", "/people/P-1/look", json={"why": "request"})["record"]["keep:gift"] == "X1"


def test_one_person_is_added_corrected_and_erased(api, app, token_for):
    ref = api(
        "POST",
        "/people",
        201,
        json={"name": "Jo", "email": "jo@example.org", "place": "DE", "exposed": ["email", "name"]},
    )["ref"]
    change = {"email": "jo2@example.org", "version": 1, "reason": "They wrote"}
    assert api("PATCH", f"/people/{ref}", json=change) == {"changed": ["email"], "sent": []}
    assert api("PATCH", f"/people/{ref}", 409, json=change)["status"] == 409
    assert api("PATCH", f"/people/{ref}", 422, json=change | {"email": "x@", "version": 2})["field"] == "email"
    assert [one["ref"] for one in api("POST", "/people/find", json={"find": "JO2@example.org"})["people"]] == [ref]
    api("DELETE", f"/people/{ref}", 403)
    reply = app.test_client().delete(f"/api/v1/incidents/{api.ref}/people/{ref}", headers=token_for("privacy"))
    assert reply.status_code == 204
    assert api("GET", f"/people/{ref}")["state"] == "erased"


def test_the_list_is_read_page_by_page(api):
    for n in range(5):
        api("POST", "/people", 201, json={"name": f"P{n}"})
    first = api("GET", "/people?limit=3")
    assert ([one["number"] for one in first["people"]], first["after"]) == ([1, 2, 3], 3)
    assert [one["number"] for one in api("GET", "/people?limit=3&after=3")["people"]] == [4, 5]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/people", {"name": "Jo", "shoe": 7}, 422),
        ("POST", "/people", {}, 422),
        ("POST", "/people/P-9/look", {"why": "request"}, 404),
        ("POST", "/people/duplicates/9", {"same": True}, 404),
        ("GET", "/lists/IMP-XXXXXXXX", None, 404),
        ("POST", "/lists", None, 422),
        ("GET", "/people?limit=0", None, 422),
        ("GET", "/people?lacks=shoes", None, 422),
    ],
)
def test_bad_input_is_answered_with_a_problem(api, method, path, body, status):
    assert api(method, path, status, **({"json": body} if body is not None else {}))["status"] == status


def test_a_list_can_be_withdrawn(api):
    ref = api("POST", "/lists", 201, data={"file": (io.BytesIO(LIST.encode()), "l.csv")})["ref"]
    api("DELETE", f"/lists/{ref}", 204)
    assert api("GET", f"/lists/{ref}")["state"] == "withdrawn"
    api("POST", f"/lists/{ref}/start", 409, json={"columns": ["name", "email", "country", ""]})


def test_another_teams_restricted_incident_shows_nobody(app, token_for):
    reply = app.test_client().get("/api/v1/incidents/INC-2026-9999/people", headers=token_for("lead"))
    assert reply.status_code == 404


def test_a_list_is_taken_back(api):
    ref = taken_in(api)
    assert api("POST", f"/lists/{ref}/take-back", 422, json={"number": 1})["field"] == "number"
    assert api("POST", f"/lists/{ref}/take-back", json={"number": 2}) == {"people": 2}
    assert api("GET", "/people/counts")["active"] == 0


def test_a_wave_that_was_found_later_is_said_so_and_listed(api):
    taken_in(api)
    (wave,) = api("GET", "/people/waves")["waves"]
    assert (wave["number"], wave["discovered_at"], wave["people"]) == (1, None, 1)
    api("PUT", "/people/waves/1", 204, json={"discovered_at": "2026-03-10T14:20:00+01:00"})
    assert api("GET", "/people/waves")["waves"][0]["discovered_at"] == "2026-03-10T13:20:00Z"
    api("PUT", "/people/waves/7", 404, json={"discovered_at": None})
    api("PUT", "/people/waves/1", 422, json={"discovered_at": "2026-03-10T14:20:00"})


def test_a_new_address_is_told_where_the_program_asks_for_it_and_may(app, token_for, monkeypatch):
    story = a_story(1, real={"email": Memory("email", answering(Outcome.REFUSED, "no_such_address"))})
    monkeypatch.setitem(app.extensions, "channels", story.channels)
    story.start()
    story.work()
    path = f"/api/v1/incidents/{story.incident.ref}/people/P-1"
    change = {"email": "new@example.org", "version": 1, "reason": "They rang", "tell": True}
    client = app.test_client()
    assert client.patch(path, json=change, headers=token_for("responder")).status_code == 409
    [fresh] = client.patch(path, json=change, headers=token_for("lead")).json["sent"]
    [row] = [row for row in story.rows() if row.current]
    assert (row.ref, row.state, row.attempt) == (fresh, "waiting", 2)
