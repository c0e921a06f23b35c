"""The reference of the API: every call of the description is on it, with fields and an example that fit."""

import json
import re

import pytest
from flask import Response
from jsonschema import Draft202012Validator

from incident.api import reading
from incident.domain.access import CASE_TEAM, Role
from tests.builders import an_incident


@pytest.fixture
def spec(client):
    return client.get("/api/openapi.json").json


def every(spec):
    return [call for part in reading.parts(spec) for call in reading.of_part(spec, part)]


def test_every_call_stands_in_one_part(spec):
    described = {(way.upper(), path) for path, ways in spec["paths"].items() for way in ways if way in reading.WAYS}
    found = [(call.way, call.path) for call in every(spec)]
    assert len(found) == len(set(found))
    assert set(found) == described


def test_whatever_stands_in_an_address_is_asked_for(spec):
    for call in every(spec):
        asked = {one.name for one in call.given if one.where == "path"}
        assert asked == set(re.findall(r"{([^}]+)}", call.path))


def test_an_example_has_the_shape_that_its_call_takes(spec):
    wrong = []
    for call in every(spec):
        if not call.takes_json:
            continue
        schema = spec["paths"][call.path][call.way.lower()]["requestBody"]["content"]["application/json"]["schema"]
        whole = {**schema, "components": spec["components"]}
        kinds = {
            "minLength",
            "pattern",
            "format",
            "minItems",
            "minProperties",
            "anyOf",
        }  # words of one's own are to be put in
        wrong += [
            f"{call.way} {call.path}: {error.message}"
            for error in Draft202012Validator(whole).iter_errors(call.example)
            if error.validator not in kinds
        ]
    assert wrong == []


def test_the_parts_of_the_description_are_named_once(spec):
    names = [tag["name"] for tag in spec["tags"]]
    assert len(names) == len(set(names))


def test_no_two_shapes_have_one_title_and_every_reference_leads_somewhere(spec):
    shapes = spec["components"]["schemas"]
    titles = [shape["title"] for shape in shapes.values() if "title" in shape]
    assert len(titles) > 300
    assert sorted(titles) == sorted(set(titles))
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(spec))) <= set(shapes)


def files_given(app):
    """The calls of programs that answer with a file: those whose function gives an answer of its own making."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/") and app.view_functions[rule.endpoint].__annotations__["return"] is Response:
            [way] = rule.methods & {"GET", "POST"}
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), way.lower()


def test_a_call_that_gives_a_file_names_its_media_types(app, spec):
    found = {
        (path, way): spec["paths"][path][way]["responses"]["200"]["content"] for path, way in sorted(files_given(app))
    }
    assert len(found) > 15
    assert {call: content for call, content in found.items() if set(content) <= {"application/json"}} == {}
    assert list(found["/api/v1/record/export", "get"]) == ["application/jsonl"]
    calendar = found["/api/v1/incidents/{incident}/deadlines.ics", "get"]
    assert calendar == {"text/calendar": {"schema": {"type": "string"}}}


def test_what_a_file_is_said_to_be_it_is(app, spec, token_for):
    one, header = an_incident(), token_for(*CASE_TEAM, Role.AUDITOR)
    kinds = {}
    for path, way in sorted(files_given(app)):
        arguments = set(re.findall(r"{(\w+)}", path))
        if way == "get" and arguments <= {"incident"}:
            answer = app.test_client().get(path.format(incident=one.ref), headers=header, buffered=True)
            if answer.status_code == 200:
                kinds[path] = answer.mimetype in spec["paths"][path][way]["responses"]["200"]["content"]
    assert kinds == {
        "/api/v1/incidents/{incident}/deadlines.ics": True,
        "/api/v1/incidents/{incident}/sendings/register.csv": True,
        "/api/v1/record/export": True,
    }


def test_the_pages_show_what_is_given_and_what_comes(as_):
    browser = as_(Role.RESPONDER)
    assert 'href="/reference/incidents"' in browser.get("/reference/").text
    page = browser.get("/reference/incidents").text
    assert "/api/v1/incidents" in page
    assert "one of incident, near_miss, drill" in page
    assert "Idempotency-Key" in page
    assert browser.get("/reference/none").status_code == 404


def test_who_is_not_signed_in_sees_none_of_it(client):
    assert client.get("/reference/").status_code == 302


def test_words_for_kinds():
    spec = {"components": {"schemas": {"Word": {"type": "string", "enum": ["a", "b"]}}}}
    known = {
        "list of whole number": {"type": "array", "items": {"type": "integer"}},
        "one of a, b or null": {"anyOf": [{"$ref": "#/components/schemas/Word"}, {"type": "null"}]},
        "time": {"type": "string", "format": "date-time"},
    }
    assert {words: reading.kind(spec, schema) for words, schema in known.items()} == {words: words for words in known}
    assert json.dumps(reading.example(spec, {"$ref": "#/components/schemas/Word"})) == '"a"'
