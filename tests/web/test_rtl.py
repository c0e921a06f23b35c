"""Ready for every language: our styles name beginning and end, never left and right, and say no words of their own."""

import re
from pathlib import Path

import pytest

from incident.web.filters import listed

STYLES = Path(__file__).parents[2] / "incident" / "static"
PHYSICAL = re.compile(
    r"(?<![-\w])(?:(?:margin|padding|border)-(?:left|right)[\w-]*|left|right|border-(?:top|bottom)-(?:left|right)-radius)\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)\b"
)
SIDES = re.compile(r"(?<![-\w])(margin|padding|inset|border-width)\s*:\s*([^;{}]+)")
VALUE = re.compile(r"\w+\((?:[^()]|\([^()]*\))*\)|[^\s]+")


def sided(style):
    """Declarations that treat left and right otherwise than each other."""
    found = [one[0] for one in PHYSICAL.finditer(style)]
    for one in SIDES.finditer(style):
        values = VALUE.findall(one[2])
        found += [one[0]] if len(values) == 4 and values[1] != values[3] else []
    return found


@pytest.mark.parametrize("name", sorted(path.name for path in STYLES.glob("*.css")))
def test_no_style_of_ours_speaks_of_left_and_right(name):
    assert sided((STYLES / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", sorted(path.name for path in STYLES.glob("*.css")))
def test_no_style_of_ours_says_a_word(name):
    assert re.findall(r"content:\s*[\"'][^\"']*\w[^\"']*[\"']", (STYLES / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "style",
    ["a { margin-left: 2px }", "a { left: 0; }", "a { text-align: right; }", "a { padding: 1px 2px 1px var(--s4); }"],
)
def test_a_style_with_a_side_is_found(style):
    assert len(sided(style)) == 1


def test_a_style_that_is_alike_on_both_sides_is_left_alone():
    assert sided("a { padding: 1px 2px 1px 2px; margin-inline-start: 3px; background-position: left center; }") == []


@pytest.mark.parametrize(
    ("language", "things", "said"), [("zh-CN", "甲乙", "甲、乙"), ("en", "ab", "a, b"), ("en", "", "")]
)
def test_things_are_parted_as_the_language_of_the_reader_does(app, language, things, said):
    with app.test_request_context(headers={"Accept-Language": language}):
        assert listed(things) == said
