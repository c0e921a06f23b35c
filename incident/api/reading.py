"""The description of the API, made readable: calls by their part, with fields, answers and an example to begin from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from incident.api.scheme import WAYS

Spec = Mapping[str, Any]
DEEPEST: Final = 4
"""An example goes no further into the things that things are made of."""


@dataclass(frozen=True)
class Field:
    """One value that is given or answered: its name, what it is, and whether it must be there."""

    name: str
    kind: str
    where: str
    needed: bool
    says: str


@dataclass(frozen=True)
class Answer:
    """One answer that may come: its status, what it means, and its fields."""

    status: str
    says: str
    fields: Sequence[Field]


@dataclass(frozen=True)
class Call:
    """One way of one address."""

    ref: str
    way: str
    path: str
    summary: str
    says: str
    permit: str
    given: Sequence[Field]
    body: Sequence[Field]
    example: Any
    answers: Sequence[Answer]

    @property
    def takes_json(self) -> bool:
        """Whether it is given a JSON object."""
        return self.example is not None


def parts(spec: Spec) -> dict[str, int]:
    """The parts of the API by name, with how many calls each has, in the order of the alphabet."""
    found: dict[str, int] = {}
    for _, _, call in _calls(spec):
        found[_part(call)] = found.get(_part(call), 0) + 1
    return dict(sorted(found.items()))


def of_part(spec: Spec, part: str) -> list[Call]:
    """Every call of one part, by path."""
    return [_read(spec, path, way, call) for path, way, call in _calls(spec) if _part(call) == part]


def slug(part: str) -> str:
    """A part's name as it stands in an address."""
    return re.sub(r"[^a-z]+", "-", part.lower()).strip("-")


def _calls(spec: Spec) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, ways in sorted(spec["paths"].items()):
        yield from ((path, way, call) for way, call in ways.items() if way in WAYS)


def _part(call: Mapping[str, Any]) -> str:
    return str((call.get("tags") or ["Others"])[0])


def _read(spec: Spec, path: str, way: str, call: Mapping[str, Any]) -> Call:
    content = call.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {}).get("schema")
    return Call(
        slug(f"{way} {path}"),
        way.upper(),
        path,
        call.get("summary", ""),
        call.get("description", ""),
        call.get("x-permit") or "",
        [_parameter(spec, one) for one in _parameters(path, call)],
        _fields(spec, body) if body else [],
        example(spec, body) if body else None,
        [_answer(spec, status, answer) for status, answer in sorted(call.get("responses", {}).items())],
    )


def _parameters(path: str, call: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What stands in the address comes first, though it was not described."""
    named = list(call.get("parameters", []))
    known = {one["name"] for one in named if one["in"] == "path"}
    missing = [name for name in re.findall(r"{([^}]+)}", path) if name not in known]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in missing] + named


def _parameter(spec: Spec, one: Mapping[str, Any]) -> Field:
    schema = _resolved(spec, one.get("schema", {}))
    says = one.get("description") or schema.get("description", "")
    return Field(one["name"], kind(spec, schema), one["in"], bool(one.get("required")), says)


def _answer(spec: Spec, status: str, answer: Mapping[str, Any]) -> Answer:
    schema: Mapping[str, Any] = {}
    for content in answer.get("content", {}).values():
        schema = content.get("schema", {})
    return Answer(status, answer.get("description", ""), _fields(spec, schema))


def _fields(spec: Spec, schema: Mapping[str, Any]) -> list[Field]:
    known = _resolved(spec, schema)
    needed = set(known.get("required", ()))
    return [
        Field(name, kind(spec, one), "body", name in needed, _resolved(spec, one).get("description", ""))
        for name, one in known.get("properties", {}).items()
    ]


def kind(spec: Spec, schema: Mapping[str, Any]) -> str:
    """What a value is, in a few words, such as `list of text` or `one of open, closed`."""
    found = _resolved(spec, schema)
    several = found.get("anyOf") or found.get("oneOf")
    if several:
        return " or ".join(dict.fromkeys(kind(spec, one) for one in several))
    if "enum" in found:
        return "one of " + ", ".join(str(word) or "(empty)" for word in found["enum"])
    if "const" in found:
        return str(found["const"])
    match found.get("type"):
        case "array":
            return f"list of {kind(spec, found.get('items', {}))}"
        case "string":
            return {"date-time": "time", "date": "day"}.get(found.get("format", ""), "text")
        case "integer" | "number" as number:
            return "whole number" if number == "integer" else "number"
        case "boolean":
            return "true or false"
        case "null":
            return "null"
        case "object":
            return "object"
    return "anything"


def example(spec: Spec, schema: Mapping[str, Any], depth: int = 0) -> Any:
    """A value of this shape to begin from: what must be there, and what has a usual value."""
    found = _resolved(spec, schema)
    for name in ("default", "const"):
        if found.get(name) is not None:
            return found[name]
    if found.get("enum"):
        return found["enum"][0]
    several = found.get("anyOf") or found.get("oneOf")
    if several:
        return example(spec, several[0], depth)
    match found.get("type"):
        case "object" if depth < DEEPEST:
            needed = found.get("required", ())
            return {
                name: example(spec, one, depth + 1)
                for name, one in found.get("properties", {}).items()
                if name in needed
            }
        case "array" if depth < DEEPEST:
            return [example(spec, found.get("items", {}), depth + 1)]
        case "integer" | "number":
            return found.get("minimum", 0)
        case "boolean":
            return False
        case "string":
            return {"date-time": "2026-03-10T14:20:00Z", "date": "2026-03-10"}.get(found.get("format", ""), "…")
    return {} if found.get("type") == "object" else None


def _resolved(spec: Spec, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference stands for, with what is said beside it."""
    for _ in range(DEEPEST):
        if "$ref" not in schema:
            break
        name = schema["$ref"].rsplit("/", 1)[-1]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**spec["components"]["schemas"][name], **beside}
    return schema
