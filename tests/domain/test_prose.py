"""Sections: few marks, links to our own site only, one tree for every format."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain import prose
from incident.domain.errors import Invalid
from incident.domain.prose import Kind
from incident.domain.wording import for_html, one_line

SITE = "https://incidents.example.org"
FACTS = ("occurred_from",)


def read(text: str) -> prose.Prose:
    return prose.read(text, where="what_happened", facts=FACTS, site=SITE)


def html(text: str, **values: str) -> str:
    return prose.as_html(read(text)).filled({k.replace("__", "."): v for k, v in values.items()}, for_html)


def text(source: str, **values: str) -> str:
    return prose.as_text(read(source)).filled({k.replace("__", "."): v for k, v in values.items()}, one_line)


def test_paragraphs_lines_lists_and_bold():
    source = "One **bold** word\nsecond line\n\nDo this:\n- first\n- second\n1. one\n2) two"
    assert html(source) == (
        "<p>One <strong>bold</strong> word<br>\nsecond line</p>\n<p>Do this:</p>\n"
        "<ul>\n<li>first</li>\n<li>second</li>\n</ul>\n<ol>\n<li>one</li>\n<li>two</li>\n</ol>\n"
    )
    assert text(source) == "One bold word\nsecond line\n\nDo this:\n\n- first\n- second\n\n1. one\n2. two"


def test_markup_in_a_text_is_only_letters():
    assert (
        html("<script>alert(1)</script> & “quotes”") == "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; “quotes”</p>\n"
    )


def test_a_field_is_filled_inside_bold_lists_and_links():
    source = "- **{{ person.name }}**: [check {{ notice.reference }}]({{ link.check }})"
    values = {"person__name": "<Kim>", "notice__reference": "N-1", "link__check": f"{SITE}/x?a=1&b=2"}
    assert html(source, **values) == (
        f'<ul>\n<li><strong>&lt;Kim&gt;</strong>: <a href="{SITE}/x?a=1&amp;b=2">check N-1</a></li>\n</ul>\n'
    )
    assert text(source, **values) == f"- <Kim>: check N-1 ({SITE}/x?a=1&b=2)"


def test_the_fields_of_a_tree_include_those_in_links():
    assert prose.fields(read("{{ person.name }} [here]({{ link.check }})")) == ("person.name", "link.check")


def test_a_value_is_never_read_as_marks():
    assert html("{{ person.name }}", person__name="**x** [y](https://evil.example)") == (
        "<p>**x** [y](https://evil.example)</p>\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        "[x](https://evil.example/)",
        "[x](http://incidents.example.org/)",
        "[x](https://incidents.example.org.evil.example/)",
        "[x](https://incidents.example.org:8443/)",
        "[x](https://user@incidents.example.org/)",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,x)",
        "[x](//evil.example)",
        "[x](/relative)",
        "[x]({{ person.name }})",
        "[x](https://incidents.example.org/{{ person.name }})",
        "see https://evil.example now",
        "[x](https://[bad/)",
    ],
)
def test_a_link_that_leaves_the_site_is_refused(source):
    with pytest.raises(Invalid) as refusal:
        read(source)
    assert refusal.value.field == "what_happened"


def test_a_link_to_our_own_site_is_kept():
    assert html(f"[our page]({SITE}/notices)") == f'<p><a href="{SITE}/notices">our page</a></p>\n'


def test_a_page_gets_the_tree_with_letters_in_place():
    (block,) = prose.bound(read("Of you: {{ person.exposed }}"), {"person.exposed": "name,\ne-mail"})
    assert [(run.kind, run.text) for run in block.lines[0]] == [
        (Kind.LETTERS, "Of you: "),
        (Kind.LETTERS, "name, e-mail"),
    ]


def test_a_slot_without_value_stays_a_slot_on_the_page():
    (block,) = prose.bound(read("{{ person.exposed }}"), {})
    assert block.lines[0][0].kind is Kind.SLOT


@given(st.text(alphabet=st.sampled_from(list("ab *-1.[](){}\n<&")), max_size=60))
def test_any_text_is_read_or_refused_but_never_breaks(source):
    try:
        tree = read(source)
    except Invalid:
        return
    assert "<script" not in prose.as_html(tree).filled({}, for_html)
    prose.as_text(tree)


def test_marks_without_end_are_read_quickly():
    for source in ("[" * 12_000, "**" * 6_000, "[x](" * 3_000, "{{ person.name }}" * 700, "- \n" * 4_000):
        start = time.process_time()
        prose.as_text(read(source))
        assert time.process_time() - start < 0.5
