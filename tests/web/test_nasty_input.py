"""What no form was made for: zero bytes, half letters, very long and very large things. Refused in words, never our mistake."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from incident.domain.access import CASE_TEAM, Role
from tests.builders import an_incident

NASTY = ["a\x00b", "\ud800x", "x" * 100_000, "\u202e\u2066x", "' OR 1=1 --", "{{ 7 * 7 }}", "%s%n", "../../etc/passwd"]


@pytest.fixture
def calm(app: APIFlask) -> Iterator[APIFlask]:
    """The application as it is in service: a failure is a page, not an exception in the test."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    app.config["PROPAGATE_EXCEPTIONS"] = None


@pytest.mark.parametrize("bad", NASTY, ids=repr)
def test_no_input_is_our_mistake(calm: APIFlask, as_, token_for, bad: str):
    incident = an_incident().ref
    rights = (*CASE_TEAM, Role.ADMINISTRATOR)
    browser, stranger, header = as_(*rights), calm.test_client(), token_for(*rights)
    answers = [
        *strangers_try(stranger, bad),
        *people_try(browser, incident, bad),
        *programs_try(stranger, header, incident, bad),
    ]
    assert not [(answer.request.path[:80], answer.status_code) for answer in answers if answer.status_code >= 500]


def strangers_try(browser: FlaskClient, bad: str) -> Iterator[TestResponse]:
    raw = bad.encode("utf-8", "surrogatepass")
    yield browser.post("/sign-in", data={"email": raw, "password": raw})
    yield browser.get(f"/welcome/{_in_path(bad)}")
    yield browser.get("/welcome")
    yield browser.get("/sign-in", query_string=f"next={quote(raw)[:3000]}")
    yield browser.get("/api/v1/me", headers={"Authorization": f"Bearer {_in_path(bad)}"})


def people_try(browser: FlaskClient, incident: str, bad: str) -> Iterator[TestResponse]:
    raw, path = bad.encode("utf-8", "surrogatepass"), _in_path(bad)
    for address in (f"/team/{path}", f"/team/?after={path}", f"/incidents/{path}", f"/incidents/{path}/team/"):
        yield browser.get(address)
    yield browser.post("/team/invitations", data={"email": raw, "roles": ["lead"]})
    yield browser.post("/account/particulars", data={"name": raw, "time_zone": raw, "language": raw})
    yield browser.post("/account/tokens", data={"name": raw, "days": "3"})
    yield browser.post(f"/incidents/{incident}/team/", data={"person": raw})
    yield browser.post("/team/access", data={"incident": raw, "person": raw})
    yield browser.post(f"/incidents/{incident}/notes", data={"text": raw})


def programs_try(call: FlaskClient, header: dict[str, str], incident: str, bad: str) -> Iterator[TestResponse]:
    path = _in_path(bad)
    yield call.get(f"/api/v1/team/{path}", headers=header)
    yield call.get(f"/api/v1/team?after={path}", headers=header)
    bodies = {
        "/api/v1/me/tokens": {"name": bad},
        "/api/v1/team/invitations": {"email": bad, "roles": ["lead"]},
        "/api/v1/team/access": {"incident": bad, "person": bad},
        "/api/v1/incidents": {"title": bad},
        f"/api/v1/incidents/{incident}/notes": {"text": bad},
        f"/api/v1/incidents/{incident}/facts": {"facts": {"what_happened": bad}, "source": bad},
    }
    for address, body in bodies.items():
        yield call.post(address, json=body, headers=header)
    yield call.patch("/api/v1/me", json={"name": bad, "time_zone": bad, "language": bad}, headers=header)


def _in_path(bad: str) -> str:
    return quote(bad.encode("utf-8", "surrogatepass"), safe="")[:3000]


@pytest.mark.parametrize(
    "number", ["-1", "0", "1e9", "99999999999999999999999", "-99999999999999999999999", "NaN", "١"]
)
def test_numbers_in_addresses_are_numbers_or_nothing(calm: APIFlask, as_, token_for, number: str):
    browser, header = as_(Role.LEAD), token_for(Role.LEAD)
    answers = [
        browser.get(f"/incidents/?before={quote(number)}"),
        calm.test_client().get(f"/api/v1/incidents?before={quote(number)}", headers=header),
        calm.test_client().get(f"/api/v1/team?limit={quote(number)}", headers=header),
    ]
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"name":' + b"[" * 50_000])
def test_bodies_that_are_no_json_objects_are_named(calm: APIFlask, token_for, body: bytes):
    answer = calm.test_client().post(
        "/api/v1/me/tokens", data=body, content_type="application/json", headers=token_for(Role.LEAD)
    )
    assert answer.status_code in (400, 422)
    assert answer.content_type == "application/problem+json"
