"""Every route, for every role, on incidents one may and may not know of: as the table of permits says, from the url map."""

from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.exceptions import Forbidden
from werkzeug.routing import Rule

from incident import clock
from incident.actions import members, tokens
from incident.actions import users as user_actions
from incident.actions.ledger import transaction
from incident.app import API, HOOKS, OUTSIDE
from incident.domain.access import CASE_TEAM, OWN, PERMITS, PUBLIC, SIGNED, SPECIAL, Role, may
from incident.domain.errors import Missing
from incident.store import incidents, users
from incident.store import members as member_rows
from incident.store.incidents import Incident
from incident.store.users import User
from incident.web import access
from incident.web.access import demand_permits, permit, permit_of
from tests import record
from tests.builders import a_session, a_user, an_incident

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
Call = tuple[Rule, str, str]


def calls(app: APIFlask, incident: str = "INC-0000-0000") -> Iterator[Call]:
    """Every (rule, method, path), with the incident and made-up parts filled in."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        values = {name: incident if name == "incident" else _made_up(rule, name) for name in rule.arguments}
        path = adapter.build(rule.endpoint, values)
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            yield rule, method, path


def _made_up(rule: Rule, name: str) -> str | int:
    return 1 if "Integer" in type(rule._converters[name]).__name__ else "X-00000000"


@pytest.fixture
def restricted(app: APIFlask) -> str:
    """A restricted incident with one lead on it."""
    lead = a_user(Role.LEAD)
    incident = an_incident()
    members.restrict(incident.ref, actor=lead.ref, now=clock.now())
    return incident.ref


def admitted(app: APIFlask, call: Call, user: User, secrets: tuple[str, str]) -> str:
    """What the gate says to this person's call, without running the view: in, 403, 404, or the way to somewhere else."""
    _, method, path = call
    session, token = secrets
    headers = {"Authorization": f"Bearer {token}"} if path.startswith("/api/") else {}
    with app.test_request_context(path, method=method, headers=headers) as context:
        if not headers:
            context.session["sid"], context.session["seen"] = session, int(clock.now().timestamp())
        try:
            answer = app.preprocess_request()
        except Forbidden:
            return "403"
        except Missing:
            return "404"
    return "in" if answer is None else f"to {answer.location}"


def expected(app: APIFlask, rule: Rule, role: Role, *, knows: bool) -> str:
    name = permit_of(app, rule.endpoint) or ""
    if name in (PUBLIC, SIGNED):
        return "in"
    if "incident" in rule.arguments and not (knows and may("incident.view", [role])):
        return "404"
    return "in" if name in SPECIAL or may(name, [role]) else "403"


STANDINGS = [(role, standing) for role in Role for standing in ("own", "other", "restricted")]
STANDINGS += [(Role.LEAD, "left"), (Role.LEAD, "over")]


@pytest.mark.parametrize(("role", "standing"), STANDINGS)
def test_each_role_gets_in_where_the_table_says(app: APIFlask, restricted: str, role: Role, standing: str):
    """Own: a restricted one with them on it. Other: open to the team, and not theirs. Left: they were on it until just now."""
    user, lead = a_user(role), users.holders(Role.LEAD)[0]
    incident = an_incident().ref if standing == "other" else restricted
    if standing in ("own", "left", "over"):
        _put_on(restricted, user, by=lead)
    if standing == "left":
        members.remove(restricted, user.ref, actor=lead.ref, now=clock.now())
    if standing == "over":
        _let_end(restricted, user)
    secrets = a_session(user), tokens.issue(user.ref, name="test", days=1, actor=user.ref, now=clock.now())[1]
    knows = standing in ("own", "other") or role is Role.AUDITOR
    wrong = [
        (method, path, said, wanted)
        for rule, method, path in calls(app, incident)
        if method != "HEAD"
        and (said := admitted(app, (rule, method, path), user, secrets))
        != (wanted := expected(app, rule, role, knows=knows))
    ]
    assert wrong == []


def _put_on(incident: str, user: User, *, by: User) -> None:
    """Straight into the table: the action would refuse some roles, and the gate must hold all the same."""
    with transaction(by.ref, clock.now()) as ledger:
        row = incidents.by_ref(incident)
        assert row is not None
        member_rows.add(row.id, user.id, actor=by.ref, now=clock.now())
        ledger.write("member.added", user.ref, incident=incident)


def _let_end(incident: str, user: User) -> None:
    """As of an emergency that is over, and that nobody has cleared away yet."""
    with transaction("system", clock.now()) as ledger:
        row = incidents.by_ref(incident)
        place = member_rows.one(row.id, user.id) if row is not None else None
        assert place is not None
        place.until = clock.now()
        ledger.write("member.ended", user.ref, incident=incident)


def test_what_the_gate_refuses_is_refused_to_browsers_and_programs_in_words(
    as_, token_for, app: APIFlask, restricted: str
):
    """The refused half of the table once more, through the whole application."""
    for role in Role:
        browser, header = as_(role), token_for(role)
        for rule, method, path in calls(app, restricted):
            wanted = expected(app, rule, role, knows=role is Role.AUDITOR)
            if wanted == "in":
                continue
            program = path.startswith("/api/")
            answer = (
                app.test_client().open(path, method=method, headers=header)
                if program
                else browser.open(path, method=method)
            )
            assert (method, path, str(answer.status_code)) == (method, path, wanted)
            if program and method != "HEAD":
                assert answer.content_type == "application/problem+json"
            assert restricted not in answer.text


def test_strangers_get_in_nowhere_but_where_all_may(app: APIFlask, restricted: str):
    for rule, method, path in calls(app, restricted):
        if permit_of(app, rule.endpoint) in (PUBLIC, SIGNED):
            continue
        answer = app.test_client().open(path, method=method)
        if path.startswith("/api/"):
            assert (path, answer.status_code, answer.headers["WWW-Authenticate"]) == (path, 401, "Bearer")
        else:
            assert (path, answer.status_code) == (path, 302)
            assert answer.location.startswith("/sign-in")


def test_a_password_alone_opens_only_what_completes_the_sign_in(app: APIFlask, restricted: str):
    user = a_user(Role.LEAD)
    secret = a_session(user, second_factor=False)
    for rule, method, path in calls(app, restricted):
        if path.startswith("/api/") or permit_of(app, rule.endpoint) in (PUBLIC, SIGNED, OWN):
            continue
        assert admitted(app, (rule, method, path), user, (secret, "")) == "to /sign-in/second-factor"


def test_no_route_answers_options(app: APIFlask, as_):
    browser = as_(Role.LEAD)
    for _, _, path in calls(app):
        assert browser.options(path).status_code == 405


def test_a_cookie_opens_nothing_in_the_api(app: APIFlask, as_):
    browser = as_(*[role for role in Role if role is not Role.AUDITOR])
    for rule, method, path in calls(app):
        if path.startswith("/api/") and permit_of(app, rule.endpoint) != PUBLIC:
            assert (path, browser.open(path, method=method).status_code) == (path, 401)


def test_a_token_opens_no_page(app: APIFlask, token_for):
    assert app.test_client().get("/team/", headers=token_for(Role.LEAD)).location.startswith("/sign-in")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer tcs_wrong", "Basic dXNlcjpwYXNz", "tcs_wrong", "Bearer \u00e9"]
)
def test_what_is_no_token_opens_nothing(client: FlaskClient, header: str):
    answer = client.get("/api/v1/me", headers={"Authorization": header.encode("latin-1").decode("latin-1")})
    assert answer.status_code == 401


def test_a_token_ends_when_it_is_revoked_or_its_owner_locked(app: APIFlask, token_for):
    owner, other = a_user(Role.LEAD), a_user(Role.LEAD)
    first, second = token_for(user=owner), token_for(user=other)
    browser = app.test_client()
    assert browser.get("/api/v1/me", headers=first).status_code == 200
    tokens.revoke(owner.ref, users.tokens_of(owner.id)[0].ref, actor=owner.ref, now=clock.now())
    user_actions.lock(other.ref, actor=owner.ref, now=clock.now())
    assert [browser.get("/api/v1/me", headers=header).status_code for header in (first, second)] == [401, 401]


def test_losing_a_role_counts_at_once(app: APIFlask, as_, token_for):
    boss, user = a_user(Role.ADMINISTRATOR), a_user(Role.LEAD)
    browser, header = as_(user=user), token_for(user=user)
    user_actions.change_roles(user.ref, ["administrator"], actor=boss.ref, now=clock.now())
    assert browser.get("/incidents/").status_code == 403
    assert app.test_client().get("/api/v1/incidents", headers=header).status_code == 403


ASKED_IN_THE_BODY = {
    *("people.find", "api_people.find", "api_law_update.what_if", "what_if.suppose"),
    *("search.find", "api_search.people"),
}
"""Look-ups that travel as POST, so that nobody's contact stands in an address, nor what somebody supposes."""


def test_an_auditors_permits_are_for_reading_alone(app: APIFlask):
    held = {name for name, roles in PERMITS.items() if Role.AUDITOR in roles}
    writing = {
        rule.endpoint for rule, method, _ in calls(app) if method in WRITES and permit_of(app, rule.endpoint) in held
    }
    assert writing == ASKED_IN_THE_BODY


WITHIN_A_VIEW = {"privilege.export"}
"""Permits that widen what a route gives, where they are asked for: tests/actions/test_privilege.py."""


def test_every_permit_opens_some_route(app: APIFlask):
    used = {permit_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}
    assert set(PERMITS) - used == WITHIN_A_VIEW


def test_a_route_without_a_permit_stops_the_start(app: APIFlask):

    bare = APIFlask("bare", static_folder=None)
    bare.add_url_rule("/open", "open", lambda: "open")
    with pytest.raises(RuntimeError, match="Routes without a permit: open"):
        demand_permits(bare)


def test_a_route_that_slipped_through_stays_closed(app: APIFlask):

    bare = APIFlask("bare", static_folder=None)
    bare.add_url_rule("/open", "open", lambda: "open")
    access.init(bare)
    assert bare.test_client().get("/open").status_code == 403


def test_a_permit_must_be_on_the_list():
    with pytest.raises(ValueError, match="is no permit"):
        permit("notice.invented")


def test_the_order_of_decorators_does_not_matter(app: APIFlask, client: FlaskClient):
    """A body that cannot be read is not even looked at before the caller is known."""
    answer = client.post("/api/v1/team/invitations", data="{", content_type="application/json")
    assert answer.status_code == 401


def test_all_forms_need_a_token_and_only_programs_do_without(app: APIFlask, as_):
    browser: FlaskClient = as_(*[role for role in Role if role is not Role.AUDITOR])
    programs = {blueprint.name for blueprint in (*HOOKS, *API, *OUTSIDE)}  # forms for strangers carry a ticket
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        for rule, method, path in calls(app):
            if method in WRITES and rule.endpoint.split(".")[0] not in programs and "incident" not in rule.arguments:
                answer = browser.open(path, method=method)
                assert (path, answer.status_code) in {(path, 400), (path, 302)}
                assert answer.status_code == 400 or answer.location.startswith("/sign-in/again")
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def test_the_description_of_the_api_names_the_token_and_each_permit(client: FlaskClient):
    described = client.get("/api/openapi.json").json
    assert described["openapi"].startswith("3.1")
    assert described["security"] == [{"token": []}]
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    every = [call for path in described["paths"].values() for way, call in path.items() if way != "parameters"]
    assert all(call["x-permit"] for call in every)
    assert all("problem" in str(call["responses"]["422"]) for call in every)


@pytest.fixture
def unspoken(app: APIFlask) -> Incident:
    """A restricted incident with duties, as one lead of it knows it."""
    lead = a_user(Role.LEAD)
    facts = {
        "personal_data": "yes",
        "aware_at": "2026-11-20T09:00:00Z",
        "residents": {"DE": 600},
        "risk_to_people": "high",
    }
    incident = an_incident(title="Unspoken", facts=facts)
    members.restrict(incident.ref, actor=lead.ref, now=clock.now())
    return incident


def answers(app: APIFlask, browser: FlaskClient, header: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every page and call that is not bound to one incident, and its text."""
    for rule, method, path in calls(app):
        if method == "GET" and "incident" not in rule.arguments:
            answer = app.test_client().get(path, headers=header) if path.startswith("/api/") else browser.get(path)
            yield path, answer.text


def test_a_restricted_incident_is_on_no_list_whatever_the_page(app: APIFlask, as_, token_for, unspoken: Incident):
    """As somebody with every right of the case team, but not on this incident."""
    browser, header = as_(*CASE_TEAM), token_for(*CASE_TEAM)
    told = [path for path, text in answers(app, browser, header) if "Unspoken" in text or unspoken.ref in text]
    assert told == []


def test_an_administrator_knows_of_a_restricted_incident_by_the_record_alone(
    app: APIFlask, as_, token_for, unspoken: Incident
):
    """The record holds references and verbs, no titles: enough to let somebody in, nothing of what happened."""
    browser, header = as_(Role.ADMINISTRATOR), token_for(Role.ADMINISTRATOR)
    texts = dict(answers(app, browser, header))
    assert not [path for path, text in texts.items() if "Unspoken" in text]
    told = [path for path, text in texts.items() if unspoken.ref in text]
    assert all(path.startswith(("/record/", "/api/v1/record")) for path in told)


def test_what_somebody_is_refused_leaves_a_line_until_more_would_say_nothing(app, as_, restricted):
    responder, admin = as_("responder"), as_("administrator")
    assert responder.post("/desk/sending/release").status_code == 403
    assert responder.get(f"/incidents/{restricted}").status_code == 404
    assert admin.get("/incidents/INC-1999-0001").status_code == 404
    told = [
        (line.actor, line.incident, record.details(line)["permit"])
        for line in record.lines()
        if line.verb == "access.refused"
    ]
    assert told == [
        (responder.ref, None, "sending.release"),
        (responder.ref, restricted, "incident.view"),
        (admin.ref, None, "incident.view"),
    ]
    for _ in range(15):
        assert responder.post("/desk/sending/release").status_code == 403
    assert sum(line.verb == "access.refused" and line.actor == responder.ref for line in record.lines()) == 10
