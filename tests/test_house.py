"""The rules of the house that no tool checks: permits, templates, verbs, empty packages."""

import ast
import re
from pathlib import Path

import pytest

from incident.domain.access import MEANING, PERMITS, SPECIAL, Role
from incident.domain.verbs import VERBS

ROOT = Path(__file__).parent.parent
CODE = sorted((ROOT / "incident").rglob("*.py"))
VIEWS = [path for path in CODE if path.parent.name in {"web", "api"}]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
ROUTES = {"get", "post", "put", "patch", "delete", "route"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def called(tree: ast.AST) -> list[tuple[str, ast.Call]]:
    """Every call with a dotted name, by its last word."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""), call)
        for call in calls
    ]


def test_a_rule_loads_without_the_web():
    assert (ROOT / "incident" / "__init__.py").read_text() == ""


def test_permits_stand_in_their_order_and_under_a_noun():
    assert list(PERMITS) == sorted(PERMITS)
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", name) for name in PERMITS)


@pytest.mark.parametrize("path", VIEWS, ids=name_of)
def test_every_view_names_a_permit_that_is_on_the_list(path: Path):
    for view in [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]:
        marks = called(ast.Module([ast.Expr(mark) for mark in view.decorator_list], []))
        if not any(name in ROUTES for name, _ in marks):
            continue
        named = [call.args[0] for name, call in marks if name == "permit"]
        assert len(named) == 1, f"{view.name} names {len(named)} permits"
        if isinstance(named[0], ast.Constant):
            assert named[0].value in {*PERMITS, *SPECIAL}, view.name


@pytest.mark.parametrize("path", [path for path in CODE if path.parent.name == "actions"], ids=name_of)
def test_every_line_speaks_a_verb_of_the_list(path: Path):
    for name, call in called(ast.parse(path.read_text())):
        if (
            name == "write"
            and call.args
            and isinstance(call.args[0], ast.Constant)
            and isinstance(call.args[0].value, str)
        ):
            assert call.args[0].value in VERBS


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_templates_hold_no_script_no_style_and_trust_no_text(path: Path):
    text = re.sub(r"{#.*?#}", "", path.read_text(), flags=re.DOTALL)
    assert not re.search(r"\|\s*safe\b", text), "text is escaped, always"
    assert not re.search(r"<[^>]*\s(style|on[a-z]+)\s*=", text), "the content policy forbids inline style and script"
    assert not re.search(r"<script(?![^>]*\s(src=|type=\"application/ld\+json\"))", text)
    assert not re.search(r"<(img|script|link|iframe)[^>]*(src|href)=[\"']https?://", text), (
        "nothing comes from elsewhere"
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_form_that_changes_something_carries_the_token(path: Path):
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(), re.DOTALL):
        assert "csrf_token" in form


def test_the_paper_on_access_says_what_the_code_says():
    paper = (ROOT / "docs" / "access.md").read_text()
    for role in Role:
        assert f"| {role} | {MEANING[role].split(';')[0]}" in paper
