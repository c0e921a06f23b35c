"""The pages and calls of the team: invite, hand over, change, lock; sensitive acts ask for the password again."""

import re
from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import event

from incident import clock
from incident.actions import members, signin
from incident.domain.access import PERMITS, Role
from incident.domain.guests import PART_WORDS
from incident.store import incidents, users
from incident.store import members as member_rows
from incident.store.db import db
from tests import record
from tests.builders import a_user, an_incident

STRONG = "correct horse battery staple"


def link_on(page: str) -> str:
    found = re.search(r"http://localhost(/welcome/[\w-]+)", page)
    assert found
    return found[1]


def test_an_invited_person_comes_in_by_the_link_and_sets_up_the_second_factor(app: APIFlask, as_, client: FlaskClient):
    page = as_(Role.ADMINISTRATOR).post(
        "/team/invitations", data={"email": "bo@example.org", "roles": ["privacy", "approver"]}
    )
    link = link_on(page.text)
    assert client.get(link).location == "/welcome"
    form = client.get("/welcome").text
    assert "bo@example.org" in form
    assert "privacy, approver" in form
    answer = client.post("/welcome", data={"name": "Bo", "time_zone": "Asia/Shanghai", "new_password": STRONG})
    assert answer.location == "/sign-in/second-factor"
    assert "type the key" in client.get("/sign-in/second-factor").text
    assert users.by_email("bo@example.org").time_zone == "Asia/Shanghai"


def test_opening_a_link_changes_nothing_and_leaves_no_secret_in_the_address(app: APIFlask, as_, client: FlaskClient):
    link = link_on(
        as_(Role.ADMINISTRATOR).post("/team/invitations", data={"email": "bo@example.org", "roles": ["lead"]}).text
    )
    for _ in range(3):
        assert client.get(link).location == "/welcome"
    assert client.get("/welcome").status_code == 200


def test_a_link_works_in_a_browser_whose_old_session_has_ended(app: APIFlask, as_):
    link = link_on(
        as_(Role.ADMINISTRATOR).post("/team/invitations", data={"email": "bo@example.org", "roles": ["lead"]}).text
    )
    browser = as_(Role.LEAD)
    signin.sign_out_everywhere(actor=browser.ref, now=clock.now())
    browser.get(link)
    assert browser.get("/welcome").status_code == 200
    answer = browser.post("/welcome", data={"name": "Bo", "time_zone": "UTC", "new_password": STRONG})
    assert answer.location == "/sign-in/second-factor"


def test_a_spent_link_says_so(client: FlaskClient):
    client.get("/welcome/nonsense")
    answer = client.get("/welcome")
    assert answer.status_code == 410
    assert "opens nothing any more" in answer.text
    assert client.get("/welcome").status_code == 410


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"email": "no address", "roles": ["lead"]}, "email"),
        ({"email": "bo@example.org"}, "roles"),
        ({"email": "bo@example.org", "roles": ["auditor", "lead"]}, "roles"),
        ({"email": "bo@example.org", "roles": ["root"]}, "roles"),
    ],
)
def test_a_bad_invitation_names_its_field(as_, data: dict, field: str):
    answer = as_(Role.ADMINISTRATOR).post("/team/invitations", data=data)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text


def test_far_reaching_acts_ask_for_the_password_again(as_, app: APIFlask):
    boss, ana = a_user(Role.ADMINISTRATOR, password=STRONG), a_user(Role.LEAD)
    browser = as_(user=boss)
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        answer = browser.post(f"/team/{ana.ref}/roles", data={"roles": ["privacy"]})
        assert answer.location == f"/sign-in/again?next=/team/{ana.ref}"
        assert users.by_ref(ana.ref).roles == ["lead"]
        assert browser.post(answer.location, data={"password": "wrong"}).status_code == 422
        assert browser.post(answer.location, data={"password": STRONG}).location == f"/team/{ana.ref}"
        browser.post(f"/team/{ana.ref}/roles", data={"roles": ["privacy"]})
        assert users.by_ref(ana.ref).roles == ["privacy"]


def test_an_administrator_who_sees_no_incidents_lands_on_the_team(as_):
    assert as_(Role.ADMINISTRATOR).get("/").location == "/team/"
    assert as_(Role.AUDITOR).get("/").status_code == 200


def test_addresses_of_colleagues_are_for_administrators(as_, app: APIFlask, token_for):
    ana = a_user(Role.LEAD, email="ana@example.org")
    for role, told in ((Role.ADMINISTRATOR, True), (Role.LEAD, False), (Role.AUDITOR, False)):
        assert ("ana@example.org" in as_(role).get(f"/team/{ana.ref}").text) is told
        answer = app.test_client().get(f"/api/v1/team/{ana.ref}", headers=token_for(role)).json
        assert (answer["email"] == "ana@example.org") is told


def test_names_are_text_and_nothing_else(as_, app: APIFlask):
    boss = a_user(Role.ADMINISTRATOR, name="<script>alert(1)</script>=1+1")
    browser = as_(user=boss)
    for path in ("/team/", f"/team/{boss.ref}", "/account/"):
        assert "<script>alert" not in browser.get(path).text
    assert '"<script>alert(1)</script>=1+1"' not in browser.get("/team/").text


def test_the_list_is_paged_and_as_csv_and_asks_the_database_a_fixed_number_of_times(as_, app: APIFlask):
    browser = as_(Role.ADMINISTRATOR)
    few = queries(browser, "/team/")
    for number in range(104):
        a_user(Role.LEAD, name=f"Person {number}")
    assert queries(browser, "/team/") == few
    page = browser.get("/team/").text
    more = re.search(r'href="(/team/\?after=U-\w+)"', page)
    assert more
    shown = [re.findall(r'href="/team/U-\w+">Person', text) for text in (page, browser.get(more[1]).text)]
    assert sum(map(len, shown)) == 104
    assert browser.get("/team/team.csv").text.count("Person ") == 104


def queries(browser: FlaskClient, path: str) -> int:
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_more) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert browser.get(path).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(asked)


def test_the_account_page_changes_particulars(as_, app: APIFlask):
    browser = as_(Role.LEAD)
    browser.post("/account/particulars", data={"name": "Ana Neu", "time_zone": "Asia/Tokyo", "language": "en"})
    page = browser.get("/account/").text
    assert "Ana Neu" in page
    assert "Tokyo (UTC+9)" in page
    bad = browser.post("/account/particulars", data={"name": "", "time_zone": "Mars/Olympus", "language": "xx"})
    assert bad.status_code == 422


def test_a_new_password_ends_the_other_sessions(as_, app: APIFlask):
    ana = a_user(Role.LEAD, password=STRONG)
    here, there = as_(user=ana), as_(user=ana)
    wrong = here.post("/account/password", data={"password": "wrong", "new_password": "another battery staple horse"})
    assert wrong.status_code == 422
    done = here.post("/account/password", data={"password": STRONG, "new_password": "another battery staple horse"})
    assert done.location == "/account/"
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").location.startswith("/sign-in")


def test_one_session_can_be_ended_and_all(as_, app: APIFlask):
    ana = a_user(Role.LEAD)
    here, there, third = as_(user=ana), as_(user=ana), as_(user=ana)
    other = users.sessions_of(ana.id, clock.now())[1].ref
    here.post(f"/account/sessions/{other}/end")
    assert there.get("/account/").location.startswith("/sign-in")
    here.post("/account/sessions/end-all")
    assert [browser.get("/account/").status_code for browser in (here, third)] == [302, 302]


def test_nobody_ends_the_session_or_token_of_another(as_, app: APIFlask, token_for):
    ana, browser = a_user(Role.LEAD), as_(Role.ADMINISTRATOR)
    theirs = as_(user=ana)
    token_for(user=ana)
    browser.post(f"/account/sessions/{users.sessions_of(ana.id, clock.now())[0].ref}/end")
    assert browser.post(f"/account/tokens/{users.tokens_of(ana.id)[0].ref}/revoke").status_code == 404
    assert theirs.get("/account/").status_code == 200
    assert users.tokens_of(ana.id)[0].revoked_at is None


def test_a_token_is_shown_once_works_and_shows_its_last_use(as_, app: APIFlask):
    browser = as_(Role.LEAD)
    shown = re.search(
        r"tcs_[\w-]{43}", browser.post("/account/tokens", data={"name": "log collector", "days": "30"}).text
    )
    assert shown
    assert "never used" in browser.get("/account/").text
    answer = app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {shown[0]}"})
    assert answer.json["ref"] == browser.ref
    page = browser.get("/account/").text
    assert shown[0] not in page
    assert "last used" in page


def test_a_restricted_incident_is_nowhere_for_those_who_are_not_on_it(as_, app: APIFlask, token_for):
    ana, bo = a_user(Role.LEAD), a_user(Role.LEAD)
    incident = an_incident(title="Unspoken")
    members.restrict(incident.ref, actor=ana.ref, now=clock.now())
    for user, knows in ((ana, True), (bo, False), (a_user(Role.AUDITOR), True)):
        browser, header = as_(user=user), token_for(user=user)
        assert ("Unspoken" in browser.get("/incidents/").text) is knows
        assert ("Unspoken" in browser.get("/incidents/incidents.csv").text) is knows
        assert ("Unspoken" in app.test_client().get("/api/v1/incidents", headers=header).text) is knows
        assert browser.get(f"/incidents/{incident.ref}").status_code == (200 if knows else 404)
        there, not_there = (
            app.test_client().get(f"/api/v1/incidents/{ref}", headers=header) for ref in (incident.ref, "INC-1999-0001")
        )
        assert knows or there.json == not_there.json


def test_the_people_of_an_incident_come_and_go_by_its_page(as_, app: APIFlask):
    ana, bo = a_user(Role.LEAD, name="Ana"), a_user(Role.RESPONDER, name="Bo")
    incident, browser, theirs = an_incident(), as_(user=ana), as_(user=bo)
    team = f"/incidents/{incident.ref}/team/"
    browser.post(f"{team}restrict")
    assert theirs.get(team).status_code == 404
    browser.post(team, data={"person": bo.ref})
    page = theirs.get(team).text
    assert "added by Ana" in page
    browser.post(f"{team}{bo.ref}/remove")
    assert theirs.get(team).status_code == 404
    browser.post(f"{team}unrestrict")
    assert theirs.get(team).status_code == 200


def test_a_restricted_incident_is_never_left_to_nobody(as_, app: APIFlask):
    ana = a_user(Role.LEAD)
    incident, browser = an_incident(), as_(user=ana)
    browser.post(f"/incidents/{incident.ref}/team/restrict")
    assert browser.post(f"/incidents/{incident.ref}/team/{ana.ref}/remove").status_code == 409
    assert member_rows.has(incident.id, ana.id)


def test_who_leaves_a_restricted_incident_is_not_sent_back_to_it(as_, app: APIFlask):
    ana, bo = a_user(Role.LEAD), a_user(Role.LEAD)
    incident, browser = an_incident(), as_(user=ana)
    team = f"/incidents/{incident.ref}/team/"
    browser.post(f"{team}restrict")
    browser.post(team, data={"person": bo.ref})
    assert browser.post(f"{team}{ana.ref}/remove").location == "/incidents/"


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_who_cannot_work_on_incidents_is_not_put_on_one(as_, app: APIFlask, role: Role):
    person, incident = a_user(role), an_incident()
    answer = as_(Role.LEAD).post(f"/incidents/{incident.ref}/team/", data={"person": person.ref})
    assert answer.status_code == 422


def test_an_administrator_lets_somebody_in_unseen_by_themselves_and_seen_by_the_others(as_, app: APIFlask):
    ana, bo, boss = a_user(Role.LEAD), a_user(Role.LEAD), a_user(Role.ADMINISTRATOR, name="Boss")
    incident = an_incident()
    members.restrict(incident.ref, actor=ana.ref, now=clock.now())
    browser = as_(user=boss)
    answer = browser.post("/team/access", data={"incident": incident.ref.lower(), "person": bo.ref})
    assert answer.location == "/team/"
    assert browser.get(f"/incidents/{incident.ref}").status_code == 404
    assert "added by Boss (administrator)" in as_(user=ana).get(f"/incidents/{incident.ref}/team/").text
    assert incidents.by_ref(incident.ref).restricted
    assert browser.post("/team/access", data={"incident": "INC-1999-0001", "person": bo.ref}).status_code == 422


def test_an_administrator_who_is_also_a_lead_does_not_let_themselves_in(as_, app: APIFlask):
    ana, boss = a_user(Role.LEAD), a_user(Role.ADMINISTRATOR, Role.LEAD)
    incident = an_incident()
    members.restrict(incident.ref, actor=ana.ref, now=clock.now())
    assert as_(user=boss).post("/team/access", data={"incident": incident.ref, "person": boss.ref}).status_code == 409
    assert not member_rows.has(incident.id, boss.id)


def test_programs_do_what_the_pages_do(app: APIFlask, token_for):
    boss, ana = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD)
    by_boss, by_ana, call = token_for(user=boss), token_for(user=ana), app.test_client()
    made = call.post(
        "/api/v1/team/invitations", json={"email": "bo@example.org", "roles": ["privacy"]}, headers=by_boss
    )
    assert made.status_code == 201
    assert call.get(link_on(made.json["link"])).location == "/welcome"
    out = call.get("/api/v1/team/invitations", headers=by_boss).json["invitations"]
    assert [row["ref"] for row in out] == [made.json["ref"]]
    assert call.delete(f"/api/v1/team/invitations/{made.json['ref']}", headers=by_boss).status_code == 204
    given = call.put(f"/api/v1/team/{ana.ref}/roles", json={"roles": ["lead", "privacy"]}, headers=by_boss)
    assert given.json == {"waits": None}, "nobody else could say yes"
    assert call.get("/api/v1/me", headers=by_ana).json["roles"] == ["lead", "privacy"]
    incident, bo = an_incident().ref, a_user(Role.RESPONDER)
    assert (
        call.put(f"/api/v1/incidents/{incident}/restriction", json={"restricted": True}, headers=by_ana).status_code
        == 204
    )
    assert call.put(f"/api/v1/incidents/{incident}/members/{bo.ref}", headers=by_ana).status_code == 204
    team = call.get(f"/api/v1/incidents/{incident}/members", headers=by_ana).json
    assert team["restricted"]
    assert [member["ref"] for member in team["members"]] == [ana.ref, bo.ref]
    assert call.delete(f"/api/v1/incidents/{incident}/members/{bo.ref}", headers=by_ana).status_code == 204
    token = call.post("/api/v1/me/tokens", json={"name": "next", "days": 7}, headers=by_ana).json
    assert (
        call.delete(
            f"/api/v1/me/tokens/{token['ref']}", headers={"Authorization": f"Bearer {token['secret']}"}
        ).status_code
        == 204
    )
    assert call.get("/api/v1/me", headers={"Authorization": f"Bearer {token['secret']}"}).status_code == 401
    assert call.post(f"/api/v1/team/{ana.ref}/lock", headers=by_boss).status_code == 204
    assert call.get("/api/v1/me", headers=by_ana).status_code == 401


def test_programs_look_after_their_owners_account(app: APIFlask, as_, token_for):
    ana = a_user(Role.LEAD)
    browser, header, call = as_(user=ana), token_for(user=ana), app.test_client()
    assert call.patch("/api/v1/me", json={"time_zone": "Asia/Tokyo"}, headers=header).status_code == 204
    assert call.get("/api/v1/me", headers=header).json["time_zone"] == "Asia/Tokyo"
    found = call.get("/api/v1/me/sessions", headers=header).json["sessions"]
    assert call.delete(f"/api/v1/me/sessions/{found[0]['ref']}", headers=header).status_code == 204
    assert browser.get("/account/").location.startswith("/sign-in")
    again = as_(user=ana)
    assert call.delete("/api/v1/me/sessions", headers=header).status_code == 204
    assert again.get("/account/").location.startswith("/sign-in")
    assert call.patch("/api/v1/me", json={"time_zone": "Mars/Olympus"}, headers=header).json["field"] == "time_zone"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/api/v1/team/invitations", {"email": "bo@example.org"}),
        ("post", "/api/v1/team/invitations", {"email": "bo", "roles": ["lead"]}),
        ("post", "/api/v1/team/invitations", {"email": "bo@example.org", "roles": ["root"]}),
        ("post", "/api/v1/team/invitations", {"email": "bo@example.org", "roles": ["lead"], "admin": True}),
        ("post", "/api/v1/team/invitations", []),
        ("get", "/api/v1/team?limit=0", None),
        ("post", "/api/v1/me/tokens", {"name": "x", "days": 4000}),
        ("post", "/api/v1/me/tokens", {"name": "\x1b", "days": 4}),
        ("post", "/api/v1/team/access", {"incident": "nonsense", "person": "U-NOBODY00"}),
    ],
)
def test_bad_input_is_named(app: APIFlask, token_for, method: str, path: str, body):
    answer = app.test_client().open(path, method=method, json=body, headers=token_for(Role.ADMINISTRATOR))
    assert answer.status_code == 422
    assert answer.json["field"] or answer.json["detail"]


def test_where_mail_is_not_to_be_trusted_a_code_is_read_out_and_typed_however(app, as_, client):
    page = as_(Role.ADMINISTRATOR).post("/team/invitations", data={"email": "new@example.org", "roles": ["lead"]}).text
    code = re.search(r"<p class=\"mono said\">((?:[0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4})</p>", page)
    assert code
    assert "http://localhost/welcome/code" in page
    typed = code[1].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert client.post("/welcome/code", data={"code": typed}).location == "/welcome"
    assert "new@example.org" in client.get("/welcome").text
    mine = {"name": "New", "new_password": "correct horse battery staple", "time_zone": "UTC"}
    assert client.post("/welcome", data=mine).status_code == 302
    stranger = app.test_client()
    assert stranger.post("/welcome/code", data={"code": typed}).status_code == 422
    assert stranger.get("/welcome").status_code == 410


def test_guessing_codes_of_links_ends_in_a_pause_and_leaves_lines(app, client):
    answers = [
        client.post("/welcome/code", data={"code": f"7K3M-XW2Q-9TRB-0HZE-5PDN-{n:04}"}).status_code for n in range(31)
    ]
    assert answers == [422] * 30 + [429]
    refused = [record.details(line)["why"] for line in record.lines() if line.verb == "session.refused"]
    assert refused == ["code_of_link"] * 30


def test_the_rules_name_what_each_role_and_each_part_of_a_guest_opens(app, as_):
    browser = as_(Role.AUDITOR)
    page = browser.get("/team/rules/").text
    table = browser.get("/team/rules/roles.csv").text.splitlines()
    assert len(table) == len(PERMITS) + 1
    for permit, roles in PERMITS.items():
        [line] = [line for line in table if line.startswith(f"{permit},")]
        assert line.count("yes") == len(roles)
        assert page.count(f"<b>{permit.partition('.')[0].replace('_', ' ')}</b>") >= len(roles)
    for words in PART_WORDS.values():
        assert words in page
