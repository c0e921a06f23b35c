"""House rules for pages: nothing runs that we did not write, nothing is marked safe by hand, every form carries its token."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if "messages" not in path.parts)


def _name(path: Path) -> str:
    return str(path.relative_to(TEMPLATES))


def test_every_page_compiles(built):
    for path in PAGES:
        built.app.jinja_env.get_template(_name(path))


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_a_page_holds_no_inline_script_style_or_handler(path):
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=", text), "inline style"
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/ld\+json)", text), "inline script"
    assert not re.search(r"\son(?!ly\b)[a-z]+\s*=\s*[\"']", text), "inline handler"
    assert "javascript:" not in text


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_nothing_is_marked_safe_by_hand(path):
    text = path.read_text()
    assert not re.search(r"\|\s*safe\b", text)
    assert "autoescape false" not in text


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_every_posting_form_carries_its_token(path):
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(), flags=re.DOTALL):
        assert "csrf_token" in form or "hidden_tag()" in form or "caller()" in form, form[:200]


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_every_picture_says_what_it_shows(path):
    for picture in re.findall(r"<img[^>]*>", path.read_text()):
        assert re.search(r"\balt=", picture), picture


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_every_link_leads_to_a_view_that_is_there(path, built):
    named = re.findall(r"url_for\(\s*[\"']([a-z_]+\.[a-z_]+)[\"']", path.read_text())
    assert [name for name in named if name not in built.app.view_functions] == []
