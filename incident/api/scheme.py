"""How the description of the API says who may call: a personal token, and what a refusal looks like."""

import re
from typing import Any, Final, TypeAlias

from apiflask import APIFlask
from flask import current_app

from incident.web.access import permit_of

PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence: what was refused, and what to do."},
        "field": {"type": "string", "description": "The field that was not acceptable, if it was one."},
    },
}
REFUSALS = {
    "401": "No token, or one that is wrong, expired or revoked.",
    "403": "Your roles do not allow this.",
    "404": "Not there, or not yours to see.",
    "409": "The rules say no.",
    "422": "A value was not acceptable; `field` names it.",
}
PART: Final = re.compile(r"<[^<>]*>|\{[^{}]*\}")
"""What stands for a value in a path, as Flask and as OpenAPI write it."""
WAYS = {"get", "post", "put", "patch", "delete"}
REPEATABLE = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A key of your own: sent again with it within a day, the request is answered again and not done again.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}


DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


Answers: TypeAlias = dict[int | str, dict[str, str | dict[str, dict[str, Any]]]]


def a_file(says: str, *types: str) -> Answers:
    """The answers of a call that gives a file of one of these media types and no JSON document, for its `responses`."""
    return {200: {"description": says, "content": {mime: {"schema": _of_a_file(mime)} for mime in types}}}


def _of_a_file(mime: str) -> dict[str, str]:
    if mime.endswith("json"):
        return {}
    is_text = mime.startswith("text/") or mime == "application/jsonl"
    return {"type": "string"} if is_text else {"type": "string", "format": "binary"}


def init(app: APIFlask) -> None:
    """Completes the description: the token, the permit of each call, the refusals."""
    app.security_schemes = {
        "token": {"type": "http", "scheme": "bearer", "description": "A personal token, `tcs_…`; its rights are yours."}
    }

    @app.spec_processor
    def complete(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
        if isinstance(spec, str):
            return spec
        spec["security"] = [{"token": []}]
        spec["tags"] = list({tag["name"]: tag for tag in spec.get("tags", [])}.values())
        shapes = spec.setdefault("components", {}).setdefault("schemas", {})
        shapes["Problem"] = PROBLEM
        _name_once(shapes)
        permits = _permits()
        for path, calls in spec.get("paths", {}).items():
            for way, call in calls.items():
                if way in WAYS:
                    _complete(call, permits.get((_plain(path), way.upper())))
                if way in WAYS - {"get"}:
                    call.setdefault("parameters", []).append(REPEATABLE)
        return spec


def _name_once(shapes: dict[str, Any]) -> None:
    """Give each shape a title that no other has: programs that write clients name their classes after it."""
    for name, shape in shapes.items():
        if "title" in shape:
            shape["title"] = name.replace(".", "")


def _permits() -> dict[tuple[str, str], str | None]:
    """The permit of each call, by path without the names of its parts, and method."""
    rules = list(current_app.url_map.iter_rules())
    return {
        (_plain(rule.rule), way): permit_of(current_app, rule.endpoint) for rule in rules for way in rule.methods or ()
    }


def _plain(path: str) -> str:
    return PART.sub("*", path)


def _complete(call: dict[str, Any], permit: str | None) -> None:
    call["x-permit"] = permit
    answers = call.setdefault("responses", {})
    for status, words in REFUSALS.items():
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        answers[status] = {"description": words, "content": content}
