"""A thing belongs to one incident: by the address of another one it is not there, for every route, page and API, read or write."""

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from incident import clock
from incident.actions import members
from incident.domain.access import CASE_TEAM, Role
from incident.store.incidents import Incident
from incident.store.users import User
from incident.web.access import permit_of
from tests import record
from tests.builders import a_user, an_incident
from tests.full_house import House, a_full_house

NAMES_NO_THING = {"key", "scale", "kind", "state", "channel", "language", "value", "name", "scenario"}
"""Arguments that are words of lists, or the file of a batch that is named beside them."""
MADE_UP = "X-00000000"
BODIES: dict[str, dict[str, Any]] = {
    "api_people.look": {"json": {"why": "request"}},
    "api_preflights.people": {"query_string": {"what": "name"}},
    "api_reports.save": {"json": {"version": 1, "answers": {"a": {"text": "words"}}}},
    "members.review_emergency": {"data": {"verdict": "justified", "words": "A reason that is long enough"}},
    "people.decide": {"data": {"answer": "same"}},
    "people.erase": {"data": {"confirm": "P-1", "why": "request"}},
}
"""What these routes read before they look for the thing, where the plainest body would not get past it."""
LISTS = {"remedies.bring", "remedies.redeem", "api_remedies.bring", "api_remedies.redeem"}
"""Routes that read a list first, brought as a file."""
NOT_OF_THIS_THING = {
    "api_erasures.certificate", "api_imports.preview", "api_preflights.people", "api_reports.kept_file",
    "attempts.mail_as_letter", "erasures.certificate", "media.paper", "preflights.people", "preflights.table",
    "reports.kept_file",
}  # fmt: skip
"""Routes to a part that the thing in the house lacks: an e-mail is no letter, a draft has no file."""
FORM = {
    "reason": "A reason that is long enough", "note": "Something", "text": "Something", "words": "Something", "why": "moved",
    "people": "1", "letters": "1", "count": "1", "typed": "1", "holder": "Somebody", "owner": "", "to": "",
    "same": "yes", "verdict": "sent", "outcome": "told", "way": "post", "day": "2026-11-22", "digest": "0" * 64,
    "version": "1", "revision": "1", "reference": "R-1", "met_at": "2026-11-21T10:00", "zone": "UTC", "said": "yes",
    "state": "failed", "title": "A title", "authority": "CNIL", "filed_at": "2026-11-21T10:00:00", "channel": "web_form",
    "discovered_at": "2026-11-21T10:00", "person": "P-1", "language": "en", "kind": "pdf", "received_at": "2026-11-21T10:00",
}  # fmt: skip
ALL_BUT_AUDITOR = [role for role in Role if role is not Role.AUDITOR]


class Call(NamedTuple):
    """One request to a route with somebody else's things in it."""

    rule: Rule
    method: str
    path: str
    own: str


@pytest.fixture
def theirs(app: APIFlask) -> House:
    """A restricted incident with something in every room."""
    return a_full_house(app.extensions["settings"].instance / "files")


@pytest.fixture
def mine(app: APIFlask) -> Incident:
    return an_incident()


@pytest.fixture
def me(app: APIFlask) -> User:
    return a_user(*ALL_BUT_AUDITOR)


def things_in(app: APIFlask, theirs: House, mine: Incident) -> Iterator[Call]:
    """Every route below an incident that names a thing of it: with my incident, and with theirs, in the address."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        wanted = rule.arguments - {"incident"}
        if "incident" not in rule.arguments or not wanted:
            continue
        blueprint = rule.endpoint.split(".")[0]
        values = {name: theirs.thing(blueprint, name) for name in wanted}
        if all(values[name] is None for name in wanted) and wanted <= NAMES_NO_THING:
            continue
        values = {name: "pdf" if value is None and name in NAMES_NO_THING else value for name, value in values.items()}
        if permit_of(app, rule.endpoint) in {"member.add", "member.remove"}:
            continue  # what they name is a person who works here
        values = {name: MADE_UP if value is None else value for name, value in values.items()}
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            path, own = (
                adapter.build(rule.endpoint, values | {"incident": ref}, method)
                for ref in (mine.ref, theirs.incident.ref)
            )
            yield Call(rule, method, path, own)


def body_of(call: Call, spec: dict[str, Any]) -> dict[str, Any]:
    """A request body that the route can read: filled in from its own description, or one form with every field."""
    if call.rule.endpoint in LISTS:
        return {"data": {"file": (io.BytesIO(b"CODE-1\n"), "codes.csv")}}
    if call.rule.endpoint in BODIES:
        return BODIES[call.rule.endpoint]
    if not call.path.startswith("/api/"):
        return {"data": FORM}
    described = spec["paths"][call.rule.rule.replace("<int:", "<").replace("<", "{").replace(">", "}")]
    content = described[call.method.lower()].get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return {"data": FORM} if content else {}
    return {"json": filled(content["application/json"]["schema"], spec)}


def filled(schema: dict[str, Any], spec: dict[str, Any]) -> Any:
    """The plainest value that fits a schema."""
    if "$ref" in schema:
        return filled(spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], spec)
    for choice in ("anyOf", "allOf", "oneOf"):
        if choice in schema:
            return filled(schema[choice][0], spec)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object":
        needed = {name: filled(schema["properties"][name], spec) for name in schema.get("required", ())}
        return needed or ({"reason": "some words"} if schema.get("minProperties") else {})
    plain = {
        "integer": max(schema.get("minimum", 1), 1),
        "number": 1.0,
        "boolean": True,
        "array": [filled(schema.get("items", {}), spec)] if schema.get("minItems") else [],
    }
    formats = {"date": "2026-11-22", "date-time": "2026-11-21T10:00:00Z"}
    return plain.get(schema.get("type", ""), formats.get(schema.get("format", ""), "some words"))


def test_no_route_reaches_a_thing_of_another_incident(app, as_, token_for, theirs: House, mine: Incident, me: User):
    browser, header = as_(user=me), token_for(user=me)
    app_spec: dict[str, Any] = app.spec
    opened = len(record.lines(mine.ref))
    before, said = theirs.rows(), len(record.lines(theirs.incident.ref))
    wrong = []
    for call in things_in(app, theirs, mine):
        answer = asked(app, browser, header, app_spec, call, call.path)
        if answer.status_code != 404 or "Unspoken" in answer.text:
            wrong.append((call.rule.endpoint, call.method, call.path, answer.status_code, answer.text[-200:]))
    assert wrong == [], "\n".join(map(str, wrong))
    assert theirs.rows() == before
    assert len(record.lines(theirs.incident.ref)) == said
    assert len(record.lines(mine.ref)) == opened


def test_the_same_routes_find_the_thing_by_its_own_incident(app, as_, token_for, theirs: House, mine: Incident):
    """Otherwise the test above would prove nothing: what is asked for there is really there."""
    user = a_user(*CASE_TEAM)
    members.add(theirs.incident.ref, user.ref, actor=theirs.actor, now=clock.now())
    browser, header = as_(user=user), token_for(user=user)
    unnamed = {call.rule.rule for call in things_in(app, theirs, mine) if MADE_UP in call.own}
    assert unnamed == set(), "name in tests/full_house.py what stands for the arguments of these routes"
    app_spec: dict[str, Any] = app.spec
    lost = [
        (call.rule.endpoint, call.own)
        for call in things_in(app, theirs, mine)
        if call.method == "GET"
        and call.rule.endpoint not in NOT_OF_THIS_THING
        and asked(app, browser, header, app_spec, call, call.own).status_code not in (200, 302)
    ]
    assert lost == [], "\n".join(map(str, lost))


def asked(
    app: APIFlask, browser: FlaskClient, header: dict[str, str], spec: dict[str, Any], call: Call, path: str
) -> Any:
    body = body_of(call, spec) if call.method != "GET" else BODIES.get(call.rule.endpoint, {})
    if path.startswith("/api/"):
        return app.test_client().open(path, method=call.method, headers=header, **body)
    return browser.open(path, method=call.method, **body)


def test_nothing_of_a_restricted_incident_is_on_any_list(app, as_, token_for, theirs: House):
    """As somebody with every right of the case team who is not on it: no title, no text, no reference of anything in it."""
    browser, header = as_(*CASE_TEAM), token_for(*CASE_TEAM)
    refs = {str(ref) for name, ref in theirs.things.items() if len(str(ref)) > 8 and not name.endswith("name")}
    told = []
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or "incident" in rule.arguments or rule.arguments & {"filename", "secret"}:
            continue
        path = app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(rule.arguments, "X-00000000"))
        answer = app.test_client().get(path, headers=header) if path.startswith("/api/") else browser.get(path)
        told += [(path, word) for word in ("Unspoken", theirs.incident.ref, *refs) if word in answer.text]
    assert told == []
