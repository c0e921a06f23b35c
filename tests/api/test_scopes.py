"""What a token may do is what its owner may, and no more than its scope leaves of it."""

import pytest
from apiflask import APIFlask

from incident import clock
from incident.actions import members, tokens
from incident.domain.access import CASE_TEAM, Role
from incident.domain.errors import Invalid
from incident.store import users
from incident.store.users import User
from incident.web.access import permit_of
from tests import record
from tests.builders import a_user, an_incident
from tests.web.test_access import admitted, calls

OWNER = (*CASE_TEAM, Role.ADMINISTRATOR)


def issued(user: User, **bounds: str) -> str:
    return tokens.issue(user.ref, name="program", days=1, **bounds, actor=user.ref, now=clock.now())[1]


def said_of(app: APIFlask, user: User, secret: str, incident: str) -> dict[tuple[str, str], str]:
    """What the gate says to every call of the API with this token, by endpoint and method."""
    return {
        (rule.endpoint, method): admitted(app, (rule, method, path), user, ("", secret))
        for rule, method, path in calls(app, incident)
        if path.startswith("/api/v1/") and method != "HEAD"
    }


def test_a_token_for_reading_makes_no_call_that_changes_something(app: APIFlask):
    user, incident = a_user(*OWNER), an_incident()
    whole, reading = (said_of(app, user, issued(user, scope=scope), incident.ref) for scope in ("write", "read"))
    lost = {call for call, said in whole.items() if said == "in" and reading[call] != "in"}
    assert {method for _, method in lost} == {"POST", "PUT", "PATCH", "DELETE"}
    kept = {endpoint for (endpoint, method), said in reading.items() if said == "in" and method != "GET"}
    assert all((permit_of(app, endpoint) or "").endswith(".view") for endpoint in kept)
    assert all(said == whole[call] for call, said in reading.items() if call[1] == "GET")


@pytest.mark.parametrize("scope", ["read", "write"])
def test_a_token_of_one_incident_opens_nothing_else(app: APIFlask, scope: str):
    user, mine, other = a_user(*OWNER), an_incident(), an_incident()
    secret = issued(user, scope=scope, incident=mine.ref)
    inside, outside = (said_of(app, user, secret, ref) for ref in (mine.ref, other.ref))
    opened = {call for call, said in inside.items() if said == "in"}
    assert ("api_incidents.show", "GET") in opened
    assert {call for call, said in outside.items() if said == "in"} == {("api_account.show", "GET")}


def test_a_token_never_does_more_than_its_owner(app: APIFlask):
    user, incident = a_user(Role.AUDITOR), an_incident()
    said = said_of(app, user, issued(user, scope="write", incident=incident.ref), incident.ref)
    assert said["api_incidents.add_note", "POST"] == "403"


def test_a_refused_call_is_told_in_words(app: APIFlask):
    user, incident = a_user(Role.LEAD), an_incident()
    header = {"Authorization": f"Bearer {issued(user, scope='read')}"}
    answer = app.test_client().post(f"/api/v1/incidents/{incident.ref}/notes", json={"text": "No."}, headers=header)
    assert answer.status_code == 403
    assert record.verbs(incident.ref) == ["incident.opened"] or "note.added" not in record.verbs(incident.ref)


def test_a_narrow_token_cannot_issue_a_wider_one(app: APIFlask):
    user, incident = a_user(Role.LEAD), an_incident()
    for bounds in ({"scope": "read"}, {"scope": "write", "incident": incident.ref}):
        header = {"Authorization": f"Bearer {issued(user, **bounds)}"}
        answer = app.test_client().post("/api/v1/me/tokens", json={"name": "wider", "days": 1}, headers=header)
        assert answer.status_code == 403
    assert len(users.tokens_of(user.id)) == 2


def test_nobody_learns_by_a_token_which_incidents_there_are(app: APIFlask):
    user, incident = a_user(Role.LEAD), an_incident()
    members.restrict(incident.ref, actor=a_user(Role.LEAD).ref, now=clock.now())
    said = set()
    for ref in (incident.ref, "INC-1999-0001"):
        with pytest.raises(Invalid) as refusal:
            issued(user, incident=ref)
        said.add((refusal.value.field, refusal.value.sentence))
    assert len(said) == 1


def test_the_page_offers_reading_first_and_shows_what_each_token_may(app: APIFlask, as_):
    incident, browser = an_incident(), as_(Role.LEAD)
    form = {"name": "collector", "days": "3", "scope": "read", "incident": incident.ref.lower()}
    assert "tcs_" in browser.post("/account/tokens", data=form).text
    page = browser.get("/account/").text
    assert f"in {incident.ref} only" in page
    assert browser.post("/account/tokens", data=form | {"incident": "INC-1999-0001"}).status_code == 422
    line = [line for line in record.lines() if line.verb == "token.issued"][-1]
    assert record.details(line)["scope"] == "read"
    assert line.incident == incident.ref
